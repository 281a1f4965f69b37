"""The address book."""

import json
from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.caller import Caller, Keyed, KeyedRoute, Repeatable
from app.api.v1.fields import Body, Moment, PageSize, RowId, Search
from app.api.v1.suppressions import SuppressionAnswer, suppression_answer
from app.domain.contact_filter import ContactFilter
from app.models import Consent
from app.services.access.principal import Principal
from app.services.contacts.filtering import filter_from
from app.services.contacts.operations import create_contact, update_contact
from app.services.contacts.queries import (
    ContactDetail,
    ContactPage,
    ContactRow,
    Counted,
    count_contacts,
    get_contact,
    list_contacts,
)
from app.services.contacts.ways import Sort
from app.services.errors import FieldErrors

router = APIRouter(prefix="/contacts", tags=["contacts"], route_class=KeyedRoute)

Filter = Annotated[
    str,
    Query(
        alias="filter",
        max_length=20_000,
        description='A filter as JSON: `{"match": "all", "conditions": [{"field", "op", "value"}]}`.',
        examples=['{"conditions": [{"field": "tags", "op": "any_of", "value": ["vip"]}]}'],
    ),
]
Cursor = Annotated[str, Query(max_length=4_000, description="`next_cursor` or `previous_cursor` of a page.")]


class ContactBody(Body):
    """What may be said of a person."""

    phone_number: str | None = Field(None, examples=["+15551234567"])
    name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    company: str | None = None
    time_zone: str | None = None
    language: str | None = None
    country: str | None = None
    state: str | None = None
    notes: str | None = None
    tags: list[str] | None = None
    fields_: dict[str, Any] | None = Field(
        None, alias="fields", description="Fields of your own: template variables of campaigns."
    )


class NewContact(ContactBody):
    """A person: `phone_number` is needed."""

    phone_number: str = Field(examples=["+15551234567"])


class ContactItem(BaseModel):
    """A person in the address book."""

    id: int
    phone_number: str
    name: str
    email: str
    company: str
    tags: list[str]
    suppressed: bool = Field(description="Some channel is closed.")
    campaigns_count: int
    last_outcome: str | None
    last_contacted_at: Moment | None
    consent: Consent
    created_at: Moment


class ContactListing(BaseModel):
    """Some people, and where those after and before them are."""

    items: list[ContactItem]
    next_cursor: str | None = Field(description="Send it as `cursor` for the next page; null on the last.")
    previous_cursor: str | None = Field(description="Send it as `cursor` for the page before.")
    total: int = Field(description="How many match, counted up to 10,000.")
    more_than_total: bool = Field(description="There are more than `total`.")
    sort: Sort
    descending: bool


class PastCampaign(BaseModel):
    """A campaign the person is or was in."""

    campaign_id: int
    campaign_name: str
    at: Moment
    channel: str
    status: str
    outcome: str | None


class ContactAnswer(ContactItem):
    """A person's whole card."""

    first_name: str
    last_name: str
    time_zone: str
    language: str
    country: str
    state: str
    notes: str
    fields_: dict[str, str] = Field(serialization_alias="fields")
    source: str
    updated_at: Moment
    history: list[PastCampaign]
    suppressions: list[SuppressionAnswer]


@router.get("")
async def index(
    caller: Keyed,
    *,
    search: Search = "",
    wanted: Filter = "",
    sort: Sort | None = None,
    descending: bool | None = None,
    cursor: Cursor = "",
    limit: PageSize = 50,
) -> ContactListing:
    """List people by a search and a filter, a page at a time."""
    people = chosen(caller.principal, wanted, search)
    async with caller.reading() as session:
        page = await list_contacts(
            session,
            principal=caller.principal,
            wanted=people,
            sort=sort,
            descending=descending,
            cursor=cursor,
            limit=limit,
            now=caller.now,
        )
        total = await count_contacts(session, principal=caller.principal, wanted=people, now=caller.now)
    return contact_listing(page, total)


@router.post("", status_code=HTTPStatus.CREATED, response_model=ContactAnswer)
async def create(body: NewContact, caller: Repeatable) -> Response:
    """Add a person."""

    async def work(session: AsyncSession) -> ContactAnswer:
        contact_id = await create_contact(
            session, principal=caller.principal, changes=_changes(body), now=caller.now
        )
        return await _shown(session, caller, contact_id)

    return await caller.once(work)


@router.get("/{contact_id}")
async def show(contact_id: RowId, caller: Keyed) -> ContactAnswer:
    """Return a person's card with their campaigns and suppressions."""
    async with caller.reading() as session:
        return await _shown(session, caller, contact_id)


@router.patch("/{contact_id}")
@router.put("/{contact_id}")
async def change(contact_id: RowId, body: ContactBody, caller: Keyed) -> ContactAnswer:
    """Change a person's card; what is not sent stays as it is. Campaigns go on saying what was imported."""
    async with caller.writing() as session:
        await update_contact(
            session,
            principal=caller.principal,
            contact_id=contact_id,
            changes=_changes(body),
            now=caller.now,
        )
        return await _shown(session, caller, contact_id)


def contact_item(row: ContactRow) -> ContactItem:
    """Return a person of a list."""
    return ContactItem(**_item(row))


def contact_listing(page: ContactPage, total: Counted) -> ContactListing:
    """Return a page of people."""
    return ContactListing(
        items=[contact_item(row) for row in page.items],
        next_cursor=page.next or None,
        previous_cursor=page.previous or None,
        total=total.count,
        more_than_total=total.more,
        sort=page.sort,
        descending=page.descending,
    )


def chosen(principal: Principal, wanted: str, search: str) -> ContactFilter:
    """Return the filter of a query string, with a search beside it. Raises `FieldErrors`."""
    try:
        given = json.loads(wanted) if wanted.strip() else {}
    except ValueError as error:
        raise FieldErrors({"filter": f"This is not JSON: {error}."}) from error
    found = filter_from(given, zone=principal.time_zone)
    return replace(found, search=" ".join(search.split())) if search else found


def _item(row: ContactRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "phone_number": row.number,
        "name": row.name,
        "email": row.email,
        "company": row.company,
        "tags": row.tags,
        "suppressed": row.suppressed,
        "campaigns_count": row.campaigns_count,
        "last_outcome": row.last_outcome,
        "last_contacted_at": row.last_contacted_at,
        "consent": row.consent,
        "created_at": row.created_at,
    }


def _changes(body: ContactBody) -> dict[str, Any]:
    changes = body.model_dump(exclude_unset=True, by_alias=True)
    if "phone_number" in changes:
        changes["number"] = changes.pop("phone_number")
    return changes


async def _shown(session: AsyncSession, caller: Caller, contact_id: int) -> ContactAnswer:
    return _answer(await get_contact(session, principal=caller.principal, contact_id=contact_id))


def _answer(card: ContactDetail) -> ContactAnswer:
    return ContactAnswer(
        **_item(card.row),
        first_name=card.first_name,
        last_name=card.last_name,
        time_zone=card.time_zone,
        language=card.language,
        country=card.country,
        state=card.state,
        notes=card.notes,
        fields_=card.fields,
        source=card.source,
        updated_at=card.updated_at,
        history=[
            PastCampaign(
                campaign_id=past.campaign_id,
                campaign_name=past.campaign_name,
                at=past.at,
                channel=past.channel,
                status=past.status,
                outcome=past.disposition,
            )
            for past in card.history
        ],
        suppressions=[suppression_answer(view) for view in card.suppression],
    )
