"""The declaration of a setting. How it is read, stored, answered and documented follows from it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum, auto
from typing import Any, Final, TypeVar, cast

from app.domain.breaker import BreakerPolicy
from app.domain.calling_hours import Window, format_window
from app.domain.campaign import Channel
from app.domain.recurrence import RecurringPlan
from app.services.field_readers import Reader

Value = TypeVar("Value")

KEY: Final = "setting"
"""The key of the `Setting` in the metadata of a dataclass field."""


class Group(Enum):
    """The subject of a setting. It decides its place in the API and the step of the wizard."""

    CAMPAIGN = auto()
    """Name, channel, agent and numbers."""
    MESSAGE = auto()
    """The text that is spoken or sent."""
    START = auto()
    """When the campaign starts, and the time zone of its times."""
    HOURS = auto()
    """When people may be reached."""
    PACE = auto()
    """How fast, how often, and when to stop."""
    VOICEMAIL = auto()
    NOT_OFFERED = auto()
    """It is in no form, no documented request and no answer."""


@dataclass(frozen=True, slots=True)
class Stored:
    """How a column stores a value that is not a plain one."""

    called: str
    """The name of the value in the sentence that says that it cannot be read."""
    load: Callable[[Any], Any]
    """Raises `ValueError`, `TypeError` or `AttributeError` for what cannot be read."""
    store: Callable[[Any], Any]
    """Is not called for None, which a column stores as `absent`."""
    absent: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """The declaration of one setting."""

    name: str = ""
    default: Any
    reader: Reader
    group: Group
    description: str = ""
    """For a request. `{default}` is replaced by the default, as JSON, and `{limits}` by the reader's limits."""
    examples: tuple[Any, ...] = ()
    null_is_default: bool = True
    """Null resets it to its default. If this is false, the reader gets the null."""
    blank_is_null: bool = False
    """An empty text is answered as null."""
    names_rows: bool = False
    """It has ids of rows of the organization, which must be looked up."""
    stored: Stored | None = None
    """None: the column stores the value itself."""
    own_rows: bool = False
    """It is stored in rows of its own, not in a column."""
    on_step: bool = False
    """Its column is in the step's row, not the campaign's."""
    channel: Channel | None = None
    """The only channel that uses it; None: all do."""
    part: str = ""
    """The key of the rendered text, if it is a template."""

    def read(self, raw: Any) -> Any:
        """Return the value of what was sent. Raises `Unacceptable`."""
        return self.default if raw is None and self.null_is_default else self.reader(raw)

    @property
    def documentation(self) -> str | None:
        """The description with limits and default; None if there is none."""
        default = json.dumps(as_json(self.default)).strip('"')
        text = self.description.replace("{default}", default).replace("{limits}", self.reader.limits)
        return text or None


def as_json(value: Any) -> Any:
    """Return a setting's value as JSON; a time is returned as it is."""
    match value:
        case BreakerPolicy() | RecurringPlan():
            return value.to_json()
        case Decimal():
            return float(value)
        case Window():
            return format_window(value)
        case Mapping():
            return {str(key): as_json(each) for key, each in value.items()}
        case tuple():
            return [as_json(each) for each in value]
        case _:
            return value


def setting(default: Value, reader: Reader, group: Group, description: str = "", **more: Any) -> Value:
    """Return the dataclass field that declares a setting; `more`: other fields of `Setting`."""
    declared = Setting(default=default, reader=reader, group=group, description=description, **more)
    metadata = {KEY: declared}
    if isinstance(default, Mapping):
        return cast(Value, field(default_factory=lambda: dict(default), metadata=metadata))
    return field(default=default, metadata=metadata)
