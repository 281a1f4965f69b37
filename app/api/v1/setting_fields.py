"""A campaign's settings as fields of `/api/v1`, made from their declarations, for requests and answers."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, Field, create_model

from app.api.problems import API_NAMES
from app.api.v1.fields import Moment, RefField, Sent, at_most
from app.domain.breaker import BreakerPolicy
from app.domain.recurrence import Frequency, MissedRun, RecurringPlan, RunPeople
from app.services.campaigns.setting_declaration import Group, Setting, as_json
from app.services.campaigns.settings import DEFAULTS, SETTINGS, CampaignSettings
from app.services.refs import Ref

Model = TypeVar("Model", bound=BaseModel)
Fields = dict[str, Any]

ALLOWED_HOURS: Final = "allowed_hours"
EXECUTION: Final = "execution_settings"
ADVANCED: Final = "advanced_settings"
OBJECTS: Final = frozenset({EXECUTION, ADVANCED, ALLOWED_HOURS})
"""Fields that are objects of settings."""

_WITHIN: Final[Mapping[Group, str]] = {
    Group.PACE: EXECUTION,
    Group.HOURS: EXECUTION,
    Group.VOICEMAIL: ADVANCED,
}
"""Group -> the object in which its settings are answered, and may be sent, in addition."""

_ZONE: Final = "time_zone"
_NAMES: Final[Mapping[str, str]] = {**API_NAMES, _ZONE: "timezone"}


def _paths(name: str, group: Group) -> Iterator[str]:
    flat = _NAMES.get(name, name)
    yield flat
    if group in _WITHIN:
        yield f"{_WITHIN[group]}.{flat}"
    if name == _ZONE:
        yield from (f"{EXECUTION}.{spelling}" for spelling in (_ZONE, flat))


SETTING_AT: Final[Mapping[str, str]] = {
    path: name for name, declared in SETTINGS.items() for path in _paths(name, declared.group)
}
"""Path in a body -> setting. Any other path is the setting's own name."""

HOURS: Final = tuple(
    path.removeprefix(f"{ALLOWED_HOURS}.") for path in SETTING_AT if path.startswith(f"{ALLOWED_HOURS}.")
)
"""The fields of `allowed_hours`."""


class BreakerBody(Sent, extra="allow"):
    """Which signs pause the campaign. Rates are percent of the last attempts; 0 switches a sign off."""

    window: int | None = Field(
        None, description=f"How many of the last attempts are looked at. Default {DEFAULTS.breaker.window:g}."
    )
    minimum: int | None = Field(
        None, description=f"Rates count from this many attempts on. Default {DEFAULTS.breaker.minimum:g}."
    )
    failure_rate: float | None = Field(
        None, description=f"Attempts that failed. Default {DEFAULTS.breaker.failure_rate:g}."
    )
    refusal_rate: float | None = Field(
        None, description=f"Attempts that the carrier refused. Default {DEFAULTS.breaker.refusal_rate:g}."
    )
    refusals_in_a_row: int | None = Field(
        None, description=f"This many refusals in a row. Default {DEFAULTS.breaker.refusals_in_a_row:g}."
    )
    opt_out_rate: float | None = Field(
        None, description=f"People who opted out. Default {DEFAULTS.breaker.opt_out_rate:g}."
    )
    hang_up_rate: float | None = Field(
        None,
        description="People who hung up within 6 seconds, of those who answered. "
        f"Default {DEFAULTS.breaker.hang_up_rate:g}.",
    )


class Breaker(BaseModel):
    """The signs that pause the campaign: rates in percent of the last attempts; 0 is switched off."""

    window: int
    minimum: int
    failure_rate: float
    refusal_rate: float
    refusals_in_a_row: int
    opt_out_rate: float
    hang_up_rate: float


