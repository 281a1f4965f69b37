"""Holds: "not before 12 May" for one person, in all campaigns. Held time spends no attempt."""

import re
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.gate import why_held
from app.domain.opening import place_name, time_text
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
_MOVE: Final = text(
    f"""
    WITH chosen AS (
        SELECT r.id FROM recipient r JOIN campaign c ON c.id = r.campaign_id AND c.status NOT IN {sql.OVER}
        WHERE r.contact_id = :contact_id AND r.status = 'pending'
          AND (r.not_before < :until OR r.blocked_by = 'hold')
        ORDER BY r.id FOR NO KEY UPDATE OF r
    )
    UPDATE recipient r
    SET not_before = :until, blocked_by = 'hold', blocked_why = CAST(:why AS varchar), updated_at = :now
    FROM chosen WHERE r.id = chosen.id
    RETURNING r.campaign_id
    """  # noqa: S608 - a constant is put in, nothing a caller gives
)

_FREE: Final = text(
    """
    WITH chosen AS (
        SELECT id FROM recipient WHERE contact_id = :contact_id AND status = 'pending' AND blocked_by = 'hold'
        ORDER BY id FOR NO KEY UPDATE
    )
    UPDATE recipient r
    SET not_before = :now, blocked_by = NULL, blocked_why = NULL, updated_at = :now
    FROM chosen WHERE r.id = chosen.id
    RETURNING r.campaign_id
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
    moved = await session.execute(
        _MOVE,
        {
            "contact_id": contact.id,
            "until": at,
            "why": why_held(f"{time_text(at, zone, seen=now)} in {place_name(zone)}", why)[:LONGEST_REASON],
            "now": now,
        },
    )
    _tell(session, principal, {row.campaign_id for row in moved})
    return at


async def lift_hold(session: AsyncSession, *, principal: Principal, contact_id: int, now: datetime) -> None:
    """Lift a person's hold: those who waited for it are due again. Raises `NotFound`, and `Conflict` without a hold."""
    authorize(principal, Right.EDIT_CONTACTS)
    contact = await _lock(session, principal, contact_id)
    if contact.held_until is None or contact.held_until <= now:
        raise Conflict("There is no hold on this contact.")
    await _set(session, principal, contact.id, until=None, reason="", now=now)
    freed = await session.execute(_FREE, {"contact_id": contact.id, "now": now})
    _tell(session, principal, {row.campaign_id for row in freed})


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


def _tell(session: AsyncSession, principal: Principal, campaign_ids: set[int]) -> None:
    for campaign_id in sorted(campaign_ids):
        announce(session, organization_id=principal.organization_id, campaign_id=campaign_id, work=True)


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
