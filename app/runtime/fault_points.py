"""Named fault points on the dial path. They do nothing in production; tests kill the process there."""

import os
import signal
from collections.abc import Callable

Handler = Callable[[str], None]

_handler: Handler | None = None


def fault(point: str) -> None:
    """Pass a named point of the dial path. Does nothing unless a handler was installed."""
    if _handler is not None:
        _handler(point)


def install(handler: Handler | None) -> None:
    """Install the handler of fault points, or remove it with None. For tests only."""
    global _handler  # noqa: PLW0603 - one process-wide seam, set once at start
    _handler = handler


def install_from_environment() -> None:
    """Install "kill this process at the Nth pass of a point" from `CALLSHEET_FAULT=point:N`, if it is set.

    It works only with the simulated carrier: a production process never kills itself.
    """
    setting = os.environ.get("CALLSHEET_FAULT")
    if not setting or os.environ.get("CALLSHEET_CARRIER_SIMULATED", "").lower() not in {
        "1",
        "true",
    }:
        return
    wanted, _, nth = setting.partition(":")
    remaining = int(nth or "1")

    def kill_at(point: str) -> None:
        nonlocal remaining
        if point == wanted:
            remaining -= 1
            if remaining == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    install(kill_at)
