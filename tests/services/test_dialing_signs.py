"""Stop on bad signs: the breaker, the pilot, the ramp and the budget, under the campaign's lock."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, text
from sqlmodel import col

from app.domain.breaker import OFF, Sign
from app.domain.campaign import CampaignStatus, Channel
from app.domain.events import EventKind, FailureClass
from app.domain.gate import Rule
from app.domain.recipient import RecipientStatus
from app.models import BreakerTrip, CampaignTransition
from app.providers.base import NotPlaced, Refused
from app.runtime import fault_points
from app.runtime.database import Database
from app.services.campaigns.lifecycle import pause_campaign, resume_campaign, retry_failed
from app.services.campaigns.operations import update_campaign
from app.services.campaigns.safeguard_settings import Safeguards
from app.services.campaigns.transitions import pause_by_system
from app.services.dialing.place.carrier_request import CarrierAnswer
from app.services.dialing.reserve.held import lock
from app.services.dialing.reserve.reservation import Reservation
from app.services.dialing.reserve.safeguards import count_ahead
from app.services.numbers.carriers import CarrierIdentity
from tests.support.builders import make_recipient, principal
from tests.support.stage import DialingStage, set_stage

_S = CampaignStatus

_OFF = OFF.to_json()
_FAILURES = _OFF | {"failure_rate": 50, "minimum": 5, "window": 10}
_SCRIPT = {"welcome_message_template": "Hi {{name}}.", "agenda_template": "This is about your order. " * 8}


class _Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def killed_at() -> Iterator[Callable[[str], None]]:
    """Let the process end at a named point of the dial path."""

    def kill_at(point: str) -> None:
        def handler(passed: str) -> None:
            if passed == point:
                raise _Killed

        fault_points.install(handler)

    yield kill_at
    fault_points.install(None)


async def _end(stage: DialingStage, *reservations: Reservation, seconds: int = 20) -> None:
    for each in reservations:
        await stage.hear(each.attempt_id, EventKind.ANSWERED, EventKind.COMPLETED, duration_seconds=seconds)


async def _fail(stage: DialingStage, *reservations: Reservation) -> None:
    for each in reservations:
        await stage.hear(each.attempt_id, EventKind.FAILED)


async def _trips(stage: DialingStage) -> list[BreakerTrip]:
    async with stage.database.session() as session:
        found = select(BreakerTrip).where(col(BreakerTrip.campaign_id) == stage.campaign_id)
        return list((await session.execute(found.order_by(col(BreakerTrip.id)))).scalars())


async def _pauses(stage: DialingStage) -> list[str]:
    async with stage.database.session() as session:
        found = select(col(CampaignTransition.reason)).where(
            col(CampaignTransition.campaign_id) == stage.campaign_id,
            col(CampaignTransition.new) == _S.PAUSED,
        )
        return list((await session.execute(found)).scalars())


async def _resume(stage: DialingStage) -> None:
    account = stage.account
    async with stage.database.transaction() as session:
        await resume_campaign(
            session,
            principal=principal(stage.organization),
            campaign_ref=stage.campaign_id,
            now=stage.clock.now(),
            carrier=CarrierIdentity(
                account.kind, account.account_sid, account.api_url, simulated=account.simulated
            ),
        )


async def _tried(stage: DialingStage) -> int:
    return sum(each.attempts_made > 0 for each in await stage.recipients())


class TestBreaker:
    """The last outcomes pause a campaign."""

    async def test_failures_pause_the_campaign_and_name_the_attempts(self, database: Database) -> None:
        stage = await set_stage(database, contacts=20, breaker=_FAILURES)
        first = await stage.dial(6)
        await _fail(stage, *first[:5])
        await _end(stage, first[5])
        assert await stage.reserve() == ()
        (trip,) = await _trips(stage)
        assert (trip.sign, trip.measured, trip.threshold, trip.window) == (Sign.FAILURES, 83.3, 50.0, 6)
        assert {*trip.attempt_ids} == {each.attempt_id for each in first[:5]}
        campaign = await stage.campaign()
        assert campaign.status is _S.PAUSED
        assert campaign.status_reason == "83.3% of the last 6 attempts failed (limit 50%)"

    async def test_it_trips_once_however_many_dialers_ask(self, database: Database) -> None:
        stage = await set_stage(database, contacts=30, breaker=_FAILURES)
        await _fail(stage, *await stage.dial(8))
        asked = await asyncio.gather(*(stage.reserve(worker=f"worker-{number}") for number in range(6)))
        assert asked == [()] * 6
        assert len(await _trips(stage)) == 1
        assert len(await _pauses(stage)) == 1

    async def test_too_few_outcomes_trip_nothing(self, database: Database) -> None:
        stage = await set_stage(database, contacts=20, breaker=_FAILURES)
        await _fail(stage, *await stage.dial(4))
        assert len(await stage.reserve(3)) == 3

    async def test_what_was_not_placed_is_no_outcome(self, database: Database) -> None:
        stage = await set_stage(database, contacts=20, breaker=_FAILURES)
        for each in await stage.reserve(8):
            await stage.record(
                CarrierAnswer(each.attempt_id, NotPlaced(reason="429", retry_after_seconds=None))
            )
        stage.clock.advance(seconds=5)
        assert len(await stage.reserve(3)) == 3

    async def test_refusals_in_a_row_trip_early(self, database: Database) -> None:
        stage = await set_stage(database, contacts=20)
        stage.carrier.answers = lambda _order: Refused(
            failure=FailureClass.CONTENT, code=99999, message="Something unheard of"
        )
        refused = await stage.dial(5)
        assert await stage.reserve() == ()
        (trip,) = await _trips(stage)
        assert trip.sign == Sign.REFUSALS_IN_A_ROW
        assert {*trip.attempt_ids} == {each.attempt_id for each in refused}
        assert (await stage.campaign()).status_reason == "The carrier refused 5 attempts in a row"

    async def test_a_number_that_the_carrier_refuses_is_no_refusal(self, database: Database) -> None:
        stage = await set_stage(database, contacts=20, breaker=_OFF | {"refusal_rate": 20, "minimum": 5})
        stage.carrier.answers = lambda _order: Refused(
            failure=FailureClass.BAD_NUMBER, code=21211, message="Invalid 'To' number"
        )
        await stage.dial(10)
        assert len(await stage.reserve(3)) == 3

    async def test_people_who_hang_up_at_once_trip_it(self, database: Database) -> None:
        policy = _OFF | {"hang_up_rate": 50, "minimum": 10, "window": 20}
        stage = await set_stage(database, contacts=20, step=_SCRIPT, breaker=policy)
        calls = await stage.dial(6)
        await _end(stage, *calls[:4], seconds=3)
        await _end(stage, *calls[4:])
        assert await stage.reserve() == ()
        (trip,) = await _trips(stage)
        assert (trip.sign, trip.measured, trip.window) == (Sign.HANG_UPS, 66.7, 6)

    async def test_a_script_that_is_shorter_than_a_hang_up_trips_nothing(self, database: Database) -> None:
        policy = _OFF | {"hang_up_rate": 50, "minimum": 10, "window": 20}
        stage = await set_stage(database, contacts=20, breaker=policy)
        await _end(stage, *await stage.dial(8), seconds=3)
        assert len(await stage.reserve(3)) == 3

    async def test_opt_outs_trip_it(self, database: Database) -> None:
        stage = await set_stage(database, contacts=20, breaker=_OFF | {"opt_out_rate": 30, "minimum": 5})
        for each in await stage.dial(5):
            await stage.hear(
                each.attempt_id,
                EventKind.ANSWERED,
                EventKind.OPTED_OUT,
                EventKind.COMPLETED,
                duration_seconds=9,
            )
        assert await stage.reserve() == ()
        assert [trip.sign for trip in await _trips(stage)] == [Sign.OPT_OUTS]

    async def test_a_breaker_that_is_off_lets_everything_pass(self, database: Database) -> None:
        stage = await set_stage(database, contacts=60, breaker=_OFF)
        await _fail(stage, *await stage.dial(30))
        assert len(await stage.reserve(3)) == 3

    async def test_resuming_forgets_what_tripped_it_but_not_what_comes(self, database: Database) -> None:
        stage = await set_stage(database, contacts=40, breaker=_FAILURES)
        await _fail(stage, *await stage.dial(8))
        await stage.reserve()
        stage.clock.advance(seconds=60)
        await _resume(stage)
        assert (await stage.campaign()).breaker_since == stage.clock.now()
        stage.clock.advance(seconds=1)
        again = await stage.dial(6)
        assert len(again) == 6
        await _fail(stage, *again)
        assert await stage.reserve() == ()
        assert len(await _trips(stage)) == 2

    async def test_a_pause_by_hand_keeps_what_the_breaker_knows(self, database: Database) -> None:
        stage = await set_stage(database, contacts=40, breaker=_FAILURES)
        await _fail(stage, *await stage.dial(4))
        async with database.transaction() as session:
            await pause_campaign(
                session,
                principal=principal(stage.organization),
                campaign_ref=stage.campaign_id,
                now=stage.clock.now(),
            )
        await _resume(stage)
        assert (await stage.campaign()).breaker_since is None
        await _fail(stage, *await stage.dial(1))
        assert await stage.reserve() == ()

    async def test_resuming_while_dialers_ask_trips_no_second_time(self, database: Database) -> None:
        stage = await set_stage(database, contacts=40, breaker=_FAILURES)
        await _fail(stage, *await stage.dial(8))
        await stage.reserve()
        stage.clock.advance(seconds=60)
        await asyncio.gather(_resume(stage), *(stage.reserve(1, worker=f"worker-{n}") for n in range(5)))
        stage.clock.advance(seconds=1)
        await stage.reserve(1)
        assert (await stage.campaign()).status is _S.RUNNING
        assert len(await _trips(stage)) == 1

    async def test_trying_the_failed_again_begins_anew(self, database: Database) -> None:
        stage = await set_stage(database, contacts=8, breaker=_FAILURES, max_attempts=1)
        await _fail(stage, *await stage.dial())
        assert await stage.complete()
        stage.clock.advance(seconds=60)
        async with database.transaction() as session:
            await retry_failed(
                session,
                principal=principal(stage.organization),
                campaign_ref=stage.campaign_id,
                now=stage.clock.now(),
            )
        assert len(await stage.reserve()) == 8

    async def test_what_was_reserved_when_it_trips_is_not_placed(self, database: Database) -> None:
        stage = await set_stage(database, contacts=40, breaker=_FAILURES)
        first = await stage.dial(8)
        waiting = await stage.reserve(3)
        await _fail(stage, *first)
        await stage.reserve()
        assert await stage.place(*waiting) == []

    async def test_a_kill_before_the_commit_leaves_nothing_and_the_next_dialer_trips_it(
        self, database: Database, killed_at: Callable[[str], None]
    ) -> None:
        stage = await set_stage(database, contacts=30, breaker=_FAILURES)
        await _fail(stage, *await stage.dial(8))
        killed_at("before_reserve_commit")
        with pytest.raises(_Killed):
            await stage.reserve()
        assert (await stage.campaign()).status is _S.RUNNING
        assert await _trips(stage) == []
        fault_points.install(None)
        await stage.reserve()
        assert (await stage.campaign()).status is _S.PAUSED
        assert len(await _trips(stage)) == 1

    async def test_a_kill_after_the_commit_leaves_it_tripped_once(
        self, database: Database, killed_at: Callable[[str], None]
    ) -> None:
        stage = await set_stage(database, contacts=30, breaker=_FAILURES)
        await _fail(stage, *await stage.dial(8))
        killed_at("after_reserve_commit")
        with pytest.raises(_Killed):
            await stage.reserve()
        fault_points.install(None)
        await stage.reserve()
        assert len(await _trips(stage)) == 1

    async def test_the_window_is_read_by_its_index(self, database: Database) -> None:
        stage = await set_stage(database, contacts=1)
        query = (
            "SELECT id FROM attempt WHERE campaign_id = :id AND disposition IS NOT NULL"
            " AND ended_at > '-infinity' ORDER BY ended_at DESC LIMIT 50"
        )
        async with database.session() as session:
            await session.execute(text("SET LOCAL enable_seqscan = off"))
            plan = await session.execute(text(f"EXPLAIN {query}"), {"id": stage.campaign_id})
            assert "ix_attempt_settled" in "\n".join(plan.scalars())


class TestPilot:
    """A few people first, then a person decides."""

    async def test_no_more_than_the_pilot_is_dialed(self, database: Database) -> None:
        stage = await set_stage(database, contacts=20, pilot_size=4, breaker=_OFF)
        assert len(await stage.dial()) == 4
        assert await stage.reserve() == ()
        campaign = await stage.campaign()
        assert (campaign.status, campaign.gate_rule) == (_S.RUNNING, Rule.PILOT)

    async def test_it_pauses_when_the_pilot_has_ended(self, database: Database) -> None:
        stage = await set_stage(database, contacts=20, pilot_size=4, breaker=_OFF)
        pilot = await stage.dial()
        await _end(stage, *pilot[:3])
        await stage.reserve()
        assert (await stage.campaign()).status is _S.RUNNING
        await _end(stage, pilot[3])
        assert await stage.reserve() == ()
        campaign = await stage.campaign()
        assert campaign.status is _S.PAUSED
        assert campaign.status_reason == (
            "The pilot of 4 is done: look at the results, then resume to dial the rest"
        )
        assert len(await _pauses(stage)) == 1

    async def test_resuming_dials_the_rest(self, database: Database) -> None:
        stage = await set_stage(database, contacts=20, pilot_size=4, breaker=_OFF)
        await _end(stage, *await stage.dial())
        await stage.reserve()
        await _resume(stage)
        assert (await stage.campaign()).pilot_passed_at == stage.clock.now()
        assert len(await stage.dial()) == 16

    async def test_a_pause_by_hand_does_not_end_the_pilot(self, database: Database) -> None:
        stage = await set_stage(database, contacts=20, pilot_size=4, breaker=_OFF)
        await _end(stage, *await stage.dial(2))
        await stage.change(status=_S.PAUSED)
        await _resume(stage)
        assert (await stage.campaign()).pilot_passed_at is None
        assert len(await stage.dial()) == 2

    async def test_a_pause_for_another_cause_does_not_end_the_pilot(self, database: Database) -> None:
        stage = await set_stage(database, contacts=20, pilot_size=4, breaker=_OFF)
        await stage.dial()
        await stage.reserve()
        assert (await stage.campaign()).gate_rule == Rule.PILOT
        async with database.transaction() as session:
            await pause_by_system(
                session, campaign_id=stage.campaign_id, reason="The account is closed", now=stage.clock.now()
            )
        await _resume(stage)
        assert (await stage.campaign()).pilot_passed_at is None

    async def test_a_retry_takes_nobodys_place(self, database: Database) -> None:
        stage = await set_stage(database, contacts=20, pilot_size=4, breaker=_OFF)
        (first, second) = await stage.dial(2)
        await stage.hear(first.attempt_id, EventKind.NO_ANSWER)
        await _end(stage, second)
        async with database.transaction() as session:
            later = text("UPDATE recipient SET not_before = :later WHERE attempts_made = 0")
            await session.execute(later, {"later": stage.clock.now() + timedelta(minutes=45)})
        stage.clock.advance(hours=1)
        await stage.dial(1)
        await stage.dial()
        await stage.dial()
        assert await _tried(stage) == 4
        assert len(await stage.attempts()) == 5

    async def test_retries_that_are_due_later_are_not_waited_for(self, database: Database) -> None:
        stage = await set_stage(database, contacts=20, pilot_size=2, breaker=_OFF)
        for each in await stage.dial():
            await stage.hear(each.attempt_id, EventKind.NO_ANSWER)
        await stage.reserve()
        assert (await stage.campaign()).status is _S.PAUSED

    async def test_who_was_not_placed_is_not_of_the_pilot(self, database: Database) -> None:
        stage = await set_stage(database, contacts=20, pilot_size=4, breaker=_OFF)
        reserved = await stage.reserve()
        for each in reserved[:2]:
            await stage.record(
                CarrierAnswer(each.attempt_id, NotPlaced(reason="429", retry_after_seconds=None))
            )
        stage.clock.advance(seconds=5)
        await stage.record(*await stage.place(*reserved[2:]))
        await _end(stage, *reserved[2:])
        assert len(await stage.dial()) == 2
        assert (await stage.campaign()).status is _S.RUNNING

    async def test_a_campaign_that_is_all_pilot_completes(self, database: Database) -> None:
        stage = await set_stage(database, contacts=3, pilot_size=3, breaker=_OFF)
        await _end(stage, *await stage.dial())
        await stage.reserve()
        assert await stage.complete()

    async def test_messages_wait_for_their_reports(self, database: Database) -> None:
        stage = await set_stage(
            database, contacts=5, channel=Channel.SMS, pilot_size=2, breaker=_OFF, messages_per_second=100
        )
        pilot = await stage.dial()
        for each in pilot:
            await stage.hear(each.attempt_id, EventKind.SENT)
        await stage.reserve()
        assert (await stage.campaign()).status is _S.RUNNING
        for each in pilot:
            await stage.hear(each.attempt_id, EventKind.DELIVERED)
        await stage.reserve()
        assert (await stage.campaign()).status is _S.PAUSED

    async def test_reports_are_not_waited_for_for_ever(self, database: Database) -> None:
        stage = await set_stage(
            database, contacts=5, channel=Channel.SMS, pilot_size=2, breaker=_OFF, messages_per_second=100
        )
        for each in await stage.dial():
            await stage.hear(each.attempt_id, EventKind.SENT)
        stage.clock.advance(minutes=11)
        await stage.reserve()
        assert (await stage.campaign()).status is _S.PAUSED

    async def test_several_dialers_together_dial_no_more_than_the_pilot(self, database: Database) -> None:
        stage = await set_stage(database, contacts=60, pilot_size=10, breaker=_OFF)
        for _ in range(4):
            await asyncio.gather(*(stage.reserve(3, worker=f"worker-{number}") for number in range(5)))
        assert await _tried(stage) == 10

    async def test_a_kill_before_the_commit_leaves_the_pilot_to_be_ended_again(
        self, database: Database, killed_at: Callable[[str], None]
    ) -> None:
        stage = await set_stage(database, contacts=20, pilot_size=4, breaker=_OFF)
        await _end(stage, *await stage.dial())
        killed_at("before_reserve_commit")
        with pytest.raises(_Killed):
            await stage.reserve()
        assert (await stage.campaign()).status is _S.RUNNING
        fault_points.install(None)
        await stage.reserve()
        assert len(await _pauses(stage)) == 1

    async def test_another_size_is_another_pilot(self, database: Database) -> None:
        stage = await set_stage(database, contacts=20, pilot_size=4, breaker=_OFF)
        await _end(stage, *await stage.dial())
        await stage.reserve()
        async with database.transaction() as session:
            await update_campaign(
                session,
                principal=principal(stage.organization),
                campaign_ref=stage.campaign_id,
                changes={"pilot_size": 7},
                now=stage.clock.now(),
            )
        await _resume(stage)
        assert len(await stage.dial()) == 3
        assert (await stage.campaign()).pilot_passed_at is None


class TestRamp:
    """Ever more people, each step after the one before went well."""

    _POLICY = _FAILURES | {"window": 50}

    async def _ramp(self, database: Database, contacts: int = 60, pilot_size: int = 0) -> DialingStage:
        return await set_stage(
            database, contacts=contacts, pilot_size=pilot_size, ramp=True, breaker=self._POLICY
        )

    async def test_the_first_step_is_a_few_people(self, database: Database) -> None:
        stage = await self._ramp(database)
        assert len(await stage.dial()) == 5
        assert await stage.reserve() == ()
        assert (await stage.campaign()).gate_rule == Rule.RAMP

    async def test_the_next_step_waits_for_the_last_attempt_of_this_one(self, database: Database) -> None:
        stage = await self._ramp(database)
        step = await stage.dial()
        await _end(stage, *step[:4])
        assert await stage.reserve() == ()
        await _end(stage, step[4])
        assert len(await stage.dial()) == 5
        assert (await stage.campaign()).ramp_step == 1

    async def test_all_steps_go_by_themselves_to_the_end(self, database: Database) -> None:
        stage = await self._ramp(database)
        sizes = []
        for _ in range(4):
            step = await stage.dial()
            sizes.append(len(step))
            await _end(stage, *step)
        assert sizes == [5, 5, 20, 30]
        assert (await stage.campaign()).ramp_step == 3
        assert await stage.complete()

    async def test_a_step_that_went_badly_pauses_instead(self, database: Database) -> None:
        stage = await self._ramp(database)
        await _fail(stage, *await stage.dial())
        assert await stage.reserve() == ()
        campaign = await stage.campaign()
        assert (campaign.status, campaign.ramp_step) == (_S.PAUSED, 0)
        assert [trip.window for trip in await _trips(stage)] == [5]

    async def test_after_a_person_resumed_the_ramp_goes_on(self, database: Database) -> None:
        stage = await self._ramp(database)
        await _fail(stage, *await stage.dial())
        await stage.reserve()
        stage.clock.advance(seconds=60)
        await _resume(stage)
        assert len(await stage.dial()) == 5
        assert (await stage.campaign()).ramp_step == 1

    async def test_several_dialers_take_each_step_once(self, database: Database) -> None:
        stage = await self._ramp(database)
        await _end(stage, *await stage.dial())
        reserved = await asyncio.gather(*(stage.reserve(worker=f"worker-{number}") for number in range(5)))
        assert sum(map(len, reserved)) == 5
        assert (await stage.campaign()).ramp_step == 1

    async def test_a_kill_before_the_commit_leaves_the_step_as_it_was(
        self, database: Database, killed_at: Callable[[str], None]
    ) -> None:
        stage = await self._ramp(database)
        await _end(stage, *await stage.dial())
        killed_at("before_reserve_commit")
        with pytest.raises(_Killed):
            await stage.reserve()
        assert (await stage.campaign()).ramp_step == 0
        fault_points.install(None)
        assert len(await stage.reserve()) == 5
        assert (await stage.campaign()).ramp_step == 1

    async def test_people_added_later_do_not_take_the_step_back(self, database: Database) -> None:
        stage = await self._ramp(database)
        await _end(stage, *await stage.dial())
        await _end(stage, *await stage.dial())
        await stage.reserve(1)
        step = (await stage.campaign()).ramp_step
        async with database.transaction() as session:
            campaign = await stage.campaign()
            for _ in range(40):
                await make_recipient(session, campaign, not_before=stage.clock.now())
        await stage.dial()
        assert (await stage.campaign()).ramp_step >= step

    async def test_a_pilot_comes_before_the_rest_of_the_ramp(self, database: Database) -> None:
        stage = await self._ramp(database, pilot_size=7)
        await _end(stage, *await stage.dial())
        await _end(stage, *await stage.dial())
        assert await _tried(stage) == 7
        await stage.reserve()
        assert "pilot" in (await stage.campaign()).status_reason
        await _resume(stage)
        assert len(await stage.dial()) == 3


class TestBudget:
    """What is spent, and may be spent by calls in flight, stays under the cap."""

    async def test_as_many_calls_start_as_the_cap_pays_at_their_longest(self, database: Database) -> None:
        stage = await set_stage(
            database, contacts=20, budget_cap=Decimal("0.50"), time_limit_seconds=600, breaker=_OFF
        )
        assert len(await stage.dial()) == 3
        assert await stage.reserve() == ()
        campaign = await stage.campaign()
        assert (campaign.status, campaign.gate_rule) == (_S.RUNNING, Rule.BUDGET)

    async def test_a_call_that_cost_less_makes_room(self, database: Database) -> None:
        stage = await set_stage(database, contacts=20, budget_cap=Decimal("0.50"), breaker=_OFF)
        calls = await stage.dial()
        await stage.reserve()
        await _end(stage, calls[0])
        stage.clock.advance(seconds=2)
        assert len(await stage.dial()) == 1

    async def test_it_never_spends_more_than_the_cap(self, database: Database) -> None:
        cap = Decimal("0.80")
        stage = await set_stage(database, contacts=60, budget_cap=cap, time_limit_seconds=300, breaker=_OFF)
        while (await stage.campaign()).status is not _S.PAUSED:
            await _end(stage, *await stage.dial(), seconds=170)
            stage.clock.advance(seconds=2)
        spent = Decimal("0.014") * 3 * len(await stage.attempts())
        assert cap - Decimal("0.07") < spent <= cap

    async def test_it_pauses_when_nothing_more_fits_and_nothing_is_under_way(
        self, database: Database
    ) -> None:
        stage = await set_stage(
            database, contacts=20, budget_cap=Decimal("0.05"), time_limit_seconds=120, breaker=_OFF
        )
        (call,) = await stage.dial()
        await stage.reserve()
        await _end(stage, call, seconds=100)
        await stage.reserve()
        campaign = await stage.campaign()
        assert campaign.status is _S.PAUSED
        assert campaign.status_reason == (
            "The budget of 0.05 USD is used up: 0.03 USD are spent, and one more call may cost 0.03 USD"
        )
        assert len(await _pauses(stage)) == 1

    async def test_a_larger_cap_goes_on(self, database: Database) -> None:
        stage = await set_stage(
            database, contacts=20, budget_cap=Decimal("0.05"), time_limit_seconds=120, breaker=_OFF
        )
        await _end(stage, *await stage.dial(), seconds=100)
        await stage.reserve()
        await stage.change(budget_cap=Decimal("1.00"))
        await _resume(stage)
        assert len(await stage.dial(5)) == 5

    async def test_without_more_budget_a_resumed_campaign_pauses_again(self, database: Database) -> None:
        stage = await set_stage(
            database, contacts=20, budget_cap=Decimal("0.05"), time_limit_seconds=120, breaker=_OFF
        )
        await _end(stage, *await stage.dial(), seconds=100)
        await stage.reserve()
        await _resume(stage)
        assert await stage.reserve() == ()
        assert (await stage.campaign()).status is _S.PAUSED

    async def test_the_carriers_prices_count_once_it_tells_them(self, database: Database) -> None:
        stage = await set_stage(
            database, contacts=20, budget_cap=Decimal("1.00"), time_limit_seconds=60, breaker=_OFF
        )
        (call,) = await stage.dial(1)
        await _end(stage, call, seconds=50)
        async with database.transaction() as session:
            await session.execute(text("UPDATE attempt SET price = -0.40, price_unit = 'EUR'"))
        stage.clock.advance(seconds=30)
        assert len(await stage.dial()) == 1

    async def test_a_message_costs_all_its_parts(self, database: Database) -> None:
        stage = await set_stage(
            database,
            contacts=20,
            channel=Channel.SMS,
            step={"sms_message_template": "x" * 400},
            budget_cap=Decimal("0.10"),
            messages_per_second=100,
            breaker=_OFF,
        )
        for _ in range(10):
            for each in await stage.dial():
                await stage.hear(each.attempt_id, EventKind.SENT, EventKind.DELIVERED)
            stage.clock.advance(seconds=2)
        attempts = await stage.attempts()
        assert {each.parts for each in attempts} == {3}
        assert len(attempts) == 4
        assert (await stage.campaign()).status is _S.PAUSED

    async def test_several_dialers_together_stay_under_the_cap(self, database: Database) -> None:
        stage = await set_stage(
            database, contacts=60, budget_cap=Decimal("1.00"), time_limit_seconds=600, breaker=_OFF
        )
        for _ in range(3):
            await asyncio.gather(*(stage.reserve(2, worker=f"worker-{number}") for number in range(5)))
        assert len(await stage.attempts()) == 7

    async def test_what_was_proven_not_placed_costs_nothing(self, database: Database) -> None:
        stage = await set_stage(database, contacts=20, budget_cap=Decimal("0.50"), breaker=_OFF)
        for each in await stage.reserve():
            await stage.record(
                CarrierAnswer(each.attempt_id, NotPlaced(reason="429", retry_after_seconds=None))
            )
        stage.clock.advance(seconds=5)
        assert len(await stage.dial()) == 3


async def test_a_count_without_locks_holds_only_while_nothing_was_reserved_since(database: Database) -> None:
    stage = await set_stage(database, contacts=20, pilot_size=10)
    async with database.session() as session:
        counted = await count_ahead(session, await stage.campaign(), now=stage.clock.now())
    assert counted is not None
    held = [counted.holds(await _safeguards(stage))]
    await stage.dial(2)
    held.append(counted.holds(await _safeguards(stage)))
    assert held == [True, False]


async def _safeguards(stage: DialingStage) -> Safeguards:
    async with stage.database.transaction() as session:
        locked = await lock(session, stage.campaign_id, now=stage.clock.now())
    assert locked is not None
    return locked.safeguards


async def test_without_guards_a_pass_counts_nothing(database: Database) -> None:
    stage = await set_stage(database, contacts=20)
    assert len(await stage.dial()) == 20
    assert (await stage.campaign()).room_at is None


async def test_everyone_is_conserved_through_all_of_it(database: Database) -> None:
    stage = await set_stage(database, contacts=40, pilot_size=3, ramp=True, budget_cap=Decimal(5))
    for _ in range(12):
        await _end(stage, *await stage.dial())
        await stage.reserve(1)
        if (await stage.campaign()).status is _S.PAUSED:
            await _resume(stage)
        stage.clock.advance(seconds=2)
        for waiting in await stage.attempts():
            if waiting.provider_id is None and waiting.ended_at is None:
                await stage.record(
                    CarrierAnswer(waiting.id, NotPlaced(reason="429", retry_after_seconds=None))
                )
        stage.clock.advance(seconds=2)
    assert await stage.statuses() == {RecipientStatus.COMPLETED: 40}
