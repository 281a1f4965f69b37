"""Locks an attempt with its recipient, and reads its campaign's retry settings: every outcome is decided by these."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, LiteralString, TypeVar
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.attempt import AttemptProgress, AttemptStatus, Disposition
from app.domain.campaign import CampaignStatus, Channel
from app.domain.events import AnsweredBy, EventKind, FailureClass
from app.domain.recipient import RecipientStatus
from app.domain.retry import RETRY_COLUMNS, RetryPolicy
from app.domain.text import storable
from app.runtime.database import quickly
from app.services.dialing.settle.batched_writes import write

log = logging.getLogger(__name__)

_HELD_STATUS: Final = text("SELECT status FROM campaign WHERE id = :campaign_id FOR SHARE")

_LONGEST_ERROR: Final = 1_000

Word = TypeVar("Word", bound=StrEnum)


@dataclass(slots=True, kw_only=True)
class LockedAttempt:
    """One attempt under lock, in its present state."""

    attempt_id: UUID
    organization_id: int
    campaign_id: int
    contact_id: int
    phone_number_id: int
    carrier_account_id: int
    channel: Channel
    number_to: str
    number_from: str
    provider_id: str | None
    reserved_at: datetime
    closes_at: datetime | None
    deadline_at: datetime | None
    hang_up_why: str
    """Why we asked the carrier to end it; empty: we did not ask."""
    looks: int
    looked_at: datetime | None
    error_message: str | None
    disposition: Disposition | None
    progress: AttemptProgress
    recipient_id: int
    recipient_status: RecipientStatus
    recipient_is_ours: bool
    """It is the recipient's newest attempt, so it decides the recipient's next status."""
    attempts_made: int
    policy: RetryPolicy
    campaign_status: CampaignStatus
    body: str | None
    """A message's text."""


_LOAD: Final = """
    WITH held AS MATERIALIZED (
        SELECT id, status, last_attempt_id, attempts_made, attempts_allowed FROM recipient
        WHERE id IN (SELECT recipient_id FROM attempt WHERE id = ANY(CAST(%(ids)s AS uuid[])))
        ORDER BY id
        FOR NO KEY UPDATE
    )
    SELECT a.id, a.organization_id, a.campaign_id, a.contact_id, a.phone_number_id, a.carrier_account_id, a.channel,
           a.number_to, a.number_from, a.provider_id, a.reserved_at, a.closes_at, a.hang_up_why, a.deadline_at,
           a.looks, a.looked_at, a.error_message, a.disposition,
           a.status, a.ended_as, a.answered_by, a.ringing_at, a.answered_at, a.ended_at, a.last_event_at,
           a.duration_seconds, a.sip_code, a.error_code, a.failure, a.reply, a.replied_at, a.opted_out, a.conflict,
           a.price, a.price_unit,
           r.id AS recipient_id, r.status AS recipient_status, r.last_attempt_id, r.attempts_made, r.attempts_allowed,
           a.rendered ->> 'body' AS body
    FROM attempt a
    JOIN held r ON r.id = a.recipient_id
    WHERE a.id = ANY(CAST(%(ids)s AS uuid[]))
    ORDER BY a.recipient_id, a.id
    FOR NO KEY UPDATE OF a
"""
_CAMPAIGNS: Final = f"""
    SELECT id, status, {", ".join(RETRY_COLUMNS)}
    FROM campaign WHERE id = ANY(CAST(%(ids)s AS bigint[]))
"""  # noqa: S608 - a constant is put in, nothing a caller gives


async def load_attempts(session: AsyncSession, attempt_ids: Iterable[UUID]) -> dict[UUID, LockedAttempt]:
    """Lock the recipients of these attempts, then the attempts, and return the attempts.

    All code locks in this order: campaign, recipients by id, attempts by recipient and id, contacts by id.
    """
    wanted = list(attempt_ids)
    if not wanted:
        return {}
    rows = await quickly(session, _LOAD, {"ids": wanted})
    campaigns = {row["campaign_id"] for row in rows}
    # Read again, now that the locks are held: the first statement may have read before it waited for them.
    found = await quickly(session, _CAMPAIGNS, {"ids": list(campaigns)})
    rules = {row["id"]: (CampaignStatus(row["status"]), _policy(row)) for row in found}
    return {row["id"]: _locked_attempt(row, *rules[row["campaign_id"]]) for row in rows}


async def held_status(session: AsyncSession, campaign_id: int) -> CampaignStatus:
    """Return the campaign's status, and keep it until this transaction ends.

    Used for the rare news that puts a completed recipient back in line. A transaction that ends the campaign either
    waits and sees the recipient, or has ended the campaign before, and then the recipient stays completed.
    """
    status = (await session.execute(_HELD_STATUS, {"campaign_id": campaign_id})).scalar_one()
    return CampaignStatus(status)


