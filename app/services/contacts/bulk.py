"""Changes all people that match a filter: tags, suppression, consent, deletion. A crash repeats no batch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.bulk_change import BulkAction, BulkStatus
from app.domain.contact_filter import ContactFilter, as_json
from app.domain.contact_filter_reading import read_filter
from app.domain.rights import Right
from app.models import BulkChange, Contact
from app.runtime.clock import Clock
from app.runtime.database import Database
from app.runtime.fault_points import fault
from app.runtime.live_feed import announce
from app.services.access.principal import Principal, authorize
from app.services.contacts.bulk_actions import ActionDone, BatchPerson, act, read_arguments
from app.services.contacts.filter_sql import require_said, where
from app.services.errors import Conflict, FieldErrors
from app.services.paging import Page, offset_of
from app.services.refs import Ref, load

BATCH: Final = 1_000
MOST_REFUSALS: Final = 1_000
"""Most unchanged people that are listed; all are counted."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A person who was not changed, and why."""

    contact_id: int
    number: str
    reason: str


@dataclass(frozen=True, slots=True)
class BulkView:
    """The progress of a bulk change. `matched`: people so far; `changed`: those of them that were changed."""

    id: int
    public_id: UUID
    action: BulkAction
    arguments: dict[str, Any]
    wanted: ContactFilter
    status: BulkStatus
    matched: int
    changed: int
    refused: int
    refusals: tuple[Refusal, ...]
    created_by: str
    created_at: datetime
    ended_at: datetime | None


async def begin_bulk_change(
    session: AsyncSession,
    *,
    principal: Principal,
    action: BulkAction,
    arguments: Mapping[str, Any],
    wanted: ContactFilter,
    now: datetime,
    everyone: bool = False,
    expected: int | None = None,
) -> BulkView:
    """Change all people that match the filter: the first thousand now, the others in a job.

    `arguments`: `tags`; `scope` and `reason`; or `consent` and its details. `everyone`: confirms a filter that matches
    everybody. `expected`: the expected number of people; required to delete everyone, because that cannot be undone.
    Raises `FieldErrors`, and `Conflict` if the number is another one.
    """
    authorize(principal, Right.EDIT_CONTACTS)
    require_said(wanted, everyone=everyone)
    if action is BulkAction.DELETE and everyone and expected is None:
        raise FieldErrors({"expected": "Send how many people you expect to delete: it cannot be undone."})
    if expected is not None:
        await _require_count(session, principal, wanted, expected, now)
    change = BulkChange(
        organization_id=principal.organization_id,
        action=action,
        arguments=read_arguments(action, arguments, principal=principal, now=now),
        rule=as_json(wanted),
        until_id=await session.scalar(select(func.max(col(Contact.id)))) or 0,
        created_by=principal.actor,
        created_at=now,
        next_at=now,
    )
    session.add(change)
    await session.flush()
    await _do_batch(session, change, now=now)
    return _view(change)


async def _require_count(
    session: AsyncSession, principal: Principal, wanted: ContactFilter, expected: int, now: datetime
) -> None:
    meant = select(func.count()).select_from(Contact).where(*where(wanted, principal.organization_id, now))
    there = (await session.execute(meant)).scalar_one()
    if there != expected:
        raise Conflict(
            f"By now this means {there:,} people, not {expected:,}. Nobody was changed: look again."
        )


async def advance_bulk_change(database: Database, *, bulk_id: int, clock: Clock) -> None:
    """Go on with a bulk change to its end. Several processes may do this at once, or die: it goes on."""

    async def next_batch(session: AsyncSession) -> bool:
        change = await session.get(BulkChange, bulk_id, with_for_update=True)
        more = change is not None and change.next_at is not None
        if change is not None and more:
            more = await _do_batch(session, change, now=clock.now())
        fault("before_bulk_commit")
        return more

    while await database.write(next_batch):
        pass


async def due_bulk_changes(session: AsyncSession, *, now: datetime) -> list[int]:
    """Return the bulk changes that are due and not locked by a worker, the longest waiting first."""
    due = select(col(BulkChange.id)).where(col(BulkChange.next_at) <= now).order_by(col(BulkChange.next_at))
    free = due.limit(100).with_for_update(skip_locked=True)
    return list((await session.execute(free)).scalars())


