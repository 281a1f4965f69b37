"""The Call log: every attempt of the campaign, the newest first, kept live."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Final

import reflex as rx
from reflex.event import EventSpec

from app.domain.attempt import Disposition
from app.domain.rights import Right
from app.services.campaigns.brief import campaign_brief
from app.services.campaigns.call_log import get_attempt, list_attempts
from app.services.errors import NotFound
from app.services.live_hub import watch as watch_live
from app.web import routes
from app.web.address import put_in_address
from app.web.campaign_here import campaign_here
from app.web.guard import PageState, anyone, guarded, still_allowed
from app.web.pages.campaign.calls.presenter import ALL, CallDetail, CallItem, Query, call_detail, call_item
from app.web.pages.campaign.state import live_snapshot
from app.web.visit import Visit
from app.web.words import page_range

SHORTEST_REFETCH: Final = 2.0
"""Seconds between two readings of one browser's rows, however much happens."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """All that one reading gives."""

    items: list[CallItem]
    pages: int
    range_text: str


class CallLogState(PageState, rx.State):
    """The rows on show, and the attempt whose sheet is open."""

    query: rx.Field[Query] = rx.field(default_factory=Query)
    items: rx.Field[list[CallItem]] = rx.field(default_factory=list)
    pages: rx.Field[int] = rx.field(1)
    range_text: rx.Field[str] = rx.field("")
    is_filtered: rx.Field[bool] = rx.field(False)
    filters: rx.Field[str] = rx.field("")
    """As an address ends with them."""
    is_open: rx.Field[bool] = rx.field(False)
    detail: rx.Field[CallDetail] = rx.field(default_factory=CallDetail)

    @guarded(Right.VIEW)
    async def load(self, visit: Visit) -> AsyncIterator[None]:
        """Show what the address asks for."""
        self.loading, self.problem, self.items, self.is_open = True, "", [], False
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
                query, opened = self.query, self.detail.item.id if self.is_open else ""
            answer = await _read(visit, campaign_id, query)
            detail = await _read_one(visit, campaign_id, opened) if opened else None
            async with self:
                if self.query == query and not self.problem:
                    self._show(answer)
                if detail is not None and self.is_open and self.detail.item.id == opened:
                    self.detail = detail
            await asyncio.sleep(SHORTEST_REFETCH)

    @guarded(Right.VIEW, supersedes=True)
    async def find(self, visit: Visit, search: str) -> EventSpec:
        """Search names and numbers."""
        return await self._turn_to(visit, replace(self.query, search=search[:200], page=1))

    @guarded(Right.VIEW, supersedes=True)
    async def filter_by(self, visit: Visit, disposition: str) -> EventSpec:
        """Show one outcome, or all."""
        asked = Query.of({"disposition": disposition}).disposition
        return await self._turn_to(visit, replace(self.query, disposition=asked, page=1))

    @guarded(Right.VIEW, supersedes=True)
    async def turn_page(self, visit: Visit, by: int) -> EventSpec:
        """Go to a neighbouring page."""
        page = min(max(1, self.query.page + by), self.pages)
        return await self._turn_to(visit, replace(self.query, page=page))

    @guarded(Right.VIEW, supersedes=True)
    async def clear(self, visit: Visit) -> EventSpec:
        """Lift every filter."""
        return await self._turn_to(visit, Query())

    @guarded(Right.VIEW)
    async def show(self, visit: Visit, attempt_id: str) -> None:
        """Open the sheet of an attempt of this campaign."""
        self.detail = await _read_one(visit, campaign_here(self), attempt_id)
        self.is_open = True

    @anyone
    def close(self, is_open: bool) -> None:  # noqa: FBT001 - what the sheet tells
        """Close the sheet."""
        self.is_open = is_open and self.is_open

    async def _turn_to(self, visit: Visit, query: Query) -> EventSpec:
        self._ask(query)
        self._show(await _read(visit, campaign_here(self), query))
        return put_in_address(query.address())

    def _ask(self, query: Query) -> None:
        self.query, self.is_filtered, self.filters = query, query.is_filtered, query.address()

    def _show(self, answer: _Answer) -> None:
        self.items, self.pages, self.range_text = answer.items, answer.pages, answer.range_text


async def _read(visit: Visit, campaign_id: int, query: Query) -> _Answer:
    now = visit.now
    async with visit.reading() as session:
        campaign = await campaign_brief(session, principal=visit.principal, campaign_ref=campaign_id)
        found = await list_attempts(
            session,
            principal=visit.principal,
            campaign_ref=campaign_id,
            disposition=None if query.disposition == ALL else Disposition(query.disposition),
            search=query.search,
            page=query.page,
        )
    return _Answer(
        items=[call_item(row, zone=campaign.time_zone, now=now) for row in found.items],
        pages=found.pages,
        range_text=page_range(found, "attempt", "attempts"),
    )


async def _read_one(visit: Visit, campaign_id: int, attempt_id: str) -> CallDetail:
    async with visit.reading() as session:
        campaign = await campaign_brief(session, principal=visit.principal, campaign_ref=campaign_id)
        found = await get_attempt(session, principal=visit.principal, attempt_id=attempt_id)
    if found.campaign_id != campaign.id:
        raise NotFound("attempt", attempt_id)
    return call_detail(found, zone=campaign.time_zone, now=visit.now)
