"""Tags, suppresses or deletes the ticked people or all that match, each after a question."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import reflex as rx
from reflex.event import EventSpec

from app.domain.bulk_change import BulkAction, BulkStatus
from app.domain.contact_filter import Condition, ContactFilter, Op
from app.domain.rights import Right
from app.domain.suppression import SuppressionScope
from app.runtime.jobs import ADVANCE_BULK_CHANGE
from app.services.contacts.bulk import BulkView, begin_bulk_change
from app.services.contacts.queries import NO_END, count_contacts
from app.services.errors import Conflict
from app.web.components import say, say_done
from app.web.forms import written
from app.web.guard import FormState, anyone, guarded
from app.web.pages.contacts.state import ContactsState
from app.web.row_selection import Ticking
from app.web.visit import Visit
from app.web.words import counted

_ACTIONS: Final = frozenset({BulkAction.TAG, BulkAction.UNTAG, BulkAction.SUPPRESS, BulkAction.DELETE})
_DONE: Final[Mapping[BulkAction, str]] = {
    BulkAction.TAG: "tagged",
    BulkAction.UNTAG: "untagged",
    BulkAction.SUPPRESS: "suppressed",
    BulkAction.DELETE: "deleted",
}


class ContactBulkState(Ticking, FormState, rx.State):
    """Who is ticked, and what is asked about them: "tag", "untag", "suppress" or "delete"."""

    meant: rx.Field[int] = rx.field(0)
    """How many people match, counted when the question was asked. Not used if people are ticked one by one."""

    @guarded(Right.EDIT_CONTACTS)
    async def ask(self, visit: Visit, action: str) -> None:
        """Ask before something is done, and say to how many people."""
        if self.all_matching:
            contacts = await self.get_state(ContactsState)
            wanted = contacts._wanted(visit.principal)  # noqa: SLF001 - ours
            async with visit.reading() as session:
                counted_people = await count_contacts(
                    session, principal=visit.principal, wanted=wanted, most=NO_END, now=visit.now
                )
            self.meant = counted_people.count
        self.asking, self.errors = (action if action in _ACTIONS else ""), {}

    @anyone
    def close(self, is_open: bool) -> None:  # noqa: FBT001 - what the dialog tells
        """Put the question away."""
        if not is_open:
            self.asking, self.errors = "", {}

    @guarded(Right.EDIT_CONTACTS)
    async def confirm(self, visit: Visit) -> AsyncIterator[EventSpec | None]:
        """Do what was asked about, if it needs no form."""
        self.saving, self.errors = True, {}
        yield None
        yield await self._do(visit, {})

    @guarded(Right.EDIT_CONTACTS)
    async def submit(self, visit: Visit, form: dict[str, Any]) -> AsyncIterator[EventSpec | None]:
        """Do what was asked about, as the form says."""
        self.saving, self.errors = True, {}
        yield None
        tags = [tag.strip() for tag in written(form, "bulk_tags").split(",") if tag.strip()]
        closing = {
            "scope": written(form, "bulk_scope") or SuppressionScope.ALL.value,
            "reason": written(form, "bulk_reason"),
        }
        yield await self._do(visit, closing if self.asking == BulkAction.SUPPRESS else {"tags": tags})

    async def _on_page(self) -> list[int]:
        return [one.id for one in (await self.get_state(ContactsState)).rows]

    async def _do(self, visit: Visit, arguments: Mapping[str, Any]) -> EventSpec:
        if self.asking not in _ACTIONS:
            raise Conflict("Choose what to do.")
        if not self.ids and not self.all_matching:
            raise Conflict("Tick at least one contact.")
        contacts = await self.get_state(ContactsState)
        ticked = ContactFilter((Condition("id", Op.ANY_OF, tuple(self.ids)),))
        wanted = contacts._wanted(visit.principal) if self.all_matching else ticked  # noqa: SLF001 - ours
        view = await visit.write(
            lambda session: begin_bulk_change(
                session,
                principal=visit.principal,
                action=BulkAction(self.asking),
                arguments=arguments,
                wanted=wanted,
                everyone=self.all_matching,
                expected=self.meant if self.all_matching and self.asking == BulkAction.DELETE else None,
                now=visit.now,
            )
        )
        if view.status is BulkStatus.RUNNING:
            await visit.hint(ADVANCE_BULK_CHANGE, view.id)
        self.ids, self.all_matching, self.asking = [], False, ""
        await contacts._read(visit, first=True)  # noqa: SLF001 - ours
        return say_done(_sentence(view)) if view.changed else say(_sentence(view))


def _sentence(view: BulkView) -> str:
    """Return what was done: "12 contacts tagged. 3 left as they were: …"."""
    parts = [f"{counted(view.changed, 'contact', 'contacts')} {_DONE[view.action]}."]
    same = view.matched - view.changed - view.refused
    if same:
        parts.append(f"{same:,} were so already.")
    if view.refused:
        parts.append(f"{view.refused:,} left as they were: {view.refusals[0].reason}")
    if view.status is BulkStatus.RUNNING:
        parts.append("The others follow in the background.")
    return " ".join(parts)
