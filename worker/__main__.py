"""One worker process: `python -m worker dial|bulk`.

arq ends its worker when Redis stays away, and stops nothing cleanly then. What must not stop with Redis (dialing,
reconciling, launching) therefore runs beside arq, and arq is begun again when Redis is back.
"""

import asyncio
import logging
import signal
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any, Final

import uvloop
from arq import Worker

from app.logs import configure
from worker.collector import quieten
from worker.settings import BULK, DIAL
from worker.state import bulk_work, dialing

log = logging.getLogger(__name__)

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
        arq.cancel()
        with suppress(asyncio.CancelledError):
            await arq


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


def main() -> None:
    """Run the worker of the queue named on the command line."""
    configure()
    uvloop.run(run(sys.argv[1]))


if __name__ == "__main__":
    main()
