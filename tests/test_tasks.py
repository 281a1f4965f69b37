"""The end of tasks."""

import asyncio
from contextlib import suppress

from app.runtime.tasks import end_tasks


async def test_a_task_that_loses_a_cancellation_is_cancelled_again() -> None:
    lost = 0

    async def loses_two() -> None:
        nonlocal lost
        while lost < 2:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(3600)
            lost += 1
        await asyncio.sleep(3600)

    task = asyncio.create_task(loses_two())
    await asyncio.sleep(0)
    async with asyncio.timeout(30):
        await end_tasks(task)
    assert task.cancelled()
    assert lost == 2


async def test_every_task_has_ended_and_what_it_raised_is_its_own() -> None:
    async def fails() -> None:
        raise ValueError

    async def returns() -> int:
        return 7

    async def goes_on() -> None:
        await asyncio.sleep(3600)

    failing, returning, going_on = tasks = (
        asyncio.create_task(fails()),
        asyncio.create_task(returns()),
        asyncio.create_task(goes_on()),
    )
    await asyncio.sleep(0)
    await end_tasks(*tasks)
    assert isinstance(failing.exception(), ValueError)
    assert returning.result() == 7
    assert going_on.cancelled()
