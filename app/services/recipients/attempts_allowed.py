"""How many attempts a recipient has: a number of its own, once it was tried again by hand, else its campaign's."""

from app.models import Campaign, Recipient


def attempts_of(campaign: Campaign) -> int:
    """Return how many attempts each recipient without a number of its own has, the first included."""
    return campaign.max_attempts


def attempts_allowed(recipient: Recipient, campaign: Campaign) -> int:
    """Return how many attempts the recipient has, the first included."""
    return recipient.attempts_allowed or attempts_of(campaign)
