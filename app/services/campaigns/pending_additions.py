"""People who are still being added to a campaign: it does not start before all of them are in."""

from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.audience import AudienceMode, AudienceStatus
from app.domain.contact_import import ImportStatus
from app.models import Audience, ContactImport

_UNDER_WAY: Final = (ImportStatus.QUEUED, ImportStatus.RUNNING)


async def import_under_way(session: AsyncSession, campaign_id: int) -> str | None:
    """Return the reason to wait while people are still being added to the campaign; None if none are."""
    statement = (
        select(ContactImport)
        .where(col(ContactImport.campaign_id) == campaign_id, col(ContactImport.status).in_(_UNDER_WAY))
        .order_by(col(ContactImport.id))
        .limit(1)
    )
    found = (await session.execute(statement)).scalar_one_or_none()
    if found is None:
        return await _audience_under_way(session, campaign_id)
    done = f"{found.rows_done:,} of {found.rows_total:,} rows" if found.rows_total else "not begun yet"
    return f"An import is still running: “{found.file_name}”, {done}. Wait until it has ended, or cancel it."


async def _audience_under_way(session: AsyncSession, campaign_id: int) -> str | None:
    statement = select(col(Audience.added)).where(
        col(Audience.campaign_id) == campaign_id,
        col(Audience.mode) == AudienceMode.SNAPSHOT,
        col(Audience.status) == AudienceStatus.ADDING,
    )
    added = (await session.execute(statement.limit(1))).scalar_one_or_none()
    if added is None:
        return None
    return f"People of the address book are still being added, {added:,} so far. Wait until that has ended."


async def standing_rule(session: AsyncSession, campaign_id: int) -> bool:
    """Tell whether a rule keeps adding matching people to the campaign."""
    statement = select(col(Audience.id)).where(
        col(Audience.campaign_id) == campaign_id,
        col(Audience.mode) == AudienceMode.STANDING,
        col(Audience.next_at).is_not(None),
    )
    return (await session.execute(statement.limit(1))).first() is not None


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
