"""The end of an event loop's tasks."""

import asyncio
from typing import Any, Final

_AGAIN_SECONDS: Final = 0.2


async def end_tasks(*tasks: "asyncio.Task[Any]") -> None:
    """Cancel the tasks, and return when each of them has ended; what they raised is not raised here.

    One cancellation may be lost: what a task waits for can be ready in the same turn of the loop, and libraries (and
    Python 3.11's own `wait_for`) then go on. So it is repeated until it is heard.
    """
    while running := [task for task in tasks if not task.done()]:
        for task in running:
            task.cancel()
        await asyncio.wait(running, timeout=_AGAIN_SECONDS)
    await asyncio.gather(*tasks, return_exceptions=True)
