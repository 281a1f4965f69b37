"""Pages of the address book: by cursors, in every sort, and never by reading the whole of it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, Final

import pytest
from sqlalchemy import Select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.contact_filter import EVERYBODY, ContactFilter
from app.domain.contact_filter_reading import read_filter
from app.models import Contact, Organization
from app.runtime.database import Database
from app.services.contacts.cursors import read_cursor
from app.services.contacts.index_scans import Sort
from app.services.contacts.paging import ListOrder, count_statement, page_statement
from app.services.contacts.queries import count_contacts, list_contacts
from app.services.errors import FieldErrors
from tests.support.builders import NOON, make_contact, make_organization, principal

HOUR: Final = timedelta(hours=1)
SORTED: Final = [sort for sort in Sort if sort is not Sort.MATCH]


async def walk(
    session: AsyncSession, acme: Organization, wanted: ContactFilter = EVERYBODY, **more: Any
) -> tuple[list[int], list[int]]:
    """Return the ids met on the way forward through all pages, and on the way back."""
    someone, cursor, ahead = principal(acme), "", list[int]()
    while True:
        page = await list_contacts(
            session, principal=someone, wanted=wanted, cursor=cursor, limit=3, now=NOON, **more
        )
        ahead += [row.id for row in page.items]
        if not page.next:
            break
        cursor = page.next
    back = [row.id for row in page.items]
    while page.previous:
        page = await list_contacts(
            session, principal=someone, wanted=wanted, cursor=page.previous, limit=3, now=NOON
        )
        back = [row.id for row in page.items] + back
    return ahead, back


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("sort", SORTED)
async def test_pages_meet_everybody_once_in_order_there_and_back(
    session: AsyncSession, acme: Organization, sort: Sort, *, descending: bool
) -> None:
    people = [
        await make_contact(
            session, acme, name=f"{['Ann', 'Bob', 'É'][place % 3]}", created_at=NOON + place // 4 * HOUR,
            last_contacted_at=None if place % 3 == 0 else NOON - place // 5 * HOUR,
        )
        for place in range(17)
    ]  # fmt: skip
    keys: dict[Sort, Any] = {
        Sort.CREATED: lambda one: one.created_at,
        Sort.NAME: lambda one: one.name.lower(),
        Sort.NUMBER: lambda one: one.number,
        Sort.LAST_CONTACTED: lambda one: one.last_contacted_at or NOON - 10_000 * HOUR,
    }
    expected = [
        one.id for one in sorted(people, key=lambda one: (keys[sort](one), one.id), reverse=descending)
    ]
    ahead, back = await walk(session, acme, sort=sort, descending=descending)
    assert (ahead, back) == (expected, expected)


async def test_what_a_search_finds_comes_in_the_order_of_what_was_found(
    session: AsyncSession, acme: Organization
) -> None:
    names = ("Doe", "Ann Doe", "Doeman Lee", "Bob Doebler", "Cy", "Do", "Doe Doe", "Ann Doe")
    for name in names:
        await make_contact(session, acme, name=name)
    page = await list_contacts(
        session, principal=principal(acme), wanted=ContactFilter(search="doe"), now=NOON
    )
    found = [row.name for row in page.items]
    assert found == ["Doe", "Ann Doe", "Ann Doe", "Doe Doe", "Bob Doebler", "Doeman Lee"]
    ahead, back = await walk(session, acme, ContactFilter(search="doe"))
    assert ahead == back == [row.id for row in page.items]


async def test_one_person_that_a_search_finds_twice_is_listed_once(
    session: AsyncSession, acme: Organization
) -> None:
    await make_contact(session, acme, name="1202 1202", number="+12025550100")
    ahead, back = await walk(session, acme, ContactFilter(search="1202"))
    assert len(ahead) == len(back) == 1


@pytest.mark.parametrize(
    ("start", "found"), [("1", 3), ("+1", 3), ("202", 2), ("44", 1), ("11", 0), ("x", 0)]
)
async def test_numbers_that_start_so_are_listed_once(
    session: AsyncSession, acme: Organization, start: str, found: int
) -> None:
    for number in ("+12025550101", "+12025550102", "+13035550103", "+442071838750"):
        await make_contact(session, acme, number=number)
    asked = {"conditions": [{"field": "phone_number", "op": "starts_with", "value": start}]}
    ahead, back = await walk(session, acme, read_filter(asked))
    assert (len(ahead), len(back)) == (found, found)


async def test_several_outcomes_come_newest_first(session: AsyncSession, acme: Organization) -> None:
    outcomes = ("busy", "answered", "no_answer", "busy", None, "no_answer", "busy")
    people = [
        await make_contact(session, acme, last_outcome=outcome, created_at=NOON + place * HOUR)
        for place, outcome in enumerate(outcomes)
    ]
    asked = {"conditions": [{"field": "last_outcome", "op": "any_of", "value": ["busy", "no_answer"]}]}
    expected = [one.id for one in reversed(people) if one.last_outcome in {"busy", "no_answer"}]
    ahead, back = await walk(session, acme, read_filter(asked))
    assert ahead == back == expected
    assert (
        await count_contacts(session, principal=principal(acme), wanted=read_filter(asked), now=NOON)
    ).count == 5


async def test_a_page_goes_on_where_it_was_when_people_come_and_go(
    session: AsyncSession, acme: Organization
) -> None:
    people = [await make_contact(session, acme, name=f"c{place}") for place in range(6)]
    first = await list_contacts(session, principal=principal(acme), sort=Sort.NAME, limit=3, now=NOON)
    await session.delete(people[2])
    await make_contact(session, acme, name="c0 and a half")
    await session.flush()
    second = await list_contacts(session, principal=principal(acme), cursor=first.next, limit=3, now=NOON)
    assert [row.name for row in second.items] == ["c3", "c4", "c5"]


async def test_counts_stop_where_nobody_reads_on(session: AsyncSession, acme: Organization) -> None:
    for _ in range(4):
        await make_contact(session, acme)
    someone = principal(acme)
    counts = [
        str(await count_contacts(session, principal=someone, most=most, now=NOON)) for most in (3, 4, 5)
    ]
    assert counts == ["3+", "4", "4"]


@pytest.mark.parametrize(
    "cursor",
    [
        *("x", "e30", "é", "A" * 5_000, "WzEsMiwzLDQsNV0"),
        *("WyJjcmVhdGVkIiwxLCJ4Iiw1LDBd", "WyJuYW1lIiwxLCJcdTAwMDAiLDUsMF0"),
    ],
)
def test_a_cursor_that_is_none_is_refused(cursor: str) -> None:
    with pytest.raises(FieldErrors) as refused:
        read_cursor(cursor)
    assert list(refused.value.errors) == ["cursor"]


# The plans of large address books.

PEOPLE: Final = 30_000


@pytest.fixture
async def large(database: Database) -> AsyncIterator[tuple[AsyncSession, int]]:
    """Two organizations' large address books, as they are after a while."""
    async with database.transaction() as session:
        organizations = [(await make_organization(session)).id for _ in range(2)]
        await session.execute(
            text("""
            INSERT INTO contact (organization_id, number, name, first_name, last_name, email, company, time_zone,
                language, country, state, notes, tags, fields, consent, consent_source, consent_wording,
                consent_evidence, last_outcome, last_contacted_at, source, import_id, created_at, updated_at)
            SELECT o, '+1' || (2020000000 + n * 7), chr(97 + n % 26) || chr(97 + n % 23) || 'x ' || chr(97 + n % 19)
                || chr(97 + n % 17) || chr(97 + n % 26), '', '', '', '', '', '', '', '', '',
                CASE WHEN n % 500 = 0 THEN ARRAY['vip'] ELSE ARRAY[]::varchar[] END,
                '{}', 'unknown', '', '', '',
                (ARRAY['answered', 'busy', 'rejected', NULL])[1 + least(n % 200, 3)],
                CASE WHEN n % 3 > 0 THEN CAST(:now AS timestamptz) - n * interval '1 minute' END,
                'manual', 1 + n / 3000, CAST(:now AS timestamptz) - n * interval '2 minutes', :now
            FROM generate_series(1, :people) n, unnest(CAST(:organizations AS bigint[])) o
            """),
            {"now": NOON, "people": PEOPLE, "organizations": organizations},
        )
    async with database.engine.connect() as connection:
        autocommit = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await autocommit.execute(text("ANALYZE contact"))
    async with database.session() as session:
        yield session, organizations[0]


