"""Exports the rejected rows as a CSV to correct and upload again."""

from collections.abc import AsyncIterator, Container, Sequence
from typing import Final

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.contact_fields import REASON_HEADER, ROW_HEADER
from app.domain.rights import Right
from app.models import ContactImport, ImportIssue
from app.services.access.principal import Principal, authorize
from app.services.imports.files.column_mapping import headers_of
from app.services.imports.issues import NOT_IMPORTED, IssueKind
from app.services.refs import Ref, load
from app.services.tabular.csv_text import BYTE_ORDER_MARK, csv_rows

_PAGE: Final = 1_000


async def rejects_csv(
    session: AsyncSession,
    *,
    principal: Principal,
    import_ref: Ref,
    kinds: Sequence[IssueKind] = NOT_IMPORTED,
) -> AsyncIterator[str]:
    """Return a CSV in pieces: row number, reason, and the row's cells as they were.

    A row that could not be split into cells has its first line in the first column. If the file was such a CSV
    itself, its row numbers and reasons are replaced by the new ones.
    """
    authorize(principal, Right.EXPORT)
    contact_import = await load(session, ContactImport, import_ref, organization_id=principal.organization_id)
    return _pieces(session, contact_import.id, headers_of(contact_import), kinds)


async def _pieces(
    session: AsyncSession, import_id: int, headers: Sequence[str], kinds: Sequence[IssueKind]
) -> AsyncIterator[str]:
    dropped = {position for position, header in enumerate(headers) if header in {ROW_HEADER, REASON_HEADER}}
    yield BYTE_ORDER_MARK + csv_rows([[ROW_HEADER, REASON_HEADER, *_without(dropped, headers)]])
    last = (0, 0)
    while page := await _page_after(session, import_id, kinds, last):
        yield csv_rows(
            [str(issue.row_number), issue.reason, *_without(dropped, issue.row.get("cells", []))]
            for issue in page
        )
        last = (page[-1].row_number, page[-1].id)


def _without(dropped: Container[int], cells: Sequence[object]) -> list[str]:
    return [str(cell) for position, cell in enumerate(cells) if position not in dropped]


async def _page_after(
    session: AsyncSession, import_id: int, kinds: Sequence[IssueKind], last: tuple[int, int]
) -> Sequence[ImportIssue]:
    place = tuple_(col(ImportIssue.row_number), col(ImportIssue.id))
    found = await session.scalars(
        select(ImportIssue)
        .where(
            col(ImportIssue.import_id) == import_id,
            col(ImportIssue.kind).in_(kinds),
            place > tuple_(*last),
        )
        .order_by(col(ImportIssue.row_number), col(ImportIssue.id))
        .limit(_PAGE)
    )
    return found.all()
