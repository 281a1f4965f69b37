"""The time zone column of a file: read, asked about, or left out; and how many people are where."""

from typing import Any, Final

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.places import ZoneSource
from app.domain.time_zones import read_zone
from app.models import Contact, ImportIssue, Organization, Place
from app.runtime.database import Database
from app.services.access.principal import Principal
from app.services.errors import Conflict, FieldErrors
from app.services.imports import operations, zones
from app.services.imports.issues import IssueKind
from app.services.imports.preview import preview_import
from app.services.imports.queries import get_import
from app.services.imports.zones import ZoneCount
from tests.support.builders import NOON

NEW_YORK: Final = "America/New_York"
ZONE_WORDS: Final = (
    *(
        "EST",
        "MST",
        "HST",
        "PST",
        "CST",
        "Eastern",
        "Eastern Time",
        "US/Eastern",
        "America/New York",
        "GMT+2",
    ),
    *("Etc/GMT+5", "UTC-5", "-05:00", "EST5EDT", "Eastern Standard Time", "America/Buenos_Aires"),
    *("Central European Time", "CET", "Asia/Calcutta"),
)
READ: Final = {
    "US/Eastern": NEW_YORK,
    "America/New York": NEW_YORK,
    "America/Buenos_Aires": "America/Argentina/Buenos_Aires",
    "Asia/Calcutta": "Asia/Kolkata",
}
ASKED: Final = {
    "Eastern": NEW_YORK,
    "Eastern Time": NEW_YORK,
    "Eastern Standard Time": NEW_YORK,
    "Central European Time": "Europe/Paris",
}
TIME_ZONES: Final = "phone,name,timezone\n" + "".join(
    f"+12025550{250 + row},{word},{word}\n" for row, word in enumerate(ZONE_WORDS)
)
CONTACT_ZONE: Final = (
    "phone,name,time_zone\n+13105553101,Honolulu,Pacific/Honolulu\n+13105553102,Kolkata,Asia/Kolkata\n"
    "+16025553103,Phoenix number,\n+442079460103,London number,\n"
)


async def store(database: Database, owner: Principal, text: str) -> int:
    async with database.transaction() as session:
        stored = await operations.store_import(
            session, principal=owner, campaign_ref=None, file_name="p.csv", data=text.encode(), now=NOON
        )
    return stored.id


async def import_at_once(database: Database, owner: Principal, text: str, words: dict[str, str]) -> int:
    async with database.transaction() as session:
        done = await operations.import_file(
            session,
            principal=owner,
            campaign_ref=None,
            file_name="people.csv",
            data=text.encode(),
            zone_words=words,
            now=NOON,
        )
    return done.import_id


async def own_zones(session: AsyncSession) -> dict[str, str]:
    return {contact.name: contact.time_zone for contact in await session.scalars(select(Contact))}


async def confirm(database: Database, owner: Principal, import_id: int, words: dict[str, Any]) -> None:
    async with database.transaction() as session:
        await operations.set_zone_words(session, principal=owner, import_ref=import_id, words=words, now=NOON)


async def test_the_preview_lists_each_word_that_is_no_zone_with_what_to_do(
    database: Database, session: AsyncSession, owner: Principal
) -> None:
    import_id = await store(database, owner, TIME_ZONES)
    preview = await preview_import(session, principal=owner, import_ref=import_id)

    assert {word.word: word.suggestion for word in preview.zone_words} == {
        word: ASKED.get(word, "") for word in ZONE_WORDS if word not in READ
    }
    assert all(word.people == 1 and not word.confirmed for word in preview.zone_words)
    assert all("America/New_York" in word.message or word.suggestion for word in preview.zone_words)
    # Without a zone of their own, people are where their number is: Washington.
    assert preview.zones == [
        ZoneCount((NEW_YORK,), 17),
        ZoneCount(("America/Argentina/Buenos_Aires",), 1),
        ZoneCount(("Asia/Kolkata",), 1),
    ]


async def test_words_are_left_out_with_a_warning_until_they_are_confirmed(
    database: Database, session: AsyncSession, owner: Principal
) -> None:
    import_id = await import_at_once(database, owner, TIME_ZONES, {})

    assert await own_zones(session) == {word: READ.get(word, "") for word in ZONE_WORDS}
    issues = list(await session.scalars(select(ImportIssue).where(col(ImportIssue.import_id) == import_id)))
    assert {issue.row["cells"][1] for issue in issues} == set(ZONE_WORDS) - READ.keys()
    assert {issue.kind for issue in issues} == {IssueKind.WARNING}
    assert all(issue.reason.startswith("The time zone was left out. “") for issue in issues)
    sources = set(await session.scalars(select(col(Contact.zone_source)).where(col(Contact.time_zone) == "")))
    assert sources == {ZoneSource.NUMBER}


