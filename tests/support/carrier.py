"""A carrier in the process: answers as it is told, remembers every order, and can be looked up."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from uuid import UUID

from app.domain.campaign import Channel
from app.domain.events import AttemptEvent
from app.providers.base import (
    CallOrder,
    LookupFailed,
    MessageOrder,
    NotPlaced,
    NotSent,
    OwnedNumber,
    PlaceAnswer,
    Placed,
    RemoteAttempt,
)

Order = CallOrder | MessageOrder


async def _at_once() -> None:
    """A connection is there already."""


@dataclass
class AccountBook:
    """A carrier that is asked what its account has: every number, for all, unless told otherwise."""

    lacks: set[str] = field(default_factory=set)
    only_calls: set[str] = field(default_factory=set)
    only_texts: set[str] = field(default_factory=set)
    is_away: bool = False
    asked: list[str] = field(default_factory=list)

    async def find_numbers(self, numbers: Collection[str]) -> dict[str, OwnedNumber]:
        self.asked += numbers
        if self.is_away:
            raise LookupFailed("no route")
        return {number: self._owned(number) for number in numbers if number not in self.lacks}

    async def owned_numbers(self) -> list[OwnedNumber]:
        return []

    async def refuses(self) -> str | None:
        return None

    async def aclose(self) -> None:
        """Nothing is open."""

    def _owned(self, number: str) -> OwnedNumber:
        voice, sms = number not in self.only_texts, number not in self.only_calls
        return OwnedNumber(number=number, label="", voice=voice, sms=sms)


@dataclass
class ScriptedCarrier:
    """Places everything unless `answers` says otherwise; `made` is its ledger."""

    now: Callable[[], datetime]
    answers: Callable[[Order], PlaceAnswer | None] = lambda _order: None
    """None: accept it. An answer other than `Placed` makes no call, unless `makes_it_anyway`."""
    connects: Callable[[], Awaitable[None]] = _at_once
    """What goes on between a request and its first byte."""
    makes_it_anyway: bool = False
    tells_owner: bool = True
    made: dict[str, RemoteAttempt] = field(default_factory=dict)
    owners: dict[str, UUID] = field(default_factory=dict)
    orders: list[Order] = field(default_factory=list)
    hung_up: list[str] = field(default_factory=list)
    taken_back: list[str] = field(default_factory=list)
    takes_back: bool = False
    """Whether calls are still early enough to be taken back."""
    is_away: bool = False
    """Whether it can be asked to end anything."""
    _serial: "count[int]" = field(default_factory=count)

    async def place_call(self, order: CallOrder) -> PlaceAnswer:
        return await self._place(order)

    async def place_message(self, order: MessageOrder) -> PlaceAnswer:
        return await self._place(order)

    async def fetch(self, channel: Channel, provider_id: str) -> RemoteAttempt | None:
        return self.made.get(provider_id)

    async def find(self, channel: Channel, *, to: str, from_: str, since: datetime) -> list[RemoteAttempt]:
        return [
            each
            for each in self.made.values()
            if (each.to, each.from_) == (to, from_) and each.created_at >= since
        ]

    async def attempt_of(self, channel: Channel, provider_id: str) -> UUID | None:
        return self.owners.get(provider_id) if self.tells_owner else None

    async def cancel(self, channel: Channel, provider_id: str) -> bool:
        if self.is_away:
            raise LookupFailed("away")
        if self.takes_back:
            self.taken_back.append(provider_id)
        return self.takes_back

    async def hang_up(self, provider_id: str) -> bool:
        if self.is_away:
            raise LookupFailed("away")
        self.hung_up.append(provider_id)
        return True

    async def aclose(self) -> None:
        """Nothing is open."""

    def knows(self, provider_id: str, *events: AttemptEvent) -> None:
        """Let a look-up of that call tell these events."""
        known = self.made[provider_id]
        self.made[provider_id] = RemoteAttempt(
            provider_id=provider_id,
            to=known.to,
            from_=known.from_,
            created_at=known.created_at,
            outbound_api=True,
            body=known.body,
            events=events,
        )

    def calls_to(self, number: str) -> int:
        """How many calls or messages this number got."""
        return sum(each.to == number for each in self.made.values())

    async def _place(self, order: Order) -> PlaceAnswer:
        await self.connects()
        try:
            if order.before_sending is not None:
                await order.before_sending()
        except NotSent as held_back:
            return NotPlaced(reason=str(held_back), retry_after_seconds=None)
        self.orders.append(order)
        answer = self.answers(order)
        if answer is None:
            return Placed(provider_id=self._make(order), queue_ms=0)
        if self.makes_it_anyway:
            self._make(order)
        return answer

    def _make(self, order: Order) -> str:
        provider_id = f"CA{next(self._serial):032x}"
        self.made[provider_id] = RemoteAttempt(
            provider_id=provider_id,
            to=order.to,
            from_=order.from_,
            created_at=self.now(),
            outbound_api=True,
            body=order.body if isinstance(order, MessageOrder) else None,
            events=(),
        )
        self.owners[provider_id] = order.attempt_id
        return provider_id
