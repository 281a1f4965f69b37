"""People one by one: typed in, or chosen from the address book."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

import reflex as rx
from reflex.event import EventSpec
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.rights import Right
from app.services.access.principal import Principal
from app.services.campaigns.adding import add_contacts, add_manual
from app.services.campaigns.membership import members_among
from app.services.campaigns.views import AddResult
from app.services.contacts.index_scans import Sort
from app.services.contacts.offset_pages import contacts_by_number
from app.services.contacts.queries import ContactRow
from app.services.errors import FieldErrors
from app.services.paging import MAX_PAGE_SIZE
from app.web.components import say, say_done
from app.web.guard import FormState, guarded
from app.web.pages.wizard.state import WizardState, draft_id
from app.web.visit import Visit

SHOWN: Final = 10
MOST_AT_ONCE: Final = 10_000
"""Contacts added by one press of "add all": more people go in by a file."""


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person of the address book."""

    id: int
    name: str
    number: str
    note: str
    suppressed: bool
    inside: bool
    """In this campaign already."""


class PeopleState(FormState, rx.State):
    """What is typed, searched for and ticked."""

    round: rx.Field[int] = rx.field(0)
    """Grows with each person added by hand, so that the boxes are empty for the next."""
    search: rx.Field[str] = rx.field("")
    rows: rx.Field[list[PersonRow]] = rx.field(default_factory=list)
    total: rx.Field[int] = rx.field(0)
    page: rx.Field[int] = rx.field(1)
    pages: rx.Field[int] = rx.field(1)
    text: rx.Field[str] = rx.field("")
    ticked: rx.Field[list[int]] = rx.field(default_factory=list)

    @guarded(Right.EDIT_CAMPAIGNS)
    async def load(self, visit: Visit) -> None:
        """Show the address book from its start."""
        self.errors, self.search, self.ticked = {}, "", []
        await self._read(visit, 1)

    @guarded(Right.VIEW, supersedes=True)
    async def find(self, visit: Visit, search: str) -> None:
        """Show who matches."""
        self.search = search
        await self._read(visit, 1)

    @guarded(Right.VIEW, supersedes=True)
    async def turn(self, visit: Visit, by: int) -> None:
        """Show the page after or before."""
        await self._read(visit, self.page + (1 if by > 0 else -1))

    @guarded(Right.VIEW)
    async def tick(self, visit: Visit, contact_id: int, is_ticked: bool) -> None:  # noqa: FBT001 - the box's
        """Note who is to be added."""
        del visit
        others = [ticked for ticked in self.ticked if ticked != contact_id][:MOST_AT_ONCE]
        self.ticked = [*others, contact_id] if is_ticked else others

    @guarded(Right.EDIT_CAMPAIGNS)
    async def add_ticked(self, visit: Visit) -> AsyncIterator[EventSpec | None]:
        """Add who is ticked."""
        self.saving = True
        yield None
        result = await visit.write(lambda session: _add(session, visit, draft_id(self), list(self.ticked)))
        self.ticked = []
        yield await self._added(visit, result)

    @guarded(Right.EDIT_CAMPAIGNS)
    async def add_matching(self, visit: Visit) -> AsyncIterator[EventSpec | None]:
        """Add everybody the search finds."""
        self.saving = True
        yield None

        async def add(session: AsyncSession) -> AddResult:
            ids = await _matching(session, visit.principal, self.search)
            return await _add(session, visit, draft_id(self), ids)

        yield await self._added(visit, await visit.write(add))

    @guarded(Right.EDIT_CAMPAIGNS)
    async def add_by_hand(self, visit: Visit, form: dict[str, Any]) -> AsyncIterator[EventSpec | None]:
        """Add one person by number and name."""
        self.saving, self.errors = True, {}
        yield None
        result = await visit.write(
            lambda session: add_manual(
                session,
                principal=visit.principal,
                campaign_ref=draft_id(self),
                number=str(form.get("phone_number", "")),
                name=str(form.get("person_name", "")),
                variables={},
                now=visit.now,
            )
        )
        self.round += 1
        yield await self._added(visit, result)
        yield rx.call_script("setTimeout(() => document.getElementById('phone_number')?.focus(), 120)")

    async def _added(self, visit: Visit, result: AddResult) -> EventSpec:
        await (await self.get_state(WizardState))._look(visit, draft_id(self))  # noqa: SLF001 - ours
        await self._read(visit, self.page)
        words = _outcome(result)
        return say_done(words) if result.added else say(words)

    async def _read(self, visit: Visit, page: int) -> None:
        async with visit.reading() as session:
            found = await contacts_by_number(
                session,
                principal=visit.principal,
                search=self.search,
                page=max(1, page),
                page_size=SHOWN,
                sort=Sort.NAME,
                descending=False,
            )
            inside = await members_among(
                session,
                principal=visit.principal,
                campaign_ref=draft_id(self),
                contact_ids=[row.id for row in found.items],
            )
        self.rows = [_row(row, is_inside=row.id in inside) for row in found.items]
        self.total, self.page, self.pages = found.total, found.page, found.pages
        first = (found.page - 1) * SHOWN + 1
        self.text = f"{first:,} to {first + len(self.rows) - 1:,} of {found.total:,}" if self.rows else ""


async def _matching(session: AsyncSession, principal: Principal, search: str) -> list[int]:
    """Return who matches, in the order they came into the address book."""
    ids: list[int] = []
    for page in range(1, MOST_AT_ONCE // MAX_PAGE_SIZE + 2):
        found = await contacts_by_number(
            session,
            principal=principal,
            search=search,
            page=page,
            page_size=MAX_PAGE_SIZE,
            sort=Sort.CREATED,
            descending=False,
        )
        if found.total > MOST_AT_ONCE:
            raise FieldErrors(
                {"search": f"{found.total:,} people match: at most {MOST_AT_ONCE:,} are added at once."}
            )
        ids += [row.id for row in found.items]
        if page >= found.pages:
            break
    return ids


async def _add(session: AsyncSession, visit: Visit, campaign_id: int, ids: list[int]) -> AddResult:
    now = visit.now
    return await add_contacts(
        session, principal=visit.principal, campaign_ref=campaign_id, contact_ids=ids, now=now
    )


def _row(row: ContactRow, *, is_inside: bool) -> PersonRow:
    return PersonRow(
        id=row.id,
        name=row.name or row.pretty,
        number=row.pretty,
        note=row.company or row.email,
        suppressed=row.suppressed,
        inside=is_inside,
    )


def _outcome(result: AddResult) -> str:
    """Return what became of those who were to be added, in one sentence each."""
    parts = [f"{result.added:,} added."]
    if result.duplicates:
        parts.append(f"{result.duplicates:,} in the campaign already.")
    if result.suppressed:
        parts.append(f"{result.suppressed:,} must not be contacted: listed as skipped.")
    return " ".join([*parts, *result.warnings])