async def cancel_bulk_change(
    session: AsyncSession, *, principal: Principal, bulk_ref: Ref, now: datetime
) -> BulkView:
    """Stop a bulk change. People already changed stay so. Raises `NotFound`, and `Conflict` if it is over."""
    authorize(principal, Right.EDIT_CONTACTS)
    change = await load(session, BulkChange, bulk_ref, organization_id=principal.organization_id, lock=True)
    if change.next_at is None:
        raise Conflict("This change is over already.")
    change.status, change.next_at, change.ended_at = BulkStatus.CANCELLED, None, now
    await session.flush()
    return _view(change)


async def get_bulk_change(session: AsyncSession, *, principal: Principal, bulk_ref: Ref) -> BulkView:
    """Return the progress of a bulk change. Raises `NotFound`."""
    authorize(principal, Right.VIEW)
    return _view(await load(session, BulkChange, bulk_ref, organization_id=principal.organization_id))


async def list_bulk_changes(
    session: AsyncSession, *, principal: Principal, page: int = 1, page_size: int = 25
) -> Page[BulkView]:
    """Return the organization's bulk changes, finished ones too, the newest first."""
    authorize(principal, Right.VIEW)
    ours = col(BulkChange.organization_id) == principal.organization_id
    offset, limit = offset_of(page, page_size)
    total = await session.scalar(select(func.count()).select_from(BulkChange).where(ours)) or 0
    newest = select(BulkChange).where(ours).order_by(col(BulkChange.id).desc())
    found = await session.scalars(newest.offset(offset).limit(limit))
    return Page([_view(change) for change in found], total, max(1, page), limit)


async def _do_batch(session: AsyncSession, change: BulkChange, *, now: datetime) -> bool:
    """Change the next people; return whether there may be more. The row of the change is locked."""
    people = await _next_people(session, change, now=now)
    done = await act(session, change, people, now=now) if people else ActionDone()
    change.matched += len(people)
    change.changed += done.changed
    change.refused += len(done.refused)
    listed = [{"id": one.contact_id, "number": one.number, "reason": one.reason} for one in done.refused]
    change.refusals = [*change.refusals, *listed][:MOST_REFUSALS]
    more = len(people) == BATCH
    if more:
        change.cursor_id = max(person.id for person in people)
    else:
        change.status, change.next_at, change.ended_at = BulkStatus.COMPLETED, None, now
    await session.flush()
    announce(session, organization_id=change.organization_id)
    return more


async def _next_people(session: AsyncSession, change: BulkChange, *, now: datetime) -> Sequence[BatchPerson]:
    """Return the next people, locked in the order of their numbers, as imports lock them.

    They can be dialed in the meantime: an attempt only needs that its contact is not deleted.
    """
    meant = (
        select(col(Contact.id))
        .where(
            *where(read_filter(change.rule), change.organization_id, now),
            col(Contact.id) > change.cursor_id,
            col(Contact.id) <= change.until_id,
        )
        .order_by(col(Contact.id))
        .limit(BATCH)
    )
    ids = list((await session.execute(meant)).scalars())
    locked = (
        select(col(Contact.id), col(Contact.number))
        .where(col(Contact.id).in_(ids))
        .order_by(col(Contact.number))
        .with_for_update(key_share=True)
    )
    return [BatchPerson(row.id, row.number) for row in await session.execute(locked)] if ids else []


def _view(change: BulkChange) -> BulkView:
    return BulkView(
        id=change.id,
        public_id=change.public_id,
        action=change.action,
        arguments=change.arguments,
        wanted=read_filter(change.rule),
        status=change.status,
        matched=change.matched,
        changed=change.changed,
        refused=change.refused,
        refusals=tuple(Refusal(one["id"], one["number"], one["reason"]) for one in change.refusals),
        created_by=change.created_by,
        created_at=change.created_at,
        ended_at=change.ended_at,
    )
