"""One batch of an import: contacts, recipients, issues, counters and progress in one transaction."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.faults import fault
from app.live import announce
from app.models import Campaign, ContactImport, ImportStatus
from app.services.campaigns.adding import add_recipients_bulk, require_editable_list
from app.services.errors import NotFound
from app.services.imports.classes import IssueKind, Judged, SeenNumbers, judge
from app.services.imports.people import Person, RejectedRow

_LONGEST_REASON: Final = 500

# One static statement with one JSON parameter: compiling a thousand rows of VALUES blocks the event loop.
# A text of the row replaces what the contact had, an empty one never does; the parts of a name go together.
_UPSERT: Final = text("""
INSERT INTO contact AS known (
    organization_id, number, name, first_name, last_name, email, company, time_zone, language, country, state,
    notes, tags, fields, source, created_at, updated_at)
SELECT :organization_id, number, coalesce(name, ''), coalesce(first_name, ''), coalesce(last_name, ''),
    coalesce(email, ''), coalesce(company, ''), coalesce(time_zone, ''), coalesce(language, ''),
    coalesce(country, ''), coalesce(state, ''), coalesce(notes, ''), '{}', custom, :source, :now, :now
FROM jsonb_to_recordset(CAST(:people AS jsonb)) AS given (
    number text, name text, first_name text, last_name text, email text, company text, time_zone text,
    language text, country text, state text, notes text, custom jsonb)
ORDER BY number
ON CONFLICT (organization_id, number) DO UPDATE SET
    name = coalesce(nullif(excluded.name, ''), known.name),
    first_name = CASE WHEN excluded.name <> '' THEN excluded.first_name ELSE known.first_name END,
    last_name = CASE WHEN excluded.name <> '' THEN excluded.last_name ELSE known.last_name END,
    email = coalesce(nullif(excluded.email, ''), known.email),
    company = coalesce(nullif(excluded.company, ''), known.company),
    time_zone = coalesce(nullif(excluded.time_zone, ''), known.time_zone),
    language = coalesce(nullif(excluded.language, ''), known.language),
    country = coalesce(nullif(excluded.country, ''), known.country),
    state = coalesce(nullif(excluded.state, ''), known.state),
    notes = coalesce(nullif(excluded.notes, ''), known.notes),
    fields = known.fields || excluded.fields,
    updated_at = excluded.updated_at
RETURNING number, id
""")

_ISSUES: Final = text("""
INSERT INTO import_issue (import_id, row_number, kind, reason, row)
SELECT :import_id, row_number, kind, reason, "row"
FROM jsonb_to_recordset(CAST(:issues AS jsonb)) AS given (row_number int, kind text, reason text, "row" jsonb)
""")


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows read from the file, and how many rows of it come before them."""

    position: int
    rows: Sequence[Person | RejectedRow]


class Overtaken(Exception):
    """The import is not where this run left it: cancelled, deleted with its campaign, or run by another."""


async def store_batch(
    session: AsyncSession, *, import_id: int, batch: Batch, seen: SeenNumbers, now: datetime
) -> None:
    """Store one batch; the caller commits. Raises `Overtaken`; `Conflict` if the campaign takes no contacts.

    The lock on the import and its `rows_done` make each row count once, whoever runs it however often.
    """
    # The campaign is locked before the import, in the order in which deleting a campaign takes them.
    campaign = await locked_campaign(session, await _known_import(session, import_id))
    contact_import = await _locked_import(session, import_id, batch.position)
    if campaign is not None:
        require_editable_list(campaign)
    judged = await judge(
        session,
        batch.rows,
        organization_id=contact_import.organization_id,
        campaign=campaign,
        seen=seen,
    )
    ids = await _upsert_contacts(session, contact_import, judged, now)
    fault("import_contacts_stored")
    if campaign is not None:
        added = [row.person for row in judged if row.accepted and row.person]
        await add_recipients_bulk(
            session,
            campaign=campaign,
            rows=[(ids[person.number], dict(person.variables)) for person in added],
            now=now,
        )
    await _record_issues(session, import_id, judged)
    _count(contact_import, judged)
    await session.flush()
    announce(session, organization_id=contact_import.organization_id, campaign_id=contact_import.campaign_id)
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


async def _upsert_contacts(
    session: AsyncSession, contact_import: ContactImport, judged: Sequence[Judged], now: datetime
) -> dict[str, int]:
    people = [row.person for row in judged if row.person]
    if not people:
        return {}
    cards = [{**person.fields, "number": person.number, "custom": person.custom} for person in people]
    found = await session.execute(
        _UPSERT,
        {
            "organization_id": contact_import.organization_id,
            "people": json.dumps(cards),
            "source": f"import:{contact_import.id}",
            "now": now,
        },
    )
    return {row.number: row.id for row in found}


async def _record_issues(session: AsyncSession, import_id: int, judged: Sequence[Judged]) -> None:
    issues = [
        {
            "row_number": item.row.number,
            "kind": item.kind,
            "reason": item.reason[:_LONGEST_REASON],
            "row": {"cells": item.row.cells},
        }
        for item in judged
        if item.kind
    ]
    if issues:
        await session.execute(_ISSUES, {"import_id": import_id, "issues": json.dumps(issues)})


def _count(contact_import: ContactImport, judged: Sequence[Judged]) -> None:
    kinds = [item.kind for item in judged]
    contact_import.rows_done += len(judged)
    contact_import.accepted += sum(item.accepted for item in judged)
    contact_import.rejected += kinds.count(IssueKind.REJECTED)
    contact_import.duplicates += kinds.count(IssueKind.DUPLICATE)
    contact_import.suppressed += kinds.count(IssueKind.SUPPRESSED)
    contact_import.warnings += kinds.count(IssueKind.WARNING)
