"""Every change of a recipient's status: allowed by the domain's table, compare-and-set, with a history row.

Some changes belong to a statement that writes more. They are given here as parts of SQL for that statement.
Code that changes many recipients locks them by id first; `load_attempts` in `dialing.settle` has the order of locks.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, cte, func, insert, literal, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.attempt import Disposition
from app.domain.recipient import ENDS_AS, RecipientStatus, before, check_transition
from app.models import Contact, Recipient, RecipientTransition, sql

_S = RecipientStatus


def _waiting_for(new: RecipientStatus) -> str:
    """Return the condition that a recipient waits and may become `new`: the SQL after a status column."""
    return sql.among({_S.PENDING} & before(new))


TAKEN: Final = f"""taken AS (
        UPDATE recipient r
        SET status = 'in_progress', attempts_made = r.attempts_made + 1, last_attempt_id = u.id,
            last_attempt_at = :now, blocked_by = NULL, blocked_why = NULL, updated_at = :now
        FROM chosen u WHERE r.id = u.recipient_id AND r.status {_waiting_for(_S.IN_PROGRESS)}
        RETURNING r.id, u.id AS attempt_id
    )
    INSERT INTO recipient_transition (recipient_id, old, new, reason, attempt_id, at)
    SELECT id, 'pending', 'in_progress', 'reserved', attempt_id, :now FROM taken"""  # noqa: S608 - a constant is put in, nothing a caller gives
"""End of a statement with `chosen` (id, recipient_id), a new attempt each: its pending recipient goes in progress."""

MOVED: Final = """moved AS (
        UPDATE recipient r
        SET status = line.new,
            not_before = coalesce(line.not_before, r.not_before),
            attempts_made = r.attempts_made - CAST(line.unspent AS integer),
            last_disposition = CASE WHEN line.unsaid THEN r.last_disposition ELSE line.disposition END,
            last_error = CASE WHEN line.unsaid THEN r.last_error ELSE line.error END,
            blocked_by = line.blocked_by,
            blocked_why = line.blocked_why,
            updated_at = line.now
        FROM line
        WHERE line.moves
          AND r.id = line.recipient_id AND r.status = line.old AND r.last_attempt_id = line.attempt_id
        RETURNING line.*
    )"""
"""Part of a statement with `line`: moves recipients from `old` to `new`, unless they have a newer attempt.

