"""Campaigns that wait until one of our numbers is free are asked again when a person frees one before its time."""

from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import sql

_HOLD: Final = text("SELECT id FROM organization WHERE id = :organization_id FOR NO KEY UPDATE")

# Who else holds a campaign's row is about to pause, cancel or resume it, or adds people to it: not a dialer.
_ASK_AGAIN: Final = text(
    f"""
    UPDATE campaign SET gate_until = NULL
    WHERE id IN (SELECT id FROM campaign
                 WHERE organization_id = :organization_id AND status IN {sql.DIALING}
                   AND gate_rule = 'caller_id' AND gate_until IS NOT NULL
                 ORDER BY id FOR NO KEY UPDATE SKIP LOCKED)
    """  # noqa: S608 - a constant is put in, nothing a caller gives
)


async def hold_dialing(session: AsyncSession, organization_id: int) -> None:
    """Let no dialer of the organization look at our numbers until this commits.

    To be called before a number is locked: the dialer locks the organization first, too.
    """
    await session.execute(_HOLD, {"organization_id": organization_id})


async def ask_again(session: AsyncSession, organization_id: int) -> None:
    """Let the campaigns that wait for a number be asked at once, not when the number would have been free by itself.

    For a caller of `hold_dialing`: a dialer that still saw the number as it was has written its verdict by now.
    """
    await session.execute(_ASK_AGAIN, {"organization_id": organization_id})
