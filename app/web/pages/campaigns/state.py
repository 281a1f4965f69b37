"""The campaign list: its filters, sort and page, and the rows they give."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
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
from app.services.live_hub import Watched
from app.web import routes
from app.web.guard import guarded
from app.web.listing import ALL, Rows, SortedList
from app.web.options import Option
from app.web.pages.campaigns.presenter import CampaignsQuery, Cards, Item, cards, item
from app.web.visit import Visit
from app.web.words import moment, page_range

SHORTEST_REFETCH: Final = 1.0
"""Seconds between two readings of one browser's rows, however much happens."""


@dataclass(frozen=True, slots=True)
class _Campaigns(Rows):
    """The rows, and the cards and filters above them."""

    cards: Cards = field(default_factory=Cards)
    has_campaigns: bool = False
    stop_note: str = ""


class CampaignsState(SortedList, rx.State):
    """The rows shown."""

    query: rx.Field[CampaignsQuery] = rx.field(default_factory=CampaignsQuery)
    rows: rx.Field[list[Item]] = rx.field(default_factory=list)
    cards: rx.Field[Cards] = rx.field(default_factory=Cards)
    agents: rx.Field[list[Option]] = rx.field(default_factory=list)
    has_campaigns: rx.Field[bool] = rx.field(False)
    stop_note: rx.Field[str] = rx.field("")
    """Who stopped all dialing, and when; empty while it is allowed."""

    @guarded(Right.VIEW, background=True)
    async def watch(self, visit: Visit) -> None:
        """Read the rows again when something happens in the organization, at most once a second."""

        async def moment_of_change() -> datetime:
            """Return something new each time: each browser reads its own rows when it hears of a change."""
            return visit.now

        watched = Watched(visit.principal.organization_id, None, "list")
        await self._follow(visit, watched, moment_of_change, every=SHORTEST_REFETCH)

    @guarded(Right.EDIT_CAMPAIGNS)
    async def create(self, visit: Visit) -> AsyncIterator[EventSpec | None]:
        """Create a draft, or reuse an untouched one, and go to the wizard's first step."""
        self.saving = True
        yield None
        campaign_id = await visit.write(
            lambda session: begin_draft(session, principal=visit.principal, now=visit.now)
        )
        yield rx.redirect(routes.edit_step(visit.principal.organization_slug, campaign_id))

    async def _fill(self, visit: Visit) -> None:
        async with visit.reading() as session:
            agents = await list_agents(session, principal=visit.principal)
        self.agents = [Option(str(agent.id), agent.name) for agent in agents]
        await self._refresh(visit)

    async def _read(self, visit: Visit, query: CampaignsQuery) -> _Campaigns:
        now, zone = visit.now, visit.principal.time_zone
        async with visit.reading() as session:
            counted = await campaign_cards(session, principal=visit.principal, since=query.since(now, zone))
            ever = (
                counted if query.period == ALL else await campaign_cards(session, principal=visit.principal)
            )
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
        return _Campaigns(
            rows=[item(row, zone=zone, now=now) for row in found.items],
            total=found.total,
            pages=found.pages,
            range_text=page_range(found, "campaign", "campaigns"),
            cards=cards(counted),
            has_campaigns=ever.total > 0,
            stop_note=_stop_note(organization, now),
        )

    def _show(self, found: _Campaigns) -> None:
        super()._show(found)
        self.cards, self.has_campaigns, self.stop_note = found.cards, found.has_campaigns, found.stop_note


def _stop_note(organization: OrganizationView, now: datetime) -> str:
    if organization.dialing_stopped_at is None:
        return ""
    at = moment(organization.dialing_stopped_at, organization.time_zone, now=now)
    by = organization.dialing_stopped_by or "somebody"
    return f"Stopped by {by} on {at.text} {at.zone}. Campaigns keep their place until dialing is resumed."
