"""Pace, retries, hours and the start as the draft's row holds them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar, Final
from zoneinfo import ZoneInfo

import reflex as rx

from app.domain.attempt import Disposition
from app.domain.calling_hours import EVERY_DAY, is_zone
from app.domain.retry import DISPOSITIONS_OF, RetryOutcome
from app.domain.rights import Right
from app.services.access.organizations import organization_settings
from app.services.agents.queries import get_agent
from app.services.campaigns.settings import WORKING_HOURS, CampaignSettings
from app.services.campaigns.views import CampaignDetail
from app.web.forms import whole
from app.web.guard import guarded
from app.web.options import Option
from app.web.pages.campaign.advanced.presenter import OUTCOMES, finer_changes, finer_values, summaries
from app.web.pages.wizard.state import StepState, draft_id, save_draft
from app.web.pages.wizard.steps import WizardStep
from app.web.time_format import for_input, in_zone, offset
from app.web.visit import Visit

ANY, WINDOW = "any", "window"
DAY_PREFIX: Final = "day-"
RETRY_PREFIX: Final = "retry-"
DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_LEGAL: Final = ("08:00", "21:00")
_PLAIN: Final = (
    "concurrent_limit",
    "rate_limit_per_minute",
    "throttle_delay_ms",
    "messages_per_second",
    "max_attempts",
    "ring_timeout_seconds",
    "time_limit_seconds",
)


class PaceState(StepState, rx.State):
    """How fast, how often, when."""

    STEP: ClassVar[WizardStep] = WizardStep.PACE

    channel: rx.Field[str] = rx.field("call")
    values: rx.Field[dict[str, str]] = rx.field(default_factory=dict)
    """Setting -> what stands in its box at first."""
    voicemail_detection: rx.Field[bool] = rx.field(True)
    retries: rx.Field[list[Option]] = rx.field(default_factory=list)
    _retried_unasked: rx.Field[list[str]] = rx.field(default_factory=list)
    """Outcomes that are tried again and that the channel has no boxes for: they stay."""
    days: rx.Field[list[Option]] = rx.field(default_factory=list)
    hours_choice: rx.Field[str] = rx.field(WINDOW)
    schedule_type: rx.Field[str] = rx.field("immediate")
    said: rx.Field[dict[str, str]] = rx.field(default_factory=dict)
    """Section of the finer settings -> what is set in it."""
    limit: rx.Field[str] = rx.field("")
    """The effective limit, and what it is the least of."""
    zone_now: rx.Field[str] = rx.field("")
    starts: rx.Field[str] = rx.field("")
    hours_warning: rx.Field[str] = rx.field("")

    @guarded(Right.EDIT_CAMPAIGNS)
    async def choose_hours(self, visit: Visit, choice: str) -> None:
        """Reach people at any time, or within hours that then can be set."""
        hours: Mapping[str, Any] = {"allowed_start": None, "allowed_end": None, "allowed_days": []}
        chosen = WORKING_HOURS if choice == WINDOW else hours
        self.errors = await save_draft(visit, draft_id(self), chosen)
        await self._reopen(visit)

    @guarded(Right.EDIT_CAMPAIGNS)
    async def choose_start(self, visit: Visit, schedule_type: str) -> None:
        """Start when somebody says so, or at a date and time."""
        self.errors = await save_draft(visit, draft_id(self), {"schedule_type": schedule_type})
        await self._show(visit, await self._look(visit))

    async def _reopen(self, visit: Visit) -> None:
        """Show the draft with its boxes taken anew."""
        self.revision += 1
        detail = await self._look(visit)
        self._fill(detail.settings)
        await self._show(visit, detail)

    def _changes(self, form: Mapping[str, Any], missing: dict[str, str]) -> dict[str, Any]:
        changes: dict[str, Any] = {name: form[name] for name in _PLAIN if name in form}
        changes |= finer_changes(form, self.values)
        if "max_attempts" in form:
            changes["retry_on"] = [*_ticked(form, RETRY_PREFIX), *self._retried_unasked]
            if self.channel != "sms":
                changes["enable_voicemail_detection"] = _is_on(form.get("enable_voicemail_detection"))
        if form.get("time_zone"):
            changes["time_zone"] = form["time_zone"]
        return changes | self._hours(form, missing) | self._start(form, missing)

    def _hours(self, form: Mapping[str, Any], missing: dict[str, str]) -> dict[str, Any]:
        if self.hours_choice != WINDOW or "allowed_start" not in form:
            return {}
        days = [day for each in _ticked(form, DAY_PREFIX) if (day := whole(each)) is not None]
        hours = {name: form.get(name) or None for name in ("allowed_start", "allowed_end")}
        if not days:
            missing["allowed_days"] = "Tick at least one day of the week."
            return hours
        return hours | {"allowed_days": [] if set(days) == EVERY_DAY else days}

    def _start(self, form: Mapping[str, Any], missing: dict[str, str]) -> dict[str, Any]:
        if self.schedule_type != "scheduled" or "scheduled_at" not in form:
            return {}
        if not form["scheduled_at"]:
            missing["scheduled_at"] = "Choose the date and time of the start."
            return {}
        return {"scheduled_at": form["scheduled_at"]}

    async def _show(self, visit: Visit, detail: CampaignDetail) -> None:
        settings, now = detail.settings, visit.now
        if self.loading:
            self._fill(settings)
        self.channel, self.schedule_type = settings.channel, settings.schedule_type
        self.hours_choice = ANY if settings.allowed_start is None and not settings.allowed_days else WINDOW
        self.retries, self._retried_unasked = _retry_ticks(settings), _retried_unasked(settings)
        self.days = _day_ticks(settings)
        self.voicemail_detection = settings.enable_voicemail_detection
        self.said = summaries(settings)
        self.limit = await _limit(visit, settings)
        self.zone_now = _zone_now(settings.time_zone, now)
        self.starts = _starts(settings, now)
        self.hours_warning = _hours_warning(settings)

    def _fill(self, settings: CampaignSettings) -> None:
        plain = {name: str(getattr(settings, name)) for name in _PLAIN}
        self.values = (
            plain
            | finer_values(settings)
            | {
                "time_zone": settings.time_zone,
                "allowed_start": settings.allowed_start or "",
                "allowed_end": settings.allowed_end or "",
                "scheduled_at": for_input(settings.scheduled_at, _real_zone(settings.time_zone)),
            }
        )


def _retry_ticks(settings: CampaignSettings) -> list[Option]:
    """Return the outcomes that can come of the channel; a text message can only fail."""
    return [
        Option(f"{RETRY_PREFIX}{outcome}", OUTCOMES[outcome], _retried(outcome, settings.retry_on))
        for outcome in _outcomes(settings)
    ]


def _retried_unasked(settings: CampaignSettings) -> list[str]:
    others = set(RetryOutcome).difference(_outcomes(settings))
    return sorted(outcome.value for outcome in others if _retried(outcome, settings.retry_on))


def _outcomes(settings: CampaignSettings) -> list[RetryOutcome]:
    return [RetryOutcome.FAILED] if settings.channel == "sms" else list(RetryOutcome)


def _retried(outcome: RetryOutcome, retry_on: Iterable[Disposition]) -> bool:
    return not DISPOSITIONS_OF[outcome].isdisjoint(retry_on)


def _day_ticks(settings: CampaignSettings) -> list[Option]:
    chosen = settings.allowed_days or tuple(EVERY_DAY)
    return [Option(f"{DAY_PREFIX}{day}", name, day in chosen) for day, name in enumerate(DAYS, start=1)]


def _ticked(form: Mapping[str, Any], prefix: str) -> list[str]:
    return [
        name.removeprefix(prefix) for name, value in form.items() if name.startswith(prefix) and _is_on(value)
    ]


def _is_on(value: object) -> bool:
    return value in (True, "on", "true")


async def _limit(visit: Visit, settings: CampaignSettings) -> str:
    """Return the effective limit, the least of three (seed 003), in words."""
    async with visit.reading() as session:
        organization = await organization_settings(session, principal=visit.principal)
        agent = (
            await get_agent(session, principal=visit.principal, agent_ref=settings.agent_id)
            if settings.agent_id is not None
            else None
        )
    limits = {"this campaign": settings.concurrent_limit, "your organization": organization.outbound_limit}
    if agent is not None and agent.max_concurrent_calls:
        limits[agent.name] = agent.max_concurrent_calls
    least = min(limits.values())
    parts = ", ".join(f"{who} {limit:,}" for who, limit in limits.items())
    return f"At most {least:,} calls at once: the least of {parts}."


def _real_zone(zone: str) -> str:
    return zone if is_zone(zone) else "UTC"


def _zone_now(zone: str, now: datetime) -> str:
    if not is_zone(zone):
        return ""
    there = now.astimezone(ZoneInfo(zone))
    return f"It is {there:%H:%M} there now ({offset(there)})."


def _starts(settings: CampaignSettings, now: datetime) -> str:
    if settings.scheduled_at is None or not is_zone(settings.time_zone):
        return f"In {settings.time_zone}."
    verb = "Starts" if settings.scheduled_at > now else "Would have started"
    return f"{verb} {in_zone(settings.scheduled_at, settings.time_zone)}, {settings.time_zone}."


def _hours_warning(settings: CampaignSettings) -> str:
    """Return a word of care about hours that most places do not allow."""
    start, end = settings.allowed_start, settings.allowed_end
    if start is None or end is None:
        return "Many places forbid automated calls outside 8:00 to 21:00 local time. Better set hours."
    if start < _LEGAL[0] or end > _LEGAL[1] or end <= start:
        return "Part of these hours lies outside 8:00 to 21:00, when many places forbid automated calls."
    return ""


def retry_words(settings: CampaignSettings) -> str:
    """Return the outcomes that are tried again, as a list in words."""
    return ", ".join(tick.words for tick in _retry_ticks(settings) if tick.ticked) or "Nothing"
