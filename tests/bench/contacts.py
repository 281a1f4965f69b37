"""A page of an address book of 1,000,000 people beside one of 1,000: the slowest of twenty, by every indexed way."""

import asyncio
import random
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import text

from app.domain.contact_filter import ContactFilter
from app.domain.contact_filter_reading import read_filter
from app.installation.embedded import EmbeddedPostgres
from app.runtime.database import Database
from app.runtime.migrations import upgrade
from app.services.access.principal import Principal
from app.services.contacts.index_scans import Sort
from app.services.contacts.paging import ListOrder
from app.services.contacts.queries import count_contacts, list_contacts
from tests.support.builders import make_organization, principal
from tests.support.servers import connect, temporary_home

FEW: Final = 1_000
MANY: Final = 1_000_000
SAMPLES: Final = 100
GOAL: Final = 2.0
NOW: Final = datetime(2026, 3, 10, 16, tzinfo=UTC)

_FIRST: Final = (
    "Ann Bob Cy Dora Ed Fay Gus Hal Ida Jo Kim Lou Mia Ned Ola Pam Quin Ray Sue Tom Uma Vic Wes Xia Yul Zoe"
)
_CALLED: Final = 0.8
"""The newest people have not been called yet: whom a filter looks for may be far from the top of the list."""
_OUTCOMES: Final = (*["answered"] * 20, *["no_answer"] * 10, *["busy"] * 4, "rejected", *[None] * 40)


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of page, and whether it is promised to be as fast in a large book."""

    name: str
    promised: bool = True


@dataclass(frozen=True, slots=True)
class Book:
    """An organization's address book."""

    principal: Principal
    size: int
    middle: dict[Sort, str]
    """A cursor half way down each sort."""


def run(*, many: int = MANY) -> dict[str, object]:
    """Measure, and return the figures `callsheet bench contacts` prints."""
    with temporary_home() as home:
        postgres = EmbeddedPostgres(home, durable=False)
        try:
            url = postgres.start()
            upgrade(url)
            return asyncio.run(_measured(url, many))
        finally:
            postgres.purge()


async def _measured(url: str, many: int) -> dict[str, object]:
    database = Database(url, pool_size=2, ping=False)
    try:
        began = time.perf_counter()
        few, book = await _book(database, url, FEW), await _book(database, url, many)
        loaded = time.perf_counter() - began
        _settle(url)
        few, book = await _with_middles(database, few), await _with_middles(database, book)
        cases = {name: await _case(database, few, book, name) for name in (*PROMISED, *OTHERS)}
    finally:
        await database.dispose()
    worst = max(PROMISED, key=lambda name: cases[name]["ratio"])
    return {
        "name": "contacts",
        "ratio": cases[worst]["ratio"],
        "product": cases[worst]["many"],
        "yardstick": cases[worst]["few"],
        "unit": "ms a page, p95",
        "goal": GOAL,
        "worst": worst,
        "contacts": many,
        "load_seconds": round(loaded, 1),
        "cases": cases,
    }


async def _case(database: Database, few: Book, many: Book, name: str) -> dict[str, float]:
    """Return p95 of both books in milliseconds, measured in turns, and their ratio."""
    rng = random.Random(name)  # the same pages in every run
    times: dict[int, list[float]] = {few.size: [], many.size: []}
    for sample in range(SAMPLES + 10):
        for book in (few, many):
            began = time.perf_counter()
            await _page(database, book, name, rng)
            if sample >= 10:  # the first warm the caches and the plans
                times[book.size].append((time.perf_counter() - began) * 1_000)
    low, high = (statistics.quantiles(times[book.size], n=20)[-1] for book in (few, many))
    return {"few": round(low, 2), "many": round(high, 2), "ratio": round(high / low, 2)}


async def _page(database: Database, book: Book, name: str, rng: random.Random) -> None:
    wanted, sort, cursor = _asked(book, name, rng)
    async with database.session() as session:
        if name.startswith("count"):
            await count_contacts(session, principal=book.principal, wanted=wanted, now=NOW)
            return
        await list_contacts(
            session, principal=book.principal, wanted=wanted, sort=sort, cursor=cursor, limit=50, now=NOW
        )


PROMISED: Final = (
    *("first page", "first page by name", "first page by number", "first page by last contact"),
    *("deep", "deep by name", "deep by number", "deep by last contact"),
    *("search name", "search last word", "search number", "search one digit"),
    *("outcome common", "outcome rare", "outcomes", "import", "contacted this week", "never contacted"),
    *("added in a week long ago", "name starts with", "number starts with"),
)
OTHERS: Final = (
    *("tag of every fifth", "tag of one in a hundred", "tag of one in ten thousand", "suppressed"),
    *("company is", "own field is", "count everybody", "count search", "count outcome"),
)


def _asked(book: Book, name: str, rng: random.Random) -> tuple[ContactFilter, Sort | None, str]:  # noqa: PLR0911
    first, last = rng.choice(_FIRST.split()), _last_name(rng.randrange(1_000))
    match name:
        case "first page" | "count everybody":
            return ContactFilter(), None, ""
        case "first page by name" | "first page by number" | "first page by last contact":
            return ContactFilter(), _sort(name), ""
        case "deep" | "deep by name" | "deep by number" | "deep by last contact":
            return ContactFilter(), None, book.middle[_sort(name)]
        case "search name" | "count search":
            return ContactFilter(search=f"{first} {last[:1]}"), None, ""
        case "search last word":
            return ContactFilter(search=last[:4]), None, ""
        case "search number":
            return ContactFilter(search=f"202{rng.randrange(1000):03}"), None, ""
        case "search one digit":
            return ContactFilter(search="2"), None, ""
        case _:
            return read_filter({"conditions": [_condition(name, first, last, rng)]}), None, ""


