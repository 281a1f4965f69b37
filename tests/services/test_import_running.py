"""An import that is killed, cancelled, run twice or stopped by its campaign loses and repeats nothing."""

import asyncio
import gc
import os
import signal
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import delete, select, update
from sqlmodel import col

from app.domain.campaign import CampaignStatus
from app.domain.contact_import import ImportStatus
from app.domain.suppression import SuppressionSource
from app.models import (
    Campaign,
    Contact,
    ContactImport,
    ImportBatch,
    ImportIssue,
    Organization,
    Recipient,
    Suppression,
)
from app.runtime.clock import SystemClock
from app.runtime.database import Database
from app.runtime.fault_points import install
from app.runtime.migrations import PROJECT
from app.services.access.principal import Principal
from app.services.errors import Conflict
from app.services.imports import operations, queries, run
from app.services.imports.files import file_store
from app.services.imports.store import batch_writer
from app.services.imports.views import ImportView
from app.services.tabular import row_reader
from app.services.tabular.row_reader import FileRow, RowReader
from tests.support.builders import NOON, make_campaign, make_contact

POINTS = ["import_contacts_stored", "import_batch_stored", "import_batch_committed"]
ROWS = 37
BATCH = 5


class FrozenClock(SystemClock):
    def now(self) -> datetime:
        return NOON


CLOCK = FrozenClock()


class Killed(BaseException):
    """Stands for the death of the process: no handler catches it."""


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(run, "BATCH_ROWS", BATCH)
    yield
    install(None)


@pytest.fixture
async def campaign(database: Database, acme: Organization) -> Campaign:
    """A draft into which row 9's number is suppressed, and of whose people one is in the address book."""
    async with database.transaction() as session:
        session.add(
            Suppression(
                organization_id=acme.id,
                number=number_of(7),
                source=SuppressionSource.MANUAL,
                created_at=NOON,
            )
        )
        await make_contact(session, acme, number=number_of(3), name="Old name", email="old@example.com")
        return await make_campaign(session, acme)


def number_of(row: int) -> str:
    return f"+1202234{row:04}"


def ugly_file() -> bytes:
    """Every class of row, spread over the batches: rejected, repeated, warned of, broken, suppressed."""
    lines = ["phone,name,city"]
    for row in range(ROWS):
        match row % 9:
            case 4:
                lines.append(f"12,Bad {row},")
            case 5 if row > 5:
                lines.append(f"{number_of(row - 5)},Again {row},Rome")
            case 6:
                lines.append(f"+1555123{row:04},Warned {row},Oslo")
            case 8:
                lines.append(f'{number_of(row)},"Broken" {row},')
            case _:
                lines.append(f"{number_of(row)},Person {row},Rome")
    return "\n".join(lines).encode()


async def queued(database: Database, owner: Principal, campaign: Campaign, data: bytes) -> int:
    async with database.transaction() as session:
        import_id, _ = await operations.store_import(
            session,
            principal=owner,
            campaign_ref=campaign.id,
            file_name="contacts.csv",
            data=data,
            now=NOON,
        )
        await operations.queue_import(session, principal=owner, import_ref=import_id, now=NOON)
        return import_id


async def view_of(database: Database, owner: Principal, import_id: int) -> ImportView:
    async with database.session() as session:
        return await queries.get_import(session, principal=owner, import_ref=import_id)


async def outcome(database: Database, import_id: int) -> dict[str, Any]:
    """Everything an import leaves behind, without the ids that a rolled back transaction uses up."""
    async with database.session() as session:
        people = await session.execute(
            select(col(Contact.number), col(Contact.name), col(Contact.email), col(Contact.fields)).order_by(
                col(Contact.number)
            )
        )
        listed = await session.execute(
            select(col(Recipient.position), col(Contact.number), col(Recipient.variables))
            .join(Contact, col(Contact.id) == col(Recipient.contact_id))
            .order_by(col(Recipient.position))
        )
        issues = await session.execute(
            select(
                col(ImportIssue.row_number),
                col(ImportIssue.kind),
                col(ImportIssue.reason),
                col(ImportIssue.row),
            ).order_by(col(ImportIssue.row_number))
        )
        row = await session.get_one(ContactImport, import_id)
        counters = (row.status, row.rows_done, row.accepted, row.rejected, row.duplicates, row.suppressed)
        return {
            "people": [tuple(person) for person in people],
            "listed": [tuple(recipient) for recipient in listed],
            "issues": [tuple(issue) for issue in issues],
            "counters": counters,
        }


