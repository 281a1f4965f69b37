"""The step of who is contacted: the draft, the file that was left half-way, and the question on the way on."""

from collections.abc import AsyncIterator

import reflex as rx
from reflex.event import EventSpec

from app.domain.rights import Right
from app.services.errors import FieldErrors
from app.web.guard import PageState, anyone, guarded
from app.web.imports.state import STARTABLE, ImportState
from app.web.pages.wizard.state import WizardState, draft_id
from app.web.pages.wizard.steps import ADDRESSES, WizardStep
from app.web.visit import Visit


class ContactsStepState(PageState, rx.State):
    """Whether the step is open, and what is asked before it is left."""

    asking: rx.Field[bool] = rx.field(False)
    """Whether to go on although the file is not imported."""

    @guarded(Right.EDIT_CONTACTS)
    async def load(self, visit: Visit) -> AsyncIterator[None]:
        """Open the draft, and take up the file that was left half-way, if there is one."""
        self.loading, self.problem, self.asking = True, "", False
        imports = await self.get_state(ImportState)
        imports._reset()  # noqa: SLF001 - ours
        yield
        await (await self.get_state(WizardState))._look(visit, draft_id(self))  # noqa: SLF001 - ours
        found = await imports._find(visit)  # noqa: SLF001 - ours
        self.loading = False
        async for _ in imports._resume(visit, found):  # noqa: SLF001 - ours
            yield

    @anyone
    async def ask(self, is_open: bool) -> None:  # noqa: FBT001 - what the dialog tells
        """Ask whether to go on with a file that is not imported, or put the question away."""
        self.asking = is_open and (await self.get_state(ImportState)).stage == "uploaded"

    @guarded(Right.EDIT_CONTACTS)
    async def import_and_go_on(self, visit: Visit) -> AsyncIterator[EventSpec | None]:
        """Queue the import, and go to the next step."""
        imports, campaign_id = await self.get_state(ImportState), draft_id(self)
        if imports.stage not in STARTABLE:
            return
        self.saving, imports.errors = True, {}
        yield None
        self.asking = False
        try:
            await imports._queue(visit)  # noqa: SLF001 - ours
        except FieldErrors as refused:
            imports.errors = dict(refused.errors)
            return
        yield rx.redirect(ADDRESSES[WizardStep.PACE](visit.principal.organization_slug, campaign_id))
