"""Reading imports: one, all, and the rows with issues."""

import math
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.contact_import import ImportStatus
from app.domain.rights import Right
from app.models import Campaign, ContactImport, ImportIssue
from app.services.access.principal import Principal, authorize
from app.services.imports.files.column_mapping import file_columns
from app.services.imports.issues import IssueKind
from app.services.imports.views import Column, ImportView, IssueRow, Undo
from app.services.imports.zones import zone_counts_of
from app.services.paging import Page, offset_of
from app.services.refs import Ref, load


async def get_import(session: AsyncSession, *, principal: Principal, import_ref: Ref) -> ImportView:
    """Return an import with its columns and three samples of each."""
    authorize(principal, Right.VIEW)
    contact_import = await load(session, ContactImport, import_ref, organization_id=principal.organization_id)
    return _view(contact_import, file_columns(contact_import))


async def list_imports(
    session: AsyncSession,
    *,
    principal: Principal,
    campaign_ref: Ref | None = None,
    page: int = 1,
    page_size: int = 25,
) -> Page[ImportView]:
    """Return the imports, the newest first, without their columns; of one campaign if it is named."""
    authorize(principal, Right.VIEW)
    statement = select(ContactImport).where(col(ContactImport.organization_id) == principal.organization_id)
    if campaign_ref is not None:
        campaign = await load(session, Campaign, campaign_ref, organization_id=principal.organization_id)
        statement = statement.where(col(ContactImport.campaign_id) == campaign.id)
    total = (await session.execute(select(func.count()).select_from(statement.subquery()))).scalar_one()
    offset, limit = offset_of(page, page_size)
    found = await session.scalars(
        statement.order_by(col(ContactImport.id).desc()).offset(offset).limit(limit)
    )
    return Page([_view(row, []) for row in found], total, page, limit)


async def list_issues(
    session: AsyncSession,
    *,
    principal: Principal,
    import_ref: Ref,
    kinds: Sequence[IssueKind] = (),
    page: int = 1,
    page_size: int = 25,
) -> Page[IssueRow]:
    """Return the rows that were refused, skipped or accepted with a warning, in the file's order."""
    authorize(principal, Right.VIEW)
    contact_import = await load(session, ContactImport, import_ref, organization_id=principal.organization_id)
    statement = select(ImportIssue).where(col(ImportIssue.import_id) == contact_import.id)
    if kinds:
        statement = statement.where(col(ImportIssue.kind).in_(kinds))
    total = (await session.execute(select(func.count()).select_from(statement.subquery()))).scalar_one()
    offset, limit = offset_of(page, page_size)
    found = await session.scalars(
        statement.order_by(col(ImportIssue.row_number), col(ImportIssue.id)).offset(offset).limit(limit)
    )
    return Page([issue_row(row) for row in found], total, page, limit)


def issue_row(issue: ImportIssue) -> IssueRow:
    """Return a stored issue as a view."""
    return IssueRow(
        row_number=issue.row_number,
        kind=IssueKind(issue.kind),
        reason=issue.reason,
        cells=[str(cell) for cell in issue.row.get("cells", [])],
    )


def _view(contact_import: ContactImport, columns: list[Column]) -> ImportView:
    return ImportView(
        id=contact_import.id,
        public_id=contact_import.public_id,
        campaign_id=contact_import.campaign_id,
        status=contact_import.status,
        file_name=contact_import.file_name,
        file_bytes=contact_import.file_bytes,
        format=contact_import.format,
        encoding=contact_import.encoding,
        delimiter=contact_import.delimiter,
        columns=columns,
        rows_done=contact_import.rows_done,
        rows_total=contact_import.rows_total,
        accepted=contact_import.accepted,
        rejected=contact_import.rejected,
        duplicates=contact_import.duplicates,
        suppressed=contact_import.suppressed,
        warnings=contact_import.warnings,
        in_campaign=contact_import.in_campaign,
        known=contact_import.known,
        opted_out=contact_import.opted_out,
        created=contact_import.created,
        updated=contact_import.updated,
        recipients_added=contact_import.recipients_added,
        rows_per_second=round(contact_import.rows_per_second, 1),
        seconds_left=_seconds_left(contact_import),
        sheet=contact_import.sheet,
        sheets=contact_import.sheets,
        zones=zone_counts_of(contact_import.zone_counts),
        undone_at=contact_import.undone_at,
        undone_by=contact_import.undone_by,
        undo=Undo(**{name: contact_import.undo.get(name, 0) for name in Undo.__slots__}),
        error=contact_import.error,
        created_by=contact_import.created_by,
        created_at=contact_import.created_at,
        started_at=contact_import.started_at,
        ended_at=contact_import.ended_at,
    )


def _seconds_left(contact_import: ContactImport) -> int | None:
    if contact_import.status is not ImportStatus.RUNNING or not contact_import.rows_per_second:
        return None
    left = (contact_import.rows_total or 0) - contact_import.rows_done
    return max(0, math.ceil(left / contact_import.rows_per_second))
