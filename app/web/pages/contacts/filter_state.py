"""Adding a condition to the filter: its field, operator and value."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import reflex as rx
from reflex.event import EventSpec

from app.domain.contact_filter import Condition
from app.domain.rights import Right
from app.services.contacts.filter_sql import filter_from
from app.services.errors import FieldErrors
from app.web.forms import written
from app.web.guard import FormState, anyone, guarded
from app.web.options import Option
from app.web.pages.contacts.filter_presenter import (
    CHOSEN,
    FIELD_WORDS,
    OWN_FIELD,
    choices_for,
    condition_from,
    input_for,
    ops_for,
)
from app.web.pages.contacts.names_presenter import offered
from app.web.pages.contacts.state import ContactsState
from app.web.visit import Visit

_FIRST: Final = "tags"
_CONDITION: Final = "filter.conditions.0"


class ConditionForm(FormState, mixin=True):
    """The dialog of one condition. A subclass says in `_take` what is done with it."""

    is_open: rx.Field[bool] = rx.field(False)
    field: rx.Field[str] = rx.field(_FIRST)
    op: rx.Field[str] = rx.field("")
    ops: rx.Field[list[Option]] = rx.field(default_factory=list)
    choices: rx.Field[list[Option]] = rx.field(default_factory=list)
    entered_as: rx.Field[str] = rx.field("text")
    version: rx.Field[int] = rx.field(0)
    _offered: rx.Field[dict[str, list[Option]]] = rx.field(default_factory=dict)
    """Field -> the campaigns or imports to choose from."""

    @guarded(Right.VIEW)
    async def open(self, visit: Visit) -> None:
        """Open the dialog."""
        async with visit.reading() as session:
            self._offered = await offered(session, principal=visit.principal, now=visit.now)
        self.is_open, self.errors = True, {}
        self._about(_FIRST)

    @anyone
    def set_open(self, is_open: bool) -> None:  # noqa: FBT001 - what the dialog tells
        """Put the dialog away."""
        self.is_open, self.errors = is_open, {}

    @anyone
    def choose_field(self, field: str) -> None:
        """Choose the field."""
        self._about(field if field in FIELD_WORDS else _FIRST)

    @anyone
    def choose_op(self, op: str) -> None:
        """Choose the operator."""
        self.op = op
        self.entered_as, self.errors = input_for(self.field, op), {}

    @guarded(Right.VIEW)
    async def add(self, visit: Visit, form: dict[str, Any]) -> EventSpec | None:
        """Add the condition and show who matches."""
        self.errors = {}
        if self.entered_as in {"campaign", "status", "import"} and not written(form, "value"):
            raise FieldErrors({"value": "Choose one; if there is none, there is nothing to filter by yet."})
        said = {"conditions": [condition_from(form, self.field, self.op)]}
        try:
            read = filter_from(said, zone=visit.principal.time_zone)
        except FieldErrors as invalid:
            raise FieldErrors(_at_boxes(invalid.errors, self.field)) from invalid
        taken = await self._take(visit, read.conditions)
        self.is_open = False
        return taken

    async def _take(self, visit: Visit, conditions: Sequence[Condition]) -> EventSpec | None:
        """Add these conditions."""
        raise NotImplementedError

    def _about(self, field: str) -> None:
        self.field, self.ops = field, ops_for(field)
        self.choices = self._offered.get(field, []) if field in CHOSEN else choices_for(field)
        self.op = self.ops[0].value
        self.entered_as, self.errors = input_for(field, self.op), {}
        self.version += 1


def _at_boxes(errors: Mapping[str, str], field: str) -> dict[str, str]:
    """Return the errors of the condition by the names of the boxes that hold the wrong value."""
    if field == OWN_FIELD and f"{_CONDITION}.field" in errors:
        return {"own_name": "Enter the name of a field of your own."}
    found = [text for path, text in errors.items() if path.startswith(_CONDITION)]
    return {"value": (found or list(errors.values()))[0]}


class FilterFormState(ConditionForm, rx.State):
    """The dialog of a condition of the list."""

    async def _take(self, visit: Visit, conditions: Sequence[Condition]) -> EventSpec:
        contacts = await self.get_state(ContactsState)
        return await contacts._add(visit, conditions)  # noqa: SLF001 - a public method would be anybody's to call
