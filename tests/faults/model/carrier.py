"""A carrier in the process whose calls live step by step, and which lies when it is told to."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from app.domain.campaign import Channel
from app.domain.events import AttemptEvent, EventKind, FailureClass
from app.providers.base import NotPlaced, PlaceAnswer, Refused, Unclear
from tests.support.carrier import Order, ScriptedCarrier

ACCEPTS_LATE: Final = timedelta(seconds=30)
"""The longest from a request to its call: under the 60 s that "never twice" assumes."""


class Mood(StrEnum):
    """How it answers the next order."""

    ACCEPTS = "accepts"
    LOSES_ANSWER = "loses its answer"
    LOSES_ORDER = "loses the order"
    ACCEPTS_LATE = "accepts late"
    TURNS_AWAY = "turns away"
    REFUSES = "refuses"


class Fate(StrEnum):
    """How a call goes."""

    ANSWERED = "answered"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    FAILED = "failed"


_LIVES: Final = {
    Fate.ANSWERED: (EventKind.INITIATED, EventKind.RINGING, EventKind.ANSWERED, EventKind.COMPLETED),
    Fate.BUSY: (EventKind.INITIATED, EventKind.BUSY),
    Fate.NO_ANSWER: (EventKind.INITIATED, EventKind.RINGING, EventKind.NO_ANSWER),
    Fate.FAILED: (EventKind.INITIATED, EventKind.FAILED),
}
_ENDS: Final = frozenset(
    {EventKind.COMPLETED, EventKind.BUSY, EventKind.NO_ANSWER, EventKind.FAILED, EventKind.CANCELLED}
)


@dataclass
class LyingCarrier(ScriptedCarrier):
    """`said` are the events of each call so far: its webhooks, to be delivered by the model in any order."""

    mood: Mood = Mood.ACCEPTS
    fate: Fate = Fate.ANSWERED
    said: dict[str, list[AttemptEvent]] = field(default_factory=dict)
    fates: dict[str, Fate] = field(default_factory=dict)
    late: list[tuple[datetime, Order]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.answers = self._answer

    def _answer(self, order: Order) -> PlaceAnswer | None:
        self.makes_it_anyway = self.mood is Mood.LOSES_ANSWER
        match self.mood:
            case Mood.ACCEPTS:
                return None
            case Mood.TURNS_AWAY:
                return NotPlaced(reason="429", retry_after_seconds=None)
            case Mood.REFUSES:
                return Refused(failure=FailureClass.BAD_NUMBER, code=21211, message="no such number")
            case Mood.ACCEPTS_LATE:
                self.late.append((self.now() + ACCEPTS_LATE, order))
            case _:
                pass
        return Unclear(reason=self.mood)

    def _make(self, order: Order) -> str:
        provider_id = super()._make(order)
        self.said[provider_id], self.fates[provider_id] = [], self.fate
        return provider_id

    def accept_late_ones(self) -> None:
        """Make the calls whose time has come."""
        due = [order for at, order in self.late if at <= self.now()]
        self.late = [(at, order) for at, order in self.late if at > self.now()]
        for order in due:
            self._make(order)

    @property
    def open_calls(self) -> list[str]:
        """The calls that go on."""
        return [provider_id for provider_id, said in self.said.items() if not _is_over(said)]

    def step(self, provider_id: str) -> None:
        """Let a call that goes on come to its next event."""
        said = self.said[provider_id]
        kind = _LIVES[self.fates[provider_id]][len(said)]
        self._say(provider_id, kind)

    async def hang_up(self, provider_id: str) -> bool:
        await super().hang_up(provider_id)
        if provider_id not in self.open_calls:
            return False
        answered = any(event.kind is EventKind.ANSWERED for event in self.said[provider_id])
        self._say(provider_id, EventKind.COMPLETED if answered else EventKind.CANCELLED)
        return True

    async def cancel(self, channel: Channel, provider_id: str) -> bool:
        if any(event.kind is EventKind.ANSWERED for event in self.said.get(provider_id, ())):
            return False
        return await self.hang_up(provider_id)

    def _say(self, provider_id: str, kind: EventKind) -> None:
        event = AttemptEvent(
            kind=kind,
            occurred_at=self.now(),
            provider_id=provider_id,
            failure=FailureClass.TRANSIENT if kind is EventKind.FAILED else None,
        )
        self.said[provider_id].append(event)
        self.knows(provider_id, *self.said[provider_id])


def _is_over(said: list[AttemptEvent]) -> bool:
    return any(event.kind in _ENDS for event in said)
