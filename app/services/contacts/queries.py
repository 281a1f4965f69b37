"""Reading the address book."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.attempt import Disposition
from app.domain.campaign import Channel
from app.domain.consent import Consent, ConsentScope
from app.domain.contact_filter import EVERYBODY, ContactFilter
from app.domain.phone import pretty
from app.domain.places import Confidence, ZoneSource, confidence
from app.domain.recipient import RecipientStatus
from app.domain.rights import Right
from app.models import Campaign, Contact, Place, Recipient
from app.services.access.principal import Principal, authorize
from app.services.contacts.cursors import read_cursor
from app.services.contacts.index_scans import Sort
from app.services.contacts.paging import ListOrder, count_statement, page_statement
from app.services.errors import NotFound
from app.services.field_readers import row_id
from app.services.paging import MAX_PAGE_SIZE
from app.services.suppression.queries import SuppressionView, suppressed_scopes, suppressions_of

_LONGEST_HISTORY: Final = 200

MOST_COUNTED: Final = 10_000


@dataclass(frozen=True, slots=True)
class ContactRow:
    """A person in the list. `suppressed`: on at least one channel."""

    id: int
    number: str
    pretty: str
    name: str
    email: str
    company: str
    tags: list[str]
    suppressed: bool
    campaigns_count: int
    last_outcome: Disposition | None
    last_contacted_at: datetime | None
    consent: Consent
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ContactHistoryRow:
    """A campaign of the person. `at`: the last attempt, or when they were added."""

    campaign_id: int
    campaign_name: str
    at: datetime
    channel: Channel
    status: RecipientStatus
    disposition: Disposition | None


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a person may be: `zones`, in all of which calling hours must hold, what tells them, and how certain."""

    zones: tuple[str, ...]
    """Empty: not known, and each campaign assumes its own."""
    number_zones: tuple[str, ...]
    """What the phone number alone says."""
    laws: tuple[str, ...]
    """Whose legal hours apply: `US`, `US-FL`, `GB`."""
    source: ZoneSource
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class ContactHold:
    """No campaign contacts the person before `until`."""

    until: datetime
    reason: str
    by: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class ContactDetail:
    """A person's whole card. `suppression`: all of the number, lifted ones too, newest first."""

    row: ContactRow
    first_name: str
    last_name: str
    time_zone: str
    language: str
    country: str
    state: str
    notes: str
    fields: dict[str, str]
    consent_scope: ConsentScope
    consent_source: str
    consent_wording: str
    consent_evidence: str
    consent_at: datetime | None
    source: str
    import_id: int | None
    updated_at: datetime
    where: Whereabouts | None
    """None: not resolved yet, and not contacted until then."""
    hold: ContactHold | None
    """The newest hold, also one that is over; None: there was none, or it was lifted."""
    history: list[ContactHistoryRow]
    suppression: list[SuppressionView]


@dataclass(frozen=True, slots=True)
class ContactPage:
    """A page of people, and the cursors of the next and the previous page ("": there is none)."""

    items: list[ContactRow]
    next: str
    previous: str
    sort: Sort
    descending: bool


@dataclass(frozen=True, slots=True)
class BoundedCount:
    """A count up to a limit."""

    count: int
    more: bool = False
    """There are more than `count`."""

    def __str__(self) -> str:
        """Return `1,234`, or `10,000+`."""
        return f"{self.count:,}{'+' if self.more else ''}"


async def list_contacts(
    session: AsyncSession,
    *,
    principal: Principal,
    wanted: ContactFilter = EVERYBODY,
    sort: Sort | None = None,
    descending: bool | None = None,
    cursor: str = "",
    limit: int = 50,
    now: datetime,
) -> ContactPage:
    """Return one page of the people that match a filter; without a cursor the first.

    Without a sort, the order in which an index serves the filter is used (`natural_sort`; `index_scans` lists these
    filters). A cursor keeps the order of its page. Raises `FieldErrors` for a wrong cursor.
    """
    authorize(principal, Right.VIEW)
    after = read_cursor(cursor)
    size = max(1, min(limit, MAX_PAGE_SIZE))
    order = (
        ListOrder.of(wanted, sort, descending) if after is None else ListOrder(after.sort, after.descending)
    )
    statement = page_statement(
        wanted, organization_id=principal.organization_id, now=now, order=order, after=after, limit=size + 1
    )
    found = [(contact, str(key)) for contact, key in await session.execute(statement)]
    more, found = len(found) > size, found[:size]
    backwards = after is not None and after.backwards
    if backwards:
        found.reverse()
    items = await rows_of(session, principal.organization_id, [contact for contact, _ in found])
    places = [(key, contact.id) for contact, key in found] or ([(after.key, after.row_id)] if after else [])
    return ContactPage(
        items=items,
        next=order.cursor(places[-1]) if (more or backwards) and places else "",
        previous=order.cursor(places[0], backwards=True) if (more if backwards else after) and places else "",
        sort=order.sort,
        descending=order.descending,
    )


