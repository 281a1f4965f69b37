"""When a recurring campaign runs: the boxes of its schedule, and how it reads in words."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

import reflex as rx

from app.domain.campaign import ScheduleType
from app.domain.recurrence import Frequency, MissedRun, RecurringPlan, RunPeople
from app.services.campaigns.schedules import PLAN, next_times, recurs
from app.services.campaigns.settings import CampaignSettings
from app.services.errors import FieldErrors
from app.web.components import form_row
from app.web.pages.campaign.fields.boxes import ON, Fact, Spelling, Texts, parts, ticked
from app.web.pages.campaign.fields.drawing import Box, Editor, choice, fields, options_of, pill, pills
from app.web.time_format import in_zone

RECURRING: Final = ScheduleType.RECURRING.value
WEEKLY: Final = Frequency.WEEKLY.value

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WORKING_DAYS: Final = (1, 2, 3, 4, 5)
_FREQUENCY, _ON_DAYS = f"{PLAN}.frequency", f"{PLAN}.days_of_week"
_ZONE, _SEGMENT, _MISSED = f"{PLAN}.time_zone", f"{PLAN}.segment_id", f"{PLAN}.missed"
_EVERY: Final = Box(f"{PLAN}.interval", "Every", "1 is each one; 2 is every second, counted from the first.")
_AT: Final = Box(f"{PLAN}.time", "At", "On the clock of this time zone.", kind="time")
_IN: Final = Box(_ZONE, "Time zone of the schedule", "Such as America/New_York.", kind="text")
_FIRST: Final = Box(
    f"{PLAN}.start_date",
    "First date",
    "Empty: as soon as the campaign is started. Monthly runs keep the day of the first, "
    "or take the last day of a shorter month.",
    kind="date",
)
_LAST: Final = Box(f"{PLAN}.end_date", "Last date", "That day included. Empty: no last date.", kind="date")
_COUNT: Final = Box(f"{PLAN}.count", "Or after so many times", "Empty: without such a limit.")
_BOXES: Final = (_EVERY, _AT, _IN, _FIRST, _LAST, _COUNT)

_FREQUENCIES: Final = [
    (Frequency.DAILY.value, "Every day"),
    (Frequency.WEEKLY.value, "Every week"),
    (Frequency.MONTHLY.value, "Every month"),
]
_UNITS: Final[Mapping[Frequency, tuple[str, str]]] = {
    Frequency.DAILY: ("day", "days"),
    Frequency.WEEKLY: ("week", "weeks"),
    Frequency.MONTHLY: ("month", "months"),
}
_MISSED_CHOICES: Final = [
    (MissedRun.CATCH_UP.value, "Run once, as soon as possible"),
    (MissedRun.SKIP.value, "Skip it"),
]
_SAME_PEOPLE: Final = "The same people each time"

LABELS: Final[Mapping[str, str]] = {
    _FREQUENCY: "How often",
    _ON_DAYS: "Days of the schedule",
    _SEGMENT: "Who is contacted",
    _MISSED: "If a time is missed",
    PLAN: "Schedule",
    **{box.name: box.label for box in _BOXES},
}


def draw(editor: Editor) -> rx.Component:
    """Return the boxes of the schedule, and its next times."""
    state = editor.state
    often = choice(
        editor, _FREQUENCY, LABELS[_FREQUENCY], _FREQUENCIES, "Each time is a run with its own results."
    )
    days = (pill(f"{_ON_DAYS}.{day}", name) for day, name in enumerate(_DAYS, start=1))
    missed = "While the run before still goes on, or while no server runs."
    return fields(
        form_row(often, _EVERY.draw(editor)),
        rx.cond(state.frequency == WEEKLY, pills(editor, _ON_DAYS, "On these days", "", *days)),
        form_row(_AT.draw(editor), _IN.draw(editor)),
        form_row(_FIRST.draw(editor), _LAST.draw(editor), _COUNT.draw(editor)),
        form_row(
            choice(
                editor,
                _SEGMENT,
                LABELS[_SEGMENT],
                options_of(state.segments, _SAME_PEOPLE),
                "Or all who match a segment of the address book at that time.",
            ),
            choice(editor, _MISSED, LABELS[_MISSED], _MISSED_CHOICES, missed),
        ),
        rx.cond(state.next_times.length() > 0, _next_times(state)),
    )


def _next_times(state: Any) -> rx.Component:
    return rx.el.div(
        rx.el.p(state.next_title, id="next-times", class_name="cs-strong"),
        rx.el.ul(rx.foreach(state.next_times, rx.el.li), aria_labelledby="next-times"),
        class_name="cs-next-times cs-number",
    )


def usual_texts(zone: str) -> dict[str, str]:
    """Return what the boxes say once a schedule is chosen: every working day at nine, in the campaign's zone."""
    return {
        _FREQUENCY: WEEKLY,
        _EVERY.name: "1",
        **{f"{_ON_DAYS}.{day}": ON for day in _WORKING_DAYS},
        _AT.name: "09:00",
        _ZONE: zone,
        _MISSED: MissedRun.CATCH_UP.value,
    }


