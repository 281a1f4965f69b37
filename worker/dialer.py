"""The standing dialer: wakes on the doorbell or after a second; reserves, places and records what is due.

It owns no state that matters: every limit and every claim is in PostgreSQL, so any number of dialers may run,
and a kill at any point leaves nothing but attempts for the reconciler to look up.
"""

import asyncio
import logging
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
from app.services.dialing.reserve.fair_share import Turn, earliest, plan
from app.services.dialing.reserve.reservation import Pass, Reservation, reserve
from app.services.dialing.settle.hang_up import note_second_calls
from worker.recheck import Looking, Wanted

log = logging.getLogger(__name__)

TICK_SECONDS: Final = 1.0
"""A missed ring costs no more than this."""

MOST_IN_FLIGHT: Final = 200
"""Requests to the carrier under way in one process when it reserves a further pass."""

GROUP_SECONDS: Final = 0.01
"""Answers that come within this share a commit."""

AHEAD: Final = timedelta(seconds=0.3)
"""Starts that a rate allows this soon are reserved at once, and leave each at its time: waking late loses none."""


MOST_FAILURES: Final = 5
"""A campaign whose reservation goes wrong as often in a row fails, with the error for a person to read."""

LONGEST_BACK_OFF: Final = timedelta(seconds=30)

_ERROR_PAUSE_SECONDS: Final = 1.0

_LONGEST_ERROR: Final = 500


