"""The script of an attempt's call, and the lines of its transcript."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.models import Attempt, AttemptTurn
from app.providers.script import CallScript, SpokenLine
from app.runtime.live_feed import announce
from app.services.dialing.receive.webhooks import UnknownAttempt


async def script_of(session: AsyncSession, *, attempt_id: UUID) -> CallScript:
    """Return the texts of the attempt's call, as rendered when it was reserved. Raises `UnknownAttempt`."""
    rendered = (
        await session.execute(select(col(Attempt.rendered)).where(col(Attempt.id) == attempt_id))
    ).scalar_one_or_none()
    if rendered is None:
        raise UnknownAttempt(str(attempt_id))
    return CallScript(
        greeting=rendered.get("welcome", ""),
        agenda=rendered.get("agenda", ""),
        question=rendered.get("question") or None,
        closing=rendered.get("closing", ""),
        language=rendered.get("language") or "en-US",
        voice=rendered.get("voice") or None,
    )


async def write_lines(
    session: AsyncSession, *, attempt_id: UUID, lines: Sequence[SpokenLine], now: datetime
) -> None:
    """Add lines to the attempt's transcript; lines that it has already are not changed."""
    said = [line for line in lines if line.text.strip()]
    if not said:
        return
    rows = [
        {
            "attempt_id": attempt_id,
            "dedupe_key": line.key,
            "speaker": line.speaker,
            "text": line.text,
            "at": now,
        }
        for line in said
    ]
    await session.execute(insert(AttemptTurn).values(rows).on_conflict_do_nothing())
    owner = (
        await session.execute(
            select(col(Attempt.organization_id), col(Attempt.campaign_id)).where(
                col(Attempt.id) == attempt_id
            )
        )
    ).one()
    announce(session, organization_id=owner.organization_id, campaign_id=owner.campaign_id)
