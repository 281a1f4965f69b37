"""Exports the address book as CSV, with the filter and the order of its list."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.contact_filter import EVERYBODY, ContactFilter
from app.domain.rights import Right
from app.models import Contact
from app.services.access.principal import Principal, authorize
from app.services.contacts.cursors import Cursor
from app.services.contacts.filter_sql import where
from app.services.contacts.index_scans import Sort
from app.services.contacts.paging import ListOrder, page_statement
from app.services.suppression.queries import suppressed_scopes
from app.services.tabular.csv_text import BYTE_ORDER_MARK, csv_rows

_PAGE: Final = 1_000
_MOST_OWN_FIELDS: Final = 200

HEADERS: Final = (
    *("phone_number", "name", "first_name", "last_name", "email", "company", "time_zone", "language"),
    *(
        "country",
        "state",
        "notes",
        "tags",
        "consent",
        "consent_scope",
        "consent_source",
        "consent_wording",
        "consent_evidence",
    ),
    *("consent_at", "suppressed", "last_outcome", "last_contacted_at", "source", "created_at"),
)
"""The columns before the organization's own fields. A field with the name of a column is written `field.name`."""


@dataclass(frozen=True, slots=True)
class _Export:
    principal: Principal
    wanted: ContactFilter
    order: ListOrder
    own: Sequence[str]
    now: datetime


async def address_book_csv(
    session: AsyncSession,
    *,
    principal: Principal,
    wanted: ContactFilter = EVERYBODY,
    sort: Sort | None = None,
    descending: bool | None = None,
    now: datetime,
) -> AsyncIterator[str]:
    """Return the people that match a filter, in the order of the list. Times are in the organization's zone.

    The session may be committed between two pieces: no lock or cursor is held.
    """
    authorize(principal, Right.EXPORT)
    own = await _own_fields(session, principal, wanted, now)
    return _pieces(session, _Export(principal, wanted, ListOrder.of(wanted, sort, descending), own, now))


async def _own_fields(
    session: AsyncSession, principal: Principal, wanted: ContactFilter, now: datetime
) -> list[str]:
    """Return the names of all own fields of these people, sorted."""
    names = (
        select(func.jsonb_object_keys(col(Contact.fields)).label("name"))
        .where(*where(wanted, principal.organization_id, now))
        .subquery()
    )
    statement = select(names.c.name).distinct().order_by(names.c.name).limit(_MOST_OWN_FIELDS)
    return list((await session.execute(statement)).scalars())


async def _pieces(session: AsyncSession, export: _Export) -> AsyncIterator[str]:
    yield BYTE_ORDER_MARK + csv_rows(
        [[*HEADERS, *(f"field.{name}" if name in HEADERS else name for name in export.own)]]
    )
    zone, after = ZoneInfo(export.principal.time_zone), None
    while page := await _page(session, export, after):
        numbers = [contact.number for contact, _ in page]
        closed = await suppressed_scopes(
            session, organization_id=export.principal.organization_id, numbers=numbers
        )
        yield csv_rows(
            [
                *_cells(contact, zone, " ".join(sorted(closed.get(contact.number, ())))),
                *_own(contact, export.own),
            ]
            for contact, _ in page
        )
        last, place = page[-1]
        after = Cursor(export.order.sort, export.order.descending, place, last.id)


async def _page(session: AsyncSession, export: _Export, after: Cursor | None) -> list[tuple[Contact, str]]:
    statement = page_statement(
        export.wanted,
        organization_id=export.principal.organization_id,
        now=export.now,
        order=export.order,
        after=after,
        limit=_PAGE,
    )
    return [(contact, str(place)) for contact, place in await session.execute(statement)]


def _cells(contact: Contact, zone: ZoneInfo, closed: str) -> list[str]:
    return [
        contact.number,
        contact.name,
        contact.first_name,
        contact.last_name,
        contact.email,
        contact.company,
        contact.time_zone,
        contact.language,
        contact.country,
        contact.state,
        contact.notes,
        ", ".join(contact.tags),
        contact.consent,
        contact.consent_scope,
        contact.consent_source,
        contact.consent_wording,
        contact.consent_evidence,
        _time(contact.consent_at, zone),
        closed,
        contact.last_outcome or "",
        _time(contact.last_contacted_at, zone),
        contact.source,
        _time(contact.created_at, zone),
    ]


def _own(contact: Contact, names: Sequence[str]) -> list[str]:
    return ["" if (value := contact.fields.get(name)) is None else str(value) for name in names]


def _time(at: datetime | None, zone: ZoneInfo) -> str:
    return "" if at is None else at.astimezone(zone).isoformat(timespec="seconds")
