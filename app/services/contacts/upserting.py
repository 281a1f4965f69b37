"""Adds and changes many people in one request. Each row is found by its number and has its own result."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.consent import Consent
from app.domain.contact_fields import MOST_TAGS
from app.domain.rights import Right
from app.models import Contact
from app.runtime.live_feed import announce
from app.services.access.principal import Principal, authorize
from app.services.contacts.fields import MOST_FIELDS, consent_moment, read_contact
from app.services.errors import FieldErrors
from app.services.places.contacts import place_columns, place_contacts

MOST_ROWS: Final = 1_000
_AT_ONCE: Final = 25
"""Rows read before other tasks of the event loop may run."""


class RowOutcome(StrEnum):
    """The result of a row."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class UpsertedRow:
    """A row's result; `errors`: field -> what to change, if it was rejected."""

    verdict: RowOutcome
    contact_id: int | None = None
    number: str = ""
    errors: dict[str, str] = field(default_factory=dict)


async def upsert_contacts(
    session: AsyncSession, *, principal: Principal, rows: Sequence[Mapping[str, Any]], now: datetime
) -> list[UpsertedRow]:
    """Add or change one person for each row, by `number`; return the results in order. Valid rows are stored.

    The fields of a row replace those of the card; other fields stay. Tags and own fields are added.
    Raises `FieldErrors` for more than a thousand rows.
    """
    authorize(principal, Right.EDIT_CONTACTS)
    if len(rows) > MOST_ROWS:
        raise FieldErrors({"contacts": f"Send at most {MOST_ROWS:,} at once; these are {len(rows):,}."})
    read = await _read(session, principal, rows)
    known = await _locked(session, principal, [row["number"] for row in read if isinstance(row, dict)])
    added = await _add(
        session, principal, [row for row in read if isinstance(row, dict) and row["number"] not in known], now
    )
    verdicts = [row if isinstance(row, UpsertedRow) else _verdict(row, known, added, now) for row in read]
    await session.flush()
    changed = [row.contact_id for row in verdicts if row.verdict is RowOutcome.UPDATED]
    await place_contacts(session, [contact_id for contact_id in changed if contact_id is not None])
    if any(row.verdict in {RowOutcome.CREATED, RowOutcome.UPDATED} for row in verdicts):
        announce(session, organization_id=principal.organization_id)
    return verdicts


async def _read(
    session: AsyncSession, principal: Principal, rows: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any] | UpsertedRow]:
    """Return valid values for each row, or its rejection."""
    read: list[dict[str, Any] | UpsertedRow] = []
    places: dict[str, int] = {}
    for place, row in enumerate(rows, start=1):
        try:
            values = await read_contact(
                session, row, organization_id=principal.organization_id, number_required=True
            )
            first = places.setdefault(values["number"], place)
            twice = {"number": f"{values['number']} is in contact {first} of this request already."}
            read.append(values if first == place else UpsertedRow(RowOutcome.REJECTED, errors=twice))
        except FieldErrors as refused:
            read.append(UpsertedRow(RowOutcome.REJECTED, errors=refused.errors))
        if place % _AT_ONCE == 0:
            await asyncio.sleep(0)
    return read


async def _locked(session: AsyncSession, principal: Principal, numbers: Sequence[str]) -> dict[str, Contact]:
    """Return the known people, locked in the order of their numbers, as imports do. They can still be dialed."""
    statement = (
        select(Contact)
        .where(col(Contact.organization_id) == principal.organization_id, col(Contact.number).in_(numbers))
        .order_by(col(Contact.number))
        .with_for_update(key_share=True)
    )
    return {contact.number: contact for contact in (await session.execute(statement)).scalars()}


async def _add(
    session: AsyncSession, principal: Principal, rows: Sequence[dict[str, Any]], now: datetime
) -> dict[str, int]:
    """Add the new people and return their ids by number. Those that another request has just added are left out."""
    if not rows:
        return {}
    made = {
        "organization_id": principal.organization_id,
        "source": "manual" if principal.key_id is None else "api",
        "created_at": now,
        "updated_at": now,
    }
    ordered = sorted(rows, key=lambda row: str(row["number"]))
    cards = [
        Contact(**made | row | place | consent_moment(row, Consent.UNKNOWN, now)).model_dump(exclude={"id"})
        for row, place in zip(ordered, await place_columns(session, ordered), strict=True)
    ]
    statement = insert(Contact).on_conflict_do_nothing().returning(col(Contact.number), col(Contact.id))
    added = await session.execute(statement, cards)
    return {row.number: row.id for row in added}


def _verdict(
    row: dict[str, Any], known: Mapping[str, Contact], added: Mapping[str, int], now: datetime
) -> UpsertedRow:
    number = str(row["number"])
    if number in added:
        return UpsertedRow(RowOutcome.CREATED, added[number], number)
    contact = known.get(number)
    if contact is None:
        late = {"number": f"{number} was added by another request at the same moment. Send it again."}
        return UpsertedRow(RowOutcome.REJECTED, number=number, errors=late)
    changes = _changes(contact, row)
    if len(changes.get("tags", ())) > MOST_TAGS or len(changes.get("fields", ())) > MOST_FIELDS:
        full = {"tags": f"A contact has at most {MOST_TAGS} tags and {MOST_FIELDS} fields of its own."}
        return UpsertedRow(RowOutcome.REJECTED, contact.id, number, full)
    for name, value in (changes | consent_moment(changes, contact.consent, now)).items():
        setattr(contact, name, value)
    if not changes:
        return UpsertedRow(RowOutcome.UNCHANGED, contact.id, number)
    contact.updated_at = now
    return UpsertedRow(RowOutcome.UPDATED, contact.id, number)


def _changes(contact: Contact, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that differ from the card."""
    merged = dict(row)
    if "tags" in row:
        merged["tags"] = [*contact.tags, *(tag for tag in row["tags"] if tag not in contact.tags)]
    if "fields" in row:
        merged["fields"] = contact.fields | row["fields"]
    return {name: value for name, value in merged.items() if getattr(contact, name) != value}
