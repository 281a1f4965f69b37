"""The Overview tab, kept live."""

from collections.abc import AsyncIterator

import reflex as rx
from reflex.event import EventSpec
from sqlalchemy.ext.asyncio import AsyncSession

from app.context import get_context
from app.domain.attempt import AttemptStatus
from app.domain.campaign import Channel
from app.domain.rights import Right
from app.live_hub import watch as watch_live
from app.services.access.principal import Principal
from app.services.campaigns.history import campaign_history
from app.services.campaigns.queries import get_attempt, get_campaign, list_attempts
from app.services.campaigns.signs import list_trips
from app.services.campaigns.views import CampaignSnapshot
from app.services.dialing.alarms import list_second_calls
from app.services.dialing.reconciling import settle_review
from app.web.components import say_done
from app.web.guard import PageState, guarded, still_allowed
from app.web.pages.campaign.overview.signs_view import Stop, stops
from app.web.pages.campaign.overview.view import (
    Change,
    Ground,
    Overview,
    Review,
    Second,
    change,
    overview,
    review,
    second_call,
)
from app.web.pages.campaign.place import campaign_here
from app.web.pages.campaign.state import is_there, live_snapshot

Stories = tuple[list[Review], list[Second], list[Stop], list[Change]]


class OverviewState(PageState, rx.State):
    """Where the campaign stands."""

    overview: rx.Field[Overview] = rx.field(default_factory=Overview)
    reviews: rx.Field[list[Review]] = rx.field(default_factory=list)
    seconds: rx.Field[list[Second]] = rx.field(default_factory=list)
    stops: rx.Field[list[Stop]] = rx.field(default_factory=list)
    history: rx.Field[list[Change]] = rx.field(default_factory=list)
    _campaign_id: int = 0

    @guarded(Right.VIEW)
    async def load(self, principal: Principal) -> AsyncIterator[None]:
        """Show the campaign as it stands."""
        self.problem = ""
        campaign_id = campaign_here(self)
        if self._campaign_id != campaign_id:
            self._campaign_id, self.loading, self.overview = campaign_id, True, Overview()
            self.reviews, self.seconds, self.stops, self.history = [], [], [], []
            yield
        ground = await _ground(principal, campaign_id)
        snapshot = await live_snapshot(principal, campaign_id)[1]()
        self.overview = overview(snapshot, ground, now=get_context().clock.now())
        stories = await _stories(principal, snapshot, ground)
        self.reviews, self.seconds, self.stops, self.history = stories
        self.loading = False

    @guarded(Right.VIEW, background=True)
    async def watch(self, principal: Principal) -> None:
        """Follow every change, at most four times a second."""
        campaign_id = campaign_here(self)
        if not await is_there(principal, campaign_id):
            return
        ground = await _ground(principal, campaign_id)
        watched, load = live_snapshot(principal, campaign_id)
        stories: Stories = ([], [], [], [])
        told: tuple[object, ...] = ()
        async for snapshot in watch_live(watched, load, check=still_allowed(self, Right.VIEW)):
            shown = overview(snapshot, ground, now=get_context().clock.now())
            telling = (
                snapshot.status,
                snapshot.status_reason,
                snapshot.review_count,
                snapshot.second_calls,
            )
            if telling != told:
                ground = await _ground(principal, campaign_id)
                stories, told = await _stories(principal, snapshot, ground), telling
            async with self:
                # By the address: this may well run before `load` has.
                if campaign_here(self) != campaign_id:
                    return
                if self.overview != shown:
                    self.overview = shown
                if (self.reviews, self.seconds, self.stops, self.history) != stories:
                    self.reviews, self.seconds, self.stops, self.history = stories

    @guarded(Right.RUN_CAMPAIGNS)
    async def settle(self, principal: Principal, attempt_id: str, placed: bool) -> EventSpec:  # noqa: FBT001 - of a button
        """Say of an attempt that it was placed, or that it was not."""
        context = get_context()

        async def settled(session: AsyncSession) -> None:
            detail = await get_attempt(session, principal=principal, attempt_id=attempt_id)
            await settle_review(
                session,
                principal=principal,
                attempt_id=detail.row.id,
                placed=placed,
                now=context.clock.now(),
            )

        await context.database.write(settled)
        self.reviews = [one for one in self.reviews if one.id != attempt_id]
        outcome = "counts as not answered" if placed else "goes back in line"
        return say_done(f"Noted. The contact {outcome}.")


async def _ground(principal: Principal, campaign_id: int) -> Ground:
    async with get_context().database.session() as session:
        detail = await get_campaign(session, principal=principal, campaign_ref=campaign_id)
    settings = detail.settings
    is_text = settings.channel is Channel.SMS
    return Ground(settings.time_zone, principal.time_zone, settings.concurrent_limit, is_text)


async def _stories(principal: Principal, snapshot: CampaignSnapshot, ground: Ground) -> Stories:
    """Return what waits for a decision, the second calls, when the breaker tripped, and the history."""
    now, campaign_id = get_context().clock.now(), snapshot.campaign_id
    async with get_context().database.session() as session:
        waiting = await list_attempts(
            session, principal=principal, campaign_ref=campaign_id, status=AttemptStatus.REVIEW
        )
        seconds = await list_second_calls(session, principal=principal, campaign_ref=campaign_id)
        trips = await list_trips(session, principal=principal, campaign_ref=campaign_id)
        changes = await campaign_history(session, principal=principal, campaign_ref=campaign_id)
    return (
        [review(row, ground, now=now) for row in waiting.items],
        [second_call(row, ground, now=now) for row in seconds],
        stops(trips, snapshot, ground.zone, now=now),
        [change(row, ground, now=now) for row in changes],
    )
