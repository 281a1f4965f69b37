"""The address book."""

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.caller import Caller, Keyed, KeyedRoute, Repeatable
from app.api.files import csv_file
from app.api.v1.fields import Body, Moment, PageSize, RowId, Search, at_most
from app.api.v1.suppressions import SuppressionAnswer, suppression_answer
from app.domain.consent import Consent, ConsentScope
from app.domain.contact_fields import LENGTHS
from app.domain.contact_filter import ContactFilter
from app.domain.places import Confidence, ZoneSource
from app.domain.suppression import SuppressionScope
from app.services.contacts.deleting import delete_contact
from app.services.contacts.exporting import address_book_csv
from app.services.contacts.filter_sql import chosen
from app.services.contacts.history import HistoryKind, contact_history
from app.services.contacts.holding import LONGEST_REASON as LONGEST_HOLD_REASON
from app.services.contacts.holding import hold_contact, lift_hold
from app.services.contacts.index_scans import Sort
from app.services.contacts.operations import create_contact, update_contact
from app.services.contacts.queries import (
    ContactDetail,
    ContactHold,
    ContactRow,
    Whereabouts,
    count_contacts,
    get_contact,
    list_contacts,
)
from app.services.suppression.closing import LONGEST_REASON
from app.services.suppression.operations import suppress_contact

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


@dataclass(frozen=True, slots=True)
class Paging:
    """Query parameters: which page of contacts, in which order."""

    sort: Sort | None = None
    descending: bool | None = None
    cursor: Cursor = ""
    limit: PageSize = 50


PageOfPeople = Annotated[Paging, Depends(Paging)]


class ContactBody(Body):
    """The fields of a contact."""

    phone_number: str | None = Field(None, examples=["+15551234567"])
    name: Annotated[str, at_most(LENGTHS["name"])] | None = None
    first_name: Annotated[str, at_most(LENGTHS["first_name"])] | None = None
    last_name: Annotated[str, at_most(LENGTHS["last_name"])] | None = None
    email: Annotated[str, at_most(LENGTHS["email"])] | None = None
    company: Annotated[str, at_most(LENGTHS["company"])] | None = None
    time_zone: Annotated[str, at_most(LENGTHS["time_zone"])] | None = None
    language: Annotated[str, at_most(LENGTHS["language"])] | None = None
    country: Annotated[str, at_most(LENGTHS["country"])] | None = None
    state: Annotated[str, at_most(LENGTHS["state"])] | None = None
    notes: Annotated[str, at_most(LENGTHS["notes"])] | None = None
    tags: list[str] | None = None
    fields_: dict[str, Any] | None = Field(
        None,
        alias="fields",
        description="Fields of your own: template variables of campaigns.",
        examples=[{"deal_stage": "proposal"}],
    )
    consent: Consent | None = Field(None, description="What the person agreed to.")
    consent_scope: ConsentScope | None = Field(
        None,
        description="The channels that a granted consent is for. Marketing needs consent for its channel.",
    )
    consent_source: Annotated[str, at_most(LENGTHS["consent_source"])] | None = Field(
        None, examples=["web form"]
    )
    consent_wording: Annotated[str, at_most(LENGTHS["consent_wording"])] | None = Field(
        None, description="The exact wording that they agreed to."
    )
    consent_evidence: Annotated[str, at_most(LENGTHS["consent_evidence"])] | None = Field(
        None, description="Where the proof is: a link, a file, an id."
    )
    consent_at: str | None = Field(None, description="ISO 8601 with an offset; now, if left out.")


class NewContact(ContactBody):
    """A new contact. `phone_number` is required."""

    phone_number: str = Field(examples=["+15551234567"])


class ContactItem(BaseModel):
    """A person in the address book."""

    id: int
    phone_number: str
    name: str
    email: str
    company: str
    tags: list[str]
    suppressed: bool = Field(description="At least one channel is suppressed.")
    campaigns_count: int
    last_outcome: str | None
    last_contacted_at: Moment | None
    consent: Consent
    created_at: Moment


class ContactListing(BaseModel):
    """A page of contacts, with cursors for the next and the previous page."""

    items: list[ContactItem]
    next_cursor: str | None = Field(description="Send it as `cursor` for the next page; null on the last.")
    previous_cursor: str | None = Field(description="Send it as `cursor` for the previous page.")
    total: int = Field(description="How many contacts match; counting stops at 10,000.")
    more_than_total: bool = Field(description="More than `total` match.")
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


class WhereAnswer(BaseModel):
    """Where a contact may be."""

    zones: list[str] = Field(
        description="IANA names. Calling hours must hold in all of them; none: each campaign assumes its own."
    )
    source: ZoneSource = Field(
        description="What tells the zones: the contact's own `time_zone`, its state or country, its postcode, its "
        "phone number; `assumed`: nothing."
    )
    confidence: Confidence
    number_zones: list[str] = Field(description="What the phone number alone says.")
    laws: list[str] = Field(description="Whose legal hours apply: `US`, `US-FL`, `GB`. All must hold.")


