"""The names of imports: to choose one, and to show those that other rows refer to."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.rights import Right
from app.models import ContactImport
from app.services.access.principal import Principal, authorize


class NamedImport(NamedTuple):
    """An import by its file's name and the time of the upload: the same file may come twice."""

    id: int
    file_name: str
    created_at: datetime


async def newest_imports(session: AsyncSession, *, principal: Principal, most: int) -> list[NamedImport]:
    """Return the organization's imports, the newest first."""
    authorize(principal, Right.VIEW)
    rows = await session.execute(
        select(col(ContactImport.id), col(ContactImport.file_name), col(ContactImport.created_at))
        .where(col(ContactImport.organization_id) == principal.organization_id)
        .order_by(col(ContactImport.id).desc())
        .limit(most)
    )
    return [NamedImport(*row) for row in rows]


async def import_names(
    session: AsyncSession, *, principal: Principal, ids: Collection[int]
) -> dict[int, str]:
    """Return id -> file name of these imports; those of other organizations are left out."""
    authorize(principal, Right.VIEW)
    rows = await session.execute(
        select(col(ContactImport.id), col(ContactImport.file_name)).where(
            col(ContactImport.organization_id) == principal.organization_id, col(ContactImport.id).in_(ids)
        )
    )
    return {row.id: row.file_name for row in rows}
