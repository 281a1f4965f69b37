"""What is said of one setting, once: from it is made what is read, stored, answered and documented."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum, auto
from typing import Any, Final, TypeVar, cast

from app.domain.breaker import BreakerPolicy
from app.domain.campaign import Channel
from app.services.field_readers import Reader

Value = TypeVar("Value")

KEY: Final = "setting"
"""Under which a dataclass field's metadata has its `Setting`."""


class Group(Enum):
    """What a setting is about: where the API takes and answers it, and which step of the wizard asks for it."""

    CAMPAIGN = auto()
    """Name, channel, agent and numbers."""
    MESSAGE = auto()
    """What is said or written."""
    START = auto()
    """When it starts, and in which zone times are."""
    HOURS = auto()
    """When people may be reached."""
    PACE = auto()
    """How fast, how often, and when to stop."""
    VOICEMAIL = auto()
    NOT_OFFERED = auto()
    """No form, no documented request and no answer has it."""


@dataclass(frozen=True, slots=True)
class Stored:
    """How a column holds a value of a kind of its own."""

    called: str
    """What a person calls the value, where it cannot be read."""
    load: Callable[[Any], Any]
    """Raises `ValueError`, `TypeError` or `AttributeError` for what cannot be read."""
    store: Callable[[Any], Any]
    """Is never asked for None, which a column holds as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """The declaration of one setting."""

    name: str = ""
    default: Any
    reader: Reader
    group: Group
    description: str = ""
    """For a request. `{default}` and `{limits}` stand for the default, as JSON, and the reader's limits."""
    examples: tuple[Any, ...] = ()
    null_is_default: bool = True
    """Null puts it back to its default; otherwise the reader judges null."""
    blank_is_null: bool = False
    """An empty text is answered as null."""
    names_rows: bool = False
    """It names rows of the organization: what the reader gives has to be looked up."""
    stored: Stored | None = None
    """None: the column holds the value itself."""
    own_rows: bool = False
    """It has rows of its own, and no column."""
    on_step: bool = False
    """The column is the step's, else the campaign's."""
    channel: Channel | None = None
    """The only channel that it is for."""
    part: str = ""
    """The part of what is said that it is the template of: the key of the rendered text."""

    def read(self, raw: Any) -> Any:
        """Return the value of what was sent. Raises `Unacceptable`."""
        return self.default if raw is None and self.null_is_default else self.reader(raw)

    def to_column(self, value: Any) -> Any:
        """Return what the column holds for a value."""
        return value if value is None or self.stored is None else self.stored.store(value)

    @property
    def documentation(self) -> str | None:
        """The description with limits and default; None if there is none."""
        default = json.dumps(as_json(self.default)).strip('"')
        text = self.description.replace("{default}", default).replace("{limits}", self.reader.limits)
        return text or None


def as_json(value: Any) -> Any:
    """Return a setting's value as JSON holds it; a time as it is."""
    match value:
        case BreakerPolicy():
            return value.to_json()
        case Decimal():
            return float(value)
        case Mapping():
            return {str(key): as_json(each) for key, each in value.items()}
        case tuple():
            return [as_json(each) for each in value]
        case _:
            return value


def setting(default: Value, reader: Reader, group: Group, description: str = "", **more: Any) -> Value:
    """Return the dataclass field that declares a setting; `more` is as `Setting` has it."""
    declared = Setting(default=default, reader=reader, group=group, description=description, **more)
    metadata = {KEY: declared}
    if isinstance(default, Mapping):
        return cast(Value, field(default_factory=lambda: dict(default), metadata=metadata))
    return field(default=default, metadata=metadata)
