"""Ending the tasks of an event loop."""

import asyncio
from typing import Any, Final

_AGAIN_SECONDS: Final = 0.2


async def end_tasks(*tasks: "asyncio.Task[Any]") -> None:
    """Cancel the tasks, and return when all have ended. Their exceptions are not raised.

    A cancellation can be lost: if the awaited result is ready in the same turn of the loop, some libraries (and
    `wait_for` of Python 3.11) go on. So it is repeated until the task ends.
    """
    while running := [task for task in tasks if not task.done()]:
        for task in running:
            task.cancel()
        await asyncio.wait(running, timeout=_AGAIN_SECONDS)
    await asyncio.gather(*tasks, return_exceptions=True)
