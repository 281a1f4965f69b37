"""Operations on imports: store a file, map its columns, queue, cancel, or import a small file at once."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.contact_fields import MappingInvalid, require_phone_column
from app.domain.contact_import import ImportStatus
from app.domain.rights import Right
from app.models import Campaign, ContactImport, ImportBatch
from app.runtime.live_feed import announce
from app.runtime.streams import put_back
from app.services.access.principal import Principal, authorize
from app.services.campaigns.adding import require_editable_list
from app.services.errors import Conflict, FieldErrors
from app.services.imports.files.column_mapping import checked_mapping, headers_of, remember_mapping
from app.services.imports.files.file_store import JSON_FORMAT, forget_file, pieces_of, store_file, store_raw
from app.services.imports.files.pasted_text import one_a_line
from app.services.imports.files.profile import EMPTY, look_through
from app.services.imports.files.spreadsheets import AT_ONCE_BYTES, RAW_FORMATS, read_table_within
from app.services.imports.queries import list_issues
from app.services.imports.run import run_within
from app.services.imports.store.batch_writer import locked_campaign
from app.services.imports.views import ImportResult, StoredImport
from app.services.imports.zones import checked_zone_words, zone_counts_of
from app.services.refs import Ref, load
from app.services.tabular.detection import format_of
from app.services.tabular.file_names import display_name
from app.services.tabular.json_rows import csv_from_objects
from app.services.tabular.refusals import MAX_FILE_BYTES, FileRefused

MAX_JSON_ROWS: Final = 10_000
"""Objects in one `import-data` request; more people go into a file."""
MAX_PASTED: Final = 5_000_000
"""Characters of pasted text."""
_STARTABLE: Final = frozenset({ImportStatus.UPLOADED, ImportStatus.FAILED})
_ENDED: Final = frozenset(
    {ImportStatus.COMPLETED, ImportStatus.CANCELLED, ImportStatus.UNDOING, ImportStatus.UNDONE}
)


async def store_import(  # noqa: PLR0913 - only the caller knows these
    session: AsyncSession,
    *,
    principal: Principal,
    campaign_ref: Ref | None,
    file_name: str,
    data: bytes | AsyncIterator[bytes],
    now: datetime,
    max_bytes: int = MAX_FILE_BYTES,
    sheet: str = "",
    guess: bool = True,
) -> StoredImport:
    """Store a file and read it once. No contacts are added yet.

    The content decides the format, not the name. A large workbook or JSON file gets the status `reading`, for a worker.
    `sheet`: the sheet of a workbook; empty for the first.
    `guess`: if no header names a column of phone numbers, suggest one by its cells. Use it only if a person sees the
    suggestion before the import.
    Raises `FileRefused` for a file that is no table of contacts, and `Conflict` unless the campaign is a draft, paused
    or failed.
    """
    authorize(principal, Right.EDIT_CONTACTS)
    contact_import = await _new_import(session, principal, campaign_ref, display_name(file_name), now)
    contact_import.sheet = sheet
    await _store_file(session, contact_import, data, max_bytes, guess=guess)
    return _as_stored(contact_import)


async def store_pasted(
    session: AsyncSession, *, principal: Principal, campaign_ref: Ref | None, text: str, now: datetime
) -> StoredImport:
    """Store pasted text as `store_import` stores a file: cells between tabs, commas or lines, or a list of numbers.

    Raises `FieldErrors` on `text`, and the errors of `store_import`.
    """
    authorize(principal, Right.EDIT_CONTACTS)
    if not text.strip():
        raise FieldErrors({"text": "Paste at least one phone number."})
    if len(text) > MAX_PASTED:
        raise FieldErrors(
            {"text": f"At most {MAX_PASTED:,} characters can be pasted. Upload a file instead."}
        )
    contact_import = await _new_import(session, principal, campaign_ref, "Pasted text", now)
    contact_import.format = "text"
    data = (await asyncio.to_thread(one_a_line, text)).encode("utf-8", "replace")
    await _store_text(session, contact_import, pieces_of(data), MAX_FILE_BYTES, guess=True)
    return _as_stored(contact_import)


async def choose_sheet(
    session: AsyncSession,
    *,
    principal: Principal,
    import_ref: Ref,
    sheet: str,
    now: datetime,  # noqa: ARG001 - every write is told the time
) -> StoredImport:
    """Read another sheet of the workbook.

    Raises `FieldErrors` on `sheet`, `Conflict` once the import has begun, and `FileRefused`.
    """
    authorize(principal, Right.EDIT_CONTACTS)
    contact_import = await load(
        session, ContactImport, import_ref, organization_id=principal.organization_id, lock=True
    )
    if contact_import.status is not ImportStatus.UPLOADED:
        raise Conflict("The import has begun: its sheet can no longer be changed. Upload the file again.")
    if sheet not in contact_import.sheets:
        raise FieldErrors({"sheet": f"The file has no sheet “{sheet}”."})
    contact_import.sheet, contact_import.status = sheet, ImportStatus.READING
    contact_import.delimiter = contact_import.encoding = ""
    await session.flush()
    if contact_import.file_bytes <= AT_ONCE_BYTES:
        await read_table_within(session, contact_import, guess=True)
    return _as_stored(contact_import)


async def set_mapping(
    session: AsyncSession,
    *,
    principal: Principal,
    import_ref: Ref,
    mapping: Mapping[str, str],
    now: datetime,  # noqa: ARG001 - every write is told the time
) -> StoredImport:
    """Set the use of each column; columns that are not named are ignored.

    Raises `FieldErrors` on `mapping` (no phone column) or `mapping.<header>`, `Conflict` once it has begun.
    """
    authorize(principal, Right.EDIT_CONTACTS)
    contact_import = await load(
        session, ContactImport, import_ref, organization_id=principal.organization_id, lock=True
    )
    if contact_import.status not in _STARTABLE or contact_import.rows_done:
        raise Conflict("The import has begun: its columns can no longer be changed. Upload the file again.")
    contact_import.mapping = checked_mapping(headers_of(contact_import), mapping)
    await session.flush()
    return _as_stored(contact_import)


async def set_zone_words(
    session: AsyncSession,
    *,
    principal: Principal,
    import_ref: Ref,
    words: Mapping[str, str],
    now: datetime,  # noqa: ARG001 - every write is told the time
) -> StoredImport:
    """Confirm what words of the time zone column mean: word -> time zone, such as `Eastern` -> `America/New_York`.

    They replace the words that were confirmed before. Raises `FieldErrors` on `time_zone_words.<word>`, and `Conflict`
    once the import has begun.
    """
    authorize(principal, Right.EDIT_CONTACTS)
    contact_import = await load(
        session, ContactImport, import_ref, organization_id=principal.organization_id, lock=True
    )
    if contact_import.status not in {*_STARTABLE, ImportStatus.READING} or contact_import.rows_done:
        raise Conflict(
            "The import has begun: its time zones can no longer be changed. Upload the file again."
        )
    contact_import.zone_words = checked_zone_words(words)
    await session.flush()
    return _as_stored(contact_import)


async def queue_import(
    session: AsyncSession,
    *,
    principal: Principal,
    import_ref: Ref,
    now: datetime,
) -> StoredImport:
    """Queue an uploaded or failed import; a failed one goes on where it stopped. A worker is always needed.

    A file that is still being read starts by itself afterwards, if it has a phone column.

    Raises `FieldErrors` on `mapping` without a phone column, and `Conflict` if the import runs already or has ended, or
    its campaign takes no contacts now.
    """
    authorize(principal, Right.EDIT_CONTACTS)
    contact_import = await load(session, ContactImport, import_ref, organization_id=principal.organization_id)
    # Campaign first, import second: the order of every transaction that locks both.
    campaign = await locked_campaign(session, contact_import)
    await session.refresh(contact_import, with_for_update=True)
    if contact_import.status is ImportStatus.READING:
        contact_import.start_when_read = True
        await session.flush()
        return _as_stored(contact_import)
    if contact_import.status not in _STARTABLE:
        raise Conflict(f"This import is {contact_import.status}; it cannot be started again.")
    _require_phone(contact_import)
    if campaign is not None:
        require_editable_list(campaign)
    contact_import.status, contact_import.error, contact_import.ended_at = ImportStatus.QUEUED, None, None
    await remember_mapping(session, contact_import, now=now)
    await session.flush()
    _announce(session, contact_import)
    return _as_stored(contact_import)


async def cancel_import(
    session: AsyncSession, *, principal: Principal, import_ref: Ref, now: datetime
) -> None:
    """Stop an import after its current batch; contacts already added stay. Raises `Conflict` if it has ended."""
    authorize(principal, Right.EDIT_CONTACTS)
    contact_import = await load(
        session, ContactImport, import_ref, organization_id=principal.organization_id, lock=True
    )
    if contact_import.status in _ENDED:
        raise Conflict(f"This import is {contact_import.status} already.")
    await session.execute(delete(ImportBatch).where(col(ImportBatch.import_id) == contact_import.id))
    await forget_file(session, contact_import.id)
    contact_import.status, contact_import.ended_at = ImportStatus.CANCELLED, now
    await session.flush()
    _announce(session, contact_import)


async def import_file(  # noqa: PLR0913 - only the caller knows these
    session: AsyncSession,
    *,
    principal: Principal,
    campaign_ref: Ref | None,
    file_name: str,
    data: bytes,
    now: datetime,
    mapping: Mapping[str, str] | None = None,
    zone_words: Mapping[str, str] | None = None,
    max_bytes: int = MAX_FILE_BYTES,
) -> ImportResult:
    """Import a small file in one transaction, with the given or the suggested mapping.

    `zone_words`: see `set_zone_words`. Raises `FileRefused`, also without a phone column, `FieldErrors` for the mapping
    and the words, and `Conflict`.
    """
    authorize(principal, Right.EDIT_CONTACTS)
    contact_import = await _new_import(session, principal, campaign_ref, display_name(file_name), now)
    await _store_file(session, contact_import, data, max_bytes, guess=False)
    if contact_import.status is ImportStatus.READING:
        await read_table_within(session, contact_import, guess=False)
    contact_import.zone_words = checked_zone_words(zone_words or {})
    return await _import_at_once(session, principal, contact_import, mapping, now)


async def import_json(
    session: AsyncSession,
    *,
    principal: Principal,
    campaign_ref: Ref | None,
    rows: Sequence[Mapping[str, Any]],
    now: datetime,
    mapping: Mapping[str, str] | None = None,
    zone_words: Mapping[str, str] | None = None,
) -> ImportResult:
    """Import an array of objects in one transaction, by the rules for files; item 1 is row 1.

    Raises `FieldErrors` on `contacts`, or `contacts.<position>` for an item that is no object, and the errors of
    `import_file`.
    """
    authorize(principal, Right.EDIT_CONTACTS)
    contact_import = await _store_objects(session, principal, campaign_ref, rows, now)
    contact_import.zone_words = checked_zone_words(zone_words or {})
    return await _import_at_once(session, principal, contact_import, mapping, now)


async def store_objects(
    session: AsyncSession,
    *,
    principal: Principal,
    campaign_ref: Ref | None,
    rows: Sequence[Mapping[str, Any]],
    now: datetime,
) -> StoredImport:
    """Store an array of objects as `store_import` stores a file; item 1 is row 1.

    Raises `FieldErrors` on `contacts`, or `contacts.<position>` for an item that is no object, and the errors of
    `store_import`.
    """
    authorize(principal, Right.EDIT_CONTACTS)
    return _as_stored(await _store_objects(session, principal, campaign_ref, rows, now))


async def _store_objects(
    session: AsyncSession,
    principal: Principal,
    campaign_ref: Ref | None,
    rows: Sequence[Mapping[str, Any]],
    now: datetime,
) -> ContactImport:
    if len(rows) > MAX_JSON_ROWS:
        raise FieldErrors(
            {"contacts": f"At most {MAX_JSON_ROWS:,} contacts fit into one request. Upload a file instead."}
        )
    contact_import = await _new_import(session, principal, campaign_ref, "contacts.json", now)
    contact_import.format, contact_import.delimiter = JSON_FORMAT, ","
    data = await asyncio.to_thread(csv_from_objects, rows)
    await _store_text(session, contact_import, pieces_of(data), MAX_FILE_BYTES, guess=False)
    return contact_import


async def _campaign(session: AsyncSession, principal: Principal, ref: Ref | None) -> Campaign | None:
    if ref is None:
        return None
    authorize(principal, Right.EDIT_CAMPAIGNS)
    campaign = await load(session, Campaign, ref, organization_id=principal.organization_id)
    require_editable_list(campaign)
    return campaign


async def _new_import(
    session: AsyncSession, principal: Principal, campaign_ref: Ref | None, name: str, now: datetime
) -> ContactImport:
    campaign = await _campaign(session, principal, campaign_ref)
    contact_import = ContactImport(
        organization_id=principal.organization_id,
        campaign_id=campaign.id if campaign else None,
        file_name=name,
        file_bytes=0,
        delimiter="",
        created_by=principal.actor,
        created_at=now,
    )
    session.add(contact_import)
    await session.flush()
    return contact_import


async def _store_file(
    session: AsyncSession,
    contact_import: ContactImport,
    data: bytes | AsyncIterator[bytes],
    max_bytes: int,
    *,
    guess: bool,
) -> None:
    """Store the file in the format of its content. A small file is read into a table at once."""
    pieces = pieces_of(data)
    head = await anext(pieces, b"")
    contact_import.format = format_of(head)
    whole = put_back(head, pieces) if head else pieces
    if contact_import.format not in RAW_FORMATS:
        await _store_text(session, contact_import, whole, max_bytes, guess=guess)
        return
    contact_import.file_bytes = await store_raw(
        session, import_id=contact_import.id, pieces=whole, max_bytes=max_bytes
    )
    contact_import.status = ImportStatus.READING
    await session.flush()
    if contact_import.file_bytes <= AT_ONCE_BYTES:
        await read_table_within(session, contact_import, guess=guess)


async def _store_text(
    session: AsyncSession,
    contact_import: ContactImport,
    pieces: AsyncIterator[bytes],
    max_bytes: int,
    *,
    guess: bool,
) -> None:
    contact_import.file_bytes, contact_import.encoding = await store_file(
        session, import_id=contact_import.id, pieces=pieces, max_bytes=max_bytes
    )
    if not contact_import.file_bytes:
        raise FileRefused(EMPTY)
    await look_through(session, contact_import, guess=guess)


async def _import_at_once(
    session: AsyncSession,
    principal: Principal,
    contact_import: ContactImport,
    mapping: Mapping[str, str] | None,
    now: datetime,
) -> ImportResult:
    """Import the file that this transaction has just stored. Others see the import only after the commit."""
    if mapping is not None:
        contact_import.mapping = checked_mapping(headers_of(contact_import), mapping)
    _require_phone_in_file(contact_import)
    await run_within(session, contact_import=contact_import, now=now)
    issues = await list_issues(session, principal=principal, import_ref=contact_import.id, page_size=100)
    return ImportResult(
        import_id=contact_import.id,
        rows=contact_import.rows_done,
        accepted=contact_import.accepted,
        rejected=contact_import.rejected,
        duplicates=contact_import.duplicates,
        suppressed=contact_import.suppressed,
        warnings=contact_import.warnings,
        in_campaign=contact_import.in_campaign,
        known=contact_import.known,
        opted_out=contact_import.opted_out,
        zones=zone_counts_of(contact_import.zone_counts),
        issues=issues.items,
    )


def _as_stored(contact_import: ContactImport) -> StoredImport:
    is_waiting = contact_import.status in {ImportStatus.READING, ImportStatus.QUEUED}
    return StoredImport(contact_import.id, needs_worker=is_waiting)


def _require_phone(contact_import: ContactImport) -> None:
    try:
        require_phone_column(contact_import.mapping)
    except MappingInvalid as invalid:
        raise FieldErrors({"mapping": str(invalid)}) from invalid


def _require_phone_in_file(contact_import: ContactImport) -> None:
    try:
        require_phone_column(contact_import.mapping)
    except MappingInvalid as invalid:
        raise FileRefused(
            "No column holds phone numbers. Name one of them phone_number, or say which it is in the mapping."
        ) from invalid


def _announce(session: AsyncSession, contact_import: ContactImport) -> None:
    announce(session, organization_id=contact_import.organization_id, campaign_id=contact_import.campaign_id)
