"""When people may be reached, and when the campaign starts."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import reflex as rx

from app.domain.calling_hours import EVERY_DAY, is_zone
from app.domain.campaign import ScheduleType
from app.services.campaigns.settings import WORKING_HOURS, CampaignSettings
from app.services.errors import FieldErrors
from app.web.components import Choice, choice_cards, form_field, form_row, glyph
from app.web.options import time_zone_input
from app.web.pages.campaign.fields.boxes import ON, Fact, Spelling, Texts, ticked
from app.web.pages.campaign.fields.drawing import Box, Editor, fields, narrow, pill, pills
from app.web.time_format import for_input, in_zone, offset

ANY, WINDOW = "any", "window"
IMMEDIATE, SCHEDULED = ScheduleType.IMMEDIATE.value, ScheduleType.SCHEDULED.value
DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
START_KIND: Final = "schedule_type"

_LEGAL: Final = ("08:00", "21:00")
_WORKING_WEEK: Final = (1, 2, 3, 4, 5)
_FROM, _UNTIL, _ON_DAYS = "allowed_start", "allowed_end", "allowed_days"
_HOURS: Final = (
    Box(_FROM, "From", kind="time"),
    Box(_UNTIL, "Until", kind="time"),
)
_ZONE: Final = "time_zone"
AT: Final = "scheduled_at"

LABELS: Final[Mapping[str, str]] = {
    _FROM: "Calling hours: from",
    _UNTIL: "Calling hours: until",
    _ON_DAYS: "Calling hours: days",
    _ZONE: "Time zone",
    START_KIND: "Start",
    AT: "Date and time",
}

_HOURS_CHOICES: Final = [
    Choice(WINDOW, "Within certain hours", "On the days and between the times you set.", "clock"),
    Choice(ANY, "Any time", "Day and night, weekends too: for tests and your own staff.", "infinity"),
]
_START_CHOICES: Final = [
    Choice(IMMEDIATE, "When I press Start", "It begins at once, within the hours above.", "play"),
    Choice(
        SCHEDULED,
        "At a date and time",
        "It begins by itself; until then it can be paused.",
        "calendar-clock",
    ),
]


def draw_hours(editor: Editor, on_choose: Any) -> rx.Component:
    """Return the choice of hours, and their boxes while there are hours."""
    state = editor.state
    return fields(
        choice_cards(
            name="hours_choice",
            legend="Calling hours",
            choices=_HOURS_CHOICES,
            value=state.hours_choice,
            on_change=on_choose,
        ),
        rx.cond(state.hours_choice == WINDOW, _window(editor)),
        rx.cond(
            state.hours_warning != "",
            rx.el.p(
                glyph("triangle-alert", size=15),
                state.hours_warning,
                class_name="cs-wizard-note",
                data_tone="amber",
            ),
        ),
        _zone_box(editor),
    )


def draw_start(editor: Editor, on_choose: Any) -> rx.Component:
    """Return the choice of the start, and its box while there is a date."""
    state = editor.state
    at = Box(AT, LABELS[AT], state.starts, kind="datetime-local")
    return fields(
        choice_cards(
            name=START_KIND,
            legend="When it starts",
            choices=_START_CHOICES,
            value=state.start_kind,
            on_change=on_choose,
        ),
        rx.cond(state.start_kind == SCHEDULED, narrow(at.draw(editor))),
    )


def _window(editor: Editor) -> rx.Component:
    days = (pill(f"{_ON_DAYS}.{day}", name) for day, name in enumerate(DAYS, start=1))
    note = "An end before the start is on the next day."
    return fields(
        form_row(*(box.draw(editor) for box in _HOURS)),
        pills(editor, _ON_DAYS, "On these days", note, *days),
    )


def _zone_box(editor: Editor) -> rx.Component:
    error = editor.error(_ZONE)
    return narrow(
        form_field(
            time_zone_input(default_value="", error=error),
            name=_ZONE,
            label=LABELS[_ZONE],
            help_text="Of these hours and of the start; also of contacts whose own zone is not known. "
            + editor.state.zone_now,
            error=error,
        )
    )


def hours_choice(settings: CampaignSettings) -> str:
    """Return whether people are reached within hours or at any time."""
    return ANY if settings.allowed_start is None and not settings.allowed_days else WINDOW


def is_scheduled(settings: CampaignSettings) -> bool:
    """Return whether it is to start at a date and time."""
    return settings.schedule_type is ScheduleType.SCHEDULED


def hours_asked(choice: str) -> dict[str, str]:
    """Return what the boxes say once hours, or any time, are chosen."""
    is_window = choice == WINDOW
    days = WORKING_HOURS[_ON_DAYS] if is_window else tuple(EVERY_DAY)
    return {
        **{name: str(WORKING_HOURS[name]) if is_window else "" for name in (_FROM, _UNTIL)},
        **{f"{_ON_DAYS}.{day}": ON if day in days else "" for day in EVERY_DAY},
    }


def lacking(settings: CampaignSettings) -> dict[str, str]:
    """Return what still has to be chosen before the next step: setting -> what to do."""
    if is_scheduled(settings) and settings.scheduled_at is None:
        return {AT: "Choose the date and time of the start."}
    return {}


def with_the_zone(changes: Mapping[str, Any], settings: CampaignSettings, now: datetime) -> dict[str, Any]:
    """Return the changes with the start: when the zone changes, a start to come stays at what its clock shows."""
    at = settings.scheduled_at
    if _ZONE in changes and at is not None and at > now:
        return {AT: _at_text(settings)[AT], **changes}
    return dict(changes)


def _day_texts(settings: CampaignSettings) -> Texts:
    return {f"{_ON_DAYS}.{day}": ON for day in settings.allowed_days or sorted(EVERY_DAY)}


def _day_changes(texts: Texts) -> dict[str, Any]:
    days = ticked(_ON_DAYS, texts)
    if not days:
        raise FieldErrors({_ON_DAYS: "Tick at least one day of the week."})
    return {_ON_DAYS: [] if set(days) == {str(day) for day in EVERY_DAY} else days}


def _at_text(settings: CampaignSettings) -> Texts:
    zone = settings.time_zone if is_zone(settings.time_zone) else "UTC"
    return {AT: for_input(settings.scheduled_at, zone)}


SPELLINGS: Final[Mapping[str, Spelling]] = {
    _ON_DAYS: Spelling(_day_texts, _day_changes),
    AT: Spelling(_at_text, lambda texts: {AT: texts.get(AT) or None}),
}


def facts(settings: CampaignSettings) -> list[Fact]:
    """Return hours and start in words."""
    start = "When somebody presses Start"
    if is_scheduled(settings):
        start = "Scheduled, no time chosen"
        if settings.scheduled_at is not None and is_zone(settings.time_zone):
            start = in_zone(settings.scheduled_at, settings.time_zone)
    return [
        Fact("Calling hours", _hours_words(settings)),
        Fact(LABELS[_ZONE], settings.time_zone),
        Fact(LABELS[START_KIND], start),
    ]


def zone_now(settings: CampaignSettings, now: datetime) -> str:
    """Return what the clocks show in the campaign's zone; empty if there is no such zone."""
    if not is_zone(settings.time_zone):
        return ""
    there = now.astimezone(ZoneInfo(settings.time_zone))
    return f"It is {there:%H:%M} there now ({offset(there)})."


