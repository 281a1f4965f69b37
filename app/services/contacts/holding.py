"""Holds: "not before 12 May" for one person, in all campaigns. Held time spends no attempt."""

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.attempt import Disposition
from app.domain.gate import Rule, why_held
from app.domain.opening import place_name, time_text
from app.domain.retry import RETRY_COLUMNS, RetryPolicy, delay_after
from app.domain.rights import Right
from app.models import sql
from app.runtime.live_feed import announce
from app.services.access.principal import Principal, authorize
from app.services.errors import Conflict, FieldErrors, NotFound
from app.services.field_readers import cleaned, row_id

LONGEST_REASON: Final = 500
LONGEST_HOLD: Final = timedelta(days=3_660)
"""Ten years: who waits longer should not be contacted at all."""

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")

_CONTACT: Final = text(
    """
    SELECT contact.id, contact.held_until, place.zones, o.time_zone
    FROM contact JOIN organization o ON o.id = contact.organization_id
    LEFT JOIN place ON place.id = contact.place_id
    WHERE contact.id = :contact_id AND contact.organization_id = :organization_id
    FOR NO KEY UPDATE OF contact
    """
)

_SET: Final = text(
    """
    UPDATE contact SET held_until = CAST(:until AS timestamptz), held_reason = :reason, held_by = :actor, held_at = :now
    WHERE id = :contact_id
    """
)

# Who waits longer for another reason keeps waiting. A recipient that is being reserved is waited for: the dialer's
# transaction is short, and afterwards it waits no more.
_WAITING: Final = text(
    f"""
    SELECT r.id, r.campaign_id, r.blocked_by, r.attempts_made, r.last_disposition, last.ended_at,
           {", ".join(f"c.{name}" for name in RETRY_COLUMNS)}
    FROM recipient r JOIN campaign c ON c.id = r.campaign_id AND c.status NOT IN {sql.OVER}
    LEFT JOIN attempt last ON last.id = r.last_attempt_id
    WHERE r.contact_id = :contact_id AND r.status = 'pending'
      AND (r.not_before < CAST(:until AS timestamptz) OR r.blocked_by = 'hold')
    ORDER BY r.id FOR NO KEY UPDATE OF r
    """  # noqa: S608 - constants are put in, nothing a caller gives
)

_MOVE: Final = text(
    """
    UPDATE recipient r
    SET not_before = chosen.at, blocked_by = CASE WHEN chosen.held THEN 'hold' END,
        blocked_why = CASE WHEN chosen.held THEN CAST(:why AS varchar) END, updated_at = :now
    FROM unnest(CAST(:ids AS bigint[]), CAST(:times AS timestamptz[]), CAST(:held AS boolean[]))
         AS chosen (id, at, held)
    WHERE r.id = chosen.id
    """
)


async def hold_contact(
    session: AsyncSession,
    *,
    principal: Principal,
    contact_id: int,
    until: str,
    reason: str = "",
    now: datetime,
) -> datetime:
    """Let no campaign contact this person before `until`, and return that time. A new hold replaces the old one.

    `until`: ISO 8601 with an offset; or a date, or a date and time without an offset, on the clock where the person is
    (the first of several zones), else the organization's. People who wait in campaigns get their next time at once; who
    is added later meets the hold at the gate. Raises `NotFound`, and `FieldErrors` for `until` and `reason`.
    """
    authorize(principal, Right.EDIT_CONTACTS)
    contact = await _lock(session, principal, contact_id)
    zone = _zone_of(contact)
    at, why = _read(until, reason, zone, now=now)
    await _set(session, principal, contact.id, until=at, reason=why, now=now)
    said = why_held(f"{time_text(at, zone, seen=now)} in {place_name(zone)}", why)[:LONGEST_REASON]
    await _move(session, principal, contact.id, until=at, why=said, now=now)
    return at