PLANS: Final = [
    ({}, None, "ix_contact_newest"),
    ({}, Sort.NAME, "ix_contact_name"),
    ({}, Sort.NUMBER, "uq_contact_organization_id_number"),
    ({}, Sort.LAST_CONTACTED, "ix_contact_last_contacted"),
    ({"search": "ab"}, None, "ix_contact_name"),
    ({"search": "ab"}, None, "ix_contact_last_word"),
    ({"search": "2021"}, None, "uq_contact_organization_id_number"),
    ({"conditions": [{"field": "name", "op": "starts_with", "value": "ab"}]}, None, "ix_contact_name"),
    ({"conditions": [{"field": "name", "op": "is", "value": "abx abc"}]}, None, "ix_contact_name"),
    (
        *({"conditions": [{"field": "phone_number", "op": "starts_with", "value": "+1202"}]}, None),
        "uq_contact_organization_id_number",
    ),
    (
        *({"conditions": [{"field": "phone_number", "op": "starts_with", "value": "2029"}]}, None),
        "Index Cond: ((organization_id",
    ),
    ({"conditions": [{"field": "last_outcome", "op": "is", "value": "rejected"}]}, None, "ix_contact_last_outcome"),
    (
        *({"conditions": [{"field": "last_outcome", "op": "any_of", "value": ["busy", "rejected"]}]}, None),
        "ix_contact_last_outcome",
    ),
    (
        *({"conditions": [{"field": "last_contacted_at", "op": "before", "value": "2026-03-01"}]}, None),
        "ix_contact_last_contacted",
    ),
    ({"conditions": [{"field": "last_contacted_at", "op": "empty"}]}, None, "ix_contact_last_contacted"),
    ({"conditions": [{"field": "import_id", "op": "is", "value": 3}]}, None, "ix_contact_import"),
    (
        *({"conditions": [{"field": "created_at", "op": "between", "value": ["2026-02-10", "2026-02-11"]}]}, None),
        "ix_contact_newest",
    ),
    ({"conditions": [{"field": "tags", "op": "is", "value": "vip"}]}, None, "Index Scan"),
    ({"conditions": [{"field": "id", "op": "any_of", "value": [5, 6, 7]}]}, None, "pk_contact"),
]  # fmt: skip


