"""Holds: "not before 12 May" for one person, in all campaigns."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.domain.campaign import CampaignStatus
from app.domain.events import EventKind
from app.domain.recipient import RecipientStatus
from app.domain.rights import Role
from app.models import Contact, Recipient
from app.runtime.database import Database
from app.services.access.principal import Principal
from app.services.contacts.history import HistoryKind, contact_history
from app.services.contacts.holding import hold_contact, lift_hold
from app.services.dialing.place.carrier_request import still_wanted
from app.services.errors import Conflict, FieldErrors, NotAllowed, NotFound
from tests.support.builders import make_campaign, make_organization, make_recipient, principal
from tests.support.stage import WORKER, DialingStage, set_stage

DAY = timedelta(days=1)


@pytest.fixture
async def stage(database: Database) -> DialingStage:
    """A running campaign with three people in Washington, at 10:00 there."""
    return await set_stage(database)


async def hold(
    stage: DialingStage, until: str, *, person: int = 0, by: Principal | None = None, **more: Any
) -> datetime:
    contact_id = (await stage.recipients())[person].contact_id
    async with stage.database.transaction() as session:
        return await hold_contact(
            session,
            principal=by or principal(stage.organization),
            contact_id=contact_id,
            until=until,
            now=stage.clock.now(),
            **more,
        )


async def lifted(stage: DialingStage, *, person: int = 0) -> None:
    contact_id = (await stage.recipients())[person].contact_id
    async with stage.database.transaction() as session:
        await lift_hold(
            session, principal=principal(stage.organization), contact_id=contact_id, now=stage.clock.now()
        )


async def test_a_person_on_hold_waits_in_every_campaign_and_spends_no_attempt(stage: DialingStage) -> None:
    first = (await stage.recipients())[0]
    async with stage.database.transaction() as session:
        contact = await session.get_one(Contact, first.contact_id)
        other = await make_campaign(session, stage.organization, name="Another", status=CampaignStatus.PAUSED)
        over = await make_campaign(session, stage.organization, name="Over", status=CampaignStatus.COMPLETED)
        there = [(await make_recipient(session, each, contact)).id for each in (other, over)]
    until = await hold(stage, "2026-03-12", reason="on holiday")
    assert until == datetime(2026, 3, 12, 4, tzinfo=UTC)  # Midnight in New York, where the number is.
    assert len(await stage.reserve()) == 2
    waits = (await stage.recipients())[0]
    assert (waits.status, waits.attempts_made, waits.not_before) == (RecipientStatus.PENDING, 0, until)
    assert (waits.blocked_by, waits.blocked_why) == (
        "hold",
        "Held until 00:00 on Thursday 12 March in New York: on holiday.",
    )
    async with stage.database.session() as session:
        elsewhere = [await session.get_one(Recipient, each) for each in there]
    assert [each.blocked_by for each in elsewhere] == ["hold", None]
    stage.clock.advance(days=10)
    assert len(await stage.reserve()) == 1


async def test_a_person_added_later_meets_the_hold_at_the_gate(stage: DialingStage) -> None:
    until = await hold(stage, "2026-03-12T09:00:00-04:00", reason="on holiday")
    async with stage.database.transaction() as session:
        await session.execute(
            text("UPDATE recipient SET blocked_by = NULL, not_before = :now"), {"now": stage.clock.now()}
        )
    assert len(await stage.reserve()) == 2
    waits = (await stage.recipients())[0]
    assert (waits.blocked_by, waits.not_before, waits.attempts_made) == ("hold", until, 0)


async def test_a_new_hold_replaces_the_old_one_and_a_later_retry_stays(stage: DialingStage) -> None:
    await hold(stage, "2026-03-12")
    nearer = await hold(stage, "2026-03-05")
    assert (await stage.recipients())[0].not_before == nearer
    async with stage.database.transaction() as session:
        await session.execute(
            text("UPDATE recipient SET blocked_by = NULL, not_before = :at WHERE position = 2"),
            {"at": datetime(2026, 4, 1, tzinfo=UTC)},
        )
    await hold(stage, "2026-03-12", person=1)
    assert (await stage.recipients())[1].blocked_by is None


async def test_a_lifted_hold_lets_the_person_be_due_again(stage: DialingStage) -> None:
    await hold(stage, "2026-03-12")
    assert len(await stage.reserve()) == 2
    stage.clock.advance(minutes=1)
    await lifted(stage)
    assert len(await stage.reserve()) == 1
    with pytest.raises(Conflict, match="no hold"):
        await lifted(stage)


@pytest.mark.parametrize("then", ["lifted", "nearer"])
async def test_a_hold_that_ends_early_does_not_shorten_the_wait_for_a_retry(
    database: Database, then: str
) -> None:
    stage = await set_stage(database, contacts=1, retry_delay_minutes=240)
    (tried,) = await stage.dial()
    await stage.hear(tried.attempt_id, EventKind.NO_ANSWER)
    retry_at = stage.clock.now() + timedelta(hours=4)
    await hold(stage, "2026-03-12")
    stage.clock.advance(hours=1)
    await (lifted(stage) if then == "lifted" else hold(stage, "2026-03-02T12:00"))
    waits = (await stage.recipients())[0]
    assert (waits.not_before, waits.blocked_by) == (retry_at, None)
    stage.clock.advance(hours=2)
    assert await stage.reserve() == ()
    stage.clock.advance(hours=1)
    assert len(await stage.reserve()) == 1


async def test_a_hold_that_comes_after_the_reservation_stops_the_request(stage: DialingStage) -> None:
    reservations = await stage.reserve()
    await hold(stage, "2026-03-12")
    async with stage.database.session() as session:
        wanted = await still_wanted(session, reservations, worker=WORKER, now=stage.clock.now())
    assert len(wanted) == 2


async def test_nothing_is_changed_if_the_process_ends_before_the_commit(stage: DialingStage) -> None:
    contact_id = (await stage.recipients())[0].contact_id
    async with (
        stage.database.session() as session
    ):  # Rolled back at its end, as the server does after kill -9.
        await hold_contact(
            session,
            principal=principal(stage.organization),
            contact_id=contact_id,
            until="2026-03-12",
            now=stage.clock.now(),
        )
    async with stage.database.session() as session:
        assert (await session.get_one(Contact, contact_id)).held_until is None
    assert (await stage.recipients())[0].blocked_by is None


async def test_the_history_tells_of_the_hold_and_of_its_end(stage: DialingStage) -> None:
    contact_id = (await stage.recipients())[0].contact_id

    async def newest() -> tuple[HistoryKind, str, str, str]:
        async with stage.database.session() as session:
            page = await contact_history(
                session, principal=principal(stage.organization), contact_id=contact_id
            )
        held = next(item for item in page.items if item.kind in {HistoryKind.HELD, HistoryKind.HOLD_LIFTED})
        return held.kind, held.status, held.detail, held.actor

    await hold(stage, "2026-03-12", reason="on holiday")
    assert await newest() == (HistoryKind.HELD, "2026-03-12T04:00:00Z", "on holiday", "owner@example.com")
    await lifted(stage)
    assert await newest() == (HistoryKind.HOLD_LIFTED, "", "", "owner@example.com")


@pytest.mark.parametrize(
    ("until", "says"),
    [
        ("tomorrow", "Enter a date"),
        ("", "Enter a date"),
        ("2026-02-30", "Enter a date"),
        ("2026-03-02", "still to come"),
        ("2026-03-02T15:00:00+00:00", "still to come"),
        ("2036-12-31", "ten years"),
    ],
)
async def test_a_time_that_makes_no_sense_is_refused_at_its_field(
    stage: DialingStage, until: str, says: str
) -> None:
    with pytest.raises(FieldErrors) as refused:
        await hold(stage, until)
    assert says in refused.value.errors["until"]


async def test_a_hold_needs_the_right_to_edit_contacts_and_a_contact_of_ones_own(stage: DialingStage) -> None:
    with pytest.raises(NotAllowed):
        await hold(stage, "2026-03-12", by=principal(stage.organization, Role.OPERATOR))
    async with stage.database.transaction() as session:
        stranger = await make_organization(session)
    with pytest.raises(NotFound):
        await hold(stage, "2026-03-12", by=principal(stranger))
