"""Adding people to a draft, paused or failed campaign: by hand, or ticked one by one in the address book."""

from typing import Any

import reflex as rx
from reflex.event import EventSpec

from app.domain.rights import Right
from app.services.campaigns.adding import add_contacts, add_manual
from app.services.campaigns.views import AddResult
from app.services.contacts.index_scans import Sort
from app.services.contacts.offset_pages import contacts_by_number
from app.services.errors import Conflict
from app.web.campaign_here import campaign_here
from app.web.components import say_done
from app.web.guard import FormState, anyone, guarded
from app.web.pages.campaign.contacts.presenter import Known
from app.web.pages.campaign.contacts.state import CampaignContactsState
from app.web.visit import Visit
from app.web.words import counted

_SHOWN = 20


class AddContactsState(FormState, rx.State):
    """Which of the two dialogs is open, and the people to choose from."""

    adding: rx.Field[str] = rx.field("")
    """"hand" or "book"."""
    search: rx.Field[str] = rx.field("")
    known: rx.Field[list[Known]] = rx.field(default_factory=list)
    chosen: rx.Field[list[int]] = rx.field(default_factory=list)
    known_note: rx.Field[str] = rx.field("")

    @anyone
    def by_hand(self) -> None:
        """Open the form for one person."""
        self.adding, self.errors = "hand", {}

    @guarded(Right.VIEW)
    async def from_book(self, visit: Visit) -> None:
        """Open the address book."""
        self.adding, self.chosen = "book", []
        await self._look_up(visit, "")

    @anyone
    def close(self, is_open: bool) -> None:  # noqa: FBT001 - what the dialog tells
        """Close the dialogs."""
        if not is_open:
            self.adding = ""

    @guarded(Right.EDIT_CAMPAIGNS)
    async def add(self, visit: Visit, form: dict[str, Any]) -> EventSpec:
        """Add one person by number."""
        self.saving, self.errors = True, {}
        lines = str(form.get("variables", "")).splitlines()
        pairs = (line.partition("=") for line in lines if line.strip())
        # A line without "=" names a variable without a value.
        variables = {variable.strip(): value.strip() for variable, _, value in pairs}
        result = await visit.write(
            lambda session: add_manual(
                session,
                principal=visit.principal,
                campaign_ref=campaign_here(self),
                number=str(form.get("phone_number", "")),
                name=str(form.get("name", "")),
                variables=variables,
                now=visit.now,
            )
        )
        return await self._added(visit, result)

    @guarded(Right.VIEW, supersedes=True)
    async def find(self, visit: Visit, search: str) -> None:
        """Search the address book."""
        await self._look_up(visit, search[:200])

    @anyone
    def choose(self, contact_id: int) -> None:
        """Tick or untick a contact of the address book."""
        others = [one for one in self.chosen if one != contact_id]
        self.chosen = others if contact_id in self.chosen else [*others, contact_id]

    @guarded(Right.EDIT_CAMPAIGNS)
    async def add_chosen(self, visit: Visit) -> EventSpec:
        """Add the ticked contacts."""
        if not self.chosen:
            raise Conflict("Tick at least one contact.")
        self.saving = True
        result = await visit.write(
            lambda session: add_contacts(
                session,
                principal=visit.principal,
                campaign_ref=campaign_here(self),
                contact_ids=self.chosen,
                now=visit.now,
            )
        )
        return await self._added(visit, result)

    async def _look_up(self, visit: Visit, search: str) -> None:
        self.search = search
        async with visit.reading() as session:
            found = await contacts_by_number(
                session,
                principal=visit.principal,
                search=search,
                page_size=_SHOWN,
                sort=Sort.NAME,
                descending=False,
            )
        self.known = [Known(row.id, row.name or "No name", row.pretty, row.suppressed) for row in found.items]
        more = found.total - len(found.items)
        self.known_note = f"{more:,} more. Search to find them." if more > 0 else ""

    async def _added(self, visit: Visit, result: AddResult) -> EventSpec:
        self.adding, self.chosen = "", []
        contacts = await self.get_state(CampaignContactsState)
        await contacts._refresh(visit)  # noqa: SLF001 - a public method would be anybody's to call
        return say_done(_result_sentence(result))


def _result_sentence(result: AddResult) -> str:
    parts = [f"{counted(result.added, 'contact', 'contacts')} added."]
    if result.duplicates:
        parts.append(f"{result.duplicates:,} already in the campaign.")
    if result.suppressed:
        parts.append(f"{result.suppressed:,} on the do-not-contact list will be skipped.")
    return " ".join([*parts, *result.warnings])
