"""A campaign's settings as the texts of boxes, and back: one way for all settings that need no other.

A box is called as its setting, or as its setting and a part of it: `breaker.window`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from app.domain.breaker import BreakerPolicy
from app.services.campaigns.settings import DEFAULTS, CampaignSettings

ON: Final = "on"
"""What a box to tick says while it is ticked; else it says nothing."""

Texts = Mapping[str, str]
"""Box -> what stands in it. A box that is left out is empty."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One setting in words."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Spelling:
    """How one setting stands in its boxes."""

    texts: Callable[[CampaignSettings], Texts]
    changes: Callable[[Texts], dict[str, Any]]
    """What its boxes ask for, all of them given. Raises `FieldErrors` for what no setting can say."""


def usual(name: str) -> Spelling:
    """Return how a setting without its own spelling is shown in boxes.

    A yes or no and each entry of a set is ticked, each part of a group has a box of its own, all else is one text.
    """
    return Spelling(
        lambda settings: _texts(name, getattr(settings, name)), lambda texts: {name: _asked(name, texts)}
    )


def setting_of(box: str) -> str:
    """Return the setting that a box is of."""
    return box.partition(".")[0]


def parts(name: str, texts: Texts) -> dict[str, str]:
    """Return part -> text of a setting that has a box for each part."""
    prefix = f"{name}."
    return {box.removeprefix(prefix): text for box, text in texts.items() if box.startswith(prefix)}


def ticked(name: str, texts: Texts) -> list[str]:
    """Return the parts of a setting that are ticked."""
    return [part for part, text in parts(name, texts).items() if text == ON]


def listed(values: tuple[Any, ...]) -> str:
    """Return a list as a box takes it."""
    return ", ".join(map(str, values))


def _texts(name: str, value: Any) -> dict[str, str]:
    if isinstance(value, BreakerPolicy):
        value = value.to_json()
    if isinstance(value, Mapping):
        return {f"{name}.{part}": _text(each) for part, each in value.items()}
    if isinstance(value, tuple):
        return {f"{name}.{each}": ON for each in value}
    return {name: _text(value)}


def _text(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return ON if value else ""
    if isinstance(value, tuple):
        return listed(value)
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return f"{value:f}" if isinstance(value, Decimal) else str(value).replace("\r\n", "\n")


def _asked(name: str, texts: Texts) -> Any:
    usual_value = getattr(DEFAULTS, name)
    if isinstance(usual_value, bool):
        return texts.get(name) == ON
    if isinstance(usual_value, tuple):
        return ticked(name, texts)
    if isinstance(usual_value, BreakerPolicy):
        return parts(name, texts)
    if isinstance(usual_value, Mapping):
        return {part: text for part, text in parts(name, texts).items() if text.strip()}
    return texts.get(name, "")
