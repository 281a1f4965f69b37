"""Prices: asked for after the end, ever more rarely, only where something is charged, and never in dialing's way."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlmodel import col

from app.domain.attempt import AttemptStatus
from app.domain.campaign import Channel
from app.domain.events import AttemptEvent, EventKind
from app.models import Attempt, Campaign, CarrierAccount, PhoneNumber
from app.providers.base import LookupFailed, RemoteAttempt
from app.runtime.database import Database
from app.services.dialing.reconcile.prices import FIRST_LOOK, PRICED_WITHIN, collect_prices
from tests.support.builders import (
    make_attempt,
    make_campaign,
    make_carrier_account,
    make_number,
    make_organization,
    make_recipient,
)
from tests.support.clock import VirtualClock

MINUTE = timedelta(minutes=1)
_serial: Iterator[int] = count(1)


@dataclass
class Bookkeeper:
    """A carrier that knows prices, or does not yet; remembers what it was asked."""

    clock: VirtualClock
    prices: dict[str, str] = field(default_factory=dict)
    away: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    async def fetch(self, channel: Channel, provider_id: str) -> RemoteAttempt | None:
        self.asked.append(provider_id)
        if provider_id in self.away:
            raise LookupFailed("away")
        price = self.prices.get(provider_id)
        event = AttemptEvent(
            kind=EventKind.COMPLETED,
            occurred_at=self.clock.now(),
            price=price,
            price_unit="USD" if price else None,
        )
        return RemoteAttempt(
            provider_id=provider_id,
            to="",
            from_=None,
            created_at=self.clock.now(),
            outbound_api=True,
            body=None,
            events=(event,),
        )

    async def find(self, channel: Channel, **_: Any) -> list[RemoteAttempt]:
        raise NotImplementedError

    async def attempt_of(self, channel: Channel, provider_id: str) -> UUID | None:
        raise NotImplementedError


@dataclass
class Ledger:
    """A campaign whose calls have ended."""

    database: Database
    campaign: Campaign
    number: PhoneNumber
    account: CarrierAccount
    clock: VirtualClock
    carrier: Bookkeeper

    async def ended(self, *, ago: timedelta = MINUTE, **values: Any) -> str:
        """A call that ended that long ago; its provider id."""
        provider_id = f"CA{next(_serial):032x}"
        at = self.clock.now() - ago
        defaults: dict[str, Any] = {"provider_id": provider_id, "placed_at": at - MINUTE, "ended_at": at}
        async with self.database.transaction() as session:
            campaign = await session.merge(self.campaign)
            recipient = await make_recipient(session, campaign)
            await make_attempt(
                session, recipient, number=self.number, carrier_account=self.account, **defaults | values
            )
        return provider_id

    async def collect(self, speed: float = 1.0) -> int:
        return await collect_prices(
            self.database, self.carrier, carrier_account_id=self.account.id, clock=self.clock, speed=speed
        )

    async def price(self, provider_id: str) -> tuple[Decimal | None, str | None]:
        async with self.database.session() as session:
            rows = await session.execute(select(Attempt).where(col(Attempt.provider_id) == provider_id))
            attempt = rows.scalar_one()
            return attempt.price, attempt.price_unit


@pytest.fixture
async def ledger(database: Database) -> Ledger:
    clock = VirtualClock()
    async with database.transaction() as session:
        organization = await make_organization(session)
        number = await make_number(session, organization)
        account = await make_carrier_account(session)
        campaign = await make_campaign(session, organization, number=number)
    return Ledger(database, campaign, number, account, clock, Bookkeeper(clock))


async def test_a_price_is_learned_a_minute_after_the_end(ledger: Ledger) -> None:
    call = await ledger.ended(ago=timedelta(seconds=59))
    ledger.carrier.prices[call] = "0.014"
    assert await ledger.collect() == 0
    ledger.clock.advance(seconds=1)
    assert await ledger.collect() == 1
    assert await ledger.price(call) == (Decimal("0.01400"), "USD")
    assert await ledger.collect() == 0
    assert ledger.carrier.asked == [call]


async def test_a_price_that_is_not_there_yet_is_asked_for_ever_more_rarely(ledger: Ledger) -> None:
    await ledger.ended()
    asked_after = []
    for minute in range(1, 100):
        before = len(ledger.carrier.asked)
        await ledger.collect()
        if len(ledger.carrier.asked) > before:
            asked_after.append(minute)
        ledger.clock.advance(minutes=1)
    assert asked_after == [1, 4, 16, 64]


async def test_after_a_day_nobody_asks_any_more(ledger: Ledger) -> None:
    await ledger.ended(ago=PRICED_WITHIN + MINUTE)
    await ledger.collect()
    assert ledger.carrier.asked == []


@pytest.mark.parametrize(
    "values",
    [
        {"status": AttemptStatus.FAILED},
        {"status": AttemptStatus.IN_PROGRESS, "ended_at": None},
        {"price": Decimal("0.01"), "price_unit": "USD"},
        {"provider_id": None},
    ],
)
async def test_nobody_asks_where_nothing_is_charged_or_the_price_is_known(
    ledger: Ledger, values: dict[str, Any]
) -> None:
    await ledger.ended(**values)
    await ledger.collect()
    assert ledger.carrier.asked == []


async def test_a_sent_message_without_a_report_has_a_price_too(ledger: Ledger) -> None:
    sent = await ledger.ended(status=AttemptStatus.SENT, channel=Channel.SMS, ended_at=None)
    ledger.carrier.prices[sent] = "0.0083"
    assert await ledger.collect() == 1


async def test_a_carrier_that_is_away_ends_the_batch_and_is_asked_again_later(ledger: Ledger) -> None:
    calls = [await ledger.ended(ago=MINUTE + timedelta(seconds=n)) for n in range(12)]
    ledger.carrier.away = set(calls)
    ledger.carrier.prices = dict.fromkeys(calls, "0.014")
    await ledger.collect()
    assert len(ledger.carrier.asked) < len(calls)
    ledger.carrier.away = set()
    ledger.clock.advance(minutes=4)
    assert await ledger.collect() == len(calls)


async def test_one_call_the_carrier_cannot_tell_of_keeps_no_other_waiting(ledger: Ledger) -> None:
    fine = await ledger.ended(ago=MINUTE * 2)
    broken = await ledger.ended()
    ledger.carrier.prices[fine] = "0.014"
    ledger.carrier.away = {broken}
    assert await ledger.collect() == 1
    assert await ledger.price(fine) == (Decimal("0.01400"), "USD")


async def test_a_faster_carrier_is_asked_sooner(ledger: Ledger) -> None:
    call = await ledger.ended(ago=FIRST_LOOK / 60)
    ledger.carrier.prices[call] = "0.014"
    assert await ledger.collect(speed=60.0) == 1