@dataclass
class Dialer:
    """One dialing task of one worker process."""

    database: Database
    """Best one of its own: a rollback makes a connection forget the statements that it had prepared."""
    feed: LiveFeed | None
    """None: no doorbell, only the tick."""
    carrier: Carrier
    clock: Clock
    worker: str
    carrier_account_id: int
    """The only account this dialer may place through; campaigns of another carrier are left alone."""
    most_in_flight: int = MOST_IN_FLIGHT
    _bell: asyncio.Event = field(default_factory=asyncio.Event)
    _answers: "asyncio.Queue[CarrierAnswer]" = field(default_factory=asyncio.Queue)
    _in_flight: set["asyncio.Task[None]"] = field(default_factory=set)
    _failures: dict[int, int] = field(default_factory=dict)
    _turned_away: int = 0
    _awaits_answers: bool = False
    """In the last pass some campaign could start no more before the carrier has answered."""
    _stopping: bool = False

    def __post_init__(self) -> None:
        self._looking = Looking(self._wanted)

    async def run(self) -> None:
        """Dial until `stop`. What is reserved when it stops is placed or given back before this returns."""
        recorder = asyncio.create_task(self._record_answers(), name="recorder")
        listener = asyncio.create_task(self._listen(), name="doorbell")
        try:
            await self._dial(recorder)
        finally:
            await self._drain()
            await end_tasks(listener, recorder)

    def stop(self) -> None:
        """Reserve nothing more; `run` returns when what was reserved is settled."""
        self._stopping = True
        self._bell.set()

    @property
    def stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._stopping

    def ring(self) -> None:
        """Wake the dialer: there may be work."""
        self._bell.set()

    async def _dial(self, recorder: "asyncio.Task[None]") -> None:
        while not self._stopping:
            if recorder.done():
                recorder.result()  # It only ends by an error: fall over, and be begun again.
            self._bell.clear()
            try:
                wake_at = await self._pass()
            except Exception:
                # The database is away or a pass failed: nothing is lost, the rows say what is due. Try again.
                log.exception("dialer.pass_failed")
                await asyncio.sleep(_ERROR_PAUSE_SECONDS)
                continue
            await self._wait(wake_at)

    async def _pass(self) -> datetime | None:
        """Let every due campaign have its turn, round after round while limits allow.

        Returns when time alone allows more.
        """
        wake_at: dict[int | None, datetime | None] = {}
        awaits_answers: dict[int, bool] = {}
        more = True
        while more and not self._stopping:
            async with self.database.reading() as session:
                round_ = await plan(session, carrier_account_id=self.carrier_account_id, now=self.clock.now())
            outcomes = {turn.campaign_id: await self._take(turn) for turn in round_.turns}
            more = any(outcome.more for outcome in outcomes.values())
            # None: those that the plan left out. What has come meanwhile is not waited for.
            wake_at |= {None: round_.next_at} | {each: outcomes[each].next_at for each in outcomes}
            awaits_answers |= {each: outcomes[each].awaits_answers for each in outcomes}
        self._awaits_answers = any(awaits_answers.values())
        await self._complete()
        async with self.database.reading() as session:
            following = await next_due_at(session, now=self.clock.now())
        return earliest((*wake_at.values(), following))

    async def _take(self, turn: Turn) -> Pass:
        """Reserve and send what one campaign may start now."""
        await self._room()
        if self._stopping:
            return Pass()
        outcome = await self._reserve(turn)
        await self._send(outcome.reservations)
        return outcome

    async def _reserve(self, turn: Turn) -> Pass:
        """Reserve for one campaign. Whatever is wrong with it holds up no other; again and again, it fails."""
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
            )
        except AWAY:
            raise  # That is nobody's campaign.
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

    async def _room(self) -> None:
        """Wait until another batch may be under way."""
        while len(self._in_flight) >= self.most_in_flight:
            await asyncio.wait(self._in_flight, return_when=asyncio.FIRST_COMPLETED)

    async def _send(self, reservations: tuple[Reservation, ...]) -> None:
        """Start placing what may still be placed; give the rest back."""
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
            recheck=lambda: self._looking.still(reservation),
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
                self._bell.set()
            for _ in answers:
                self._answers.task_done()

    async def _record(self, answers: list[CarrierAnswer]) -> None:
        """Record the answers, however long the database is away: they prove what was placed."""
        back_off = self._back_off(answers)
        try:
            await self._record_patiently(answers, back_off)
        except Exception:  # noqa: BLE001 - each is recorded alone then, and what fails is logged there
            # One of them cannot be written: the others must not wait for it.
            for answer in answers:
                await self._record_alone(answer, back_off)

    async def _record_patiently(self, answers: list[CarrierAnswer], back_off: timedelta) -> None:
        """Record in one transaction, again and again while the database is away. Raises what else goes wrong."""
        recorded = False
        while not recorded:
            try:
                await record(self.database, answers, clock=self.clock, back_off=back_off)
                recorded = True
            except AWAY:
                log.exception("dialer.record_waits", extra={"answers": len(answers)})
                await asyncio.sleep(_ERROR_PAUSE_SECONDS)

    async def _record_alone(self, answer: CarrierAnswer, back_off: timedelta) -> None:
        """Record one answer; one that cannot be written is left to the reconciler, a call it made is ended."""
        try:
            await self._record_patiently([answer], back_off)
        except Exception:
            log.exception("dialer.record_failed", extra={"attempt_id": str(answer.attempt_id)})
            if isinstance(answer.answer, Placed):
                await self._end_unrecorded(answer.attempt_id, answer.answer.provider_id)

    async def _end_unrecorded(self, attempt_id: UUID, provider_id: str) -> None:
        """Have a call ended that its attempt cannot own: it was given up, and the number has a newer one."""
        try:
            await self.database.write(
                lambda session: note_second_calls(session, [(attempt_id, provider_id)], now=self.clock.now())
            )
        except Exception:
            log.exception("dialer.unrecorded_call_goes_on", extra={"attempt_id": str(attempt_id)})

    def _back_off(self, answers: list[CarrierAnswer]) -> timedelta:
        """Return how long to leave the carrier alone if it turned us away: twice as long each time in a row."""
        if any(isinstance(each.answer, Placed) for each in answers):
            self._turned_away = 0
        elif any(_was_turned_away(each) for each in answers):
            self._turned_away += 1
        seconds: float = 2.0 ** min(max(self._turned_away - 1, 0), 5)
        return min(timedelta(seconds=seconds), LONGEST_BACK_OFF)

    async def _drain(self) -> None:
        if self._in_flight:
            await asyncio.wait(self._in_flight)
        await self._answers.join()

    async def _listen(self) -> None:
        if self.feed is None:
            return
        async for note in self.feed.listen():
            if note.work:
                self._bell.set()

    async def _wait(self, wake_at: datetime | None) -> None:
        """Wait for the bell, for `wake_at`, or for a tick, whatever comes first."""
        seconds = TICK_SECONDS
        if wake_at is not None:
            seconds = min(seconds, max(0.0, (wake_at - self.clock.now()).total_seconds()))
        with suppress(TimeoutError):
            await asyncio.wait_for(self._bell.wait(), timeout=seconds)


def _was_turned_away(answer: CarrierAnswer) -> bool:
    return isinstance(answer.answer, NotPlaced) and answer.answer.reason not in OUR_OWN_REASONS
