"""`callsheet doctor --deep`: a row that was broken by hand is found, and the contact it concerns is named."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from app.domain.campaign import Channel
from app.domain.events import EventKind
from app.runtime.database import Database
from app.services.dialing.audit.carrier import Discrepancy, Made, made_and_not_ours, ours_and_not_made
from app.services.dialing.audit.ledger import unaccounted
from app.services.dialing.audit.recount import recount
from tests.support.stage import DialingStage, set_stage

pytestmark = pytest.mark.asyncio


@pytest.fixture
async def stage(database: Database) -> DialingStage:
    """Three people: one answered, one busy and due again, one under way."""
    stage = await set_stage(database, contacts=3, max_attempts=2)
    answered, busy, _ = await stage.dial()
    await stage.hear(answered.attempt_id, EventKind.RINGING, EventKind.ANSWERED, EventKind.COMPLETED)
    await stage.hear(busy.attempt_id, EventKind.BUSY)
    return stage


async def problems(stage: DialingStage) -> tuple[str, ...]:
    async with stage.database.session() as session:
        found = await recount(session, campaign_id=stage.campaign_id, now=stage.clock.now())
        assert bool(await unaccounted(session)) <= bool(found.problems)
    assert (found.contacts, found.attempts) == (3, 3)
    return found.problems


async def test_an_untouched_campaign_adds_up(stage: DialingStage) -> None:
    assert await problems(stage) == ()


BROKEN = {
    "UPDATE recipient SET status = 'completed' WHERE id = :busy": "history ends with pending",
    "UPDATE recipient SET attempts_made = 0 WHERE id = :busy": "shows 0 attempts, its attempts make 1",
    "UPDATE recipient SET last_attempt_id = NULL WHERE id = :busy": "another attempt as its last",
    "DELETE FROM recipient_transition WHERE recipient_id = :busy AND old = 'in_progress'": "history ends with",
    "DELETE FROM recipient_transition WHERE recipient_id = :busy AND old = 'pending'": "begins as in_progress",
    "DELETE FROM recipient_transition WHERE recipient_id = :answered": "without any step that made it so",
    "UPDATE recipient_transition SET old = 'busy' WHERE recipient_id = :busy AND old = 'in_progress'": (
        "does not follow from the one before"
    ),
    "UPDATE attempt SET disposition = NULL WHERE recipient_id = :answered": "no attempt ended so",
    "UPDATE attempt SET provider_id = NULL WHERE recipient_id = :answered": "has no id of the carrier",
    "UPDATE attempt SET status = 'not_placed' WHERE recipient_id = :live": "no attempt goes on",
    "UPDATE campaign SET status = 'completed' WHERE id = :campaign": "still waits as pending",
}


@pytest.mark.parametrize("harm", BROKEN)
async def test_a_row_broken_by_hand_is_named(stage: DialingStage, harm: str) -> None:
    answered, busy, live = [each.id for each in await stage.recipients()]
    ids = {"answered": answered, "busy": busy, "live": live, "campaign": stage.campaign_id}
    async with stage.database.transaction() as session:
        await session.execute(text(harm), {name: ids[name] for name in ids if f":{name}" in harm})
    found = await problems(stage)
    assert any(BROKEN[harm] in problem for problem in found), found
    concerned = next((ids[name] for name in ("answered", "busy", "live") if f":{name}" in harm), busy)
    assert any(problem.startswith(f"contact {concerned} ") for problem in found)


def made(stage: DialingStage) -> list[Made]:
    """What the scripted carrier made."""
    return [
        Made(Channel.CALL, provider_id, remote.to, stage.carrier.owners[provider_id])
        for provider_id, remote in stage.carrier.made.items()
    ]


async def discrepancies(stage: DialingStage, entries: list[Made]) -> list[Discrepancy]:
    given: dict[str, Any] = {"carrier_account_id": stage.account.id}
    since = min(each.reserved_at for each in await stage.attempts())
    async with stage.database.session() as session:
        strange = await made_and_not_ours(session, entries, owner=stage.carrier.attempt_of, **given)
        missing = await ours_and_not_made(session, entries, since=since, fetch=stage.carrier.fetch, **given)
    return [*strange, *missing]


async def test_both_ledgers_hold_the_same_calls(stage: DialingStage) -> None:
    assert await discrepancies(stage, made(stage)) == []


async def test_a_call_that_we_know_nothing_of_is_told(stage: DialingStage) -> None:
    (found,) = await discrepancies(stage, [*made(stage), Made(Channel.CALL, "CA99", "+12025550100", uuid4())])
    assert found.campaign_id is None
    assert "CA99 for an attempt that is not in our ledger" in found.sentence


async def test_a_call_of_an_attempt_that_is_bound_to_another_is_told_with_its_contact(
    stage: DialingStage,
) -> None:
    first = (await stage.attempts())[0]
    (found,) = await discrepancies(
        stage, [*made(stage), Made(Channel.CALL, "CA99", first.number_to, first.id)]
    )
    assert found.campaign_id == stage.campaign_id
    assert found.sentence.startswith(f"contact {first.recipient_id}: the carrier made CA99")


async def test_whom_a_call_is_for_is_asked_of_a_carrier_whose_list_does_not_tell(stage: DialingStage) -> None:
    first = (await stage.attempts())[0]
    stage.carrier.owners["CA99"] = first.id
    listed = [replace(each, attempt_id=None) for each in made(stage)]
    (found,) = await discrepancies(stage, [*listed, Made(Channel.CALL, "CA99", first.number_to)])
    assert found.campaign_id == stage.campaign_id


async def test_a_call_of_another_system_on_the_account_is_none_of_ours(stage: DialingStage) -> None:
    assert await discrepancies(stage, [*made(stage), Made(Channel.CALL, "CA99", "+12025550100")]) == []


async def test_a_bound_call_that_the_carrier_does_not_have_is_told_with_its_contact(
    stage: DialingStage,
) -> None:
    lost = (await stage.attempts())[0]
    del stage.carrier.made[str(lost.provider_id)]
    (found,) = await discrepancies(stage, made(stage))
    assert found.sentence == (
        f"contact {lost.recipient_id} is bound to {lost.provider_id}, which the carrier does not know"
    )


async def test_what_the_list_leaves_out_is_asked_for_by_its_id_before_it_is_told(stage: DialingStage) -> None:
    assert await discrepancies(stage, made(stage)[1:]) == []