_TYPES: Final[Mapping[str, str]] = {
    "ringing_at": "timestamptz",
    "answered_at": "timestamptz",
    "ended_at": "timestamptz",
    "last_event_at": "timestamptz",
    "replied_at": "timestamptz",
    "deadline_at": "timestamptz",
    "duration_seconds": "integer",
    "sip_code": "integer",
    "error_code": "integer",
    "opted_out": "boolean",
    "conflict": "boolean",
    "price": "numeric",
}
_PROGRESS: Final = tuple(each.name for each in fields(AttemptProgress))
_SAVED: Final = (
    *_PROGRESS,
    "disposition",
    "deadline_at",
    "error_message",
)
_ASSIGNED: Final = ", ".join(f"{name} = line.{name}" for name in _SAVED)
_TYPED: Final = ", ".join(f"{name} {_TYPES.get(name, 'varchar')}" for name in _SAVED)
_SAVE: Final[LiteralString] = f"""
    UPDATE attempt SET {_ASSIGNED}
    FROM json_to_recordset(CAST(%(lines)s AS json)) AS line (attempt_id uuid, {_TYPED})
    WHERE attempt.id = line.attempt_id
"""  # noqa: S608 - our columns' names


async def save_progress(
    session: AsyncSession,
    attempt: LockedAttempt,
    progress: AttemptProgress,
    disposition: Disposition | None,
    *,
    deadline_at: datetime | None,
    error_message: str | None,
    ended_at: datetime | None = None,
) -> None:
    """Write an attempt's new progress and disposition. The attempt was locked by `load_attempts`."""
    message = storable(error_message)[:_LONGEST_ERROR] if error_message is not None else None
    line = {name: value for name in _PROGRESS if (value := getattr(progress, name)) is not None} | {
        "attempt_id": attempt.attempt_id,
        "disposition": disposition,
        "deadline_at": deadline_at,
        "error_message": message,
    }
    if ended_at is not None:
        line["ended_at"] = ended_at
    await write(session, _SAVE, line)
    attempt.progress, attempt.disposition = progress, disposition


def _locked_attempt(
    row: Mapping[Any, Any], campaign_status: CampaignStatus, policy: RetryPolicy
) -> LockedAttempt:
    return LockedAttempt(
        attempt_id=row["id"],
        organization_id=row["organization_id"],
        campaign_id=row["campaign_id"],
        contact_id=row["contact_id"],
        phone_number_id=row["phone_number_id"],
        carrier_account_id=row["carrier_account_id"],
        channel=Channel(row["channel"]),
        number_to=row["number_to"],
        number_from=row["number_from"],
        provider_id=row["provider_id"],
        reserved_at=row["reserved_at"],
        closes_at=row["closes_at"],
        deadline_at=row["deadline_at"],
        hang_up_why=row["hang_up_why"],
        looks=row["looks"],
        looked_at=row["looked_at"],
        error_message=row["error_message"],
        disposition=_optional(Disposition, row["disposition"]),
        progress=_progress(row),
        recipient_id=row["recipient_id"],
        recipient_status=RecipientStatus(row["recipient_status"]),
        recipient_is_ours=row["last_attempt_id"] == row["id"],
        attempts_made=row["attempts_made"],
        policy=policy.allowing(row["attempts_allowed"]),
        campaign_status=campaign_status,
        body=row["body"],
    )


def _policy(row: Mapping[Any, Any]) -> RetryPolicy:
    """Return the campaign's retry settings, or the defaults if they cannot be read: attempts under way must end."""
    try:
        return RetryPolicy.of(row)
    except (ValueError, TypeError, AttributeError):
        log.warning("campaign.retry_settings_unreadable", extra={"campaign_id": row["id"]})
        return RetryPolicy.numbers_of(row)


_PLAIN: Final = tuple(
    name for name in _PROGRESS if name not in {"status", "ended_as", "answered_by", "failure", "price"}
)


def _progress(row: Mapping[Any, Any]) -> AttemptProgress:
    return AttemptProgress(
        status=AttemptStatus(row["status"]),
        ended_as=_optional(EventKind, row["ended_as"]),
        answered_by=_optional(AnsweredBy, row["answered_by"]),
        failure=_optional(FailureClass, row["failure"]),
        price=None if row["price"] is None else f"{row['price']:f}",
        **{name: row[name] for name in _PLAIN},
    )


def _optional(kind: type[Word], value: str | None) -> Word | None:
    return None if value is None else kind(value)
