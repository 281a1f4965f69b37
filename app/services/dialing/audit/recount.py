"""Recounts a campaign from its rows, and names each contact that is not accounted for, with what is wrong."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.recipient import RecipientStatus
from app.models import sql
from app.services.campaigns.progress import campaign_snapshot
from app.services.dialing.audit.ledger import SPENT

MOST_NAMED: Final = 20
"""Contacts named for one cause; of the others only the number is given."""


@dataclass(frozen=True, slots=True)
class Recount:
    """What a recount of one campaign found."""

    campaign_id: int
    name: str
    contacts: int
    attempts: int
    problems: tuple[str, ...]
    """A sentence for each problem; empty when everybody is accounted for."""


_COUNTS: Final = text(
    """
    SELECT c.name, c.organization_id,
           (SELECT count(*) FROM recipient r WHERE r.campaign_id = c.id) AS contacts,
           (SELECT count(*) FROM attempt a WHERE a.campaign_id = c.id) AS attempts
    FROM campaign c WHERE c.id = :campaign_id
    """
)


async def recount(session: AsyncSession, *, campaign_id: int, now: datetime) -> Recount:
    """Recount one campaign of any organization: for the command line."""
    given = {"campaign_id": campaign_id}
    counts = (await session.execute(_COUNTS, given)).one()
    problems = []
    for cause, query in _CAUSES.items():
        rows = (await session.execute(query, given)).mappings().all()
        problems += list(_named(cause, rows))
    problems += await _shown_otherwise(session, campaign_id, counts.organization_id, now)
    return Recount(campaign_id, counts.name, counts.contacts, counts.attempts, tuple(problems))


def _named(cause: str, rows: Sequence[Mapping[Any, Any]]) -> Iterator[str]:
    for row in rows[:MOST_NAMED]:
        yield f"contact {row['id']} (position {row['position']}) {cause.format(**row)}"
    if len(rows) > MOST_NAMED:
        yield f"{len(rows) - MOST_NAMED} more contacts with the same"


_BY_STATUS: Final = text(
    """
    SELECT status, count(*) AS n FROM recipient
    WHERE campaign_id = :campaign_id
      AND run_id = (SELECT id FROM run WHERE campaign_id = :campaign_id
                    ORDER BY started_at IS NULL, number DESC LIMIT 1)
    GROUP BY status
    """
)


async def _shown_otherwise(
    session: AsyncSession, campaign_id: int, organization_id: int, now: datetime
) -> list[str]:
    """Compare the numbers that the campaign's page shows with a count of its rows."""
    rows = await session.execute(_BY_STATUS, {"campaign_id": campaign_id})
    counted = Counter({RecipientStatus(row.status): row.n for row in rows})
    shown = await campaign_snapshot(
        session, organization_id=organization_id, campaign_id=campaign_id, now=now
    )
    problems = [
        f"the page shows {count} contacts as {status}, there are {counted[status]}"
        for status, count in shown.counts.items()
        if count != counted[status]
    ]
    if shown.total != counted.total():
        problems.append(f"the page shows {shown.total} contacts in all, there are {counted.total()}")
    return problems


def _contacts(columns: str, condition: str, *, source: str = "recipient r") -> TextClause:
    return text(
        f"SELECT r.id, r.position, r.status, {columns} FROM {source}"  # noqa: S608 - constants are put in
        f" WHERE r.campaign_id = :campaign_id AND ({condition}) ORDER BY r.position, r.id"
    )


