"""Claims the recipients of a pass: locks them, and reads them again under the lock; or, for pages, only looks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.attempt import Disposition
from app.domain.consent import Consent, consent_for
from app.domain.places import Place
from app.domain.pool import NumberStrategy
from app.models import sql
from app.services.dialing.reserve.candidates import Prepared
from app.services.dialing.reserve.held import Held
from app.services.places.hours import legal_cap
from app.services.places.openings import place_of
from app.services.recipients.gate_facts import COUNTS_FOR_CAP, COUNTS_FOR_LAW


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A waiting recipient with the facts for the gate and for the choice of our number; from `claim`, under lock."""

    prepared: Prepared
    not_before: datetime
    attempts_made: int
    attempts_allowed: int
    number_in_use: bool
    last_disposition: Disposition | None
    consent: Consent
    place: Place
    held_until: datetime | None
    """No campaign may contact this person before then."""
    held_reason: str
    capped_since: datetime | None
    """When the oldest attempt that fills the frequency cap was reserved; None: the cap is off or not reached."""
    legally_capped_since: datetime | None
    """The same for the cap of the place's law, within 24 hours."""
    seen_last: int | None
    """Id of our number that this contact saw last; read for the sticky strategy only."""
    shown_last: int | None
    """Id of our number that this recipient's last attempt showed; read where a retry must show another one."""


_FACTS: Final = f"""
    SELECT r.id, r.updated_at, r.not_before, r.attempts_made, r.last_disposition,
           coalesce(r.attempts_allowed, :attempts_allowed) AS attempts_allowed,
           contact.number, contact.updated_at AS contact_version, contact.consent, contact.consent_scope,
           contact.held_until,
           contact.held_reason, contact.place_id, place.zones, place.number_zones, place.laws,
           CASE WHEN CAST(:cap AS integer) > 0 THEN
               (SELECT a.reserved_at FROM attempt a
                WHERE {COUNTS_FOR_CAP} AND a.number_to = contact.number
                ORDER BY a.reserved_at DESC OFFSET greatest(CAST(:cap AS integer) - 1, 0) LIMIT 1) END AS capped_since,
           CASE WHEN legal.most > 0 THEN
               (SELECT a.reserved_at FROM attempt a
                WHERE {COUNTS_FOR_LAW} AND a.number_to = contact.number
                ORDER BY a.reserved_at DESC OFFSET greatest(legal.most - 1, 0) LIMIT 1) END AS legally_capped_since,
           CASE WHEN CAST(:sticky AS boolean) THEN
               (SELECT a.phone_number_id FROM attempt a
                WHERE a.contact_id = contact.id AND a.channel = CAST(:channel AS varchar) AND a.status <> 'not_placed'
                ORDER BY a.reserved_at DESC LIMIT 1) END AS seen_last,
           CASE WHEN CAST(:other_number AS boolean) THEN
               (SELECT a.phone_number_id FROM attempt a
                WHERE a.recipient_id = r.id AND a.provider_id IS NOT NULL AND a.status <> 'not_placed'
                ORDER BY a.ordinal DESC LIMIT 1) END AS shown_last,
           EXISTS (SELECT 1 FROM attempt a
                   WHERE a.carrier_account_id = :carrier_account_id AND a.number_to = contact.number
                     AND a.status IN {sql.LIVE})
               AS number_in_use
    FROM recipient r
    JOIN contact ON contact.id = r.contact_id
    LEFT JOIN place ON place.id = contact.place_id
    LEFT JOIN unnest(CAST(:ids AS bigint[]), CAST(:legal_caps AS integer[])) AS legal (recipient_id, most)
        ON legal.recipient_id = r.id
    WHERE r.id = ANY(CAST(:ids AS bigint[])) AND r.status = 'pending'
"""  # noqa: S608 - constants are put in, nothing a caller gives

_LOOK: Final = text(_FACTS)

_CLAIM: Final = text(
    f"""
    {_FACTS} AND r.not_before <= :now
    ORDER BY r.blocked_by IS DISTINCT FROM 'number_in_use', r.not_before, r.position
    FOR NO KEY UPDATE OF r SKIP LOCKED
    """
)


async def claim(
    session: AsyncSession,
    held: Held,
    prepared: Sequence[Prepared],
    *,
    legal_caps: Mapping[int, int],
    now: datetime,
) -> list[Claimed]:
    """Lock the recipients that are still due and for whom the rendered texts are still true, in dialing order.

    A recipient that another transaction has locked is left out, and so is one that was changed after it was rendered.
    `legal_caps`: place id -> the most attempts within 24 hours that its law allows.
    """
    by_id = {each.recipient_id: each for each in prepared}
    caps = [legal_caps.get(each.place_id, 0) if each.place_id is not None else 0 for each in prepared]
    rows = await session.execute(_CLAIM, _given(held, list(by_id), caps, now=now))
    return [
        _claimed(held, by_id[row.id], row, place_of(row)) for row in rows if _is_current(by_id[row.id], row)
    ]


async def look_at(
    session: AsyncSession,
    held: Held,
    prepared: Sequence[Prepared],
    *,
    places: Mapping[int, Place],
    now: datetime,
) -> list[Claimed]:
    """Return the same facts of waiting recipients without a lock, due or not, in no order.

    `places`: recipient id -> where the person may be.
    """
    by_id = {each.recipient_id: each for each in prepared}
    caps = [legal_cap(held.hours, places[recipient_id]) or 0 for recipient_id in by_id]
    rows = await session.execute(_LOOK, _given(held, list(by_id), caps, now=now))
    return [_claimed(held, by_id[row.id], row, places[row.id]) for row in rows]


def _given(held: Held, ids: Sequence[int], legal_caps: Sequence[int], *, now: datetime) -> dict[str, Any]:
    return {
        "ids": list(ids),
        "legal_caps": list(legal_caps),
        "attempts_allowed": held.attempts_allowed,
        "carrier_account_id": held.carrier_account_id,
        "organization_id": held.organization_id,
        "channel": held.channel.value,
        "cap": held.frequency_cap,
        "cap_since": now - timedelta(hours=held.frequency_hours),
        "day_ago": now - timedelta(days=1),
        "sticky": held.pool.strategy is NumberStrategy.STICKY,
        "other_number": held.retry_other_number,
        "now": now,
    }


def _claimed(held: Held, prepared: Prepared, row: Row[Any], place: Place) -> Claimed:
    return Claimed(
        prepared=prepared,
        not_before=row.not_before,
        attempts_made=row.attempts_made,
        attempts_allowed=row.attempts_allowed,
        number_in_use=row.number_in_use,
        last_disposition=Disposition(row.last_disposition) if row.last_disposition else None,
        consent=consent_for(held.channel, Consent(row.consent), row.consent_scope),
        place=place,
        held_until=row.held_until,
        held_reason=row.held_reason,
        capped_since=row.capped_since,
        legally_capped_since=row.legally_capped_since,
        seen_last=row.seen_last,
        shown_last=row.shown_last,
    )


def _is_current(prepared: Prepared, row: Row[Any]) -> bool:
    rendered_from = (
        prepared.recipient_version,
        prepared.contact_version,
        prepared.number,
        prepared.place_id,
    )
    return rendered_from == (row.updated_at, row.contact_version, row.number, row.place_id)