def has_schedule(texts: Texts) -> bool:
    """Tell whether the boxes hold a schedule."""
    return bool(texts.get(_FREQUENCY))


def is_of_schedule(box: str) -> bool:
    """Tell whether a box, or the path of an error, is of the schedule."""
    return box.partition(".")[0] == PLAN


def frequency(settings: CampaignSettings) -> str:
    """Return how often the campaign runs; empty without a schedule."""
    plan = _plan(settings)
    return plan.schedule.frequency.value if plan is not None else ""


def lacking(settings: CampaignSettings) -> dict[str, str]:
    """Return what still has to be chosen before the next step: setting -> what to do."""
    if recurs(settings) and _plan(settings) is None:
        return {PLAN: "Choose how often it runs, and at what time."}
    return {}


def next_title(settings: CampaignSettings) -> str:
    """Return the words above the next times."""
    plan = _plan(settings)
    return f"The next times, {plan.schedule.time_zone}" if plan is not None else ""


def next_words(settings: CampaignSettings, now: datetime) -> list[str]:
    """Return the next times, with the offset of the schedule's zone."""
    plan = _plan(settings)
    if plan is None:
        return []
    return [in_zone(at, plan.schedule.time_zone) for at in next_times(plan.schedule, now)]


def said(settings: CampaignSettings) -> str:
    """Return the schedule as one line."""
    plan = _plan(settings)
    if plan is None:
        return "On a schedule, not chosen yet"
    schedule = plan.schedule
    one, many = _UNITS[schedule.frequency]
    every = f"Every {one}" if schedule.interval == 1 else f"Every {schedule.interval} {many}"
    days = f" on {_days_words(schedule.days_of_week)}" if schedule.days_of_week else ""
    return f"{every}{days} at {schedule.time:%H:%M}, {schedule.time_zone}{_end_words(plan)}"


def facts(settings: CampaignSettings) -> list[Fact]:
    """Return what else a schedule says, in words."""
    plan = _plan(settings)
    if plan is None:
        return []
    people = "Those of a segment, as it is then" if plan.people is RunPeople.SEGMENT else _SAME_PEOPLE
    return [
        Fact(LABELS[_SEGMENT], people),
        Fact(LABELS[_MISSED], dict(_MISSED_CHOICES)[plan.missed.value]),
    ]


def _plan(settings: CampaignSettings) -> RecurringPlan | None:
    plan: RecurringPlan | None = getattr(settings, PLAN)
    return plan


def _days_words(days: tuple[int, ...]) -> str:
    return "Mon to Fri" if days == _WORKING_DAYS else ", ".join(_DAYS[day - 1] for day in days)


def _end_words(plan: RecurringPlan) -> str:
    last: date | None = plan.schedule.end_date
    if last is not None:
        return f", until {last.day} {last:%b %Y}"
    return f", {plan.schedule.count} times" if plan.schedule.count else ""


def _texts(settings: CampaignSettings) -> Texts:
    plan = _plan(settings)
    if plan is None:
        return {}
    written = {
        name: value for name, value in plan.to_json().items() if name not in {"days_of_week", "people"}
    }
    return {
        **{f"{PLAN}.{name}": "" if value is None else str(value) for name, value in written.items()},
        **{f"{_ON_DAYS}.{day}": ON for day in plan.schedule.days_of_week},
    }


def _changes(texts: Texts) -> dict[str, Any]:
    """Return the schedule of the boxes. Days belong to a weekly one: it begins with the working days."""
    given = {name: text for name, text in parts(PLAN, texts).items() if "." not in name and text.strip()}
    if not given:
        return {PLAN: None}
    asked: dict[str, Any] = {**given}
    if "segment_id" in given:
        asked["people"] = RunPeople.SEGMENT.value
    if given.get("frequency") == WEEKLY:
        days = ticked(_ON_DAYS, texts)
        if not days and parts(_ON_DAYS, texts):
            raise FieldErrors({_ON_DAYS: "Tick at least one day of the week."})
        asked["days_of_week"] = days or list(_WORKING_DAYS)
    return {PLAN: asked}


SPELLINGS: Final[Mapping[str, Spelling]] = {PLAN: Spelling(_texts, _changes)}
