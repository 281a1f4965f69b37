"""The columns of a stored file, with their targets and samples."""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.contact_fields import IGNORE, VARIABLE, MappingInvalid, check_mapping
from app.domain.template_variables import variable_names
from app.models import ContactImport
from app.services.errors import FieldErrors
from app.services.imports.chunks import first_rows
from app.services.imports.reading import FileRow
from app.services.imports.views import Column

SAMPLES: Final = 3
_SAMPLED_ROWS: Final = 20
_LONGEST_SAMPLE: Final = 80


async def file_columns(session: AsyncSession, contact_import: ContactImport) -> list[Column]:
    """Return the columns in the order of the file, each with up to three samples of what is in it."""
    headers, rows = await first_rows(session, contact_import, _SAMPLED_ROWS)
    names = variable_names(headers)
    return [
        _column(header, names[position], contact_import.mapping, _samples(rows, position))
        for position, header in enumerate(headers)
    ]


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


def _samples(rows: Sequence[FileRow], position: int) -> list[str]:
    cells = (row.cells[position].strip() for row in rows if position < len(row.cells))
    return [cell[:_LONGEST_SAMPLE] for cell in cells if cell][:SAMPLES]
