"""Reads a field with the id of a phone number of the organization."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.models import PhoneNumber
from app.services.errors import NotFound
from app.services.field_readers import ChangeReader, Unacceptable
from app.services.refs import load


async def read_active_number(
    session: AsyncSession, reader: ChangeReader, field: str, *, organization_id: int
) -> None:
    """Read the id (integer or UUID) of an active number of the organization; null or empty is no number."""

    async def find(ref: object) -> int | None:
        if ref is None or ref == "":
            return None
        number = await _find(session, ref, organization_id)
        if number is None:
            raise Unacceptable("There is no such number. Choose one of yours.")
        if not number.active:
            raise Unacceptable(f"{number.number} is not active. Activate it first, or choose another.")
        return number.id

    await reader.look_up(field, find)


async def _find(session: AsyncSession, ref: object, organization_id: int) -> PhoneNumber | None:
    if isinstance(ref, bool) or not isinstance(ref, int | str | UUID):
        return None
    try:
        return await load(session, PhoneNumber, ref, organization_id=organization_id)
    except NotFound:
        return None
