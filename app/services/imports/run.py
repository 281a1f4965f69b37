"""Runs an import. It may be interrupted at any point: another process can run it again, with the same result."""

import asyncio
import logging
from array import array
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from functools import partial
from typing import Final

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.contact_fields import IGNORE
from app.domain.contact_import import ImportStatus
from app.models import ContactImport, ImportBatch, Organization
from app.runtime.clock import Clock
from app.runtime.database import Database
from app.runtime.fault_points import fault
from app.runtime.live_feed import announce
from app.services.errors import CallsheetError
from app.services.imports.files.file_store import ResumePoint, forget_file, read_batches, reader_for
from app.services.imports.files.row_thread import in_thread
from app.services.imports.files.spreadsheets import read_table
from app.services.imports.overtaken import Overtaken
from app.services.imports.rows.copy_format import CopyBatch, copy_batch_of
from app.services.imports.rows.number_set import SeenNumbers
from app.services.imports.rows.row_parser import ReadRows, RowPlan, read_rows
from app.services.imports.store.batch_writer import RowBatch, store_batch
from app.services.imports.undo import run_undo
from app.services.tabular.row_reader import FileRow, RowReader

BATCH_ROWS: Final = 5_000
_LONGEST_ERROR: Final = 1_000
_WORKED_ON: Final = (ImportStatus.READING, ImportStatus.RUNNING)
_UNFINISHED: Final = (*_WORKED_ON, ImportStatus.QUEUED, ImportStatus.UNDOING)

# If the database server dies, the last batches are lost together with their position in the file, and are done again.
# The commit that ends the import waits for the disk, and so makes all commits before it durable.
_NOT_WAITING_FOR_THE_DISK: Final = text("SET LOCAL synchronous_commit = off")

log = logging.getLogger(__name__)


async def run_import(database: Database, *, import_id: int, clock: Clock) -> None:
    """Import a queued file, or go on with an interrupted import. Returns when nothing is left to do.

    1. Take the import's run lock until this run ends. If another run has it, return.
    2. Go on after the committed rows: the last batch has the position.
    3. Each batch is one transaction, with the progress in it.
    4. If a person must correct something (the campaign was started, ...), the import fails with the reason; queued
       again, it goes on where it stopped. Other errors leave it running: `requeue_stalled_imports` takes it up.
    """
    async with database.session() as reading:
        if not await _take_run_lock(reading, import_id):
            return
        try:
            await _go_on(database, reading, import_id, clock)
        except Overtaken:
            log.info("import.stopped", extra={"import_id": import_id})
        except CallsheetError as error:
            await _fail(database, import_id, str(error), clock.now())


async def _go_on(database: Database, reading: AsyncSession, import_id: int, clock: Clock) -> None:
    """Do the work of the import's status: turn the file into a table, import it, or undo it."""
    status = await _begin(database, import_id, clock.now())
    if status is ImportStatus.READING:
        status = await read_table(database, import_id=import_id, now=clock.now())
    if status is ImportStatus.RUNNING:
        contact_import = await reading.get_one(ContactImport, import_id)
        await _run(database, reading, contact_import, clock)
    if status is ImportStatus.UNDOING:
        await run_undo(database, import_id=import_id, clock=clock)


async def run_within(session: AsyncSession, *, contact_import: ContactImport, now: datetime) -> None:
    """Import a whole small file in the caller's transaction. Raises `FileRefused` and `Conflict`."""
    contact_import.status, contact_import.started_at = ImportStatus.RUNNING, now
    await session.flush()
    async with aclosing(people_batches(session, contact_import)) as batches:
        async for batch in batches:
            await store_batch(session, import_id=contact_import.id, batch=batch, now=now)
    await _finish(session, contact_import.id, now)
    await session.refresh(contact_import)


async def requeue_stalled_imports(session: AsyncSession) -> list[int]:
    """Return the queued and running imports that no process works on. Enqueue a job for each."""
    unfinished = await session.scalars(
        select(col(ContactImport.id))
        .where(col(ContactImport.status).in_(_UNFINISHED))
        .order_by(col(ContactImport.id))
    )
    return [import_id for import_id in unfinished.all() if await _take_run_lock(session, import_id)]


async def people_batches(session: AsyncSession, contact_import: ContactImport) -> AsyncGenerator[RowBatch]:
    """Yield the rows that are not done yet as parsed batches. Numbers of earlier rows are duplicates."""
    resume_at, seen = await _where_it_stopped(session, contact_import.id)
    reader, position = reader_for(contact_import), contact_import.rows_done
    region, strict = await number_rules(session, contact_import.organization_id)
    for_campaign = contact_import.campaign_id is not None
    batches = read_batches(
        session, import_id=contact_import.id, reader=reader, size=BATCH_ROWS, resume_at=resume_at
    )
    async with aclosing(batches):
        async for batch in batches:
            plan = row_plan(reader, contact_import, region=region, strict=strict)
            rows, lines = await in_thread(prepared, batch.rows, plan, seen, for_campaign=for_campaign)
            yield RowBatch(position, rows, lines, batch.resume_at.as_json())
            position += rows.total


def row_plan(reader: RowReader, contact_import: ContactImport, *, region: str, strict: bool) -> RowPlan:
    """Return how the rows are read: the mapping in the order of the file's columns."""
    targets = tuple(str(contact_import.mapping.get(header, IGNORE)) for header in reader.headers)
    words = {word.casefold(): zone for word, zone in contact_import.zone_words.items()}
    return RowPlan(
        targets, region=region, strict=strict, uploaded_at=contact_import.created_at, zone_words=words
    )


