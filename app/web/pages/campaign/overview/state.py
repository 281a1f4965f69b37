"""The Overview tab, kept live."""

from collections.abc import AsyncIterator, Sequence

import reflex as rx
from reflex.event import EventSpec
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.attempt import AttemptStatus
from app.domain.rights import Right
from app.services.campaigns.call_log import get_attempt, list_attempts
from app.services.campaigns.history import campaign_history
from app.services.campaigns.safeguards import list_trips
from app.services.campaigns.views import AttemptRow, CampaignSnapshot
from app.services.dialing.reconcile.overdue_attempts import settle_review
from app.services.dialing.settle.second_calls import SecondCallRow, list_second_calls
from app.services.live_hub import watch as watch_live
from app.web import routes
from app.web.campaign_here import campaign_here
from app.web.components import say_done
from app.web.guard import PageState, guarded, still_allowed
from app.web.listing import ending, number_in, put_in_address
from app.web.pages.campaign.overview.presenter import (
    Overview,
    Review,
    Second,
    StatusChange,
    change,
    overview,
    review,
    second_call,
)
from app.web.pages.campaign.overview.safeguards_presenter import Stop, stops
from app.web.pages.campaign.state import CampaignState, live_snapshot
from app.web.visit import Visit

Stories = tuple[list[Review], list[Second], list[Stop], list[StatusChange]]


class OverviewState(PageState, rx.State):
    """The campaign's current snapshot, in words."""

    overview: rx.Field[Overview] = rx.field(default_factory=Overview)
    reviews: rx.Field[list[Review]] = rx.field(default_factory=list)
    seconds: rx.Field[list[Second]] = rx.field(default_factory=list)
    stops: rx.Field[list[Stop]] = rx.field(default_factory=list)
    history: rx.Field[list[StatusChange]] = rx.field(default_factory=list)
    run: rx.Field[str] = rx.field("")
    """The number of the run that was chosen; empty: the usual one, which is followed."""
    _campaign_id: int = 0

    @guarded(Right.VIEW)
    async def load(self, visit: Visit) -> AsyncIterator[None]:
        """Show the campaign's current snapshot."""
        self.problem = ""
        campaign_id = campaign_here(self)
        asked = routes.asked(self.router.url.query_parameters).get("run", "")
        self.run = asked if number_in(asked) else ""
        if self._campaign_id != campaign_id:
            self._campaign_id, self.loading, self.overview = campaign_id, True, Overview()
            self.reviews, self.seconds, self.stops, self.history = [], [], [], []
            yield
        snapshot = await live_snapshot(visit, campaign_id, number_in(self.run))[1]()
        self.overview = _worded(visit, snapshot)
        stories = await _stories(visit, snapshot)
        self.reviews, self.seconds, self.stops, self.history = stories
        self.loading = False

    @guarded(Right.VIEW, background=True)
    async def watch(self, visit: Visit) -> None:
        """Follow every change, at most four times a second."""
        campaign_id = campaign_here(self)
        watched, load = live_snapshot(visit, campaign_id)
        stories: Stories = ([], [], [], [])
        told: tuple[object, ...] = ()
        async for snapshot in watch_live(watched, load, check=still_allowed(self, Right.VIEW)):
            shown = _worded(visit, snapshot)
            telling = (
                snapshot.status,
                snapshot.status_reason,
                snapshot.review_count,
                snapshot.second_calls,
            )
            if telling != told:
                stories, told = await _stories(visit, snapshot), telling
            async with self:
                # From the address: this may run before `load`.
                if campaign_here(self) != campaign_id:
                    return
                if self.run:
                    continue  # An earlier run was chosen: it is over.
                if self.overview != shown:
                    self.overview = shown
                if (self.reviews, self.seconds, self.stops, self.history) != stories:
                    self.reviews, self.seconds, self.stops, self.history = stories

    @guarded(Right.VIEW, supersedes=True)
    async def choose_run(self, visit: Visit, number: str) -> EventSpec:
        """Show another run of the campaign."""
        usual = (await self.get_state(CampaignState)).run
        self.run = number if number_in(number) and number != usual else ""
        snapshot = await live_snapshot(visit, campaign_here(self), number_in(self.run))[1]()
        self.overview = _worded(visit, snapshot)
        return put_in_address(self.router.url.path, ending({"run": self.run}) if self.run else "")

    @guarded(Right.RUN_CAMPAIGNS)
    async def settle(self, visit: Visit, attempt_id: str, placed: bool) -> EventSpec:  # noqa: FBT001 - of a button
        """Settle an attempt in review: it was placed, or it was not."""

        async def settled(session: AsyncSession) -> None:
            detail = await get_attempt(session, principal=visit.principal, attempt_id=attempt_id)
            await settle_review(
                session,
                principal=visit.principal,
                attempt_id=detail.row.id,
                placed=placed,
                now=visit.now,
            )

        await visit.write(settled)
        self.reviews = [one for one in self.reviews if one.id != attempt_id]
        outcome = "counts as not answered" if placed else "is queued again"
        return say_done(f"Saved. The contact {outcome}.")


def _worded(visit: Visit, snapshot: CampaignSnapshot) -> Overview:
    return overview(snapshot, other_zone=visit.principal.time_zone, now=visit.now)


async def _stories(visit: Visit, snapshot: CampaignSnapshot) -> Stories:
    """Return the attempts in review, the second calls, the breaker's trips and the history.

    A list that is empty by the snapshot's count is not read.
    """
    now, campaign_id, zone = visit.now, snapshot.campaign_id, snapshot.time_zone
    async with visit.reading() as session:
        waiting: Sequence[AttemptRow] = ()
        if snapshot.review_count:
            page = await list_attempts(
                session, principal=visit.principal, campaign_ref=campaign_id, status=AttemptStatus.REVIEW
            )
            waiting = page.items
        seconds: Sequence[SecondCallRow] = ()
        if snapshot.second_calls:
            seconds = await list_second_calls(session, principal=visit.principal, campaign_ref=campaign_id)
        trips = await list_trips(session, principal=visit.principal, campaign_ref=campaign_id)
        changes = await campaign_history(session, principal=visit.principal, campaign_ref=campaign_id)
    return (
        [review(row, zone, now=now) for row in waiting],
        [second_call(row, zone, now=now) for row in seconds],
        stops(trips, snapshot, now=now),
        [change(row, zone, now=now) for row in changes],
    )
