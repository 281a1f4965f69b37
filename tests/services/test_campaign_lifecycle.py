"""A campaign's life: who may move it where, what each move does, and who wins a race."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.domain.campaign import CampaignStatus, Channel, ScheduleType
from app.domain.contact_import import ImportStatus
from app.domain.recipient import RecipientStatus
from app.domain.rights import Role
from app.domain.templates import Missing
from app.models import ContactImport
from app.runtime.database import Database
from app.runtime.live_feed import LiveNote
from app.services.campaigns.lifecycle import (
    cancel_campaign,
    pause_campaign,
    resume_campaign,
    retry_failed,
    start_campaign,
)
from app.services.campaigns.operations import duplicate_campaign
from app.services.campaigns.preflight import preflight
from app.services.campaigns.scheduled_starts import launch_scheduled
from app.services.errors import CallsheetError, Conflict, FieldErrors, NotAllowed, NotFound
from tests.services.campaign_world import REAL, SIMULATED, CampaignWorld, build_world
from tests.support.builders import NOON, make_agent, make_number
from tests.support.clock import VirtualClock

S = CampaignStatus
LATER = NOON + timedelta(hours=1)
SCHEDULED_LATER: dict[str, Any] = {"schedule_type": ScheduleType.SCHEDULED, "scheduled_at": LATER}


async def _start(world: CampaignWorld, campaign_id: int, **arguments: Any) -> None:
    await world.do(start_campaign, campaign_ref=campaign_id, **{"carrier": SIMULATED} | arguments)


async def _launch(world: CampaignWorld, *, at: datetime, carrier: object = None) -> list[int]:
    return await launch_scheduled(
        world.database, carrier, carrier_account_id=world.carrier.id, clock=VirtualClock(at=at)
    )


async def _start_errors(world: CampaignWorld, **values: Any) -> dict[str, str]:
    campaign_id = await world.campaign(**{"people": 1} | values)
    with pytest.raises(FieldErrors) as refused:
        await _start(world, campaign_id)
    assert await world.status(campaign_id) is S.DRAFT
    return refused.value.errors


async def test_a_started_draft_is_queued_on_its_carrier(world: CampaignWorld) -> None:
    campaign_id = await world.campaign(people=2)

    await _start(world, campaign_id)

    campaign = await world.row(campaign_id)
    assert campaign.status is S.QUEUED
    assert (campaign.started_at, campaign.updated_at) == (NOON, NOON)
    assert campaign.carrier_account_id == world.carrier.id
    assert await world.history(campaign_id) == [("draft", "queued", "owner@example.com")]


async def test_a_start_rings_the_dialers_doorbell_after_the_commit(
    world: CampaignWorld, database_url: str
) -> None:
    heard: list[LiveNote] = []

    async def hear(notes: Any) -> None:
        heard.extend(notes)

    campaign_id = await world.campaign(people=1)
    world.database = Database(database_url, on_commit=hear)
    await _start(world, campaign_id)
    await world.database.dispose()

    assert LiveNote(world.organization.id, campaign_id, work=True) in heard


async def test_a_campaign_with_a_time_waits_for_it(world: CampaignWorld) -> None:
    campaign_id = await world.campaign(people=1, **SCHEDULED_LATER)

    await _start(world, campaign_id)
    assert await world.status(campaign_id) is S.SCHEDULED
    assert (await world.row(campaign_id)).started_at is None

    assert await _launch(world, at=LATER - timedelta(seconds=1)) == []
    assert await _launch(world, at=LATER) == [campaign_id]
    assert (await world.row(campaign_id)).started_at == LATER
    assert await world.history(campaign_id) == [
        ("draft", "scheduled", "owner@example.com"),
        ("scheduled", "queued", "system"),
    ]


async def test_everybody_is_due_when_a_campaign_starts(world: CampaignWorld) -> None:
    campaign_id = await world.campaign()
    someone = await world.recipient(campaign_id, not_before=LATER)

    await _start(world, campaign_id)

    assert (await world.person(someone)).not_before == NOON


async def test_a_start_needs_somebody_to_contact(world: CampaignWorld) -> None:
    assert set(await _start_errors(world, people=0)) == {"contacts"}


async def test_a_start_needs_more_than_skipped_contacts(world: CampaignWorld) -> None:
    campaign_id = await world.campaign()
    await world.recipient(campaign_id, RecipientStatus.SKIPPED)

    with pytest.raises(FieldErrors, match="contacts"):
        await _start(world, campaign_id)


async def test_a_call_campaign_needs_an_active_agent(world: CampaignWorld) -> None:
    async with world.database.transaction() as session:
        retired = await make_agent(session, world.organization, active=False)

    assert set(await _start_errors(world, agent=None)) == {"agent_id"}
    assert set(await _start_errors(world, agent=retired)) == {"agent_id"}


async def test_a_message_campaign_needs_no_agent(world: CampaignWorld) -> None:
    campaign_id = await world.campaign(people=1, channel=Channel.SMS, agent=None)

    await _start(world, campaign_id)

    assert await world.status(campaign_id) is S.QUEUED


async def test_a_start_needs_a_number_that_can_do_it(world: CampaignWorld) -> None:
    async with world.database.transaction() as session:
        idle = await make_number(session, world.organization, active=False)
        mute = await make_number(session, world.organization, voice=False)
        deaf = await make_number(session, world.organization, sms=False)

    assert set(await _start_errors(world, number=None)) == {"phone_number_id"}
    assert set(await _start_errors(world, number=idle)) == {"phone_number_id"}
    assert set(await _start_errors(world, number=mute)) == {"phone_number_id"}
    assert set(await _start_errors(world, number=deaf, channel=Channel.SMS)) == {"phone_number_id"}
    assert set(await _start_errors(world, pool=(idle, mute))) == {"number_pool"}


async def test_without_a_number_the_agents_or_the_organizations_is_used(world: CampaignWorld) -> None:
    async with world.database.transaction() as session:
        agent = await make_agent(session, world.organization, default_phone_number_id=world.number.id)
    campaign_id = await world.campaign(people=1, number=None, agent=agent)

    await _start(world, campaign_id)

    assert await world.status(campaign_id) is S.QUEUED


async def test_a_start_needs_the_channels_template(world: CampaignWorld) -> None:
    silent = {"welcome_message_template": "", "sms_message_template": " "}
    async with world.database.transaction() as session:
        terse = await make_agent(session, world.organization, greeting="")

    assert set(await _start_errors(world, step=silent, agent=terse)) == {"welcome_message_template"}
    assert set(await _start_errors(world, step=silent, channel=Channel.SMS)) == {"sms_message_template"}


async def test_an_unknown_variable_without_a_fallback_refuses_the_start(world: CampaignWorld) -> None:
    says = {"agenda_template": "See you on {{appointment_date}} at {{place|default('our office')}}."}

    assert set(await _start_errors(world, step=says)) == {"agenda_template"}
    settings: dict[str, Any]
    for settings in (
        {"fallback_values": {"appointment_date": "your day"}},
        {"missing": Missing.KEEP},
        {"missing": Missing.BLANK},
    ):
        campaign_id = await world.campaign(people=1, step=says, **settings)
        await _start(world, campaign_id)
        assert await world.status(campaign_id) is S.QUEUED


async def test_a_variable_of_the_list_is_known(world: CampaignWorld) -> None:
    campaign_id = await world.campaign(step={"agenda_template": "On {{appointment_date}}."})
    await world.recipient(campaign_id, variables={"appointment_date": "Monday"})

    await _start(world, campaign_id)

    assert await world.status(campaign_id) is S.QUEUED


async def test_a_bad_zone_a_past_time_and_the_mixed_channel_refuse_the_start(world: CampaignWorld) -> None:
    past = {"schedule_type": ScheduleType.SCHEDULED, "scheduled_at": NOON}
    never = {"schedule_type": ScheduleType.SCHEDULED}

    assert set(await _start_errors(world, time_zone="Mars/Olympus")) == {"time_zone"}
    assert set(await _start_errors(world, **past)) == {"scheduled_at"}
    assert set(await _start_errors(world, **never)) == {"scheduled_at"}
    assert set(await _start_errors(world, channel=Channel.MIXED)) == {"channel"}


async def test_a_number_of_another_carrier_cannot_be_used(world: CampaignWorld) -> None:
    async with world.database.transaction() as session:
        elsewhere = await make_number(session, world.organization, carrier_account_id=world.carrier.id)
    campaign_id = await world.campaign(people=1, number=elsewhere)

    with pytest.raises(FieldErrors, match="another carrier"):
        await _start(world, campaign_id, carrier=REAL)


@pytest.mark.parametrize("status", [S.SCHEDULED, S.QUEUED, S.RUNNING])
async def test_a_pause_keeps_its_reason(world: CampaignWorld, status: CampaignStatus) -> None:
    campaign_id = await world.campaign(people=1, status=status, gate_rule="pacing")

    await world.do(pause_campaign, campaign_ref=campaign_id, reason=" The text is wrong ")

    campaign = await world.row(campaign_id)
    assert (campaign.status, campaign.status_reason) == (S.PAUSED, "The text is wrong")
    assert await world.people(campaign_id) == {RecipientStatus.PENDING: 1}
    assert campaign.gate_rule is None


async def test_a_resumed_campaign_goes_back_to_where_it_was(world: CampaignWorld) -> None:
    fresh = await world.campaign(people=1, status=S.PAUSED, status_reason="lunch")
    waiting = await world.campaign(people=1, status=S.PAUSED, **SCHEDULED_LATER)
    begun = await world.campaign(status=S.PAUSED, **SCHEDULED_LATER)
    await world.attempt(await world.recipient(begun))

    for campaign_id, expected in ((fresh, S.QUEUED), (waiting, S.SCHEDULED), (begun, S.RUNNING)):
        await world.do(resume_campaign, campaign_ref=campaign_id, carrier=SIMULATED)
        assert await world.status(campaign_id) is expected
    assert (await world.row(fresh)).status_reason == ""


async def test_a_failed_campaign_can_be_resumed(world: CampaignWorld) -> None:
    campaign_id = await world.campaign(people=1, status=S.FAILED)

    await world.do(resume_campaign, campaign_ref=campaign_id, carrier=SIMULATED)

    assert await world.status(campaign_id) is S.QUEUED


async def test_a_rehearsal_never_goes_on_with_real_calls_unless_confirmed(world: CampaignWorld) -> None:
    campaign_id = await world.campaign(people=1)
    await _start(world, campaign_id)
    await world.do(pause_campaign, campaign_ref=campaign_id)

    with pytest.raises(Conflict, match=r"simulated carrier .* Confirm"):
        await world.do(resume_campaign, campaign_ref=campaign_id, carrier=REAL)
    assert await world.status(campaign_id) is S.PAUSED

    await world.do(resume_campaign, campaign_ref=campaign_id, carrier=REAL, confirm_carrier=True)
    assert (await world.row(campaign_id)).carrier_account_id not in {None, world.carrier.id}


async def importing(world: CampaignWorld, campaign_id: int, status: ImportStatus) -> None:
    async with world.database.transaction() as session:
        session.add(
            ContactImport(
                organization_id=world.organization.id,
                campaign_id=campaign_id,
                status=status,
                file_name="people.csv",
                file_bytes=100,
                rows_done=3_000,
                rows_total=10_000,
                created_at=NOON,
            )
        )


@pytest.mark.parametrize("status", [ImportStatus.QUEUED, ImportStatus.RUNNING])
async def test_nothing_starts_or_goes_on_while_people_are_still_being_imported(
    world: CampaignWorld, status: ImportStatus
) -> None:
    draft = await world.campaign(people=1)
    paused = await world.campaign(people=1, status=S.PAUSED)
    for campaign_id in (draft, paused):
        await importing(world, campaign_id, status)

    with pytest.raises(FieldErrors) as refused:
        await _start(world, draft)
    assert "still running: “people.csv”, 3,000 of 10,000 rows" in refused.value.errors["contacts"]
    with pytest.raises(Conflict, match="still running"):
        await world.do(resume_campaign, campaign_ref=paused, carrier=SIMULATED)
    preflighted = await world.ask(preflight, campaign_ref=draft, now=NOON)
    assert "still running" in preflighted.errors["contacts"]


@pytest.mark.parametrize(
    "status", [ImportStatus.UPLOADED, ImportStatus.COMPLETED, ImportStatus.FAILED, ImportStatus.CANCELLED]
)
async def test_an_import_that_is_not_under_way_keeps_nothing_from_starting(
    world: CampaignWorld, status: ImportStatus
) -> None:
    campaign_id = await world.campaign(people=1)
    await importing(world, campaign_id, status)

    await _start(world, campaign_id)

    assert await world.status(campaign_id) is S.QUEUED


async def test_cancelling_ends_who_waits_and_leaves_who_is_being_called(world: CampaignWorld) -> None:
    campaign_id = await world.campaign(status=S.RUNNING)
    waits = await world.recipient(campaign_id, blocked_by="pacing")
    talks = await world.recipient(campaign_id, RecipientStatus.IN_PROGRESS)

    await world.do(cancel_campaign, campaign_ref=campaign_id)

    campaign = await world.row(campaign_id)
    assert (campaign.status, campaign.ended_at) == (S.CANCELLED, NOON)
    assert (await world.person(waits)).status is RecipientStatus.CANCELLED
    assert await world.path(waits) == [("pending", "cancelled")]
    assert (await world.person(talks)).status is RecipientStatus.IN_PROGRESS


async def test_retry_failed_gives_the_ticked_a_fresh_budget(world: CampaignWorld) -> None:
    campaign_id = await world.campaign(status=S.COMPLETED, ended_at=NOON, max_attempts=3)
    failed = await world.recipient(campaign_id, RecipientStatus.FAILED, attempts_made=1)
    busy = await world.recipient(campaign_id, RecipientStatus.BUSY, attempts_made=3)
    unheard = await world.recipient(campaign_id, RecipientStatus.NO_ANSWER, attempts_made=3)
    reached = await world.recipient(campaign_id, RecipientStatus.COMPLETED, attempts_made=1)
    machine = await world.recipient(campaign_id, RecipientStatus.VOICEMAIL, attempts_made=1)

    ticked = frozenset({RecipientStatus.FAILED, RecipientStatus.BUSY})
    assert await world.do(retry_failed, campaign_ref=campaign_id, statuses=ticked, now=LATER) == 2

    campaign = await world.row(campaign_id)
    assert (campaign.status, campaign.ended_at) == (S.RUNNING, None)
    budgets = [(await world.person(one)).attempts_allowed for one in (failed, busy)]
    assert budgets == [1 + 3, 3 + 3]
    assert (await world.person(busy)).not_before == LATER
    assert await world.path(busy) == [("busy", "pending")]
    statuses = [(await world.person(one)).status for one in (unheard, reached, machine)]
    assert statuses == [RecipientStatus.NO_ANSWER, RecipientStatus.COMPLETED, RecipientStatus.VOICEMAIL]


async def test_retry_failed_takes_failed_no_answer_and_busy_by_default(world: CampaignWorld) -> None:
    campaign_id = await world.campaign(status=S.COMPLETED)
    for status in RecipientStatus:
        await world.recipient(campaign_id, status)

    assert await world.do(retry_failed, campaign_ref=campaign_id) == 3


async def test_retry_failed_without_anybody_changes_nothing(world: CampaignWorld) -> None:
    campaign_id = await world.campaign(status=S.COMPLETED)
    await world.recipient(campaign_id, RecipientStatus.COMPLETED)

    with pytest.raises(Conflict, match="nobody"):
        await world.do(retry_failed, campaign_ref=campaign_id)
    assert await world.status(campaign_id) is S.COMPLETED


@pytest.mark.parametrize("statuses", [frozenset(), frozenset({RecipientStatus.COMPLETED})])
async def test_retry_failed_refuses_what_did_not_fail(
    world: CampaignWorld, statuses: frozenset[RecipientStatus]
) -> None:
    campaign_id = await world.campaign(status=S.COMPLETED)

    with pytest.raises(FieldErrors, match="statuses"):
        await world.do(retry_failed, campaign_ref=campaign_id, statuses=statuses)


async def test_retry_failed_on_another_carrier_needs_a_confirmation(world: CampaignWorld) -> None:
    campaign_id = await world.campaign(status=S.COMPLETED, carrier_account_id=world.carrier.id)
    await world.recipient(campaign_id, RecipientStatus.FAILED)

    with pytest.raises(Conflict, match="Confirm"):
        await world.do(retry_failed, campaign_ref=campaign_id, carrier=REAL)
    retried = await world.do(retry_failed, campaign_ref=campaign_id, carrier=REAL, confirm_carrier=True)
    assert retried == 1


VERBS: dict[str, tuple[Callable[..., Awaitable[object]], dict[str, Any], set[CampaignStatus]]] = {
    "start": (start_campaign, {"carrier": SIMULATED}, {S.DRAFT}),
    "pause": (pause_campaign, {}, {S.SCHEDULED, S.QUEUED, S.RUNNING}),
    "resume": (resume_campaign, {"carrier": SIMULATED}, {S.PAUSED, S.FAILED}),
    "cancel": (cancel_campaign, {}, set(S) - {S.COMPLETED, S.CANCELLED}),
    "retry_failed": (retry_failed, {}, {S.COMPLETED}),
}
REFUSED = [(verb, status) for verb, (_, _, offered) in VERBS.items() for status in S if status not in offered]


@pytest.mark.parametrize(("verb", "status"), REFUSED)
async def test_a_verb_that_is_not_offered_is_refused_by_the_status(
    world: CampaignWorld, verb: str, status: CampaignStatus
) -> None:
    operation, arguments, _ = VERBS[verb]
    campaign_id = await world.campaign(people=1, status=status)

    with pytest.raises(Conflict, match=f"is {status}"):
        await world.do(operation, campaign_ref=campaign_id, **arguments)
    assert await world.history(campaign_id) == []


@pytest.mark.parametrize("verb", VERBS)
async def test_viewers_and_other_organizations_move_nothing(world: CampaignWorld, verb: str) -> None:
    operation, arguments, _ = VERBS[verb]
    campaign_id = await world.campaign(people=1)
    other = await build_world(world.database)

    with pytest.raises(NotAllowed):
        await world.do(operation, principal=world.someone(Role.VIEWER), campaign_ref=campaign_id, **arguments)
    with pytest.raises(NotFound):
        await other.do(operation, campaign_ref=campaign_id, **arguments)


async def test_an_operator_runs_campaigns_but_cannot_cancel_them(world: CampaignWorld) -> None:
    campaign_id = await world.campaign(people=1)
    operator = world.someone(Role.OPERATOR)

    await _start(world, campaign_id, principal=operator)
    await world.do(pause_campaign, principal=operator, campaign_ref=campaign_id)
    with pytest.raises(NotAllowed):
        await world.do(cancel_campaign, principal=operator, campaign_ref=campaign_id)


async def _race(*moves: Awaitable[object]) -> list[CallsheetError]:
    answers = await asyncio.gather(*moves, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException) and not isinstance(answer, CallsheetError):
            raise answer
    return [answer for answer in answers if isinstance(answer, CallsheetError)]


async def test_of_two_starts_at_once_one_wins_and_the_other_hears_why(world: CampaignWorld) -> None:
    campaign_id = await world.campaign(people=1)

    lost = await _race(_start(world, campaign_id), _start(world, campaign_id))

    assert [str(error) for error in lost] == ["This campaign is queued, so it cannot be started."]
    assert await world.history(campaign_id) == [("draft", "queued", "owner@example.com")]


async def test_a_pause_and_a_cancel_at_once_leave_one_coherent_history(world: CampaignWorld) -> None:
    campaign_id = await world.campaign(people=3, status=S.RUNNING)

    lost = await _race(
        world.do(pause_campaign, campaign_ref=campaign_id),
        world.do(cancel_campaign, campaign_ref=campaign_id),
    )

    history = [(old, new) for old, new, _ in await world.history(campaign_id)]
    assert await world.status(campaign_id) is S.CANCELLED
    assert await world.people(campaign_id) == {RecipientStatus.CANCELLED: 3}
    if lost:
        assert history == [("running", "cancelled")]
        assert str(lost[0]) == "This campaign is cancelled, so it cannot be paused."
    else:
        assert history == [("running", "paused"), ("paused", "cancelled")]


async def test_a_campaign_is_launched_once_by_two_crons(world: CampaignWorld) -> None:
    campaign_id = await world.campaign(people=1, status=S.SCHEDULED, **SCHEDULED_LATER)

    launched = await asyncio.gather(*(_launch(world, at=LATER) for _ in range(3)))

    assert sorted(launched) == [[], [], [campaign_id]]
    assert len(await world.history(campaign_id)) == 1


async def test_a_copy_of_a_cancelled_campaign_can_be_started(world: CampaignWorld) -> None:
    campaign_id = await world.campaign(people=2)
    await world.do(cancel_campaign, campaign_ref=campaign_id)

    copy_id = await world.do(duplicate_campaign, campaign_ref=campaign_id)
    await _start(world, copy_id)

    assert await world.people(copy_id) == {RecipientStatus.PENDING: 2}
