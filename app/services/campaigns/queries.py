"""Everything that can be asked of campaigns, in one place for the API, the browser and the command line."""

from app.services.campaigns.brief import campaign_brief, recipient_counts
from app.services.campaigns.detail import detail_of, get_campaign
from app.services.campaigns.eligibility import list_skipped
from app.services.campaigns.forecast import preflight, preview_message, start_problems
from app.services.campaigns.lists import campaign_cards, list_campaigns
from app.services.campaigns.logs import get_attempt, get_recipient, list_attempts, list_recipients
from app.services.campaigns.progress import campaign_snapshot
from app.services.campaigns.readiness import recipient_variable_names

__all__ = [
    "campaign_brief",
    "campaign_cards",
    "campaign_snapshot",
    "detail_of",
    "get_attempt",
    "get_campaign",
    "get_recipient",
    "list_attempts",
    "list_campaigns",
    "list_recipients",
    "list_skipped",
    "preflight",
    "preview_message",
    "recipient_counts",
    "recipient_variable_names",
    "start_problems",
]
