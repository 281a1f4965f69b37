"""When people may be reached, and when the campaign starts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

import reflex as rx

from app.domain.calling_hours import EVERY_DAY, WEEKDAYS, HoursClock, Window, is_zone
from app.domain.campaign import ScheduleType
from app.services.campaigns.schedules import recurs
from app.services.campaigns.settings import WORKING_HOURS, CampaignSettings, calling_hours_of
from app.services.campaigns.start_hours import far_start_warning
from app.services.errors import FieldErrors
from app.web.components import (
    Choice,
    choice_cards,
    field_error,
    form_field,
    form_row,
    glyph,
    secondary_button,
)
from app.web.options import time_zone_input
from app.web.pages.campaign.fields import schedule
from app.web.pages.campaign.fields.boxes import ON, Fact, Spelling, Texts, parts
from app.web.pages.campaign.fields.drawing import Box, Editor, fields, narrow, pill, pills
from app.web.time_format import for_input, in_zone, offset

ANY, WINDOW = "any", "window"
IMMEDIATE, SCHEDULED = ScheduleType.IMMEDIATE.value, ScheduleType.SCHEDULED.value
DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
START_KIND: Final = "schedule_type"

_LEGAL: Final = (time(8), time(21))
_FROM, _UNTIL, _ON_DAYS = "allowed_start", "allowed_end", "allowed_days"
_WINDOWS: Final = "calling_windows"
"""All windows if there are several. The first one's boxes are called as the setting of a single one."""
CLOCK: Final = "calling_clock"
MOST_SHOWN: Final = 8
"""Windows that have boxes; one that the API set beyond them stays as it is."""
_ZONE: Final = "time_zone"
AT: Final = "scheduled_at"

LABELS: Final[Mapping[str, str]] = {
    _FROM: "Calling hours: from",
    _UNTIL: "Calling hours: until",
    _ON_DAYS: "Calling hours: days",
    _WINDOWS: "Calling hours",
    CLOCK: "Whose clock",
    _ZONE: "Time zone",
    START_KIND: "Start",
    AT: "Date and time",
}

_HOURS_CHOICES: Final = [
    Choice(WINDOW, "Within certain hours", "On the days and between the times you set.", "clock"),
    Choice(ANY, "Any time", "Whenever the law where they are allows it.", "infinity"),
]
_CLOCK_CHOICES: Final = [
    Choice(
        HoursClock.CONTACT.value,
        "Where they are",
        "9:00 is 9:00 on each contact's own clock.",
        "map-pin",
    ),
    Choice(
        HoursClock.CAMPAIGN.value,
        "In the campaign's zone",
        "9:00 is 9:00 in the time zone below, for everybody.",
        "globe",
    ),
]
_HINT: Final = (
    "Most people are reached Tuesday to Thursday, 10\u201312 and 14\u201316; "
    "avoid Monday morning and Friday afternoon."
)
_START_CHOICES: Final = [
    Choice(IMMEDIATE, "When I press Start", "It begins at once, within the hours above.", "play"),
    Choice(
        SCHEDULED,
        "At a date and time",
        "It begins by itself; until then it can be paused.",
        "calendar-clock",
    ),
    Choice(
        schedule.RECURRING,
        "On a schedule",
        "Again and again: every day, on certain days of the week, or every month.",
        "repeat",
    ),
]


@dataclass(frozen=True, slots=True)
class HoursEvents:
    """What happens on a click beside the boxes of the hours."""

    choose_hours: Any
    choose_clock: Any
    add_window: Any
    remove_window: Any


def draw_hours(editor: Editor, on: HoursEvents) -> rx.Component:
    """Return the choice of hours, and their boxes while there are hours."""
    state = editor.state
    return fields(
        choice_cards(
            name="hours_choice",
            legend="Calling hours",
            choices=_HOURS_CHOICES,
            value=state.hours_choice,
            on_change=on.choose_hours,
        ),
        rx.cond(state.hours_choice == WINDOW, _windows(editor, on)),
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
        rx.cond(state.start_kind == schedule.RECURRING, schedule.draw(editor)),
    )


def _windows(editor: Editor, on: HoursEvents) -> rx.Component:
    """Return a row for each window, and whose clock they are on."""
    state = editor.state
    rows = [
        _window(editor, place, on)
        if place == 0
        else rx.cond(state.windows > place, _window(editor, place, on))
        for place in range(MOST_SHOWN)
    ]
    more = rx.cond(
        state.windows < MOST_SHOWN,
        secondary_button("Add hours", on_click=on.add_window, icon="plus"),
    )
    return fields(
        *rows,
        rx.el.div(more),
        rx.el.p(glyph("lightbulb", size=15), _HINT, class_name="cs-wizard-note"),
        choice_cards(
            name=CLOCK,
            legend=LABELS[CLOCK],
            choices=_CLOCK_CHOICES,
            value=state.clock_choice,
            on_change=on.choose_clock,
        ),
        field_error(CLOCK, editor.error(CLOCK)),
    )


