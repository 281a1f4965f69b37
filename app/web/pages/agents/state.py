"""The agents: the list, the form of one of them, and the question before one is switched off."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

import reflex as rx
from reflex.event import EventSpec
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.phone import pretty
from app.domain.rights import Right
from app.services.agents.operations import create_agent, set_agent_active, update_agent
from app.services.agents.queries import AgentView, get_agent, list_agents
from app.services.live_hub import Watched, watch
from app.services.numbers.queries import list_numbers
from app.web.components import say_done
from app.web.forms import chosen_id, written
from app.web.guard import FormState, anyone, guarded, still_allowed
from app.web.options import Option
from app.web.pages.agents.voices_presenter import (
    DEFAULT_LANGUAGE,
    DEFAULT_VOICE,
    language_of,
    language_words,
    voice_words,
)
from app.web.visit import Visit

_TEXTS: Final = ("name", "description", "voice", "language", "greeting", "prompt", "max_concurrent_calls")


@dataclass(frozen=True, slots=True)
class AgentRow:
    """An agent in the list."""

    id: int
    name: str
    description: str
    voice: str
    language: str
    limit: str
    number: str
    live_calls: int
    campaigns: int
    active: bool


@dataclass(frozen=True, slots=True)
class AgentForm:
    """The values the form starts with; `id` 0 is a new agent."""

    id: int = 0
    name: str = ""
    description: str = ""
    voice: str = DEFAULT_VOICE
    language: str = DEFAULT_LANGUAGE
    greeting: str = "Hi {{name}}, this is {{assistant_name}} calling from {{company}}."
    prompt: str = ""
    max_concurrent_calls: int = 0
    number_id: str = ""
    unlisted_voice: str = ""
    """The agent's voice, if it is not one of the listed voices."""
    unlisted_language: str = ""


class AgentsState(FormState, rx.State):
    """What the page shows."""

    rows: rx.Field[list[AgentRow]] = rx.field(default_factory=list)
    numbers: rx.Field[list[Option]] = rx.field(default_factory=list)
    form: rx.Field[AgentForm] = rx.field(default_factory=AgentForm)
    form_version: rx.Field[int] = rx.field(0)
    """Counts openings of the form, so that each starts with its own values."""
    language: rx.Field[str] = rx.field(DEFAULT_LANGUAGE)
    """The value the language box starts with: it follows the voice."""
    is_open: rx.Field[bool] = rx.field(False)
    switching_off: rx.Field[int] = rx.field(0)
    """The agent of the open question; 0: none."""
    switching_off_name: rx.Field[str] = rx.field("")

    @guarded(Right.VIEW)
    async def load(self, visit: Visit) -> AsyncIterator[None]:
        """Show the agents."""
        self.loading, self.problem, self.rows = True, "", []
        self.is_open, self.switching_off = False, 0
        yield
        self.rows = await _rows(visit)
        self.loading = False

    @guarded(Right.VIEW, background=True)
    async def watch(self, visit: Visit) -> None:
        """Keep the live calls and the changes of others up to date."""
        key = Watched(visit.principal.organization_id, None, "agents")
        async for rows in watch(key, lambda: _rows(visit), check=still_allowed(self, Right.VIEW)):
            async with self:
                self.rows = rows

    @guarded(Right.VIEW)
    async def open(self, visit: Visit, agent_id: int) -> None:
        """Open the form of an agent; 0 for a new one."""
        async with visit.reading() as session:
            numbers = await list_numbers(session, principal=visit.principal, active_only=True)
            view = (
                await get_agent(session, principal=visit.principal, agent_ref=agent_id) if agent_id else None
            )
        self.numbers = [Option(str(one.id), f"{one.pretty}  {one.label}".strip()) for one in numbers]
        self.form = _form(view) if view else AgentForm()
        self.language, self.errors, self.is_open = self.form.language, {}, True
        self.form_version += 1

    @anyone
    def set_open(self, is_open: bool) -> None:  # noqa: FBT001 - what the drawer tells
        """Close the form."""
        self.is_open = is_open

    @anyone
    def choose_voice(self, voice: str) -> None:
        """Set the language to that of the voice."""
        self.language = language_of(voice) or self.language

    @guarded(Right.EDIT_AGENTS)
    async def save(self, visit: Visit, form: dict[str, Any]) -> AsyncIterator[EventSpec | None]:
        """Store the form."""
        self.saving, self.errors = True, {}
        yield None
        agent_id = self.form.id
        changes: dict[str, Any] = {name: written(form, name) for name in _TEXTS}
        changes["default_phone_number_id"] = chosen_id(form, "default_phone_number_id")

        async def stored(session: AsyncSession) -> None:
            now = visit.now
            if agent_id:
                await update_agent(
                    session, principal=visit.principal, agent_ref=agent_id, changes=changes, now=now
                )
            else:
                await create_agent(session, principal=visit.principal, changes=changes, now=now)

        await visit.write(stored)
        self.rows, self.is_open = await _rows(visit), False
        yield say_done("Agent saved" if agent_id else "Agent created")

    @anyone
    def ask_to_switch_off(self, agent_id: int) -> None:
        """Open the question; 0 closes it."""
        self.switching_off = agent_id
        names = [row.name for row in self.rows if row.id == agent_id]
        self.switching_off_name = names[0] if names else self.switching_off_name

    @guarded(Right.EDIT_AGENTS)
    async def switch(
        self,
        visit: Visit,
        agent_id: int,
        active: bool,  # noqa: FBT001 - a client's argument
    ) -> EventSpec:
        """Switch an agent on or off."""
        self.switching_off = 0
        await visit.write(
            lambda session: set_agent_active(
                session, principal=visit.principal, agent_ref=agent_id, active=active, now=visit.now
            )
        )
        self.rows = await _rows(visit)
        return say_done("Agent activated" if active else "Agent deactivated")


async def _rows(visit: Visit) -> list[AgentRow]:
    async with visit.reading() as session:
        return [_row(view) for view in await list_agents(session, principal=visit.principal)]


def _row(view: AgentView) -> AgentRow:
    return AgentRow(
        id=view.id,
        name=view.name,
        description=view.description,
        voice=voice_words(view.voice),
        language=language_words(view.language),
        limit=f"{view.max_concurrent_calls} at once" if view.max_concurrent_calls else "No limit",
        number=pretty(view.default_phone_number) if view.default_phone_number else "",
        live_calls=view.live_calls,
        campaigns=view.campaigns_count,
        active=view.active,
    )


def _form(view: AgentView) -> AgentForm:
    return AgentForm(
        id=view.id,
        name=view.name,
        description=view.description,
        voice=view.voice,
        language=view.language,
        greeting=view.greeting,
        prompt=view.prompt,
        max_concurrent_calls=view.max_concurrent_calls,
        number_id=str(view.default_phone_number_id or ""),
        unlisted_voice="" if language_of(view.voice) else view.voice,
        unlisted_language="" if language_words(view.language) != view.language else view.language,
    )
