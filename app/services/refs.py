"""Ids as callers give them: the integer or the UUID of a row. Both are accepted everywhere."""

from collections.abc import Mapping
from typing import Final, TypeVar
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.models import Agent, BulkChange, Campaign, ContactImport, PhoneNumber, Segment
from app.services.errors import NotFound

Referable = TypeVar("Referable", Agent, BulkChange, Campaign, ContactImport, PhoneNumber, Segment)

Ref = int | str | UUID

_MAX_BIGINT = 2**63 - 1

_WORDS: Final[Mapping[type[object], str]] = {
    Agent: "agent",
    BulkChange: "bulk change",
    Campaign: "campaign",
    ContactImport: "import",
    PhoneNumber: "number",
    Segment: "segment",
}


async def load(
    session: AsyncSession,
    model: type[Referable],
    ref: Ref,
    *,
    organization_id: int,
    lock: bool = False,
) -> Referable:
    """Return the organization's row with that id. Raises `NotFound`, also if another organization has it."""
    statement = select_ref(model, ref, organization_id=organization_id)
    if statement is not None:
        found = (
            await session.execute(statement.with_for_update() if lock else statement)
        ).scalar_one_or_none()
        if found is not None:
            return found
    raise NotFound(_WORDS[model], ref)


def select_ref(model: type[Referable], ref: Ref, *, organization_id: int) -> Select[Referable] | None:
    """Return the SELECT for an id in either form; None if the text is neither an integer nor a UUID."""
    scoped = select(model).where(col(model.organization_id) == organization_id)
    try:
        if isinstance(ref, int) or str(ref).isdecimal():
            number = int(ref)
            return scoped.where(col(model.id) == number) if 0 < number <= _MAX_BIGINT else None
        return scoped.where(col(model.public_id) == (ref if isinstance(ref, UUID) else UUID(ref)))
    except ValueError:
        return None
