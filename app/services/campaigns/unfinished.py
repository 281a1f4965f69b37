"""Files on their way into a campaign: it does not start before all of their people are in."""

from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.models import ContactImport, ImportStatus

_UNDER_WAY: Final = (ImportStatus.QUEUED, ImportStatus.RUNNING)


async def import_under_way(session: AsyncSession, campaign_id: int) -> str | None:
    """Return that a file is still being imported into the campaign, as a reason to wait; None if none is."""
    statement = (
        select(ContactImport)
        .where(col(ContactImport.campaign_id) == campaign_id, col(ContactImport.status).in_(_UNDER_WAY))
        .order_by(col(ContactImport.id))
        .limit(1)
    )
    found = (await session.execute(statement)).scalar_one_or_none()
    if found is None:
        return None
    done = f"{found.rows_done:,} of {found.rows_total:,} rows" if found.rows_total else "not begun yet"
    return f"An import is still running: “{found.file_name}”, {done}. Wait until it has ended, or cancel it."


async def file_not_imported(session: AsyncSession, campaign_id: int) -> str | None:
    """Return the name of the newest file that was uploaded for the campaign and waits for its import."""
    statement = (
        select(col(ContactImport.file_name))
        .where(
            col(ContactImport.campaign_id) == campaign_id,
            col(ContactImport.status) == ImportStatus.UPLOADED,
        )
        .order_by(col(ContactImport.id).desc())
        .limit(1)
    )
    return (await session.execute(statement)).scalar_one_or_none()
