"""Writes the people of a batch as recipients of a campaign, in the file's order."""

from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.recipient import RecipientStatus
from app.models import Campaign
from app.services.campaigns.rows import first_step, latest_run
from app.services.imports.rows.copy_format import NULL, CopyBatch, escaped, with_head
from app.services.imports.store.contact_writer import Saved
from app.services.imports.store.copy import copy_rows
from app.services.imports.store.matching import MatchResult, StandingSuppression

_COPY: Final = (
    "COPY recipient (organization_id, campaign_id, run_id, step_id, import_id, not_before, created_at, updated_at, "
    "attempts_made, contact_id, place_id, position, status, blocked_by, blocked_why, variables) FROM STDIN"
)
_LONGEST_REASON: Final = 500
_PENDING: Final = f"{RecipientStatus.PENDING}\t{NULL}\t{NULL}"


async def add_recipients(
    session: AsyncSession,
    lines: CopyBatch,
    matched: MatchResult,
    saved: Saved,
    *,
    campaign: Campaign,
    import_id: int,
    now: datetime,
) -> int:
    """Add the people who are not in the campaign yet; return how many. The caller has locked the campaign's row.

    People who must not be contacted are added as skipped. The caller has checked `require_editable_list`.
    """
    run, step = await latest_run(session, campaign.id), await first_step(session, campaign.id)
    listed = {index for index, found in matched.found.items() if found.is_listed}
    indexes = [index for index in range(len(lines.cards)) if index not in listed]
    stops = {index: _skipped(found.stop) for index, found in matched.found.items() if found.stop}
    rows = [
        f"{saved.contacts[index]}\t{_place(saved, index)}\t{position}\t{stops.get(index, _PENDING)}"
        f"\t{lines.variables[index]}"
        for position, index in enumerate(indexes, start=campaign.next_position)
    ]
    head = (campaign.organization_id, campaign.id, run.id, step.id, import_id, now, now, now, 0)
    await copy_rows(session, _COPY, with_head(head, rows))
    campaign.next_position += len(rows)
    await session.flush()
    return len(rows)


def _place(saved: Saved, index: int) -> int | str:
    place_id = saved.places[index].id
    return NULL if place_id is None else place_id


def _skipped(stop: StandingSuppression) -> str:
    reason = stop.reason.strip().rstrip(".") or "no reason was given"
    why = f"This number must not be contacted: {reason}."[:_LONGEST_REASON]
    return f"{RecipientStatus.SKIPPED}\tsuppression\t{escaped(why)}"
