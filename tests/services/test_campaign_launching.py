"""A campaign is let go, now or at its hour, only from numbers that its carrier still lets it use."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from app.domain.campaign import CampaignStatus, Channel, ScheduleType
from app.models import PhoneNumber, Step
from app.services.campaigns.carrier_check import CarrierCheck
from app.services.campaigns.lifecycle import resume_campaign, start_campaign
from app.services.campaigns.operations import update_campaign
from app.services.campaigns.scheduled_starts import launch_scheduled
from app.services.errors import FieldErrors
from tests.services.campaign_world import SIMULATED, CampaignWorld
from tests.support.builders import NOON, make_number
from tests.support.carrier import AccountBook
from tests.support.clock import VirtualClock

S = CampaignStatus
LATER = NOON + timedelta(hours=1)
SCHEDULED: dict[str, Any] = {"schedule_type": ScheduleType.SCHEDULED, "scheduled_at": LATER}


async def refused(world: CampaignWorld, campaign_id: int, check: CarrierCheck) -> dict[str, str]:
    with pytest.raises(FieldErrors) as problem:
        await world.do(start_campaign, campaign_ref=campaign_id, carrier=SIMULATED, check=check)
    assert await world.status(campaign_id) is S.DRAFT
    return problem.value.errors


async def heard(book: AccountBook, *numbers: PhoneNumber) -> CarrierCheck:
    asked = [each.number for each in numbers]
    found = await book.find_numbers(asked)
    return CarrierCheck(numbers={number: found.get(number) for number in asked})


# --- a start ---


async def test_every_number_of_a_pool_that_the_account_lost_is_named(world: CampaignWorld) -> None:
    async with world.database.transaction() as session:
        pool = tuple([await make_number(session, world.organization, label=f"L{each}") for each in range(4)])
        pool[3].active = False
    campaign_id = await world.campaign(people=1, pool=pool)
    book = AccountBook(lacks={pool[0].number, pool[2].number, pool[3].number})
    errors = await refused(world, campaign_id, await heard(book, *pool))
    assert set(errors) == {"number_pool"}
    assert all((f"({each.label})" in errors["number_pool"]) is (each in (pool[0], pool[2])) for each in pool)
    assert errors["number_pool"].endswith(
        "do not belong to the carrier account. Buy them at the carrier, or choose another number."
    )


@pytest.mark.parametrize("channel", [Channel.CALL, Channel.SMS])
async def test_a_number_that_the_carrier_lets_do_something_else_only_is_refused(
    world: CampaignWorld, channel: Channel
) -> None:
    campaign_id = await world.campaign(people=1, channel=channel)
    number = {world.number.number}
    book = AccountBook(only_texts=number) if channel is Channel.CALL else AccountBook(only_calls=number)
    errors = await refused(world, campaign_id, await heard(book, world.number))
    cannot = "cannot make calls" if channel is Channel.CALL else "cannot send text messages"
    assert f"{cannot}, the carrier says. Choose another number." in errors["phone_number_id"]


async def test_what_is_learnt_of_numbers_that_are_no_longer_the_campaigns_does_not_matter(
    world: CampaignWorld,
) -> None:
    async with world.database.transaction() as session:
        before = await make_number(session, world.organization)
    campaign_id = await world.campaign(people=1)
    check = await heard(AccountBook(lacks={before.number}), before)
    await world.do(start_campaign, campaign_ref=campaign_id, carrier=SIMULATED, check=check)
    assert await world.status(campaign_id) is S.QUEUED


# --- at its hour ---


async def scheduled(world: CampaignWorld, **values: Any) -> int:
    return await world.campaign(
        people=1, status=S.SCHEDULED, carrier_account_id=world.carrier.id, **SCHEDULED | values
    )


async def launch(world: CampaignWorld, book: AccountBook) -> list[int]:
    return await launch_scheduled(
        world.database, book, carrier_account_id=world.carrier.id, clock=VirtualClock(at=LATER)
    )


EMPTIED = {
    "the number switched off": (update(PhoneNumber).values(active=False), "is not active"),
    "a text that cannot be read": (
        update(Step).values(welcome_message_template="{% if"),
        "“{%” is not closed",
    ),
}


@pytest.mark.parametrize("what", list(EMPTIED))
async def test_what_is_not_ready_at_its_hour_fails_and_says_what_to_mend(
    world: CampaignWorld, what: str
) -> None:
    campaign_id = await scheduled(world)
    statement, why = EMPTIED[what]
    async with world.database.transaction() as session:
        await session.execute(statement)
    assert await launch(world, AccountBook()) == []
    campaign = await world.row(campaign_id)
    assert (campaign.status, campaign.started_at) == (S.FAILED, None)
    assert campaign.status_reason.startswith("It could not start at its time. ")
    assert why in campaign.status_reason
    assert await world.history(campaign_id) == [("scheduled", "failed", "system")]
    assert await launch(world, AccountBook()) == []


async def test_a_number_lost_by_its_hour_fails_the_campaign_until_another_is_chosen(
    world: CampaignWorld,
) -> None:
    lost, ready = await scheduled(world), None
    async with world.database.transaction() as session:
        other = await make_number(session, world.organization)
    ready = await scheduled(world, number=other)
    assert await launch(world, AccountBook(lacks={world.number.number})) == [ready]
    assert "does not belong to the carrier account" in (await world.row(lost)).status_reason
    await world.do(update_campaign, campaign_ref=lost, changes={"phone_number_id": other.id})
    await world.do(resume_campaign, campaign_ref=lost, carrier=SIMULATED, now=LATER)
    assert await world.status(lost) is S.QUEUED


async def test_an_hour_does_not_wait_for_a_carrier_that_is_away(world: CampaignWorld) -> None:
    campaign_id = await scheduled(world)
    book = AccountBook(lacks={world.number.number}, is_away=True)
    assert await launch(world, book) == [campaign_id]
    assert book.asked == [world.number.number]


async def test_a_campaign_of_another_account_is_not_judged_by_this_carrier(world: CampaignWorld) -> None:
    campaign_id = await world.campaign(people=1, status=S.SCHEDULED, **SCHEDULED)
    assert await launch(world, AccountBook(lacks={world.number.number})) == [campaign_id]


async def test_the_carrier_is_asked_only_when_an_hour_has_come(world: CampaignWorld) -> None:
    await scheduled(world, scheduled_at=LATER + timedelta(seconds=1))
    book = AccountBook()
    assert await launch(world, book) == []
    assert book.asked == []
