"""The address book as it is read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped
from sqlmodel import col

from app.domain.attempt import Disposition
from app.domain.campaign import Channel
from app.domain.phone import pretty
from app.domain.recipient import RecipientStatus
from app.domain.rights import Right
from app.models import Campaign, Contact, Recipient
from app.services.access.principal import Principal, authorize
from app.services.contacts.searching import LOWER_NAME, matches_search
from app.services.errors import NotFound
from app.services.fields import row_id
from app.services.paging import Page, offset_of
from app.services.suppression.queries import SuppressionView, suppressed_scopes, suppressions_of

_LONGEST_HISTORY: Final = 200

SORTS: Final[dict[str, ColumnElement[Any] | Mapped[Any]]] = {
    "created": col(Contact.id),
    "name": LOWER_NAME,
    "number": col(Contact.number),
}
"""What the list may be sorted by; each is answered by an index."""


@dataclass(frozen=True, slots=True)
class ContactRow:
    """A person in the list. `suppressed`: some channel is closed."""

    id: int
    number: str
    pretty: str
    name: str
    email: str
    company: str
    tags: list[str]
    suppressed: bool
    campaigns_count: int
    last_disposition: Disposition | None
    last_contacted_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ContactHistoryRow:
    """A campaign the person is or was in. `at`: the last attempt, or when they were added."""

    campaign_id: int
    campaign_name: str
    at: datetime
    channel: Channel
    status: RecipientStatus
    disposition: Disposition | None


@dataclass(frozen=True, slots=True)
class ContactDetail:
    """A person's whole card. `suppression`: every one there is or was, newest first."""

    row: ContactRow
    first_name: str
    last_name: str
    time_zone: str
    language: str
    country: str
    state: str
    notes: str
    fields: dict[str, str]
    source: str
    updated_at: datetime
    history: list[ContactHistoryRow]
    suppression: list[SuppressionView]


@dataclass(frozen=True, slots=True)
class _Past:
    """What campaigns did with a contact so far."""

    campaigns: int = 0
    last_at: datetime | None = None
    last_disposition: Disposition | None = None


async def list_contacts(
    session: AsyncSession,
    *,
    principal: Principal,
    search: str = "",
    page: int = 1,
    page_size: int = 50,
    sort: str = "created",
    descending: bool = True,
) -> Page[ContactRow]:
    """Return a page of the address book.

    `search` finds names and numbers that start with it. `sort` is a key of `SORTS`, else `created`.
    """
    authorize(principal, Right.VIEW)
    wanted = [col(Contact.organization_id) == principal.organization_id]
    if search.strip():
        wanted.append(matches_search(search))
    key = SORTS.get(sort, SORTS["created"])
    order = [key, col(Contact.id)] if sort in SORTS and sort != "created" else [key]
    offset, limit = offset_of(page, page_size)
    statement = select(Contact).where(*wanted).order_by(*(one.desc() if descending else one for one in order))
    contacts = list((await session.execute(statement.offset(offset).limit(limit))).scalars())
    total = await session.scalar(select(func.count()).select_from(Contact).where(*wanted)) or 0
    return Page(await _rows(session, principal.organization_id, contacts), total, max(1, page), limit)


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
    [row] = await _rows(session, principal.organization_id, [contact])
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
        source=contact.source,
        updated_at=contact.updated_at,
        history=await _history(session, contact),
        suppression=await suppressions_of(session, principal=principal, number=contact.number),
    )


async def _rows(session: AsyncSession, organization_id: int, contacts: Sequence[Contact]) -> list[ContactRow]:
    """Complete one page of contacts with two more queries, whatever its size."""
    numbers = [contact.number for contact in contacts]
    suppressed = await suppressed_scopes(session, organization_id=organization_id, numbers=numbers)
    past = await _past(session, [contact.id for contact in contacts])
    return [
        _row(contact, contact.number in suppressed, past.get(contact.id, _Past())) for contact in contacts
    ]


def _row(contact: Contact, suppressed: bool, past: _Past) -> ContactRow:  # noqa: FBT001  # private
    return ContactRow(
        id=contact.id,
        number=contact.number,
        pretty=pretty(contact.number),
        name=contact.name,
        email=contact.email,
        company=contact.company,
        tags=contact.tags,
        suppressed=suppressed,
        campaigns_count=past.campaigns,
        last_disposition=past.last_disposition,
        last_contacted_at=past.last_at,
        created_at=contact.created_at,
    )


async def _past(session: AsyncSession, contact_ids: Sequence[int]) -> dict[int, _Past]:
    mine = col(Recipient.contact_id).in_(contact_ids)
    counted = (
        select(col(Recipient.contact_id), func.count(col(Recipient.campaign_id).distinct()))
        .where(mine)
        .group_by(col(Recipient.contact_id))
    )
    newest = (
        select(col(Recipient.contact_id), col(Recipient.last_attempt_at), col(Recipient.last_disposition))
        .where(mine, col(Recipient.last_attempt_at).is_not(None))
        .ext(distinct_on(col(Recipient.contact_id)))
        .order_by(col(Recipient.contact_id), col(Recipient.last_attempt_at).desc())
    )
    last = {contact_id: (at, disposition) for contact_id, at, disposition in await session.execute(newest)}
    return {
        contact_id: _Past(campaigns, *last.get(contact_id, (None, None)))
        for contact_id, campaigns in await session.execute(counted)
    }


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
