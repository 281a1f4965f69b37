"""A three-day campaign to ten thousand people on the virtual clock: real PostgreSQL, the carrier in the process."""

import asyncio
import heapq
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from datetime import time as time_of_day
from typing import Final
from uuid import UUID

import uvloop

from app.domain.events import AnsweredBy, AttemptEvent, EventKind
from app.domain.recipient import RecipientStatus
from app.providers.base import ReceivedEvent
from app.runtime.migrations import upgrade
from app.services.dialing.completion import next_due_at
from app.services.dialing.receive.webhooks import MOST_TOGETHER, Delivery, receive_all
from app.services.dialing.reserve.reservation import Reservation, reserve
from tests.bench.measuring import Figures, figures
from tests.bench.staging import database_at, stage_of
from tests.support.servers import running_postgres, temporary_home
from tests.support.stage import WORKER, DialingStage
from worker.gc_tuning import tune_garbage_collector

PEOPLE: Final = 10_000
PER_MINUTE: Final = 60
RETRY_AFTER: Final = timedelta(days=1)
GROUPS: Final = 2
"""Of webhooks under way at once, as in the intake."""
GOAL: Final = 5_000
_OPEN: Final = frozenset({RecipientStatus.PENDING, RecipientStatus.IN_PROGRESS})
_MIX: Final = {"answers": 45, "no_answer": 25, "busy": 10, "voicemail": 10, "failed": 10}


@dataclass
class People:
    """Who picks up, and when what they do is told."""

    chance: random.Random = field(default_factory=lambda: random.Random(1))
    coming: list[tuple[datetime, int, UUID, tuple[AttemptEvent, ...]]] = field(default_factory=list)
    called: int = 0

    def call(self, attempt_id: UUID, provider_id: str, at: datetime) -> None:
        """Let the carrier call one of them."""
        self.called += 1
        kind = self.chance.choices(list(_MIX), weights=list(_MIX.values()))[0]
        events = tuple(self._life(kind, provider_id, at))
        heapq.heappush(self.coming, (events[-1].occurred_at, self.called, attempt_id, events))

    def told_until(self, at: datetime) -> Iterator[tuple[UUID, tuple[AttemptEvent, ...]]]:
        """Yield each call that is over by then, with all its news."""
        while self.coming and self.coming[0][0] <= at:
            _, _, attempt_id, events = heapq.heappop(self.coming)
            yield attempt_id, events

    def _life(self, kind: str, provider_id: str, at: datetime) -> Iterator[AttemptEvent]:
        ringing = at + timedelta(seconds=1)
        yield AttemptEvent(kind=EventKind.RINGING, occurred_at=ringing, provider_id=provider_id)
        if kind in {"busy", "no_answer", "failed"}:
            rang = 30 if kind == "no_answer" else 2
            yield AttemptEvent(
                kind=EventKind(kind), occurred_at=ringing + timedelta(seconds=rang), provider_id=provider_id
            )
            return
        picked_up = ringing + timedelta(seconds=self.chance.uniform(3, 18))
        spoke = self.chance.randint(8, 40)
        who = AnsweredBy.MACHINE if kind == "voicemail" else AnsweredBy.HUMAN
        yield AttemptEvent(kind=EventKind.ANSWERED, occurred_at=picked_up, provider_id=provider_id)
        yield AttemptEvent(
            kind=EventKind.COMPLETED,
            occurred_at=picked_up + timedelta(seconds=spoke),
            provider_id=provider_id,
            answered_by=who,
            duration_seconds=spoke,
        )


def run() -> Figures:
    """Run the campaign to its end; return the simulated seconds that a real one holds."""
    tune_garbage_collector()  # as the worker does
    with temporary_home() as home, running_postgres(home) as url:
        upgrade(url)
        simulated, seconds, attempts = uvloop.run(_campaign(url))
    product = simulated / seconds
    return figures(
        "clock",
        ratio=product,
        product=product,
        yardstick=1.0,
        unit="simulated s/s",
        goal=f">= {GOAL:,} (yardstick: life)",
        met=product >= GOAL,
        simulated_days=round(simulated / 86_400, 2),
        seconds=round(seconds, 1),
        attempts=attempts,
        attempts_per_second=round(attempts / seconds, 1),
    )


async def _campaign(url: str) -> tuple[float, float, int]:
    async with database_at(url) as database:
        stage = await stage_of(
            database,
            PEOPLE,
            rate_limit_per_minute=PER_MINUTE,
            allowed_start=time_of_day(9),
            allowed_end=time_of_day(17),
            retry_delay_minutes=int(RETRY_AFTER / timedelta(minutes=1)),
        )
        people, begin, began = People(), stage.clock.now(), time.perf_counter()
        while not await stage.complete():
            await _go_on(stage, people)
        seconds = time.perf_counter() - began
        statuses = await stage.statuses()
        assert not _OPEN & statuses.keys(), statuses
        assert len(await stage.attempts()) == people.called == len(stage.carrier.made)
        return (stage.clock.now() - begin).total_seconds(), seconds, people.called


async def _go_on(stage: DialingStage, people: People) -> None:
    """Dial all that may be dialed now; then go to when more may be, telling the news of the time between."""
    next_at: datetime | None = None
    while True:
        outcome = await reserve(
            stage.database,
            campaign_id=stage.campaign_id,
            worker=WORKER,
            carrier_account_id=stage.account.id,
            clock=stage.clock,
        )
        await _place(stage, people, outcome.reservations)
        next_at = outcome.next_at or next_at
        if not outcome.more:
            break
    if next_at is None or next_at <= stage.clock.now():
        async with stage.database.session() as session:
            next_at = await next_due_at(session, now=stage.clock.now())
    if next_at is None or next_at <= stage.clock.now():
        next_at = people.coming[0][0]  # only news helps
    await _tell(stage, people, next_at)
    stage.clock.at = next_at


async def _place(stage: DialingStage, people: People, reservations: tuple[Reservation, ...]) -> None:
    if not reservations:
        return
    before = len(stage.carrier.made)
    await stage.record(*await stage.place(*reservations))
    for provider_id in list(stage.carrier.made)[before:]:
        people.call(stage.carrier.owners[provider_id], provider_id, stage.clock.now())


async def _tell(stage: DialingStage, people: People, until: datetime) -> None:
    """Apply the news of every call that is over by then: each event a webhook, those of a minute come together."""
    deliveries = [
        Delivery(attempt_id, [_received(attempt_id, event)], raw={}, received_at=event.occurred_at)
        for attempt_id, events in people.told_until(until)
        for event in events
    ]
    groups = (deliveries[first::GROUPS] for first in range(GROUPS))
    await asyncio.gather(*(_apply(stage, group, until) for group in groups))


async def _apply(stage: DialingStage, deliveries: Sequence[Delivery], now: datetime) -> None:
    for first in range(0, len(deliveries), MOST_TOGETHER):
        await receive_all(stage.database, deliveries[first : first + MOST_TOGETHER], now=now)


def _received(attempt_id: UUID, event: AttemptEvent) -> ReceivedEvent:
    return ReceivedEvent(dedupe_key=f"{attempt_id}:{event.kind}", event=event)
