"""What an import does beside others who write at the same moment, and what is left of its file when it has ended."""

from typing import Any

import pytest
from sqlalchemy import func, select
from sqlmodel import col

from app.domain.contact_import import ImportStatus
from app.models import Contact, ContactImport, ImportChunk, Organization
from app.runtime.clock import SystemClock
from app.runtime.database import Database
from app.services.access.principal import Principal
from app.services.errors import Conflict
from app.services.imports import operations, queries, run
from app.services.imports.preview import preview_import
from app.services.imports.rejects import rejects_csv
from app.services.imports.store import batch_writer, matching
from app.services.imports.views import ImportView
from tests.support.builders import NOON, make_contact

FILE = b"phone,name\n2025550143,Ann\n2025550144,Bob\n12,Cid\n"
CLOCK = SystemClock()


async def queued(database: Database, owner: Principal) -> int:
    async with database.transaction() as session:
        import_id, _ = await operations.store_import(
            session, principal=owner, campaign_ref=None, file_name="c.csv", data=FILE, now=NOON
        )
        await operations.queue_import(session, principal=owner, import_ref=import_id, now=NOON)
        return import_id


async def view(database: Database, owner: Principal, import_id: int) -> ImportView:
    async with database.session() as session:
        return await queries.get_import(session, principal=owner, import_ref=import_id)


async def test_the_file_is_forgotten_once_the_import_has_ended_and_what_is_shown_of_it_stays(
    database: Database, owner: Principal
) -> None:
    ended = await queued(database, owner)
    before = await view(database, owner, ended)
    await run.run_import(database, import_id=ended, clock=CLOCK)
    stopped = await queued(database, owner)
    async with database.transaction() as session:
        await operations.cancel_import(session, principal=owner, import_ref=stopped, now=NOON)
    async with database.session() as session:
        assert await session.scalar(select(func.count()).select_from(ImportChunk)) == 0
        rejects = await rejects_csv(session, principal=owner, import_ref=ended)
        assert "callsheet_row,callsheet_reason,phone" in "".join([piece async for piece in rejects])
        with pytest.raises(Conflict, match="completed"):
            await preview_import(session, principal=owner, import_ref=ended)
    assert (await view(database, owner, ended)).columns == before.columns


async def test_who_comes_into_the_address_book_at_the_same_moment_is_taken_for_known(
    database: Database, owner: Principal, acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another transaction adds the person after the batch was judged, and commits before it is written."""
    late: list[str] = []

    async def match_people(session: Any, people: Any, *args: Any, **kwargs: Any) -> Any:
        known = await matching.match_people(session, people, *args, **kwargs)
        if not late:
            late.append(people[0].number)
            async with database.transaction() as other:
                await make_contact(other, acme, number=late[0], name="Of another")
        return known

    monkeypatch.setattr(batch_writer, "match_people", match_people)
    import_id = await queued(database, owner)
    await run.run_import(database, import_id=import_id, clock=CLOCK)
    async with database.session() as session:
        done = await session.get_one(ContactImport, import_id)
        numbers = list(await session.scalars(select(col(Contact.number))))
    assert (done.status, done.rows_done) == (ImportStatus.COMPLETED, 3)
    assert done.known == 1
    assert len(numbers) == len(set(numbers)) == done.created + 1
