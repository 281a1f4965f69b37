"""What readers see of campaigns: cards, list, snapshot, people, call log, forecast and preview."""

from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from app.domain.attempt import AttemptStatus, Disposition
from app.domain.campaign import CampaignAction, CampaignStatus, Channel, ScheduleType
from app.domain.metrics import CampaignStanding
from app.domain.recipient import RecipientStatus
from app.domain.templates import Missing
from app.models import AttemptTurn, Campaign, Organization, ProviderEvent, WorkerHeartbeat
from app.services.campaigns.adding import add_manual
from app.services.campaigns.brief import campaign_brief, campaign_version, recipient_counts
from app.services.campaigns.call_log import get_attempt, get_recipient, list_attempts, list_recipients
from app.services.campaigns.detail import get_campaign
from app.services.campaigns.lists import campaign_cards, list_campaigns
from app.services.campaigns.operations import update_campaign
from app.services.campaigns.preflight import preflight, preview_message
from app.services.campaigns.progress import campaign_snapshot
from app.services.campaigns.recipients import remove_recipients
from app.services.campaigns.views import CampaignBrief, CampaignSnapshot
from app.services.errors import NotFound
from tests.services.campaign_world import CampaignWorld, build_world
from tests.support.builders import (
    NOON,
    make_agent,
    make_audience,
    make_carrier_account,
    make_contact,
    make_number,
)
from tests.support.statements import sent_statements

S = CampaignStatus
R = RecipientStatus
A = AttemptStatus
D = Disposition
LATER = NOON + timedelta(hours=1)


async def _snapshot(world: CampaignWorld, campaign_id: int, *, now: datetime = NOON) -> CampaignSnapshot:
    async with world.database.session() as session:
        return await campaign_snapshot(
            session, organization_id=world.organization.id, campaign_id=campaign_id, now=now
        )


async def _beat(world: CampaignWorld, at: datetime = NOON) -> None:
    async with world.database.transaction() as session:
        session.add(WorkerHeartbeat(worker="w", queue="dial", started_at=at, seen_at=at))


async def _holds(world: CampaignWorld, *, now: datetime = NOON, **values: Any) -> str | None:
    defaults: dict[str, Any] = {"people": 1, "status": S.RUNNING}
    campaign_id = await world.campaign(**defaults | values)
    hold = (await _snapshot(world, campaign_id, now=now)).hold
    return hold.rule if hold is not None else None


async def test_a_snapshot_counts_everybody_once(world: CampaignWorld) -> None:
    campaign_id = await world.campaign(status=S.RUNNING)
    for place, status in enumerate(R):
        for _ in range(place):
            await world.recipient(campaign_id, status)

    snapshot = await _snapshot(world, campaign_id)

    assert snapshot.counts == {status: place for place, status in enumerate(R)}
    assert snapshot.total == sum(range(len(R)))
    assert snapshot.conserved


async def test_an_empty_draft_has_a_snapshot_of_zeros(world: CampaignWorld) -> None:
    snapshot = await _snapshot(world, await world.campaign())

    assert (snapshot.total, snapshot.conserved, snapshot.hold, snapshot.next_due_at) == (0, True, None, None)
    assert snapshot.metrics.completion_rate == 0
    assert CampaignAction.START in snapshot.actions


async def test_the_measures_are_those_of_every_other_page(world: CampaignWorld) -> None:
    campaign_id = await world.campaign(status=S.RUNNING)
    answered = await world.recipient(campaign_id, R.COMPLETED, attempts_made=2)
    machine = await world.recipient(campaign_id, R.VOICEMAIL, attempts_made=1)
    await world.recipient(campaign_id, R.SKIPPED)
    ringing = await world.recipient(campaign_id, R.IN_PROGRESS, attempts_made=1)
    await world.attempt(answered, A.FAILED, D.BUSY)
    await world.attempt(
        answered,
        A.COMPLETED,
        D.ANSWERED,
        ordinal=2,
        duration_seconds=90,
        price=Decimal("-0.03"),
        price_unit="USD",
    )
    await world.attempt(machine, A.COMPLETED, D.VOICEMAIL, duration_seconds=30)
    await world.attempt(ringing, A.NOT_PLACED)
    await world.attempt(ringing, A.RINGING, ordinal=2, ringing_at=LATER)

    snapshot = await _snapshot(world, campaign_id)

    metrics = snapshot.metrics
    assert (snapshot.calls_made, snapshot.answered, snapshot.voicemail) == (4, 1, 1)
    assert (metrics.completion_rate, metrics.success_rate) == (75.0, 50.0)
    assert (metrics.answer_rate, metrics.human_answer_rate, metrics.call_success_rate) == (50.0, 25.0, 33.3)
    assert metrics.average_duration == 90.0
    assert (metrics.total_cost, metrics.cost_unit, metrics.cost_estimated) == (0.045, "USD", True)
    assert metrics.cost_known == 0.03
    assert (snapshot.live_calls, snapshot.live_by_status) == (1, {A.RINGING: 1})
    assert [(live.status, live.since) for live in snapshot.happening] == [(A.RINGING, LATER)]


