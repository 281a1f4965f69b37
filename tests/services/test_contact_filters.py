"""Filters of the address book on PostgreSQL, against what Python says of the same cards."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.contact_filter import Condition, ContactFilter, Kind, Match, Op, interval, kind_of, ops_of
from app.domain.contact_filter_reading import read_filter
from app.domain.recipient import RecipientStatus
from app.domain.suppression import SuppressionScope, SuppressionSource
from app.models import Contact, Organization, Suppression
from app.services.contacts.filter_sql import where
from tests.support.builders import (
    NOON,
    make_campaign,
    make_contact,
    make_organization,
    make_recipient,
)

DAY: Final = timedelta(days=1)
PEOPLE: Final[Sequence[dict[str, Any]]] = [
    {"number": "+12025550101", "name": "Ann Doe", "email": "ann@example.com", "company": "Acme", "tags": ["vip"]},
    {"number": "+12025550102", "name": "ann", "company": "ACME Ltd", "tags": ["vip", "Lead"], "state": "NY"},
    {"number": "+442071838750", "name": "Élodie Ann", "country": "GB", "tags": ["lead"], "notes": "100% sure"},
    {"number": "+12025550104", "fields": {"deal": "won", 'odd "name': "x"}, "last_outcome": "answered"},
    {"number": "+13035550105", "fields": {"deal": "Lost"}, "last_outcome": "no_answer", "consent": "granted"},
    {"number": "+12025550106", "last_contacted_at": NOON - 3 * DAY, "source": "import:7", "import_id": 7},
    {"number": "+12025550107", "last_contacted_at": NOON - 30 * DAY, "source": "api", "consent_at": NOON},
    {"number": "+12025550108", "created_at": NOON - 90 * DAY, "language": "de", "time_zone": "Europe/Berlin"},
]  # fmt: skip


@pytest.fixture
async def acme(session: AsyncSession) -> Organization:
    acme = await make_organization(session)
    other = await make_organization(session)
    for person in PEOPLE:
        for organization in (acme, other):
            await make_contact(session, organization, **{"name": "", **person})
    return acme


async def numbers(session: AsyncSession, acme: Organization, wanted: ContactFilter) -> set[str]:
    found = await session.execute(select(col(Contact.number)).where(*where(wanted, acme.id, NOON)))
    listed = list(found.scalars())
    assert len(listed) == len(set(listed))
    return set(listed)


async def matching(
    session: AsyncSession, acme: Organization, field: str, op: str, value: Any = None
) -> set[str]:
    """Return the last three digits of those that meet one condition."""
    wanted = read_filter(
        {"conditions": [{"field": field, "op": op, "value": value}]}, zone="America/New_York"
    )
    return {number[-3:] for number in await numbers(session, acme, wanted)}


@pytest.mark.parametrize(
    ("field", "op", "value", "found"),
    [
        ("name", "is", "ANN", {"102"}),
        ("name", "is_not", "ann", {"101", "750", "104", "105", "106", "107", "108"}),
        ("name", "starts_with", "Ann", {"101", "102"}),
        ("name", "starts_with", "éLO", {"750"}),
        ("name", "contains", "ANN", {"101", "102", "750"}),
        ("name", "empty", None, {"104", "105", "106", "107", "108"}),
        ("name", "not_empty", None, {"101", "102", "750"}),
        ("name", "any_of", ["ann", "ann doe"], {"101", "102"}),
        ("company", "is", "acme", {"101"}),
        ("company", "starts_with", "acme", {"101", "102"}),
        ("company", "not_contains", "acme", {"750", "104", "105", "106", "107", "108"}),
        ("notes", "contains", "%", {"750"}),
        ("notes", "contains", "_", set()),
        ("email", "is", "ANN@example.com", {"101"}),
        ("phone_number", "starts_with", "202", {"101", "102", "104", "106", "107", "108"}),
        ("phone_number", "starts_with", "+44", {"750"}),
        ("phone_number", "is", "(202) 555-0101", {"101"}),
        ("phone_number", "is", "+442071838750", {"750"}),
        ("phone_number", "contains", "5550", {"101", "102", "104", "105", "106", "107", "108"}),
        ("phone_number", "contains", "x", set()),
        ("phone_number", "none_of", ["+12025550101"], {"102", "750", "104", "105", "106", "107", "108"}),
        ("country", "is", "gb", {"750"}),
        ("state", "any_of", ["ny", "tx"], {"102"}),
        ("time_zone", "is", "Europe/Berlin", {"108"}),
        ("language", "is", "de", {"108"}),
        ("tags", "any_of", ["vip", "lead"], {"101", "102", "750"}),
        ("tags", "is", "Lead", {"102"}),
        ("tags", "all_of", ["vip", "Lead"], {"102"}),
        ("tags", "none_of", ["vip"], {"750", "104", "105", "106", "107", "108"}),
        ("tags", "empty", None, {"104", "105", "106", "107", "108"}),
        ("fields.deal", "is", "LOST", {"105"}),
        ("fields.deal", "not_empty", None, {"104", "105"}),
        ("fields.deal", "is_not", "won", {"101", "102", "750", "105", "106", "107", "108"}),
        ('fields.odd "name', "starts_with", "X", {"104"}),
        ("fields.none", "empty", None, {"101", "102", "750", "104", "105", "106", "107", "108"}),
        ("last_outcome", "any_of", ["answered", "no_answer"], {"104", "105"}),
        ("last_outcome", "none_of", ["answered"], {"101", "102", "750", "105", "106", "107", "108"}),
        ("last_outcome", "empty", None, {"101", "102", "750", "106", "107", "108"}),
        ("consent", "any_of", ["granted"], {"105"}),
        ("consent", "none_of", ["unknown"], {"105"}),
        ("consent_at", "not_empty", None, {"107"}),
        ("consent_at", "not_within_days", 1, {"101", "102", "750", "104", "105", "106", "108"}),
        ("source", "is", "import", {"106"}),
        ("source", "any_of", ["import", "api"], {"106", "107"}),
        ("import_id", "is", 7, {"106"}),
        ("import_id", "none_of", [7], {"101", "102", "750", "104", "105", "107", "108"}),
        ("last_contacted_at", "within_days", 7, {"106"}),
        ("last_contacted_at", "not_within_days", 7, {"101", "102", "750", "104", "105", "107", "108"}),
        ("last_contacted_at", "empty", None, {"101", "102", "750", "104", "105", "108"}),
        ("last_contacted_at", "not_empty", None, {"106", "107"}),
        ("last_contacted_at", "before", "2026-03-07", {"107"}),
        ("last_contacted_at", "before", "2026-03-08", {"106", "107"}),
        ("last_contacted_at", "after", "2026-03-06", {"106"}),
        ("last_contacted_at", "after", "2026-03-07", set()),
        ("last_contacted_at", "between", ["2026-03-07", "2026-03-07"], {"106"}),
        ("created_at", "before", "2026-01-01", {"108"}),
        ("created_at", "between", ["2026-03-10T16:00:00Z", "2026-03-10T16:00:00Z"],
         {"101", "102", "750", "104", "105", "106", "107"}),
        ("created_at", "after", "2026-03-10T16:00:00Z", set()),
    ],
)  # fmt: skip
async def test_a_condition_finds_who_meets_it(
    session: AsyncSession, acme: Organization, field: str, op: str, value: Any, found: set[str]
) -> None:
    assert await matching(session, acme, field, op, value) == found


async def test_suppressed_people_are_found_by_the_channel_that_is_closed(
    session: AsyncSession, acme: Organization
) -> None:
    for number, scope, lifted in (
        ("+12025550101", SuppressionScope.ALL, None),
        ("+12025550102", SuppressionScope.SMS, None),
        ("+12025550104", SuppressionScope.VOICE, NOON),
    ):
        session.add(
            Suppression(
                organization_id=acme.id, number=number, scope=scope, source=SuppressionSource.MANUAL,
                created_at=NOON, lifted_at=lifted,
            )
        )  # fmt: skip
    await session.flush()
    assert await matching(session, acme, "suppressed", "is", "any") == {"101", "102"}
    assert await matching(session, acme, "suppressed", "is", "voice") == {"101"}
    assert await matching(session, acme, "suppressed", "is", "sms") == {"101", "102"}
    assert "104" in await matching(session, acme, "suppressed", "is_not", "any")
    assert not {"101", "102"} & await matching(session, acme, "suppressed", "is_not", "any")


async def test_people_are_found_by_their_campaigns_and_how_they_fared_there(
    session: AsyncSession, acme: Organization
) -> None:
    campaign = await make_campaign(session, acme)
    ann = await make_contact(session, acme, number="+12025550201")
    bob = await make_contact(session, acme, number="+12025550202")
    await make_recipient(session, campaign, ann, status=RecipientStatus.NO_ANSWER)
    await make_recipient(session, campaign, bob, status=RecipientStatus.COMPLETED)
    assert await matching(session, acme, "campaign_id", "is", campaign.id) == {"201", "202"}
    assert await matching(session, acme, "campaign_status", "any_of", [f"{campaign.id}:no_answer"]) == {"201"}
    assert not {"201", "202"} & await matching(session, acme, "campaign_id", "none_of", [campaign.id])
    assert await matching(session, acme, "campaign_id", "not_empty") == {"201", "202"}


async def test_conditions_hold_together_or_one_by_one(session: AsyncSession, acme: Organization) -> None:
    two = [{"field": "tags", "op": "is", "value": "vip"}, {"field": "company", "op": "is", "value": "acme"}]
    together = await numbers(session, acme, read_filter({"conditions": two}))
    either = await numbers(session, acme, read_filter({"conditions": two, "match": "any"}))
    assert ({n[-3:] for n in together}, {n[-3:] for n in either}) == ({"101"}, {"101", "102"})
    searched = await numbers(session, acme, read_filter({"conditions": two, "match": "any", "search": "doe"}))
    assert {n[-3:] for n in searched} == {"101"}


async def test_everybody_is_everybody_of_the_organization(session: AsyncSession, acme: Organization) -> None:
    assert len(await numbers(session, acme, ContactFilter())) == len(PEOPLE)
    assert len(await numbers(session, acme, ContactFilter(match=Match.ANY))) == len(PEOPLE)


# What Python says of the same cards.

WORDS: Final = ("a", "A", "ab", "é", "É b", "%", "_", "\\", "b'", "1")
TEXTS: Final = ("name", "company", "notes", "email", "fields.own", "state")


def meets(person: Contact, condition: Condition, zone: str) -> bool:
    """Tell by plain Python whether a contact meets a condition."""
    negative = {
        Op.IS_NOT: Op.IS, Op.NOT_CONTAINS: Op.CONTAINS, Op.NONE_OF: Op.ANY_OF, Op.NOT_EMPTY: Op.EMPTY,
        Op.NOT_WITHIN_DAYS: Op.WITHIN_DAYS,
    }  # fmt: skip
    if condition.op in negative:
        return not meets(person, Condition(condition.field, negative[condition.op], condition.value), zone)
    field, value = condition.field, condition.value
    held = person.fields.get(field[7:], "") if field.startswith("fields.") else getattr(person, field)
    if condition.op is Op.EMPTY:
        return not held
    match kind_of(field):
        case Kind.TEXT:
            return _text_meets(held.lower(), condition)
        case Kind.TAGS:
            assert isinstance(value, tuple)
            asked = set(value)
            return asked <= set(held) if condition.op is Op.ALL_OF else bool(asked & set(held))
        case Kind.TIME:
            begin, end = interval(condition, zone, NOON)
            return held is not None and (begin is None or held >= begin) and (end is None or held < end)
        case _:
            assert isinstance(value, tuple)
            return held in value


def _text_meets(held: str, condition: Condition) -> bool:
    value = condition.value
    if isinstance(value, tuple):
        return held in {str(each).lower() for each in value}
    asked = str(value).lower()
    return {
        Op.IS: held == asked, Op.CONTAINS: asked in held, Op.STARTS_WITH: held.startswith(asked)
    }[condition.op]  # fmt: skip


moments = st.integers(-40 * 24, 40 * 24).map(lambda hours: NOON + timedelta(hours=hours))
days = moments.map(lambda moment: moment.date().isoformat())
words = st.sampled_from(WORDS)
people = st.fixed_dictionaries(
    {
        "name": words | st.just(""),
        "company": words | st.just(""),
        "notes": words | st.just(""),
        "email": words | st.just(""),
        "state": words | st.just(""),
        "fields": st.dictionaries(st.just("own"), words, max_size=1),
        "tags": st.lists(st.sampled_from(["x", "X", "y"]), unique=True),
        "last_outcome": st.none() | st.sampled_from(["busy", "answered"]),
        "consent": st.sampled_from(["unknown", "granted"]),
        "consent_at": st.none() | moments,
        "last_contacted_at": st.none() | moments,
        "created_at": moments,
    }
)
values = {
    Kind.TAGS: st.lists(st.sampled_from(["x", "X", "y", "z"]), min_size=1, unique=True),
    Kind.TIME: days | moments.map(datetime.isoformat),
}


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, Any]:
    field = draw(
        st.sampled_from(
            [*TEXTS, "tags", "last_outcome", "consent", "consent_at", "last_contacted_at", "created_at"]
        )
    )
    op = draw(st.sampled_from(sorted(ops_of(field))))
    value: Any
    if op in {Op.EMPTY, Op.NOT_EMPTY}:
        value = None
    elif op in {Op.WITHIN_DAYS, Op.NOT_WITHIN_DAYS}:
        value = draw(st.integers(1, 40))
    elif op is Op.BETWEEN:
        value = sorted((draw(days), draw(days)))
    elif field == "last_outcome":
        value = draw(st.lists(st.sampled_from(["busy", "answered", "voicemail"]), min_size=1))
    elif field == "consent":
        value = draw(st.sampled_from(["unknown", "granted", "denied"]))
    elif op in {Op.ANY_OF, Op.NONE_OF} and field in TEXTS:
        value = draw(st.lists(words, min_size=1))
    else:
        value = draw(values.get(kind_of(field) or Kind.TEXT, words))
    return {"field": field, "op": op.value, "value": value}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cards=st.lists(people, min_size=1, max_size=8),
    asked=st.lists(conditions(), max_size=4),
    match=st.sampled_from(list(Match)),
    zone=st.sampled_from(["UTC", "America/New_York", "Asia/Kolkata"]),
)
async def test_a_filter_finds_whom_python_finds(
    session: AsyncSession, cards: list[dict[str, Any]], asked: list[dict[str, Any]], match: Match, zone: str
) -> None:
    wanted = read_filter({"conditions": asked, "match": match.value}, zone=zone)
    organization = await make_organization(session)
    contacts = [await make_contact(session, organization, **card) for card in cards]
    decide = all if match is Match.ALL or not wanted.conditions else any
    expected = {
        one.number
        for one in contacts
        if decide([meets(one, condition, zone) for condition in wanted.conditions])
    }
    assert await numbers(session, organization, wanted) == expected
    await session.rollback()
