"""The dialer: it wakes on a signal or after a second, and reserves, places and records what is due.

It keeps no important state: all limits and reservations are in PostgreSQL. So any number of dialers can run, and a kill
at any point leaves only attempts that the reconciler looks up.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

from app.providers.base import Carrier, NotPlaced, Placed
from app.runtime.clock import Clock
from app.runtime.database import AWAY, Database
from app.runtime.live_feed import LiveFeed
from app.runtime.tasks import end_tasks
from app.services.campaigns.transitions import fail_by_system
from app.services.dialing.completion import complete_campaign, finished_campaigns, next_due_at
from app.services.dialing.place.carrier_answer import record
from app.services.dialing.place.carrier_request import (
    OUR_OWN_REASONS,
    STOPPED,
    CarrierAnswer,
    given_up,
    place,
    still_wanted,
)
from app.services.dialing.reserve.fair_share import Turn, plan
from app.services.dialing.reserve.reservation import Pass, Reservation, reserve
from app.services.dialing.settle.hang_up import note_second_calls
from worker.recheck import RecheckBatcher, Wanted

log = logging.getLogger(__name__)

TICK_SECONDS: Final = 1.0
"""The longest delay after a missed wake-up signal."""

MOST_IN_FLIGHT: Final = 200
"""With this many requests to the carrier in flight, one process reserves no more."""

GROUP_SECONDS: Final = 0.01
"""Answers that come within this time are recorded in one transaction."""

AHEAD: Final = timedelta(seconds=0.3)
"""Starts that a rate allows within this time are reserved now, and leave at their times: waking late loses none."""

MOST_FAILURES: Final = 5
"""If the reservation of a campaign fails this many times in a row, the campaign fails with the error."""

LONGEST_BACK_OFF: Final = timedelta(seconds=30)

_ERROR_PAUSE_SECONDS: Final = 1.0

_LONGEST_ERROR: Final = 500


@dataclass
class Dialer:
    """One dialing task of one worker process."""

    database: Database
    """A separate pool is best: a rollback makes a connection forget its prepared statements."""
    feed: LiveFeed | None
    """None: it wakes only by the tick."""
    carrier: Carrier
    clock: Clock
    worker: str
    carrier_account_id: int
    """The only carrier account that this dialer uses; it skips campaigns of other carriers."""
    most_in_flight: int = MOST_IN_FLIGHT
    is_sure_of_the_time: Callable[[], bool] = lambda: True
    """If not, nothing is reserved and no run is ended: it would be checked against a wrong time what is due."""
    _woken: asyncio.Event = field(default_factory=asyncio.Event)
    _answers: "asyncio.Queue[CarrierAnswer]" = field(default_factory=asyncio.Queue)
    _in_flight: set["asyncio.Task[None]"] = field(default_factory=set)
    _failures: dict[int, int] = field(default_factory=dict)
    _refused_in_a_row: int = 0
    _awaits_answers: bool = False
    """In the last pass, a campaign had to wait for answers of the carrier before it could start more."""
    _stopping: bool = False

    def __post_init__(self) -> None:
        self._rechecks = RecheckBatcher(self._wanted)

    async def run(self) -> None:
        """Dial until `stop`. Before this returns, all reservations are placed or given back."""
        recorder = asyncio.create_task(self._record_answers(), name="recorder")
        listener = asyncio.create_task(self._listen(), name="listener")
        try:
            await self._dial(recorder)
        finally:
            if self._in_flight:
                await asyncio.wait(self._in_flight)
            await self._answers.join()
            await end_tasks(listener, recorder)

    def stop(self) -> None:
        """Reserve no more; `run` returns when all reservations are placed or given back."""
        self._stopping = True
        self._woken.set()

    @property
    def stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._stopping

    def wake(self) -> None:
        """Wake the dialer: there may be work."""
        self._woken.set()

    async def _dial(self, recorder: "asyncio.Task[None]") -> None:
        while not self._stopping:
            if recorder.done():
                recorder.result()  # It ends only by an error: raise it, and the dialer is restarted.
            self._woken.clear()
            try:
                wake_at = await self._pass()
            except Exception:
                # The database is away, or the pass failed. Nothing is lost, because the rows say what is due: retry.
                log.exception("dialer.pass_failed")
                await asyncio.sleep(_ERROR_PAUSE_SECONDS)
                continue
            await self._wait(wake_at)

    async def _pass(self) -> datetime | None:
        """Serve every due campaign in turn, in rounds, as long as limits allow.

        Returns the next time at which more can start without any other event.
        """
        wake_at: dict[int | None, datetime | None] = {}
        awaits_answers: dict[int, bool] = {}
        more = True
        while more and self.is_sure_of_the_time() and not self._stopping:
            async with self.database.reading() as session:
                round_ = await plan(session, carrier_account_id=self.carrier_account_id, now=self.clock.now())
            outcomes = {turn.campaign_id: await self._take(turn) for turn in round_.turns}
            more = any(outcome.more for outcome in outcomes.values())
            # The key None is for campaigns that the plan left out.
            wake_at |= {None: round_.next_at} | {each: outcomes[each].next_at for each in outcomes}
            awaits_answers |= {each: outcomes[each].awaits_answers for each in outcomes}
        self._awaits_answers = any(awaits_answers.values())
        if self.is_sure_of_the_time():
            await self._complete()
        async with self.database.reading() as session:
            following = await next_due_at(session, now=self.clock.now())
        return min((at for at in (*wake_at.values(), following) if at is not None), default=None)

    async def _take(self, turn: Turn) -> Pass:
        """Reserve and send what one campaign may start now; wait first while too many requests are in flight."""
        while len(self._in_flight) >= self.most_in_flight:
            await asyncio.wait(self._in_flight, return_when=asyncio.FIRST_COMPLETED)
        if self._stopping:
            return Pass()
        outcome = await self._reserve(turn)
        await self._send(outcome.reservations)
        return outcome

    async def _reserve(self, turn: Turn) -> Pass:
        """Reserve for one campaign. Its error does not stop other campaigns; repeated errors make it fail."""
        campaign_id = turn.campaign_id
        try:
            outcome = await reserve(
                self.database,
                campaign_id=campaign_id,
                most=turn.most,
                worker=self.worker,
                carrier_account_id=self.carrier_account_id,
                clock=self.clock,
                ahead=AHEAD,
                waiting=turn.waiting,
            )
        except AWAY:
            raise  # Not the fault of this campaign.
        except Exception as error:
            log.exception("dialer.campaign_failed", extra={"campaign_id": campaign_id})
            self._failures[campaign_id] = self._failures.get(campaign_id, 0) + 1
            if self._failures[campaign_id] >= MOST_FAILURES:
                await self._fail(campaign_id, error)
            return Pass()
        self._failures.pop(campaign_id, None)
        return outcome

    async def _fail(self, campaign_id: int, error: Exception) -> None:
        what = f"{type(error).__name__}: {error}"[:_LONGEST_ERROR]
        reason = f"This campaign cannot be dialed ({what}). Check its settings; the worker's log says more."
        await self.database.write(
            lambda session: fail_by_system(
                session, campaign_id=campaign_id, reason=reason, now=self.clock.now()
            )
        )
        self._failures.pop(campaign_id, None)

    async def _complete(self) -> None:
        async with self.database.reading() as session:
            finished = await finished_campaigns(session)
        for campaign_id in finished:
            await self.database.write(
                partial(complete_campaign, campaign_id=campaign_id, now=self.clock.now())
            )

    async def _send(self, reservations: tuple[Reservation, ...]) -> None:
        """Place the reservations that are still wanted; give the others back."""
        if not reservations:
            return
        looked_at = self.clock.boottime()
        wanted = {} if self._stopping else await self._wanted(reservations)
        for reservation in reservations:
            if reservation.attempt_id in wanted:
                closes_at = wanted[reservation.attempt_id]
                task = asyncio.create_task(self._place(reservation, closes_at, looked_at))
                self._in_flight.add(task)
                task.add_done_callback(self._in_flight.discard)
            else:
                self._answers.put_nowait(given_up(reservation, STOPPED))

    async def _place(self, reservation: Reservation, closes_at: datetime | None, looked_at: float) -> None:
        early = reservation.reserved_boottime - self.clock.boottime()
        if early > 0:
            await self.clock.sleep(early)
        answer = await place(
            self.carrier,
            reservation,
            clock=self.clock,
            closes_at=closes_at,
            recheck=lambda: self._rechecks.is_wanted(reservation),
            looked_at=looked_at,
        )
        self._answers.put_nowait(answer)

    async def _wanted(self, reservations: tuple[Reservation, ...]) -> Wanted:
        async with self.database.reading() as session:
            return await still_wanted(session, reservations, worker=self.worker, now=self.clock.now())

    async def _record_answers(self) -> None:
        while True:
            answers = [await self._answers.get()]
            await asyncio.sleep(GROUP_SECONDS)
            while not self._answers.empty():
                answers.append(self._answers.get_nowait())
            await self._record(answers)
            if self._awaits_answers:
                self._woken.set()
            for _ in answers:
                self._answers.task_done()

    async def _record(self, answers: list[CarrierAnswer]) -> None:
        """Record the answers. They prove what was placed, so this waits as long as the database is away."""
        back_off = self._back_off(answers)
        try:
            await self._record_patiently(answers, back_off)
        except Exception:  # noqa: BLE001 - each is recorded alone then, and errors are logged there
            # One of them cannot be recorded: the others must not wait for it.
            for answer in answers:
                await self._record_alone(answer, back_off)

    async def _record_patiently(self, answers: list[CarrierAnswer], back_off: timedelta) -> None:
        """Record in one transaction; retry while the database is away. Raises all other errors."""
        recorded = False
        while not recorded:
            try:
                await record(self.database, answers, clock=self.clock, back_off=back_off)
                recorded = True
            except AWAY:
                log.exception("dialer.record_waits", extra={"answers": len(answers)})
                await asyncio.sleep(_ERROR_PAUSE_SECONDS)

    async def _record_alone(self, answer: CarrierAnswer, back_off: timedelta) -> None:
        """Record one answer. If that fails, the reconciler looks up the attempt, and a placed call is ended."""
        try:
            await self._record_patiently([answer], back_off)
        except Exception:
            log.exception("dialer.record_failed", extra={"attempt_id": str(answer.attempt_id)})
            if isinstance(answer.answer, Placed):
                await self._end_unrecorded(answer.attempt_id, answer.answer.provider_id)

    async def _end_unrecorded(self, attempt_id: UUID, provider_id: str) -> None:
        """Have a call ended whose attempt was given up, so that the number may have a newer attempt."""
        try:
            await self.database.write(
                lambda session: note_second_calls(session, [(attempt_id, provider_id)], now=self.clock.now())
            )
        except Exception:
            log.exception("dialer.unrecorded_call_goes_on", extra={"attempt_id": str(attempt_id)})

    def _back_off(self, answers: list[CarrierAnswer]) -> timedelta:
        """Return how long to pause if the carrier refused requests: each time in a row twice as long."""
        if any(isinstance(each.answer, Placed) for each in answers):
            self._refused_in_a_row = 0
        elif any(
            isinstance(each.answer, NotPlaced) and each.answer.reason not in OUR_OWN_REASONS
            for each in answers
        ):
            self._refused_in_a_row += 1
        seconds: float = 2.0 ** min(max(self._refused_in_a_row - 1, 0), 5)
        return min(timedelta(seconds=seconds), LONGEST_BACK_OFF)

    async def _listen(self) -> None:
        if self.feed is None:
            return
        async for note in self.feed.listen():
            if note.work:
                self._woken.set()

    async def _wait(self, wake_at: datetime | None) -> None:
        """Wait for a wake-up signal, for `wake_at` or for a tick, whichever comes first."""
        seconds = TICK_SECONDS
        if wake_at is not None:
            seconds = min(seconds, max(0.0, (wake_at - self.clock.now()).total_seconds()))
        with suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), timeout=seconds)