_HISTORY: Final = """
    (SELECT t.recipient_id,
            min(t.old) FILTER (WHERE t.first) AS began_as,
            min(t.new) FILTER (WHERE t.last) AS ended_as,
            bool_or(t.before IS NOT NULL AND t.before <> t.old) AS broken
     FROM (SELECT t.recipient_id, t.old, t.new, lag(t.new) OVER by_id AS before,
                  lag(t.id) OVER by_id IS NULL AS first, lead(t.id) OVER by_id IS NULL AS last
           FROM recipient_transition t JOIN recipient r ON r.id = t.recipient_id
           WHERE r.campaign_id = :campaign_id
           WINDOW by_id AS (PARTITION BY t.recipient_id ORDER BY t.id)) t
     GROUP BY t.recipient_id)
"""
_WITH_HISTORY: Final = f"recipient r LEFT JOIN {_HISTORY} h ON h.recipient_id = r.id"
_WITH_COUNTS: Final = f"""
    recipient r
    LEFT JOIN LATERAL (
        SELECT count(*) FILTER (WHERE {SPENT}) AS spent,
               count(*) FILTER (WHERE a.status IN {sql.LIVE}) AS live,
               count(*) FILTER (WHERE a.disposition IS NOT NULL OR a.status = 'sent') AS told,
               (array_agg(a.id ORDER BY a.ordinal DESC))[1] AS newest
        FROM attempt a WHERE a.recipient_id = r.id) a ON true
    JOIN campaign c ON c.id = r.campaign_id
"""  # noqa: S608 - constants are put in
_WITH_ATTEMPTS: Final = "recipient r JOIN attempt a ON a.recipient_id = r.id"

_CAUSES: Final[Mapping[str, TextClause]] = {
    "has a history in which a step does not follow from the one before": _contacts(
        "0 AS detail", "h.broken", source=_WITH_HISTORY
    ),
    "is {status}, its history ends with {detail}": _contacts(
        "h.ended_as AS detail", "h.ended_as IS NOT NULL AND h.ended_as <> r.status", source=_WITH_HISTORY
    ),
    "is {status} without any step that made it so": _contacts(
        "0 AS detail",
        f"h.recipient_id IS NULL AND r.status NOT IN {sql.ADDED_AS}",
        source=_WITH_HISTORY,
    ),
    "has a history that begins as {detail}": _contacts(
        "h.began_as AS detail", f"h.began_as NOT IN {sql.ADDED_AS}", source=_WITH_HISTORY
    ),
    "shows {shown} attempts, its attempts make {detail}": _contacts(
        "r.attempts_made AS shown, a.spent AS detail", "r.attempts_made <> a.spent", source=_WITH_COUNTS
    ),
    "names another attempt as its last than the newest": _contacts(
        "0 AS detail", "r.last_attempt_id IS DISTINCT FROM a.newest", source=_WITH_COUNTS
    ),
    "is in progress, and no attempt goes on": _contacts(
        "0 AS detail", "r.status = 'in_progress' AND a.live = 0 AND a.told = 0", source=_WITH_COUNTS
    ),
    "has {detail} attempts going on at once": _contacts(
        "a.live AS detail", "a.live > 1", source=_WITH_COUNTS
    ),
    "still waits as {status}, though its campaign is {detail}": _contacts(
        "c.status AS detail",
        f"c.status = 'completed' AND r.status IN {sql.OPEN}"
        " OR c.status = 'cancelled' AND r.status = 'pending'",
        source=_WITH_COUNTS,
    ),
    "is {status}, and no attempt ended so": _contacts(
        "0 AS detail",
        f"r.status IN {sql.ENDED_BY_ATTEMPT} AND a.told = 0 AND r.blocked_by IS NULL",
        source=_WITH_COUNTS,
    ),
    "is skipped, and nothing says why": _contacts(
        "0 AS detail",
        "r.status = 'skipped' AND r.blocked_by IS NULL AND h.recipient_id IS NULL",
        source=_WITH_HISTORY,
    ),
    "has an attempt that is {detail} and has no id of the carrier": _contacts(
        "a.status AS detail",
        f"a.provider_id IS NULL AND a.status IN {sql.THE_CARRIERS}",
        source=_WITH_ATTEMPTS,
    ),
    "has an attempt that is booked on campaign {detail}": _contacts(
        "a.campaign_id AS detail", "a.campaign_id <> r.campaign_id", source=_WITH_ATTEMPTS
    ),
}
"""Sentence -> query for the contacts it is true of. `{status}` is the contact's, `{detail}` the cause's own."""