class ContactHoldAnswer(BaseModel):
    """No campaign contacts this person before `until`."""

    until: Moment
    reason: str
    by: str
    at: Moment | None = Field(description="When it was set.")


class ContactAnswer(ContactItem):
    """A contact with all fields."""

    first_name: str
    last_name: str
    time_zone: str
    language: str
    country: str
    state: str
    notes: str
    fields_: dict[str, str] = Field(serialization_alias="fields")
    consent_scope: ConsentScope
    consent_source: str
    consent_wording: str
    consent_evidence: str
    consent_at: Moment | None
    source: str
    import_id: int | None = Field(description="The import that created the contact.")
    where: WhereAnswer | None = Field(description="null for a moment after an upgrade: not contacted yet.")
    updated_at: Moment
    hold: ContactHoldAnswer | None = Field(description="The hold that stands; null: none.")
    history: list[PastCampaign]
    suppressions: list[SuppressionAnswer]


class HistoryEntry(BaseModel):
    """One event in a contact's history."""

    kind: HistoryKind
    at: Moment
    ref: str = Field(description="The id of the attempt, contact in a campaign, import or suppression.")
    campaign_id: int | None
    campaign_name: str
    channel: str
    status: str
    outcome: str
    detail: str
    actor: str


class HistoryListing(BaseModel):
    """A page of a contact's history."""

    items: list[HistoryEntry]
    next_cursor: str | None = Field(description="Send it as `cursor` for earlier entries.")


class HoldBody(Body):
    """Until when not to contact a person, and why."""

    until: str = Field(
        description="ISO 8601 with an offset; or a date, which is its 00:00 where the person is, else in the "
        "organization's time zone.",
        examples=["2027-05-12", "2027-05-12T09:00:00-04:00"],
    )
    reason: Annotated[str, at_most(LONGEST_HOLD_REASON)] = ""


class NeverBody(Body):
    """Which channels to suppress, and why."""

    scope: SuppressionScope = SuppressionScope.ALL
    reason: Annotated[str, at_most(LONGEST_REASON)] = ""


@router.get("")
async def index(
    caller: Keyed,
    *,
    search: Search = "",
    wanted: Filter = "",
    page: PageOfPeople,
) -> ContactListing:
    """List people by a search and a filter, a page at a time.

    `search` finds the beginning of names, of their last words, and of numbers. A filter's conditions have a
    `field` (any of the contact's, `fields.<name>`, `tags`, `last_outcome`, `last_contacted_at`, `suppressed`, `source`,
    `import_id`, `campaign_id`, `campaign_status` …), an `op` (`is`, `is_not`, `contains`, `not_contains`,
    `starts_with`, `empty`, `not_empty`, `any_of`, `all_of`, `none_of`, `before`, `after`, `between`, `within_days`,
    `not_within_days`) and a `value`; `match` is `all` or `any`.

    Fast in an address book of any size, in the default sort: the search; `name` is or starts with; `phone_number`
    starts with; `last_outcome`; `last_contacted_at`; `import_id`; `created_at`; `id`. `tags` and `suppressed` use an
    index without a sort. Other conditions scan in the order of the page: the fewer contacts match, the longer they
    take. With 1,000,000 contacts that is a tenth of a second instead of a hundredth.
    """
    people = chosen(wanted, search, zone=caller.principal.time_zone)
    async with caller.reading() as session:
        return await people_of(session, caller, people, page)


@router.get("/export.csv", response_class=StreamingResponse)
async def export(
    caller: Keyed,
    *,
    search: Search = "",
    wanted: Filter = "",
    sort: Sort | None = None,
    descending: bool | None = None,
) -> StreamingResponse:
    """Return all contacts that match a search and a filter as CSV, in the order of the list."""
    people = chosen(wanted, search, zone=caller.principal.time_zone)
    return await csv_file(
        caller.context.database,
        "contacts.csv",
        lambda session: address_book_csv(
            session,
            principal=caller.principal,
            wanted=people,
            sort=sort,
            descending=descending,
            now=caller.now,
        ),
    )


@router.post("", status_code=HTTPStatus.CREATED, response_model=ContactAnswer)
async def create(body: NewContact, caller: Repeatable) -> Response:
    """Add a person."""

    async def work(session: AsyncSession) -> ContactAnswer:
        contact_id = await create_contact(
            session, principal=caller.principal, changes=_changes(body), now=caller.now, source="api"
        )
        return await _shown(session, caller, contact_id)

    return await caller.once(work)


@router.get("/{contact_id}")
async def show(contact_id: RowId, caller: Keyed) -> ContactAnswer:
    """Return a contact with their campaigns and suppressions."""
    async with caller.reading() as session:
        return await _shown(session, caller, contact_id)


