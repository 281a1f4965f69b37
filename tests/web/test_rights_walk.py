"""Every event handler of every page, called as anybody might call it."""

import asyncio
import inspect
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, get_origin

import pytest
import reflex as rx
from reflex.event import EventHandler
from reflex.utils.format import json_dumps
from reflex_base.event import Event

import app.app as web_process
from app.domain.rights import Right, Role, has_right
from app.models import Organization
from app.runtime.context import AppContext
from app.services.errors import NotAllowed, NotFound
from app.web import guard, routes
from app.web.guard import GUARD, NotSignedIn
from tests.support.builders import (
    make_agent,
    make_campaign,
    make_contact,
    make_number,
    make_organization,
    make_recipient,
)
from tests.web.browser import Browser, signed_in
from tests.web.conftest import Driver
from tests.web.rights_table import ANYONE, EXPECTED, SIGNED_IN
from tests.web.seams import AUTH_TOKEN, SECRET

MARK = "Zebra"
"""In every name that belongs to the first organization: nobody else may ever read it."""


@dataclass(frozen=True)
class Called:
    """A handler as a client names it."""

    name: str
    handler: EventHandler
    guarded_by: Right | str

    def event(self, number: int) -> Event:
        """The event that calls it, with `number` wherever it takes one."""
        return Event(name=self.name, payload=dict(self._arguments(number)))

    def _arguments(self, number: int) -> Iterator[tuple[str, Any]]:
        _, *parameters = inspect.signature(self.handler.fn).parameters.values()
        samples: dict[Any, Any] = {str: str(number), int: number, bool: True, dict: {}, list: []}
        for each in parameters:
            yield each.name, samples[get_origin(each.annotation) or each.annotation]


@dataclass
class Scene:
    """Two organizations, of which the first has something to hide, and what the guard said."""

    mine: Organization
    theirs: Organization
    campaign_id: int
    answers: list[Exception] = field(default_factory=list)

    @property
    def page(self) -> str:
        """The page, below a slug, of the first organization's campaign."""
        return f"/campaigns/{self.campaign_id}"

    @property
    def address(self) -> str:
        """That page's address."""
        return f"/{self.mine.slug}{self.page}"


@pytest.fixture
async def scene(seams: AppContext, monkeypatch: pytest.MonkeyPatch) -> Scene:
    async with seams.database.transaction() as session:
        mine = await make_organization(session, name=f"{MARK} Ltd", slug="zebra")
        theirs = await make_organization(session, name="Other Ltd", slug="other")
        agent = await make_agent(session, mine, name=f"{MARK} Ava")
        number = await make_number(session, mine, label=MARK)
        campaign = await make_campaign(session, mine, name=f"{MARK} spring", agent=agent, number=number)
        contact = await make_contact(session, mine, name=f"{MARK} Doe")
        await make_recipient(session, campaign, contact)
        scene = Scene(mine, theirs, campaign.id)
    react = guard._react

    def listen(state: rx.State, error: Exception, **how: bool) -> Any:
        scene.answers.append(error)
        return react(state, error, **how)

    monkeypatch.setattr(guard, "_react", listen)
    return scene


def test_the_table_names_every_handler_and_what_it_asks_for() -> None:
    declared = {f"{name}.{handler}": asks for name, handler, asks, _ in _declared()}
    expected = {
        f"{state}.{handler}": asks
        for state, guards in EXPECTED.items()
        for asks, handlers in guards.items()
        for handler in handlers.split()
    }
    assert declared == expected


async def test_a_stranger_is_sent_to_sign_in_whatever_they_call(scene: Scene, tab: Driver) -> None:
    browser = Browser(tab, "", scene.address)
    for called in _guarded():
        said = await _call(browser, called, scene)
        assert MARK not in said, called.name
        assert [type(answer) for answer in scene.answers] == [NotSignedIn], called.name


async def test_a_member_of_another_organization_is_told_it_does_not_exist(scene: Scene, tab: Driver) -> None:
    browser = await signed_in(tab, scene.theirs, "")
    browser.path = scene.address
    for called in _guarded():
        if called.guarded_by == SIGNED_IN:
            continue
        said = await _call(browser, called, scene)
        assert MARK not in said, called.name
        assert [type(answer) for answer in scene.answers] == [NotFound], called.name


async def test_ids_of_another_organization_open_nothing(scene: Scene, tab: Driver) -> None:
    browser = await signed_in(tab, scene.theirs, scene.page)
    for called in _guarded():
        assert MARK not in await _call(browser, called, scene), called.name


@pytest.mark.parametrize("role", Role)
async def test_each_role_may_call_what_its_rights_allow_and_nothing_else(
    scene: Scene, tab: Driver, role: Role
) -> None:
    browser = await signed_in(tab, scene.mine, scene.page, role=role)
    for called in _guarded():
        if not isinstance(called.guarded_by, Right):
            continue
        said = await _call(browser, called, scene)
        refused = any(isinstance(answer, NotAllowed) for answer in scene.answers)
        assert refused is not has_right(role, called.guarded_by), called.name
        assert not any(isinstance(answer, NotSignedIn) for answer in scene.answers), called.name
        for secret in (SECRET, AUTH_TOKEN, browser.cookie, "password_hash", "token_hash", "key_hash"):
            assert secret not in said, called.name


async def test_what_anyone_may_call_tells_nothing(scene: Scene, tab: Driver) -> None:
    browser = Browser(tab, "", scene.address)
    for called in _called():
        if called.guarded_by == ANYONE:
            assert MARK not in await _call(browser, called, scene), called.name


async def test_every_page_but_the_way_in_asks_who_one_is_first(scene: Scene, tab: Driver) -> None:
    browser = Browser(tab, "", scene.address)
    for route, events in _loads().items():
        first = Event.from_event_type(events[0])[0]
        scene.answers.clear()
        await browser.send(first)
        needs_nobody = route in {routes.SETUP, routes.SIGN_IN}
        expected = [] if needs_nobody else [NotSignedIn]
        assert [type(answer) for answer in scene.answers] == expected, route


async def _call(browser: Browser, called: Called, scene: Scene) -> str:
    """Call it with the first organization's campaign as every id; return all that is sent back."""
    scene.answers.clear()
    async with asyncio.timeout(20):
        deltas = await browser.send(called.event(scene.campaign_id))
    # As it goes over the socket: Reflex takes cookies out of what it sends while it writes JSON.
    return str(json_dumps(deltas))


def _guarded() -> Iterator[Called]:
    return (called for called in _called() if called.guarded_by != ANYONE)


def _called() -> Iterator[Called]:
    for _, name, asks, handler in _declared():
        yield Called(f"{handler.state_full_name}.{name}", handler, asks)


def _declared() -> Iterator[tuple[str, str, Right | str, EventHandler]]:
    for state in _states(rx.State):
        for name, handler in state.event_handlers.items():
            if state.__module__.startswith("app.web") and handler.fn.__module__.startswith("app."):
                yield state.__name__, name, getattr(handler.fn, GUARD), handler


def _loads() -> dict[str, list[Any]]:
    """What each route loads first to last."""
    loads: dict[str, list[Any]] = web_process.app._load_events
    return {"/" if route == "index" else f"/{route}": events for route, events in loads.items() if events}


def _states(state: type[rx.State]) -> Iterator[type[rx.State]]:
    yield state
    for child in state.get_substates():
        yield from _states(child)  # type: ignore[arg-type]  # substates are declared as their base class