def _sort(name: str) -> Sort:
    words = {"name": Sort.NAME, "number": Sort.NUMBER, "contact": Sort.LAST_CONTACTED}
    return words.get(name.rsplit(maxsplit=1)[-1], Sort.CREATED)


def _condition(name: str, first: str, last: str, rng: random.Random) -> dict[str, Any]:
    week = rng.randrange(100)
    asked: dict[str, tuple[str, str, Any]] = {
        "outcome common": ("last_outcome", "is", "answered"),
        "count outcome": ("last_outcome", "is", "answered"),
        "outcome rare": ("last_outcome", "is", "invalid_number"),
        "outcomes": ("last_outcome", "any_of", ["rejected", "invalid_number", "busy"]),
        "import": ("import_id", "is", rng.randrange(1, 10)),
        "contacted this week": ("last_contacted_at", "within_days", 7),
        "never contacted": ("last_contacted_at", "empty", None),
        "added in a week long ago": (
            *("created_at", "between"),
            [(NOW - timedelta(days=7 * week + each)).date().isoformat() for each in (7, 0)],
        ),
        "name starts with": ("name", "starts_with", first[:2]),
        "number starts with": ("phone_number", "starts_with", f"202{rng.randrange(100):02}"),
        "tag of every fifth": ("tags", "is", "lead"),
        "tag of one in a hundred": ("tags", "is", "vip"),
        "tag of one in ten thousand": ("tags", "is", "press"),
        "suppressed": ("suppressed", "is", "any"),
        "company is": ("company", "is", f"company {rng.randrange(500)}"),
        "own field is": ("fields.deal", "is", "won"),
    }
    field, op, value = asked[name]
    return {"field": field, "op": op, "value": value}


async def _book(database: Database, url: str, size: int) -> Book:
    async with database.transaction() as session:
        organization = await make_organization(session)
    _copy(url, organization.id, size)
    return Book(principal(organization), size, {})


async def _with_middles(database: Database, book: Book) -> Book:
    """Return the book with a cursor half way down each of its sorts."""
    keys = {
        Sort.CREATED: ("created_at", "DESC"),
        Sort.NAME: ('lower(name) COLLATE "C"', "ASC"),
        Sort.NUMBER: ("number", "ASC"),
        Sort.LAST_CONTACTED: ("coalesce(last_contacted_at, '-infinity')", "DESC"),
    }
    middle = {}
    async with database.session() as session:
        for sort, (key, way) in keys.items():
            statement = text(
                f"SELECT CAST({key} AS text), id FROM contact WHERE organization_id = :organization "  # ours
                f"ORDER BY {key} {way}, id {way} OFFSET :half LIMIT 1"
            )
            given = {"organization": book.principal.organization_id, "half": book.size // 4}
            place, row_id = (await session.execute(statement, given)).one()
            middle[sort] = ListOrder(sort, way == "DESC").cursor((place, row_id))
    return Book(book.principal, book.size, middle)


def _copy(url: str, organization_id: int, size: int) -> None:
    rng = random.Random(size)
    columns = (
        "organization_id, number, name, last_name, email, company, tags, fields, last_outcome, last_contacted_at, "
        "import_id, source, first_name, time_zone, language, country, state, notes, consent, consent_source, "
        "consent_wording, consent_evidence, created_at, updated_at"
    )
    with connect(url) as connection, connection.cursor() as cursor:
        with cursor.copy(f"COPY contact ({columns}) FROM STDIN") as copy:
            for row in _people(rng, organization_id, size):
                copy.write_row(row)
        cursor.execute(
            "INSERT INTO suppression (organization_id, number, scope, reason, source, actor, created_at) "
            "SELECT organization_id, number, 'all', '', 'manual', '', created_at FROM contact "
            "WHERE organization_id = %s AND id %% 200 = 0",
            [organization_id],
        )


def _people(rng: random.Random, organization_id: int, size: int) -> Iterator[Sequence[Any]]:
    firsts = _FIRST.split()
    numbers = rng.sample(range(100_0000, 999_9999), size)
    for place, number in enumerate(numbers):
        first, last = rng.choice(firsts), _last_name(rng.randrange(1_000))
        created = NOW - timedelta(days=730) * (1 - place / size)
        outcome = rng.choice(_OUTCOMES) if rng.random() > 1e-3 else "invalid_number"
        if place > size * _CALLED:
            outcome = None
        tags = [tag for tag, share in (("lead", 0.2), ("vip", 0.01), ("press", 1e-4)) if rng.random() < share]
        contacted = NOW - timedelta(hours=rng.random() * 8_000) if outcome else None
        # Codes of cities in turn, so that a start of a number is a share of the book.
        yield (
            organization_id, f"+1{201 + place % 20}{number:07}", f"{first} {last}", last,
            f"{first}.{last}.{place}@example.com".lower(), f"Company {rng.randrange(500)}",
            "{" + ",".join(tags) + "}", '{"deal": "won"}' if place % 50 == 0 else "{}", outcome, contacted,
            1 + place * 10 // size, "import:1", first, "", "", "US", "NY", "", "unknown", "", "", "", created, created,
        )  # fmt: skip


def _last_name(number: int) -> str:
    """Return one of a thousand last names that begin with every letter."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    return (
        letters[number % 26] + letters[number // 26 % 26] + letters[(number * 7) % 26] + "son"
    ).capitalize()


def _settle(url: str) -> None:
    with connect(url) as connection:
        connection.execute("VACUUM (ANALYZE) contact")
        connection.execute("ANALYZE suppression")
