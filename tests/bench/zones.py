"""A pass over a million pending people in forty zones, half of them closed, beside one over a thousand."""

import time
from datetime import datetime, timedelta
from typing import Final

import uvloop
from sqlalchemy import text

from app.domain.calling_hours import HoursClock
from app.domain.legal_policy import LegalPolicy
from app.domain.places import Place
from app.runtime.database import Database
from app.services.dialing.completion import next_due_at
from app.services.dialing.reserve.fair_share import plan
from app.services.dialing.reserve.reservation import reserve
from app.services.places.store import place_ids
from tests.bench.measuring import Figures, figures, median, percentile
from tests.bench.staging import NO_LIMITS, add_people, database_at, durable_postgres, stage_of
from tests.support.clock import VirtualClock
from tests.support.stage import DialingStage

FEW: Final = 1_000
MANY: Final = 1_000_000
PASSES: Final = 300
"""The 99th percentile is the third worst."""
AT_ONCE: Final = 10
GOAL: Final = 1.5
ZONES: Final = (
    *(f"Etc/GMT{hours:+d}" for hours in range(-14, 13)),
    *("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Anchorage"),
    *("Europe/London", "Europe/Berlin", "Europe/Athens", "Asia/Kolkata", "Asia/Tokyo"),
    *("Australia/Sydney", "Pacific/Auckland", "America/Sao_Paulo"),
)
"""Forty clocks around the globe: at any time about half of them are between 08:00 and 20:00."""
_HOURS: Final = [{"start": "08:00", "end": "20:00", "days": [1, 2, 3, 4, 5, 6, 7]}]


def run() -> Figures:
    """Measure passes over both campaigns in turn."""
    with durable_postgres() as url:
        few, many, looked_at = uvloop.run(_compared(url))
    ratio = percentile(many, 99) / percentile(few, 99)
    return figures(
        "zones",
        ratio=ratio,
        product=percentile(many, 99),
        yardstick=percentile(few, 99),
        unit=f"ms, p99 of a pass that reserves {AT_ONCE}",
        goal=f"p99 at {MANY:,} pending <= {GOAL:g} times that at {FEW:,}; no person in a closed zone written to",
        zones=len(ZONES),
        met=ratio <= GOAL and looked_at == 0,
        median_ms=[round(median(many), 2), round(median(few), 2)],
        closed_people_touched=looked_at,
    )


async def _compared(url: str) -> tuple[list[float], list[float], int]:
    async with database_at(url) as database:
        small, great = await _stage(database, FEW), await _stage(database, MANY)
        clock = VirtualClock()
        few: list[float] = []
        many: list[float] = []
        for _ in range(PASSES):
            for stage, taken in ((small, few), (great, many)):
                taken.append(await _pass(stage, clock))
        return few, many, await _closed_touched(great, clock.now())


async def _stage(database: Database, people: int) -> DialingStage:
    """Return a campaign to that many people, the same share of them in each zone, by each one's own clock."""
    stage = await stage_of(database, 1, **NO_LIMITS, calling_windows=_HOURS, calling_clock=HoursClock.CONTACT)
    await add_people(database, stage.campaign_id, people - 1, first=2_120_000_000 + people)
    async with database.transaction() as session:
        places = [Place((zone,), (zone,), ("US",)) for zone in ZONES]
        ids = await place_ids(session, places)
        given = {"ids": [ids[each] for each in places], "id": stage.campaign_id, "off": LegalPolicy.OFF.value}
        await session.execute(text(_SPREAD), given)
        await session.execute(text(_FOLLOW), given)
    await _vacuum(database)
    return stage


async def _vacuum(database: Database) -> None:
    """Remove the rows' versions from before they had their places, as autovacuum would in the end."""
    async with database.session() as session:
        await (await session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})).execute(
            text("VACUUM ANALYZE contact, recipient, place")
        )


_SPREAD: Final = """
    UPDATE contact SET place_id = (CAST(:ids AS bigint[]))[1 + r.position % cardinality(CAST(:ids AS bigint[]))]
    FROM recipient r WHERE r.contact_id = contact.id AND r.campaign_id = :id
"""
_FOLLOW: Final = """
    UPDATE recipient SET place_id = contact.place_id FROM contact
    WHERE contact.id = recipient.contact_id AND recipient.campaign_id = :id
"""


async def _pass(stage: DialingStage, clock: VirtualClock) -> float:
    """Plan, reserve and look for what comes next; take the attempts back. Returns milliseconds."""
    began = time.perf_counter()
    async with stage.database.reading() as session:
        turns = (await plan(session, carrier_account_id=stage.account.id, now=clock.now())).turns
    outcome = await reserve(
        stage.database,
        campaign_id=stage.campaign_id,
        worker="bench",
        carrier_account_id=stage.account.id,
        clock=clock,
        most=AT_ONCE,
    )
    async with stage.database.reading() as session:
        await next_due_at(session, now=clock.now())
    milliseconds = (time.perf_counter() - began) * 1000
    assert turns, "nothing to dial"
    assert len(outcome.reservations) == AT_ONCE, outcome
    await _take_back(stage)
    clock.at += timedelta(milliseconds=10)
    return milliseconds


async def _take_back(stage: DialingStage) -> None:
    """As if the attempts had ended and their people were due again: the same rows are never claimed twice."""
    async with stage.database.transaction() as session:
        given = {"id": stage.campaign_id, "now": stage.clock.now()}
        await session.execute(
            text(
                "UPDATE attempt SET status = 'completed', price = 0 WHERE campaign_id = :id AND status = 'placing'"
            ),
            given,
        )
        await session.execute(
            text(
                "UPDATE recipient SET status = 'pending', attempts_made = 0, not_before = :now"
                " WHERE campaign_id = :id AND status = 'in_progress'"
            ),
            given,
        )


async def _closed_touched(stage: DialingStage, now: datetime) -> int:
    """Return how many people in closed zones were written to since they were added."""
    async with stage.database.session() as session:
        touched: int = await session.scalar(
            text(
                """
                SELECT count(*) FROM recipient r JOIN place ON place.id = r.place_id
                WHERE r.campaign_id = :id AND r.updated_at BETWEEN :began AND :now
                  AND NOT CAST(CAST(:now AS timestamptz) AT TIME ZONE place.zones[1] AS time)
                          BETWEEN time '08:00' AND time '20:00'
                """
            ),
            {"id": stage.campaign_id, "now": now, "began": stage.clock.now()},
        )
    return touched
