"""Carrier seconds."""

import asyncio
import time

import pytest

from app.simulator.call_rate import CallRate
from app.simulator.clock import SimulatedClock


async def test_time_passes_as_many_times_faster_as_told() -> None:
    clock = SimulatedClock(1000)
    began = time.monotonic()
    await clock.sleep(60)
    assert 0.06 <= time.monotonic() - began < 2


async def test_a_change_of_speed_reaches_those_who_sleep() -> None:
    clock = SimulatedClock(0.001)
    sleepers = asyncio.gather(*(clock.sleep(3600) for _ in range(100)))
    await asyncio.sleep(0)
    clock.set_speed(1_000_000)
    async with asyncio.timeout(2):
        await sleepers


async def test_carrier_time_never_runs_backwards_when_the_speed_changes() -> None:
    clock = SimulatedClock(1_000_000)
    await clock.sleep(100)
    before = clock.elapsed()
    clock.set_speed(0.001)
    assert clock.elapsed() >= before >= 100


@pytest.mark.parametrize("speed", [0, -1])
def test_time_can_neither_stand_still_nor_go_back(speed: float) -> None:
    with pytest.raises(ValueError, match="above zero"):
        SimulatedClock(speed)


def test_turns_are_given_evenly() -> None:
    pace = CallRate(SimulatedClock(0.000_001), 10)
    assert [round(pace.take_turn(), 3) for _ in range(4)] == [0, 0.1, 0.2, 0.3]