async def number_rules(session: AsyncSession, organization_id: int) -> tuple[str, bool]:
    """Return the organization's default region, and whether it rejects unassigned numbers."""
    rules = await session.execute(
        select(col(Organization.default_region), col(Organization.strict_numbers)).where(
            col(Organization.id) == organization_id
        )
    )
    region, strict = rules.one()
    return region, strict


def prepared(
    rows: list[FileRow], plan: RowPlan, seen: SeenNumbers, *, for_campaign: bool
) -> tuple[ReadRows, CopyBatch]:
    """Parse the rows and format what they will write. Call it in a thread."""
    read = read_rows(rows, plan, seen)
    return read, copy_batch_of(read, for_campaign=for_campaign)


async def _where_it_stopped(session: AsyncSession, import_id: int) -> tuple[ResumePoint | None, SeenNumbers]:
    """Return the position after the stored rows, and their numbers, without reading the file again."""
    seen, resume_at = SeenNumbers(), None
    done = await session.stream(
        select(col(ImportBatch.numbers), col(ImportBatch.place))
        .where(col(ImportBatch.import_id) == import_id)
        .order_by(col(ImportBatch.position))
        .execution_options(yield_per=10)
    )
    async for numbers, stood in done:
        await asyncio.to_thread(seen.update, array("Q", numbers))
        resume_at = ResumePoint(**stood)
    return resume_at, seen


async def _run(
    database: Database, reading: AsyncSession, contact_import: ContactImport, clock: Clock
) -> None:
    began, speed = clock.now(), 0.0
    async with aclosing(one_ahead(people_batches(reading, contact_import))) as batches:
        async for batch in batches:
            await database.write(
                partial(_store, import_id=contact_import.id, batch=batch, now=clock.now(), speed=speed)
            )
            fault("import_batch_committed")
            ended = clock.now()
            speed = _speed(speed, batch.rows.total, (ended - began).total_seconds())
            began = ended
    await database.write(lambda session: _finish(session, contact_import.id, clock.now()))


async def _store(
    session: AsyncSession, *, import_id: int, batch: RowBatch, now: datetime, speed: float
) -> None:
    await session.execute(_NOT_WAITING_FOR_THE_DISK)
    await store_batch(session, import_id=import_id, batch=batch, now=now, rows_per_second=speed)


def _speed(before: float, rows: int, seconds: float) -> float:
    """Return rows a second, a moving average in which the last batch is a third."""
    now = rows / seconds if seconds > 0 else before
    return now if not before else before * 2 / 3 + now / 3


async def one_ahead(batches: AsyncGenerator[RowBatch]) -> AsyncGenerator[RowBatch]:
    """Yield the batches, reading the next one while the caller stores the last."""
    async with aclosing(batches):
        ahead: asyncio.Task[RowBatch | None] = asyncio.ensure_future(anext(batches, None))
        try:
            while (batch := await ahead) is not None:
                ahead = asyncio.ensure_future(anext(batches, None))
                yield batch
        finally:
            ahead.cancel()
            await asyncio.gather(ahead, return_exceptions=True)


async def _take_run_lock(session: AsyncSession, import_id: int) -> bool:
    """Take the run lock. It ends with this session's transaction, so also with its process."""
    key = func.hashtextextended(f"callsheet.import.{import_id}", 0)
    return bool((await session.execute(select(func.pg_try_advisory_xact_lock(key)))).scalar_one())


async def _begin(database: Database, import_id: int, now: datetime) -> ImportStatus | None:
    """Return the import's status after starting it if it was queued; None if there is no such import."""

    async def work(session: AsyncSession) -> ImportStatus | None:
        contact_import = (
            await session.execute(
                select(ContactImport).where(col(ContactImport.id) == import_id).with_for_update()
            )
        ).scalar_one_or_none()
        if contact_import is None:
            return None
        if contact_import.status is ImportStatus.QUEUED:
            contact_import.status = ImportStatus.RUNNING
            contact_import.started_at = contact_import.started_at or now
        return contact_import.status

    return await database.write(work)


async def _finish(session: AsyncSession, import_id: int, now: datetime) -> None:
    await session.execute(delete(ImportBatch).where(col(ImportBatch.import_id) == import_id))
    await forget_file(session, import_id)
    await _end(session, import_id, now, status=ImportStatus.COMPLETED, error=None)


async def _fail(database: Database, import_id: int, reason: str, now: datetime) -> None:

    async def work(session: AsyncSession) -> None:
        await _end(session, import_id, now, status=ImportStatus.FAILED, error=reason[:_LONGEST_ERROR])
        # An undo that is not possible now is tried again, until the campaign is not dialed any more.
        await session.execute(
            update(ContactImport)
            .where(col(ContactImport.id) == import_id, col(ContactImport.status) == ImportStatus.UNDOING)
            .values(error=reason[:_LONGEST_ERROR])
        )

    await database.write(work)


async def _end(
    session: AsyncSession, import_id: int, now: datetime, *, status: ImportStatus, error: str | None
) -> None:
    ended = await session.execute(
        update(ContactImport)
        .where(col(ContactImport.id) == import_id, col(ContactImport.status).in_(_WORKED_ON))
        .values(status=status, error=error, ended_at=now)
        .returning(col(ContactImport.organization_id), col(ContactImport.campaign_id))
    )
    for organization_id, campaign_id in ended:
        announce(session, organization_id=organization_id, campaign_id=campaign_id)
