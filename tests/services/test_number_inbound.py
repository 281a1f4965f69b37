"""Having the carrier tell us of texts: asked when there is a reason to, and what fails is shown, never fatal."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from app.models import CarrierAccount, Organization, PhoneNumber
from app.providers.base import InboundTexts, LookupFailed
from app.runtime.database import Database
from app.services.numbers.inbound import LOOK_AGAIN, LOOK_EVERY, NOT_OWNED, hear_texts
from app.services.numbers.queries import list_numbers
from tests.support.builders import make_carrier_account, make_number, make_organization, principal
from tests.support.clock import VirtualClock

SECOND = timedelta(seconds=1)


@dataclass
class Announcer:
    """A carrier that announces texts, and remembers what it was asked for."""

    problems: dict[str, str] = field(default_factory=dict)
    fails: bool = False
    asked: list[frozenset[str]] = field(default_factory=list)

    async def announce_texts(self, numbers: Collection[str]) -> Mapping[str, str]:
        self.asked.append(frozenset(numbers))
        if self.fails:
            raise LookupFailed("it is away")
        return {number: self.problems[number] for number in numbers if number in self.problems}


@dataclass
class Desk:
    """An organization with a number on a carrier account."""

    database: Database
    acme: Organization
    account: CarrierAccount
    number: PhoneNumber
    clock: VirtualClock = field(default_factory=VirtualClock)
    carrier: Announcer = field(default_factory=Announcer)

    async def see_to_it(self) -> None:
        await hear_texts(self.database, self.carrier, carrier_account_id=self.account.id, clock=self.clock)

    async def shown(self) -> dict[str, str]:
        async with self.database.session() as session:
            views = await list_numbers(session, principal=principal(self.acme))
        return {view.number: view.inbound_problem for view in views}

    async def add(self, **values: object) -> PhoneNumber:
        async with self.database.transaction() as session:
            return await make_number(session, self.acme, **values)


@pytest.fixture
async def desk(database: Database) -> Desk:
    async with database.transaction() as session:
        acme = await make_organization(session)
        account = await make_carrier_account(session)
        number = await make_number(session, acme, carrier_account_id=account.id)
    carrier = Announcer(problems={number.number: ""})
    assert isinstance(carrier, InboundTexts)
    return Desk(database, acme, account, number, carrier=carrier)


async def test_a_new_number_is_seen_to_once(desk: Desk) -> None:
    await desk.see_to_it()
    await desk.see_to_it()
    assert desk.carrier.asked == [{desk.number.number}]
    assert await desk.shown() == {desk.number.number: ""}


async def test_a_number_added_later_is_seen_to_alone(desk: Desk) -> None:
    await desk.see_to_it()
    added = await desk.add()
    desk.carrier.problems[added.number] = ""
    await desk.see_to_it()
    assert desk.carrier.asked[1:] == [{added.number}]


async def test_a_number_that_only_calls_is_seen_to_as_well(desk: Desk) -> None:
    calls = await desk.add(sms=False)
    await desk.see_to_it()
    assert calls.number in desk.carrier.asked[0]


async def test_a_number_of_another_carrier_account_is_left_alone(desk: Desk) -> None:
    async with desk.database.transaction() as session:
        elsewhere = await make_carrier_account(session)
    await desk.add(carrier_account_id=elsewhere.id)
    await desk.see_to_it()
    assert desk.carrier.asked == [{desk.number.number}]


async def test_a_number_is_seen_to_again_after_a_while(desk: Desk) -> None:
    await desk.see_to_it()
    desk.clock.advance(seconds=(LOOK_EVERY + SECOND).total_seconds())
    await desk.see_to_it()
    assert len(desk.carrier.asked) == 2


async def test_a_number_the_account_does_not_own_says_so(desk: Desk) -> None:
    stranger = await desk.add()
    await desk.see_to_it()
    assert (await desk.shown())[stranger.number] == NOT_OWNED


async def test_a_carrier_that_is_away_is_shown_asked_again_soon_and_forgotten_when_it_is_back(
    desk: Desk,
) -> None:
    desk.carrier.fails = True
    await desk.see_to_it()
    assert "it is away" in (await desk.shown())[desk.number.number]
    desk.carrier.fails = False
    desk.clock.advance(seconds=(LOOK_AGAIN + SECOND).total_seconds())
    await desk.see_to_it()
    assert await desk.shown() == {desk.number.number: ""}


async def test_a_carrier_that_cannot_be_told_is_not_asked(desk: Desk) -> None:
    await hear_texts(desk.database, object(), carrier_account_id=desk.account.id, clock=desk.clock)
    assert await desk.shown() == {desk.number.number: ""}
