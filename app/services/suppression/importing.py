"""Suppresses the numbers of a file, such as a list from another system or a legal do-not-call list."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.contact_fields import PHONE, REASON_HEADER, ROW_HEADER, suggest_mapping
from app.domain.phone import NumberRejected, normalize
from app.domain.rights import Right
from app.domain.suppression import SuppressionScope, SuppressionSource
from app.models import Organization, SuppressionImport
from app.runtime.clock import Clock
from app.runtime.database import Database
from app.services.access.principal import Principal, authorize
from app.services.errors import FieldErrors, NotFound
from app.services.field_readers import cleaned, row_id
from app.services.suppression.closing import LONGEST_REASON, Closing, close_numbers
from app.services.tabular.csv_text import BYTE_ORDER_MARK, csv_rows
from app.services.tabular.detection import EncodingDetector, guess_delimiter
from app.services.tabular.file_names import display_name
from app.services.tabular.refusals import MEGABYTE, FileRefused, too_large
from app.services.tabular.row_reader import FileRow, RowReader

MAX_BYTES: Final = 10 * MEGABYTE
MAX_ROWS: Final = 200_000
MOST_KEPT: Final = 10_000
"""Most rejected rows that are kept for correction."""

_BATCH: Final = 1_000
_PIECE: Final = 1 << 16
_SHOWN: Final = 20
_FEWEST_DIGITS: Final = 7
_LONGEST_NUMBER: Final = 40

_SCOPE_WORDS: Final = {
    SuppressionScope.ALL: ("all", "both", "any", "everything", "never", "call and text", "voice and sms"),
    SuppressionScope.VOICE: ("voice", "call", "calls", "phone", "never call", "do not call", "dnc"),
    SuppressionScope.SMS: ("sms", "text", "texts", "message", "messages", "never text"),
}
_SCOPES: Final = {word: scope for scope, words in _SCOPE_WORDS.items() for word in words}
_SCOPE_HEADERS: Final = frozenset({"scope", "channel", "channels"})
_REASON_HEADERS: Final = frozenset({"reason", "why", "note", "notes", "comment"})


@dataclass(frozen=True, slots=True)
class RejectedNumber:
    """A row of the file that suppresses nothing, and why."""

    row: int
    """The row's number as in a spreadsheet."""
    reason: str
    cells: list[str]


@dataclass(frozen=True, slots=True)
class SuppressionImportResult:
    """The result of a file so far: added + known + rejected = done."""

    import_id: int
    total: int
    """Rows of the file."""
    done: int = 0
    added: int = 0
    known: int = 0
    """Suppressed already, or twice in the file."""
    rejected: int = 0
    first_rejected: list[RejectedNumber] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Columns:
    """The index of each column in the file; None: the file has no such column."""

    number: int
    scope: int | None
    reason: int | None


async def import_suppressions(
    database: Database,
    *,
    principal: Principal,
    file_name: str,
    data: bytes,
    scope: SuppressionScope,
    reason: str,
    clock: Clock,
) -> AsyncIterator[SuppressionImportResult]:
    """Suppress the numbers of a CSV file. Yields the progress after every thousand rows; the last is the result.

    Columns: the number, and optionally `scope` and `reason`, which replace those given here. A file of numbers only
    needs no header. Each thousand rows are one transaction; the same file again adds only what is missing. Raises
    `FileRefused` for another kind of file and `FieldErrors` for `reason`, before anything is written.
    """
    authorize(principal, Right.EDIT_CONTACTS)
    if len(cleaned(reason)) > LONGEST_REASON:
        raise FieldErrors({"reason": f"Use at most {LONGEST_REASON} characters."})
    headers, rows = await asyncio.to_thread(read_file, data)
    columns = _columns(headers)

    async def begin(session: AsyncSession) -> tuple[int, _Defaults]:
        organization = await session.get_one(Organization, principal.organization_id)
        import_id = await _begin(session, principal, file_name, headers, clock.now())
        return import_id, _Defaults(organization.default_region, scope, reason)

    import_id, defaults = await database.write(begin)
    result = SuppressionImportResult(import_id, total=len(rows))
    for start in range(0, len(rows), _BATCH):
        batch = rows[start : start + _BATCH]
        closings, rejected = await asyncio.to_thread(_judge, batch, columns, defaults)
        added = await database.write(
            partial(
                _store,
                principal=principal,
                import_id=import_id,
                closings=closings,
                rejected=rejected,
                now=clock.now(),
            )
        )
        result = SuppressionImportResult(
            import_id,
            total=len(rows),
            done=result.done + len(batch),
            added=result.added + added,
            known=result.known + len(closings) - added,
            rejected=result.rejected + len(rejected),
            first_rejected=[*result.first_rejected, *rejected][:_SHOWN],
        )
        yield result


def read_file(data: bytes) -> tuple[list[str], list[FileRow]]:
    """Return headers and rows of a CSV file of numbers. Slow for a large one: call it in a thread.

    Raises `FileRefused`.
    """
    if len(data) > MAX_BYTES:
        raise too_large(MAX_BYTES)
    if not data.strip():
        raise FileRefused("The file is empty. Choose a file with one phone number a row.")
    detector = EncodingDetector()
    for start in range(0, len(data), _PIECE):
        detector.feed(data[start : start + _PIECE])
    headers, rows = _read_rows(data, detector.result())
    if not rows:
        raise FileRefused("The file has column names but no row below them. Add one row for each number.")
    if len(rows) > MAX_ROWS:
        raise FileRefused(
            f"The file has more than {MAX_ROWS:,} rows. Split it and import the parts one by one."
        )
    return headers, rows