async def test_no_page_and_no_count_reads_the_whole_address_book(large: tuple[AsyncSession, int]) -> None:
    session, organization_id = large
    for asked, sort, index in PLANS:
        wanted = read_filter(asked)
        order = ListOrder.of(wanted, sort, None)
        pages = [
            page_statement(
                wanted, organization_id=organization_id, now=NOON, order=order, after=None, limit=51
            )
        ]
        pages.append(await _deeper(session, pages[0], wanted, organization_id, order))
        for statement in pages:
            plan = await explain(session, statement)
            assert index in plan, f"{asked} {sort}\n{plan}"
            assert "Seq Scan on contact" not in plan, f"{asked} {sort}\n{plan}"
        if index.startswith("ix_"):  # Where nearly everybody matches, a hundred are soon found anywhere.
            counted = count_statement(wanted, organization_id=organization_id, now=NOON, most=100)
            assert "Seq Scan on contact" not in await explain(session, counted), asked


async def _deeper(
    session: AsyncSession,
    statement: Select[Contact, str],
    wanted: ContactFilter,
    organization_id: int,
    order: ListOrder,
) -> Select[Contact, str]:
    """Return the statement of the page after the one that `statement` reads."""
    rows = (await session.execute(statement)).all()
    place = (str(rows[-1][1]), rows[-1][0].id) if rows else (NOON.isoformat(), 5)
    after = read_cursor(order.cursor(place))
    return page_statement(
        wanted, organization_id=organization_id, now=NOON, order=order, after=after, limit=51
    )


async def explain(session: AsyncSession, statement: Select[*tuple[Any, ...]]) -> str:
    connection = await session.connection()
    compiled = statement.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
    rows = await connection.exec_driver_sql(f"EXPLAIN {compiled}", compiled.params)
    return "\n".join(rows.scalars())
