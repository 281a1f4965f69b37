"""Works on the rows of a file in a thread beside the event loop."""

import asyncio
import gc
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_HANDOVER_SECONDS: Final = 0.0005


async def in_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call a function that makes many rows, in a thread. Its errors are raised here."""

    def call() -> R:
        with _making_rows:
            return function(*args, **kwargs)

    return await asyncio.to_thread(call)


class _MakingRows:
    """While a thread works: no garbage collection of cycles, and thread switches after half a millisecond.

    Rows have no reference cycles, and searching for them takes a third of the time. With the usual switch interval of
    5 ms, the thread that talks to the database would wait that long after each answer.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._within = 0
        self._collects, self._turn = True, 0.0

    def __enter__(self) -> None:
        with self._lock:
            if not self._within:
                self._collects, self._turn = gc.isenabled(), sys.getswitchinterval()
                gc.disable()
                sys.setswitchinterval(_HANDOVER_SECONDS)
            self._within += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._within -= 1
            if not self._within:
                sys.setswitchinterval(self._turn)
                if self._collects:
                    gc.enable()


_making_rows = _MakingRows()
