"""The Contacts tab: a page of the campaign's people, kept live."""

from typing import Final

import reflex as rx
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.rights import Right
from app.services.campaigns.brief import campaign_brief
from app.services.campaigns.call_log import list_recipients
from app.services.campaigns.eligibility import SKIPPED_AHEAD, list_skipped
from app.services.dialing.explain import explain
from app.web.campaign_here import campaign_here
from app.web.guard import guarded
from app.web.listing import Rows, SortedList, number_in
from app.web.pages.campaign.contacts.presenter import CampaignContactsQuery, Person, person
from app.web.pages.campaign.state import live_snapshot
from app.web.visit import Visit

SHORTEST_REFETCH: Final = 2.0
"""Seconds between two readings of one browser's rows, however much happens."""


class CampaignContactsState(SortedList, rx.State):
    """The rows shown."""

    query: rx.Field[CampaignContactsQuery] = rx.field(default_factory=CampaignContactsQuery)
    rows: rx.Field[list[Person]] = rx.field(default_factory=list)

    @guarded(Right.VIEW, background=True)
    async def watch(self, visit: Visit) -> None:
        """Read the rows again when something happens in the campaign, at most every two seconds."""
        await self._follow(visit, *live_snapshot(visit, campaign_here(self)), every=SHORTEST_REFETCH)

    async def _read(self, visit: Visit, query: CampaignContactsQuery) -> Rows:
        now, campaign_id = visit.now, campaign_here(self)
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
                because=query.because(now),
                page=query.page,
                sort=f"-{query.sort}" if query.descending else query.sort,
                run=number_in(query.run),
            )
            said = await explain(
                session,
                principal=visit.principal,
                campaign_ref=campaign_id,
                recipient_ids=[row.id for row in found.items],
                now=now,
            )
        rows = [
            person(row, said.get(row.id), zone=campaign.time_zone, now=now, ahead=(why or {}).get(row.id))
            for row in found.items
        ]
        return Rows.of(found, rows, "contact", "contacts")


async def skipped_ahead(
    session: AsyncSession, visit: Visit, campaign_id: int, query: CampaignContactsQuery
) -> dict[int, str] | None:
    """Return the contacts who are or will be skipped, with the reasons; None if the filter does not ask for them."""
    if query.status != SKIPPED_AHEAD:
        return None
    now = visit.now
    return await list_skipped(session, principal=visit.principal, campaign_ref=campaign_id, now=now)
