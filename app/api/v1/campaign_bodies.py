"""The request bodies for campaigns: the flat fields of seed `001` and the nested objects of `000`, together."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel, Field

from app.api.problems import API_NAMES, FieldsAsSent
from app.api.v1.campaign_answers import CampaignAnswer
from app.api.v1.fields import RefField, Sent
from app.api.v1.setting_fields import (
    ALLOWED_HOURS,
    HOURS,
    OBJECTS,
    SETTING_AT,
    needed_fields,
    sent_fields,
    with_fields,
)
from app.services.campaigns.setting_declaration import Group
from app.services.campaigns.settings import SETTINGS, read_setting
from app.services.errors import FieldErrors
from app.services.field_readers import Unacceptable

_NOT_YET: Final[Mapping[str, str]] = {
    "advanced_settings.leave_voicemail": "Leaving a message on voicemail is not available yet.",
    "advanced_settings.voicemail_message": "Leaving a message on voicemail is not available yet.",
}

ANSWERED_ONLY: Final = CampaignAnswer.model_fields.keys() - SETTING_AT.keys() - OBJECTS
"""Fields of an answer that cannot be set. They are ignored in a request, so that an answer can be sent back."""


def _of_hours(part: str) -> Any:
    declared = SETTINGS[SETTING_AT[f"{ALLOWED_HOURS}.{part}"]]
    return Field(None, description=declared.documentation, examples=list(declared.examples))


class AllowedHours(Sent, extra="allow"):
    """When people may be reached; without hours: whenever the law where they are allows it."""

    start: str | None = _of_hours("start")
    end: str | None = _of_hours("end")
    days: list[Any] | None = _of_hours("days")
    windows: list[Any] | None = _of_hours("windows")
    clock: str | None = _of_hours("clock")


@with_fields(sent_fields(Group.PACE))
class PaceBody(Sent, extra="allow"):
    """How fast, how often, and when to stop: sent flat or in `execution_settings`, it means the same."""


class ExecutionSettings(PaceBody):
    """Pace, retries and calling hours."""

    allowed_hours: AllowedHours | None = None
    time_zone: str | None = Field(None, examples=["America/New_York"])


@with_fields(sent_fields(Group.VOICEMAIL))
class AdvancedSettings(Sent, extra="allow"):
    """Detection of voicemail."""


@with_fields(sent_fields(Group.START))
class StartTime(Sent):
    """When a campaign starts."""

    time_zone: str | None = Field(None, examples=["America/New_York"])


class ScheduleBody(StartTime, extra="forbid"):
    """When a campaign starts, and nothing else of it."""


@with_fields(sent_fields(Group.CAMPAIGN, Group.MESSAGE, Group.VOICEMAIL))
class CampaignBody(PaceBody, StartTime):
    """A campaign's settings. Those not sent stay as they are; null puts one back to its default."""

    agent_id: RefField | None = Field(None, description="Another name of `assistant_id`.")
    allowed_hours: AllowedHours | None = None
    execution_settings: ExecutionSettings | None = None
    advanced_settings: AdvancedSettings | None = None


@with_fields(needed_fields("name", "channel"))
class NewCampaign(CampaignBody):
    """A new campaign: `name`, `campaign_type` and `assistant_id` are needed."""


class SentCampaign:
    """A body as changes of settings. It also knows in which field each setting was sent.

    For an error of the body itself, such as two values for one setting, the change is an `Unacceptable`.
    """

    def __init__(self, body: BaseModel) -> None:
        self._paths: dict[str, str] = {}
        self.changes: dict[str, Any] = {}
        for path, value in _leaves(body.model_dump(exclude_unset=True)):
            self._take(path, value)

    def require(self, *settings: str) -> None:
        """Refuse the body unless it sends these settings."""
        for setting in settings:
            if self.changes.get(setting) is None:
                self.changes[setting] = Unacceptable("This field is required.")

    def explain(self, error: FieldErrors) -> FieldsAsSent:
        """Return the error with each field named as in the request."""
        as_sent = {}
        for field, text in error.errors.items():
            # A field may be one part of a setting, as in `breaker.window`.
            setting, dot, part = (field, "", "") if field in self._paths else field.partition(".")
            sent_at = self._paths.get(setting) or API_NAMES.get(setting, setting)
            as_sent[f"{sent_at}{dot}{part}"] = text
        return FieldsAsSent(as_sent)

    def _take(self, path: str, value: Any) -> None:
        if path in ANSWERED_ONLY or (path in _NOT_YET and not value):
            return
        setting = SETTING_AT.get(path, path)
        if path in _NOT_YET:
            self._refuse(setting, path, _NOT_YET[path])
        elif setting == "scheduled_at" and _is_naive(value):
            self._refuse(setting, path, "Say the offset too: 2030-02-15T09:00:00-05:00, or Z for UTC.")
        elif setting in self.changes and not _same(setting, self.changes[setting], value):
            self._refuse(setting, path, f"This differs from {self._paths[setting]}. Send it once.")
        else:
            self.changes[setting] = value
            self._paths.setdefault(setting, path)

    def _refuse(self, setting: str, path: str, why: str) -> None:
        self.changes[setting], self._paths[setting] = Unacceptable(why), path


def _leaves(body: Mapping[str, Any], parent: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each value with its path. An object that is a setting, or is unknown, is one value."""
    for name, value in body.items():
        path = f"{parent}{name}"
        if name in OBJECTS:
            if isinstance(value, Mapping):
                yield from _leaves(value, f"{path}.")
            elif name == ALLOWED_HOURS:
                yield from ((f"{path}.{part}", None) for part in HOURS)
        else:
            yield path, value


def _is_naive(value: Any) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value.strip()).tzinfo is None
    except ValueError:
        return False


def _same(setting: str, one: Any, other: Any) -> bool:
    """Tell whether two values mean the same, such as days by name and by number."""
    if isinstance(one, Unacceptable):
        return False
    if setting in SETTINGS and SETTINGS[setting].names_rows:
        return str(one) == str(other)
    try:
        return bool(read_setting(setting, one) == read_setting(setting, other))
    except Unacceptable:
        return bool(one == other)
