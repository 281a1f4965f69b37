"""Drives event handlers through Reflex's own pipeline, without a browser."""

from collections.abc import AsyncIterator
from typing import Any, TypeVar

import pytest
import reflex as rx
from reflex.istate.manager.memory import StateManagerMemory
from reflex.state import State
from reflex_base.event import Event
from reflex_base.event.processor import BaseStateEventProcessor

from app.models import Organization
from app.runtime.context import AppContext
from app.runtime.database import Database
from tests.services.campaign_world import CampaignWorld, build_world
from tests.support.builders import make_organization
from tests.web.seams import page_seams

S = TypeVar("S", bound=rx.State)


class Driver:
    """One browser tab: sends events, and shows what came back."""

    token = "tab"

    def __init__(
        self, processor: BaseStateEventProcessor, states: StateManagerMemory, errors: list[Exception]
    ) -> None:
        self._processor = processor
        self._states = states
        self.errors = errors

    async def send(self, event: Any) -> list[Any]:
        """Run one event to its end, and return the deltas it sent to the browser."""
        events = Event.from_event_type(event)
        return [delta async for delta in self._processor.enqueue_stream_delta(self.token, events[0])]

    async def state(self, kind: type[S]) -> S:
        """Return the tab's state of that class."""
        root = await self._states.get_state(rx.BaseStateToken(ident=self.token, cls=State))
        return await root.get_state(kind)


@pytest.fixture
async def tab() -> AsyncIterator[Driver]:
    """A browser tab."""
    errors: list[Exception] = []
    states = StateManagerMemory()  # type: ignore[abstract]  # it redefines those, by an overload mypy misreads
    processor = BaseStateEventProcessor(backend_exception_handler=errors.append)
    driver = Driver(processor, states, errors)
    processor.configure(state_manager=states)
    async with processor:
        yield driver


@pytest.fixture
async def seams(
    database: Database, database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[AppContext]:
    """What pages reach for, on the test servers."""
    async with page_seams(database_url, redis_url, monkeypatch) as context:
        yield context


@pytest.fixture
async def acme(seams: AppContext) -> Organization:
    """An organization, stored."""
    async with seams.database.transaction() as session:
        return await make_organization(session)


@pytest.fixture
async def world(seams: AppContext) -> CampaignWorld:
    """Acme Corp with all that a campaign needs, behind the seams that pages use."""
    return await build_world(seams.database)