async def test_confirmed_words_are_the_contact_s_own_zone(
    database: Database, session: AsyncSession, owner: Principal
) -> None:
    import_id = await import_at_once(database, owner, TIME_ZONES, ASKED)

    assert await own_zones(session) == {word: (READ | ASKED).get(word, "") for word in ZONE_WORDS}
    view = await get_import(session, principal=owner, import_ref=import_id)
    assert view.warnings == len(ZONE_WORDS) - len(READ) - len(ASKED)
    assert ZoneCount(("Europe/Paris",), 1) in view.zones
    assert sum(count.people for count in view.zones) == len(ZONE_WORDS)


async def test_a_confirmed_word_is_shown_as_such_in_any_case(
    database: Database, session: AsyncSession, owner: Principal
) -> None:
    import_id = await store(
        database, owner, "phone,tz\n+12025550143,Pacific\n+12025550144,pacific\n+12025550145,Mountain\n"
    )
    await confirm(database, owner, import_id, {"PACIFIC": "us/pacific"})
    preview = await preview_import(session, principal=owner, import_ref=import_id)

    assert [(word.word, word.people, word.confirmed) for word in preview.zone_words] == [
        ("Pacific", 2, "America/Los_Angeles"),
        ("Mountain", 1, ""),
    ]
    assert preview.zones == [ZoneCount(("America/Los_Angeles",), 2), ZoneCount((NEW_YORK,), 1)]


def test_of_many_different_words_the_most_frequent_are_shown_and_no_others_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[str] = []

    def noted(text: str) -> str:
        read.append(text)
        return read_zone(text)

    monkeypatch.setattr(zones, "read_zone", noted)
    words = {f"nowhere {number}": number for number in range(1, 100_000)}
    found = zones.zone_words_of(words, {})
    assert [each.people for each in found] == list(range(99_999, 99_899, -1))
    assert len(read) == zones.MOST_ZONE_WORDS


async def test_a_word_can_only_mean_a_zone(database: Database, owner: Principal) -> None:
    import_id = await store(database, owner, TIME_ZONES)
    with pytest.raises(FieldErrors) as refused:
        await confirm(database, owner, import_id, {"Eastern": "EST"})
    assert refused.value.errors.keys() == {"time_zone_words.Eastern"}


async def test_words_cannot_change_once_the_import_has_begun(database: Database, owner: Principal) -> None:
    import_id = await import_at_once(database, owner, TIME_ZONES, {})
    with pytest.raises(Conflict):
        await confirm(database, owner, import_id, ASKED)


async def test_a_list_over_the_world_has_each_person_where_they_are(
    database: Database, session: AsyncSession, owner: Principal, acme: Organization
) -> None:
    import_id = await import_at_once(database, owner, CONTACT_ZONE, {})

    rows = await session.execute(
        select(col(Contact.name), col(Place.zones), col(Contact.zone_source), col(Place.laws))
        .join(Place, col(Place.id) == col(Contact.place_id))
        .where(col(Contact.organization_id) == acme.id)
    )
    assert {name: (zones, source, laws) for name, zones, source, laws in rows} == {
        "Honolulu": (["Pacific/Honolulu"], "own", ["US", "US-CA"]),
        "Kolkata": (["Asia/Kolkata"], "own", ["IN"]),
        "Phoenix number": (["America/Phoenix"], "number", ["US", "US-AZ"]),
        "London number": (["Europe/London"], "number", ["GB"]),
    }
    view = await get_import(session, principal=owner, import_ref=import_id)
    assert {count.zones: count.people for count in view.zones} == {
        ("Pacific/Honolulu",): 1,
        ("Asia/Kolkata",): 1,
        ("America/Phoenix",): 1,
        ("Europe/London",): 1,
    }


async def test_people_who_may_be_in_several_zones_or_in_none_are_counted_apart(
    database: Database, session: AsyncSession, owner: Principal
) -> None:
    import_id = await import_at_once(
        database, owner, "phone\n+12705550143\n+15551234567\n+12025550143\n+12025550144\n", {}
    )
    view = await get_import(session, principal=owner, import_ref=import_id)
    assert view.zones == [
        ZoneCount((NEW_YORK,), 2),
        ZoneCount(("America/Chicago", NEW_YORK), 1),
        ZoneCount((), 1),
    ]
