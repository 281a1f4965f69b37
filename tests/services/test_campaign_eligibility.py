"""Who is promised to be called is called, and who is said to be skipped is skipped: the count beside the outcome."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import count
from random import Random
from typing import Any, Final

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.attempt import Disposition
from app.domain.campaign import CampaignStatus, Channel
from app.domain.consent import Consent
from app.domain.gate import Rule
from app.domain.recipient import RecipientStatus
from app.domain.suppression import SuppressionScope, SuppressionSource
from app.domain.templates import Missing, MissingVariable
from app.domain.text import is_blank
from app.models import Campaign, Contact, Recipient, Suppression
from app.runtime.database import Database
from app.services.campaigns.eligibility import _VISIBLE, list_skipped
from app.services.campaigns.operations import duplicate_campaign
from app.services.campaigns.preflight import preflight
from app.services.campaigns.rendering import render_attempt_texts
from app.services.campaigns.rows import load_rows
from app.services.campaigns.views import Eligibility, Preflight
from tests.support.builders import principal, run_id_of, step_id_of
from tests.support.stage import DialingStage, set_stage

_S = RecipientStatus
_serial = count(1)

TEMPLATES: Final = (
    "Hi {{first_name}}, {{plan}}.",
    "Hi {{name}}{% if plan %} on {{plan}}{% endif %} {{last_name}}.",
    "Hi {{First_Name|default('you')}} of {{contact_company}}: {{notes|default(plan)}}.",
    "Hi. {% if plan == 'gold' %}{{first_name}}{% elif 'x' in name %}{{email}}{% endif %}",
    "{{plan}}",
    "{{notes|default('')}}{% if plan == 'gold' %}{{first_name|default(' ')}}{% endif %}",
    "\u200b{{email}}\u2060{{contact_company}}\ufeff",
    "Hi {{contact_name}}, {{company}} calls {{phone|phone_format}}{% if name is defined %}!{% endif %}",
)
CARDS: Final[Sequence[dict[str, str]]] = (
    *(
        {"name": name}
        for name in ("", "", " ", "Ann", "Ann Lee", "Mr. Smith", "dr Jane Doe", "Doe, Jane", "Doe,")
    ),
    *(
        {"name": name}
        for name in ("\u5c71\u7530\u3000\u592a\u90ce", "\u00a0", "\u00c9lodie", "Mrs", ", Jo", "a\tb")
    ),
    *({"name": name} for name in ("\u00ad", "\u3164", "\u200b Ann", "Ann\u00ada", "\ufeff", "Dr. \u2060")),
    {"name": "", "first_name": "Bo"},
    {"name": "", "last_name": "van Doe"},
    {"name": "Ann", "company": "Beta", "email": "a@example.com", "notes": "likes tea"},
)
ROWS: Final[Sequence[dict[str, Any]]] = (
    {},
    *({"plan": plan} for plan in ("gold", "silver", "", " ", None, 0, "\u00a0", "\u200b", "\u00ad")),
    {"plan": "gold", "first_name": "Cy"},
    {"plan": "gold", "name": "Prof. Dorn"},
    {"plan": "gold", "company": "Gamma", "name": " "},
)


async def _add(
    session: AsyncSession, stage: DialingStage, people: Sequence[tuple[dict[str, Any], dict[str, Any]]]
) -> list[Contact]:
    """Add people to the campaign, each as what its contact's card and its recipient say beside the usual."""
    campaign, now = await session.get_one(Campaign, stage.campaign_id), stage.clock.now()
    given: dict[str, Any] = {"organization_id": stage.organization.id, "created_at": now, "updated_at": now}
    contacts = [
        Contact(**given | {"number": f"+1202{next(_serial):07}", "name": "Ann Lee"} | card)
        for card, _ in people
    ]
    session.add_all(contacts)
    await session.flush()
    where = {
        "campaign_id": campaign.id,
        "run_id": await run_id_of(session, campaign),
        "step_id": await step_id_of(session, campaign),
        "not_before": now,
    }
    session.add_all(
        Recipient(**given | where | {"contact_id": contact.id, "position": position} | values)
        for position, (contact, (_, values)) in enumerate(zip(contacts, people, strict=True), start=1)
    )
    await session.flush()
    return contacts


