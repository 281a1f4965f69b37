"""Why people are contacted or not, holds, and whose clock a time is on: as the pages show them."""

from datetime import timedelta
from typing import Any

import pytest

from app.domain.campaign import CampaignStatus
from app.domain.recipient import RecipientStatus
from app.models import Campaign, Contact, WorkerHeartbeat
from app.runtime.context import AppContext
from app.web.pages.campaign.calls.state import CallLogState
from app.web.pages.campaign.contacts.person_state import PersonState
from app.web.pages.campaign.contacts.selection_state import SelectionState
from app.web.pages.campaign.contacts.state import CampaignContactsState
from app.web.pages.campaign.overview.state import OverviewState
from app.web.pages.contacts.card_state import ContactCardState
from app.web.pages.contacts.hold_state import HoldState
from app.web.pages.contacts.person.state import PersonPageState
from app.web.words import there_it_is
from tests.services.campaign_world import CampaignWorld
from tests.support.builders import NOON, make_contact, make_recipient
from tests.support.numbers import new_number
from tests.web.browser import signed_in
from tests.web.conftest import Driver
from tests.web.test_campaign_pages import open_campaign

# Noon in New York is 06:00 in Honolulu: the law there opens at 08:00.
NEW_YORK, HONOLULU = 212, 808


