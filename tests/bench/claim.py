"""Claiming at a million pending contacts beside a thousand: the same, also at the campaign's end with its dead rows."""

import time
from typing import Final

import uvloop
from sqlalchemy import text

from app.runtime.clock import SystemClock
from app.runtime.database import Database
from app.services.dialing.reserve.reservation import reserve
from tests.bench.measuring import Figures, figures, median, percentile
from tests.bench.staging import NO_LIMITS, add_people, analyze, database_at, durable_postgres, stage_of
from tests.support.stage import DialingStage

FEW: Final = 1_000
MANY: Final = 1_000_000
CLAIMS: Final = 300
"""Of each kind and phase: the 99th percentile is the third worst."""
AT_ONCE: Final = 10
GOAL: Final = 2.0
_CHUNKS: Final = 90
_LEFT: Final = 10_000


def run() -> Figures:
    """Measure both phases, interleaved, and return the worse one's figures."""
    with durable_postgres() as url:
        phases = uvloop.run(_phases(url))
    ratios = {name: percentile(many, 99) / percentile(few, 99) for name, (few, many) in phases.items()}
    worst = max(ratios, key=lambda name: ratios[name])
    few, many = phases[worst]
    return figures(
        "claim",
        ratio=ratios[worst],
        product=percentile(many, 99),
        yardstick=percentile(few, 99),
        unit=f"ms, p99 of claiming {AT_ONCE}",
        goal=f"p99 at {MANY:,} pending <= {GOAL:g} times that at {FEW:,}, at the campaign's begin and end",
        met=ratios[worst] <= GOAL,
        phases={
            name: {
                "p99_ratio": round(ratios[name], 3),
                "median_ratio": round(median(many) / median(few), 3),
                "p99_ms": [round(percentile(many, 99), 2), round(percentile(few, 99), 2)],
            }
            for name, (few, many) in phases.items()
        },
    )


async def _phases(url: str) -> dict[str, tuple[list[float], list[float]]]:
    async with database_at(url) as database:
        few = await stage_of(database, FEW, **NO_LIMITS)
        many = await _second(few)
        begin = await _compared(few, many)
        await _nearly_end(few, many)
        return {"begin": begin, "end": await _compared(few, many)}


async def _second(few: DialingStage) -> DialingStage:
    """Another organization, with a million people to call."""
    database = few.database
    many = await stage_of(database, 1, **NO_LIMITS)
    await add_people(database, many.campaign_id, MANY - 1, first=2_130_000_000)
    await analyze(database)
    return many


async def _compared(few: DialingStage, many: DialingStage) -> tuple[list[float], list[float]]:
    """Claim from both in turn; return the milliseconds of each."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(CLAIMS):
        for stage, taken in zip((few, many), times, strict=True):
            taken.append(await _claimed(stage))
    return times


async def _claimed(stage: DialingStage) -> float:
    """Claim once, and take it back; return the milliseconds of the claim."""
    began = time.perf_counter()
    outcome = await reserve(
        stage.database,
        campaign_id=stage.campaign_id,
        worker="bench",
        carrier_account_id=stage.account.id,
        clock=SystemClock(),
        most=AT_ONCE,
    )
    milliseconds = (time.perf_counter() - began) * 1000
    assert len(outcome.reservations) == AT_ONCE, outcome
    await _take_back(stage.database, stage.campaign_id)
    return milliseconds


async def _take_back(database: Database, campaign_id: int) -> None:
    """As if the attempts had ended and their people were due again: the same rows are never claimed twice."""
    async with database.transaction() as session:
        given = {"id": campaign_id}
        await session.execute(
            text(
                "UPDATE attempt SET status = 'completed', price = 0 WHERE campaign_id = :id AND status = 'placing'"
            ),
            given,
        )
        await session.execute(
            text(
                "UPDATE recipient SET status = 'pending', attempts_made = 0, not_before = now()"
                " WHERE campaign_id = :id AND status = 'in_progress'"
            ),
            given,
        )


_END_SOME: Final = text(
    """
    UPDATE recipient SET status = 'completed' WHERE id IN (
        SELECT id FROM recipient WHERE campaign_id = :id AND status = 'pending'
        ORDER BY not_before, position LIMIT :some)
    """
)


async def _nearly_end(few: DialingStage, many: DialingStage) -> None:
    """Bring the great campaign to its last ten thousand as it would come there, claims between the ends."""
    for _ in range(_CHUNKS):
        async with many.database.transaction() as session:
            await session.execute(_END_SOME, {"id": many.campaign_id, "some": (MANY - _LEFT) // _CHUNKS})
        await _claimed(many)
        await _claimed(few)
