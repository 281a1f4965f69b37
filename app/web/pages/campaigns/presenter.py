"""The campaign list: its filters, sort and page, and its rows in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final
from zoneinfo import ZoneInfo

from app.domain.campaign import CampaignAction, CampaignStatus, Channel
from app.services.campaigns.views import CampaignCards, CampaignRow
from app.web.components import ProgressView
from app.web.listing import ALL, ListQuery, id_filter, word_filter
from app.web.pages.campaign.progress_presenter import progress
from app.web.pages.campaign.state import may_retry
from app.web.words import Moment, counted, moment, rate

PERIODS: Final = ((ALL, "All time"), ("today", "Today"), ("7", "Last 7 days"), ("30", "Last 30 days"))


@dataclass(frozen=True, slots=True)
class CampaignsQuery(ListQuery):
    """The filters, sort and page of the list."""

    status: str = word_filter(CampaignStatus)
    channel: str = word_filter(Channel)
    agent: str = id_filter()
    sort: str = "created"
    descending: bool = True
    period: str = word_filter((key for key, _ in PERIODS), narrows=False)
    """The period of the cards."""

    SORTS: ClassVar[Mapping[str, bool]] = {"name": False, "status": False, "created": True, "progress": True}

    def since(self, now: datetime, zone: str) -> datetime | None:
        """Return when the cards' period begins; None for all time."""
        if self.period == ALL:
            return None
        if self.period == "today":
            return now.astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
        return now - timedelta(days=int(self.period))


@dataclass(frozen=True, slots=True)
class Cards:
    """The four cards."""

    total: str = ""
    running: str = ""
    calls: str = ""
    success: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """A row of the list."""

    id: int
    name: str
    description: str
    status: str
    channel: str
    agent: str
    progress: ProgressView
    reached: str
    """How many were reached, of all on the list; empty without a list."""
    attempts: str
    created: Moment
    scheduled: Moment
    simulated: bool
    can_start: bool
    can_pause: bool
    can_resume: bool
    can_cancel: bool
    can_retry: bool
    can_edit: bool
    can_delete: bool


def cards(view: CampaignCards) -> Cards:
    """Word the cards."""
    return Cards(
        total=f"{view.total:,}",
        running=f"{view.running_now:,}",
        calls=f"{view.calls_completed:,}",
        success=rate(view.success_rate, of=view.calls_completed),
    )


def item(row: CampaignRow, *, zone: str, now: datetime) -> Item:
    """Word a row; times are in the organization's zone."""
    far = row.standing
    is_scheduled = row.status in {CampaignStatus.DRAFT, CampaignStatus.SCHEDULED}
    return Item(
        id=row.id,
        name=row.name,
        description=row.description,
        status=row.status.value,
        channel=row.channel.value,
        agent=row.agent_name or "No agent",
        progress=progress(row.counts, row.run_status),
        reached=f"{far.reached:,} of {far.total:,} reached" if far.total else "",
        attempts=_attempts(row),
        created=moment(row.created_at, zone, now=now),
        scheduled=moment(row.scheduled_at if is_scheduled else None, zone, now=now),
        simulated=row.simulated is True,
        can_start=CampaignAction.START in row.actions,
        can_pause=CampaignAction.PAUSE in row.actions,
        can_resume=CampaignAction.RESUME in row.actions,
        can_cancel=CampaignAction.CANCEL in row.actions and row.status is not CampaignStatus.DRAFT,
        can_retry=may_retry(row.actions, row.counts),
        can_edit=row.status is CampaignStatus.DRAFT,
        can_delete=CampaignAction.DELETE in row.actions,
    )


def _attempts(row: CampaignRow) -> str:
    one, many = ("text", "texts") if row.channel is Channel.SMS else ("call", "calls")
    return counted(row.calls_made, one, many) if row.calls_made else f"No {many} yet"
