"""The steps of the campaign wizard, opened in a tab."""

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import reflex as rx

from app.domain.rights import Role
from app.runtime.migrations import PROJECT
from app.services.campaigns.detail import get_campaign
from app.services.campaigns.settings import CampaignSettings
from app.web.pages.wizard.basics.state import BasicsState
from app.web.pages.wizard.contacts.people_state import PeopleState
from app.web.pages.wizard.contacts.state import ContactsStepState
from app.web.pages.wizard.message.state import MessageState
from app.web.pages.wizard.pace.state import PaceState
from app.web.pages.wizard.review.state import ReviewState
from tests.services.campaign_world import CampaignWorld
from tests.web.browser import Browser, signed_in
from tests.web.conftest import Driver

SEED = (PROJECT / "assets" / "example-contacts.csv").read_bytes()
BASICS: Mapping[str, Any] = {"name": "Spring offers", "description": "", "channel": "call"}


async def open_step(
    tab: Driver, world: CampaignWorld, campaign_id: int, step: str, *, role: Role = Role.OWNER
) -> Browser:
    """Open a step of the wizard as a member with that role, and load it."""
    browser = await signed_in(tab, world.organization, f"/campaigns/{campaign_id}/edit/{step}", role=role)
    states: dict[str, Any] = {
        "basics": BasicsState,
        "message": MessageState,
        "pace": PaceState,
        "review": ReviewState,
        "contacts": PeopleState,
        "file": ContactsStepState,
    }
    await browser.send(states[step].load())
    assert tab.errors == []
    return browser


async def events_of(tab: Driver, kind: type[rx.State], handler: str, *arguments: Any) -> str:
    """Run a handler of a page that is open, and return the events it sends the browser, as text."""
    state = await tab.state(kind)
    return str([event async for event in kind.event_handlers[handler].fn(state, *arguments)])


async def settings_of(world: CampaignWorld, campaign_id: int) -> CampaignSettings:
    """Return what the row holds."""
    return (await world.ask(get_campaign, campaign_ref=campaign_id)).settings


FINER: dict[str, Any] = {
    "retry_delays": "30, 60 120",
    "retry_delays_by_outcome.no_answer": "",
    "retry_delays_by_outcome.busy": "5, 15",
    "retry_delays_by_outcome.failed": "",
    "retry_delays_by_outcome.voicemail": "240",
    "retry_back_off": "on",
    "number_strategy": "sticky",
    "retry_other_number": "on",
    "breaker.window": "100",
    "breaker.minimum": "20",
    "breaker.failure_rate": "30",
    "breaker.refusal_rate": "0",
    "breaker.refusals_in_a_row": "0",
    "breaker.opt_out_rate": "2.5",
    "breaker.hang_up_rate": "50",
    "pilot_size": "20",
    "ramp": "on",
    "budget_cap": "99.50",
    "weight": "3",
}
"""Every box of the finer settings, as a form sends them."""


def upload(data: bytes, name: str = "people.csv") -> list[rx.UploadFile]:
    """Return a file as a browser's upload hands it over."""
    return [rx.UploadFile(file=BytesIO(data), path=Path(name))]
