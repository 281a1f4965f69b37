"""Undoes an import: removes its recipients and new contacts, and restores what it changed.

People who have been contacted stay, and so does what was changed since by others; the issues name each of them. It
works in batches, each one transaction with the progress in it, so a crash loses and repeats nothing.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import TextClause, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.campaign import UNDER_WAY
from app.domain.contact_fields import CONSENT
from app.domain.contact_import import ImportStatus
from app.domain.rights import Right
from app.models import Campaign, ContactImport, Recipient
from app.runtime.clock import Clock
from app.runtime.database import Database
from app.runtime.fault_points import fault
from app.runtime.live_feed import announce
from app.services.access.principal import Principal, authorize
from app.services.errors import Conflict
from app.services.imports.overtaken import Overtaken
from app.services.imports.rows.row_parser import CARD
from app.services.imports.store.batch_writer import locked_campaign
from app.services.imports.views import StoredImport
from app.services.places.contacts import place_contacts
from app.services.refs import Ref, load

UNDO_ROWS: Final = 2_000
_UNDOABLE: Final = frozenset({ImportStatus.COMPLETED, ImportStatus.CANCELLED, ImportStatus.FAILED})

CONTACTED: Final = "They have been contacted already: they stay in the campaign and in the address book."
CHANGED_SINCE: Final = "Somebody has changed this contact since the import: the contact stays."
ELSEWHERE: Final = "This contact is in a campaign by another way: the contact stays."
CHANGED_FIELDS: Final = "Somebody has changed these fields since the import; they stay as they are: "

# People with an attempt are not touched; all other recipients are removed, whatever their status.
_RECIPIENTS: Final = text("""
WITH page AS MATERIALIZED (
    SELECT r.id, r.contact_id, EXISTS (
        SELECT 1 FROM attempt a WHERE a.recipient_id = r.id OFFSET 0
    ) OR r.status = 'in_progress' AS contacted
    FROM recipient r WHERE r.import_id = :import_id AND r.id > :after
    ORDER BY r.id LIMIT :most FOR UPDATE OF r
), kept AS (
    INSERT INTO import_issue (import_id, row_number, kind, reason, row)
    SELECT :import_id, 0, 'kept', :contacted, jsonb_build_object('cells', jsonb_build_array(c.number, c.name))
    FROM page JOIN contact c ON c.id = page.contact_id WHERE page.contacted
    RETURNING 1
), gone AS (
    DELETE FROM recipient USING page WHERE recipient.id = page.id AND NOT page.contacted RETURNING 1
)
SELECT (SELECT max(id) FROM page) AS last, (SELECT count(*) FROM kept) AS kept,
    (SELECT count(*) FROM gone) AS done
""")

_CONTACTS: Final = text("""
WITH page AS MATERIALIZED (
    SELECT c.id, c.number, c.name, CASE
        WHEN EXISTS (SELECT 1 FROM attempt a WHERE a.contact_id = c.id OFFSET 0)
            OR EXISTS (SELECT 1 FROM recipient r WHERE r.contact_id = c.id AND r.import_id = :import_id OFFSET 0)
            THEN ''
        WHEN EXISTS (SELECT 1 FROM recipient r WHERE r.contact_id = c.id OFFSET 0) THEN :elsewhere
        WHEN c.updated_at <> c.created_at THEN :changed
    END AS why
    FROM contact c WHERE c.import_id = :import_id AND c.id > :after
    ORDER BY c.id LIMIT :most FOR UPDATE OF c
), kept AS (
    INSERT INTO import_issue (import_id, row_number, kind, reason, row)
    SELECT :import_id, 0, 'kept', coalesce(nullif(why, ''), :contacted),
        jsonb_build_object('cells', jsonb_build_array(number, name))
    FROM page WHERE why <> '' OR (why = '' AND NOT EXISTS (
        SELECT 1 FROM recipient r WHERE r.contact_id = page.id AND r.import_id = :import_id
    ))
    RETURNING 1
), gone AS (
    DELETE FROM contact USING page WHERE contact.id = page.id AND page.why IS NULL RETURNING 1
)
SELECT (SELECT max(id) FROM page) AS last, (SELECT count(*) FROM kept) AS kept,
    (SELECT count(*) FROM gone) AS done