@pytest.fixture(autouse=True)
def noon(seams: AppContext, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a Tuesday, noon in New York, where the viewers are."""
    monkeypatch.setattr(type(seams.clock), "now", lambda _clock: NOON)


async def running(world: CampaignWorld) -> int:
    return await world.campaign(status=CampaignStatus.RUNNING, carrier_account_id=world.carrier.id)


async def add(world: CampaignWorld, campaign_id: int, *, area: int, **values: Any) -> int:
    async with world.database.transaction() as session:
        contact = await make_contact(session, world.organization, number=new_number(area))
        campaign = await session.get_one(Campaign, campaign_id)
        return (await make_recipient(session, campaign, contact, **values)).id


async def test_the_list_says_of_each_person_why_and_what_time_it_is_there(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await running(world)
    await add(world, campaign_id, area=NEW_YORK)
    await add(world, campaign_id, area=HONOLULU)
    await add(world, campaign_id, area=NEW_YORK, not_before=NOON + timedelta(hours=2), attempts_made=1)
    browser = await open_campaign(tab, world, campaign_id, "/contacts")
    await browser.send(CampaignContactsState.load())
    rows = (await tab.state(CampaignContactsState)).rows
    assert [(one.why, one.there) for one in rows] == [
        ("Due now: is called next", "there it is 12:00"),
        (
            "Waiting: it is 06:00 in Honolulu, allowed from 08:00 today, their time",
            "there it is 06:00",
        ),
        ("2nd try after 14:00, New York", "there it is 12:00"),
    ]


async def test_a_reason_filters_the_list_by_its_address_and_what_is_done_to_all_of_it(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await running(world)
    awake = await add(world, campaign_id, area=NEW_YORK)
    asleep = await add(world, campaign_id, area=HONOLULU)
    browser = await open_campaign(tab, world, campaign_id, "/contacts?reason=calling_hours")
    await browser.send(CampaignContactsState.load())
    listed = await tab.state(CampaignContactsState)
    assert ([one.id for one in listed.rows], listed.is_filtered) == ([asleep], True)
    assert listed.filters == "?reason=calling_hours"
    await browser.send(SelectionState.tick_all())
    await browser.send(SelectionState.ask("skip", 0))
    await browser.send(SelectionState.confirm())
    assert (await world.person(asleep)).status is RecipientStatus.SKIPPED
    assert (await world.person(awake)).status is RecipientStatus.PENDING


async def test_a_persons_sheet_says_all_of_it_and_a_hold_is_set_and_lifted_there(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await running(world)
    person = await add(world, campaign_id, area=HONOLULU)
    browser = await open_campaign(tab, world, campaign_id, "/contacts")
    await browser.send(PersonState.show(person))
    detail = (await tab.state(PersonState)).detail
    assert detail.answer.startswith(
        "Waiting: it is 06:00 in Honolulu (Pacific/Honolulu), allowed from 08:00 today"
    )
    assert (detail.rule, detail.until) == ("Calling hours", "10 Mar, 08:00 HST, their time")

    await browser.send(HoldState.ask(detail.contact_id))
    assert (await tab.state(HoldState)).whose == "On their clock in Honolulu (Pacific/Honolulu)."
    await browser.send(
        HoldState.hold({"hold_date": "2026-05-12", "hold_time": "", "hold_reason": "on holiday"})
    )
    await browser.send(PersonState.read_again())
    held = (await tab.state(PersonState)).detail
    assert held.hold == "Held until 00:00 on Tuesday 12 May in Honolulu, their time: on holiday."
    assert held.answer == held.hold
    assert (await world.person(person)).blocked_by == "hold"

    await browser.send(HoldState.lift(detail.contact_id))
    await browser.send(PersonState.read_again())
    assert (await tab.state(PersonState)).detail.hold == ""
    assert (await world.person(person)).blocked_by is None


async def test_a_hold_stands_on_the_persons_page_and_in_their_history(
    world: CampaignWorld, tab: Driver
) -> None:
    async with world.database.transaction() as session:
        contact = await make_contact(session, world.organization, number="+13035550123")
    browser = await signed_in(tab, world.organization, f"/contacts/{contact.id}")
    await browser.send(ContactCardState.load())
    await browser.send(PersonPageState.load())
    assert (await tab.state(ContactCardState)).card.there == "there it is 10:00"
    await browser.send(HoldState.ask(contact.id))
    await browser.send(HoldState.hold({"hold_date": "2026-03-12", "hold_time": "09:30", "hold_reason": ""}))
    await browser.send(ContactCardState.read_again())
    assert (await tab.state(ContactCardState)).card.hold == (
        "Held until 09:30 on Thursday in Denver, their time."
    )
    titles = {event.title for event in (await tab.state(PersonPageState)).events}
    assert "Held until 09:30 on Thursday in Denver" in titles


@pytest.mark.parametrize(
    ("form", "box"),
    [
        ({"hold_date": "", "hold_time": "", "hold_reason": ""}, "hold_date"),
        ({"hold_date": "2020-01-01", "hold_time": "", "hold_reason": ""}, "hold_date"),
        ({"hold_date": "2026-05-12", "hold_time": "", "hold_reason": "x" * 501}, "hold_reason"),
    ],
)
async def test_a_hold_that_makes_no_sense_is_refused_at_its_box(
    world: CampaignWorld, tab: Driver, form: dict[str, str], box: str
) -> None:
    async with world.database.transaction() as session:
        contact = await make_contact(session, world.organization)
    browser = await signed_in(tab, world.organization, f"/contacts/{contact.id}")
    await browser.send(HoldState.ask(contact.id))
    await browser.send(HoldState.hold(form))
    state = await tab.state(HoldState)
    assert (set(state.errors), state.saving) == ({box}, False)
    async with world.database.session() as session:
        assert (await session.get_one(Contact, contact.id)).held_until is None


async def test_the_overview_says_how_many_wait_for_what_and_when_it_goes_on(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await running(world)
    async with world.database.transaction() as session:
        session.add(WorkerHeartbeat(worker="w", queue="dial", started_at=NOON, seen_at=NOON))
    for _ in range(4):
        await add(world, campaign_id, area=HONOLULU)
    await add(
        world, campaign_id, area=NEW_YORK, not_before=NOON + timedelta(hours=2, minutes=5), attempts_made=1
    )
    await add(world, campaign_id, area=NEW_YORK, not_before=NOON + timedelta(days=9), blocked_by="hold")
    browser = await open_campaign(tab, world, campaign_id)
    await browser.send(OverviewState.load())
    now = (await tab.state(OverviewState)).overview.now
    assert now.waiting == (
        "4 wait for 08:00 in Honolulu (14:00 your time) \N{MIDDLE DOT} 1 tries again after 14:05 your time "
        "\N{MIDDLE DOT} 1 is held"
    )
    assert now.title == "Waiting for calling hours"
    assert now.sentence.startswith("It is 06:00 in Honolulu")


async def test_the_call_log_says_what_time_it_is_where_each_person_is(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await running(world)
    await world.attempt(await add(world, campaign_id, area=HONOLULU))
    browser = await open_campaign(tab, world, campaign_id, "/calls")
    await browser.send(CallLogState.load())
    assert [one.there for one in (await tab.state(CallLogState)).rows] == ["there it is 06:00"]


@pytest.mark.parametrize(
    ("zones", "says"),
    [
        ((), ""),
        (("America/Denver",), "there it is 10:00"),
        (("America/New_York", "America/Toronto"), "there it is 12:00"),
        (("America/New_York", "America/Los_Angeles"), "there it is 09:00\N{EN DASH}12:00"),
        (("Pacific/Auckland", "America/Los_Angeles"), "there it is 09:00\N{EN DASH}05:00"),
    ],
)
def test_a_place_of_several_clocks_is_told_as_a_range(zones: tuple[str, ...], says: str) -> None:
    assert there_it_is(zones, now=NOON) == says
