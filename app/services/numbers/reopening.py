"""When a person frees one of our numbers early, the campaigns that wait for a number are asked again."""

from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import sql

_HOLD: Final = text("SELECT id FROM organization WHERE id = :organization_id FOR NO KEY UPDATE")

# Locked campaigns are skipped: the other transaction pauses, cancels, resumes or fills it. It is no dialer.
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
    """Keep the dialers of the organization from reading our numbers until this commits.

    Call it before a number is locked: the dialer locks the organization first, too.
    """
    await session.execute(_HOLD, {"organization_id": organization_id})


async def ask_again(session: AsyncSession, organization_id: int) -> None:
    """Make the campaigns that wait for a number due now, not when the number would have been free by itself.

    Call `hold_dialing` first: then a dialer that read the old state has stored its verdict already.
    """
    await session.execute(_ASK_AGAIN, {"organization_id": organization_id})