""")

_CHANGES_SQL: Final = """
WITH page AS MATERIALIZED (
    SELECT i.id, i.contact_id, i.before, i.after FROM import_change i
    WHERE i.import_id = :import_id AND i.id > :after ORDER BY i.id LIMIT :most
), met AS MATERIALIZED (
    SELECT c.*, p.before, p.after, EXISTS (
        SELECT 1 FROM recipient r WHERE r.contact_id = c.id AND r.import_id = :import_id OFFSET 0
    ) AS contacted
    FROM page p JOIN contact c ON c.id = p.contact_id ORDER BY c.number FOR UPDATE OF c
), told AS MATERIALIZED (
    SELECT id, number, name AS shown, contacted, fields, before, updated_at,
        updated_at = CAST(after ->> 'updated_at' AS timestamptz) AS untouched,
        ARRAY(SELECT k.key FROM jsonb_each(after - 'fields' - 'updated_at') k
              WHERE k.value = jsonb_build_object({columns}) -> k.key) AS columns,
        ARRAY(SELECT k.key FROM jsonb_each(after -> 'fields') k WHERE k.value = fields -> k.key) AS keys,
        ARRAY(SELECT k.key FROM jsonb_each(after - 'fields' - 'updated_at') k
              WHERE k.value <> jsonb_build_object({columns}) -> k.key
              UNION ALL
              SELECT k.key FROM jsonb_each(after -> 'fields') k
              WHERE k.value IS DISTINCT FROM fields -> k.key) AS others
    FROM met
), restored AS (
    UPDATE contact SET {assignments},
        fields = (contact.fields - told.keys) || (
            SELECT coalesce(jsonb_object_agg(k.key, k.value), '{{}}') FROM jsonb_each(told.before -> 'fields') k
            WHERE k.key = ANY(told.keys) AND k.value <> 'null'
        ),
        updated_at = CASE WHEN told.untouched THEN CAST(told.before ->> 'updated_at' AS timestamptz)
            ELSE :now END
    FROM told WHERE contact.id = told.id AND NOT told.contacted
        AND (told.columns <> '{{}}' OR told.keys <> '{{}}')
    RETURNING contact.id
), kept AS (
    INSERT INTO import_issue (import_id, row_number, kind, reason, row)
    SELECT :import_id, 0, 'kept', left(:changed_fields || array_to_string(others, ', ') || '.', 500),
        jsonb_build_object('cells', jsonb_build_array(number, shown))
    FROM told WHERE NOT contacted AND others <> '{{}}'
    RETURNING 1
)
SELECT (SELECT max(id) FROM page) AS last, (SELECT count(*) FROM kept) AS kept,
    (SELECT count(*) FROM restored) AS done, ARRAY(SELECT id FROM restored) AS restored