def starts_words(settings: CampaignSettings, now: datetime) -> str:
    """Return when the campaign starts, with the offset of its zone."""
    if settings.scheduled_at is None or not is_zone(settings.time_zone):
        return f"In {settings.time_zone}."
    verb = "Starts" if settings.scheduled_at > now else "Would have started"
    return f"{verb} {in_zone(settings.scheduled_at, settings.time_zone)}, {settings.time_zone}."


def hours_warning(settings: CampaignSettings) -> str:
    """Return a word of care about hours that most places do not allow."""
    start, end = settings.allowed_start, settings.allowed_end
    if start is None or end is None:
        return "Many places forbid automated calls outside 8:00 to 21:00 local time. Better set hours."
    if start < _LEGAL[0] or end > _LEGAL[1] or end <= start:
        return "Part of these hours lies outside 8:00 to 21:00, when many places forbid automated calls."
    return ""


def _hours_words(settings: CampaignSettings) -> str:
    days = ", ".join(DAYS[day - 1] for day in settings.allowed_days) or "every day"
    if settings.allowed_days == _WORKING_WEEK:
        days = "Mon to Fri"
    if settings.allowed_start == settings.allowed_end:
        return f"Any time, {days}" if settings.allowed_days else "Any time"
    return f"{settings.allowed_start} to {settings.allowed_end}, {days}"
