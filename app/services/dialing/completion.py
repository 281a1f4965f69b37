"""When the next recipient is due, and which campaigns, or runs of recurring ones, are done."""

from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.gate import Rule
from app.models import sql
from app.services.campaigns.transitions import complete_by_system
from app.services.dialing.settle.outcomes import REPORTS_WITHIN
from app.services.places.hours import RULES, readable_rules
from app.services.places.openings import waiting_places

_DIALING: Final = text(
    f"""
    SELECT c.gate_rule, c.gate_until, {RULES}
    FROM campaign c JOIN organization o ON o.id = c.organization_id AND o.dialing_stopped_at IS NULL
    WHERE c.status IN {sql.DIALING}
    """  # noqa: S608 - constants are put in, nothing a caller gives
)

_DONE: Final = text(
    f"""
    SELECT c.id FROM campaign c
    WHERE c.status IN {sql.DIALING}
      AND NOT EXISTS (SELECT 1 FROM recipient r
                      WHERE r.campaign_id = c.id AND r.status IN {sql.OPEN})
      AND NOT EXISTS (SELECT 1 FROM run
                      WHERE run.campaign_id = c.id AND run.occurrence_at IS NOT NULL AND run.filled_at IS NULL)
      AND (EXISTS (SELECT 1 FROM run
                   WHERE run.campaign_id = c.id AND run.occurrence_at IS NOT NULL AND run.ended_at IS NULL)
           OR NOT EXISTS (SELECT 1 FROM audience a
                          WHERE a.campaign_id = c.id AND a.mode = 'standing' AND a.next_at IS NOT NULL))
    """  # noqa: S608 - a constant is put in, nothing a caller gives
)


async def next_due_at(session: AsyncSession, *, now: datetime) -> datetime | None:
    """Return when the next recipient of a dialing campaign is due, with open calling hours; None: no time is awaited.

    Recipients that could be contacted already are left out: they do not wait for a time.
    """
    gates: dict[int, datetime] = {}
    rules = {}
    for row in (await session.execute(_DIALING)).mappings():
        if (found := readable_rules(row)) is not None:
            rules[row["campaign_id"]] = found
        if row["gate_until"] is not None and row["gate_rule"] != Rule.CALLING_HOURS:
            gates[row["campaign_id"]] = row["gate_until"]
    places = await waiting_places(session, rules, now=now)
    times = (
        max(at, gates.get(each.campaign_id, at)) for each in places if (at := each.next_at(now)) is not None
    )
    return min((at for at in times if at > now), default=None)


async def finished_campaigns(session: AsyncSession) -> list[int]:
    """Return the dialing campaigns without a pending recipient, one in progress, or people to be added to the run."""
    return list((await session.execute(_DONE)).scalars())


async def complete_campaign(session: AsyncSession, *, campaign_id: int, now: datetime) -> bool:
    """End the campaign, or its run if another follows, when all have ended; False if it is not done yet.

    Delivery reports are awaited.
    """
    return await complete_by_system(
        session, campaign_id=campaign_id, reports_since=now - REPORTS_WITHIN, now=now
    )
