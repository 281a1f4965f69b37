"""The agents page."""

from typing import Any

from app.domain.campaign import CampaignStatus
from app.domain.rights import Role
from app.models import Organization
from app.runtime.context import AppContext
from app.web.pages.agents.state import AgentsState
from app.web.pages.agents.voices_presenter import LANGUAGES, VOICES
from tests.support.builders import make_agent, make_campaign, make_number
from tests.web.browser import signed_in
from tests.web.conftest import Driver

FORM: dict[str, Any] = {
    "name": "Oliver",
    "description": "Calm.",
    "voice": "Polly.Arthur-Neural",
    "language": "en-GB",
    "greeting": "Hello {{name}}.",
    "prompt": "",
    "max_concurrent_calls": "3",
    "default_phone_number_id": "",
}


async def test_a_new_agent_is_listed_in_words(seams: AppContext, acme: Organization, tab: Driver) -> None:
    async with seams.database.transaction() as session:
        number = await make_number(session, acme, number="+12015550123")
    browser = await signed_in(tab, acme, "/agents")
    await browser.send(AgentsState.open(0))
    await browser.send(AgentsState.save(FORM | {"default_phone_number_id": str(number.id)}))
    state = await tab.state(AgentsState)
    [row] = state.rows
    assert (row.name, row.voice, row.language) == ("Oliver", "Arthur", "English (UK)")
    assert (row.limit, row.number, row.active) == ("3 at once", "+1 201-555-0123", True)
    assert not state.is_open


async def test_zero_is_no_limit(seams: AppContext, acme: Organization, tab: Driver) -> None:
    browser = await signed_in(tab, acme, "/agents")
    await browser.send(AgentsState.save(FORM | {"max_concurrent_calls": "0"}))
    assert [row.limit for row in (await tab.state(AgentsState)).rows] == ["No limit"]


async def test_what_must_be_mended_stands_at_its_field_and_the_form_stays(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    browser = await signed_in(tab, acme, "/agents")
    await browser.send(AgentsState.open(0))
    bad = {"name": " ", "greeting": "Hello {{name", "max_concurrent_calls": "many"}
    await browser.send(AgentsState.save(FORM | bad))
    state = await tab.state(AgentsState)
    assert (set(state.errors), state.is_open, state.rows) == (set(bad), True, [])


async def test_the_form_of_an_agent_starts_with_what_it_is(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    async with seams.database.transaction() as session:
        agent = await make_agent(session, acme, voice="Google.en-US-Wavenet-D", language="en-US")
    browser = await signed_in(tab, acme, "/agents")
    await browser.send(AgentsState.open(agent.id))
    form = (await tab.state(AgentsState)).form
    assert (form.name, form.unlisted_voice) == ("Ava", "Google.en-US-Wavenet-D")
    await browser.send(AgentsState.save(FORM | {"name": "Eva"}))
    assert [row.name for row in (await tab.state(AgentsState)).rows] == ["Eva"]


async def test_the_language_follows_the_voice(acme: Organization, tab: Driver) -> None:
    browser = await signed_in(tab, acme, "/agents")
    await browser.send(AgentsState.choose_voice("Polly.Vicki-Neural"))
    assert (await tab.state(AgentsState)).language == "de-DE"


async def test_an_agent_of_a_campaign_under_way_stays_active(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    async with seams.database.transaction() as session:
        agent = await make_agent(session, acme)
        await make_campaign(session, acme, agent=agent, status=CampaignStatus.RUNNING)
    browser = await signed_in(tab, acme, "/agents")
    await browser.send(AgentsState.load())
    await browser.send(AgentsState.switch(agent.id, False))
    await browser.send(AgentsState.load())
    assert [row.active for row in (await tab.state(AgentsState)).rows] == [True]


async def test_a_viewer_reads_the_form_and_cannot_save_it(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    browser = await signed_in(tab, acme, "/agents", role=Role.VIEWER)
    await browser.send(AgentsState.open(0))
    await browser.send(AgentsState.save(FORM))
    await browser.send(AgentsState.load())
    assert (await tab.state(AgentsState)).rows == []


def test_every_language_has_voices_and_every_voice_is_listed_once() -> None:
    voices = [voice for each in VOICES.values() for voice, _ in each]
    assert set(VOICES) == {code for code, _ in LANGUAGES}
    assert len(voices) == len(set(voices))
