"""Reading segments: the filter, how many people match now, and which campaigns keep adding them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.contact_filter import ContactFilter
from app.domain.contact_filter_reading import read_filter
from app.domain.rights import Right
from app.models import Audience, Campaign, Segment
from app.services.access.principal import Principal, authorize
from app.services.contacts.queries import BoundedCount, count_contacts
from app.services.paging import Page, offset_of
from app.services.refs import Ref, load


@dataclass(frozen=True, slots=True)
class SegmentView:
    """A named filter. `count`: people who match now, up to 10,000; `campaigns`: those that keep adding its people."""

    id: int
    public_id: UUID
    name: str
    wanted: ContactFilter
    count: BoundedCount
    campaigns: tuple[str, ...]
    created_by: str
    created_at: datetime
    updated_at: datetime


async def get_segment(
    session: AsyncSession, *, principal: Principal, segment_ref: Ref, now: datetime
) -> SegmentView:
    """Return a segment with its live count. Raises `NotFound`."""
    authorize(principal, Right.VIEW)
    segment = await load(session, Segment, segment_ref, organization_id=principal.organization_id)
    return await _view(session, principal, segment, now)


async def segment_filter(session: AsyncSession, *, principal: Principal, segment_ref: Ref) -> ContactFilter:
    """Return the filter of a segment. Raises `NotFound`."""
    authorize(principal, Right.VIEW)
    segment = await load(session, Segment, segment_ref, organization_id=principal.organization_id)
    return read_filter(segment.rule)


async def segment_names(session: AsyncSession, *, principal: Principal, most: int) -> list[tuple[int, str]]:
    """Return id and name of the segments by name, without counts."""
    authorize(principal, Right.VIEW)
    named = (
        select(col(Segment.id), col(Segment.name))
        .where(col(Segment.organization_id) == principal.organization_id)
        .order_by(func.lower(col(Segment.name)), col(Segment.id))
        .limit(most)
    )
    return [(row.id, row.name) for row in await session.execute(named)]


async def list_segments(
    session: AsyncSession,
    *,
    principal: Principal,
    search: str = "",
    page: int = 1,
    page_size: int = 25,
    now: datetime,
) -> Page[SegmentView]:
    """Return the segments by name, each with its live count; `search` is a part of the name."""
    authorize(principal, Right.VIEW)
    wanted = [col(Segment.organization_id) == principal.organization_id]
    if words := search.strip():
        wanted.append(func.strpos(func.lower(col(Segment.name)), func.lower(words)) > 0)
    offset, limit = offset_of(page, page_size)
    total = await session.scalar(select(func.count()).select_from(Segment).where(*wanted)) or 0
    named = select(Segment).where(*wanted).order_by(func.lower(col(Segment.name)), col(Segment.id))
    found = list((await session.execute(named.offset(offset).limit(limit))).scalars())
    views = [await _view(session, principal, segment, now) for segment in found]
    return Page(views, total, max(1, page), limit)


async def _view(session: AsyncSession, principal: Principal, segment: Segment, now: datetime) -> SegmentView:
    wanted = read_filter(segment.rule)
    adding = (
        select(col(Campaign.name))
        .join(Audience, col(Audience.campaign_id) == col(Campaign.id))
        .where(col(Audience.segment_id) == segment.id, col(Audience.next_at).is_not(None))
        .distinct()
        .order_by(col(Campaign.name))
    )
    return SegmentView(
        id=segment.id,
        public_id=segment.public_id,
        name=segment.name,
        wanted=wanted,
        count=await count_contacts(session, principal=principal, wanted=wanted, now=now),
        campaigns=tuple((await session.execute(adding)).scalars()),
        created_by=segment.created_by,
        created_at=segment.created_at,
        updated_at=segment.updated_at,
    )