async def test_a_person_who_opts_out_on_the_phone_has_answered(world: CampaignWorld) -> None:
    campaign_id = await world.campaign(status=S.RUNNING)
    on_call, by_carrier = [await world.recipient(campaign_id, R.COMPLETED, attempts_made=1) for _ in range(2)]
    await world.attempt(on_call, A.COMPLETED, D.OPTED_OUT, answered_at=NOON, duration_seconds=20)
    await world.attempt(by_carrier, A.FAILED, D.OPTED_OUT)

    snapshot = await _snapshot(world, campaign_id)

    metrics = snapshot.metrics
    assert (metrics.answer_rate, metrics.human_answer_rate, metrics.average_duration) == (50.0, 50.0, 20.0)
    assert (await world.ask(campaign_cards, since=None)).success_rate == 50.0


async def test_what_is_unknown_or_in_review_is_counted_apart(world: CampaignWorld) -> None:
    campaign_id = await world.campaign(status=S.RUNNING)
    for status in (A.UNKNOWN, A.REVIEW):
        await world.attempt(await world.recipient(campaign_id, R.IN_PROGRESS), status)

    snapshot = await _snapshot(world, campaign_id)

    assert (snapshot.live_calls, snapshot.unknown_count, snapshot.review_count) == (0, 1, 1)
    assert len(snapshot.happening) == 2


async def test_a_later_snapshot_has_a_larger_number(world: CampaignWorld) -> None:
    campaign_id = await world.campaign()
    first = await _snapshot(world, campaign_id)
    second = await _snapshot(world, campaign_id, now=NOON + timedelta(milliseconds=1))

    assert second.seq > first.seq


async def test_nothing_holds_a_campaign_that_dials(world: CampaignWorld) -> None:
    await _beat(world)

    assert await _holds(world) is None


async def test_the_stop_switch_comes_before_every_other_reason(world: CampaignWorld) -> None:
    async with world.database.transaction() as session:
        organization = await session.get_one(Organization, world.organization.id)
        organization.dialing_stopped_at, organization.dialing_stopped_by = NOON, "ann@example.com"
    campaign_id = await world.campaign(people=1, status=S.PAUSED, gate_rule="calling_hours")

    hold = (await _snapshot(world, campaign_id)).hold
    assert hold is not None
    assert (hold.rule, hold.why) == (
        "stop_switch",
        "All dialing of the organization was stopped by ann@example.com.",
    )


async def test_a_paused_or_failed_campaign_says_why(world: CampaignWorld) -> None:
    paused = await world.campaign(people=1, status=S.PAUSED, status_reason="the text is wrong")
    failed = await world.campaign(people=1, status=S.FAILED)

    for campaign_id, why in (
        (paused, "The campaign is paused: the text is wrong"),
        (failed, "The campaign stopped on an error."),
    ):
        hold = (await _snapshot(world, campaign_id)).hold
        assert hold is not None
        assert hold.why == why


async def test_a_scheduled_campaign_says_when_it_begins(world: CampaignWorld) -> None:
    values = {"schedule_type": ScheduleType.SCHEDULED, "scheduled_at": LATER}
    campaign_id = await world.campaign(people=1, **{"status": S.SCHEDULED, **values})

    hold = (await _snapshot(world, campaign_id)).hold
    assert hold is not None
    assert hold.until == LATER


async def test_a_silent_worker_is_missed_after_fifteen_seconds(world: CampaignWorld) -> None:
    await _beat(world)

    assert await _holds(world, now=NOON + timedelta(seconds=14)) is None
    assert await _holds(world, now=NOON + timedelta(seconds=16)) == "no_worker"


