"""Segments: named filters of the address book."""

from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.caller import Caller, Keyed, KeyedRoute, Repeatable
from app.api.v1.contacts import ContactListing, PageOfPeople, people_of
from app.api.v1.fields import Body, Listing, Moment, PageNumber, PageSize, Ref, Search, at_most, listing
from app.domain.contact_filter import as_json
from app.services.segments.operations import create_segment, delete_segment, update_segment
from app.services.segments.queries import SegmentView, get_segment, list_segments, segment_filter

router = APIRouter(prefix="/segments", tags=["segments"], route_class=KeyedRoute)

_VIPS = {"match": "all", "conditions": [{"field": "tags", "op": "any_of", "value": ["vip"]}]}


class SegmentBody(Body):
    """The fields of a segment."""

    name: Annotated[str, at_most(200)] | None = None
    filter: dict[str, Any] | None = Field(None, description="As in GET /contacts.", examples=[_VIPS])


class NewSegment(SegmentBody):
    """A new segment: a name, and a filter that is not empty."""

    name: Annotated[str, at_most(200)] = Field(examples=["VIPs we have not called this week"])
    filter: dict[str, Any] = Field(description="As in GET /contacts.", examples=[_VIPS])


class SegmentAnswer(BaseModel):
    """A named filter."""

    id: int
    uuid: UUID
    name: str
    filter: dict[str, Any]
    count: int = Field(description="How many contacts are in it now; counting stops at 10,000.")
    more_than_count: bool = Field(description="There are more than `count`.")
    campaigns: list[str] = Field(description="Campaigns that keep adding its contacts.")
    created_by: str
    created_at: Moment
    updated_at: Moment


@router.get("")
async def index(
    caller: Keyed, *, search: Search = "", page: PageNumber = 1, page_size: PageSize = 25
) -> Listing[SegmentAnswer]:
    """List the segments by name. `search` is a part of the name."""
    async with caller.reading() as session:
        found = await list_segments(
            session,
            principal=caller.principal,
            search=search,
            page=page,
            page_size=page_size,
            now=caller.now,
        )
    return listing(found, segment_answer)


@router.post("", status_code=HTTPStatus.CREATED, response_model=SegmentAnswer)
async def create(body: NewSegment, caller: Repeatable) -> Response:
    """Create a segment."""

    async def work(session: AsyncSession) -> SegmentAnswer:
        segment_id = await create_segment(
            session, principal=caller.principal, changes=_changes(body), now=caller.now
        )
        return await _shown(session, caller, str(segment_id))

    return await caller.once(work)


@router.get("/{segment_id}")
async def show(segment_id: Ref, caller: Keyed) -> SegmentAnswer:
    """Return a segment with its present number of contacts."""
    async with caller.reading() as session:
        return await _shown(session, caller, segment_id)


@router.patch("/{segment_id}", response_model=SegmentAnswer)
@router.put("/{segment_id}", response_model=SegmentAnswer)
async def change(segment_id: Ref, body: SegmentBody, caller: Repeatable) -> Response:
    """Rename a segment or replace its filter."""

    async def work(session: AsyncSession) -> SegmentAnswer:
        await update_segment(
            session,
            principal=caller.principal,
            segment_ref=segment_id,
            changes=_changes(body),
            now=caller.now,
        )
        return await _shown(session, caller, segment_id)

    return await caller.once(work, status=HTTPStatus.OK)


@router.delete("/{segment_id}", status_code=HTTPStatus.NO_CONTENT)
async def delete(segment_id: Ref, caller: Repeatable) -> Response:
    """Delete a segment. Its contacts stay. 409 while a campaign keeps adding them."""
    return await caller.gone_once(
        lambda session: delete_segment(session, principal=caller.principal, segment_ref=segment_id)
    )


@router.get("/{segment_id}/contacts")
async def contacts(segment_id: Ref, caller: Keyed, page: PageOfPeople) -> ContactListing:
    """List the present contacts of a segment, as GET /contacts does."""
    async with caller.reading() as session:
        wanted = await segment_filter(session, principal=caller.principal, segment_ref=segment_id)
        return await people_of(session, caller, wanted, page)


def segment_answer(view: SegmentView) -> SegmentAnswer:
    """Return the API's answer for a segment."""
    return SegmentAnswer(
        id=view.id,
        uuid=view.public_id,
        name=view.name,
        filter=as_json(view.wanted),
        count=view.count.count,
        more_than_count=view.count.more,
        campaigns=list(view.campaigns),
        created_by=view.created_by,
        created_at=view.created_at,
        updated_at=view.updated_at,
    )


def _changes(body: SegmentBody) -> dict[str, Any]:
    sent = body.sent()
    return sent | ({"filter": sent["filter"] or {}} if "filter" in sent else {})


async def _shown(session: AsyncSession, caller: Caller, segment_ref: str) -> SegmentAnswer:
    return segment_answer(
        await get_segment(session, principal=caller.principal, segment_ref=segment_ref, now=caller.now)
    )
