"""The numbers page."""

from datetime import timedelta
from typing import Any

import pytest

from app.domain.campaign import CampaignStatus
from app.domain.number_health import NumberRest
from app.models import Organization
from app.providers.base import LookupFailed, OwnedNumber
from app.providers.twilio.client import TwilioCarrier
from app.runtime.config import Settings
from app.runtime.context import AppContext
from app.web.carrier import texts_address
from app.web.pages.numbers.rests_state import NumberRestState
from app.web.pages.numbers.state import NumbersState
from tests.support.builders import make_campaign, make_number, make_organization
from tests.support.carrier import AccountBook
from tests.web.browser import signed_in
from tests.web.conftest import Driver

OWNED = [
    OwnedNumber(number="+12015550123", label="Front desk", voice=True, sms=True),
    OwnedNumber(number="+12025550143", label="", voice=True, sms=False),
]


def carrier_owns(monkeypatch: pytest.MonkeyPatch, answer: list[OwnedNumber] | Exception) -> None:
    """Let the carrier answer so when it is asked for its numbers."""

    async def owned_numbers(carrier: TwilioCarrier) -> list[OwnedNumber]:
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(TwilioCarrier, "owned_numbers", owned_numbers)


@pytest.fixture(autouse=True)
def book(monkeypatch: pytest.MonkeyPatch) -> AccountBook:
    """What the carrier says of a number that is added."""
    book = AccountBook()
    monkeypatch.setattr(TwilioCarrier, "find_numbers", lambda _carrier, numbers: book.find_numbers(numbers))
    return book


async def test_a_number_is_added_as_people_write_it(acme: Organization, tab: Driver) -> None:
    browser = await signed_in(tab, acme, "/numbers")
    form: dict[str, Any] = {"number": "(201) 555-0123", "label": "Sales", "voice": True, "sms": False}
    await browser.send(NumbersState.save(form))
    state = await tab.state(NumbersState)
    [row] = state.rows
    assert (row.number, row.pretty, row.label) == ("+12015550123", "+1 201-555-0123", "Sales")
    assert (row.voice, row.sms, row.active, row.is_default) == (True, False, True, False)
    await browser.send(NumbersState.save(form))
    assert "already" in (await tab.state(NumbersState)).errors["number"]


NEW: dict[str, Any] = {"number": "(201) 555-0123", "voice": True, "sms": True}


async def test_why_a_number_is_refused_stands_at_its_box_and_the_form_stays_open(
    acme: Organization, tab: Driver, book: AccountBook
) -> None:
    browser = await signed_in(tab, acme, "/numbers")
    await browser.send(NumbersState.open(0))
    for lacking, field in ((book.lacks, "number"), (book.only_calls, "sms"), (book.only_texts, "voice")):
        lacking.add("+12015550123")
        await browser.send(NumbersState.save(NEW))
        state = await tab.state(NumbersState)
        assert (set(state.errors), state.is_open, state.saving, state.rows) == ({field}, True, False, [])
        lacking.clear()


