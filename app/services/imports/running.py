"""Running an import: resumable after a crash at any point, and the same whoever runs it however often."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from typing import Final

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.clock import Clock
from app.db import Database
from app.domain.contact_fields import IGNORE
from app.faults import fault
from app.live import announce
from app.models import ContactImport, ImportStatus, Organization
from app.services.errors import CallsheetError
from app.services.imports.chunks import read_batches, reader_for
from app.services.imports.classes import SeenNumbers
from app.services.imports.people import Person, RowPlan, read_people
from app.services.imports.reading import RowReader
from app.services.imports.storing import Batch, Overtaken, store_batch

BATCH_ROWS: Final = 1_000
_LONGEST_ERROR: Final = 1_000

log = logging.getLogger(__name__)


async def run_import(database: Database, *, import_id: int, clock: Clock) -> None:
    """Import a queued file, or go on with one that a crash interrupted. Returns when nothing is left to do.

    1. Hold the import's run lock for as long as this run lives; another run that holds it is left to work.
    2. Read the file again from its start, skipping the rows that are committed.
    3. Each batch is one transaction, with the progress in it.
    4. What a person must mend (the campaign was started, ...) fails the import with the reason; queued again,
       it goes on where it stopped. Other errors leave it running, for `requeue_stalled_imports` to take up.
    """
    async with database.session() as reading:
        if not await _take_run_lock(reading, import_id):
            return
        contact_import = await _begin(database, import_id, clock.now())
        if contact_import is None:
            return
        try:
            await _run(database, reading, contact_import, clock)
        except Overtaken:
            log.info("import.stopped", extra={"import_id": import_id})
        except CallsheetError as error:
            await _fail(database, import_id, str(error), clock.now())


async def run_within(session: AsyncSession, *, contact_import: ContactImport, now: datetime) -> None:
    """Import a small file whole in the caller's transaction. Raises `FileRefused` and `Conflict`."""
    contact_import.status, contact_import.started_at = ImportStatus.RUNNING, now
    await session.flush()
    seen = SeenNumbers()
    async with aclosing(people_batches(session, contact_import, seen)) as batches:
        async for batch in batches:
            await store_batch(session, import_id=contact_import.id, batch=batch, seen=seen, now=now)
    await _finish(session, contact_import.id, now)
    await session.refresh(contact_import)


async def requeue_stalled_imports(session: AsyncSession) -> list[int]:
    """Return the imports that are queued or running while no process runs them: enqueue a job for each."""
    unfinished = await session.scalars(
        select(col(ContactImport.id))
        .where(col(ContactImport.status).in_([ImportStatus.QUEUED, ImportStatus.RUNNING]))
        .order_by(col(ContactImport.id))
    )
    return [import_id for import_id in unfinished.all() if await _take_run_lock(session, import_id)]


async def people_batches(
    session: AsyncSession, contact_import: ContactImport, seen: SeenNumbers
) -> AsyncGenerator[Batch]:
    """Yield the rows that are not done yet, read as people; the numbers of those done are noted in `seen`."""
    reader, position, done = reader_for(contact_import), 0, contact_import.rows_done
    region, strict = await number_rules(session, contact_import.organization_id)
    async for rows in read_batches(session, import_id=contact_import.id, reader=reader, size=BATCH_ROWS):
        plan = row_plan(reader, contact_import, region=region, strict=strict)
        people = await asyncio.to_thread(read_people, rows, plan)
        old = min(max(done - position, 0), len(people))
        for person in people[:old]:
            if isinstance(person, Person):
                seen.add(person.number)
        if old < len(people):
            yield Batch(position + old, people[old:])
        position += len(people)


def row_plan(reader: RowReader, contact_import: ContactImport, *, region: str, strict: bool) -> RowPlan:
    """Return how the rows are read: the mapping in the order of the file's columns."""
    targets = tuple(str(contact_import.mapping.get(header, IGNORE)) for header in reader.headers)
    return RowPlan(targets=targets, region=region, strict=strict)


async def number_rules(session: AsyncSession, organization_id: int) -> tuple[str, bool]:
    """Return the organization's default region, and whether it rejects unassigned numbers."""
    rules = await session.execute(
        select(col(Organization.default_region), col(Organization.strict_numbers)).where(
            col(Organization.id) == organization_id
        )
    )
    region, strict = rules.one()
    return region, strict


async def _run(
    database: Database, reading: AsyncSession, contact_import: ContactImport, clock: Clock
) -> None:
    seen = SeenNumbers()
    async with aclosing(people_batches(reading, contact_import, seen)) as batches:
        async for batch in batches:
            async with database.transaction() as session:
                await store_batch(
                    session, import_id=contact_import.id, batch=batch, seen=seen, now=clock.now()
                )
            fault("import_batch_committed")
    async with database.transaction() as session:
        await _finish(session, contact_import.id, clock.now())


async def _take_run_lock(session: AsyncSession, import_id: int) -> bool:
    """Take the lock that ends with this session's transaction, so also with its process."""
    key = func.hashtextextended(f"callsheet.import.{import_id}", 0)
    return bool((await session.execute(select(func.pg_try_advisory_xact_lock(key)))).scalar_one())


async def _begin(database: Database, import_id: int, now: datetime) -> ContactImport | None:
    """Return the import, running; None if it is neither queued nor running."""
    async with database.transaction() as session:
        contact_import = (
            await session.execute(
                select(ContactImport).where(col(ContactImport.id) == import_id).with_for_update()
            )
        ).scalar_one_or_none()
        if contact_import is None:
            return None
        if contact_import.status == ImportStatus.QUEUED:
            contact_import.status = ImportStatus.RUNNING
            contact_import.started_at = contact_import.started_at or now
        return contact_import if contact_import.status == ImportStatus.RUNNING else None


async def _finish(session: AsyncSession, import_id: int, now: datetime) -> None:
    await _end(session, import_id, now, status=ImportStatus.COMPLETED, error=None)


async def _fail(database: Database, import_id: int, reason: str, now: datetime) -> None:
    async with database.transaction() as session:
        await _end(session, import_id, now, status=ImportStatus.FAILED, error=reason[:_LONGEST_ERROR])


async def _end(
    session: AsyncSession, import_id: int, now: datetime, *, status: ImportStatus, error: str | None
) -> None:
    ended = await session.execute(
        update(ContactImport)
        .where(col(ContactImport.id) == import_id, col(ContactImport.status) == ImportStatus.RUNNING)
        .values(status=status, error=error, ended_at=now)
        .returning(col(ContactImport.organization_id), col(ContactImport.campaign_id))
    )
    for organization_id, campaign_id in ended:
        announce(session, organization_id=organization_id, campaign_id=campaign_id)
