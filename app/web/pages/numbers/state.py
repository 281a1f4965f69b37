"""Our numbers: the list, the form of one of them, and the question before one is switched off."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

import reflex as rx
from reflex.event import EventSpec

from app.domain.rights import Right
from app.services.live_hub import Watched, watch
from app.services.numbers.adding import NumbersAdded, add_carrier_numbers, create_number
from app.services.numbers.operations import set_default_number, set_number_active, update_number
from app.services.numbers.ownership import ask_about_change, ask_about_new
from app.services.numbers.queries import calls_in_a_day, get_number, list_numbers
from app.web.carrier import carrier_account, owned_numbers, texts_address
from app.web.components import say, say_done
from app.web.forms import ticked, written
from app.web.guard import FormState, anyone, guarded, still_allowed
from app.web.pages.numbers.presenter import NumberLists, NumberRow, RestRow, caps_words, numbers_of
from app.web.visit import Visit
from app.web.words import counted

CAPS: Final = ("daily_cap", "burst_cap", "burst_minutes", "cool_down_minutes")


@dataclass(frozen=True, slots=True)
class NumberForm:
    """The values the form starts with; `id` 0 is a new number."""

    id: int = 0
    number: str = ""
    pretty: str = ""
    label: str = ""
    voice: bool = True
    sms: bool = True
    texts_problem: str = ""
    inactive_why: str = ""
    """Why it was switched off automatically; empty if a person did it."""
    daily_cap: str = "0"
    burst_cap: str = "0"
    burst_minutes: str = "10"
    cool_down_minutes: str = "30"
    caps: str = "No caps"
    """All caps in one line."""


class NumbersState(FormState, rx.State):
    """What the page shows."""

    rows: rx.Field[list[NumberRow]] = rx.field(default_factory=list)
    resting: rx.Field[list[RestRow]] = rx.field(default_factory=list)
    form: rx.Field[NumberForm] = rx.field(default_factory=NumberForm)
    texts_address: rx.Field[str] = rx.field("")
    """The webhook address for texts at a real carrier; empty while the carrier is simulated."""
    form_version: rx.Field[int] = rx.field(0)
    """Counts openings of the form, so that each starts with its own values."""
    is_open: rx.Field[bool] = rx.field(False)
    fetching: rx.Field[bool] = rx.field(False)
    """True while the carrier is asked for its numbers."""
    switching_off: rx.Field[NumberForm] = rx.field(default_factory=NumberForm)
    """The number of the open question; `id` 0: none is open."""

    @guarded(Right.VIEW)
    async def load(self, visit: Visit) -> AsyncIterator[None]:
        """Show the numbers."""
        self.loading, self.problem, self.rows, self.resting = True, "", [], []
        self.is_open, self.fetching, self.switching_off = False, False, NumberForm()
        yield
        self.texts_address = texts_address(visit.settings)
        await self._read(visit)
        self.loading = False

    @guarded(Right.VIEW, background=True)
    async def watch(self, visit: Visit) -> None:
        """Keep the calls of the last 24 hours and the resting numbers up to date."""
        key = Watched(visit.principal.organization_id, None, "numbers", of_campaigns=False)
        check = still_allowed(self, Right.VIEW)
        async for numbers in watch(key, lambda: _read_numbers(visit), check=check):
            async with self:
                self.rows, self.resting = numbers.rows, numbers.resting

    @guarded(Right.VIEW)
    async def open(self, visit: Visit, number_id: int) -> None:
        """Open the form of a number; 0 for a new one."""
        self.form = await _form(visit, number_id) if number_id else NumberForm()
        self.errors, self.is_open = {}, True
        self.form_version += 1

    @anyone
    def set_open(self, is_open: bool) -> None:  # noqa: FBT001 - what the drawer tells
        """Close the form."""
        self.is_open = is_open

    @guarded(Right.EDIT_NUMBERS)
    async def save(self, visit: Visit, form: dict[str, Any]) -> AsyncIterator[EventSpec | None]:
        """Store the form."""
        self.saving, self.errors = True, {}
        yield None
        number_id = self.form.id
        changes: dict[str, Any] = {
            "label": written(form, "label"),
            "voice": ticked(form, "voice"),
            "sms": ticked(form, "sms"),
            **{name: written(form, name) for name in CAPS if name in form},
        }

        if number_id:
            await _change(visit, number_id, changes)
        else:
            await _add(visit, changes | {"number": written(form, "number")})
        self.is_open = False
        await self._read(visit)
        yield say_done("Number saved" if number_id else "Number added")

    @guarded(Right.EDIT_NUMBERS)
    async def fetch(self, visit: Visit) -> AsyncIterator[EventSpec | None]:
        """Add the numbers of the carrier account."""
        self.fetching = True
        yield None
        try:
            identity, owned = await owned_numbers(visit.settings)
            added = await visit.write(
                lambda session: add_carrier_numbers(
                    session, principal=visit.principal, identity=identity, numbers=owned, now=visit.now
                )
            )
            await self._read(visit)
        finally:
            self.fetching = False
        yield _fetched(added, len(owned))

    @guarded(Right.EDIT_NUMBERS)
    async def make_default(self, visit: Visit, number_id: int) -> EventSpec:
        """Make a number the organization's caller ID; 0 for none."""
        await visit.write(
            lambda session: set_default_number(
                session, principal=visit.principal, number_ref=number_id or None, now=visit.now
            )
        )
        await self._read(visit)
        return say_done("Default caller ID set" if number_id else "Default caller ID removed")

    @guarded(Right.VIEW)
    async def ask_to_switch_off(self, visit: Visit, number_id: int) -> None:
        """Open the question; 0 closes it."""
        self.switching_off = await _form(visit, number_id) if number_id else NumberForm()

    @guarded(Right.EDIT_NUMBERS)
    async def switch(
        self,
        visit: Visit,
        number_id: int,
        active: bool,  # noqa: FBT001 - a client's argument
    ) -> EventSpec:
        """Switch a number on or off."""
        self.switching_off = NumberForm()
        await visit.write(
            lambda session: set_number_active(
                session, principal=visit.principal, number_ref=number_id, active=active, now=visit.now
            )
        )
        await self._read(visit)
        return say_done("Number activated" if active else "Number deactivated")

    async def _read(self, visit: Visit) -> None:
        numbers = await _read_numbers(visit)
        self.rows, self.resting = numbers.rows, numbers.resting


