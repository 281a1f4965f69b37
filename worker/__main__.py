"""One worker process: `python -m worker dial|bulk`.

arq ends its worker when Redis stays away, and stops nothing cleanly then. What must not stop with Redis (dialing,
reconciling, launching) therefore runs beside arq, and arq is begun again when Redis is back.
"""

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from io import StringIO
from typing import Any, Final

import uvloop
from arq import Worker

from app.runtime.logs import configure
from app.runtime.tasks import end_tasks
from worker.gc_tuning import quieten
from worker.runtime import bulk_work, dialing
from worker.settings import BULK, DIAL

log = logging.getLogger(__name__)

DRAIN_SECONDS: Final = 8.5
"""How long a worker that was told to stop may finish its work: longer than a request to the carrier may take (7 s, and
1 s late), shorter than whoever told it waits before it kills (`app.installation.supervisor`: 9 s)."""

_AGAIN_SECONDS: Final = 1.0
_CLOSE_SECONDS: Final = 2.0

_QUEUES: Final[
    dict[str, tuple[Callable[[], AbstractAsyncContextManager[dict[Any, Any]]], dict[str, Any]]]
] = {
    "dial": (dialing, DIAL),
    "bulk": (bulk_work, BULK),
}


async def run(queue: str) -> None:
    """Work until SIGTERM or SIGINT, then drain."""
    hold, settings = _QUEUES[queue]
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, stop.set)
    async with hold() as ctx:
        quieten()
        arq = asyncio.create_task(_keep_arq(settings, ctx), name="arq")
        await stop.wait()
        log.info("worker.stopping")
        _end_in_time(loop)
        await end_tasks(arq)


async def _keep_arq(settings: dict[str, Any], ctx: dict[Any, Any]) -> None:
    """Run arq's worker; begin it again whenever it ends, as it does when Redis stays away."""
    while True:
        worker = Worker(**settings, ctx=ctx, handle_signals=False)
        try:
            await worker.async_run()
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("worker.arq_ended")
        finally:
            with suppress(Exception):
                await asyncio.wait_for(worker.close(), _CLOSE_SECONDS)
        await asyncio.sleep(_AGAIN_SECONDS)


def _end_in_time(loop: asyncio.AbstractEventLoop) -> None:
    """End this process if it has not ended by itself in time, and log what it was still doing.

    As harmless as any kill: what is reserved is a row, and the next worker asks the carrier about it. A thread, so that
    a loop that is stuck cannot keep it from that.
    """

    def end() -> None:
        log.error("worker.drain_took_too_long", extra={"tasks": _stacks(loop)})
        os._exit(1)

    timer = threading.Timer(DRAIN_SECONDS, end)
    timer.daemon = True
    timer.start()


def _stacks(loop: asyncio.AbstractEventLoop) -> str:
    text = StringIO()
    for task in asyncio.all_tasks(loop):
        task.print_stack(limit=5, file=text)
    return text.getvalue()


def main() -> None:
    """Run the worker of the queue named on the command line."""
    configure()
    uvloop.run(run(sys.argv[1]))


if __name__ == "__main__":
    main()