def _window(editor: Editor, place: int, on: HoursEvents) -> rx.Component:
    """Return the boxes of one window."""
    start, end, days = _boxes_of(place)
    in_list = f"{_WINDOWS}.{place}"
    ticks = (pill(f"{days}.{day}", name) for day, name in enumerate(DAYS, start=1))
    note = "An end before the start is on the next day."
    remove = secondary_button("Remove these hours", on_click=on.remove_window(place), icon="x")
    return fields(
        form_row(
            Box(start, "From", kind="time", paths=(start, f"{in_list}.start")).draw(editor),
            Box(end, "Until", kind="time", paths=(end, f"{in_list}.end")).draw(editor),
        ),
        pills(editor, days, "On these days", note, *ticks, paths=(days, f"{in_list}.days")),
        rx.cond(editor.state.windows > 1, rx.el.div(remove)),
    )


def _zone_box(editor: Editor) -> rx.Component:
    error = editor.error(_ZONE)
    return narrow(
        form_field(
            time_zone_input(default_value="", error=error),
            name=_ZONE,
            label=LABELS[_ZONE],
            help_text="Of the start, and of the hours if they are in the campaign's zone; also of contacts whose own "
            "zone is not known. " + editor.state.zone_now,
            error=error,
        )
    )


def hours_choice(settings: CampaignSettings) -> str:
    """Return whether people are reached within hours or at any time."""
    return WINDOW if calling_hours_of(settings).windows else ANY


def clock_choice(settings: CampaignSettings) -> str:
    """Return whose clock the hours are on."""
    return settings.calling_clock.value


def windows_shown(settings: CampaignSettings) -> int:
    """Return how many windows have a row of boxes; the first always has."""
    return max(1, len(settings.calling_windows))


def is_scheduled(settings: CampaignSettings) -> bool:
    """Return whether it is to start at a date and time."""
    return settings.schedule_type is ScheduleType.SCHEDULED


def start_kind(settings: CampaignSettings) -> str:
    """Return when it starts, as the choice says it."""
    return settings.schedule_type.value


def hours_asked(choice: str, shown: Texts) -> dict[str, str]:
    """Return what the boxes say once hours, or any time, are chosen; `shown`: what they say now."""
    is_window = choice == WINDOW
    days = WORKING_HOURS[_ON_DAYS] if is_window else tuple(EVERY_DAY)
    return {
        **{f"{_WINDOWS}.{box}": "" for box in parts(_WINDOWS, shown)},
        **{name: str(WORKING_HOURS[name]) if is_window else "" for name in (_FROM, _UNTIL)},
        **{f"{_ON_DAYS}.{day}": ON if day in days else "" for day in EVERY_DAY},
        **({CLOCK: str(WORKING_HOURS[CLOCK])} if is_window else {}),
    }


def window_added(shown: Texts) -> dict[str, str]:
    """Return what the boxes of one more window say."""
    return _row_texts(len(_rows(shown)), Window(time(14), time(16), frozenset({2, 3, 4})))


def window_removed(shown: Texts, place: int) -> dict[str, str]:
    """Return what the boxes say without the window at this place: those after it move up."""
    rows = _rows(shown)
    if not 0 <= place < len(rows) or len(rows) == 1:
        return {}
    kept = [*rows[:place], *rows[place + 1 :], dict.fromkeys(_PARTS, "")]
    return {f"{_box(number, part)}": text for number, row in enumerate(kept) for part, text in row.items()}


def lacking(settings: CampaignSettings) -> dict[str, str]:
    """Return what still has to be chosen before the next step: setting -> what to do."""
    if is_scheduled(settings) and settings.scheduled_at is None:
        return {AT: "Choose the date and time of the start."}
    return schedule.lacking(settings)


def with_the_zone(changes: Mapping[str, Any], settings: CampaignSettings, now: datetime) -> dict[str, Any]:
    """Return the changes with the start: when the zone changes, a start to come stays at what its clock shows."""
    at = settings.scheduled_at
    if _ZONE in changes and at is not None and at > now and not recurs(settings):
        return {AT: _at_text(settings)[AT], **changes}
    return dict(changes)


_PARTS: Final = ("start", "end", *(str(day) for day in sorted(EVERY_DAY)))
"""The boxes of one window: its times, and its days by their numbers."""


def _boxes_of(place: int) -> tuple[str, str, str]:
    """Return what the boxes of a window are called: from, until, and before a day's number."""
    row = f"{_WINDOWS}.{place}"
    return (_FROM, _UNTIL, _ON_DAYS) if place == 0 else (f"{row}.start", f"{row}.end", row)


def _box(place: int, part: str) -> str:
    start, end, days = _boxes_of(place)
    return {"start": start, "end": end}.get(part) or f"{days}.{part}"


