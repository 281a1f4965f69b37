"""A bulk change whose process is killed between two batches is taken up again: nobody twice, nobody left out."""

import asyncio
import os
import signal
import sys
from datetime import timedelta
from typing import Any, Final

import pytest
from sqlalchemy import func, select
from sqlmodel import col

from app.domain.bulk_change import BulkAction, BulkStatus
from app.domain.contact_filter import Condition, ContactFilter, Op
from app.models import Contact, Organization, Suppression
from app.runtime.database import Database
from app.runtime.migrations import PROJECT
from app.services.contacts import bulk
from app.services.contacts.bulk import (
    BulkView,
    advance_bulk_change,
    begin_bulk_change,
    due_bulk_changes,
    get_bulk_change,
)
from tests.support.builders import NOON, make_contact, make_organization, principal
from tests.support.clock import VirtualClock

BATCH: Final = 10
PEOPLE: Final = 47
OLD: Final = ContactFilter((Condition("tags", Op.ANY_OF, ("old",)),))
"""Whom the change means; one that takes the tag away, or the people, changes that under its own feet."""
DONE: Final[dict[BulkAction, dict[str, Any]]] = {
    BulkAction.TAG: {"tags": ["new"]},
    BulkAction.UNTAG: {"tags": ["old"]},
    BulkAction.SUPPRESS: {"scope": "voice", "reason": "asked"},
    BulkAction.DELETE: {},
}


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("action", DONE)
async def test_a_killed_bulk_change_is_taken_up_where_it_was(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch, action: BulkAction, batch: int
) -> None:
    monkeypatch.setattr(bulk, "BATCH", BATCH)
    acme, begun, late = await _begun(database, action)

    await _killed_before_commit(database_url, begun.id, batch)

    async with database.session() as session:
        left = await get_bulk_change(session, principal=principal(acme), bulk_ref=begun.id)
        assert (left.status, left.matched) == (BulkStatus.RUNNING, batch * BATCH)
        assert await due_bulk_changes(session, now=NOON) == [begun.id]
    await advance_bulk_change(database, bulk_id=begun.id, clock=VirtualClock(at=NOON))
    async with database.session() as session:
        done = await get_bulk_change(session, principal=principal(acme), bulk_ref=begun.id)
    assert (done.status, done.matched, done.changed) == (BulkStatus.COMPLETED, PEOPLE, PEOPLE)
    assert done.refused == 0
    assert await _met(database, acme, action) == PEOPLE
    async with database.session() as session:
        assert (await session.get_one(Contact, late)).tags == ["old"]


async def _begun(database: Database, action: BulkAction) -> tuple[Organization, BulkView, int]:
    """Return a change whose first batch is done, and somebody who came later and is not meant."""
    async with database.transaction() as session:
        acme = await make_organization(session)
        for _ in range(PEOPLE):
            await make_contact(session, acme, tags=["old"])
        begun = await begin_bulk_change(
            session, principal=principal(acme), action=action, arguments=DONE[action], wanted=OLD,
            now=NOON - timedelta(minutes=1),
        )  # fmt: skip
        late = await make_contact(session, acme, tags=["old"])
        return acme, begun, late.id


async def _killed_before_commit(database_url: str, bulk_id: int, batch: int) -> None:
    """Let another process go on, until it is killed with a batch done and not committed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _RUN_IN_A_PROCESS, database_url, str(bulk_id)),
        cwd=PROJECT,
        env={
            **os.environ,
            "CALLSHEET_FAULT": f"before_bulk_commit:{batch}",
            "CALLSHEET_CARRIER_SIMULATED": "1",
        },
    )
    assert await process.wait() == -signal.SIGKILL


async def _met(database: Database, acme: Organization, action: BulkAction) -> int:
    """Return how many of those meant are as the change wants them, by what the tables hold."""
    everybody = select(func.count()).select_from(Contact).where(col(Contact.organization_id) == acme.id)
    suppressed = select(func.count()).select_from(Suppression)
    wanted = {
        BulkAction.TAG: everybody.where(col(Contact.tags) == ["old", "new"]),
        BulkAction.UNTAG: everybody.where(col(Contact.tags) == []),
        BulkAction.SUPPRESS: suppressed.where(col(Suppression.organization_id) == acme.id),
    }
    async with database.session() as session:
        if action in wanted:
            return await session.scalar(wanted[action]) or 0
        return PEOPLE + 1 - (await session.scalar(everybody) or 0)


_RUN_IN_A_PROCESS: Final = f"""
import asyncio, sys
from app.runtime.clock import SystemClock
from app.runtime.database import Database
from app.runtime.fault_points import install_from_environment
from app.services.contacts import bulk
bulk.BATCH = {BATCH}
install_from_environment()
asyncio.run(bulk.advance_bulk_change(Database(sys.argv[1]), bulk_id=int(sys.argv[2]), clock=SystemClock()))
"""
