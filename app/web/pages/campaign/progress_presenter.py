"""The progress of a campaign, as its bar and in words."""

from app.domain.campaign import NOT_BEGUN, CampaignStatus
from app.domain.metrics import CampaignStanding, StatusCounts, standing
from app.domain.recipient import RecipientStatus
from app.services.campaigns.views import Counts
from app.web.components import ProgressView


def progress(counts: Counts, status: CampaignStatus) -> ProgressView:
    """Return the progress bar of a campaign in that status with these recipients."""
    far = standing(StatusCounts.of(counts), status)
    skipped = counts[RecipientStatus.SKIPPED] if status not in NOT_BEGUN else 0
    return ProgressView(
        completed=counts[RecipientStatus.COMPLETED],
        voicemail=counts[RecipientStatus.VOICEMAIL],
        unanswered=counts[RecipientStatus.NO_ANSWER] + counts[RecipientStatus.BUSY],
        failed=counts[RecipientStatus.FAILED],
        skipped=skipped,
        left_out=counts[RecipientStatus.SKIPPED] + counts[RecipientStatus.CANCELLED] - skipped,
        in_progress=counts[RecipientStatus.IN_PROGRESS],
        pending=counts[RecipientStatus.PENDING],
        total=far.total,
        percent=far.completion_rate,
        text=_how_far(far),
    )


def _how_far(far: CampaignStanding) -> str:
    """Return "17 of 31 processed, 14 cancelled"."""
    if not far.total:
        return "No contacts yet"
    cancelled = f", {far.cancelled:,} cancelled" if far.cancelled else ""
    return f"{far.processed:,} of {far.total:,} processed{cancelled}"
