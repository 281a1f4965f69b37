"""Is every contact accounted for? Counted from the rows of all organizations, for `callsheet doctor`.

These checks are cheap enough to run at any time. `audit.recount` runs all of them and names the contacts.
"""

from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import sql

SPENT: Final = f"""
    a.status <> 'not_placed'
    AND NOT (a.failure IS NOT DISTINCT FROM 'misconfigured' AND a.answered_at IS NULL)
    AND NOT (a.hang_up_why <> '' AND a.ended_as IS NOT DISTINCT FROM 'cancelled'
             AND a.ringing_at IS NULL AND a.answered_at IS NULL)
    AND (a.channel = 'sms' AND a.failure = 'tomorrow' AND a.disposition IN {sql.DROPPED}
         AND a.ended_at >= a.closes_at - interval '5 seconds') IS NOT TRUE
    AND NOT (a.disposition IS NOT DISTINCT FROM 'rejected' AND a.failure IS NOT DISTINCT FROM 'sender_health'
             AND a.sip_code IS DISTINCT FROM 607
             AND NOT EXISTS (SELECT 1 FROM attempt earlier
                             WHERE earlier.recipient_id = a.recipient_id AND earlier.ordinal < a.ordinal
                               AND earlier.failure = 'sender_health'))
"""  # noqa: S608 - a constant is put in, nothing a caller gives
"""Condition: attempt `a` counts against its recipient's attempts.

Not counted: not placed, refused because of our settings or our number, taken back before it rang, or dropped when our
hours ended (`unspent`)."""

_CHECKS: Final = {
    "{n} contacts of ended campaigns are still waiting, as in campaign {campaign_id}": f"""
        SELECT count(*) AS n, min(c.id) AS campaign_id
        FROM recipient r JOIN campaign c ON c.id = r.campaign_id
        WHERE c.status = 'completed' AND r.status IN {sql.OPEN}
           OR c.status = 'cancelled' AND r.status = 'pending'
    """,  # noqa: S608 - a constant is put in, nothing a caller gives
    "{n} contacts are in progress without an attempt that goes on, as in campaign {campaign_id}": """
        SELECT count(*) AS n, min(r.campaign_id) AS campaign_id FROM recipient r
        WHERE r.status = 'in_progress'
          AND NOT EXISTS (SELECT 1 FROM attempt a WHERE a.id = r.last_attempt_id AND a.ended_as IS NULL
                                                    AND a.status <> 'not_placed')
    """,
    "{n} contacts have more than one attempt going on, as in campaign {campaign_id}": f"""
        SELECT count(*) AS n, min(campaign_id) AS campaign_id FROM (
            SELECT recipient_id, min(campaign_id) AS campaign_id FROM attempt
            WHERE status IN {sql.LIVE}
            GROUP BY recipient_id HAVING count(*) > 1) twice
    """,  # noqa: S608 - a constant is put in, nothing a caller gives
    "{n} contacts show another number of attempts than the ledger has, as in campaign {campaign_id}": f"""
        SELECT count(*) AS n, min(r.campaign_id) AS campaign_id FROM recipient r
        WHERE r.attempts_made <> (SELECT count(*) FROM attempt a WHERE a.recipient_id = r.id AND {SPENT})
    """,  # noqa: S608 - a constant is put in
    "{n} calls at the carrier are bound to two attempts, as in campaign {campaign_id}": """
        SELECT count(*) AS n, min(campaign_id) AS campaign_id FROM (
            SELECT provider_id, min(campaign_id) AS campaign_id FROM attempt WHERE provider_id IS NOT NULL
            GROUP BY carrier_account_id, provider_id HAVING count(*) > 1) twice
    """,
}

_COUNT: Final = text(
    "SELECT (SELECT count(*) FROM recipient) AS contacts, (SELECT count(*) FROM attempt) AS attempts"
)


async def unaccounted(session: AsyncSession) -> list[str]:
    """Return each problem as a sentence; empty when every contact is accounted for."""
    problems = []
    for sentence, query in _CHECKS.items():
        row = (await session.execute(text(query))).one()
        if row.n:
            problems.append(sentence.format(n=row.n, campaign_id=row.campaign_id))
    return problems


async def accounted(session: AsyncSession) -> tuple[int, int]:
    """Return how many recipients and attempts there are in all."""
    row = (await session.execute(_COUNT)).one()
    return row.contacts, row.attempts
