"""Who is in a campaign: adding, retrying, skipping, removing."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col

from app.domain.campaign import EDITABLE, CampaignStatus, Channel
from app.domain.recipient import RETRYABLE_BY_HAND, RecipientStatus
from app.domain.rights import Role
from app.domain.suppression import SuppressionScope, SuppressionSource
from app.models import Contact, Recipient, Suppression
from app.services.campaigns.adding import add_contacts, add_manual, add_recipients_bulk
from app.services.campaigns.lifecycle import CarrierChanged
from app.services.campaigns.recipients import remove_recipients, retry_recipients, skip_recipients
from app.services.campaigns.rows import load_campaign
from app.services.campaigns.views import AddResult, BulkResult
from app.services.errors import Conflict, FieldErrors, NotAllowed, NotFound
from tests.services.campaign_world import REAL, CampaignWorld, build_world
from tests.support.builders import NOON, make_contact

S = CampaignStatus
R = RecipientStatus
LATER = NOON + timedelta(hours=1)


async def _contact(
    world: CampaignWorld, *, suppressed: SuppressionScope | None = None, **values: object
) -> Contact:
    async with world.database.transaction() as session:
        contact = await make_contact(session, world.organization, **values)
        if suppressed is not None:
            session.add(
                Suppression(
                    organization_id=world.organization.id,
                    number=contact.number,
                    scope=suppressed,
                    reason="asked us to stop",
                    source=SuppressionSource.MANUAL,
                    created_at=NOON,
                )
            )
        return contact


async def _listed(world: CampaignWorld, campaign_id: int) -> Sequence[Recipient]:
    async with world.database.session() as session:
        mine = select(Recipient).where(col(Recipient.campaign_id) == campaign_id)
        return (await session.execute(mine.order_by(col(Recipient.position)))).scalars().all()


async def _manual(world: CampaignWorld, campaign_id: int, number: str, **arguments: object) -> AddResult:
    given = {"name": "", "variables": {}} | arguments
    return await world.do(add_manual, campaign_ref=campaign_id, number=number, **given)


async def test_contacts_are_added_once_in_the_order_given(world: CampaignWorld) -> None:
    campaign_id = await world.campaign()
    first, second = await _contact(world), await _contact(world)

    added = await world.do(
        add_contacts, campaign_ref=campaign_id, contact_ids=[second.id, first.id, second.id]
    )
    again = await world.do(add_contacts, campaign_ref=campaign_id, contact_ids=[first.id])

    assert (added, again) == (
        AddResult(added=2, duplicates=1, suppressed=0),
        AddResult(added=0, duplicates=1, suppressed=0),
    )
    assert (await world.row(campaign_id)).next_position == 3
    listed = await _listed(world, campaign_id)
    assert [(person.contact_id, person.position) for person in listed] == [(second.id, 1), (first.id, 2)]


async def test_what_a_campaign_says_of_a_contact_is_fixed_when_it_is_added(world: CampaignWorld) -> None:
    campaign_id = await world.campaign()
    contact = await _contact(world, name="Ann", company="Beta", fields={"plan": "gold"})

    await world.do(add_contacts, campaign_ref=campaign_id, contact_ids=[contact.id])

    assert (await _listed(world, campaign_id))[0].variables == {
        "name": "Ann",
        "company": "Beta",
        "plan": "gold",
    }


@pytest.mark.parametrize(
    ("channel", "scope", "skipped"),
    [
        (Channel.CALL, SuppressionScope.ALL, True),
        (Channel.CALL, SuppressionScope.VOICE, True),
        (Channel.CALL, SuppressionScope.SMS, False),
        (Channel.SMS, SuppressionScope.SMS, True),
        (Channel.SMS, SuppressionScope.VOICE, False),
    ],
)
async def test_who_must_not_be_contacted_on_this_channel_is_listed_as_skipped_with_the_reason(
    world: CampaignWorld, channel: Channel, scope: SuppressionScope, *, skipped: bool
) -> None:
    campaign_id = await world.campaign(channel=channel)
    contact = await _contact(world, suppressed=scope)

    added = await world.do(add_contacts, campaign_ref=campaign_id, contact_ids=[contact.id])

    person = (await _listed(world, campaign_id))[0]
    assert added == AddResult(added=int(not skipped), duplicates=0, suppressed=int(skipped))
    assert person.status is (R.SKIPPED if skipped else R.PENDING)
    assert person.blocked_why == ("This number must not be contacted: asked us to stop." if skipped else None)


async def test_a_person_typed_in_joins_the_address_book_and_the_campaign(world: CampaignWorld) -> None:
    campaign_id = await world.campaign()

    added = await _manual(world, campaign_id, "(202) 456-1111", name="Ann", variables={"Due Date": "Monday"})
    same = await _manual(world, campaign_id, "+12024561111", name="Someone else")

    assert (added.added, same.duplicates) == (1, 1)
    assert (await _listed(world, campaign_id))[0].variables == {"name": "Ann", "due_date": "Monday"}
    async with world.database.session() as session:
        contact = await session.get_one(Contact, (await _listed(world, campaign_id))[0].contact_id)
    assert (contact.number, contact.name) == ("+12024561111", "Ann")


async def test_the_samples_of_the_manuals_are_accepted_with_a_warning(world: CampaignWorld) -> None:
    added = await _manual(world, await world.campaign(), "+15551234567")

    assert added.added == 1
    assert added.warnings


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("phone_number", {"number": "call me"}),
        ("phone_number", {"number": ""}),
        ("name", {"number": "+12024561111", "name": "n" * 201}),
        ("variables.?", {"number": "+12024561111", "variables": {"?": "x"}}),
    ],
)
async def test_a_person_that_cannot_be_added_is_explained_at_the_field(
    world: CampaignWorld, field: str, arguments: dict[str, Any]
) -> None:
    campaign_id = await world.campaign()

    with pytest.raises(FieldErrors) as refused:
        await _manual(world, campaign_id, **arguments)

    assert set(refused.value.errors) == {field}
    assert await world.people(campaign_id) == {}


@pytest.mark.parametrize("status", sorted(set(S) - EDITABLE))
async def test_the_list_is_closed_but_in_draft_paused_and_failed(
    world: CampaignWorld, status: CampaignStatus
) -> None:
    campaign_id = await world.campaign(status=status, people=1)

    with pytest.raises(Conflict, match=r"Pause the campaign first|Duplicate"):
        await _manual(world, campaign_id, "+12024561111")
    with pytest.raises(Conflict):
        await world.do(remove_recipients, campaign_ref=campaign_id, recipient_ids=[1])


async def test_two_people_adding_at_once_give_every_contact_one_place(world: CampaignWorld) -> None:
    campaign_id = await world.campaign()
    contacts = [(await _contact(world)).id for _ in range(6)]

    results = await asyncio.gather(
        world.do(add_contacts, campaign_ref=campaign_id, contact_ids=contacts[:4]),
        world.do(add_contacts, campaign_ref=campaign_id, contact_ids=contacts[2:]),
    )

    assert sum(result.added for result in results) == 6
    assert sum(result.duplicates for result in results) == 2
    assert [person.position for person in await _listed(world, campaign_id)] == [1, 2, 3, 4, 5, 6]


async def test_a_retry_by_hand_gives_one_more_attempt(world: CampaignWorld) -> None:
    campaign_id = await world.campaign(status=S.RUNNING)
    person = await world.recipient(campaign_id, R.NO_ANSWER, attempts_made=3, blocked_by="attempts")

    done = await world.do(retry_recipients, campaign_ref=campaign_id, recipient_ids=[person], now=LATER)

    again = await world.person(person)
    assert done == BulkResult(done=1, refused={})
    assert (again.status, again.attempts_allowed, again.not_before) == (R.PENDING, 4, LATER)
    assert again.blocked_by is None
    assert await world.path(person) == [("no_answer", "pending")]


async def test_a_skipped_person_who_was_never_tried_gets_the_campaigns_budget(world: CampaignWorld) -> None:
    campaign_id = await world.campaign(status=S.RUNNING, max_attempts=3)
    person = await world.recipient(campaign_id, R.SKIPPED)

    await world.do(retry_recipients, campaign_ref=campaign_id, recipient_ids=[person])

    assert (await world.person(person)).attempts_allowed == 3


async def test_a_completed_campaign_runs_again_for_who_is_retried_by_hand(world: CampaignWorld) -> None:
    campaign_id = await world.campaign(status=S.COMPLETED, ended_at=NOON)
    person = await world.recipient(campaign_id, R.BUSY, attempts_made=1)
    reached = await world.recipient(campaign_id, R.COMPLETED, attempts_made=1)

    refused = await world.do(retry_recipients, campaign_ref=campaign_id, recipient_ids=[reached])
    assert refused == BulkResult(done=0, refused={"was reached": 1})
    assert await world.status(campaign_id) is S.COMPLETED

    await world.do(retry_recipients, campaign_ref=campaign_id, recipient_ids=[person])
    assert await world.status(campaign_id) is S.RUNNING
    assert (await world.row(campaign_id)).ended_at is None


async def test_a_completed_campaign_runs_again_on_another_carrier_only_when_confirmed(
    world: CampaignWorld,
) -> None:
    campaign_id = await world.campaign(status=S.COMPLETED, carrier_account_id=world.carrier.id)
    person = await world.recipient(campaign_id, R.BUSY, attempts_made=1)
    whom = {"campaign_ref": campaign_id, "recipient_ids": [person], "carrier": REAL}

    with pytest.raises(CarrierChanged, match="Confirm"):
        await world.do(retry_recipients, **whom)
    assert (await world.person(person)).status is R.BUSY

    await world.do(retry_recipients, **whom, confirm_carrier=True)
    assert (await world.person(person)).status is R.PENDING
    campaign = await world.row(campaign_id)
    assert campaign.status is S.RUNNING
    assert campaign.carrier_account_id not in {None, world.carrier.id}


async def test_a_paused_campaign_asks_about_its_carrier_when_it_is_resumed_and_not_before(
    world: CampaignWorld,
) -> None:
    campaign_id = await world.campaign(status=S.PAUSED, carrier_account_id=world.carrier.id)
    person = await world.recipient(campaign_id, R.BUSY, attempts_made=1)

    await world.do(retry_recipients, campaign_ref=campaign_id, recipient_ids=[person], carrier=REAL)

    assert (await world.row(campaign_id)).carrier_account_id == world.carrier.id


async def test_nobody_is_retried_in_a_cancelled_campaign(world: CampaignWorld) -> None:
    campaign_id = await world.campaign(status=S.CANCELLED)
    person = await world.recipient(campaign_id, R.FAILED)

    with pytest.raises(Conflict, match="cancelled"):
        await world.do(retry_recipients, campaign_ref=campaign_id, recipient_ids=[person])


@pytest.mark.parametrize("operation", [retry_recipients, skip_recipients, remove_recipients])
async def test_who_is_meant_has_to_be_said(
    world: CampaignWorld, operation: Callable[..., Awaitable[object]]
) -> None:
    campaign_id = await world.campaign(people=2)
    blanks: Sequence[dict[str, Any]] = ({}, {"statuses": set()}, {"search": "  "})
    for nothing in blanks:
        with pytest.raises(FieldErrors) as refused:
            await world.do(operation, campaign_ref=campaign_id, recipient_ids=None, **nothing)
        assert set(refused.value.errors) == {"everyone"}
    with pytest.raises(FieldErrors):
        await world.do(operation, campaign_ref=campaign_id, recipient_ids=[1], everyone=True)
    assert await world.people(campaign_id) == {R.PENDING: 2}


async def test_everybody_is_removed_only_if_they_are_as_many_as_was_said(world: CampaignWorld) -> None:
    campaign_id = await world.campaign(people=2)
    whom = {"campaign_ref": campaign_id, "recipient_ids": None, "everyone": True}
    with pytest.raises(FieldErrors, match="how many people you expect"):
        await world.do(remove_recipients, **whom)
    with pytest.raises(Conflict, match="By now this means 2 people, not 3"):
        await world.do(remove_recipients, **whom, expected=3)
    assert await world.people(campaign_id) == {R.PENDING: 2}
    assert (await world.do(remove_recipients, **whom, expected=2)).done == 2


async def test_a_bulk_retry_takes_those_it_may_and_counts_the_others_by_reason(world: CampaignWorld) -> None:
    campaign_id = await world.campaign(status=S.RUNNING)
    for status in R:
        await world.recipient(campaign_id, status)

    result = await world.do(retry_recipients, campaign_ref=campaign_id, recipient_ids=None, everyone=True)

    assert result.done == len(RETRYABLE_BY_HAND)
    assert result.refused == {
        "is already waiting": 1,
        "is being contacted now": 1,
        "was reached": 1,
        "was cancelled": 1,
    }


async def test_a_bulk_action_reaches_only_what_matches(world: CampaignWorld) -> None:
    campaign_id = await world.campaign(status=S.RUNNING)
    ann = await world.recipient(campaign_id, R.FAILED, contact=await _contact(world, name="Ann_Lee"))
    await world.recipient(campaign_id, R.FAILED, contact=await _contact(world, name="Annalee"))
    await world.recipient(campaign_id, R.BUSY, contact=await _contact(world, name="Ann_Lee"))
    await world.recipient(await world.campaign(), R.FAILED, contact=await _contact(world, name="Ann_Lee"))

    result = await world.do(
        retry_recipients, campaign_ref=campaign_id, recipient_ids=None, statuses={R.FAILED}, search="ann_l"
    )

    assert result == BulkResult(done=1, refused={})
    assert (await world.person(ann)).status is R.PENDING


async def test_only_who_waits_can_be_skipped(world: CampaignWorld) -> None:
    campaign_id = await world.campaign(status=S.RUNNING)
    people = {status: await world.recipient(campaign_id, status) for status in R}

    result = await world.do(skip_recipients, campaign_ref=campaign_id, recipient_ids=[*people.values()])

    assert result.done == 1
    assert sum(result.refused.values()) == len(R) - 1
    assert (await world.person(people[R.PENDING])).status is R.SKIPPED
    assert await world.path(people[R.PENDING]) == [("pending", "skipped")]


async def test_who_was_never_tried_can_be_removed_and_the_ledger_is_kept(world: CampaignWorld) -> None:
    campaign_id = await world.campaign(status=S.PAUSED)
    untried = await world.recipient(campaign_id)
    tried = await world.recipient(campaign_id)
    await world.attempt(tried)

    result = await world.do(remove_recipients, campaign_ref=campaign_id, recipient_ids=[untried, tried])

    assert result == BulkResult(done=1, refused={"was already contacted, and what happened is kept": 1})
    assert await world.people(campaign_id) == {R.PENDING: 1}


async def test_ids_of_another_campaign_or_organization_are_out_of_reach(world: CampaignWorld) -> None:
    campaign_id, elsewhere = await world.campaign(status=S.PAUSED), await world.campaign(status=S.PAUSED)
    person = await world.recipient(elsewhere)
    other = await build_world(world.database)
    contact = await _contact(other)

    result = await world.do(skip_recipients, campaign_ref=campaign_id, recipient_ids=[person])
    assert result == BulkResult(done=0, refused={})
    with pytest.raises(NotFound):
        await other.do(skip_recipients, campaign_ref=elsewhere, recipient_ids=[person])
    with pytest.raises(NotFound):
        await world.do(add_contacts, campaign_ref=campaign_id, contact_ids=[contact.id])


async def test_operators_retry_and_skip_but_managers_decide_who_is_listed(world: CampaignWorld) -> None:
    campaign_id = await world.campaign(status=S.PAUSED)
    person = await world.recipient(campaign_id)
    operator, viewer = world.someone(Role.OPERATOR), world.someone(Role.VIEWER)
    one = {"campaign_ref": campaign_id, "recipient_ids": [person]}

    await world.do(skip_recipients, principal=operator, **one)
    await world.do(retry_recipients, principal=operator, **one)
    with pytest.raises(NotAllowed):
        await world.do(remove_recipients, principal=operator, **one)
    with pytest.raises(NotAllowed):
        await world.do(add_contacts, principal=operator, campaign_ref=campaign_id, contact_ids=[1])
    for operation in (skip_recipients, retry_recipients, remove_recipients):
        with pytest.raises(NotAllowed):
            await world.do(operation, principal=viewer, **one)


async def test_an_importer_adds_thousands_in_the_files_order(world: CampaignWorld) -> None:
    campaign_id = await world.campaign()
    other = await build_world(world.database)
    mine, theirs = [await _contact(world) for _ in range(3)], await _contact(other)
    rows: list[tuple[int, dict[str, object]]] = [
        (contact.id, {"place": place}) for place, contact in enumerate([*reversed(mine), theirs])
    ]

    async with world.database.transaction() as session:
        campaign = await load_campaign(session, world.someone(), campaign_id, lock=True)
        nothing = await add_recipients_bulk(session, campaign=campaign, rows=[], now=NOON)
        added = await add_recipients_bulk(session, campaign=campaign, rows=rows, now=NOON)

    assert (nothing.added, added.added) == (0, 3)
    listed = await _listed(world, campaign_id)
    assert [(person.position, person.variables["place"]) for person in listed] == [(1, 0), (2, 1), (3, 2)]