async def _read_numbers(visit: Visit) -> NumberLists:
    now = visit.now
    async with visit.reading() as session:
        views = await list_numbers(session, principal=visit.principal)
        calls = await calls_in_a_day(session, principal=visit.principal, now=now)
    return numbers_of(views, calls, zone=visit.principal.time_zone, now=now)


async def _add(visit: Visit, changes: dict[str, Any]) -> None:
    """Store a new number. The carrier is asked first, which may take seconds."""
    said = await ask_about_new(
        visit.context.database,
        principal=visit.principal,
        given=changes["number"],
        account=carrier_account(visit.settings),
    )
    await visit.write(
        lambda session: create_number(
            session, principal=visit.principal, changes=changes, said=said, now=visit.now
        )
    )


async def _change(visit: Visit, number_id: int, changes: dict[str, Any]) -> None:
    """Store changes of a number. The carrier is asked first, if a change needs it."""
    said = await ask_about_change(
        visit.context.database,
        principal=visit.principal,
        number_ref=number_id,
        changes=changes,
        account=lambda: carrier_account(visit.settings),
    )
    await visit.write(
        lambda session: update_number(
            session,
            principal=visit.principal,
            number_ref=number_id,
            changes=changes,
            said=said,
            now=visit.now,
        )
    )


def _fetched(added: NumbersAdded, found: int) -> EventSpec:
    """Say how many of the carrier account's numbers were added; it has `found` of them."""
    known = found - added.new - added.elsewhere
    parts = [
        f"{counted(added.new, 'number', 'numbers')} added" if added.new else "No new numbers",
        f"{counted(known, 'was', 'were')} here already" if known else "",
        f"{counted(added.elsewhere, 'belongs', 'belong')} to another organization" if added.elsewhere else "",
    ]
    sentence = ", ".join(part for part in parts if part)
    return say_done(sentence) if added.new else say(sentence)


async def _form(visit: Visit, number_id: int) -> NumberForm:
    async with visit.reading() as session:
        view = await get_number(session, principal=visit.principal, number_ref=number_id)
    return NumberForm(
        id=view.id,
        number=view.number,
        pretty=view.pretty,
        label=view.label,
        voice=view.voice,
        sms=view.sms,
        texts_problem=view.inbound_problem,
        inactive_why=view.inactive_why,
        caps=caps_words(view),
        **{name: str(getattr(view, name)) for name in CAPS},
    )
