"""Writes one batch of an import: contacts, recipients, issues, counters and progress in one transaction."""

from array import array
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from psycopg import errors
from sqlalchemy import insert, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.contact_import import ImportStatus
from app.models import Campaign, ContactImport, ImportBatch
from app.runtime.fault_points import fault
from app.runtime.live_feed import announce
from app.services.campaigns.adding import require_editable_list
from app.services.errors import NotFound
from app.services.imports.overtaken import Overtaken
from app.services.imports.rows.copy_format import CopyBatch, issue_line, with_head
from app.services.imports.rows.row_parser import ReadRows
from app.services.imports.store.contact_writer import Saved, save_cards
from app.services.imports.store.copy import copy_rows
from app.services.imports.store.matching import NO_MATCHES, MatchResult, match_people
from app.services.imports.store.recipient_writer import add_recipients
from app.services.imports.zones import add_zone_counts

_COPY_ISSUES: Final = "COPY import_issue (import_id, row_number, kind, reason, row) FROM STDIN"
_RACES: Final = (errors.UniqueViolation, errors.ForeignKeyViolation)
"""Another transaction added or deleted one of the people at the same moment: match the batch again."""
_MOST_RACES: Final = 5


@dataclass(frozen=True, slots=True)
class RowBatch:
    """Rows read from the file, with the position after them."""

    position: int
    """Rows of the file before them."""
    rows: ReadRows
    lines: CopyBatch
    """Their lines for COPY."""
    resume_at: dict[str, Any]


class _Stored(NamedTuple):
    """The result of storing the people of a batch."""

    known: MatchResult
    saved: Saved
    listed: int
    """Recipients added to the campaign."""


async def store_batch(
    session: AsyncSession, *, import_id: int, batch: RowBatch, now: datetime, rows_per_second: float = 0
) -> None:
    """Store one batch; the caller commits. Raises `Overtaken`; `Conflict` if the campaign takes no contacts.

    The lock on the import and its `rows_done` make each row count once, even if the batch is run again.
    """
    # The campaign is locked before the import, as when a campaign is deleted.
    campaign = await locked_campaign(session, await _known_import(session, import_id))
    contact_import = await _locked_import(session, import_id, batch.position)
    if campaign is not None:
        require_editable_list(campaign)
    stored = await _without_races(session, contact_import, campaign, batch, now)
    contact_import.recipients_added += stored.listed
    await _record_issues(session, import_id, batch.lines, stored.known)
    _count(contact_import, batch.rows, stored)
    contact_import.rows_per_second = rows_per_second or contact_import.rows_per_second
    numbers = array("Q", [int(person.number[1:]) for person in batch.rows.people])
    done = {"import_id": import_id, "position": batch.position, "place": batch.resume_at}
    await session.execute(insert(ImportBatch), [done | {"numbers": numbers.tobytes()}])
    await session.flush()
    announce(session, organization_id=contact_import.organization_id, campaign_id=contact_import.campaign_id)
    fault("import_batch_stored")


async def _without_races(
    session: AsyncSession,
    contact_import: ContactImport,
    campaign: Campaign | None,
    batch: RowBatch,
    now: datetime,
) -> _Stored:
    for _ in range(_MOST_RACES - 1):
        try:
            async with session.begin_nested():
                return await _store_people(session, contact_import, campaign, batch, now)
        except _RACES:
            continue
        except DBAPIError as error:
            if not isinstance(error.orig, _RACES):
                raise
    return await _store_people(session, contact_import, campaign, batch, now)


async def _store_people(
    session: AsyncSession,
    contact_import: ContactImport,
    campaign: Campaign | None,
    batch: RowBatch,
    now: datetime,
) -> _Stored:
    people, lines = batch.rows.people, batch.lines
    if not people:
        return _Stored(NO_MATCHES, Saved({}, {}, 0, 0), 0)
    organization_id, import_id = contact_import.organization_id, contact_import.id
    known = await match_people(session, people, lines, organization_id=organization_id, campaign=campaign)
    saved = await save_cards(
        session, lines, known.contacts, organization_id=organization_id, import_id=import_id, now=now
    )
    fault("import_contacts_stored")
    listed = 0
    if campaign is not None:
        listed = await add_recipients(
            session, lines, known, saved, campaign=campaign, import_id=import_id, now=now
        )
    return _Stored(known, saved, listed)


async def locked_campaign(session: AsyncSession, contact_import: ContactImport) -> Campaign | None:
    """Return the import's campaign, locked, or None without one. Raises `NotFound` if it was just deleted."""
    if contact_import.campaign_id is None:
        return None
    statement = select(Campaign).where(col(Campaign.id) == contact_import.campaign_id)
    locked = statement.with_for_update(key_share=True).execution_options(populate_existing=True)
    campaign = (await session.execute(locked)).scalar_one_or_none()
    if campaign is None:
        raise NotFound("campaign", contact_import.campaign_id)
    return campaign


async def _known_import(session: AsyncSession, import_id: int) -> ContactImport:
    contact_import = await session.get(ContactImport, import_id)
    if contact_import is None:
        raise Overtaken
    return contact_import


async def _locked_import(session: AsyncSession, import_id: int, position: int) -> ContactImport:
    statement = select(ContactImport).where(col(ContactImport.id) == import_id)
    contact_import = (
        await session.execute(statement.with_for_update().execution_options(populate_existing=True))
    ).scalar_one_or_none()
    if contact_import is None or contact_import.status != ImportStatus.RUNNING:
        raise Overtaken
    if contact_import.rows_done != position:
        raise Overtaken
    return contact_import


async def _record_issues(session: AsyncSession, import_id: int, lines: CopyBatch, known: MatchResult) -> None:
    warnings = (line for index, line in lines.warnings.items() if index in known.going_in)
    issues = [*lines.issues, *map(issue_line, known.issues), *warnings]
    if issues:
        await copy_rows(session, _COPY_ISSUES, with_head((import_id,), issues))


def _count(contact_import: ContactImport, rows: ReadRows, stored: _Stored) -> None:
    counts = stored.known.tally(rows) | {
        "rows_done": rows.total,
        "created": stored.saved.created,
        "updated": stored.saved.updated,
    }
    for counter, count in counts.items():
        setattr(contact_import, counter, getattr(contact_import, counter) + count)
    zones = [stored.saved.places[index].zones for index in stored.known.going_in]
    contact_import.zone_counts = add_zone_counts(contact_import.zone_counts, zones)