class RecurringBody(Sent, extra="allow"):
    """When a recurring campaign runs, for whom, and what becomes of a missed time."""

    frequency: str | None = Field(None, examples=list(Frequency), description=", ".join(Frequency))
    interval: int | None = Field(
        None, description="Every so many days, weeks or months, from the first occurrence. Default 1."
    )
    days_of_week: list[Any] | None = Field(
        None, examples=[[1, 2, 3, 4, 5]], description="For weekly: 1 is Monday, 7 is Sunday."
    )
    time: str | None = Field(
        None,
        examples=["09:00"],
        description="On the clock of `time_zone`. One that the clock jumps over runs at the first minute after it; "
        "one that it shows twice runs the first time.",
    )
    time_zone: str | None = Field(None, examples=["America/New_York"])
    start_date: str | None = Field(
        None,
        examples=["2030-01-31"],
        description="The first occurrence is on this date or the first after it that fits. Default: as soon as the "
        "campaign is started. Monthly runs keep the first one's day, or take the last of a shorter month.",
    )
    end_date: str | None = Field(
        None, examples=["2030-12-31"], description="The last date that may have an occurrence."
    )
    count: int | None = Field(None, description="How many occurrences there are, instead of an `end_date`.")
    people: str | None = Field(
        None,
        examples=list(RunPeople),
        description="same (default): those of the run before. segment: those who match `segment_id` at that time.",
    )
    segment_id: RefField | None = None
    missed: str | None = Field(
        None,
        examples=list(MissedRun),
        description="A time that passed while nothing could start: catch_up (default) runs it once, late; skip never.",
    )


class Recurring(BaseModel):
    """When a recurring campaign runs, for whom, and what becomes of a missed time."""

    frequency: str
    interval: int
    days_of_week: list[int]
    time: str
    time_zone: str
    start_date: str | None = Field(description="Set when the campaign is started, if it was not.")
    end_date: str | None
    count: int | None
    people: str
    segment_id: int | None
    missed: str


_SENT: Final[Mapping[Any, Any]] = {
    Ref: RefField,
    list[Ref]: list[RefField],
    datetime: str,
    BreakerPolicy: BreakerBody,
    RecurringPlan: RecurringBody,
}
"""Type of a reader -> its type in requests."""

_ANSWERED: Final[Mapping[Any, Any]] = {datetime: Moment, BreakerPolicy: Breaker, RecurringPlan: Recurring}


def with_fields(fields: Fields) -> Callable[[type[Model]], type[Model]]:
    """Return the decorator that adds fields to a model."""

    def extend(model: type[Model]) -> type[Model]:
        return create_model(
            model.__name__, __base__=model, __doc__=model.__doc__, __module__=model.__module__, **fields
        )

    return extend


def sent_fields(*groups: Group) -> Fields:
    """Return the optional fields of a request for the settings of these groups."""
    return {
        _NAMES.get(name, name): (_sent_type(declared) | None, _documented(declared, default=None))
        for name, declared in SETTINGS.items()
        if declared.group in groups
    }


def needed_fields(*names: str) -> Fields:
    """Return the required fields of a request for these settings."""
    return {
        _NAMES.get(name, name): (_sent_type(SETTINGS[name]), _documented(SETTINGS[name], default=...))
        for name in names
    }


def answered_fields(*groups: Group) -> Fields:
    """Return the fields of an answer for the settings of these groups."""
    answered: Fields = {}
    for name, declared in SETTINGS.items():
        if declared.group in groups:
            kind = declared.reader.answered or declared.reader.sent
            kind = _ANSWERED.get(kind, kind)
            may_be_null = declared.default is None or declared.blank_is_null
            answered[_NAMES.get(name, name)] = (kind | None if may_be_null else kind, ...)
    return answered


def answered_values(settings: CampaignSettings, *groups: Group) -> dict[str, Any]:
    """Return the values of `answered_fields`. A text that is not set is null, as in seed `001`."""
    values: dict[str, Any] = {}
    for name, declared in SETTINGS.items():
        if declared.group in groups:
            value = as_json(getattr(settings, name))
            values[_NAMES.get(name, name)] = (value or None) if declared.blank_is_null else value
    return values


def _sent_type(declared: Setting) -> Any:
    reader = declared.reader
    kind = _SENT.get(reader.sent, reader.sent)
    return kind if reader.longest is None else Annotated[kind, at_most(reader.longest)]


def _documented(declared: Setting, *, default: Any) -> Any:
    return Field(default, description=declared.documentation, examples=list(declared.examples) or None)
