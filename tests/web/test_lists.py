"""What every list is asked for stands in its page's address, and is found there again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

import pytest

from app.domain.attempt import AttemptStatus, Disposition
from app.domain.campaign import CampaignStatus
from app.domain.suppression import SuppressionScope, SuppressionSource
from app.models import ContactImport, Suppression
from app.web import listing, routes
from app.web.pages.campaign.calls.state import CallLogState
from app.web.pages.campaign.contacts.selection_state import SelectionState
from app.web.pages.campaign.contacts.state import CampaignContactsState
from app.web.pages.campaigns.state import CampaignsState
from app.web.pages.contacts import state as address_book
from app.web.pages.contacts.filter_state import FilterFormState
from app.web.pages.contacts.segments_state import SegmentsState
from app.web.pages.contacts.state import ContactsState
from app.web.pages.imports.state import ImportsState
from app.web.pages.suppressions.state import SuppressionsState
from tests.services.campaign_world import CampaignWorld
from tests.support.builders import NOON, make_campaign, make_contact, make_recipient
from tests.web.browser import Browser, signed_in
from tests.web.conftest import Driver

MANY = 27
"""Rows for two pages of any list."""


def _as_asked(state: Any) -> Any:
    return (state.query, state.rows, state.is_filtered, state.filters)


def _page_of(state: Any) -> Any:
    return (state.query, state.rows)


def _book(state: Any) -> Any:
    asked = (state.search, state.match, state.sort, state.descending, state.segment, state.is_changed)
    return (asked, state.chips, state.count, state.rows, state.filters)


@dataclass(frozen=True)
class ListPage:
    """A list, where it stands, what is done to it, and what has to be the same when its address is opened."""

    path: str
    state: Any
    steps: Callable[[], Sequence[Any]]
    shown: Callable[[Any], Any] = _as_asked


PAGES = {
    "campaigns": ListPage(
        "/campaigns",
        CampaignsState,
        lambda: [
            CampaignsState.turn_page(1),
            CampaignsState.filter_by("period", "30"),
            CampaignsState.find("campaign 1"),
            CampaignsState.sort_by("name"),
            CampaignsState.sort_by("name"),
            CampaignsState.filter_by("status", "paused"),
            CampaignsState.filter_by("channel", "call"),
            CampaignsState.filter_by("agent", "1"),
            CampaignsState.clear(),
        ],
    ),
    "contacts of a campaign": ListPage(
        "/campaigns/{campaign}/contacts",
        CampaignContactsState,
        lambda: [
            CampaignContactsState.sort_by("name"),
            CampaignContactsState.sort_by("name"),
            CampaignContactsState.turn_page(1),
            CampaignContactsState.find("person 1"),
            CampaignContactsState.filter_by("status", "pending"),
            CampaignContactsState.filter_by("status", "will_skip"),
            CampaignContactsState.clear(),
        ],
    ),
    "call log": ListPage(
        "/campaigns/{campaign}/calls",
        CallLogState,
        lambda: [
            CallLogState.turn_page(1),
            CallLogState.find("person 1"),
            CallLogState.filter_by("disposition", "busy"),
            CallLogState.clear(),
        ],
    ),
    "imports": ListPage("/imports", ImportsState, lambda: [ImportsState.turn_page(1)], _page_of),
    "suppressions": ListPage(
        "/suppressions",
        SuppressionsState,
        lambda: [
            SuppressionsState.find("+1212"),
            SuppressionsState.filter_by("scope", "all"),
            SuppressionsState.filter_by("source", "import"),
            SuppressionsState.filter_by("standing", "lifted"),
            SuppressionsState.clear(),
        ],
    ),
    "address book": ListPage(
        "/contacts",
        ContactsState,
        lambda: [
            ContactsState.find("person 1"),
            ContactsState.sort_by("name"),
            ContactsState.sort_by("name"),
            ContactsState.clear(),
            FilterFormState.open(),
            FilterFormState.add({"value": "vip, new"}),
            SegmentsState.save({"segment_name": "Favourites"}),
            ContactsState.find("person 0"),
            FilterFormState.choose_field("created_at"),
            FilterFormState.choose_op("between"),
            FilterFormState.add({"value": "2020-01-01", "until": "2030-01-31"}),
            ContactsState.choose_match("any"),
            ContactsState.drop_condition(0),
            ContactsState.drop_condition(0),
            ContactsState.clear(),
        ],
        _book,
    ),
}


@pytest.fixture
def addresses(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was put behind the address of the page, the last at the end."""
    put, told = listing.put_in_address, [""]

    def listen(path: str, parameters: str) -> Any:
        told.append(parameters)
        return put(path, parameters)

    monkeypatch.setattr(listing, "put_in_address", listen)
    monkeypatch.setattr(address_book, "put_in_address", listen)
    return told