async def lift_hold(session: AsyncSession, *, principal: Principal, contact_id: int, now: datetime) -> None:
    """Lift a person's hold: who waited for it is due again, or waits for the next attempt as without the hold.

    Raises `NotFound`, and `Conflict` without a hold.
    """
    authorize(principal, Right.EDIT_CONTACTS)
    contact = await _lock(session, principal, contact_id)
    if contact.held_until is None or contact.held_until <= now:
        raise Conflict("There is no hold on this contact.")
    await _set(session, principal, contact.id, until=None, reason="", now=now)
    await _move(session, principal, contact.id, until=None, why="", now=now)


async def _lock(session: AsyncSession, principal: Principal, contact_id: int) -> Any:
    given = {"contact_id": row_id(contact_id), "organization_id": principal.organization_id}
    found = (await session.execute(_CONTACT, given)).one_or_none()
    if found is None:
        raise NotFound("contact", contact_id)
    return found


def _zone_of(contact: Any) -> str:
    zone: str = contact.zones[0] if contact.zones else contact.time_zone
    return zone


async def _set(
    session: AsyncSession,
    principal: Principal,
    contact_id: int,
    *,
    until: datetime | None,
    reason: str,
    now: datetime,
) -> None:
    given = {
        "contact_id": contact_id,
        "until": until,
        "reason": reason,
        "actor": principal.actor[:200],
        "now": now,
    }
    await session.execute(_SET, given)
    announce(session, organization_id=principal.organization_id)


async def _move(
    session: AsyncSession,
    principal: Principal,
    contact_id: int,
    *,
    until: datetime | None,
    why: str,
    now: datetime,
) -> None:
    """Let those who wait for less, or for an earlier hold, wait until then; None: for no hold any more."""
    waiting = (await session.execute(_WAITING, {"contact_id": contact_id, "until": until})).mappings().all()
    at = until or now
    times = [max(at, _retry_time(row) or at) for row in waiting]
    given = {
        "ids": [row["id"] for row in waiting],
        "times": times,
        "held": [until is not None and time == until for time in times],
        "why": why,
        "now": now,
    }
    await session.execute(_MOVE, given)
    for campaign_id in sorted({row["campaign_id"] for row in waiting}):
        announce(session, organization_id=principal.organization_id, campaign_id=campaign_id, work=True)


def _retry_time(row: Mapping[Any, Any]) -> datetime | None:
    """Return when the next attempt would be due without the hold, which has taken its place; None: at once."""
    if row["blocked_by"] != Rule.HOLD or not row["last_disposition"] or row["ended_at"] is None:
        return None
    try:
        policy = RetryPolicy.of(row)
    except (ValueError, TypeError, AttributeError):
        policy = RetryPolicy.numbers_of(row)
    disposition, made = Disposition(row["last_disposition"]), row["attempts_made"]
    ended_at: datetime = row["ended_at"]
    return ended_at + delay_after(policy, disposition=disposition, attempts_made=made) if made else None


def _read(until: str, reason: str, zone: str, *, now: datetime) -> tuple[datetime, str]:
    errors, at, why = {}, None, cleaned(reason)
    try:
        at = _moment(until.strip(), zone)
    except ValueError:
        errors["until"] = (
            "Enter a date such as 2027-05-12, or a date and time such as 2027-05-12T09:00:00-04:00."
        )
    if at is not None and at <= now:
        errors["until"] = "Choose a time that is still to come. To contact them at once, lift the hold."
    elif at is not None and at > now + LONGEST_HOLD:
        errors["until"] = "Choose a time within ten years, or block the number for good."
    if len(why) > LONGEST_REASON:
        errors["reason"] = f"Use at most {LONGEST_REASON} characters."
    if errors or at is None:
        raise FieldErrors(errors)
    return at, why


def _moment(text: str, zone: str) -> datetime:
    at = (
        datetime.combine(date.fromisoformat(text), time(0))
        if _DATE.fullmatch(text)
        else datetime.fromisoformat(text)
    )
    return at if at.tzinfo is not None else at.replace(tzinfo=ZoneInfo(zone))
