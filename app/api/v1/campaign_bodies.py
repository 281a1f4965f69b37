"""What callers send as a campaign: the flat fields of seed `001` and the nested objects of `000`, as one."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from app.api.v1.fields import RefField, Sent, at_most
from app.domain.breaker import BreakerPolicy
from app.domain.pool import NumberStrategy
from app.services.campaigns.field_readers import Unacceptable
from app.services.campaigns.settings_parser import read_setting
from app.services.errors import FieldErrors

_BREAKER: Final = BreakerPolicy()

_NOT_YET: Final[Mapping[str, str]] = {
    "recurring_config": "Recurring campaigns are not available yet: choose immediate or scheduled.",
    "advanced_settings.leave_voicemail": "Leaving a message on voicemail is not available yet.",
    "advanced_settings.voicemail_message": "Leaving a message on voicemail is not available yet.",
}

_PACING: Final = (
    "max_attempts",
    "retry_delay_minutes",
    "retry_delays",
    "retry_delays_by_outcome",
    "retry_back_off",
    "retry_other_number",
    "retry_on",
    "number_strategy",
    "weight",
    "pilot_size",
    "ramp",
    "budget_cap",
    "breaker",
    "concurrent_limit",
    "rate_limit_per_minute",
    "throttle_delay_ms",
    "messages_per_second",
    "ring_timeout_seconds",
    "time_limit_seconds",
)
_HOURS: Final[Mapping[str, str]] = {"start": "allowed_start", "end": "allowed_end", "days": "allowed_days"}

SETTING_AT: Final[Mapping[str, str]] = {
    "campaign_type": "channel",
    "assistant_id": "agent_id",
    "timezone": "time_zone",
    "execution_settings.time_zone": "time_zone",
    "execution_settings.timezone": "time_zone",
    "advanced_settings.enable_voicemail_detection": "enable_voicemail_detection",
    **{f"execution_settings.{name}": name for name in _PACING},
    **{f"allowed_hours.{part}": name for part, name in _HOURS.items()},
    **{f"execution_settings.allowed_hours.{part}": name for part, name in _HOURS.items()},
}
"""Path in the body -> setting. A path that is not listed is the setting's own name."""

ANSWERED_ONLY: Final = frozenset(
    {
        "id", "public_id", "status", "status_reason", "variable_mappings", "available_variables",
        "total_contacts", "completed_contacts", "failed_contacts", "contact_counts", "assistant_name",
        "phone_number", "number_warnings", "actions", "locked_because", "carrier_simulated",
        "created_at", "updated_at", "started_at", "ended_at",
    }
)  # fmt: skip
"""Fields of an answer that nobody sets: whoever sends an answer back may leave them in."""


class AllowedHours(Sent):
    """When people may be reached, in the campaign's time zone."""

    model_config = ConfigDict(extra="allow")

    start: str | None = Field(None, examples=["09:00"])
    end: str | None = Field(None, examples=["17:00"], description="At or before `start`: on the next day.")
    days: list[Any] | None = Field(
        None, examples=[["monday", "tuesday"]], description="Names, or ISO numbers: 1 is Monday."
    )


class BreakerBody(Sent):
    """Which signs pause the campaign. Rates are percent of the last attempts; 0 switches a sign off."""

    model_config = ConfigDict(extra="allow")

    window: int | None = Field(
        None, description=f"How many of the last attempts are looked at. Default {_BREAKER.window:g}."
    )
    minimum: int | None = Field(
        None, description=f"Fewer attempts show nothing. Default {_BREAKER.minimum:g}."
    )
    failure_rate: float | None = Field(
        None, description=f"Attempts that failed. Default {_BREAKER.failure_rate:g}."
    )
    refusal_rate: float | None = Field(
        None, description=f"Attempts the carrier turned down. Default {_BREAKER.refusal_rate:g}."
    )
    refusals_in_a_row: int | None = Field(
        None, description=f"So many one after the other. Default {_BREAKER.refusals_in_a_row:g}."
    )
    opt_out_rate: float | None = Field(
        None, description=f"People who opted out. Default {_BREAKER.opt_out_rate:g}."
    )
    hang_up_rate: float | None = Field(
        None,
        description=f"People who hung up within 6 seconds, of those who answered. Default {_BREAKER.hang_up_rate:g}.",
    )


