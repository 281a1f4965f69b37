"""The address book."""

from enum import StrEnum
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.caller import Caller, Keyed, KeyedRoute, Repeatable
from app.api.v1.fields import Body, Listing, Moment, PageNumber, PageSize, RowId, Search, listing
from app.api.v1.suppressions import SuppressionAnswer, suppression_answer
from app.services.contacts.operations import create_contact, update_contact
from app.services.contacts.queries import ContactDetail, ContactRow, get_contact, list_contacts

router = APIRouter(prefix="/contacts", tags=["contacts"], route_class=KeyedRoute)


class ContactSort(StrEnum):
    """What the address book may be sorted by."""

    CREATED = "created"
    NAME = "name"
    NUMBER = "phone_number"


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
    created_at: Moment


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
    sort: ContactSort = ContactSort.CREATED,
    descending: bool | None = None,
    page: PageNumber = 1,
    page_size: PageSize = 50,
) -> Listing[ContactItem]:
    """List people, the newest first. `search` finds names and numbers that begin with it."""
    async with caller.reading() as session:
        found = await list_contacts(
            session,
            principal=caller.principal,
            search=search,
            page=page,
            page_size=page_size,
            sort="number" if sort is ContactSort.NUMBER else sort.value,
            descending=sort is ContactSort.CREATED if descending is None else descending,
        )
    return listing(found, contact_item)


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
        "last_outcome": row.last_disposition,
        "last_contacted_at": row.last_contacted_at,
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
