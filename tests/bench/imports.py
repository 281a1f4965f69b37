"""Rows imported per second beside bare `phonenumbers` on one core, interleaved; and what memory a large file takes."""

import asyncio
import gc
import random
import resource
import statistics
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import phonenumbers
import uvloop
from sqlalchemy import text

from app.domain.suppression import SuppressionSource
from app.installation.embedded import EmbeddedPostgres
from app.models import Campaign, ContactImport, Organization, Suppression
from app.runtime.clock import SystemClock
from app.runtime.database import Database
from app.runtime.migrations import upgrade
from app.services.imports.operations import queue_import, store_import
from app.services.imports.run import run_import
from tests.support.builders import make_campaign, make_organization, principal
from tests.support.servers import temporary_home

ROWS: Final = 100_000
ROUNDS: Final = 3
MEASURED_NUMBERS: Final = 20_000
SUPPRESSED: Final = 1_000
GOAL: Final = 0.8
_NOW: Final = datetime(2026, 3, 10, 16, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Round:
    """Rows a second, of one turn of each."""

    yardstick: float
    address_book: float
    campaign: float


def run() -> dict[str, object]:
    """Measure, and return the figures `callsheet bench import` prints."""
    with temporary_home() as home:
        postgres = EmbeddedPostgres(home, durable=True)
        try:
            url = postgres.start()
            upgrade(url)
            rounds, growth = uvloop.run(_rounds(url))
        finally:
            postgres.purge()
    return {
        "name": "import",
        "ratio": round(statistics.median(each.address_book / each.yardstick for each in rounds), 3),
        "ratio_with_campaign": round(statistics.median(each.campaign / each.yardstick for each in rounds), 3),
        "product": round(statistics.median(each.address_book for each in rounds)),
        "product_with_campaign": round(statistics.median(each.campaign for each in rounds)),
        "yardstick": round(statistics.median(each.yardstick for each in rounds)),
        "unit": "rows/s",
        "goal": GOAL,
        "memory_growth_mb": growth,
        "rounds": [
            [round(each.yardstick), round(each.address_book), round(each.campaign)] for each in rounds
        ],
    }


def run_large(rows: int) -> dict[str, object]:
    """Import so many rows into a campaign once: seconds, and by how many MB this process grew meanwhile."""
    with temporary_home() as home:
        postgres = EmbeddedPostgres(home, durable=True)
        try:
            url = postgres.start()
            upgrade(url)
            return uvloop.run(_large(url, rows))
        finally:
            postgres.purge()


async def _rounds(url: str) -> tuple[list[Round], float]:
    database = Database(url)
    rounds = []
    try:
        await imported(database, rows=5_000, with_campaign=True, seed=0)
        before = _peak_mb()
        for seed in range(1, ROUNDS + 1):
            yardstick = bare(seed)
            address_book = await imported(database, rows=ROWS, with_campaign=False, seed=seed)
            campaign = await imported(database, rows=ROWS, with_campaign=True, seed=seed)
            rounds.append(Round(yardstick, address_book, campaign))
        return rounds, round(_peak_mb() - before, 1)
    finally:
        await database.dispose()


async def _large(url: str, rows: int) -> dict[str, object]:
    database = Database(url)
    try:
        await imported(database, rows=5_000, with_campaign=True, seed=0)
        before = _peak_mb()
        speed = await imported(database, rows=rows, with_campaign=True, seed=1)
        return {
            "rows": rows,
            "seconds": round(rows / speed, 1),
            "rows_per_second": round(speed),
            "memory_growth_mb": round(_peak_mb() - before, 1),
        }
    finally:
        await database.dispose()


def bare(seed: int) -> float:
    """Return how many of the file's numbers a second `phonenumbers` parses, validates and writes in E.164."""
    numbers = [number for number, _ in zip(written_numbers(seed), range(MEASURED_NUMBERS), strict=False)]
    began = time.perf_counter()
    for number in numbers:
        with suppress(phonenumbers.NumberParseException):
            parsed = phonenumbers.parse(number, "US")
            phonenumbers.is_valid_number(parsed)
            phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return len(numbers) / (time.perf_counter() - began)


async def imported(database: Database, *, rows: int, with_campaign: bool, seed: int) -> float:
    """Return rows a second from the stored file to its last commit."""
    organization, campaign = await _stage(database, seed)
    owner = principal(organization)
    async with database.transaction() as session:
        import_id, _ = await store_import(
            session,
            principal=owner,
            campaign_ref=campaign.id if with_campaign else None,
            file_name="people.csv",
            data=_file(rows, seed),
            now=_NOW,
        )
        await queue_import(session, principal=owner, import_ref=import_id, now=_NOW)
    gc.collect()
    began = time.perf_counter()
    await run_import(database, import_id=import_id, clock=SystemClock())
    seconds = time.perf_counter() - began
    await _check(database, import_id, rows)
    return rows / seconds


async def _stage(database: Database, seed: int) -> tuple[Organization, Campaign]:
    """An organization with an empty address book and a list of suppressed numbers, some of them in the file."""
    async with database.transaction() as session:
        await session.execute(text("TRUNCATE organization, carrier_account, app_user CASCADE"))
        organization = await make_organization(session)
        campaign = await make_campaign(session, organization)
        numbers = {f"+1{next(_digits(seed * 1_000 + place))}" for place in range(SUPPRESSED)}
        session.add_all(
            Suppression(
                organization_id=organization.id,
                number=number,
                source=SuppressionSource.MANUAL,
                created_at=_NOW,
            )
            for number in numbers
        )
    return organization, campaign


async def _check(database: Database, import_id: int, rows: int) -> None:
    async with database.session() as session:
        row = await session.get_one(ContactImport, import_id)
    total = row.accepted + row.rejected + row.duplicates + row.suppressed
    if not (row.status == "completed" and total == row.rows_done == rows):
        raise AssertionError(
            f"the import ended {row.status} after {row.rows_done} of {rows} rows: {row.error}"
        )


async def _file(rows: int, seed: int) -> AsyncIterator[bytes]:
    """A spreadsheet as people have them, in pieces."""
    yield b"Phone,First Name,Last Name,Email,City,Plan\n"
    numbers = written_numbers(seed)
    for start in range(0, rows, 1_000):
        lines = [
            f'"{next(numbers)}",Person,No {row},person{row}@example.com,Rome,plan {row % 7}'
            for row in range(start, min(start + 1_000, rows))
        ]
        yield ("\n".join(lines) + "\n").encode()
        await asyncio.sleep(0)


def written_numbers(seed: int) -> Iterator[str]:
    """Numbers of several countries in several spellings; one in a hundred is none, one in a hundred comes again."""
    dice = random.Random(seed)
    digits = _digits(seed)
    last = "+12025550143"
    while True:
        american = next(digits)
        kind = dice.random()
        if kind < 0.35:
            number = f"({american[:3]}) {american[3:6]}-{american[6:]}"
        elif kind < 0.60:
            number = f"+1{american}"
        elif kind < 0.70:
            number = american
        elif kind < 0.84:
            number = f"+447{american[1:]}"
        elif kind < 0.98:
            number = f"+919{american[1:]}"
        else:
            number = last if kind < 0.99 else f"{american}{american}"
        last = number
        yield number


def _digits(seed: int) -> Iterator[str]:
    """Ten digits of North America, each once: a walk through all of them in steps that share no factor."""
    size = 600 * 7_990_000
    place = seed * 7_919_317 % size
    while True:
        place = (place + 1_111_111_111) % size
        area, local = divmod(place, 7_990_000)
        yield f"{201 + area}{2_000_000 + local}"


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