def _read_rows(data: bytes, encoding: str) -> tuple[list[str], list[FileRow]]:
    """Read all rows; a file that begins with a number is read as if it had a header."""
    text = data.decode(encoding, "replace").lstrip()
    first = text.partition("\n")[0]
    bare = any(map(_is_number, first.split(guess_delimiter(text[:_PIECE]))))
    content = (f"{PHONE}\n{text}" if bare else text).encode("utf-8", "replace")
    reader, rows = RowReader("utf-8"), []
    for start in range(0, len(content), _PIECE):
        rows += reader.feed(content[start : start + _PIECE])
    rows += reader.close()
    return reader.headers, [row._replace(number=row.number - 1) for row in rows] if bare else rows


def _is_number(cell: str) -> bool:
    if sum(map(str.isdigit, cell)) < _FEWEST_DIGITS or len(cell) > _LONGEST_NUMBER:
        return False
    try:
        return bool(normalize(cell, region="US").e164)
    except NumberRejected:
        return False


def _columns(headers: Sequence[str]) -> _Columns:
    """Return the indexes of the columns. Raises `FileRefused` if no column holds numbers."""
    targets = suggest_mapping(headers)
    number = next((place for place, header in enumerate(headers) if targets[header] == PHONE), None)
    if number is None:
        raise FileRefused("No column holds phone numbers. Name one of them phone_number.")
    words = [header.strip().lower() for header in headers]
    return _Columns(number, _first(words, _SCOPE_HEADERS), _first(words, _REASON_HEADERS))


def _first(words: Sequence[str], wanted: frozenset[str]) -> int | None:
    return next((place for place, word in enumerate(words) if word in wanted), None)


@dataclass(frozen=True, slots=True)
class _Defaults:
    """Scope and reason for rows that name none."""

    region: str
    scope: SuppressionScope
    reason: str


def _judge(
    rows: Sequence[FileRow], columns: _Columns, defaults: _Defaults
) -> tuple[list[Closing], list[RejectedNumber]]:
    closings: list[Closing] = []
    rejected: list[RejectedNumber] = []
    for row in rows:
        try:
            closings.append(_closing(row, columns, defaults))
        except ValueError as problem:
            rejected.append(RejectedNumber(row.number, str(problem), row.cells))
    return closings, rejected


def _closing(row: FileRow, columns: _Columns, defaults: _Defaults) -> Closing:
    """Return the suppression of the row. Raises `ValueError` with what to change (`NumberRejected` is one)."""
    if row.problem:
        raise ValueError(row.problem)
    said = _cell(row, columns.scope)
    scope = _SCOPES.get(said.lower().replace("_", " ")) if said else defaults.scope
    if scope is None:
        raise ValueError(f"“{said[:50]}” is no scope. Write all, voice or sms.")
    number = normalize(_cell(row, columns.number), region=defaults.region).e164
    return Closing(number, scope, _cell(row, columns.reason) or defaults.reason)


def _cell(row: FileRow, place: int | None) -> str:
    return cleaned(row.cells[place]) if place is not None and place < len(row.cells) else ""


async def _begin(
    session: AsyncSession, principal: Principal, file_name: str, headers: list[str], now: datetime
) -> int:
    row = SuppressionImport(
        organization_id=principal.organization_id,
        file_name=display_name(file_name),
        issues={"headers": headers, "rows": []},
        created_by=principal.actor,
        created_at=now,
    )
    session.add(row)
    await session.flush()
    return row.id


async def _store(
    session: AsyncSession,
    *,
    principal: Principal,
    import_id: int,
    closings: Sequence[Closing],
    rejected: Sequence[RejectedNumber],
    now: datetime,
) -> int:
    """Write one batch, and count it; return how many numbers are newly suppressed."""
    added = await close_numbers(
        session,
        organization_id=principal.organization_id,
        closings=closings,
        source=SuppressionSource.IMPORT,
        actor=principal.actor,
        now=now,
    )
    row = await session.get_one(SuppressionImport, import_id, with_for_update=True)
    row.added += len(added)
    row.known += len(closings) - len(added)
    row.rejected += len(rejected)
    kept = [*row.issues["rows"], *([each.row, each.reason, each.cells] for each in rejected)]
    row.issues = row.issues | {"rows": kept[:MOST_KEPT]}
    await session.flush()
    return len(added)


async def rejected_csv(session: AsyncSession, *, principal: Principal, import_id: int) -> AsyncIterator[str]:
    """Return the rejected rows as a CSV to correct: row number, reason, and the cells as they were.

    Raises `NotFound`.
    """
    authorize(principal, Right.EXPORT)
    row = await _load(session, principal, import_id)
    return _rejected_pieces(row.issues["headers"], row.issues["rows"])


async def _rejected_pieces(
    headers: Sequence[str], rows: Sequence[tuple[int, str, list[str]]]
) -> AsyncIterator[str]:
    yield BYTE_ORDER_MARK + csv_rows([[ROW_HEADER, REASON_HEADER, *headers]])
    yield csv_rows([str(number), reason, *cells] for number, reason, cells in rows)


async def _load(session: AsyncSession, principal: Principal, import_id: int) -> SuppressionImport:
    statement = select(SuppressionImport).where(
        col(SuppressionImport.id) == row_id(import_id),
        col(SuppressionImport.organization_id) == principal.organization_id,
    )
    found = (await session.execute(statement)).scalar_one_or_none()
    if found is None:
        raise NotFound("import of suppressions", import_id)
    return found