@router.patch("/{contact_id}", response_model=ContactAnswer)
@router.put("/{contact_id}", response_model=ContactAnswer)
async def change(contact_id: RowId, body: ContactBody, caller: Repeatable) -> Response:
    """Change a contact. Fields that are not sent stay as they are. Campaigns keep using the imported values."""

    async def work(session: AsyncSession) -> ContactAnswer:
        await update_contact(
            session,
            principal=caller.principal,
            contact_id=contact_id,
            changes=_changes(body),
            now=caller.now,
        )
        return await _shown(session, caller, contact_id)

    return await caller.once(work, status=HTTPStatus.OK)


@router.delete("/{contact_id}", status_code=HTTPStatus.NO_CONTENT)
async def delete(contact_id: RowId, caller: Repeatable) -> Response:
    """Delete a contact that was never in a campaign. Suppressions of the number stay.

    409 if the contact is or was in a campaign, whose record is evidence. Suppress the number instead.
    """
    return await caller.gone_once(
        lambda session: delete_contact(session, principal=caller.principal, contact_id=contact_id)
    )


@router.get("/{contact_id}/history")
async def history(
    contact_id: RowId, caller: Keyed, *, cursor: Cursor = "", limit: PageSize = 50
) -> HistoryListing:
    """List a contact's history in all campaigns and channels, newest first."""
    async with caller.reading() as session:
        page = await contact_history(
            session, principal=caller.principal, contact_id=contact_id, cursor=cursor, limit=limit
        )
    return HistoryListing(
        items=[HistoryEntry.model_validate(item, from_attributes=True) for item in page.items],
        next_cursor=page.next or None,
    )


@router.post("/{contact_id}/suppress", status_code=HTTPStatus.CREATED, response_model=ContactAnswer)
async def suppress(contact_id: RowId, body: NeverBody, caller: Repeatable) -> Response:
    """Suppress this contact's number. `POST /suppressions/{id}/lift` reverses it."""

    async def work(session: AsyncSession) -> ContactAnswer:
        card = await get_contact(session, principal=caller.principal, contact_id=contact_id)
        await suppress_contact(
            session,
            principal=caller.principal,
            number=card.row.number,
            scope=body.scope,
            reason=body.reason,
            now=caller.now,
        )
        return await _shown(session, caller, contact_id)

    return await caller.once(work)


@router.put("/{contact_id}/hold", response_model=ContactAnswer)
async def hold(contact_id: RowId, body: HoldBody, caller: Repeatable) -> Response:
    """Let no campaign contact this person before a time. It replaces an earlier hold, and spends no attempt.

    A contact who waits in a campaign gets that time as the next one; one who is added later waits as well.
    """

    async def work(session: AsyncSession) -> ContactAnswer:
        await hold_contact(
            session,
            principal=caller.principal,
            contact_id=contact_id,
            until=body.until,
            reason=body.reason,
            now=caller.now,
        )
        return await _shown(session, caller, contact_id)

    return await caller.once(work, status=HTTPStatus.OK)


@router.delete("/{contact_id}/hold", status_code=HTTPStatus.NO_CONTENT)
async def lift(contact_id: RowId, caller: Repeatable) -> Response:
    """Lift the hold: the contact is due again in the campaigns in which they waited for it. 409 without a hold."""
    return await caller.gone_once(
        lambda session: lift_hold(session, principal=caller.principal, contact_id=contact_id, now=caller.now)
    )


async def people_of(
    session: AsyncSession, caller: Caller, wanted: ContactFilter, page: Paging
) -> ContactListing:
    """Return a page of the contacts that match a filter, and their number."""
    found = await list_contacts(
        session,
        principal=caller.principal,
        wanted=wanted,
        sort=page.sort,
        descending=page.descending,
        cursor=page.cursor,
        limit=page.limit,
        now=caller.now,
    )
    total = await count_contacts(session, principal=caller.principal, wanted=wanted, now=caller.now)
    return ContactListing(
        items=[ContactItem(**_item(row)) for row in found.items],
        next_cursor=found.next or None,
        previous_cursor=found.previous or None,
        total=total.count,
        more_than_total=total.more,
        sort=found.sort,
        descending=found.descending,
    )


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
    card = await get_contact(session, principal=caller.principal, contact_id=contact_id)
    return _answer(card, now=caller.now)


def _where(where: Whereabouts | None) -> WhereAnswer | None:
    if where is None:
        return None
    return WhereAnswer(
        zones=list(where.zones),
        source=where.source,
        confidence=where.confidence,
        number_zones=list(where.number_zones),
        laws=list(where.laws),
    )


def _answer(card: ContactDetail, *, now: datetime) -> ContactAnswer:
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
        consent_scope=card.consent_scope,
        consent_source=card.consent_source,
        consent_wording=card.consent_wording,
        consent_evidence=card.consent_evidence,
        consent_at=card.consent_at,
        source=card.source,
        import_id=card.import_id,
        where=_where(card.where),
        updated_at=card.updated_at,
        hold=_hold_answer(card.hold, now=now),
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


def _hold_answer(hold: ContactHold | None, *, now: datetime) -> ContactHoldAnswer | None:
    if hold is None or hold.until <= now:
        return None
    return ContactHoldAnswer(until=hold.until, reason=hold.reason, by=hold.by, at=hold.at)
