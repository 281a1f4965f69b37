"""One batch of an import: contacts, recipients, issues, counters and progress in one transaction."""

import csv
import io
import json
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.faults import fault
from app.live import announce
from app.models import Campaign, ContactImport, ImportBatch, ImportStatus
from app.services.campaigns.adding import add_staged, require_editable_list
from app.services.errors import NotFound
from app.services.imports.cards import Saved, save_cards
from app.services.imports.classes import Issue
from app.services.imports.people import ReadRows
from app.services.imports.staging import NOBODY, Judgement, copy_rows, judge, stage

_LONGEST_REASON: Final = 500
_COPY_ISSUES: Final = "COPY import_issue (import_id, row_number, kind, reason, row) FROM STDIN (FORMAT csv)"


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows read from the file, with what is needed to go on after them."""

    position: int
    """Rows of the file that come before them."""
    rows: ReadRows
    staged: str
    """The people as the temporary table takes them."""
    place: dict[str, Any]


class Overtaken(Exception):
    """The import is not where this run left it: cancelled, deleted with its campaign, or run by another."""


async def store_batch(
    session: AsyncSession, *, import_id: int, batch: Batch, now: datetime, rows_per_second: float = 0
) -> None:
    """Store one batch; the caller commits. Raises `Overtaken`; `Conflict` if the campaign takes no contacts.

    The lock on the import and its `rows_done` make each row count once, whoever runs it however often.
    """
    # The campaign is locked before the import, in the order in which deleting a campaign takes them.
    campaign = await locked_campaign(session, await _known_import(session, import_id))
    contact_import = await _locked_import(session, import_id, batch.position)
    if campaign is not None:
        require_editable_list(campaign)
    people, organization_id = batch.rows.people, contact_import.organization_id
    if people:
        await stage(session, batch.staged)
        known = await judge(session, people, organization_id=organization_id, campaign=campaign)
        saved = await save_cards(
            session, organization_id=organization_id, import_id=import_id, people=len(people), now=now
        )
        fault("import_contacts_stored")
        if campaign is not None:
            added = await add_staged(session, campaign=campaign, import_id=import_id, now=now)
            contact_import.recipients_added += added.added + added.suppressed
    else:
        known, saved = NOBODY, Saved(0, 0)
    await _record_issues(session, import_id, [*batch.rows.issues, *known.issues, *known.warnings(batch.rows)])
    _count(contact_import, batch.rows, known, saved)
    contact_import.rows_per_second = rows_per_second or contact_import.rows_per_second
    await _remember_place(session, import_id, batch)
    await session.flush()
    announce(session, organization_id=organization_id, campaign_id=contact_import.campaign_id)
    fault("import_batch_stored")


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


async def _record_issues(session: AsyncSession, import_id: int, issues: Sequence[Issue]) -> None:
    if not issues:
        return
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(
        (
            import_id,
            issue.row.number,
            issue.kind.value,
            issue.reason[:_LONGEST_REASON],
            json.dumps({"cells": issue.row.cells}),
        )
        for issue in issues
    )
    await copy_rows(session, _COPY_ISSUES, text.getvalue())


def _count(contact_import: ContactImport, rows: ReadRows, known: Judgement, saved: Saved) -> None:
    added = known.tally(rows) | {"rows_done": rows.total, **saved._asdict()}
    for counter, count in added.items():
        setattr(contact_import, counter, getattr(contact_import, counter) + count)


async def _remember_place(session: AsyncSession, import_id: int, batch: Batch) -> None:
    numbers = array("Q", [int(person.number[1:]) for person in batch.rows.people])
    await session.execute(
        insert(ImportBatch).values(
            import_id=import_id, position=batch.position, numbers=numbers.tobytes(), place=batch.place
        )
    )