@pytest.fixture
async def campaign_id(world: CampaignWorld) -> int:
    """A campaign with two pages of everything; and two pages of every other list."""
    async with world.database.transaction() as session:
        campaigns = [
            await make_campaign(
                session,
                world.organization,
                name=f"Campaign {serial:02}",
                status=CampaignStatus.PAUSED if serial % 2 else CampaignStatus.DRAFT,
                agent=world.agent,
            )
            for serial in range(MANY)
        ]
        first = campaigns[0]
        recipients = []
        for serial in range(MANY):
            contact = await make_contact(
                session,
                world.organization,
                name=f"Person {serial:02}",
                number=f"+1212555{serial:04}",
                tags=["vip"] if serial % 2 else [],
            )
            recipients.append(await make_recipient(session, first, contact=contact))
            session.add(
                ContactImport(
                    organization_id=world.organization.id,
                    file_name=f"{serial}.csv",
                    file_bytes=1,
                    created_at=NOON,
                )
            )
            session.add(
                Suppression(
                    organization_id=world.organization.id,
                    number=f"+1212555{serial:04}",
                    scope=SuppressionScope.ALL if serial % 2 else SuppressionScope.SMS,
                    source=SuppressionSource.IMPORT,
                    created_at=NOON,
                    lifted_at=NOON if serial % 3 else None,
                )
            )
    for serial, recipient in enumerate(recipients):
        disposition = Disposition.BUSY if serial % 2 else Disposition.ANSWERED
        await world.attempt(recipient.id, AttemptStatus.COMPLETED, disposition, placed_at=NOON)
    return first.id


@pytest.mark.parametrize("name", PAGES)
async def test_each_control_stands_in_the_address_and_is_found_there_again(
    name: str, world: CampaignWorld, campaign_id: int, tab: Driver, addresses: list[str]
) -> None:
    page = PAGES[name]
    browser = await signed_in(tab, world.organization, page.path.format(campaign=campaign_id))
    await browser.send(page.state.load())
    seen = set()
    for number, step in enumerate(page.steps()):
        await browser.send(step)
        shown = page.shown(await tab.state(page.state))
        assert tab.errors == []
        assert page.shown(await _opened_anew(browser, page, addresses[-1], f"tab {number}")) == shown
        seen.add(addresses[-1])
    assert len(seen) > len(page.steps()) / 2


async def _opened_anew(browser: Browser, page: ListPage, parameters: str, token: str) -> Any:
    """Open the page of the address in another tab, and return what its list's state is."""
    tab, path = browser.tab, browser.path
    was, tab.token, browser.path = tab.token, token, path + parameters
    await browser.send(page.state.load())
    state = await tab.state(page.state)
    tab.token, browser.path = was, path
    return state


BROKEN = (
    "?page=0&sort=nonsense&descending=perhaps&status=gone&disposition=none&agent=-1&period=9&scope=x&source=y",
    "?page=99999999999999999999&standing=1&segment=999999&match=some&time_zone=Mars&search=%00%FF",
    "?segment=-1&tags.any_of=&created_at.within_days=x&name.none=&.is=1&fields..is=&nobody.is=1&id.any_of=a",
    "?created_at.between=2026-03-10&created_at.between=2026-03-10,2026-01-01&created_at.before=yesterday&a&=&%",
)


@pytest.mark.parametrize("name", PAGES)
async def test_values_that_make_no_sense_are_ignored(
    name: str, world: CampaignWorld, campaign_id: int, tab: Driver
) -> None:
    page = PAGES[name]
    browser = await signed_in(tab, world.organization, page.path.format(campaign=campaign_id))
    await browser.send(page.state.load())
    plain = [row.id for row in (await tab.state(page.state)).rows]
    for number, parameters in enumerate(BROKEN):
        state = await _opened_anew(browser, page, parameters.replace("&search=%00%FF", ""), f"tab {number}")
        assert ([row.id for row in state.rows], state.problem, tab.errors) == (plain, "", [])
        await _opened_anew(browser, page, parameters, f"searching tab {number}")
        assert tab.errors == []


