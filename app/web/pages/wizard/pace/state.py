"""Pace, retries, hours and the start of the campaign."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Final

import reflex as rx

from app.domain.rights import Right
from app.services.access.organizations import organization_settings
from app.services.agents.queries import get_agent
from app.services.campaigns.settings import CampaignSettings
from app.services.campaigns.views import CampaignDetail
from app.services.segments.queries import segment_names
from app.web.guard import guarded
from app.web.options import Option
from app.web.pages.campaign.fields import hours, pace, retries, safeguards, schedule
from app.web.pages.campaign.fields.form import PACE
from app.web.pages.wizard.step_state import StepState
from app.web.pages.wizard.steps import WizardStep
from app.web.visit import Visit

MOST_SEGMENTS: Final = 200
"""Most segments that are offered."""


class PaceState(StepState, rx.State):
    """How fast, how often, when."""

    STEP: ClassVar[WizardStep] = WizardStep.PACE
    SETTINGS: ClassVar[frozenset[str]] = PACE

    channel: rx.Field[str] = rx.field("call")
    hours_choice: rx.Field[str] = rx.field(hours.WINDOW)
    windows: rx.Field[int] = rx.field(1)
    """How many windows have boxes."""
    clock_choice: rx.Field[str] = rx.field("")
    start_kind: rx.Field[str] = rx.field(hours.IMMEDIATE)
    said: rx.Field[dict[str, str]] = rx.field(default_factory=dict)
    """Folded section -> what is set in it."""
    limit: rx.Field[str] = rx.field("")
    """The effective limit, and what it is the least of."""
    zone_now: rx.Field[str] = rx.field("")
    starts: rx.Field[str] = rx.field("")
    hours_warning: rx.Field[str] = rx.field("")
    frequency: rx.Field[str] = rx.field("")
    """How often a campaign on a schedule runs; empty without one."""
    next_title: rx.Field[str] = rx.field("")
    next_times: rx.Field[list[str]] = rx.field(default_factory=list)
    segments: rx.Field[list[Option]] = rx.field(default_factory=list)

    @guarded(Right.EDIT_CAMPAIGNS)
    async def choose_hours(self, visit: Visit, choice: str) -> None:
        """Reach people at any time, or within hours that then can be set."""
        await self._choose(visit, hours.hours_asked(choice, self.values))

    @guarded(Right.EDIT_CAMPAIGNS)
    async def choose_clock(self, visit: Visit, clock: str) -> None:
        """Mean the hours by each contact's clock, or by the campaign's."""
        await self._choose(visit, {hours.CLOCK: clock})

    @guarded(Right.EDIT_CAMPAIGNS)
    async def add_window(self, visit: Visit) -> None:
        """Give the hours one more window."""
        if self.windows < hours.MOST_SHOWN:
            await self._choose(visit, hours.window_added(self.values))

    @guarded(Right.EDIT_CAMPAIGNS)
    async def remove_window(self, visit: Visit, place: int) -> None:
        """Take one window away; those after it move up."""
        await self._choose(visit, hours.window_removed(self.values, place), in_sight=True)

    @guarded(Right.EDIT_CAMPAIGNS)
    async def choose_start(self, visit: Visit, kind: str) -> None:
        """Start when somebody says so, at a date and time, or on a schedule."""
        texts = {hours.START_KIND: kind}
        if kind == schedule.RECURRING and not schedule.has_schedule(self.values):
            texts |= schedule.usual_texts(self.values.get("time_zone", ""))
        await self._choose(visit, texts)
        # Boxes that are gone now, and what was wrong with them.
        if kind != hours.SCHEDULED:
            self.errors = {box: text for box, text in self.errors.items() if box != hours.AT}
        if kind != schedule.RECURRING:
            self.errors = {box: text for box, text in self.errors.items() if not schedule.is_of_schedule(box)}

    def _beside(
        self, changes: Mapping[str, Any], settings: CampaignSettings, now: datetime
    ) -> dict[str, Any]:
        return hours.with_the_zone(changes, settings, now)

    def _lacking(self, detail: CampaignDetail) -> dict[str, str]:
        return hours.lacking(detail.settings)

    async def _show(self, visit: Visit, detail: CampaignDetail) -> None:
        settings, now = detail.settings, visit.now
        self.channel = settings.channel
        self.start_kind = hours.start_kind(settings)
        self.frequency = schedule.frequency(settings)
        self.next_title = schedule.next_title(settings)
        self.next_times = schedule.next_words(settings, now)
        self.segments = await _segments(visit)
        self.hours_choice, self.windows = hours.hours_choice(settings), hours.windows_shown(settings)
        self.clock_choice = hours.clock_choice(settings)
        self.said = safeguards.summaries(settings) | {retries.SECTION: retries.summary(settings)}
        self.limit = await _limit(visit, settings)
        self.zone_now = hours.zone_now(settings, now)
        self.starts = hours.starts_words(settings, now)
        self.hours_warning = hours.hours_warning(settings)


async def _segments(visit: Visit) -> list[Option]:
    async with visit.reading() as session:
        named = await segment_names(session, principal=visit.principal, most=MOST_SEGMENTS)
    return [Option(str(each), f"Those who match “{name}” then") for each, name in named]


async def _limit(visit: Visit, settings: CampaignSettings) -> str:
    """Return the effective limit, the least of three, in words."""
    async with visit.reading() as session:
        organization = await organization_settings(session, principal=visit.principal)
        agent = (
            await get_agent(session, principal=visit.principal, agent_ref=settings.agent_id)
            if settings.agent_id is not None
            else None
        )
    others = {"your organization": organization.outbound_limit}
    if agent is not None and agent.max_concurrent_calls:
        others[agent.name] = agent.max_concurrent_calls
    return pace.least_limit(settings, others)
