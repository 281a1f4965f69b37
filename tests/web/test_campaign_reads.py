"""How much is read when a campaign's page is opened, and when what it watches is not there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final

import pytest

from app.domain.campaign import CampaignStatus
from app.runtime.context import AppContext
from app.services import live_hub as hub_module
from app.services.campaigns.operations import delete_campaign
from app.services.live_hub import LiveHub
from app.web.pages.audiences.state import AudiencesState
from app.web.pages.campaign.calls.state import CallLogState
from app.web.pages.campaign.contacts.state import CampaignContactsState
from app.web.pages.campaign.overview.state import OverviewState
from app.web.pages.campaign.settings.state import CampaignSettingsState
from app.web.pages.campaign.state import CampaignState
from tests.services.campaign_world import CampaignWorld, build_world
from tests.support.statements import sent_statements
from tests.support.waiting import until
from tests.web.browser import Browser, signed_in
from tests.web.conftest import Driver

PATIENCE = 10.0

WATCHERS: Final = (
    CampaignState,
    OverviewState,
    CampaignContactsState,
    CampaignSettingsState,
    CallLogState,
    AudiencesState,
)


@asynccontextmanager
async def hub(monkeypatch: pytest.MonkeyPatch, *, slow_tick: float) -> AsyncIterator[None]:
    """The process's live hub at work, which reads anew that often without being told of a change."""
    monkeypatch.setattr(hub_module, "LiveHub", partial(LiveHub, slow_tick=slow_tick))
    async with hub_module.live_hub():
        yield


@asynccontextmanager
async def sent_on(browser: Browser, *events: Any) -> AsyncIterator[list[asyncio.Task[list[Any]]]]:
    """Handlers that go on in the background, until this is left."""
    tasks = [asyncio.create_task(browser.send(event)) for event in events]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_opening_the_overview_reads_the_campaign_once_and_its_people_only_to_count_them(
    world: CampaignWorld, tab: Driver, seams: AppContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign_id = await world.campaign(people=3, status=CampaignStatus.RUNNING)
    browser = await signed_in(tab, world.organization, f"/campaigns/{campaign_id}")
    watchers = CampaignState.watch(), OverviewState.watch()
    async with hub(monkeypatch, slow_tick=3600):
        with sent_statements(seams.database) as sent:
            for event in (CampaignState.load(), OverviewState.load()):
                await browser.send(event)
            loaded = len(sent)

            async def have_watched() -> bool:
                """The history is the last that is read, and the header's watcher reads nothing of its own."""
                meanwhile = sent[loaded:]
                return (
                    _about(meanwhile, "user_session") == 2 and _about(meanwhile, "campaign_transition") == 1
                )

            async with sent_on(browser, *watchers):
                await until(have_watched)

    assert (await tab.state(CampaignState)).header.total == 3
    assert (await tab.state(OverviewState)).overview.progress.text == "0 of 3 processed"
    assert len(sent) <= 28, f"{len(sent)} statements open the Overview; 28 did when this was written"
    briefs = [each for each in sent if each.startswith("SELECT campaign.id, campaign.name,")]
    assert len(briefs) == 1
    # The header's count; twice those of a snapshot: the page's own, and the one that all watchers share. Each counts by
    # status, walks over the places, counts by reason, and reads what is under way.
    of_people = [each for each in sent if "FROM recipient" in each]
    assert len(of_people) <= 1 + 2 * 4
    for statement in of_people:
        # The walk over places takes one step for each place, not for each person.
        assert "count(*)" in statement or "WITH RECURSIVE waiting" in statement
        assert "variables" not in statement


@pytest.mark.parametrize("state", WATCHERS, ids=lambda state: str(state.__name__))
async def test_nothing_is_watched_where_there_is_no_such_campaign(
    state: Any,
    world: CampaignWorld,
    tab: Driver,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    theirs = await build_world(world.database)
    campaign_id = await theirs.campaign(people=1, name="Their secret plan")
    browser = await signed_in(tab, world.organization, f"/campaigns/{campaign_id}")
    async with hub(monkeypatch, slow_tick=3600), asyncio.timeout(PATIENCE):
        deltas = await browser.send(state.watch())
    assert "secret plan" not in str(deltas)
    assert (await tab.state(state)).problem == ""
    assert tab.errors == []
    assert not [record for record in caplog.records if record.name.startswith("app.")]


@pytest.mark.parametrize("state", WATCHERS, ids=lambda state: str(state.__name__))
async def test_watching_ends_when_the_campaign_is_deleted_and_the_page_stays_as_it_is(
    state: Any, world: CampaignWorld, tab: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign_id = await world.campaign(people=1)
    browser = await signed_in(tab, world.organization, f"/campaigns/{campaign_id}")
    for load in (CampaignState.load(), state.load()):
        await browser.send(load)
    async with hub(monkeypatch, slow_tick=0.05), sent_on(browser, state.watch()) as (watching,):
        with sent_statements(world.database) as sent:

            async def is_watched() -> bool:
                """After the two statements of who asks, it is the hub's that read."""
                return len(sent) > 2

            await until(is_watched)
        assert not watching.done()
        await world.do(delete_campaign, campaign_ref=campaign_id)
        async with asyncio.timeout(PATIENCE):
            await watching
    assert (await tab.state(CampaignState)).header.name == "March reminders"
    assert (await tab.state(state)).problem == ""
    assert tab.errors == []


async def test_the_settings_are_followed_whatever_an_earlier_page_left_behind(
    world: CampaignWorld, tab: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign_id = await world.campaign(people=1)
    browser = await signed_in(tab, world.organization, "/campaigns/999999/settings")
    await browser.send(CampaignSettingsState.load())
    assert (await tab.state(CampaignSettingsState)).problem == "There is no campaign 999999."
    browser.path = f"/{world.organization.slug}/campaigns/{campaign_id}/settings"

    async def are_shown() -> bool:
        return (await tab.state(CampaignSettingsState)).groups != []

    async with hub(monkeypatch, slow_tick=3600), sent_on(browser, CampaignSettingsState.watch()):
        await until(are_shown)


def _about(statements: list[str], table: str) -> int:
    """Return how many of the statements speak of the table."""
    return sum(table in each for each in statements)
