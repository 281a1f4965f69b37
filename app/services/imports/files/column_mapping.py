"""Maps the columns of a stored file to contact fields and variables."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.contact_fields import (
    IGNORE,
    PHONE,
    VARIABLE,
    MappingInvalid,
    check_mapping,
    suggest_mapping,
)
from app.domain.phone import NumberRejected, normalize
from app.domain.template_variables import variable_names
from app.models import ContactImport, ImportMapping
from app.services.errors import FieldErrors
from app.services.imports.views import Column
from app.services.tabular.row_reader import FileRow

SAMPLES: Final = 3
_LONGEST_SAMPLE: Final = 80
_MOST: Final = 0.5


def headers_of(contact_import: ContactImport) -> list[str]:
    """Return the names of the columns, in the order of the file; none while it is being read."""
    return list(contact_import.head.get("headers", []))


def file_columns(contact_import: ContactImport) -> list[Column]:
    """Return the columns in the order of the file, each with up to three sample cells."""
    headers, shown = headers_of(contact_import), contact_import.head.get("samples", [])
    columns = []
    for header, safe_name, cells in zip(headers, variable_names(headers), shown, strict=True):
        target = str(contact_import.mapping.get(header, IGNORE))
        name = target.removeprefix(VARIABLE) if target.startswith(VARIABLE) else safe_name
        columns.append(Column(header=header, target=target, variable_name=name, samples=cells))
    return columns


async def suggested_mapping(
    session: AsyncSession,
    contact_import: ContactImport,
    rows: Sequence[FileRow],
    *,
    region: str,
    guess: bool,
) -> dict[str, str]:
    """Return the mapping last used for these headers, else one by the headers, else (without headers) by the cells.

    `rows` are the first rows of the file. With `guess`, their cells are used to find the phone numbers if no header
    names them.
    """
    headers = headers_of(contact_import)
    if contact_import.head["headerless"]:
        return _by_content(headers, rows, region)
    remembered = await session.scalar(
        select(col(ImportMapping.mapping)).where(
            col(ImportMapping.organization_id) == contact_import.organization_id,
            col(ImportMapping.headers_hash) == _hash(headers),
        )
    )
    if not remembered:
        meant = suggest_mapping(headers)
        return meant if PHONE in meant.values() or not guess else _with_phone(meant, rows, region)
    return {header: remembered[str(index)] for index, header in enumerate(headers)}


async def remember_mapping(session: AsyncSession, contact_import: ContactImport, *, now: datetime) -> None:
    """Store the import's mapping for the organization's next file with the same headers."""
    headers = headers_of(contact_import)
    if contact_import.head["headerless"]:
        return
    row = {
        "organization_id": contact_import.organization_id,
        "headers_hash": _hash(headers),
        # By position, because the next file may write the same headers in another case.
        "mapping": {
            str(index): contact_import.mapping.get(header, IGNORE) for index, header in enumerate(headers)
        },
        "used_at": now,
    }
    kept = upsert(ImportMapping).values(row)
    await session.execute(
        kept.on_conflict_do_update(
            index_elements=["organization_id", "headers_hash"],
            set_={"mapping": kept.excluded.mapping, "used_at": kept.excluded.used_at},
        )
    )


def _by_content(headers: Sequence[str], rows: Sequence[FileRow], region: str) -> dict[str, str]:
    """Map columns without names: the first with phone numbers, and the one with words if there is only one."""
    phones, words = [], []
    for index, header in enumerate(headers):
        cells = _cells(rows, index)
        if 2 * sum(_is_phone(cell, region) for cell in cells) > len(cells):
            phones.append(header)
        letters = [cell for cell in cells if any(map(str.isalpha, cell)) and "@" not in cell]
        if 2 * sum(not any(map(str.isdigit, cell)) for cell in letters) > len(cells):
            words.append(header)
    meant = suggest_mapping(headers)
    if phones:
        meant[phones[0]] = PHONE
    if len(words) == 1:
        meant[words[0]] = "name"
    return meant


def _with_phone(meant: dict[str, str], rows: Sequence[FileRow], region: str) -> dict[str, str]:
    """Map the column with the largest share of phone numbers, if they are more than half of its cells."""
    held = [_share(rows, index, region) for index in range(len(meant))]
    best = max(held, default=0.0)
    if best <= _MOST:
        return meant
    return meant | {list(meant)[held.index(best)]: PHONE}


def _share(rows: Sequence[FileRow], index: int, region: str) -> float:
    """Return the share (0 to 1) of a column's cells that are assigned numbers: ids only look like numbers."""
    cells = _cells(rows, index)
    return sum(_is_assigned(cell, region) for cell in cells) / len(cells) if cells else 0


def _is_assigned(cell: str, region: str) -> bool:
    try:
        return not normalize(cell, region=region, strict=True).warnings
    except NumberRejected:
        return False


def _cells(rows: Sequence[FileRow], index: int) -> list[str]:
    """Return the column's cells that are not blank."""
    return [row.cells[index] for row in rows if index < len(row.cells) and row.cells[index].strip()]


def _is_phone(cell: str, region: str) -> bool:
    try:
        return bool(normalize(cell, region=region).e164)
    except NumberRejected:
        return False


def _hash(headers: Sequence[str]) -> str:
    """Return a hash of the headers, without regard to case."""
    return hashlib.sha256(json.dumps([header.lower() for header in headers]).encode()).hexdigest()


def checked_mapping(headers: Sequence[str], mapping: Mapping[str, str]) -> dict[str, str]:
    """Return the mapping in canonical spelling. Raises `FieldErrors` on `mapping` or `mapping.<header>`."""
    try:
        return check_mapping(headers, mapping)
    except MappingInvalid as invalid:
        raise FieldErrors(
            {f"mapping.{header}".rstrip("."): message for header, message in invalid.errors.items()}
        ) from invalid


def samples(rows: Sequence[FileRow], position: int) -> list[str]:
    """Return the column's first cells that are not blank, shortened."""
    cells = (row.cells[position].strip() for row in rows if position < len(row.cells))
    return [cell[:_LONGEST_SAMPLE] for cell in cells if cell][:SAMPLES]