async def test_the_gates_verdict_holds_until_its_time(world: CampaignWorld) -> None:
    await _beat(world)
    verdict: dict[str, Any] = {
        "gate_rule": "caller_id",
        "gate_until": LATER,
        "gate_why": "Our number rests.",
    }

    assert await _holds(world, **verdict) == "caller_id"
    assert await _holds(world, **verdict | {"gate_until": NOON}) is None
    assert await _holds(world, **verdict | {"gate_until": None}) == "caller_id"
    # Whether the calling hours are closed is looked at anew.
    assert await _holds(world, **verdict | {"gate_rule": "calling_hours"}) is None


async def test_everybody_may_be_waiting_for_a_retry(world: CampaignWorld) -> None:
    await _beat(world)
    campaign_id = await world.campaign(status=S.RUNNING)
    await world.recipient(campaign_id, not_before=LATER)

    snapshot = await _snapshot(world, campaign_id)
    assert snapshot.next_due_at == LATER
    assert snapshot.hold is not None
    assert (snapshot.hold.rule, snapshot.hold.until) == ("waiting_for_retry", LATER)


@pytest.mark.parametrize(
    ("status", "recipient", "rule"),
    [
        (A.SENT, R.COMPLETED, "waiting_for_reports"),
        (A.UNKNOWN, R.IN_PROGRESS, "waiting_for_carrier"),
        (A.REVIEW, R.IN_PROGRESS, "needs_review"),
        (A.RINGING, R.IN_PROGRESS, None),
    ],
)
async def test_the_end_of_a_campaign_says_what_it_waits_for(
    world: CampaignWorld, status: AttemptStatus, recipient: RecipientStatus, rule: str | None
) -> None:
    await _beat(world)
    campaign_id = await world.campaign(status=S.RUNNING)
    await world.attempt(await world.recipient(campaign_id, recipient), status)

    hold = (await _snapshot(world, campaign_id)).hold
    assert (hold.rule if hold is not None else None) == rule


async def test_a_campaign_whose_rule_keeps_adding_waits_for_new_people(world: CampaignWorld) -> None:
    await _beat(world)
    campaign_id = await world.campaign(status=S.RUNNING)
    await world.recipient(campaign_id, R.COMPLETED)
    async with world.database.transaction() as session:
        await make_audience(session, await session.get_one(Campaign, campaign_id))

    hold = (await _snapshot(world, campaign_id)).hold
    assert hold is not None
    assert (hold.rule, hold.until) == ("waiting_for_contacts", None)
    assert "end the rule on the Contacts tab" in hold.why

    await world.recipient(campaign_id)
    assert (await _snapshot(world, campaign_id)).hold is None


async def test_a_campaign_whose_rule_found_nobody_yet_says_so(world: CampaignWorld) -> None:
    await _beat(world)
    campaign_id = await world.campaign(status=S.QUEUED)
    async with world.database.transaction() as session:
        await make_audience(session, await session.get_one(Campaign, campaign_id))

    hold = (await _snapshot(world, campaign_id)).hold
    assert hold is not None
    assert hold.rule == "waiting_for_contacts"
    assert "Nobody matches" in hold.why


async def test_a_finished_campaign_is_held_by_nothing(world: CampaignWorld) -> None:
    for status in (S.DRAFT, S.COMPLETED, S.CANCELLED):
        assert await _holds(world, status=status) is None


async def test_the_cards_count_the_organizations_campaigns_and_calls(world: CampaignWorld) -> None:
    running = await world.campaign(status=S.RUNNING)
    await world.campaign(status=S.QUEUED)
    await world.campaign(created_at=NOON - timedelta(days=40))
    other = await build_world(world.database)
    await other.campaign(status=S.RUNNING)
    for disposition in (D.ANSWERED, D.BUSY, D.VOICEMAIL):
        await world.attempt(await world.recipient(running), A.COMPLETED, disposition)
    old = {"reserved_at": NOON - timedelta(days=40)}
    await world.attempt(await world.recipient(running), A.COMPLETED, D.ANSWERED, **old)
    await world.attempt(await world.recipient(running), A.RINGING)

    ever = await world.ask(campaign_cards, since=None)
    lately = await world.ask(campaign_cards, since=NOON - timedelta(days=30))

    assert (ever.total, ever.running_now, ever.calls_completed, ever.success_rate) == (3, 2, 4, 50.0)
    assert (lately.total, lately.running_now, lately.calls_completed, lately.success_rate) == (2, 2, 3, 33.3)


