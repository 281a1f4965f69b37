"""Adds and changes single contacts. Files are imported by `imports`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.consent import Consent
from app.domain.rights import Right
from app.models import Contact
from app.services.access.principal import Principal, authorize
from app.services.contacts.fields import consent_moment, read_contact
from app.services.errors import FieldErrors, NotFound
from app.services.field_readers import row_id
from app.services.places.contacts import place_columns, place_contacts


async def create_contact(
    session: AsyncSession,
    *,
    principal: Principal,
    changes: Mapping[str, Any],
    now: datetime,
    source: str = "manual",
) -> int:
    """Add a person and return their id. `source` is the origin shown on the card.

    `number` is required; `name`, `first_name`, `last_name`, `email`, `company`, `time_zone`, `language`,
    `country`, `state`, `notes`, `tags`, `fields`, `consent` and `consent_source`, `consent_wording`,
    `consent_evidence`, `consent_at` are optional. Raises `FieldErrors`, also for a number
    that is known already.
    """
    authorize(principal, Right.EDIT_CONTACTS)
    organization_id = principal.organization_id
    values = await read_contact(session, changes, organization_id=organization_id, number_required=True)
    made = {"organization_id": organization_id, "source": source, "created_at": now, "updated_at": now}
    row: dict[str, Any] = made | values | consent_moment(values, Consent.UNKNOWN, now)
    [place] = await place_columns(session, [row])
    defaults = Contact(**row, **place).model_dump(exclude={"id"})
    statement = insert(Contact).values(defaults).on_conflict_do_nothing().returning(col(Contact.id))
    added = (await session.execute(statement)).scalar_one_or_none()
    if added is None:
        raise _number_taken(values["number"])
    return added


async def update_contact(
    session: AsyncSession, *, principal: Principal, contact_id: int, changes: Mapping[str, Any], now: datetime
) -> None:
    """Change a person's card. The values in campaigns stay as they were imported.

    Raises `NotFound`, and `FieldErrors`, also for a number that is another contact's.
    """
    authorize(principal, Right.EDIT_CONTACTS)
    organization_id = principal.organization_id
    contact = await _load(session, contact_id, organization_id)
    values = await read_contact(session, changes, organization_id=organization_id, number_required=False)
    if "number" in values and await _is_taken(session, values["number"], contact):
        raise _number_taken(values["number"])
    for field, value in (values | consent_moment(values, contact.consent, now)).items():
        setattr(contact, field, value)
    contact.updated_at = now
    await session.flush()
    await place_contacts(session, [contact.id])


async def _load(session: AsyncSession, contact_id: int, organization_id: int) -> Contact:
    statement = (
        select(Contact)
        .where(col(Contact.id) == row_id(contact_id), col(Contact.organization_id) == organization_id)
        .with_for_update()
    )
    found = (await session.execute(statement)).scalar_one_or_none()
    if found is None:
        raise NotFound("contact", contact_id)
    return found


async def _is_taken(session: AsyncSession, number: str, contact: Contact) -> bool:
    statement = select(col(Contact.id)).where(
        col(Contact.organization_id) == contact.organization_id,
        col(Contact.number) == number,
        col(Contact.id) != contact.id,
    )
    return await session.scalar(statement) is not None


def _number_taken(number: str) -> FieldErrors:
    return FieldErrors({"number": f"{number} is in the address book already."})
