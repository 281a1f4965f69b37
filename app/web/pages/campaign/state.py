"""The header of all four tabs of a campaign, kept live."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import reflex as rx

from app.domain.campaign import CampaignAction, CampaignStatus, Channel, allowed_actions
from app.domain.recipient import RETRY_FAILED_DEFAULT
from app.domain.rights import Right
from app.services.campaigns.brief import campaign_brief, recipient_counts
from app.services.campaigns.progress import campaign_snapshot
from app.services.campaigns.run_list import newest_runs
from app.services.campaigns.views import CampaignBrief, CampaignSnapshot, Counts, RunTimes
from app.services.live_hub import Watched
from app.services.live_hub import watch as watch_live
from app.web.campaign_here import campaign_here
from app.web.guard import PageState, guarded, still_allowed
from app.web.options import Option
from app.web.visit import Visit
from app.web.words import moment

MOST_RUNS: Final = 100
"""Most runs to choose from: the newest."""

Runs = tuple[list[Option], str]


@dataclass(frozen=True, slots=True)
class Header:
    """The campaign's name, status and allowed actions."""

    id: int = 0
    name: str = ""
    description: str = ""
    status: str = ""
    status_reason: str = ""
    channel: str = ""
    simulated: bool = False
    total: int = 0
    can_start: bool = False
    can_pause: bool = False
    can_resume: bool = False
    can_cancel: bool = False
    can_retry: bool = False
    """The campaign is completed and somebody was not reached."""
    can_edit: bool = False
    can_delete: bool = False


class CampaignState(PageState, rx.State):
    """The header of the campaign in the address."""

    header: rx.Field[Header] = rx.field(default_factory=Header)
    runs: rx.Field[list[Option]] = rx.field(default_factory=list)
    """The campaign's newest runs; empty if it has only one."""
    run: rx.Field[str] = rx.field("")
    """The number of the run that the tabs show without a choice."""

    @guarded(Right.VIEW)
    async def load(self, visit: Visit) -> None:
        """Show the campaign's header. From tab to tab the old one stays until the new one is read."""
        self.problem = ""
        campaign_id = campaign_here(self)
        if self.header.id != campaign_id:
            self.header, self.loading = Header(), True
            self.runs, self.run = [], ""
        self.loading = self.loading or self.header.id == 0
        self.header, (self.runs, self.run) = await read_header(visit, campaign_id)
        self.loading = False

    @guarded(Right.VIEW, background=True)
    async def watch(self, visit: Visit) -> None:
        """Follow the status and the number of contacts, and with them the allowed actions."""
        campaign_id = campaign_here(self)
        watched, load = live_snapshot(visit, campaign_id)
        read: tuple[int, int] | None = None
        runs: Runs = ([], "")
        async for snapshot in watch_live(watched, load, check=still_allowed(self, Right.VIEW)):
            if (snapshot.run, snapshot.runs) != read:
                runs = await read_runs(visit, campaign_id, snapshot.time_zone, snapshot.runs)
                read = snapshot.run, snapshot.runs
            async with self:
                changed = _followed(self.header, snapshot)
                if self.header.id == campaign_id and changed != self.header:
                    self.header = changed
                if self.header.id == campaign_id and (self.runs, self.run) != runs:
                    self.runs, self.run = runs


async def read_runs(visit: Visit, campaign_id: int, zone: str, runs: int) -> Runs:
    """Return the newest runs to choose from, if there are several, and the one that is shown without a choice.

    `runs`: how many there are; if it is one, nothing is read. The caller has found the campaign.
    """
    if runs <= 1:
        return [], "1"
    async with visit.reading() as session:
        found = await newest_runs(session, campaign_id, most=MOST_RUNS)
    started = [run.number for run in found if run.started_at is not None]
    shown = started[0] if started else found[0].number
    return [run_option(run, zone, now=visit.now) for run in found], str(shown)


def run_option(run: RunTimes, zone: str, *, now: datetime) -> Option:
    """Return a run as a choice: `Run 3, 4 Mar, 09:00 EST`; `to come` while it waits for its time."""
    at = moment(run.started_at or run.occurrence_at, zone, now=now)
    when = f", {at.text} {at.zone}" if at.text else ""
    to_come = " (to come)" if run.started_at is None and run.ended_at is None else ""
    skipped = " (skipped)" if run.started_at is None and run.ended_at is not None else ""
    return Option(str(run.number), f"Run {run.number}{when}{to_come}{skipped}")


async def read_header(visit: Visit, campaign_id: int) -> tuple[Header, Runs]:
    """Return the campaign's current header, and its runs. Raises `NotFound`."""
    async with visit.reading() as session:
        brief = await campaign_brief(session, principal=visit.principal, campaign_ref=campaign_id)
        counts = await recipient_counts(session, brief.id)
    return _header_of(brief, counts), await read_runs(visit, brief.id, brief.time_zone, brief.runs)


def live_snapshot(
    visit: Visit, campaign_id: int, run: int | None = None
) -> tuple[Watched, Callable[[], Awaitable[CampaignSnapshot]]]:
    """Return what all tabs of a campaign watch, and the function that reads it, once per process for all browsers.

    `run`: the number of the run that is counted; without one, the run that is shown without a choice.
    The function raises `NotFound` if there is no such campaign, which ends the watching; `load` has said so.
    """
    organization_id = visit.principal.organization_id

    async def load() -> CampaignSnapshot:
        async with visit.reading() as session:
            return await campaign_snapshot(
                session, organization_id=organization_id, campaign_id=campaign_id, now=visit.now, run=run
            )

    return Watched(organization_id, campaign_id, "campaign", run=run), load


def _header_of(brief: CampaignBrief, counts: Counts) -> Header:
    actions = allowed_actions(brief.status)
    header = Header(
        id=brief.id,
        name=brief.name,
        description=brief.description,
        channel="Text" if brief.channel is Channel.SMS else "Call",
        simulated=brief.carrier_simulated is True,
        total=sum(counts.values()),
        can_retry=may_retry(actions, counts),
    )
    return _at(header, brief.status, brief.status_reason, actions)


def _followed(header: Header, snapshot: CampaignSnapshot) -> Header:
    retry = may_retry(snapshot.actions, snapshot.counts)
    header = replace(header, total=snapshot.total, can_retry=retry)
    if (header.status, header.status_reason) == (snapshot.status.value, snapshot.status_reason):
        return header
    return _at(header, snapshot.status, snapshot.status_reason, snapshot.actions)


def may_retry(actions: frozenset[CampaignAction], counts: Counts) -> bool:
    """Tell whether a retry is allowed and somebody was not reached."""
    return CampaignAction.RETRY_FAILED in actions and any(counts[status] for status in RETRY_FAILED_DEFAULT)


def _at(
    header: Header,
    status: CampaignStatus,
    reason: str,
    actions: frozenset[CampaignAction],
) -> Header:
    return replace(
        header,
        status=status.value,
        status_reason=reason,
        can_start=CampaignAction.START in actions,
        can_pause=CampaignAction.PAUSE in actions,
        can_resume=CampaignAction.RESUME in actions,
        can_cancel=CampaignAction.CANCEL in actions and status is not CampaignStatus.DRAFT,
        can_edit=CampaignAction.EDIT in actions,
        can_delete=CampaignAction.DELETE in actions,
    )


CAMPAIGN: Final = (CampaignState.load, CampaignState.watch)
"""What every tab of a campaign loads after `ENTER`."""