async def test_the_list_shows_progress_and_what_can_be_done(world: CampaignWorld) -> None:
    campaign_id = await world.campaign(status=S.RUNNING, carrier_account_id=world.carrier.id)
    reached = await world.recipient(campaign_id, R.COMPLETED, attempts_made=1)
    for status in (R.FAILED, R.SKIPPED, R.PENDING):
        await world.recipient(campaign_id, status, attempts_made=int(status is R.FAILED))
    await world.attempt(reached, A.COMPLETED, D.ANSWERED)

    row = (await world.ask(list_campaigns)).items[0]

    assert (row.id, row.agent_name, row.simulated) == (campaign_id, "Ava", True)
    assert row.standing == CampaignStanding(total=4, processed=3, cancelled=0, reached=1)
    assert (row.standing.completion_rate, row.success_rate, row.calls_made) == (75.0, 50.0, 1)
    assert row.actions == {CampaignAction.PAUSE, CampaignAction.CANCEL, CampaignAction.DUPLICATE}


async def test_a_cancelled_campaign_has_not_done_what_it_left_undone(world: CampaignWorld) -> None:
    """Ux review B5: 17 of 31 were processed, and list, Overview and API said 100%."""
    cancelled = await world.campaign(status=S.CANCELLED)
    half = await world.campaign(status=S.RUNNING)
    draft = await world.campaign(people=1)
    for status, count in ((R.COMPLETED, 1), (R.NO_ANSWER, 1), (R.CANCELLED, 3)):
        for _ in range(count):
            await world.recipient(cancelled, status, attempts_made=int(status is not R.CANCELLED))
    for status in (R.COMPLETED, R.PENDING):
        await world.recipient(half, status, attempts_made=1)
    await world.recipient(draft, R.SKIPPED, blocked_by="suppression")

    listed = (await world.ask(list_campaigns, sort="progress")).items
    snapshot = await _snapshot(world, cancelled)

    assert [(row.id, row.standing.completion_rate) for row in listed] == [
        (half, 50.0),
        (cancelled, 40.0),
        (draft, 0.0),
    ]
    assert listed[1].standing == CampaignStanding(total=5, processed=2, cancelled=3, reached=1)
    assert (snapshot.metrics.completion_rate, snapshot.metrics.success_rate) == (40.0, 50.0)
    assert (await _snapshot(world, draft)).metrics.completion_rate == 0


async def test_the_list_can_be_searched_filtered_sorted_and_paged(world: CampaignWorld) -> None:
    alpha = await world.campaign(name="alpha 100%", status=S.RUNNING)
    beta = await world.campaign(name="Beta", channel=Channel.SMS, agent=None)
    gamma = await world.campaign(name="gamma", created_at=LATER)
    await world.recipient(alpha, R.COMPLETED)
    await world.recipient(gamma, R.PENDING)

    async def ids(**asked: Any) -> list[int]:
        return [row.id for row in (await world.ask(list_campaigns, **asked)).items]

    assert await ids() == [gamma, beta, alpha]
    assert await ids(search="100%") == [alpha]
    assert await ids(search="a_p") == []
    assert await ids(statuses={S.DRAFT}) == [gamma, beta]
    assert await ids(channel=Channel.SMS) == [beta]
    assert await ids(agent_id=world.agent.id) == [gamma, alpha]
    assert await ids(sort="name", descending=False) == [alpha, beta, gamma]
    assert (await ids(sort="status", descending=False))[-1] == alpha
    assert (await ids(sort="progress"))[0] == alpha
    page = await world.ask(list_campaigns, page=2, page_size=2)
    assert ([row.id for row in page.items], page.total, page.pages) == ([alpha], 3, 2)


async def test_a_campaign_is_found_by_either_id_with_all_its_settings(world: CampaignWorld) -> None:
    async with world.database.transaction() as session:
        idle = await make_number(session, world.organization, active=False, label="Desk")
    campaign_id = await world.campaign(status=S.RUNNING, pool=(idle,))
    public_id = (await world.row(campaign_id)).public_id

    detail = await world.ask(get_campaign, campaign_ref=str(public_id))

    assert detail == await world.ask(get_campaign, campaign_ref=campaign_id)
    assert (detail.settings.number_pool, detail.agent_name) == ((idle.id,), "Ava")
    assert detail.number_labels[idle.id].startswith("Desk (+1 ")
    assert detail.number_warnings[0].endswith("Activate it, or choose another number.")
    assert detail.locked_because == (
        "Pause the campaign first: settings can be changed in draft and paused only."
    )


