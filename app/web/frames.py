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
_PLAIN_EVENTS: Final = frozenset({"ping", "client_error"})


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
        case [str(name), *_] if name in _PLAIN_EVENTS:
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
            return None if name in handlers else Fault.UNKNOWN_HANDLER
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
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
