"""Reads of imports: one, all, what a file would do, and the rows that were refused."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.contact_fields import MappingInvalid, require_phone_column
from app.domain.phone import pretty
from app.domain.rights import Right
from app.models import Campaign, ContactImport, ImportIssue
from app.services.access.principal import Principal, authorize
from app.services.errors import FieldErrors
from app.services.imports.chunks import read_batches, reader_for
from app.services.imports.classes import IssueKind, Judged, SeenNumbers, judge
from app.services.imports.mapping import file_columns
from app.services.imports.people import read_people
from app.services.imports.running import BATCH_ROWS, number_rules, row_plan
from app.services.imports.views import Column, ImportPreview, ImportView, IssueRow, PreviewRow
from app.services.paging import Page, offset_of
from app.services.refs import Ref, load

PREVIEW_ROWS: Final = 20_000
"""A preview looks at so many rows of a file; beyond, its counts are of these and it says so."""


async def get_import(session: AsyncSession, *, principal: Principal, import_ref: Ref) -> ImportView:
    """Return an import with its columns and three samples of each."""
    authorize(principal, Right.VIEW)
    contact_import = await load(session, ContactImport, import_ref, organization_id=principal.organization_id)
    return _view(contact_import, await file_columns(session, contact_import))


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


async def preview_import(
    session: AsyncSession, *, principal: Principal, import_ref: Ref, limit: int = 10
) -> ImportPreview:
    """Return what would become of the rows, with the first `limit` of each class; nothing is written.

    Raises `FieldErrors` on `mapping` while no column holds the phone number.
    """
    authorize(principal, Right.VIEW)
    contact_import = await load(session, ContactImport, import_ref, organization_id=principal.organization_id)
    try:
        require_phone_column(contact_import.mapping)
    except MappingInvalid as invalid:
        raise FieldErrors({"mapping": str(invalid)}) from invalid
    campaign = await _campaign(session, contact_import)
    region, strict = await number_rules(session, contact_import.organization_id)
    reader, seen = reader_for(contact_import), SeenNumbers()
    preview = ImportPreview(total=contact_import.rows_total or 0, examined=0)
    batches = read_batches(session, import_id=contact_import.id, reader=reader, size=BATCH_ROWS)
    async with aclosing(batches):
        async for rows in batches:
            plan = row_plan(reader, contact_import, region=region, strict=strict)
            people = await asyncio.to_thread(read_people, rows, plan)
            judged = await judge(
                session, people, organization_id=contact_import.organization_id, campaign=campaign, seen=seen
            )
            preview = _add(preview, judged, limit)
            if preview.examined >= PREVIEW_ROWS:
                break
    return preview


def issue_row(issue: ImportIssue) -> IssueRow:
    """Return a stored issue as it is shown."""
    return IssueRow(
        row_number=issue.row_number,
        kind=IssueKind(issue.kind),
        reason=issue.reason,
        cells=[str(cell) for cell in issue.row.get("cells", [])],
    )


async def _campaign(session: AsyncSession, contact_import: ContactImport) -> Campaign | None:
    if contact_import.campaign_id is None:
        return None
    return await load(
        session, Campaign, contact_import.campaign_id, organization_id=contact_import.organization_id
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
        error=contact_import.error,
        created_by=contact_import.created_by,
        created_at=contact_import.created_at,
        started_at=contact_import.started_at,
        ended_at=contact_import.ended_at,
    )


def _add(preview: ImportPreview, judged: Sequence[Judged], limit: int) -> ImportPreview:
    kinds = [item.kind for item in judged]

    def first(known: list[IssueRow], kind: IssueKind) -> list[IssueRow]:
        found = (_shown(item, kind) for item in judged if item.kind is kind)
        return [*known, *found][:limit]

    accepted = (_preview_row(item) for item in judged if item.accepted)
    return replace(
        preview,
        examined=preview.examined + len(judged),
        accepted=preview.accepted + sum(item.accepted for item in judged),
        rejected=preview.rejected + kinds.count(IssueKind.REJECTED),
        duplicates=preview.duplicates + kinds.count(IssueKind.DUPLICATE),
        suppressed=preview.suppressed + kinds.count(IssueKind.SUPPRESSED),
        warnings=preview.warnings + kinds.count(IssueKind.WARNING),
        first_accepted=[*preview.first_accepted, *accepted][:limit],
        first_rejected=first(preview.first_rejected, IssueKind.REJECTED),
        first_duplicates=first(preview.first_duplicates, IssueKind.DUPLICATE),
        first_suppressed=first(preview.first_suppressed, IssueKind.SUPPRESSED),
        first_warnings=first(preview.first_warnings, IssueKind.WARNING),
    )


def _shown(item: Judged, kind: IssueKind) -> IssueRow:
    return IssueRow(item.row.number, kind, item.reason, item.row.cells)


def _preview_row(item: Judged) -> PreviewRow:
    assert item.person is not None
    person = item.person
    return PreviewRow(
        row_number=item.row.number,
        number=person.number,
        pretty=pretty(person.number),
        name=person.fields.get("name", ""),
        variables=person.variables,
        warnings=list(person.warnings),
    )