async def test_a_page_beyond_the_last_is_the_last(
    world: CampaignWorld, campaign_id: int, tab: Driver
) -> None:
    browser = await signed_in(tab, world.organization, f"/campaigns/{campaign_id}/contacts?page=9")
    await browser.send(CampaignContactsState.load())
    state = await tab.state(CampaignContactsState)
    assert (state.query.page, state.pages, len(state.rows)) == (2, 2, MANY - 25)
    for row in list(state.rows):
        await browser.send(SelectionState.do("skip", row.id))
        assert (await tab.state(CampaignContactsState)).query.page == 2
    await browser.send(CampaignContactsState.filter_by("status", "skipped"))
    state = await tab.state(CampaignContactsState)
    assert (state.query.page, state.pages, len(state.rows)) == (1, 1, MANY - 25)


async def test_a_filter_begins_at_the_first_page_and_an_unknown_one_does_nothing(
    world: CampaignWorld, campaign_id: int, tab: Driver
) -> None:
    del campaign_id
    browser = await signed_in(tab, world.organization, "/campaigns")
    await browser.send(CampaignsState.load())
    await browser.send(CampaignsState.turn_page(1))
    await browser.send(CampaignsState.filter_by("page", "7"))
    await browser.send(CampaignsState.filter_by("period", "today"))
    query = (await tab.state(CampaignsState)).query
    assert (query.page, query.period, query.is_filtered) == (2, "today", False)
    await browser.send(CampaignsState.filter_by("status", "paused"))
    query = (await tab.state(CampaignsState)).query
    assert (query.page, query.status, query.is_filtered) == (1, "paused", True)
    await browser.send(CampaignsState.filter_by("status", "no such status"))
    assert not (await tab.state(CampaignsState)).is_filtered


async def test_a_column_sorts_and_once_more_turns_round(
    world: CampaignWorld, campaign_id: int, tab: Driver
) -> None:
    browser = await signed_in(tab, world.organization, f"/campaigns/{campaign_id}/contacts")
    await browser.send(CampaignContactsState.load())
    await browser.send(CampaignContactsState.sort_by("name"))
    rising = [row.name for row in (await tab.state(CampaignContactsState)).rows]
    await browser.send(CampaignContactsState.sort_by("name"))
    state = await tab.state(CampaignContactsState)
    assert rising == sorted(rising)
    assert (state.rows[0].name, state.query.descending) == (f"Person {MANY - 1:02}", True)


async def test_a_segment_that_is_no_more_leaves_what_the_address_says_besides(
    world: CampaignWorld, campaign_id: int, tab: Driver
) -> None:
    del campaign_id
    browser = await signed_in(tab, world.organization, "/contacts?segment=77&tags.any_of=vip&search=person")
    await browser.send(ContactsState.load())
    state = await tab.state(ContactsState)
    assert (state.chips, state.search, state.segment_id, state.problem) == (
        ["Tags any of vip"],
        "person",
        0,
        "",
    )


async def test_the_days_of_a_filter_begin_in_the_organizations_zone(
    world: CampaignWorld, campaign_id: int, tab: Driver, addresses: list[str]
) -> None:
    del campaign_id
    zone = world.organization.time_zone
    browser = await signed_in(tab, world.organization, "/contacts")
    await browser.send(ContactsState.load())
    await browser.send(FilterFormState.open())
    await browser.send(FilterFormState.choose_field("created_at"))
    await browser.send(FilterFormState.choose_op("before"))
    await browser.send(FilterFormState.add({"value": "2026-03-10"}))
    assert (zone != "UTC", addresses[-1]) == (True, "?created_at.before=2026-03-10")
    asked = f'"time_zone": "{zone}"'
    assert asked in unquote_plus((await tab.state(ContactsState)).filters)
    assert asked in unquote_plus(
        (await _opened_anew(browser, PAGES["address book"], addresses[-1], "new")).filters
    )


def test_an_address_says_all_that_it_asks_for_in_order() -> None:
    query = "tags.any_of=vip,new&tags.any_of=late&notes.empty=&search=a%26b"
    assert routes.asked_pairs(query) == [
        ("tags.any_of", "vip,new"),
        ("tags.any_of", "late"),
        ("notes.empty", ""),
        ("search", "a&b"),
    ]
