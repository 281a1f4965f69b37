"""One worker process: `python -m worker dial|bulk`.

If Redis stays away, arq ends its worker, and does not stop cleanly. Work that must go on without Redis (dialing,
reconciling, scheduled starts) therefore runs beside arq, and arq is started again when Redis is back.
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
from worker.gc_tuning import tune_garbage_collector
from worker.runtime import bulk_work, dialing
from worker.settings import BULK, DIAL

log = logging.getLogger(__name__)

DRAIN_SECONDS: Final = 8.5
"""How long a stopping worker may take to finish its work: longer than a request to the carrier can take (7 s, and 1 s
late), shorter than the supervisor waits before it kills (9 s)."""

_AGAIN_SECONDS: Final = 1.0
_CLOSE_SECONDS: Final = 2.0

_QUEUES: Final[
    dict[str, tuple[Callable[[], AbstractAsyncContextManager[dict[Any, Any]]], dict[str, Any]]]
] = {
    "dial": (dialing, DIAL),
    "bulk": (bulk_work, BULK),
}


async def run(queue: str) -> None:
    """Work until SIGTERM or SIGINT; then finish what has begun."""
    hold, settings = _QUEUES[queue]
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, stop.set)
    async with hold() as ctx:
        tune_garbage_collector()
        arq = asyncio.create_task(_keep_arq(settings, ctx), name="arq")
        await stop.wait()
        log.info("worker.stopping")
        _end_in_time(loop)
        await end_tasks(arq)


async def _keep_arq(settings: dict[str, Any], ctx: dict[Any, Any]) -> None:
    """Run arq's worker; start it again whenever it ends, as it does when Redis stays away."""
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
    """End this process if it does not end by itself in time, and log its unfinished tasks.

    Nothing is lost: reservations are rows, and the next worker asks the carrier about them. A thread does this, so that
    it works even if the event loop is stuck.
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