class PaceBody(Sent):
    """How fast, how often, and when to stop: sent flat or in `execution_settings`, it means the same."""

    model_config = ConfigDict(extra="allow")

    max_attempts: int | None = Field(None, description="In all, the first included. Default 3.")
    retry_delay_minutes: int | None = Field(
        None, description="Before every retry. Default 30. Sent without `retry_delays`, it replaces them."
    )
    retry_delays: list[int] | None = Field(
        None,
        examples=[[30, 60, 120]],
        description="Minutes before the 2nd, 3rd ... attempt, the last for all that follow. Empty: "
        "`retry_delay_minutes`, which is else the first of them.",
    )
    retry_delays_by_outcome: dict[str, list[int] | None] | None = Field(
        None,
        examples=[{"busy": [5, 15], "no_answer": [60]}],
        description="Lists of their own for no_answer, busy, failed or voicemail.",
    )
    retry_back_off: bool | None = Field(
        None, description="Each delay past the list's end is twice the one before. Default false."
    )
    retry_other_number: bool | None = Field(
        None, description="A retry shows another number of the pool, when there is one. Default false."
    )
    retry_on: list[str] | None = Field(None, examples=[["no_answer", "busy", "failed"]])
    number_strategy: str | None = Field(
        None,
        examples=list(NumberStrategy),
        description="Which number of the pool a call shows. Default round_robin.",
    )
    weight: int | None = Field(
        None,
        description="1 to 100: its share of the organization's slots beside campaigns that want them too. "
        "Default 1.",
    )
    pilot_size: int | None = Field(None, description="Dial so many, then wait for a person. Default 0: none.")
    ramp: bool | None = Field(
        None, description="Dial 2%, 10%, 50%, then all, each step only if the rates hold. Default false."
    )
    budget_cap: float | str | None = Field(
        None,
        examples=[99.5],
        description="Most it may cost, in the carrier account's currency, calls in flight counted. "
        "Default null: no cap.",
    )
    breaker: BreakerBody | None = Field(
        None, description="Sent as a whole: what is left out has its default, as has null."
    )
    concurrent_limit: int | None = Field(None, description="Calls at once. Default 5.")
    rate_limit_per_minute: int | None = Field(None, description="Calls per minute. Default 10.")
    throttle_delay_ms: int | None = Field(None, description="Pause between starts. Default 0.")
    messages_per_second: int | None = Field(None, description="Default 1.")
    ring_timeout_seconds: int | None = Field(
        None, description="Ring for so long before it counts as no answer. Default 30."
    )
    time_limit_seconds: int | None = Field(None, description="Longest call. Default 600.")


class ExecutionSettings(PaceBody):
    """Pace, retries and calling hours."""

    allowed_hours: AllowedHours | None = None
    time_zone: str | None = Field(None, examples=["America/New_York"])


class AdvancedSettings(Sent):
    """Detection of voicemail."""

    model_config = ConfigDict(extra="allow")

    enable_voicemail_detection: bool | None = None


class StartTime(Sent):
    """When a campaign starts."""

    schedule_type: str | None = Field(None, examples=["immediate", "scheduled"])
    scheduled_at: str | None = Field(
        None, examples=["2030-02-15T09:00:00-05:00"], description="ISO 8601 with an offset, in the future."
    )
    timezone: str | None = Field(None, examples=["America/New_York"])
    time_zone: str | None = Field(None, examples=["America/New_York"])
    recurring_config: dict[str, Any] | None = Field(None, description="Not available yet.")


class ScheduleBody(StartTime):
    """When a campaign starts, and nothing else of it."""

    model_config = ConfigDict(extra="forbid")