def _anybody(random: Random) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return somebody with and without each value, who may not want to be called, or was before."""
    card = {"consent": random.choice([Consent.UNKNOWN] * 6 + [*Consent]), **random.choice(CARDS)}
    status = random.choice([_S.PENDING] * 12 + [_S.SKIPPED, _S.COMPLETED, _S.CANCELLED])
    tried = random.choice([0, 0, 0, 1, 3]) if status is _S.PENDING else 0
    values: dict[str, Any] = {"status": status, "attempts_made": tried, "variables": random.choice(ROWS)}
    if tried:
        values |= {"last_disposition": Disposition.BUSY, "attempts_allowed": random.choice([None, 4])}
    if status is _S.SKIPPED:
        values |= {"blocked_by": "by_hand", "blocked_why": "Skipped by Ann."}
    return card, values


def _suppression(contact: Contact, random: Random) -> Suppression:
    return Suppression(
        organization_id=contact.organization_id,
        number=contact.number,
        scope=random.choice([*SuppressionScope]),
        reason=random.choice(["", "asked us to stop"]),
        source=random.choice([*SuppressionSource]),
        created_at=contact.created_at,
        lifted_at=random.choice([None, None, contact.created_at]),
    )


async def _foreseen(stage: DialingStage) -> tuple[Preflight, dict[int, str]]:
    asked: dict[str, Any] = {"principal": principal(stage.organization), "campaign_ref": stage.campaign_id}
    async with stage.database.session() as session:
        check = await preflight(session, **asked, now=stage.clock.now())
        return check, await list_skipped(session, **asked, now=stage.clock.now())


async def _dial_everybody(stage: DialingStage) -> None:
    while (await stage.statuses())[_S.PENDING]:
        before = await stage.statuses()
        await stage.dial()
        stage.clock.advance(seconds=2)
        assert await stage.statuses() != before, "nobody is dialed any more, and somebody still waits"


def _outcome(people: Sequence[Recipient], before: Sequence[Recipient], tried: set[int]) -> Eligibility:
    """Return what the campaign did in the words of the promise; the reasons are compared one by one."""
    waited = {each.id for each in before if each.status is _S.PENDING}
    ended = {each.id for each in people if each.id in waited - tried and each.status is not _S.SKIPPED}
    return Eligibility(total=len(people), contacted=len(tried), used_up=len(ended))


@pytest.mark.parametrize("missing", Missing)
@pytest.mark.parametrize("channel", [Channel.CALL, Channel.SMS])
@pytest.mark.parametrize("template", range(len(TEMPLATES)))
async def test_what_is_promised_before_the_start_is_what_the_campaign_does(
    database: Database, template: int, channel: Channel, missing: Missing
) -> None:
    part = "sms_message_template" if channel is Channel.SMS else "welcome_message_template"
    stage = await set_stage(
        database,
        contacts=0,
        channel=channel,
        step={part: TEMPLATES[template]},
        missing=missing,
        messages_per_second=100,
        organization={"frequency_cap": 0},
    )
    async with database.transaction() as session:
        random = Random(f"{template}{channel}{missing}")
        contacts = await _add(session, stage, [_anybody(random) for _ in range(60)])
        session.add_all(_suppression(contact, random) for contact in contacts[::4])
    before = await stage.recipients()

    check, skipped = await _foreseen(stage)
    await _dial_everybody(stage)

    after = await stage.recipients()
    tried = {attempt.recipient_id for attempt in await stage.attempts()}
    done = _outcome(after, before, tried)
    promised = check.people
    assert (promised.total, promised.contacted, promised.used_up) == (
        done.total,
        done.contacted,
        done.used_up,
    )
    assert skipped == {each.id: each.blocked_why for each in after if each.status is _S.SKIPPED}
    rules = Counter[str]()
    for each in promised.skipped:
        rules[each.rule] += each.count
    assert rules == Counter(each.blocked_by for each in after if each.status is _S.SKIPPED)
    for reason in promised.skipped:
        named = [why for why in skipped.values() if f"{{{{{reason.variable}}}}}" in why]
        assert not reason.variable or len(named) >= reason.count
    assert promised.contacted > 0
    assert promised.skipped_count == len(skipped) > 0
    assert missing is not Missing.SKIP or not promised.lacking


async def test_the_clinics_31_people(database: Database) -> None:
    """Ux review B2: 31 were promised, 5 of them were skipped, and the one without a name was not mentioned."""
    stage = await set_stage(
        database,
        contacts=0,
        missing=Missing.SKIP,
        status=CampaignStatus.DRAFT,
        step={"welcome_message_template": "Hi {{first_name}}, see you on {{appt_date}}."},
    )
    async with database.transaction() as session:
        dates: list[dict[str, str]] = [
            {} if nth in {3, 4, 20, 30} else {"appt_date": "Monday"} for nth in range(31)
        ]
        names = ["" if nth == 7 else "Ann Lee" for nth in range(31)]
        people = [({"name": name}, {"variables": date}) for name, date in zip(names, dates, strict=True)]
        await _add(session, stage, people)

    check, skipped = await _foreseen(stage)

    assert (check.people.total, check.people.contacted) == (31, 26)
    assert [(each.rule, each.variable, each.count) for each in check.people.skipped] == [
        (Rule.TEMPLATE, "appt_date", 4),
        (Rule.TEMPLATE, "first_name", 1),
    ]
    positions = {each.id: each.position for each in await stage.recipients()}
    first = min(positions.values())
    assert [positions[each] - first for each in skipped] == [3, 4, 7, 20, 30]
    assert skipped[next(iter(skipped))] == "This contact has no value for {{appt_date}}."


@pytest.mark.parametrize("missing", [Missing.BLANK, Missing.KEEP, Missing.FALLBACK])
async def test_a_gap_that_nothing_fills_is_told_for_every_variable(
    database: Database, missing: Missing
) -> None:
    stage = await set_stage(
        database,
        contacts=0,
        missing=missing,
        step={"welcome_message_template": "{{first_name}} {{email}} {{plan}}"},
    )
    async with database.transaction() as session:
        given = (("", "", "gold"), ("Ann", "a@example.com", "gold"), ("Bo", "", ""))
        people = [
            ({"name": name, "email": email}, {"variables": {"plan": plan}}) for name, email, plan in given
        ]
        await _add(session, stage, people)

    check, _ = await _foreseen(stage)

    gaps = {"email": 2, "plan": 1} | ({} if missing is Missing.FALLBACK else {"first_name": 1})
    assert (check.people.contacted, check.people.lacking) == (3, gaps)
    assert "2 contacts have no value for {{email}}." in check.warnings
    assert ("1 contact has no value for {{first_name}}." in check.warnings) is (
        missing is not Missing.FALLBACK
    )


async def test_a_suppressed_person_of_a_copy_is_not_promised(database: Database) -> None:
    stage = await set_stage(database, contacts=2)
    one = (await stage.recipients())[0]
    async with database.transaction() as session:
        session.add(_suppression(await session.get_one(Contact, one.contact_id), Random(0)))
        await session.flush()
        await session.execute(text("UPDATE suppression SET scope = 'all', lifted_at = NULL"))
        owner = principal(stage.organization)
        copy = await duplicate_campaign(
            session, principal=owner, campaign_ref=stage.campaign_id, now=stage.clock.now()
        )
        check = await preflight(session, principal=owner, campaign_ref=copy, now=stage.clock.now())
    assert (check.people.total, check.people.contacted) == (2, 1)
    assert [(each.rule, each.count) for each in check.people.skipped] == [(Rule.SUPPRESSION, 1)]


async def test_who_has_reached_the_frequency_cap_is_called_later_and_told_before(database: Database) -> None:
    stage = await set_stage(
        database, contacts=3, organization={"frequency_cap": 1, "frequency_cap_hours": 24}
    )
    await stage.dial(most=2)
    async with database.transaction() as session:
        await session.execute(text("UPDATE recipient SET status = 'pending', attempts_made = 0"))
        await session.execute(text("UPDATE attempt SET status = 'completed', ended_as = 'completed'"))

    check, skipped = await _foreseen(stage)

    assert (check.people.contacted, check.people.capped, skipped) == (3, 2, {})
    assert any(warning.startswith("2 contacts have been contacted as often") for warning in check.warnings)
    assert len(await stage.dial()) == 1
    waits = [each.blocked_by for each in await stage.recipients() if each.status is _S.PENDING]
    assert waits == [Rule.FREQUENCY] * 2


async def test_names_of_every_shape_are_judged_as_the_dialer_renders_them(database: Database) -> None:
    """The database tells people apart by their names' shapes: no shape may hide a name that renders otherwise."""
    random = Random(7)
    bits = (
        "a",
        "Zo\u00eb",
        " ",
        " ",
        ",",
        ".",
        "Mr",
        "mrs.",
        "DR..",
        "\u00a0",
        "\u3000",
        "\t",
        "\n",
        "\u2003",
    )
    odd = (
        "\u017f",
        "\u0130",
        "\x01",
        "\x1f",
        "\u200b",
        "\ufeff",
        "\u00ad",
        "\u3164",
        "\u061c",
        "\U0001f600",
        "\u5c71",
        "Prof",
        "\u1680",
        "-",
    )
    stage = await set_stage(
        database,
        contacts=0,
        missing=Missing.SKIP,
        step={"welcome_message_template": "{{first_name}}", "agenda_template": "{{last_name}}"},
    )

    def name() -> str:
        pool = bits + odd if random.random() < 0.3 else bits
        return "".join(random.choice(pool) for _ in range(random.randint(0, 6)))

    async with database.transaction() as session:
        people = []
        for _ in range(1_200):
            card = {"name": name(), "first_name": name() if random.random() < 0.2 else ""}
            people.append((card, {"variables": {"last_name": name()} if random.random() < 0.2 else {}}))
        contacts = {contact.id: contact for contact in await _add(session, stage, people)}

    _, skipped = await _foreseen(stage)

    async with database.session() as session:
        rows = await load_rows(session, principal(stage.organization), stage.campaign_id)
        for each in await stage.recipients():
            contact = contacts[each.contact_id]
            try:
                render_attempt_texts(rows.step, rows.campaign, None, "Acme", contact, each.variables)
                why = None
            except MissingVariable as problem:
                why = str(problem)
            assert skipped.get(each.id) == why, (contact.name, contact.first_name, each.variables)