async def run_until_done(database: Database, import_id: int) -> int:
    """Run, and run again after each death; return how often the process died."""
    deaths = 0
    while True:
        try:
            await run.run_import(database, import_id=import_id, clock=CLOCK)
        except Killed:
            deaths += 1
        else:
            return deaths


def die_at(point: str, passing: int | None = None) -> None:
    """Die at the nth passing of a point, or (None) at the first passing of it after each restart."""
    passed = 0

    def handler(name: str) -> None:
        nonlocal passed
        if name == point:
            passed += 1
            if passing is None or passed == passing:
                raise Killed

    install(handler)


async def test_a_run_counts_and_lists_every_row_once(
    database: Database, owner: Principal, campaign: Campaign
) -> None:
    import_id = await queued(database, owner, campaign, ugly_file())

    await run.run_import(database, import_id=import_id, clock=CLOCK)

    view = await view_of(database, owner, import_id)
    assert view.status is ImportStatus.COMPLETED
    assert view.rows_done == view.rows_total == ROWS
    assert view.accepted + view.rejected + view.duplicates + view.suppressed == ROWS
    assert (view.rejected, view.duplicates, view.suppressed, view.warnings) == (8, 3, 1, 4)
    found = await outcome(database, import_id)
    assert len(found["listed"]) == view.recipients_added == view.accepted + view.suppressed
    assert [position for position, *_ in found["listed"]] == list(range(1, view.recipients_added + 1))
    assert (view.started_at, view.ended_at) == (NOON, NOON)


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("passing", [1, 4, -(-ROWS // BATCH)])
async def test_a_death_at_any_batch_loses_and_repeats_nothing(
    database: Database, owner: Principal, acme: Organization, campaign: Campaign, point: str, passing: int
) -> None:
    import_id = await queued(database, owner, campaign, ugly_file())
    die_at(point, passing)
    assert await run_until_done(database, import_id) == 1
    broken = await outcome(database, import_id)
    install(None)

    whole = await undisturbed(database, owner, acme)

    assert broken == whole


async def test_a_death_after_every_batch_loses_and_repeats_nothing(
    database: Database, owner: Principal, acme: Organization, campaign: Campaign
) -> None:
    import_id = await queued(database, owner, campaign, ugly_file())
    die_at("import_batch_committed")
    assert await run_until_done(database, import_id) == -(-ROWS // BATCH)
    install(None)

    broken = await outcome(database, import_id)
    assert broken == await undisturbed(database, owner, acme)


async def undisturbed(database: Database, owner: Principal, acme: Organization) -> dict[str, Any]:
    """What the same file leaves in the same, emptied database when nothing disturbs it."""
    async with database.transaction() as session:
        for table in (Recipient, ContactImport, Campaign, Contact):
            for row in await session.scalars(select(table)):
                await session.delete(row)
            await session.flush()
        await make_contact(session, acme, number=number_of(3), name="Old name", email="old@example.com")
        campaign = await make_campaign(session, acme)
    import_id = await queued(database, owner, campaign, ugly_file())
    await run.run_import(database, import_id=import_id, clock=CLOCK)
    return await outcome(database, import_id)


async def test_going_on_after_a_death_reads_no_more_than_one_piece_again(
    database: Database, owner: Principal, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_store, "CHUNK_BYTES", 64)
    monkeypatch.setattr(row_reader, "_DETECT_CHARACTERS", 10)
    import_id = await queued(database, owner, campaign, ugly_file())
    die_at("import_batch_committed", 4)
    with pytest.raises(Killed):
        await run.run_import(database, import_id=import_id, clock=CLOCK)
    install(None)
    read: list[int] = []
    original = RowReader.feed

    def counted(self: RowReader, data: bytes) -> list[FileRow]:
        read.append(len(data))
        return original(self, data)

    monkeypatch.setattr(RowReader, "feed", counted)
    await run.run_import(database, import_id=import_id, clock=CLOCK)

    left = len(ugly_file()) * (ROWS - 4 * BATCH) // ROWS
    assert 0 < sum(read) < left + 3 * 64
    view = await view_of(database, owner, import_id)
    assert view.status is ImportStatus.COMPLETED
    assert view.rows_done == ROWS
    async with database.session() as session:
        assert list(await session.scalars(select(ImportBatch))) == []


async def test_a_process_killed_with_minus_nine_is_taken_up_where_it_was(
    database: Database, database_url: str, owner: Principal, acme: Organization, campaign: Campaign
) -> None:
    import_id = await queued(database, owner, campaign, ugly_file())
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _RUN_IN_A_PROCESS,
        database_url,
        str(import_id),
        cwd=PROJECT,
        env={
            **os.environ,
            "CALLSHEET_FAULT": "import_batch_stored:4",
            "CALLSHEET_CARRIER_SIMULATED": "1",
        },
    )
    assert await process.wait() == -signal.SIGKILL
    async with database.session() as session:
        stalled = await run.requeue_stalled_imports(session)
    assert stalled == [import_id]
    assert (await view_of(database, owner, import_id)).rows_done == 3 * BATCH

    await run.run_import(database, import_id=import_id, clock=CLOCK)

    broken = await outcome(database, import_id)
    assert broken == await undisturbed(database, owner, acme)


_RUN_IN_A_PROCESS = f"""
import asyncio, sys
from app.runtime.clock import SystemClock
from app.runtime.database import Database
from app.runtime.fault_points import install_from_environment
from app.services.imports import operations
from app.services.imports import run
run.BATCH_ROWS = {BATCH}
install_from_environment()
asyncio.run(run.run_import(Database(sys.argv[1]), import_id=int(sys.argv[2]), clock=SystemClock()))
"""


async def test_two_runs_at_once_import_each_row_once(
    database: Database, owner: Principal, acme: Organization, campaign: Campaign
) -> None:
    import_id = await queued(database, owner, campaign, ugly_file())

    runs = [run.run_import(database, import_id=import_id, clock=CLOCK) for _ in range(4)]
    await asyncio.gather(*runs)

    together = await outcome(database, import_id)
    assert together == await undisturbed(database, owner, acme)


async def test_without_the_run_lock_the_rows_lock_still_holds(
    database: Database,
    owner: Principal,
    acme: Organization,
    campaign: Campaign,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def always(*_: object) -> bool:
        return True

    monkeypatch.setattr(run, "_take_run_lock", always)
    import_id = await queued(database, owner, campaign, ugly_file())

    while (await view_of(database, owner, import_id)).status is not ImportStatus.COMPLETED:
        runs = [run.run_import(database, import_id=import_id, clock=CLOCK) for _ in range(3)]
        await asyncio.gather(*runs)

    together = await outcome(database, import_id)
    assert together == await undisturbed(database, owner, acme)


async def test_a_finished_import_is_not_run_again(
    database: Database, owner: Principal, campaign: Campaign
) -> None:
    import_id = await queued(database, owner, campaign, ugly_file())
    await run.run_import(database, import_id=import_id, clock=CLOCK)
    first = await outcome(database, import_id)

    await run.run_import(database, import_id=import_id, clock=CLOCK)

    assert await outcome(database, import_id) == first
    async with database.session() as session:
        assert await run.requeue_stalled_imports(session) == []
        with pytest.raises(Conflict):
            await operations.queue_import(session, principal=owner, import_ref=import_id, now=NOON)


async def test_a_running_import_is_not_taken_for_stalled(
    database: Database, owner: Principal, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = await queued(database, owner, campaign, ugly_file())
    stalled: list[list[int]] = []
    original = batch_writer.store_batch

    async def looking(*args: Any, **kwargs: Any) -> None:
        async with database.session() as session:
            stalled.append(await run.requeue_stalled_imports(session))
        await original(*args, **kwargs)

    monkeypatch.setattr(run, "store_batch", looking)
    async with database.session() as session:
        assert await run.requeue_stalled_imports(session) == [import_id]

    await run.run_import(database, import_id=import_id, clock=CLOCK)

    assert stalled
    assert not any(stalled)


async def test_a_cancelled_import_stops_after_the_batch_it_is_at(
    database: Database, owner: Principal, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = await queued(database, owner, campaign, ugly_file())
    original = batch_writer.store_batch

    async def cancelled_before_the_third(*args: Any, **kwargs: Any) -> None:
        if kwargs["batch"].position == 2 * BATCH:
            async with database.transaction() as session:
                await operations.cancel_import(session, principal=owner, import_ref=import_id, now=NOON)
        await original(*args, **kwargs)

    monkeypatch.setattr(run, "store_batch", cancelled_before_the_third)
    await run.run_import(database, import_id=import_id, clock=CLOCK)

    view = await view_of(database, owner, import_id)
    assert (view.status, view.rows_done) == (ImportStatus.CANCELLED, 2 * BATCH)
    async with database.session() as session:
        with pytest.raises(Conflict, match="cancelled already"):
            await operations.cancel_import(session, principal=owner, import_ref=import_id, now=NOON)


async def test_a_campaign_that_is_started_stops_the_import_until_it_is_paused(
    database: Database,
    owner: Principal,
    acme: Organization,
    campaign: Campaign,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import_id = await queued(database, owner, campaign, ugly_file())
    original = batch_writer.store_batch

    async def started_before_the_third(*args: Any, **kwargs: Any) -> None:
        if kwargs["batch"].position == 2 * BATCH:
            await set_status(database, campaign, CampaignStatus.RUNNING)
        await original(*args, **kwargs)

    monkeypatch.setattr(run, "store_batch", started_before_the_third)
    await run.run_import(database, import_id=import_id, clock=CLOCK)
    stopped = await view_of(database, owner, import_id)
    assert (stopped.status, stopped.rows_done) == (ImportStatus.FAILED, 2 * BATCH)
    assert "Pause the campaign first" in (stopped.error or "")

    monkeypatch.setattr(run, "store_batch", original)
    async with database.session() as session:
        with pytest.raises(Conflict, match="Pause the campaign first"):
            await operations.queue_import(session, principal=owner, import_ref=import_id, now=NOON)
    await set_status(database, campaign, CampaignStatus.PAUSED)
    async with database.transaction() as session:
        await operations.queue_import(session, principal=owner, import_ref=import_id, now=NOON)
    await run.run_import(database, import_id=import_id, clock=CLOCK)

    resumed = await outcome(database, import_id)
    assert resumed == await undisturbed(database, owner, acme)


async def test_an_import_whose_campaign_is_deleted_under_way_ends_quietly(
    database: Database, owner: Principal, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = await queued(database, owner, campaign, ugly_file())
    original = batch_writer.store_batch

    async def deleted_before_the_third(*args: Any, **kwargs: Any) -> None:
        if kwargs["batch"].position == 2 * BATCH:
            async with database.transaction() as session:
                await session.execute(delete(Campaign).where(col(Campaign.id) == campaign.id))
        await original(*args, **kwargs)

    monkeypatch.setattr(run, "store_batch", deleted_before_the_third)
    await run.run_import(database, import_id=import_id, clock=CLOCK)

    async with database.session() as session:
        assert list(await session.scalars(select(ContactImport))) == []
        assert list(await session.scalars(select(Recipient))) == []


async def set_status(database: Database, campaign: Campaign, status: CampaignStatus) -> None:
    async with database.transaction() as session:
        await session.execute(update(Campaign).where(col(Campaign.id) == campaign.id).values(status=status))


async def test_the_mapping_cannot_change_once_rows_are_in(
    database: Database, owner: Principal, campaign: Campaign
) -> None:
    import_id = await queued(database, owner, campaign, ugly_file())
    async with database.session() as session:
        with pytest.raises(Conflict, match="has begun"):
            await operations.set_mapping(
                session, principal=owner, import_ref=import_id, mapping={"phone": "phone"}, now=NOON
            )


async def test_each_batch_is_announced_after_its_commit(
    database_url: str, database: Database, owner: Principal, campaign: Campaign
) -> None:
    notes: list[Any] = []

    async def keep(published: Any) -> None:
        notes.extend(published)

    import_id = await queued(database, owner, campaign, ugly_file())
    listening = Database(database_url, on_commit=keep)
    await run.run_import(listening, import_id=import_id, clock=CLOCK)
    await listening.dispose()

    assert len(notes) == -(-ROWS // BATCH) + 1
    assert {note.campaign_id for note in notes} == {campaign.id}


async def test_the_event_loop_goes_on_while_a_large_file_is_read(
    database: Database, owner: Principal, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "BATCH_ROWS", 1_000)
    lines = b"".join(b"+1202%07d,Person %d\n" % (number, number) for number in range(2_000_000, 2_008_000))
    longest, done = 0.0, asyncio.Event()

    # In the loop's own CPU time: how long a busy machine keeps the whole process waiting is not the import's doing.
    async def watch() -> None:
        nonlocal longest
        while not done.is_set():
            before = time.thread_time()
            await asyncio.sleep(0.001)
            longest = max(longest, time.thread_time() - before)

    gc.freeze()  # nor is the collecting of what the other tests of this process have left
    watching = asyncio.create_task(watch())
    import_id = await queued(database, owner, campaign, b"phone,name\n" + lines)
    await run.run_import(database, import_id=import_id, clock=CLOCK)
    done.set()
    await watching
    gc.unfreeze()

    assert (await view_of(database, owner, import_id)).accepted == 8_000
    assert longest < 0.05, f"the loop stood still for {longest * 1000:.0f} ms"
