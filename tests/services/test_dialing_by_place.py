"""People are contacted when the calling hours are open where each of them is, and nobody else is looked at."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.domain.calling_hours import HoursClock
from app.domain.campaign import Channel, Purpose
from app.domain.consent import Consent
from app.domain.events import EventKind
from app.domain.legal_policy import LegalPolicy, ZoneTrust
from app.domain.recipient import RecipientStatus
from app.models import Campaign, Organization, Recipient
from app.providers.base import MessageOrder
from app.runtime.database import Database
from app.services.contacts.operations import update_contact
from app.services.dialing.completion import next_due_at
from app.services.dialing.reserve.fair_share import plan
from tests.support.builders import make_contact, make_recipient, principal
from tests.support.stage import DialingStage, set_stage

OFFICE = [{"start": "09:00", "end": "17:00", "days": [1, 2, 3, 4, 5]}]
THEIR_HOURS: dict[str, Any] = {"calling_windows": OFFICE, "calling_clock": HoursClock.CONTACT}
HONOLULU, KOLKATA, PHOENIX, LONDON = "+13105553101", "+13105553102", "+16025553103", "+442079460103"
MONDAY_10_IN_NEW_YORK = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)


async def stage_with(
    database: Database, *people: dict[str, Any], organization: dict[str, Any] | None = None, **campaign: Any
) -> DialingStage:
    """Return a started campaign to these contacts, at 10:00 in New York on a Monday."""
    stage = await set_stage(database, contacts=0, organization=organization, **campaign)
    for each in people:
        await add(stage, **each)
    return stage


async def add(stage: DialingStage, **card: Any) -> Recipient:
    async with stage.database.transaction() as session:
        campaign = await session.get_one(Campaign, stage.campaign_id)
        owner = await session.get_one(Organization, stage.organization.id)
        contact = await make_contact(session, owner, **card)
        now = stage.clock.now()
        return await make_recipient(
            session, campaign, contact, not_before=now, created_at=now, updated_at=now
        )


async def called(stage: DialingStage) -> list[str]:
    """Reserve all that may be reserved now, and return the numbers."""
    return sorted(each.to for each in await stage.dial())


FOUR = (
    {"number": HONOLULU, "time_zone": "Pacific/Honolulu"},
    {"number": KOLKATA, "time_zone": "Asia/Kolkata"},
    {"number": PHOENIX},
    {"number": LONDON},
)


async def test_each_person_is_called_within_the_hours_of_their_own_clock(database: Database) -> None:
    stage = await stage_with(database, *FOUR, **THEIR_HOURS)
    # 05:00 in Honolulu, 20:30 in Kolkata, 08:00 in Phoenix, 15:00 in London.
    assert await called(stage) == [LONDON]
    stage.clock.advance(hours=1)
    assert await called(stage) == [PHOENIX]
    stage.clock.advance(hours=3)
    assert await called(stage) == [HONOLULU]
    stage.clock.advance(hours=8, minutes=30)  # 09:00 on Tuesday in Kolkata
    assert await called(stage) == [KOLKATA]


async def test_by_the_campaigns_clock_legal_hours_still_hold_where_each_person_is(database: Database) -> None:
    stage = await stage_with(database, *FOUR, calling_windows=OFFICE, time_zone="America/New_York")
    # 05:00 in Honolulu and 20:30 in Kolkata, of 10:00 in New York.
    assert await called(stage) == [KOLKATA, PHOENIX, LONDON]
    stage.clock.advance(hours=3)
    assert await called(stage) == [], "08:00 in Honolulu, and the number's law, California's, begins at 09:00"
    stage.clock.advance(hours=1)
    assert await called(stage) == [HONOLULU]


@pytest.mark.parametrize(
    ("policy", "expected"), [(LegalPolicy.LAW, []), (LegalPolicy.STRICT, []), (LegalPolicy.OFF, [PHOENIX])]
)
async def test_legal_hours_lie_under_a_campaign_without_hours_unless_an_owner_switched_them_off(
    database: Database, policy: LegalPolicy, expected: list[str]
) -> None:
    stage = await stage_with(database, {"number": PHOENIX}, organization={"legal_policy": policy})
    stage.clock.advance(hours=16)  # midnight in Phoenix
    assert await called(stage) == expected


async def test_the_hours_must_hold_in_every_zone_where_a_number_may_be(database: Database) -> None:
    either = "+12705550123"
    stage = await stage_with(
        database, {"number": either}, organization={"legal_policy": LegalPolicy.OFF}, **THEIR_HOURS
    )
    stage.clock.at -= timedelta(minutes=1)
    await make_due(stage)
    assert await called(stage) == [], "09:59 in Louisville, but 08:59 in Bowling Green"
    stage.clock.advance(minutes=1)
    assert await called(stage) == [either]


async def make_due(stage: DialingStage) -> None:
    async with stage.database.transaction() as session:
        await session.execute(text("UPDATE recipient SET not_before = :now"), {"now": stage.clock.now()})


async def test_an_organization_may_demand_the_own_zone_and_the_numbers(database: Database) -> None:
    distrust = {"zone_trust": ZoneTrust.BOTH}
    stage = await stage_with(
        database, {"number": PHOENIX, "time_zone": "Europe/London"}, organization=distrust, **THEIR_HOURS
    )
    assert await called(stage) == [], "15:00 in London, but 08:00 in Phoenix"
    stage.clock.advance(hours=1)
    assert await called(stage) == [PHOENIX]


async def test_a_number_that_says_nothing_is_called_by_the_campaigns_zone(database: Database) -> None:
    stage = await stage_with(
        database, {"number": "+15551234567"}, time_zone="America/Los_Angeles", **THEIR_HOURS
    )
    assert await called(stage) == []
    stage.clock.advance(hours=2)
    assert await called(stage) == ["+15551234567"]


async def test_a_zone_that_is_not_known_blocks_and_says_so(database: Database) -> None:
    stage = await stage_with(database, {"number": PHOENIX})
    async with database.transaction() as session:
        await session.execute(text("UPDATE place SET zones = '{Mars/Olympus}'"))
    assert await called(stage) == []
    campaign = await stage.campaign()
    assert (campaign.gate_rule, campaign.gate_until) == ("calling_hours", None)
    assert "Mars/Olympus" in str(campaign.gate_why)


async def test_people_in_closed_places_are_not_written_to(database: Database) -> None:
    stage = await stage_with(database, *FOUR, **THEIR_HOURS)
    before = {each.contact_id: each.updated_at for each in await stage.recipients()}
    stage.clock.advance(minutes=1)
    assert await called(stage) == [LONDON]
    changed = [each for each in await stage.recipients() if each.updated_at != before[each.contact_id]]
    assert len(changed) == 1


async def test_a_campaign_whose_places_are_all_closed_says_until_when_and_wakes_then(
    database: Database,
) -> None:
    stage = await stage_with(database, *FOUR[:3], **THEIR_HOURS)
    assert await turns(stage) == [stage.campaign_id], "one look, to store why"
    assert await called(stage) == []
    nine_in_phoenix = MONDAY_10_IN_NEW_YORK + timedelta(hours=1)
    campaign = await stage.campaign()
    assert (campaign.gate_rule, campaign.gate_until) == ("calling_hours", nine_in_phoenix)
    assert "08:00 in Phoenix" in str(campaign.gate_why)
    assert await turns(stage) == [], "no more until something changes"
    async with database.session() as session:
        assert await next_due_at(session, now=stage.clock.now()) == nine_in_phoenix


async def test_somebody_added_in_an_open_place_does_not_wait_for_the_others_hours(database: Database) -> None:
    stage = await stage_with(database, *FOUR[:3], **THEIR_HOURS)
    assert await called(stage) == []
    await add(stage, number=LONDON)
    assert await turns(stage) == [stage.campaign_id]
    assert await called(stage) == [LONDON]
    assert (await stage.campaign()).gate_rule is None


async def turns(stage: DialingStage) -> list[int]:
    async with stage.database.session() as session:
        planned = await plan(session, carrier_account_id=stage.account.id, now=stage.clock.now())
    return [turn.campaign_id for turn in planned.turns]


async def test_each_attempt_keeps_its_place_the_version_of_the_law_and_its_own_closing_time(
    database: Database,
) -> None:
    stage = await stage_with(database, {"number": LONDON}, {"number": "+12125550123"}, **THEIR_HOURS)
    await stage.reserve()
    by_number = {each.number_to: each for each in await stage.attempts()}
    five_in_london = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)
    assert by_number[LONDON].closes_at == five_in_london
    assert by_number["+12125550123"].closes_at == five_in_london + timedelta(hours=5)
    assert len({each.place_id for each in by_number.values()} - {None}) == 2
    assert {each.legal_hours.split()[0] for each in by_number.values()} == {"law"}


async def test_a_contact_without_a_place_gets_one_before_it_is_called(database: Database) -> None:
    stage = await stage_with(database, *FOUR, **THEIR_HOURS)
    async with database.transaction() as session:
        await session.execute(text("UPDATE recipient SET place_id = NULL"))
        await session.execute(text("UPDATE contact SET place_id = NULL, zone_source = ''"))
    assert await turns(stage) == [stage.campaign_id]
    assert await called(stage) == [LONDON]
    async with database.session() as session:
        sources = await session.execute(text("SELECT zone_source FROM contact ORDER BY id"))
        assert list(sources.scalars()) == ["own", "own", "number", "number"]


async def test_a_recipient_follows_its_contact_to_another_place(database: Database) -> None:
    stage = await stage_with(database, {"number": LONDON}, {"number": PHOENIX}, **THEIR_HOURS)
    async with database.transaction() as session:
        # As if the contact had moved while its recipient was locked: only its card says Phoenix.
        await session.execute(
            text("UPDATE contact SET place_id = (SELECT place_id FROM contact WHERE number = :phoenix)"),
            {"phoenix": PHOENIX},
        )
    assert await called(stage) == [], "08:00 in Phoenix"
    stage.clock.advance(hours=1)
    assert await called(stage) == [PHOENIX, LONDON]


async def test_somebody_who_moves_after_the_reservation_is_not_called_by_the_old_places_hours(
    database: Database,
) -> None:
    stage = await stage_with(database, {"number": LONDON}, **THEIR_HOURS)
    (reservation,) = await stage.reserve()
    async with database.transaction() as session:
        await update_contact(
            session,
            principal=principal(stage.organization),
            contact_id=(await stage.recipients())[0].contact_id,
            changes={"time_zone": "Asia/Kolkata"},
            now=stage.clock.now(),
        )
    assert await stage.place(reservation) == [], "15:00 in London, but 20:30 in Kolkata"


async def test_a_request_that_gets_ready_until_the_hours_end_does_not_leave(database: Database) -> None:
    stage = await stage_with(database, {"number": LONDON}, **THEIR_HOURS)
    stage.clock.at += timedelta(hours=2) - timedelta(seconds=0.2)
    (reservation,) = await stage.reserve()

    async def connect() -> None:
        stage.clock.advance(seconds=0.2)  # Too short for another look at the rows.

    stage.carrier.connects = connect
    (answer,) = await stage.place(reservation)
    assert (answer.left_at, stage.carrier.made) == (None, {}), "17:00 in London"


async def test_the_law_of_a_state_caps_the_attempts_within_a_day(database: Database) -> None:
    miami = "+13055550123"
    stage = await stage_with(
        database, {"number": miami}, organization={"frequency_cap": 0}, retry_delay_minutes=0, max_attempts=9
    )
    for _ in range(3):
        assert await called(stage) == [miami]
        await no_answer(stage)
        stage.clock.advance(minutes=1)
    assert await called(stage) == [], "three a day in Florida"
    (recipient,) = await stage.recipients()
    assert (recipient.blocked_by, recipient.status) == ("frequency", RecipientStatus.PENDING)
    assert "law" in str(recipient.blocked_why)
    stage.clock.advance(hours=24)
    assert await called(stage) == [miami]


async def no_answer(stage: DialingStage) -> None:
    attempt = (await stage.attempts())[-1]
    await stage.hear(attempt.id, EventKind.RINGING, EventKind.NO_ANSWER)


async def test_marketing_needs_consent_on_record_and_information_only_no_refusal(database: Database) -> None:
    people = [{"consent": each} for each in (Consent.UNKNOWN, Consent.GRANTED, Consent.DENIED)]
    told = await stage_with(database, *people)
    sold = await stage_with(database, *people, purpose=Purpose.MARKETING)
    assert (len(await called(told)), len(await called(sold))) == (2, 1)
    unknown = (await sold.recipients())[0]
    assert (unknown.status, unknown.blocked_by) == (RecipientStatus.SKIPPED, "consent")


@pytest.mark.parametrize(
    ("scope", "channel", "reached"),
    [
        ("", Channel.CALL, "reached"),
        ("voice", Channel.CALL, "reached"),
        ("sms", Channel.CALL, "skipped"),
        ("", Channel.SMS, "reached"),
        ("sms", Channel.SMS, "reached"),
        ("voice", Channel.SMS, "skipped"),
    ],
)
async def test_consent_to_marketing_counts_for_its_own_channel(
    database: Database, scope: str, channel: Channel, reached: str
) -> None:
    agreed = {"number": LONDON, "consent": Consent.GRANTED, "consent_scope": scope}
    stage = await stage_with(database, agreed, purpose=Purpose.MARKETING, channel=channel)
    assert await called(stage) == ([LONDON] if reached == "reached" else [])
    (recipient,) = await stage.recipients()
    assert recipient.blocked_by == (None if reached == "reached" else "consent")


async def test_a_refusal_counts_for_every_channel(database: Database) -> None:
    refused = {"number": LONDON, "consent": Consent.DENIED, "consent_scope": "sms"}
    stage = await stage_with(database, refused)
    assert await called(stage) == []


async def test_a_held_contact_waits_without_spending_an_attempt(database: Database) -> None:
    stage = await stage_with(database, {"number": LONDON})
    until = stage.clock.now() + timedelta(hours=20)
    async with database.transaction() as session:
        await session.execute(
            text("UPDATE contact SET held_until = :until, held_reason = 'on holiday'"), {"until": until}
        )
    assert await called(stage) == []
    (recipient,) = await stage.recipients()
    assert (recipient.blocked_by, recipient.not_before, recipient.attempts_made) == ("hold", until, 0)
    stage.clock.advance(hours=20)
    assert await called(stage) == [LONDON]


async def test_blackout_dates_close_the_whole_day_where_the_person_is(database: Database) -> None:
    closed = {"from": "2026-03-02", "until": "2026-03-02", "name": "Inventory"}
    stage = await stage_with(database, {"number": LONDON}, organization={"blackout_dates": [closed]})
    assert await called(stage) == []
    assert "Inventory" in str((await stage.campaign()).gate_why)
    stage.clock.advance(hours=17)  # 08:00 on Tuesday in London
    assert await called(stage) == [LONDON]


async def test_people_of_several_open_places_are_called_in_the_order_of_the_file(database: Database) -> None:
    numbers = ["+12125550101", LONDON, "+12125550102", "+442079460104", "+12125550103"]
    stage = await stage_with(database, *({"number": number} for number in numbers))
    assert [each.to for each in await stage.reserve(3)] == numbers[:3]
    assert [each.to for each in await stage.reserve(3)] == numbers[3:]


async def test_a_message_is_valid_until_the_hours_end_where_its_reader_is(database: Database) -> None:
    stage = await stage_with(database, {"number": LONDON}, channel=Channel.SMS, **THEIR_HOURS)
    await stage.dial()
    (order,) = stage.carrier.orders
    assert isinstance(order, MessageOrder)
    assert order.validity_seconds == 2 * 3600, "15:00 to 17:00 in London"
