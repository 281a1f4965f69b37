"""The standing dialer: wakes on the doorbell or after a second; reserves, places and records what is due.

It owns no state that matters: every limit and every claim is in PostgreSQL, so any number of dialers may run,
and a kill at any point leaves nothing but attempts for the reconciler to look up.
"""

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from app.clock import Clock
from app.db import Database
from app.live import LiveFeed
from app.providers.base import Carrier, LookupFailed
from app.services.dialing.due import complete_campaign, due_campaigns, finished_campaigns, next_due_at
from app.services.dialing.placing import Answer, given_up, place, still_wanted
from app.services.dialing.recording import record
from app.services.dialing.reserving import Reservation, reserve

log = logging.getLogger(__name__)

TICK_SECONDS: Final = 1.0
"""A missed ring costs no more than this."""

MOST_IN_FLIGHT: Final = 200
"""Requests to the carrier under way at once in one process."""

GROUP_SECONDS: Final = 0.004
"""Answers that come within this share a commit."""

_ERROR_PAUSE_SECONDS: Final = 1.0


@dataclass
class Dialer:
    """One dialing task of one worker process."""

    database: Database
    feed: LiveFeed | None
    """None: no doorbell, only the tick."""
    carrier: Carrier
    clock: Clock
    worker: str
    carrier_account_id: int
    """The only account this dialer may place through; campaigns of another carrier are left alone."""
    most_in_flight: int = MOST_IN_FLIGHT
    _bell: asyncio.Event = field(default_factory=asyncio.Event)
    _answers: "asyncio.Queue[Answer]" = field(default_factory=asyncio.Queue)
    _in_flight: set["asyncio.Task[None]"] = field(default_factory=set)
    _stopping: bool = False

    async def run(self) -> None:
        """Dial until `stop`. What is reserved when it stops is placed or given back before this returns."""
        recorder = asyncio.create_task(self._record_answers(), name="recorder")
        listener = asyncio.create_task(self._listen(), name="doorbell")
        try:
            await self._dial()
        finally:
            listener.cancel()
            await self._drain()
            recorder.cancel()
            for task in (listener, recorder):
                with suppress(asyncio.CancelledError):
                    await task

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

    async def _dial(self) -> None:
        while not self._stopping:
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
        """Reserve for every due campaign in turn while limits allow; return when time alone allows more."""
        async with self.database.session() as session:
            due = await due_campaigns(
                session, carrier_account_id=self.carrier_account_id, now=self.clock.now()
            )
        wake_at: list[datetime] = []
        while due and not self._stopping:
            again: list[int] = []
            for campaign_id in due:
                await self._room()
                outcome = await reserve(
                    self.database, campaign_id=campaign_id, worker=self.worker, clock=self.clock
                )
                await self._send(outcome.reservations)
                if outcome.more:
                    again.append(campaign_id)
                elif outcome.next_at is not None:
                    wake_at.append(outcome.next_at)
            due = again
        await self._complete()
        async with self.database.session() as session:
            following = await next_due_at(session, now=self.clock.now())
        later = [at for at in (*wake_at, following) if at is not None and at > self.clock.now()]
        return min(later, default=None)

    async def _complete(self) -> None:
        async with self.database.session() as session:
            finished = await finished_campaigns(session)
        for campaign_id in finished:
            async with self.database.transaction() as session:
                await complete_campaign(session, campaign_id=campaign_id, now=self.clock.now())

    async def _room(self) -> None:
        """Wait until another batch may be under way."""
        while len(self._in_flight) >= self.most_in_flight:
            await asyncio.wait(self._in_flight, return_when=asyncio.FIRST_COMPLETED)

    async def _send(self, reservations: tuple[Reservation, ...]) -> None:
        """Start placing what may still be placed; give the rest back."""
        if not reservations:
            return
        wanted: set[UUID] = set()
        if not self._stopping:
            async with self.database.session() as session:
                wanted = await still_wanted(session, reservations, worker=self.worker)
        for reservation in reservations:
            if reservation.attempt_id in wanted:
                task = asyncio.create_task(self._place(reservation))
                self._in_flight.add(task)
                task.add_done_callback(self._in_flight.discard)
            else:
                self._answers.put_nowait(given_up(reservation, "Dialing was stopped before it was placed."))

    async def _place(self, reservation: Reservation) -> None:
        self._answers.put_nowait(await place(self.carrier, reservation, clock=self.clock))

    async def _record_answers(self) -> None:
        while True:
            answers = [await self._answers.get()]
            await asyncio.sleep(GROUP_SECONDS)
            while not self._answers.empty():
                answers.append(self._answers.get_nowait())
            await self._record(answers)
            for _ in answers:
                self._answers.task_done()

    async def _record(self, answers: list[Answer]) -> None:
        """Record the answers, however long the database is away: they prove what was placed."""
        seconds: list[tuple[UUID, str]] | None = None
        while seconds is None:
            try:
                seconds = await record(self.database, answers, clock=self.clock)
            except Exception:
                log.exception("dialer.record_failed", extra={"answers": len(answers)})
                await asyncio.sleep(_ERROR_PAUSE_SECONDS)
        for attempt_id, provider_id in seconds:
            await self._hang_up_second(attempt_id, provider_id)

    async def _hang_up_second(self, attempt_id: UUID, provider_id: str) -> None:
        log.error("attempt.second_call", extra={"attempt_id": str(attempt_id), "provider_id": provider_id})
        with suppress(LookupFailed):
            await self.carrier.hang_up(provider_id)

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