"""

_CONSENT_TEXTS: Final = tuple(name for name in CONSENT if name != "consent_at")
_CHANGES: Final = text(
    _CHANGES_SQL.format(
        columns=", ".join(f"'{name}', {name}" for name in (*CARD, "tags", *CONSENT)),
        assignments=", ".join(
            f"{name} = CASE WHEN '{name}' = ANY(told.columns) THEN told.before ->> '{name}' "
            f"ELSE contact.{name} END"
            for name in (*CARD, *_CONSENT_TEXTS)
        )
        + ", tags = CASE WHEN 'tags' = ANY(told.columns) THEN "
        "ARRAY(SELECT jsonb_array_elements_text(told.before -> 'tags')) ELSE contact.tags END, "
        "consent_at = CASE WHEN 'consent_at' = ANY(told.columns) "
        "THEN CAST(told.before ->> 'consent_at' AS timestamptz) ELSE contact.consent_at END",
    )
)


class _Phase(NamedTuple):
    """One kind of row to take back, and its counter."""

    name: str
    statement: TextClause
    counter: str


_PHASES: Final = (
    _Phase("recipients", _RECIPIENTS, "recipients_removed"),
    _Phase("changes", _CHANGES, "contacts_restored"),
    _Phase("contacts", _CONTACTS, "contacts_removed"),
)
_WORDS: Final = {
    "contacted": CONTACTED,
    "elsewhere": ELSEWHERE,
    "changed": CHANGED_SINCE,
    "changed_fields": CHANGED_FIELDS,
}


async def undo_import(
    session: AsyncSession, *, principal: Principal, import_ref: Ref, now: datetime
) -> StoredImport:
    """Begin to undo an ended import. A worker is always needed.

    Raises `Conflict` if it has not ended, is undone already, or its campaign is being dialed.
    """
    authorize(principal, Right.EDIT_CONTACTS)
    contact_import = await load(session, ContactImport, import_ref, organization_id=principal.organization_id)
    # Campaign first, import second: all code that locks both uses this order.
    campaign = await locked_campaign(session, contact_import)
    await session.refresh(contact_import, with_for_update=True)
    if contact_import.status in {ImportStatus.UNDOING, ImportStatus.UNDONE}:
        raise Conflict("This import is undone already.")
    if contact_import.status not in _UNDOABLE or not contact_import.rows_done:
        raise Conflict("Only an import that has ended and has added somebody can be undone.")
    if campaign is not None:
        _require_at_rest(campaign)
    contact_import.status, contact_import.error = ImportStatus.UNDOING, None
    contact_import.undone_at, contact_import.undone_by = now, principal.actor
    contact_import.undo = {"phase": 0, "after": 0}
    await session.flush()
    _announce(session, contact_import)
    return StoredImport(contact_import.id, needs_worker=True)


async def run_undo(database: Database, *, import_id: int, clock: Clock) -> None:
    """Undo the import, or go on after a crash. Raises `Conflict` if its campaign was started."""
    more = True
    while more:
        more = await database.write(lambda session: undo_batch(session, import_id=import_id, now=clock.now()))
        fault("undo_batch_committed")


async def undo_batch(session: AsyncSession, *, import_id: int, now: datetime) -> bool:
    """Undo the next rows; tell whether there are more. Raises `Conflict` and `Overtaken`."""
    known = await session.get(ContactImport, import_id)
    if known is None:
        raise Overtaken
    campaign = await locked_campaign(session, known)
    await session.refresh(known, with_for_update=True)
    if known.status is not ImportStatus.UNDOING:
        return False
    if campaign is not None:
        _require_at_rest(campaign)
    done = dict(known.undo)
    phase = _PHASES[done["phase"]]
    given = {"import_id": import_id, "after": done["after"], "most": UNDO_ROWS, "now": now, **_WORDS}
    page = (await session.execute(phase.statement, _named(phase.statement, given))).one()
    if phase.statement is _CHANGES:
        await place_contacts(session, page.restored)
    done["kept"] = done.get("kept", 0) + page.kept
    done[phase.counter] = done.get(phase.counter, 0) + page.done
    done |= {"after": page.last} if page.last else {"phase": done["phase"] + 1, "after": 0}
    known.undo = done
    is_over = done["phase"] == len(_PHASES)
    if is_over:
        known.status = ImportStatus.UNDONE
        if campaign is not None:
            # The next contact follows the last one that is left.
            last = select(func.max(col(Recipient.position))).where(col(Recipient.campaign_id) == campaign.id)
            campaign.next_position = ((await session.execute(last)).scalar_one() or 0) + 1
    await session.flush()
    fault("undo_batch_stored")
    _announce(session, known)
    return not is_over


def _require_at_rest(campaign: Campaign) -> None:
    if campaign.status in UNDER_WAY:
        raise Conflict(f"This campaign is {campaign.status}. Pause the campaign first, then undo the import.")


def _named(statement: TextClause, given: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters that the statement names."""
    names: Sequence[str] = list(statement._bindparams)  # noqa: SLF001 - SQLAlchemy has no other list of them
    return {name: given[name] for name in names}


def _announce(session: AsyncSession, contact_import: ContactImport) -> None:
    announce(session, organization_id=contact_import.organization_id, campaign_id=contact_import.campaign_id)