NO_END: Final = 2**62
"""As `most`: count all."""


async def count_contacts(
    session: AsyncSession,
    *,
    principal: Principal,
    wanted: ContactFilter = EVERYBODY,
    most: int = MOST_COUNTED,
    now: datetime,
) -> BoundedCount:
    """Count the people that match a filter, and stop at `most`: shown as `10,000+`."""
    authorize(principal, Right.VIEW)
    statement = count_statement(wanted, organization_id=principal.organization_id, now=now, most=most)
    count = (await session.execute(statement)).scalar_one()
    return BoundedCount(min(count, most), more=count > most)


async def get_contact(session: AsyncSession, *, principal: Principal, contact_id: int) -> ContactDetail:
    """Return a person's card, with their campaigns and suppressions. Raises `NotFound`."""
    authorize(principal, Right.VIEW)
    statement = select(Contact).where(
        col(Contact.id) == row_id(contact_id),
        col(Contact.organization_id) == principal.organization_id,
    )
    contact = (await session.execute(statement)).scalar_one_or_none()
    if contact is None:
        raise NotFound("contact", contact_id)
    [row] = await rows_of(session, principal.organization_id, [contact])
    return ContactDetail(
        row=row,
        first_name=contact.first_name,
        last_name=contact.last_name,
        time_zone=contact.time_zone,
        language=contact.language,
        country=contact.country,
        state=contact.state,
        notes=contact.notes,
        fields=contact.fields,
        consent_scope=ConsentScope(contact.consent_scope or ConsentScope.ALL),
        consent_source=contact.consent_source,
        consent_wording=contact.consent_wording,
        consent_evidence=contact.consent_evidence,
        consent_at=contact.consent_at,
        source=contact.source,
        import_id=contact.import_id,
        updated_at=contact.updated_at,
        where=await _where(session, contact),
        hold=_hold(contact),
        history=await _history(session, contact),
        suppression=await suppressions_of(session, principal=principal, number=contact.number),
    )


def _hold(contact: Contact) -> ContactHold | None:
    if contact.held_until is None:
        return None
    return ContactHold(contact.held_until, contact.held_reason, contact.held_by, contact.held_at)


async def _where(session: AsyncSession, contact: Contact) -> Whereabouts | None:
    place = await session.get(Place, contact.place_id) if contact.place_id is not None else None
    if place is None:
        return None
    source = ZoneSource(contact.zone_source)
    return Whereabouts(
        zones=tuple(place.zones),
        number_zones=tuple(place.number_zones),
        laws=tuple(place.laws),
        source=source,
        confidence=confidence(source, place.zones),
    )


async def rows_of(
    session: AsyncSession, organization_id: int, contacts: Sequence[Contact]
) -> list[ContactRow]:
    """Return the rows of one page of contacts. It takes two more queries, whatever the page's size."""
    numbers = [contact.number for contact in contacts]
    suppressed = await suppressed_scopes(session, organization_id=organization_id, numbers=numbers)
    campaigns = await _campaigns(session, [contact.id for contact in contacts])
    return [
        _row(contact, is_suppressed=contact.number in suppressed, campaigns=campaigns.get(contact.id, 0))
        for contact in contacts
    ]


def _row(contact: Contact, *, is_suppressed: bool, campaigns: int) -> ContactRow:
    return ContactRow(
        id=contact.id,
        number=contact.number,
        pretty=pretty(contact.number),
        name=contact.name,
        email=contact.email,
        company=contact.company,
        tags=contact.tags,
        suppressed=is_suppressed,
        campaigns_count=campaigns,
        last_outcome=contact.last_outcome,
        last_contacted_at=contact.last_contacted_at,
        consent=contact.consent,
        created_at=contact.created_at,
    )


async def _campaigns(session: AsyncSession, contact_ids: Sequence[int]) -> dict[int, int]:
    """Return the number of campaigns of each contact, ended ones too."""
    counted = (
        select(col(Recipient.contact_id), func.count(col(Recipient.campaign_id).distinct()))
        .where(col(Recipient.contact_id).in_(contact_ids))
        .group_by(col(Recipient.contact_id))
    )
    return {row[0]: row[1] for row in await session.execute(counted)}


async def _history(session: AsyncSession, contact: Contact) -> list[ContactHistoryRow]:
    at = func.coalesce(col(Recipient.last_attempt_at), col(Recipient.created_at))
    statement = (
        select(
            col(Campaign.id),
            col(Campaign.name),
            at,
            col(Campaign.channel),
            col(Recipient.status),
            col(Recipient.last_disposition),
        )
        .join(Campaign, col(Campaign.id) == col(Recipient.campaign_id))
        .where(col(Recipient.contact_id) == contact.id)
        .order_by(at.desc(), col(Recipient.id).desc())
        .limit(_LONGEST_HISTORY)
    )
    return [ContactHistoryRow(*row) for row in await session.execute(statement)]
