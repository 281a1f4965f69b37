"""The columns of a stored file, with their targets and samples."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
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
    """Return the columns in the order of the file, each with up to three samples of what is in it."""
    headers, shown = headers_of(contact_import), contact_import.head.get("samples", [])
    named = zip(headers, variable_names(headers), shown, strict=True)
    return [_column(header, name, contact_import.mapping, cells) for header, name, cells in named]


async def suggested_mapping(
    session: AsyncSession,
    contact_import: ContactImport,
    rows: Sequence[FileRow],
    *,
    region: str,
    guess: bool,
) -> dict[str, str]:
    """Return the mapping last used for these headers, else what the headers, or without any the cells, mean.

    `rows` are the first of the file. With `guess`, their cells also tell the column of the phone numbers if no
    header does.
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
    """Keep the import's mapping for the next file of the organization with the same headers."""
    headers = headers_of(contact_import)
    if contact_import.head["headerless"]:
        return
    row = {
        "organization_id": contact_import.organization_id,
        "headers_hash": _hash(headers),
        # By position: another file may write the same headers in another case.
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
    """Return a mapping of columns without names: the first with numbers, and the only one with words."""
    phones = [header for index, header in enumerate(headers) if _mostly(rows, index, region, _is_phone)]
    words = [header for index, header in enumerate(headers) if _mostly(rows, index, region, _is_words)]
    meant = suggest_mapping(headers)
    if phones:
        meant[phones[0]] = PHONE
    if len(words) == 1:
        meant[words[0]] = "name"
    return meant


def _with_phone(meant: dict[str, str], rows: Sequence[FileRow], region: str) -> dict[str, str]:
    """Take the column for the phone numbers in which the most cells are some, and most of all."""
    held = [_share(rows, index, region) for index in range(len(meant))]
    best = max(held, default=0.0)
    if best <= _MOST:
        return meant
    return meant | {list(meant)[held.index(best)]: PHONE}


def _share(rows: Sequence[FileRow], index: int, region: str) -> float:
    """Return how many of a column's cells, of 1, are numbers that somebody has; ids only look like numbers."""
    cells = [row.cells[index] for row in rows if index < len(row.cells) and row.cells[index].strip()]
    return sum(_is_assigned(cell, region) for cell in cells) / len(cells) if cells else 0


def _is_assigned(cell: str, region: str) -> bool:
    try:
        return not normalize(cell, region=region, strict=True).warnings
    except NumberRejected:
        return False


def _mostly(rows: Sequence[FileRow], index: int, region: str, looks: Callable[[str, str], bool]) -> bool:
    cells = [row.cells[index] for row in rows if index < len(row.cells) and row.cells[index].strip()]
    return bool(cells) and 2 * sum(looks(cell, region) for cell in cells) > len(cells)


def _is_phone(cell: str, region: str) -> bool:
    try:
        return bool(normalize(cell, region=region).e164)
    except NumberRejected:
        return False


def _is_words(cell: str, _region: str) -> bool:
    return any(map(str.isalpha, cell)) and not any(map(str.isdigit, cell)) and "@" not in cell


def _hash(headers: Sequence[str]) -> str:
    """Return what tells files with other columns apart, whatever their case."""
    return hashlib.sha256(json.dumps([header.lower() for header in headers]).encode()).hexdigest()


def checked_mapping(headers: Sequence[str], mapping: Mapping[str, str]) -> dict[str, str]:
    """Return the mapping in canonical spelling. Raises `FieldErrors` on `mapping` or `mapping.<header>`."""
    try:
        return check_mapping(headers, mapping)
    except MappingInvalid as invalid:
        raise FieldErrors(
            {f"mapping.{header}".rstrip("."): message for header, message in invalid.errors.items()}
        ) from invalid


def _column(header: str, safe_name: str, mapping: Mapping[str, str], samples: list[str]) -> Column:
    target = str(mapping.get(header, IGNORE))
    name = target.removeprefix(VARIABLE) if target.startswith(VARIABLE) else safe_name
    return Column(header=header, target=target, variable_name=name, samples=samples)


def samples(rows: Sequence[FileRow], position: int) -> list[str]:
    """Return what a column holds in the first of these rows that say something there, shortened."""
    cells = (row.cells[position].strip() for row in rows if position < len(row.cells))
    return [cell[:_LONGEST_SAMPLE] for cell in cells if cell][:SAMPLES]
