"""What a tab's socket may say: those frames of Engine.IO 4 and Socket.IO 5 that Reflex's browser half sends.

The protocols: https://socket.io/docs/v4/engine-io-protocol/ and https://socket.io/docs/v4/socket-io-protocol/.
"""

import json
import re
from collections.abc import Container
from enum import StrEnum
from typing import Any, Final

_NAMESPACE: Final = "/_event,"
_CONNECT: Final = f"40{_NAMESPACE}"
_SIGNS: Final = frozenset({"3", "1", f"41{_NAMESPACE}"})
"""Of life, and of leaving."""
_EVENT: Final = f"42{_NAMESPACE}"
_PATH: Final = re.compile(r"/[^\x00-\x1f\x7f]*\Z")
_DEEPEST: Final = 60
"""Objects within objects; a filter of the address book has fewer. Reflex's own readers stumble at some hundreds."""
_SETTERS: Final = ".setvar"
"""Reflex has one for each state, which sets nothing here."""


class Fault(StrEnum):
    """Why a frame does not reach Reflex."""

    MALFORMED = "malformed"
    """No browser sends it: the socket is closed."""
    TOO_BIG = "too_big"
    TOO_MANY = "too_many_events"
    UNKNOWN_HANDLER = "unknown_handler"
    """A page of another version may send it: the frame alone is dropped."""


def fault_of(frame: str, handlers: Container[str]) -> Fault | None:
    """Return what is wrong with a frame; None for one that Reflex can read. `handlers`: the names there are."""
    if frame in _SIGNS:
        return None
    if frame.startswith(_CONNECT):
        return _fault_of_connecting(_read(frame.removeprefix(_CONNECT) or "{}"), handlers)
    match _read(frame.removeprefix(_EVENT)) if frame.startswith(_EVENT) else None:
        case ["event", event]:
            return _fault_of_event(event, handlers)
        case ["ping"] | ["client_error", {}]:
            return None
        case _:
            return Fault.MALFORMED


def _fault_of_connecting(said: Any, handlers: Container[str]) -> Fault | None:
    if not isinstance(said, dict):
        return Fault.MALFORMED
    first = said.get("event")
    return None if first is None else _fault_of_event(first, handlers)


def _fault_of_event(event: Any, handlers: Container[str]) -> Fault | None:
    match event:
        case {"name": str(name)} if _is_object(event, "payload") and _is_place(event):
            known = name in handlers and not name.endswith(_SETTERS)
            return None if known else Fault.UNKNOWN_HANDLER
        case _:
            return Fault.MALFORMED


def _is_object(event: dict[str, Any], name: str) -> bool:
    return isinstance(event.get(name, {}), dict)


def _is_place(event: dict[str, Any]) -> bool:
    """Tell whether the event says where the tab is, as a browser does, or says nothing of it."""
    place = event.get("router_data", {})
    if not isinstance(place, dict) or not _is_object(place, "query"):
        return False
    paths = [place.get(name, "/") for name in ("pathname", "asPath")]
    return all(isinstance(path, str) and _PATH.match(path) for path in paths)


def _read(text: str) -> Any:
    """Return what a text says in JSON; None for what is none, and for what is too deep to be one of ours."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return None if _is_deeper(said, _DEEPEST) else said


def _is_deeper(value: Any, levels: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels == 0 or any(_is_deeper(each, levels - 1) for each in inner)
