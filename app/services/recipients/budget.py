"""How many attempts a recipient has: a budget of its own, once it was tried again by hand, else its campaign's."""

from app.models import Campaign, Recipient


def budget_of(campaign: Campaign) -> int:
    """Return how many attempts each recipient without a budget of its own has, the first included."""
    return campaign.max_attempts


def attempts_allowed(recipient: Recipient, campaign: Campaign) -> int:
    """Return how many attempts the recipient has, the first included."""
    return recipient.attempts_allowed or budget_of(campaign)