async def test_a_campaign_in_brief_is_one_statement_that_reads_none_of_its_people(
    world: CampaignWorld,
) -> None:
    campaign_id = await world.campaign(
        people=2, status=S.PAUSED, status_reason="Lunch.", time_zone="Asia/Tokyo", description="Spring"
    )
    public_id = (await world.row(campaign_id)).public_id

    with sent_statements(world.database) as sent:
        brief = await world.ask(campaign_brief, campaign_ref=str(public_id))

    assert len(sent) == 1
    assert "recipient" not in sent[0]
    assert brief == await world.ask(campaign_brief, campaign_ref=campaign_id)
    assert brief == CampaignBrief(
        id=campaign_id,
        name="March reminders",
        description="Spring",
        status=S.PAUSED,
        status_reason="Lunch.",
        channel=Channel.CALL,
        time_zone="Asia/Tokyo",
        carrier_simulated=None,
        runs=1,
    )


async def test_a_campaigns_version_changes_with_its_settings_and_its_people_and_reads_none_of_them(
    world: CampaignWorld,
) -> None:
    campaign_id = await world.campaign()
    steps: list[tuple[Any, dict[str, Any]]] = [
        (update_campaign, {"changes": {"name": "Autumn"}}),
        (add_manual, {"number": "+12025550177", "name": "Ann", "variables": {}}),
        (remove_recipients, {"recipient_ids": None, "everyone": True, "expected": 1}),
    ]
    versions = []
    for minutes, (operation, arguments) in enumerate(steps, start=1):
        now = NOON + timedelta(minutes=minutes)
        await world.do(operation, campaign_ref=campaign_id, now=now, **arguments)
        with sent_statements(world.database) as sent:
            versions.append(await world.ask(campaign_version, campaign_ref=campaign_id))
        assert len(sent) == 1
        assert "recipient" not in sent[0]
        assert versions[-1] == await world.ask(campaign_version, campaign_ref=campaign_id)
    assert len(set(versions)) == 3
    assert await world.people(campaign_id) == {}


