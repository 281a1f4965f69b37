"""The frames that a tab's socket may send: the ones of Engine.IO 4 and Socket.IO 5 that Reflex uses.

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
"""Pong, close and disconnect."""
_EVENT: Final = f"42{_NAMESPACE}"
_PATH: Final = re.compile(r"/[^\x00-\x1f\x7f]*\Z")
_DEEPEST: Final = 60
"""The most levels of objects. A filter of the address book has fewer, and Reflex itself fails at some hundreds."""
_SETTERS: Final = ".setvar"
"""The end of the names of Reflex's setters. Each state has one; no page uses it."""


class Fault(StrEnum):
    """Why a frame is not passed to Reflex."""

    MALFORMED = "malformed"
    """A browser does not send it: the socket is closed."""
    TOO_BIG = "too_big"
    TOO_MANY = "too_many_events"
    UNKNOWN_HANDLER = "unknown_handler"
    """A page of another version may send it: only the frame is dropped."""


def fault_of(frame: str, handlers: Container[str]) -> Fault | None:
    """Return what is wrong with a frame; None if Reflex can read it. `handlers`: the names of all events."""
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
    """Tell whether the event has a valid place of the tab, or none."""
    place = event.get("router_data", {})
    if not isinstance(place, dict) or not _is_object(place, "query"):
        return False
    paths = [place.get(name, "/") for name in ("pathname", "asPath")]
    return all(isinstance(path, str) and _PATH.match(path) for path in paths)


def _read(text: str) -> Any:
    """Return the value of a JSON text; None if it is no JSON, or has too many levels."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return None if _is_deeper(said, _DEEPEST) else said


def _is_deeper(value: Any, levels: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels == 0 or any(_is_deeper(each, levels - 1) for each in inner)