def test_what_the_database_takes_for_visible_is_not_blank() -> None:
    """It tells people with a value from people without by this class: a blank value in it would count as one."""
    visible = re.compile(_VISIBLE)
    assert [each for each in map(chr, range(0xD800)) if visible.fullmatch(each) and is_blank(each)] == []


async def test_a_long_list_is_judged_by_kinds_and_not_one_by_one(database: Database) -> None:
    stage = await set_stage(
        database,
        contacts=0,
        missing=Missing.SKIP,
        step={"welcome_message_template": "Hi {{first_name}} {{plan}}"},
    )
    async with database.transaction() as session:
        people = [
            ({"name": f"Ann{nth} Lee{nth}"}, {"variables": {"plan": f"plan {nth}" if nth % 3 else ""}})
            for nth in range(300)
        ]
        await _add(session, stage, people)
    read: list[int] = []
    engine = database.engine.sync_engine

    def count_rows(_connection: Any, cursor: Any, statement: str, *_more: Any) -> None:
        if "judged" in statement:
            read.append(cursor.rowcount)

    event.listen(engine, "after_cursor_execute", count_rows)
    check, skipped = await _foreseen(stage)
    event.remove(engine, "after_cursor_execute", count_rows)

    assert (check.people.contacted, check.people.skipped_count, len(skipped)) == (200, 100, 100)
    assert read == [2, 2, 100]