The caller has checked each against the table, and holds the rows. `MOVED_HISTORY` ends the statement.
"""

MOVED_HISTORY: Final = """INSERT INTO recipient_transition (recipient_id, old, new, reason, attempt_id, at)
    SELECT recipient_id, old, new, reason, attempt_id, now FROM moved WHERE old <> new"""

SKIPPED: Final = f"""skipped AS (
        UPDATE recipient r
        SET status = 'skipped', blocked_by = 'suppression', blocked_why = waiting.why, updated_at = :now
        FROM waiting WHERE r.id = waiting.id AND r.status {_waiting_for(_S.SKIPPED)}
        RETURNING r.id, r.campaign_id
    ), noted AS (
        INSERT INTO recipient_transition (recipient_id, old, new, reason, at)
        SELECT id, 'pending', 'skipped', 'suppression', :now FROM skipped
    )"""  # noqa: S608 - a constant is put in, nothing a caller gives
"""Part of a statement with `waiting` (id, why): skips them. It gives `skipped` (id, campaign_id)."""

_END: Final = text(
    """
    WITH ended AS (
        UPDATE recipient SET status = CAST(:new AS varchar), blocked_by = CAST(:rule AS varchar),
                             blocked_why = CAST(:why AS varchar), updated_at = :now
        WHERE id = :recipient_id AND status = 'pending'
        RETURNING id
    )
    INSERT INTO recipient_transition (recipient_id, old, new, reason, at)
    SELECT id, 'pending', CAST(:new AS varchar), CAST(:rule AS varchar), :now FROM ended
    """
)


async def skip(session: AsyncSession, recipient_id: int, rule: str, why: str, *, now: datetime) -> None:
    """End a pending recipient as skipped, with the rule and the reason."""
    await _end(session, recipient_id, RecipientStatus.SKIPPED, rule, why, now=now)


async def use_up(
    session: AsyncSession,
    recipient_id: int,
    rule: str,
    why: str,
    *,
    last_disposition: Disposition | None,
    now: datetime,
) -> None:
    """End a pending recipient without attempts left (the limit was lowered) with its last outcome."""
    status = ENDS_AS[last_disposition] if last_disposition is not None else RecipientStatus.FAILED
    await _end(session, recipient_id, status, rule, why, now=now)


async def _end(
    session: AsyncSession, recipient_id: int, status: RecipientStatus, rule: str, why: str, *, now: datetime
) -> None:
    check_transition(_S.PENDING, status)
    await session.execute(
        _END,
        {"recipient_id": recipient_id, "new": status.value, "rule": rule, "why": why[:500], "now": now},
    )


_CANCEL: Final = text(
    f"""
    WITH cancelled AS (
        UPDATE recipient SET status = 'cancelled', blocked_by = NULL, blocked_why = NULL, updated_at = :now
        WHERE campaign_id = :campaign_id AND status {_waiting_for(_S.CANCELLED)}
        RETURNING id
    )
    INSERT INTO recipient_transition (recipient_id, old, new, reason, at)
    SELECT id, 'pending', 'cancelled', 'the campaign was cancelled', :now FROM cancelled
    """  # noqa: S608 - constants are put in, nothing a caller gives
)


async def cancel_waiting(session: AsyncSession, *, campaign_id: int, now: datetime) -> None:
    """Cancel all pending recipients of a cancelled campaign."""
    await session.execute(_CANCEL, {"campaign_id": campaign_id, "now": now})


_RETRY: Final = text(
    """
    WITH chosen AS (
        SELECT id, status FROM recipient
        WHERE campaign_id = :campaign_id AND run_id = :run_id AND status = ANY(CAST(:statuses AS varchar[]))
        ORDER BY id
        FOR NO KEY UPDATE
    ), retried AS (
        UPDATE recipient r
        SET status = 'pending', attempts_allowed = r.attempts_made + :more, not_before = :now,
            place_id = (SELECT c.place_id FROM contact c WHERE c.id = r.contact_id),
            blocked_by = NULL, blocked_why = NULL, last_error = NULL, updated_at = :now
        FROM chosen WHERE r.id = chosen.id
        RETURNING r.id, chosen.status AS old
    ), history AS (
        INSERT INTO recipient_transition (recipient_id, old, new, reason, at)
        SELECT id, old, 'pending', 'failed contacts are tried again', :now FROM retried
    )
    SELECT count(*) FROM retried
    """
)


async def retry_ended(
    session: AsyncSession,
    *,
    campaign_id: int,
    run_id: int,
    statuses: Collection[RecipientStatus],
    more: int,
    now: datetime,
) -> int:
    """Put all recipients of the run with that final status back to pending, with `more` attempts each; return how many.

    Raises `TransitionNotAllowed` for a status that has no retry.
    """
    for old in statuses:
        check_transition(old, _S.PENDING)
    given = {
        "campaign_id": campaign_id,
        "run_id": run_id,
        "statuses": sorted(statuses),
        "more": more,
        "now": now,
    }
    retried: int = (await session.execute(_RETRY, given)).scalar_one()
    return retried


class Met(NamedTuple):
    """How many of the chosen recipients had this status, and whether they were moved."""

    status: RecipientStatus
    moved: bool
    people: int


_PLACE_NOW: Final = (
    select(col(Contact.place_id)).where(col(Contact.id) == col(Recipient.contact_id)).scalar_subquery()
)


async def move_chosen(
    session: AsyncSession,
    chosen: ColumnElement[bool],
    *,
    to: RecipientStatus,
    out_of: Collection[RecipientStatus],
    reason: str,
    values: Mapping[str, Any],
    now: datetime,
) -> list[Met]:
    """Move the chosen recipients that are in one of `out_of`, in one statement; `values`: other columns to set.

    Their place becomes the contact's: it has not followed the contact while the recipient had ended. Raises
    `TransitionNotAllowed` if the table does not allow the move.
    """
    for old in out_of:
        check_transition(old, to)
    eligible_now = col(Recipient.status).in_(sorted(out_of))
    target = cte(
        select(col(Recipient.id), col(Recipient.status), eligible_now.label("eligible"))
        .where(chosen)
        .order_by(col(Recipient.id))
        .with_for_update(key_share=True),
        name="target",
    )
    moved = (
        update(Recipient)
        .where(col(Recipient.id) == target.c.id, target.c.eligible)
        .values(status=to, updated_at=now, place_id=_PLACE_NOW, **values)
        .returning(col(Recipient.id), target.c.status.label("old"))
        .cte("moved")
    )
    history = (
        insert(RecipientTransition)
        .from_select(
            ["recipient_id", "old", "new", "reason", "at"],
            select(moved.c.id, moved.c.old, literal(to.value), literal(reason[:200]), literal(now)),
            include_defaults=False,
        )
        .cte("history")
    )
    counted = (
        select(target.c.status, target.c.eligible, func.count())
        .group_by(target.c.status, target.c.eligible)
        .add_cte(history)
    )
    rows = (await session.execute(counted)).all()
    return [Met(_S(status), eligible, people) for status, eligible, people in rows]