@pytest.mark.parametrize("is_simulated", [False, True])
async def test_a_campaign_in_brief_says_whether_its_carrier_is_simulated(
    world: CampaignWorld,
    is_simulated: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    async with world.database.transaction() as session:
        carrier = await make_carrier_account(session, simulated=is_simulated)
    campaign_id = await world.campaign(status=S.RUNNING, carrier_account_id=carrier.id)
    assert (await world.ask(campaign_brief, campaign_ref=campaign_id)).carrier_simulated is is_simulated


@pytest.mark.parametrize("ref", [0, 2**70, "", "no id", "00000000-0000-0000-0000-000000000000"])
async def test_a_campaign_that_is_not_there_has_no_brief(world: CampaignWorld, ref: int | str) -> None:
    await world.campaign()
    with pytest.raises(NotFound, match="campaign"):
        await world.ask(campaign_brief, campaign_ref=ref)


async def test_people_are_counted_by_status_with_zeros(world: CampaignWorld) -> None:
    campaign_id = await world.campaign(people=2)
    await world.recipient(campaign_id, RecipientStatus.BUSY, attempts_made=1)
    await world.campaign(people=1)
    async with world.database.session() as session:
        counts = await recipient_counts(session, campaign_id)
    assert counts.keys() == set(RecipientStatus)
    assert {status: count for status, count in counts.items() if count} == {
        RecipientStatus.PENDING: 2,
        RecipientStatus.BUSY: 1,
    }


async def test_people_are_listed_with_what_can_be_done_for_each(world: CampaignWorld) -> None:
    campaign_id = await world.campaign(status=S.PAUSED, max_attempts=3)
    async with world.database.transaction() as session:
        ann = await make_contact(session, world.organization, name="Ann", number="+12024561111")
    await world.recipient(campaign_id, contact=ann, not_before=LATER)
    await world.recipient(campaign_id, R.FAILED, attempts_made=3, attempts_allowed=4)
    await world.recipient(campaign_id, R.COMPLETED)

    page = await world.ask(list_recipients, campaign_ref=campaign_id)
    first, second, third = page.items
    assert (first.name, first.pretty, first.next_at) == ("Ann", "+1 202-456-1111", LATER)
    assert (first.attempts_allowed, second.attempts_allowed) == (3, 4)
    assert [row.actions for row in (first, second, third)] == [{"skip", "remove"}, {"retry"}, set()]

    async def found(**asked: Any) -> int:
        return (await world.ask(list_recipients, campaign_ref=campaign_id, **asked)).total

    assert await found(search="ann") == 1
    assert await found(search="(202) 456") == 1
    assert await found(statuses={R.FAILED, R.COMPLETED}) == 2
    assert await found(search="nobody") == 0
    downwards = await world.ask(list_recipients, campaign_ref=campaign_id, sort="-position", page_size=2)
    assert [row.position for row in downwards.items] == [3, 2]


async def test_one_person_is_shown_with_their_attempts_and_history(world: CampaignWorld) -> None:
    campaign_id = await world.campaign(status=S.RUNNING)
    person = await world.recipient(campaign_id, R.BUSY, variables={"plan": "gold"})
    for ordinal in (2, 1):
        await world.attempt(person, A.FAILED, D.BUSY, ordinal=ordinal)

    detail = await world.ask(get_recipient, campaign_ref=campaign_id, recipient_id=person)

    assert (detail.row.id, detail.variables) == (person, {"plan": "gold"})
    assert [attempt.ordinal for attempt in detail.attempts] == [1, 2]
    with pytest.raises(NotFound):
        await world.ask(get_recipient, campaign_ref=await world.campaign(), recipient_id=person)


async def test_the_call_log_is_newest_first_and_can_be_filtered(world: CampaignWorld) -> None:
    campaign_id = await world.campaign(status=S.RUNNING)
    person = await world.recipient(campaign_id)
    first = await world.attempt(person, A.FAILED, D.BUSY, price=Decimal("-0.014"), price_unit="USD")
    second = await world.attempt(person, A.COMPLETED, D.ANSWERED, ordinal=2, reserved_at=LATER)

    async def ids(**asked: Any) -> list[object]:
        return [row.id for row in (await world.ask(list_attempts, campaign_ref=campaign_id, **asked)).items]

    assert await ids() == [second.id, first.id]
    assert await ids(disposition=D.BUSY) == [first.id]
    assert await ids(status=A.COMPLETED) == [second.id]
    assert await ids(search=first.number_to) == [second.id, first.id]
    assert await ids(search="nobody") == []
    logged = (await world.ask(list_attempts, campaign_ref=campaign_id, disposition=D.BUSY)).items[0]
    assert (logged.cost, logged.cost_unit) == (0.014, "USD")


async def test_an_attempt_is_shown_with_its_words_and_events_in_order(world: CampaignWorld) -> None:
    person = await world.recipient(await world.campaign(status=S.RUNNING))
    attempt = await world.attempt(person, rendered={"welcome": "Hello Ann."}, provider_id="CA1")
    async with world.database.transaction() as session:
        for place, kind in enumerate(["initiated", "ringing"]):
            session.add(
                ProviderEvent(
                    carrier_account_id=world.carrier.id,
                    attempt_id=attempt.id,
                    kind=kind,
                    dedupe_key=kind,
                    payload={"n": place},
                    received_at=NOON,
                )
            )
        session.add(
            AttemptTurn(attempt_id=attempt.id, dedupe_key="1", speaker="agent", text="Hello Ann.", at=NOON)
        )

    detail = await world.ask(get_attempt, attempt_id=str(attempt.id))

    assert (detail.rendered, detail.provider_id) == ({"welcome": "Hello Ann."}, "CA1")
    assert [turn.text for turn in detail.turns] == ["Hello Ann."]
    assert [event.kind for event in detail.events] == ["initiated", "ringing"]


async def test_another_organizations_campaigns_and_calls_do_not_exist(world: CampaignWorld) -> None:
    campaign_id = await world.campaign(people=1)
    attempt = await world.attempt(await world.recipient(campaign_id))
    other = await build_world(world.database)

    assert (await other.ask(list_campaigns)).total == 0
    for query in (
        campaign_brief,
        campaign_version,
        get_campaign,
        list_recipients,
        list_attempts,
        preview_message,
    ):
        with pytest.raises(NotFound):
            await other.ask(query, campaign_ref=campaign_id)
    for attempt_id in (attempt.id, uuid4(), "no id"):
        with pytest.raises(NotFound):
            await other.ask(get_attempt, attempt_id=attempt_id)
    with pytest.raises(NotFound):
        await _snapshot(other, campaign_id)


async def test_the_preflight_foresees_errors_warnings_time_and_numbers(world: CampaignWorld) -> None:
    campaign_id = await world.campaign(
        people=25, concurrent_limit=2, rate_limit_per_minute=10, step={"agenda_template": "From {{company}}."}
    )
    await world.recipient(campaign_id, variables={"company": "Beta", "plan": "gold"})
    sees = await world.ask(preflight, campaign_ref=campaign_id, now=NOON)

    assert (sees.errors, sees.people.contacted, sees.estimated_minutes) == ({}, 26, 13)
    assert sees.first_call_at == NOON
    assert len(sees.numbers) == 1
    assert any("at least 1 number per 20 contacts (2 here)" in warning for warning in sees.warnings)
    assert any("{{contact_company}}" in warning for warning in sees.warnings)
    assert sees.sms_segments_max is None


async def test_the_preflight_knows_when_calling_hours_open(world: CampaignWorld) -> None:
    # Noon in New York is 09:00 in Los Angeles.
    campaign_id = await world.campaign(
        people=1, allowed_start=time(10), allowed_end=time(17), time_zone="America/Los_Angeles"
    )

    sees = await world.ask(preflight, campaign_ref=campaign_id, now=NOON)

    assert sees.first_call_at == NOON + timedelta(hours=1)


async def test_the_preflight_says_who_lacks_a_value_and_how_long_messages_are(world: CampaignWorld) -> None:
    campaign_id = await world.campaign(
        channel=Channel.SMS,
        missing=Missing.BLANK,
        step={"sms_message_template": "Hi {{name}}, {{plan}} {{nothing}} " + "x" * 200},
    )
    await world.recipient(campaign_id, variables={"plan": "gold"})
    await world.recipient(campaign_id)

    sees = await world.ask(preflight, campaign_ref=campaign_id, now=NOON)

    assert sees.sms_segments_max == 2
    assert "Nobody has a value for {{nothing}}." in sees.warnings
    assert "1 contact has no value for {{plan}}." in sees.warnings


async def test_a_preview_shows_what_a_real_contact_would_hear(world: CampaignWorld) -> None:
    async with world.database.transaction() as session:
        agent = await make_agent(session, world.organization, name="Max", greeting="Good day {{name}}.")
        ann = await make_contact(session, world.organization, name="Ann Lee", company="Beta")
        bob = await make_contact(session, world.organization, name="Bob")
    campaign_id = await world.campaign(
        agent=agent,
        step={
            "welcome_message_template": "",
            "agenda_template": "{{assistant_name}} of {{company}}: {{plan}}",
        },
    )
    await world.recipient(campaign_id, contact=ann, variables={"plan": "gold"})

    first = await world.ask(preview_message, campaign_ref=campaign_id)
    second = await world.ask(preview_message, campaign_ref=campaign_id, contact_id=bob.id)

    assert (first.contact_name, first.texts["welcome"]) == ("Ann Lee", "Good day Ann Lee.")
    assert first.texts["agenda"] == "Max of Acme Corp: gold"
    assert "plan" in first.variables
    assert (second.contact_name, second.unresolved) == ("Bob", ["plan"])


async def test_a_preview_tries_unsaved_texts_without_saving_them(world: CampaignWorld) -> None:
    campaign_id = await world.campaign(people=1)
    overrides = {
        "agenda_template": "On {{day}}",
        "question_template": "{{ oops",
        "fallback_values": {"day": "Monday"},
        "status": "running",
    }

    preview = await world.ask(preview_message, campaign_ref=campaign_id, overrides=overrides)

    assert preview.texts["agenda"] == "On Monday"
    assert set(preview.errors) == {"question_template"}
    assert (await world.ask(get_campaign, campaign_ref=campaign_id)).settings.agenda_template == ""


async def test_a_preview_without_anybody_shows_the_fallbacks(world: CampaignWorld) -> None:
    preview = await world.ask(preview_message, campaign_ref=await world.campaign())

    assert (preview.contact_name, preview.texts["welcome"]) == ("", "Hello there.")
    with pytest.raises(NotFound):
        await world.ask(preview_message, campaign_ref=await world.campaign(), contact_id=999)
