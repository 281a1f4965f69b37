"""The Contacts tab: a page of the campaign's people, kept live."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Final

import reflex as rx
from reflex.event import EventSpec
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.rights import Right
from app.services.campaigns.brief import campaign_brief
from app.services.campaigns.call_log import list_recipients
from app.services.campaigns.eligibility import SKIPPED_AHEAD, list_skipped
from app.services.live_hub import watch as watch_live
from app.web import routes
from app.web.address import put_in_address
from app.web.campaign_here import campaign_here
from app.web.guard import PageState, guarded, still_allowed
from app.web.pages.campaign.contacts.presenter import ALL, SORTS, Person, Query, person
from app.web.pages.campaign.state import live_snapshot
from app.web.visit import Visit
from app.web.words import page_range

SHORTEST_REFETCH: Final = 2.0
"""Seconds between two readings of one browser's rows, however much happens."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """All that one reading gives."""

    people: list[Person]
    total: int
    pages: int
    range_text: str


class CampaignContactsState(PageState, rx.State):
    """The rows on show."""

    query: rx.Field[Query] = rx.field(default_factory=Query)
    people: rx.Field[list[Person]] = rx.field(default_factory=list)
    total: rx.Field[int] = rx.field(0)
    """How many match."""
    pages: rx.Field[int] = rx.field(1)
    range_text: rx.Field[str] = rx.field("")
    is_filtered: rx.Field[bool] = rx.field(False)
    filters: rx.Field[str] = rx.field("")
    """As an address ends with them."""

    @guarded(Right.VIEW)
    async def load(self, visit: Visit) -> AsyncIterator[None]:
        """Show what the address asks for."""
        self.loading, self.problem, self.people = True, "", []
        self._ask(Query.of(routes.asked(self.router.url.query_parameters)))
        yield
        self._show(await _read(visit, campaign_here(self), self.query))
        self.loading = False

    @guarded(Right.VIEW, background=True)
    async def watch(self, visit: Visit) -> None:
        """Read the rows again when something happens in the campaign, at most every two seconds."""
        campaign_id = campaign_here(self)
        watched, load = live_snapshot(visit, campaign_id)
        async for _ in watch_live(watched, load, check=still_allowed(self, Right.VIEW)):
            async with self:
                query = self.query
            answer = await _read(visit, campaign_id, query)
            async with self:
                if self.query == query and not self.problem:
                    self._show(answer)
            await asyncio.sleep(SHORTEST_REFETCH)

    @guarded(Right.VIEW, supersedes=True)
    async def find(self, visit: Visit, search: str) -> EventSpec:
        """Search names, numbers, e-mails."""
        return await self._turn_to(visit, replace(self.query, search=search[:200], page=1))

    @guarded(Right.VIEW, supersedes=True)
    async def filter_by(self, visit: Visit, status: str) -> EventSpec:
        """Show one status, or all."""
        status = Query.of({"status": status}).status
        return await self._turn_to(visit, replace(self.query, status=status, page=1))

    @guarded(Right.VIEW, supersedes=True)
    async def sort_by(self, visit: Visit, key: str) -> EventSpec:
        """Sort by a column; once more turns it round."""
        if key not in SORTS:
            key = "position"
        turned = self.query.sort == key and not self.query.descending
        return await self._turn_to(visit, replace(self.query, sort=key, descending=turned, page=1))

    @guarded(Right.VIEW, supersedes=True)
    async def turn_page(self, visit: Visit, by: int) -> EventSpec:
        """Go to a neighbouring page."""
        page = min(max(1, self.query.page + by), self.pages)
        return await self._turn_to(visit, replace(self.query, page=page))

    @guarded(Right.VIEW, supersedes=True)
    async def clear(self, visit: Visit) -> EventSpec:
        """Lift every filter."""
        return await self._turn_to(visit, replace(self.query, search="", status=ALL, page=1))

    async def _turn_to(self, visit: Visit, query: Query) -> EventSpec:
        self._ask(query)
        await self._refresh(visit)
        return put_in_address(query.address())

    async def _refresh(self, visit: Visit) -> None:
        self._show(await _read(visit, campaign_here(self), self.query))

    def _ask(self, query: Query) -> None:
        self.query, self.is_filtered, self.filters = query, query.is_filtered, query.address()

    def _show(self, answer: _Answer) -> None:
        self.people, self.total = answer.people, answer.total
        self.pages, self.range_text = answer.pages, answer.range_text


async def skipped_ahead(
    session: AsyncSession, visit: Visit, campaign_id: int, query: Query
) -> dict[int, str] | None:
    """Return those who are skipped or will be, each with why, if the filter asks for them; None if it does not."""
    if query.status != SKIPPED_AHEAD:
        return None
    now = visit.now
    return await list_skipped(session, principal=visit.principal, campaign_ref=campaign_id, now=now)


async def _read(visit: Visit, campaign_id: int, query: Query) -> _Answer:
    now = visit.now
    async with visit.reading() as session:
        campaign = await campaign_brief(session, principal=visit.principal, campaign_ref=campaign_id)
        why = await skipped_ahead(session, visit, campaign_id, query)
        found = await list_recipients(
            session,
            principal=visit.principal,
            campaign_ref=campaign_id,
            recipient_ids=None if why is None else list(why),
            statuses=query.statuses,
            search=query.search,
            page=query.page,
            sort=f"-{query.sort}" if query.descending else query.sort,
        )
    zone = campaign.time_zone
    return _Answer(
        people=[
            person(replace(row, blocked_why=(why or {}).get(row.id, row.blocked_why)), zone=zone, now=now)
            for row in found.items
        ],
        total=found.total,
        pages=found.pages,
        range_text=page_range(found, "contact", "contacts"),
    )
