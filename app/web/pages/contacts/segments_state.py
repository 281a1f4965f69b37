"""Saved segments: named filters with their live count, and saving the current filter as one."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import reflex as rx
from reflex.event import EventSpec
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.contact_filter import as_json
from app.domain.rights import Right
from app.services.access.principal import Principal
from app.services.errors import Conflict
from app.services.segments.operations import LEAVES_NOBODY_OUT, create_segment, delete_segment, update_segment
from app.services.segments.queries import SegmentView, get_segment, list_segments
from app.web.components import say_done
from app.web.forms import written
from app.web.guard import FormState, anyone, guarded
from app.web.pages.contacts.filter_presenter import filter_words
from app.web.pages.contacts.names_presenter import Names, names_in
from app.web.pages.contacts.state import ContactsState
from app.web.visit import Visit

_MOST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class SegmentLine:
    """A segment in the sheet."""

    id: int
    name: str
    count: str
    rule: str
    """Its conditions in words."""
    campaigns: str
    """The campaigns that keep adding its people; empty if there are none."""


class SegmentsState(FormState, rx.State):
    """The sheet of segments, and the questions about one."""

    is_open: rx.Field[bool] = rx.field(False)
    lines: rx.Field[list[SegmentLine]] = rx.field(default_factory=list)
    asking: rx.Field[str] = rx.field("")
    """"save", "rename" or "delete"."""
    about: rx.Field[int] = rx.field(0)
    name: rx.Field[str] = rx.field("")
    version: rx.Field[int] = rx.field(0)

    @guarded(Right.VIEW)
    async def open(self, visit: Visit) -> None:
        """Show the segments, each with its current count."""
        await self._list(visit)
        self.is_open = True

    @anyone
    def set_open(self, is_open: bool) -> None:  # noqa: FBT001 - what the sheet tells
        """Put the sheet away."""
        self.is_open = is_open

    @anyone
    def ask_to_save(self) -> None:
        """Ask for the name of the new segment."""
        self.asking, self.about, self.name, self.errors = "save", 0, "", {}
        self.version += 1

    @guarded(Right.VIEW)
    async def ask(self, visit: Visit, asking: str, segment_id: int) -> None:
        """Ask for a new name, or before a segment is deleted."""
        async with visit.reading() as session:
            view = await get_segment(
                session, principal=visit.principal, segment_ref=segment_id, now=visit.now
            )
        self.asking, self.about, self.name, self.errors = asking, view.id, view.name, {}
        self.version += 1

    @anyone
    def close(self, is_open: bool) -> None:  # noqa: FBT001 - what the dialog tells
        """Put the question away."""
        if not is_open:
            self.asking, self.errors = "", {}

    @guarded(Right.VIEW)
    async def use(self, visit: Visit, segment_id: int) -> EventSpec:
        """Show who is in a segment."""
        self.is_open = False
        contacts = await self.get_state(ContactsState)
        return await contacts._show(visit, segment_id)  # noqa: SLF001 - ours

    @guarded(Right.EDIT_CONTACTS)
    async def save(self, visit: Visit, form: dict[str, Any]) -> AsyncIterator[EventSpec | None]:
        """Save the current filter as a segment, or rename a segment."""
        self.saving, self.errors = True, {}
        yield None
        contacts = await self.get_state(ContactsState)
        name = written(form, "segment_name")

        async def stored(session: AsyncSession) -> int:
            now = visit.now
            if self.asking == "rename":
                await update_segment(
                    session,
                    principal=visit.principal,
                    segment_ref=self.about,
                    changes={"name": name},
                    now=now,
                )
                return self.about
            changes = {"name": name, "filter": _rule(contacts, visit.principal)}
            return await create_segment(session, principal=visit.principal, changes=changes, now=now)

        segment_id = await visit.write(stored)
        if self.asking == "save":
            contacts._is_now(segment_id, name)  # noqa: SLF001 - ours
        elif contacts.segment_id == segment_id:
            contacts.segment = name
        self.asking = ""
        await self._list(visit)
        yield contacts._put_in_address(visit)  # noqa: SLF001 - ours
        yield say_done("Segment saved")

    @guarded(Right.EDIT_CONTACTS)
    async def save_changes(self, visit: Visit) -> list[EventSpec]:
        """Save the current filter in the shown segment."""
        self.saving = True
        contacts = await self.get_state(ContactsState)
        await visit.write(
            lambda session: update_segment(
                session,
                principal=visit.principal,
                segment_ref=contacts.segment_id,
                changes={"filter": _rule(contacts, visit.principal)},
                now=visit.now,
            )
        )
        contacts._is_now(contacts.segment_id, contacts.segment)  # noqa: SLF001 - ours
        return [contacts._put_in_address(visit), say_done("Segment saved")]  # noqa: SLF001 - ours

    @guarded(Right.EDIT_CONTACTS)
    async def delete(self, visit: Visit) -> list[EventSpec]:
        """Delete a segment; its people stay."""
        self.saving = True
        await visit.write(
            lambda session: delete_segment(session, principal=visit.principal, segment_ref=self.about)
        )
        contacts = await self.get_state(ContactsState)
        if contacts.segment_id == self.about:
            contacts._forget_segment()  # noqa: SLF001 - ours
        self.asking = ""
        await self._list(visit)
        done = say_done("Segment deleted. Its people stay in the address book")
        return [contacts._put_in_address(visit), done]  # noqa: SLF001 - ours

    async def _list(self, visit: Visit) -> None:
        async with visit.reading() as session:
            found = await list_segments(
                session, principal=visit.principal, page_size=_MOST_SHOWN, now=visit.now
            )
            wanted = [view.wanted for view in found.items]
            names = await names_in(session, wanted, principal=visit.principal)
        self.lines = [_line(view, names) for view in found.items]


def _line(view: SegmentView, names: Names) -> SegmentLine:
    adding = ", ".join(f"“{name}”" for name in view.campaigns)
    return SegmentLine(
        id=view.id,
        name=view.name,
        count=f"{view.count} now",
        rule=filter_words(view.wanted, names),
        campaigns=f"Keeps adding its people: {adding}" if adding else "",
    )


def _rule(contacts: ContactsState, principal: Principal) -> dict[str, Any]:
    """Return the current filter for saving. Its errors are shown at once: no box of the dialog could show them."""
    wanted = contacts._wanted(principal)  # noqa: SLF001 - ours
    if not wanted:
        raise Conflict(LEAVES_NOBODY_OUT)
    return as_json(wanted)
