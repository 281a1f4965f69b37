"""Begins and ends the rest of a number: the two questions, and what they do."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import reflex as rx
from reflex.event import EventSpec

from app.domain.rights import Right
from app.services.errors import FieldErrors
from app.services.numbers.queries import get_number
from app.services.numbers.resting import rest_number, resume_number
from app.web.components import say_done
from app.web.forms import written
from app.web.guard import FormState, anyone, guarded
from app.web.pages.numbers.presenter import RestRow, rest_row
from app.web.pages.numbers.state import NumbersState
from app.web.visit import Visit

OPEN_END: Final = "open"
SPANS: Final[Mapping[str, tuple[str, timedelta | None]]] = {
    OPEN_END: ("Until I put it back to work", None),
    "hour": ("1 hour", timedelta(hours=1)),
    "day": ("1 day", timedelta(days=1)),
    "week": ("1 week", timedelta(weeks=1)),
    "month": ("30 days", timedelta(days=30)),
}
"""How long a number may rest: value -> words and time."""

_NOBODY: Final = RestRow(0, "", "", "")


class NumberRestState(FormState, rx.State):
    """The number that is asked about; `id` 0: no question is open."""

    asked: rx.Field[RestRow] = rx.field(_NOBODY)
    is_resting: rx.Field[bool] = rx.field(False)
    """True: the question is whether to end the rest. False: whether to begin one."""

    @guarded(Right.VIEW)
    async def ask(self, visit: Visit, number_id: int) -> None:
        """Open the question that fits the number: to end its rest, or to begin one."""
        now = visit.now
        async with visit.reading() as session:
            view = await get_number(session, principal=visit.principal, number_ref=number_id)
        self.errors = {}
        self.asked, self.is_resting = rest_row(view, visit.principal.time_zone, now), view.is_resting(now)

    @anyone
    def close(self, is_open: bool) -> None:  # noqa: FBT001 - what the dialog tells
        """Put the question away."""
        if not is_open:
            self.asked = _NOBODY

    @guarded(Right.EDIT_NUMBERS)
    async def rest(self, visit: Visit, form: dict[str, Any]) -> EventSpec:
        """Let the number make no calls."""
        self.saving, self.errors = True, {}
        chosen = written(form, "span") or OPEN_END
        if chosen not in SPANS:
            raise FieldErrors({"until": "Choose how long it rests."})
        span = SPANS[chosen][1]
        now = visit.now
        await visit.write(
            lambda session: rest_number(
                session,
                principal=visit.principal,
                number_ref=self.asked.id,
                until=now + span if span is not None else None,
                why=written(form, "why"),
                now=now,
            )
        )
        await self._show(visit)
        return say_done("The number rests")

    @guarded(Right.EDIT_NUMBERS)
    async def resume(self, visit: Visit, number_id: int) -> EventSpec:
        """Put the number back to work: end its rest."""
        await visit.write(
            lambda session: resume_number(
                session, principal=visit.principal, number_ref=number_id, now=visit.now
            )
        )
        await self._show(visit)
        return say_done("The number is back at work")

    async def _show(self, visit: Visit) -> None:
        self.asked = _NOBODY
        await (await self.get_state(NumbersState))._read(visit)  # noqa: SLF001 - ours
