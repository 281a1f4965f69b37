"""The campaign list: what it is asked for, and the page of rows that answers."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import reflex as rx
from reflex.event import EventSpec

from app.domain.campaign import CampaignStatus, Channel
from app.domain.rights import Right
from app.services.access.organizations import OrganizationView, organization_settings
from app.services.agents.queries import list_agents
from app.services.campaigns.drafts import begin_draft
from app.services.campaigns.lists import campaign_cards, list_campaigns
from app.services.live_hub import Watched, watch
from app.web import routes
from app.web.address import put_in_address
from app.web.guard import PageState, guarded, still_allowed
from app.web.options import Option
from app.web.pages.campaigns.presenter import ALL, SORTS, Cards, Item, Query, cards, item
from app.web.visit import Visit
from app.web.words import moment, page_range

SHORTEST_REFETCH: Final = 1.0
"""Seconds between two readings of one browser's rows, however much happens."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """All that one reading gives."""

    cards: Cards
    items: list[Item]
    pages: int
    range_text: str
    has_campaigns: bool
    stop_note: str


class CampaignsState(PageState, rx.State):
    """The rows on show."""

    query: rx.Field[Query] = rx.field(default_factory=Query)
    cards: rx.Field[Cards] = rx.field(default_factory=Cards)
    items: rx.Field[list[Item]] = rx.field(default_factory=list)
    agents: rx.Field[list[Option]] = rx.field(default_factory=list)
    pages: rx.Field[int] = rx.field(1)
    range_text: rx.Field[str] = rx.field("")
    is_filtered: rx.Field[bool] = rx.field(False)
    has_campaigns: rx.Field[bool] = rx.field(False)
    stop_note: rx.Field[str] = rx.field("")
    """Who stopped all dialing, and when; empty while it is allowed."""

    @guarded(Right.VIEW)
    async def load(self, visit: Visit) -> AsyncIterator[None]:
        """Show what the address asks for."""
        self.loading, self.problem, self.items = True, "", []
        self._ask(Query.of(routes.asked(self.router.url.query_parameters)))
        yield
        async with visit.reading() as session:
            agents = await list_agents(session, principal=visit.principal)
        self.agents = [Option(str(agent.id), agent.name) for agent in agents]
        self._show(await _read(visit, self.query))
        self.loading = False

    @guarded(Right.VIEW, background=True)
    async def watch(self, visit: Visit) -> None:
        """Read the rows again when something happens in the organization, at most once a second."""

        async def moment_of_change() -> datetime:
            """Return something new each time: each browser reads its own rows when it hears of a change."""
            return visit.now

        watched = Watched(visit.principal.organization_id, None, "list")
        async for _ in watch(watched, moment_of_change, check=still_allowed(self, Right.VIEW)):
            async with self:
                query = self.query
            answer = await _read(visit, query)
            async with self:
                if self.query == query and not self.problem:
                    self._show(answer)
            await asyncio.sleep(SHORTEST_REFETCH)

    @guarded(Right.VIEW, supersedes=True)
    async def find(self, visit: Visit, search: str) -> EventSpec:
        """Search names and descriptions."""
        return await self._turn_to(visit, replace(self.query, search=search[:200], page=1))

    @guarded(Right.VIEW, supersedes=True)
    async def filter_by(self, visit: Visit, name: str, value: str) -> EventSpec:
        """Filter by status, channel or agent, or choose the cards' period."""
        asked = {"status", "channel", "agent", "period"} & {name}
        values = {key: getattr(self.query, key) for key in ("search", "status", "channel", "agent", "period")}
        checked = Query.of(values | dict.fromkeys(asked, value))
        page = self.query.page if name == "period" else 1
        query = replace(checked, sort=self.query.sort, descending=self.query.descending, page=page)
        return await self._turn_to(visit, query)

    @guarded(Right.VIEW, supersedes=True)
    async def sort_by(self, visit: Visit, key: str) -> EventSpec:
        """Sort by a column; once more turns it round."""
        if key not in SORTS:
            key = "created"
        turned = not self.query.descending if self.query.sort == key else key in {"created", "progress"}
        return await self._turn_to(visit, replace(self.query, sort=key, descending=turned, page=1))

    @guarded(Right.VIEW, supersedes=True)
    async def turn_page(self, visit: Visit, by: int) -> EventSpec:
        """Go to a neighbouring page."""
        page = min(max(1, self.query.page + by), self.pages)
        return await self._turn_to(visit, replace(self.query, page=page))

    @guarded(Right.VIEW, supersedes=True)
    async def clear(self, visit: Visit) -> EventSpec:
        """Lift every filter."""
        return await self._turn_to(visit, self.query.cleared())

    @guarded(Right.EDIT_CAMPAIGNS)
    async def create(self, visit: Visit) -> AsyncIterator[EventSpec | None]:
        """Make a draft, or take up an untouched one, and go to the wizard's first step."""
        self.saving = True
        yield None
        campaign_id = await visit.write(
            lambda session: begin_draft(session, principal=visit.principal, now=visit.now)
        )
        yield rx.redirect(routes.edit_basics(visit.principal.organization_slug, campaign_id))

    async def _turn_to(self, visit: Visit, query: Query) -> EventSpec:
        self._ask(query)
        self._show(await _read(visit, query))
        return put_in_address(query.address())

    def _ask(self, query: Query) -> None:
        self.query, self.is_filtered = query, query.is_filtered

    def _show(self, answer: _Answer) -> None:
        self.cards, self.items, self.pages = answer.cards, answer.items, answer.pages
        self.range_text, self.stop_note = answer.range_text, answer.stop_note
        self.has_campaigns = answer.has_campaigns


async def _read(visit: Visit, query: Query) -> _Answer:
    now, zone = visit.now, visit.principal.time_zone
    async with visit.reading() as session:
        counted = await campaign_cards(session, principal=visit.principal, since=query.since(now, zone))
        ever = counted if query.period == ALL else await campaign_cards(session, principal=visit.principal)
        found = await list_campaigns(
            session,
            principal=visit.principal,
            search=query.search,
            statuses=() if query.status == ALL else (CampaignStatus(query.status),),
            channel=None if query.channel == ALL else Channel(query.channel),
            agent_id=None if query.agent == ALL else int(query.agent),
            sort=query.sort,
            descending=query.descending,
            page=query.page,
        )
        organization = await organization_settings(session, principal=visit.principal)
    return _Answer(
        cards=cards(counted),
        items=[item(row, zone=zone, now=now) for row in found.items],
        pages=found.pages,
        range_text=page_range(found, "campaign", "campaigns"),
        has_campaigns=ever.total > 0,
        stop_note=_stop_note(organization, now),
    )


def _stop_note(organization: OrganizationView, now: datetime) -> str:
    if organization.dialing_stopped_at is None:
        return ""
    at = moment(organization.dialing_stopped_at, organization.time_zone, now=now)
    by = organization.dialing_stopped_by or "somebody"
    return f"Stopped by {by} on {at.text} {at.zone}. Campaigns keep their place until dialing is resumed."
