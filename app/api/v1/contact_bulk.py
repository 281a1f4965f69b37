"""Bulk changes of the address book: upsert by number, and change all contacts that match a filter."""

from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.caller import Caller, Keyed, KeyedRoute, Repeatable
from app.api.problems import in_api_names
from app.api.v1.fields import (
    Body,
    Listing,
    Moment,
    PageNumber,
    PageSize,
    Ref,
    RefField,
    RowIds,
    at_most,
    listing,
)
from app.domain.bulk_change import BulkAction, BulkStatus
from app.domain.contact_fields import LENGTHS
from app.domain.contact_filter import EVERYBODY, Condition, ContactFilter, Op, as_json
from app.domain.suppression import SuppressionScope
from app.runtime.jobs import ADVANCE_BULK_CHANGE
from app.services.contacts.bulk import (
    BulkView,
    begin_bulk_change,
    cancel_bulk_change,
    get_bulk_change,
    list_bulk_changes,
)
from app.services.contacts.filter_sql import filter_from
from app.services.contacts.upserting import MOST_ROWS, RowOutcome, upsert_contacts
from app.services.errors import FieldErrors
from app.services.segments.queries import segment_filter
from app.services.suppression.closing import LONGEST_REASON

router = APIRouter(prefix="/contacts", tags=["contacts"], route_class=KeyedRoute)

_FEW = 10
"""How many refusals a list shows for each bulk change."""
_SELECTIONS = ("ids", "filter", "segment_id", "everyone")
_WHOM = "Send one of `ids`, `filter`, `segment_id`, and `everyone`: true."


class UpsertBody(Body):
    """People by their number."""

    contacts: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=MOST_ROWS)] = Field(
        description="As in POST /contacts. Sent values replace existing ones; tags and fields are added.",
        examples=[[{"phone_number": "+15551234567", "name": "John Doe", "tags": ["vip"]}]],
    )


class UpsertedContact(BaseModel):
    """The result for one contact."""

    verdict: RowOutcome
    id: int | None
    phone_number: str
    errors: dict[str, str] = Field(description="If rejected: field -> what to change.")


class UpsertAnswer(BaseModel):
    """The results, in the order of the request."""

    created: int
    updated: int
    unchanged: int
    rejected: int
    contacts: list[UpsertedContact]


class BulkBody(Body):
    """Whom to change, and how."""

    action: BulkAction
    ids: RowIds | None = Field(None, min_length=1, max_length=MOST_ROWS)
    filter: dict[str, Any] | None = Field(
        None, description="As in GET /contacts.", examples=[{"search": "ann"}]
    )
    segment_id: RefField | None = None
    everyone: bool = Field(False, description="The whole address book. Must be set explicitly.")
    expected: int | None = Field(
        None,
        description="How many contacts you expect to match: 409, without any change, if it is another number. "
        "Required to delete everyone.",
    )
    tags: list[str] | None = Field(None, description="For `tag` and `untag`.", examples=[["vip"]])
    scope: SuppressionScope | None = Field(None, description="For `suppress`; `all` if left out.")
    reason: Annotated[str, at_most(LONGEST_REASON)] | None = Field(None, description="For `suppress`.")
    consent: str | None = Field(None, description="For `consent`.")
    consent_scope: str | None = Field(None, description="all (the default), voice or sms.")
    consent_source: Annotated[str, at_most(LENGTHS["consent_source"])] | None = None
    consent_wording: Annotated[str, at_most(LENGTHS["consent_wording"])] | None = None
    consent_evidence: Annotated[str, at_most(LENGTHS["consent_evidence"])] | None = None
    consent_at: str | None = None


class NotChanged(BaseModel):
    """A contact that was not changed, and why."""

    contact_id: int
    phone_number: str
    reason: str


class BulkAnswer(BaseModel):
    """A bulk change and its progress."""

    id: int
    uuid: UUID
    action: BulkAction
    status: BulkStatus
    filter: dict[str, Any]
    arguments: dict[str, Any] = Field(description="The tags, the suppression or the consent.")
    matched: int = Field(description="How many contacts were processed so far.")
    changed: int = Field(description="How many of them were really changed.")
    refused: int
    refusals: list[NotChanged] = Field(description="The first 1,000 contacts that were not changed.")
    created_by: str
    created_at: Moment
    ended_at: Moment | None


