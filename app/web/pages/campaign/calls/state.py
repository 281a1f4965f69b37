"""The Call log: every attempt of the campaign, the newest first, kept live."""

from typing import Final

import reflex as rx

from app.domain.attempt import Disposition
from app.domain.rights import Right
from app.services.campaigns.brief import campaign_brief
from app.services.campaigns.call_log import get_attempt, list_attempts
from app.services.errors import NotFound
from app.web.campaign_here import campaign_here
from app.web.guard import anyone, guarded
from app.web.listing import ALL, Rows, SearchedList, number_in
from app.web.pages.campaign.calls.presenter import CallDetail, CallItem, CallLogQuery, call_detail, call_item
from app.web.pages.campaign.state import live_snapshot
from app.web.visit import Visit

SHORTEST_REFETCH: Final = 2.0
"""Seconds between two readings of one browser's rows, however much happens."""


class CallLogState(SearchedList, rx.State):
    """The rows shown, and the attempt whose sheet is open."""

    query: rx.Field[CallLogQuery] = rx.field(default_factory=CallLogQuery)
    rows: rx.Field[list[CallItem]] = rx.field(default_factory=list)
    is_open: rx.Field[bool] = rx.field(False)
    detail: rx.Field[CallDetail] = rx.field(default_factory=CallDetail)

    @guarded(Right.VIEW, background=True)
    async def watch(self, visit: Visit) -> None:
        """Read the rows again when something happens in the campaign, at most every two seconds."""
        campaign_id = campaign_here(self)

        async def read_sheet() -> None:
            async with self:
                opened = self.detail.item.id if self.is_open else ""
            detail = await _read_one(visit, campaign_id, opened) if opened else None
            async with self:
                if detail is not None and self.is_open and self.detail.item.id == opened:
                    self.detail = detail

        watched, look = live_snapshot(visit, campaign_id)
        await self._follow(visit, watched, look, every=SHORTEST_REFETCH, besides=read_sheet)

    @guarded(Right.VIEW)
    async def show(self, visit: Visit, attempt_id: str) -> None:
        """Open the sheet of an attempt of this campaign."""
        self.detail = await _read_one(visit, campaign_here(self), attempt_id)
        self.is_open = True

    @anyone
    def close(self, is_open: bool) -> None:  # noqa: FBT001 - what the sheet tells
        """Close the sheet."""
        self.is_open = is_open and self.is_open

    def _begin(self) -> None:
        self.is_open = False

    async def _read(self, visit: Visit, query: CallLogQuery) -> Rows:
        now, campaign_id = visit.now, campaign_here(self)
        async with visit.reading() as session:
            campaign = await campaign_brief(session, principal=visit.principal, campaign_ref=campaign_id)
            found = await list_attempts(
                session,
                principal=visit.principal,
                campaign_ref=campaign_id,
                disposition=None if query.disposition == ALL else Disposition(query.disposition),
                search=query.search,
                page=query.page,
                run=number_in(query.run),
            )
        rows = [call_item(row, zone=campaign.time_zone, now=now) for row in found.items]
        return Rows.of(found, rows, "attempt", "attempts")


async def _read_one(visit: Visit, campaign_id: int, attempt_id: str) -> CallDetail:
    async with visit.reading() as session:
        campaign = await campaign_brief(session, principal=visit.principal, campaign_ref=campaign_id)
        found = await get_attempt(session, principal=visit.principal, attempt_id=attempt_id)
    if found.campaign_id != campaign.id:
        raise NotFound("attempt", attempt_id)
    return call_detail(found, zone=campaign.time_zone, now=visit.now)
