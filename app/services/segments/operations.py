"""Creating, changing and deleting segments: filters of the address book with a name."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.campaign import OVER
from app.domain.contact_filter import as_json
from app.domain.rights import Right
from app.models import Audience, Campaign, Segment
from app.services.access.principal import Principal, authorize
from app.services.contacts.filter_sql import filter_from
from app.services.errors import Conflict, FieldErrors
from app.services.field_readers import ChangeReader
from app.services.refs import Ref, load

_LONGEST_NAME: Final = 200
LEAVES_NOBODY_OUT: Final = (
    "This filter means everybody. Give it a condition, or the start of a name or number."
)


class SegmentInUse(Conflict):
    """A campaign keeps adding the people of the segment."""

    def __init__(self, name: str, campaign: str) -> None:
        super().__init__(
            f"The campaign “{campaign}” keeps adding the people of “{name}”. End that in the campaign first."
        )


async def create_segment(
    session: AsyncSession, *, principal: Principal, changes: Mapping[str, Any], now: datetime
) -> int:
    """Store a filter (`filter`, as JSON) under a name (`name`) and return the segment's id.

    Raises `FieldErrors`, also for a filter that everybody matches: such a segment has no use.
    """
    authorize(principal, Right.EDIT_CONTACTS)
    values = _read(principal, {"name": None, "filter": {}} | dict(changes))
    await _require_free(session, principal, values["name"], but=0)
    segment = Segment(
        organization_id=principal.organization_id,
        created_by=principal.actor,
        created_at=now,
        updated_at=now,
        **values,
    )
    session.add(segment)
    await session.flush()
    return segment.id


async def update_segment(
    session: AsyncSession,
    *,
    principal: Principal,
    segment_ref: Ref,
    changes: Mapping[str, Any],
    now: datetime,
) -> None:
    """Rename a segment, change its filter, or both. Campaigns that keep adding its people use the new filter.

    Raises `NotFound` and `FieldErrors`.
    """
    authorize(principal, Right.EDIT_CONTACTS)
    segment = await load(session, Segment, segment_ref, organization_id=principal.organization_id, lock=True)
    values = _read(principal, changes)
    if "name" in values:
        await _require_free(session, principal, values["name"], but=segment.id)
    for field, value in values.items():
        setattr(segment, field, value)
    segment.updated_at = now
    await session.flush()


async def delete_segment(session: AsyncSession, *, principal: Principal, segment_ref: Ref) -> None:
    """Delete a segment; its people stay. Raises `NotFound`, and `SegmentInUse` naming the campaign.

    Additions made with it before keep their own copy of the filter.
    """
    authorize(principal, Right.EDIT_CONTACTS)
    segment = await load(session, Segment, segment_ref, organization_id=principal.organization_id, lock=True)
    used = (
        select(col(Campaign.name))
        .join(Audience, col(Audience.campaign_id) == col(Campaign.id))
        .where(col(Audience.segment_id) == segment.id, col(Audience.next_at).is_not(None))
        .order_by(col(Audience.id))
        .limit(1)
    )
    scheduled = (
        select(col(Campaign.name))
        .where(
            col(Campaign.organization_id) == principal.organization_id,
            col(Campaign.recurring_config)["segment_id"].astext == str(segment.id),
            col(Campaign.status).not_in(OVER),
        )
        .order_by(col(Campaign.id))
        .limit(1)
    )
    if (campaign := await session.scalar(used) or await session.scalar(scheduled)) is not None:
        raise SegmentInUse(segment.name, campaign)
    over = update(Audience).where(col(Audience.segment_id) == segment.id)
    await session.execute(over.values(segment_id=None, rule=segment.rule))
    await session.delete(segment)
    await session.flush()


def _read(principal: Principal, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return valid values for the columns. Raises `FieldErrors`; problems in the filter are named by their path."""
    reader = ChangeReader(changes)
    reader.text("name", label="The name", most=_LONGEST_NAME, required=True)
    if reader.has("filter"):
        try:
            wanted = filter_from(reader.take("filter"), zone=principal.time_zone)
            if not wanted:
                reader.refuse("filter", LEAVES_NOBODY_OUT)
            reader.values["rule"] = as_json(wanted)
        except FieldErrors as invalid:
            for field, message in invalid.errors.items():
                reader.refuse(field, message)
    return reader.finish()


async def _require_free(session: AsyncSession, principal: Principal, name: str, *, but: int) -> None:
    """Raise `FieldErrors` if another segment has the name, in any case."""
    taken = select(col(Segment.id)).where(
        col(Segment.organization_id) == principal.organization_id,
        func.lower(col(Segment.name)) == func.lower(name),
        col(Segment.id) != but,
    )
    if await session.scalar(taken) is not None:
        raise FieldErrors({"name": f"There is a segment “{name}” already."})
