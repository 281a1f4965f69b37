"""The suppression list: a page of it, by search and filters."""

from dataclasses import dataclass, replace
from typing import Final

import reflex as rx

from app.domain.rights import Right
from app.services.suppression.queries import filter_of, list_suppressions
from app.web.guard import guarded
from app.web.listing import Rows, SearchedList
from app.web.pages.suppressions.presenter import (
    SuppressionRow,
    SuppressionsQuery,
    range_words,
    suppression_row,
)
from app.web.visit import Visit

PAGE_SIZE: Final = 25


@dataclass(frozen=True, slots=True)
class _Suppressions(Rows):
    """The rows, and after which suppression the next page begins; None: there is none."""

    next_after: int | None = None


class SuppressionsState(SearchedList, rx.State):
    """The rows shown, and the search and filters they belong to."""

    query: rx.Field[SuppressionsQuery] = rx.field(default_factory=SuppressionsQuery)
    rows: rx.Field[list[SuppressionRow]] = rx.field(default_factory=list)
    has_next: rx.Field[bool] = rx.field(False)
    _starts: rx.Field[list[int | None]] = rx.field(default_factory=lambda: [None])
    """The suppression after which each page so far begins, and the next one."""

    @guarded(Right.VIEW)
    async def refresh(self, visit: Visit) -> None:
        """Read the rows again, after something was changed."""
        self._ask(replace(self.query, page=1))
        await self._refresh(visit)

    async def _read(self, visit: Visit, query: SuppressionsQuery) -> _Suppressions:
        async with visit.reading() as session:
            found = await list_suppressions(
                session,
                principal=visit.principal,
                wanted=filter_of(
                    state=query.standing, scope=query.scope, source=query.source, search=query.search
                ),
                after=self._starts[query.page - 1],
                limit=PAGE_SIZE,
            )
        zone, now = visit.principal.time_zone, visit.now
        return _Suppressions(
            rows=[suppression_row(view, zone=zone, now=now) for view in found.items],
            total=found.total,
            pages=query.page + (found.next_after is not None),
            range_text=range_words(found, (query.page - 1) * PAGE_SIZE + 1),
            next_after=found.next_after,
        )

    def _show(self, found: _Suppressions) -> None:
        super()._show(found)
        self.has_next = found.next_after is not None
        following = [found.next_after] if self.has_next else []
        self._starts = [*self._starts[: self.query.page], *following]