async def test_the_button_shows_that_the_carrier_is_asked(
    acme: Organization, tab: Driver, book: AccountBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = await signed_in(tab, acme, "/numbers")
    seen = []

    async def find_numbers(_carrier: TwilioCarrier, numbers: list[str]) -> object:
        seen.append((await tab.state(NumbersState)).saving)
        return await book.find_numbers(numbers)

    monkeypatch.setattr(TwilioCarrier, "find_numbers", find_numbers)
    await browser.send(NumbersState.open(0))
    deltas = await browser.send(NumbersState.save(NEW))
    assert seen == [True]
    assert len(deltas) > 1
    assert not (await tab.state(NumbersState)).saving


async def test_a_carrier_that_is_away_adds_nothing_and_leaves_the_form_open(
    acme: Organization, tab: Driver, book: AccountBook
) -> None:
    book.is_away = True
    browser = await signed_in(tab, acme, "/numbers")
    await browser.send(NumbersState.open(0))
    await browser.send(NumbersState.save(NEW))
    state = await tab.state(NumbersState)
    assert (state.errors, state.is_open, state.saving, state.rows) == ({}, True, False, [])
    assert tab.errors == []


async def test_a_number_of_another_organization_is_refused_at_its_box(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    async with seams.database.transaction() as session:
        other = await make_organization(session)
        await make_number(session, other, number="+12015550123")
    browser = await signed_in(tab, acme, "/numbers")
    await browser.send(NumbersState.save(NEW))
    assert "another organization" in (await tab.state(NumbersState)).errors["number"]


async def test_a_number_that_was_switched_off_says_why(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    async with seams.database.transaction() as session:
        number = await make_number(session, acme, active=False, inactive_why="Another had it first.")
    browser = await signed_in(tab, acme, "/numbers")
    await browser.send(NumbersState.open(number.id))
    assert (await tab.state(NumbersState)).form.inactive_why == "Another had it first."


async def test_editing_keeps_the_number_itself(seams: AppContext, acme: Organization, tab: Driver) -> None:
    async with seams.database.transaction() as session:
        number = await make_number(session, acme, number="+12015550123")
    browser = await signed_in(tab, acme, "/numbers")
    await browser.send(NumbersState.open(number.id))
    await browser.send(NumbersState.save({"number": "+12025550143", "label": "Billing", "voice": True}))
    assert [(row.number, row.label) for row in (await tab.state(NumbersState)).rows] == [
        ("+12015550123", "Billing")
    ]


async def test_the_carriers_numbers_are_added_once(
    acme: Organization, tab: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    carrier_owns(monkeypatch, OWNED)
    browser = await signed_in(tab, acme, "/numbers")
    for _ in range(2):
        await browser.send(NumbersState.fetch())
    state = await tab.state(NumbersState)
    assert [(row.number, row.label, row.sms, row.carrier) for row in state.rows] == [
        ("+12015550123", "Front desk", True, "Simulated carrier"),
        ("+12025550143", "", False, "Simulated carrier"),
    ]


async def test_a_silent_carrier_changes_nothing_and_the_button_rests(
    acme: Organization, tab: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    carrier_owns(monkeypatch, LookupFailed("the carrier answered 503"))
    browser = await signed_in(tab, acme, "/numbers")
    await browser.send(NumbersState.fetch())
    state = await tab.state(NumbersState)
    assert (state.rows, state.fetching) == ([], False)
    assert tab.errors == []


async def test_one_number_is_the_default(seams: AppContext, acme: Organization, tab: Driver) -> None:
    async with seams.database.transaction() as session:
        first, second = [await make_number(session, acme) for _ in range(2)]
    browser = await signed_in(tab, acme, "/numbers")
    for number_id, expected in ((first.id, [first.id]), (second.id, [second.id]), (0, [])):
        await browser.send(NumbersState.make_default(number_id))
        rows = (await tab.state(NumbersState)).rows
        assert [row.id for row in rows if row.is_default] == expected


async def test_the_last_number_of_a_campaign_under_way_stays_active(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    async with seams.database.transaction() as session:
        number = await make_number(session, acme)
        await make_campaign(session, acme, number=number, status=CampaignStatus.RUNNING)
    browser = await signed_in(tab, acme, "/numbers")
    await browser.send(NumbersState.ask_to_switch_off(number.id))
    assert (await tab.state(NumbersState)).switching_off.id == number.id
    await browser.send(NumbersState.switch(number.id, False))
    await browser.send(NumbersState.load())
    state = await tab.state(NumbersState)
    assert [row.active for row in state.rows] == [True]
    assert state.switching_off.id == 0


async def test_a_number_whose_texts_are_not_heard_says_why(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    async with seams.database.transaction() as session:
        number = await make_number(session, acme, inbound_problem="The carrier does not know it.")
    browser = await signed_in(tab, acme, "/numbers")
    await browser.send(NumbersState.load())
    await browser.send(NumbersState.open(number.id))
    state = await tab.state(NumbersState)
    assert state.rows[0].texts_problem == "The carrier does not know it."
    assert state.form.texts_problem == state.rows[0].texts_problem


def test_the_address_for_texts_is_shown_for_a_real_carrier_alone() -> None:
    public = "https://calls.example.com"
    real = Settings(public_url_setting=public, carrier_simulated=False)
    assert texts_address(real) == f"{public}/webhooks/twilio/inbound"
    assert texts_address(Settings(public_url_setting=public, carrier_simulated=True)) == ""


CAPS = {"daily_cap": "200", "burst_cap": "20", "burst_minutes": "15", "cool_down_minutes": "45"}


async def test_caps_are_set_in_the_form_and_shown_in_one_line(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    async with seams.database.transaction() as session:
        number = await make_number(session, acme)
    browser = await signed_in(tab, acme, "/numbers")
    await browser.send(NumbersState.open(number.id))
    assert (await tab.state(NumbersState)).form.caps == "No caps"
    await browser.send(NumbersState.save({"label": "", "voice": True, "sms": True} | CAPS))
    assert (await tab.state(NumbersState)).errors == {}
    await browser.send(NumbersState.open(number.id))
    form = (await tab.state(NumbersState)).form
    assert {name: getattr(form, name) for name in CAPS} == CAPS
    assert form.caps == "200 calls a day, 20 calls in 15 minutes"
    assert (await tab.state(NumbersState)).rows[0].calls_in_a_day == "0 of 200"
    wrong = {"daily_cap": "many", "burst_minutes": "0"}
    await browser.send(NumbersState.save({"label": "", "voice": True, "sms": True} | CAPS | wrong))
    assert set((await tab.state(NumbersState)).errors) == set(wrong)


async def test_a_number_is_set_aside_for_a_while_and_put_back_to_work(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    async with seams.database.transaction() as session:
        number = await make_number(session, acme, label="Sales")
    browser = await signed_in(tab, acme, "/numbers")
    await browser.send(NumbersState.load())
    await browser.send(NumberRestState.ask(number.id))
    question = await tab.state(NumberRestState)
    assert (question.asked.id, question.is_resting) == (number.id, False)
    await browser.send(NumberRestState.rest({"span": "day", "why": "Complaints"}))
    state = await tab.state(NumbersState)
    [resting] = state.resting
    assert (resting.reason, resting.why) == ("Set aside", "Complaints")
    assert (resting.since.text != "", resting.until.text != "", state.rows[0].resting) == (True, True, True)
    await browser.send(NumberRestState.ask(number.id))
    assert (await tab.state(NumberRestState)).is_resting
    await browser.send(NumberRestState.resume(number.id))
    assert ((await tab.state(NumbersState)).resting, (await tab.state(NumberRestState)).asked.id) == ([], 0)


async def test_a_rest_has_one_of_the_lengths_offered(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    async with seams.database.transaction() as session:
        number = await make_number(session, acme)
    browser = await signed_in(tab, acme, "/numbers")
    await browser.send(NumberRestState.ask(number.id))
    await browser.send(NumberRestState.rest({"span": "a while"}))
    assert (await tab.state(NumberRestState)).errors == {"until": "Choose how long it rests."}
    await browser.send(NumberRestState.rest({}))
    [resting] = (await tab.state(NumbersState)).resting
    assert resting.until.text == ""


async def test_the_page_says_why_since_and_until_when_a_number_rests(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    now = seams.clock.now()
    rest = {"rest": NumberRest.FLAGGED, "rest_why": "SIP 608.", "rested_at": now}
    async with seams.database.transaction() as session:
        await make_number(session, acme, resting_until=now + timedelta(hours=1), **rest)
        await make_number(session, acme, resting_until=now - timedelta(hours=1), **rest)
    browser = await signed_in(tab, acme, "/numbers")
    await browser.send(NumbersState.load())
    [resting] = (await tab.state(NumbersState)).resting
    assert (resting.reason, resting.why) == ("Flagged as spam", "SIP 608.")
    assert (resting.since.zone, resting.until.zone) != ("", "")