def _row_texts(place: int, window: Window) -> dict[str, str]:
    times = {"start": f"{window.start:%H:%M}", "end": f"{window.end:%H:%M}"}
    days = {str(day): ON for day in window.days}
    return {_box(place, part): text for part, text in (times | days).items()}


def _rows(texts: Texts) -> list[dict[str, str]]:
    """Return what the boxes of each window say. A row without a word, but the first, is none."""
    places = {int(part.partition(".")[0]) for part in parts(_WINDOWS, texts)}
    rows = [{part: texts.get(_box(place, part), "") for part in _PARTS} for place in sorted({0, *places})]
    return [row for number, row in enumerate(rows) if number == 0 or any(row.values())]


def _window_texts(settings: CampaignSettings) -> Texts:
    windows = enumerate(settings.calling_windows)
    return {box: text for place, each in windows if place for box, text in _row_texts(place, each).items()}


def _day_texts(settings: CampaignSettings) -> Texts:
    return {f"{_ON_DAYS}.{day}": ON for day in settings.allowed_days or sorted(EVERY_DAY)}


def _hour_changes(texts: Texts) -> dict[str, Any]:
    """Return what the boxes of all windows ask for: they stand in one setting if there are several."""
    rows = _rows(texts)
    first = {
        _FROM: rows[0]["start"],
        _UNTIL: rows[0]["end"],
        _ON_DAYS: [] if set(_days_of(rows[0])) == EVERY_DAY else _days_of(rows[0]),
    }
    for place, row in enumerate(rows):
        if not _days_of(row):
            raise FieldErrors({_boxes_of(place)[2]: "Tick at least one day of the week."})
    if len(rows) == 1:
        return {**first, _WINDOWS: []}
    windows = [{"start": row["start"], "end": row["end"], "days": _days_of(row)} for row in rows]
    return {**first, _WINDOWS: windows}


def _days_of(row: Mapping[str, str]) -> list[int]:
    return [day for day in sorted(EVERY_DAY) if row[str(day)] == ON]


def _one_text(name: str) -> Spelling:
    return Spelling(lambda settings: {name: getattr(settings, name) or ""}, _hour_changes)


def _at_text(settings: CampaignSettings) -> Texts:
    zone = settings.time_zone if is_zone(settings.time_zone) else "UTC"
    return {AT: for_input(settings.scheduled_at, zone)}


SPELLINGS: Final[Mapping[str, Spelling]] = {
    _FROM: _one_text(_FROM),
    _UNTIL: _one_text(_UNTIL),
    _ON_DAYS: Spelling(_day_texts, _hour_changes),
    _WINDOWS: Spelling(_window_texts, _hour_changes),
    AT: Spelling(_at_text, lambda texts: {AT: texts.get(AT) or None}),
}


def facts(settings: CampaignSettings) -> list[Fact]:
    """Return hours and start in words."""
    start = "When somebody presses Start"
    if is_scheduled(settings):
        start = "Scheduled, no time chosen"
        if settings.scheduled_at is not None and is_zone(settings.time_zone):
            start = in_zone(settings.scheduled_at, settings.time_zone)
    elif recurs(settings):
        start = schedule.said(settings)
    return [
        Fact("Calling hours", _hours_words(settings)),
        Fact(LABELS[_ZONE], settings.time_zone),
        Fact(LABELS[START_KIND], start),
        *(schedule.facts(settings) if recurs(settings) else ()),
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
    far = far_start_warning(settings.scheduled_at, now)
    when = f"{verb} {in_zone(settings.scheduled_at, settings.time_zone)}, {settings.time_zone}."
    return f"{when} {far}" if far else when


def hours_warning(settings: CampaignSettings) -> str:
    """Return a word of care about hours that most places do not allow."""
    windows = calling_hours_of(settings).windows
    if not windows:
        return "Many places forbid automated calls outside 8:00 to 21:00 local time. Better set hours."
    if any(each.start < _LEGAL[0] or each.end > _LEGAL[1] or each.end <= each.start for each in windows):
        return "Part of these hours lies outside 8:00 to 21:00, when many places forbid automated calls."
    return ""


def _hours_words(settings: CampaignSettings) -> str:
    windows = calling_hours_of(settings).windows
    words = "; ".join(map(_window_words, windows)) or "Any time"
    return f"{words}, where they are" if windows and settings.calling_clock is HoursClock.CONTACT else words


def _window_words(window: Window) -> str:
    days = ", ".join(DAYS[day - 1] for day in sorted(window.days))
    if window.days == EVERY_DAY:
        days = "every day"
    if window.days == WEEKDAYS:
        days = "Mon to Fri"
    if window.start == window.end:
        return f"Any time, {days}"
    return f"{window.start:%H:%M} to {window.end:%H:%M}, {days}"
