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
from app.runtime.context import get_context
from app.services.access.organizations import OrganizationView, organization_settings
from app.services.access.principal import Principal
from app.services.agents.queries import list_agents
from app.services.campaigns.drafts import begin_draft
from app.services.campaigns.lists import campaign_cards, list_campaigns
from app.services.live_hub import Watched, watch
from app.web import routes
from app.web.address import put_in_address
from app.web.guard import PageState, guarded, still_allowed
from app.web.pages.campaigns.presenter import ALL, SORTS, Cards, Item, Query, cards, item
from app.web.words import moment, page_range

SHORTEST_REFETCH: Final = 1.0
"""Seconds between two readings of one browser's rows, however much happens."""


@dataclass(frozen=True, slots=True)
class AgentOption:
    """An agent to filter by."""

    id: str
    name: str


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
    agents: rx.Field[list[AgentOption]] = rx.field(default_factory=list)
    pages: rx.Field[int] = rx.field(1)
    range_text: rx.Field[str] = rx.field("")
    is_filtered: rx.Field[bool] = rx.field(False)
    has_campaigns: rx.Field[bool] = rx.field(False)
    stop_note: rx.Field[str] = rx.field("")
    """Who stopped all dialing, and when; empty while it is allowed."""

    @guarded(Right.VIEW)
    async def load(self, principal: Principal) -> AsyncIterator[None]:
        """Show what the address asks for."""
        self.loading, self.problem, self.items = True, "", []
        self._ask(Query.of(routes.asked(self.router.url.query_parameters)))
        yield
        async with get_context().database.session() as session:
            agents = await list_agents(session, principal=principal)
        self.agents = [AgentOption(str(agent.id), agent.name) for agent in agents]
        self._show(await _read(principal, self.query))
        self.loading = False

    @guarded(Right.VIEW, background=True)
    async def watch(self, principal: Principal) -> None:
        """Read the rows again when something happens in the organization, at most once a second."""
        watched = Watched(principal.organization_id, None, "list")
        async for _ in watch(watched, _moment_of_change, check=still_allowed(self, Right.VIEW)):
            async with self:
                query = self.query
            answer = await _read(principal, query)
            async with self:
                if self.query == query and not self.problem:
                    self._show(answer)
            await asyncio.sleep(SHORTEST_REFETCH)

    @guarded(Right.VIEW, supersedes=True)
    async def find(self, principal: Principal, search: str) -> EventSpec:
        """Search names and descriptions."""
        return await self._turn_to(principal, replace(self.query, search=search[:200], page=1))

    @guarded(Right.VIEW, supersedes=True)
    async def filter_by(self, principal: Principal, name: str, value: str) -> EventSpec:
        """Filter by status, channel or agent, or choose the cards' period."""
        asked = {"status", "channel", "agent", "period"} & {name}
        values = {key: getattr(self.query, key) for key in ("search", "status", "channel", "agent", "period")}
        checked = Query.of(values | dict.fromkeys(asked, value))
        page = self.query.page if name == "period" else 1
        query = replace(checked, sort=self.query.sort, descending=self.query.descending, page=page)
        return await self._turn_to(principal, query)

    @guarded(Right.VIEW, supersedes=True)
    async def sort_by(self, principal: Principal, key: str) -> EventSpec:
        """Sort by a column; once more turns it round."""
        if key not in SORTS:
            key = "created"
        turned = not self.query.descending if self.query.sort == key else key in {"created", "progress"}
        return await self._turn_to(principal, replace(self.query, sort=key, descending=turned, page=1))

    @guarded(Right.VIEW, supersedes=True)
    async def turn_page(self, principal: Principal, by: int) -> EventSpec:
        """Go to a neighbouring page."""
        page = min(max(1, self.query.page + by), self.pages)
        return await self._turn_to(principal, replace(self.query, page=page))

    @guarded(Right.VIEW, supersedes=True)
    async def clear(self, principal: Principal) -> EventSpec:
        """Lift every filter."""
        return await self._turn_to(principal, self.query.cleared())

    @guarded(Right.EDIT_CAMPAIGNS)
    async def create(self, principal: Principal) -> AsyncIterator[EventSpec | None]:
        """Make a draft, or take up an untouched one, and go to the wizard's first step."""
        self.saving = True
        yield None
        context = get_context()
        campaign_id = await context.database.write(
            lambda session: begin_draft(session, principal=principal, now=context.clock.now())
        )
        yield rx.redirect(routes.edit_basics(principal.organization_slug, campaign_id))

    async def _turn_to(self, principal: Principal, query: Query) -> EventSpec:
        self._ask(query)
        self._show(await _read(principal, query))
        return put_in_address(query.address())

    def _ask(self, query: Query) -> None:
        self.query, self.is_filtered = query, query.is_filtered

    def _show(self, answer: _Answer) -> None:
        self.cards, self.items, self.pages = answer.cards, answer.items, answer.pages
        self.range_text, self.stop_note = answer.range_text, answer.stop_note
        self.has_campaigns = answer.has_campaigns


async def _read(principal: Principal, query: Query) -> _Answer:
    now, zone = get_context().clock.now(), principal.time_zone
    async with get_context().database.session() as session:
        counted = await campaign_cards(session, principal=principal, since=query.since(now, zone))
        ever = counted if query.period == ALL else await campaign_cards(session, principal=principal)
        found = await list_campaigns(
            session,
            principal=principal,
            search=query.search,
            statuses=() if query.status == ALL else (CampaignStatus(query.status),),
            channel=None if query.channel == ALL else Channel(query.channel),
            agent_id=None if query.agent == ALL else int(query.agent),
            sort=query.sort,
            descending=query.descending,
            page=query.page,
        )
        organization = await organization_settings(session, principal=principal)
    return _Answer(
        cards=cards(counted),
        items=[item(row, zone=zone, now=now) for row in found.items],
        pages=found.pages,
        range_text=page_range(found, "campaign", "campaigns"),
        has_campaigns=ever.total > 0,
        stop_note=_stop_note(organization, now),
    )


async def _moment_of_change() -> datetime:
    """Return something new each time: each browser reads its own rows when it hears of a change."""
    return get_context().clock.now()


def _stop_note(organization: OrganizationView, now: datetime) -> str:
    if organization.dialing_stopped_at is None:
        return ""
    at = moment(organization.dialing_stopped_at, organization.time_zone, now=now)
    by = organization.dialing_stopped_by or "somebody"
    return f"Stopped by {by} on {at.text} {at.zone}. Campaigns keep their place until dialing is resumed."
