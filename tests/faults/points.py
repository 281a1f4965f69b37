"""Every fault point there is, read from the source: a new one is killed at as soon as it is written."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.faults.processes import PROJECT

_ROOMS: Final = ("app", "worker")
_ELSEWHERE: Final = (
    "app/services/imports/",
    "app/services/segments/",
    "app/services/contacts/",
    "app/services/campaigns/audiences",
    "app/services/campaigns/run_filling",
    "app/services/campaigns/scheduled_starts",
    "app/services/campaigns/transitions",
)
"""Passed by the worker of imports and other long work, or for a schedule only: their own tests kill it there."""
_WEB: Final = ("app/services/dialing/receive/", "app/api/")
"""Passed by the web process."""


def dial_points() -> tuple[str, ...]:
    """Return the points that a dial worker passes, in alphabetical order."""
    return tuple(sorted({name for path, name in _points() if not path.startswith(_ELSEWHERE + _WEB)}))


def web_points() -> tuple[str, ...]:
    """Return the points that the web process passes, in alphabetical order."""
    return tuple(sorted({name for path, name in _points() if path.startswith(_WEB)}))


def _points() -> Iterator[tuple[str, str]]:
    for room in _ROOMS:
        for path in sorted((PROJECT / room).rglob("*.py")):
            relative = path.relative_to(PROJECT).as_posix()
            yield from ((relative, name) for name in _passed_in(path))


def _passed_in(path: Path) -> Iterator[str]:
    source = path.read_text()
    if "fault(" not in source:
        return
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Name(id="fault"), args=[ast.Constant(value=str(name))]):
                yield name
            case _:
                pass