class CampaignBody(PaceBody, StartTime):
    """A campaign's settings. Those not sent stay as they are; null puts one back to its default."""

    name: Annotated[str, at_most(200)] | None = Field(None, description="1 to 200 characters.")
    description: Annotated[str, at_most(2000)] | None = None
    campaign_type: str | None = Field(None, examples=["call", "sms"])
    assistant_id: RefField | None = Field(None, description="The agent who speaks.")
    agent_id: RefField | None = Field(None, description="Another name of `assistant_id`.")
    phone_number_id: RefField | None = Field(
        None, description="The caller ID; without one the assistant's, else the organization's default."
    )
    number_pool: list[RefField] | None = Field(None, description="Caller IDs to rotate over.")
    welcome_message_template: str | None = Field(
        None, description="The greeting. Without one the assistant's greeting is said."
    )
    agenda_template: str | None = None
    question_template: str | None = None
    end_call_message_template: str | None = None
    sms_message_template: str | None = None
    fallback_values: dict[str, Any] | None = None
    missing: str | None = Field(
        None, examples=["fallback", "keep", "blank", "skip"], description="Missing values. Default fallback."
    )
    enable_voicemail_detection: bool | None = None
    allowed_hours: AllowedHours | None = None
    execution_settings: ExecutionSettings | None = None
    advanced_settings: AdvancedSettings | None = None


class NewCampaign(CampaignBody):
    """A new campaign: `name`, `campaign_type` and `assistant_id` are needed."""

    name: Annotated[str, at_most(200)] = Field(description="1 to 200 characters.")
    campaign_type: str = Field(examples=["call", "sms"])


class SentCampaign:
    """A body as changes of settings, and the way back from a setting to where it was sent."""

    def __init__(self, body: BaseModel) -> None:
        self._paths: dict[str, str] = {}
        self._errors: dict[str, str] = {}
        self.changes: dict[str, Any] = {}
        for path, value in _leaves(body.model_dump(exclude_unset=True)):
            self._take(path, value)

    def require(self, *settings: str) -> None:
        """Note that these settings must be sent."""
        for setting in settings:
            if self.changes.get(setting) is None:
                self._errors.setdefault(spoken(setting), "This field is required.")

    def check(self) -> None:
        """Raise `FieldErrors` for what the body itself has wrong: two values for one setting, say."""
        if self._errors:
            raise FieldErrors(self._errors)

    def explain(self, error: FieldErrors) -> FieldErrors:
        """Return the error with each field named as it was sent, together with what the body has wrong."""
        named = {self._sent_as(field): text for field, text in error.errors.items()}
        return FieldErrors(named | self._errors)

    def _sent_as(self, field: str) -> str:
        """Return where an error's field was sent: it may be one part of a setting, as in `a_list.busy`."""
        setting = _setting(field)
        if setting in self._paths:
            return self._paths[setting]
        whole, dot, part = field.partition(".")
        return f"{self._paths.get(whole, whole)}{dot}{part}"

    def _take(self, path: str, value: Any) -> None:
        if path in _NOT_YET:
            if value:
                self._errors[path] = _NOT_YET[path]
            return
        if path in ANSWERED_ONLY:
            return
        setting = SETTING_AT.get(path, path)
        if setting == "scheduled_at" and _is_naive(value):
            self._errors[path] = "Say the offset too: 2030-02-15T09:00:00-05:00, or Z for UTC."
        elif setting in self.changes and not _same(setting, self.changes[setting], value):
            self._errors[path] = f"This differs from {self._paths[setting]}. Send it once."
        else:
            self.changes[setting] = value
            self._paths.setdefault(setting, path)


def spoken(setting: str) -> str:
    """Return the flat name `/api/v1` has for a setting."""
    return {"agent_id": "assistant_id", "channel": "campaign_type"}.get(setting, setting)


def _leaves(body: Mapping[str, Any], parent: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each value with its path. An object that is one setting, or is not known, is a value."""
    for name, value in body.items():
        path = f"{parent}{name}"
        if name in {"execution_settings", "advanced_settings", "allowed_hours"}:
            if isinstance(value, Mapping):
                yield from _leaves(value, f"{path}.")
            elif name == "allowed_hours":
                yield from ((f"{path}.{part}", None) for part in _HOURS)
        else:
            yield path, value


def _setting(field: str) -> str:
    """Return the setting that an error's field is about."""
    return SETTING_AT.get(field, field)


def _is_naive(value: Any) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value.strip()).tzinfo is None
    except ValueError:
        return False


def _same(setting: str, one: Any, other: Any) -> bool:
    """Tell whether two spellings are one value: days by name and by number, say."""
    if setting in {"agent_id", "phone_number_id", "number_pool"}:
        return str(one) == str(other)
    try:
        return bool(read_setting(setting, one) == read_setting(setting, other))
    except Unacceptable:
        return bool(one == other)