@router.post("/upsert", response_model=UpsertAnswer)
async def upsert(body: UpsertBody, caller: Repeatable) -> Response:
    """Add or change up to 1,000 contacts by number. Valid ones are stored; each rejected one has its errors."""

    async def work(session: AsyncSession) -> UpsertAnswer:
        rows = [_row(each) for each in body.contacts]
        verdicts = await upsert_contacts(session, principal=caller.principal, rows=rows, now=caller.now)
        kinds = [row.verdict for row in verdicts]
        counts = {verdict.value: kinds.count(verdict) for verdict in RowOutcome}
        return UpsertAnswer(
            contacts=[
                UpsertedContact(
                    verdict=row.verdict,
                    id=row.contact_id,
                    phone_number=row.number,
                    errors=in_api_names(row.errors),
                )
                for row in verdicts
            ],
            **counts,
        )

    return await caller.once(work, status=HTTPStatus.OK)


@router.post("/bulk", status_code=HTTPStatus.ACCEPTED, response_model=BulkAnswer)
async def bulk(body: BulkBody, caller: Repeatable) -> Response:
    """Tag, untag, suppress, delete or set the consent of the chosen contacts.

    The first thousand are done with the answer; `status` is `running` while there are more.
    """
    begun: list[int] = []

    async def work(session: AsyncSession) -> BulkAnswer:
        sent = body.model_dump(exclude_unset=True, exclude={"action", "expected", *_SELECTIONS})
        view = await begin_bulk_change(
            session,
            principal=caller.principal,
            action=body.action,
            arguments={name: value for name, value in sent.items() if value is not None},
            wanted=await _whom(session, caller, body),
            everyone=body.everyone,
            expected=body.expected,
            now=caller.now,
        )
        if view.status is BulkStatus.RUNNING:
            begun[:] = [view.id]
        return bulk_answer(view)

    response = await caller.once(work, status=HTTPStatus.ACCEPTED)
    for bulk_id in begun:
        await caller.context.queue.hint(ADVANCE_BULK_CHANGE, bulk_id)
    return response


@router.get("/bulk")
async def bulk_changes(
    caller: Keyed, *, page: PageNumber = 1, page_size: PageSize = 25
) -> Listing[BulkAnswer]:
    """List the bulk changes, newest first, each with its first few refusals."""
    async with caller.reading() as session:
        found = await list_bulk_changes(session, principal=caller.principal, page=page, page_size=page_size)
    return listing(found, lambda view: bulk_answer(replace(view, refusals=view.refusals[:_FEW])))


@router.get("/bulk/{bulk_id}")
async def bulk_progress(bulk_id: Ref, caller: Keyed) -> BulkAnswer:
    """Return a bulk change and its progress."""
    async with caller.reading() as session:
        return bulk_answer(await get_bulk_change(session, principal=caller.principal, bulk_ref=bulk_id))


@router.post("/bulk/{bulk_id}/cancel", response_model=BulkAnswer)
async def cancel(bulk_id: Ref, caller: Repeatable) -> Response:
    """Stop the bulk change. Contacts that were changed stay changed."""

    async def work(session: AsyncSession) -> BulkAnswer:
        return bulk_answer(
            await cancel_bulk_change(session, principal=caller.principal, bulk_ref=bulk_id, now=caller.now)
        )

    return await caller.once(work, status=HTTPStatus.OK)


def bulk_answer(view: BulkView) -> BulkAnswer:
    """Return the API's answer for a bulk change."""
    return BulkAnswer(
        id=view.id,
        uuid=view.public_id,
        action=view.action,
        status=view.status,
        filter=as_json(view.wanted),
        arguments=view.arguments,
        matched=view.matched,
        changed=view.changed,
        refused=view.refused,
        refusals=[
            NotChanged(contact_id=one.contact_id, phone_number=one.number, reason=one.reason)
            for one in view.refusals
        ],
        created_by=view.created_by,
        created_at=view.created_at,
        ended_at=view.ended_at,
    )


async def _whom(session: AsyncSession, caller: Caller, body: BulkBody) -> ContactFilter:
    if [body.ids, body.filter, body.segment_id, body.everyone or None].count(None) != len(_SELECTIONS) - 1:
        raise FieldErrors({"filter": _WHOM})
    if body.everyone:
        return EVERYBODY
    if body.ids is not None:
        return ContactFilter((Condition("id", Op.ANY_OF, tuple(body.ids)),))
    if body.segment_id is not None:
        return await segment_filter(session, principal=caller.principal, segment_ref=body.segment_id)
    return filter_from(body.filter, zone=caller.principal.time_zone)


def _row(given: dict[str, Any]) -> dict[str, Any]:
    """Return a row with the field names of the services."""
    row = dict(given)
    if "phone_number" in row:
        row["number"] = row.pop("phone_number")
    return row
