"""Imports, their results and their rejected rows."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from app.api.caller import Keyed, KeyedRoute
from app.api.files import csv_file
from app.api.v1.fields import Listing, Moment, PageNumber, PageSize, Ref, listing
from app.services.imports.issues import NOT_IMPORTED, IssueKind
from app.services.imports.preview import preview_import
from app.services.imports.queries import get_import, list_imports, list_issues
from app.services.imports.rejects import rejects_csv
from app.services.imports.views import Column, ImportPreview, ImportView, IssueRow
from app.services.imports.zones import ZoneCount

router = APIRouter(prefix="/imports", tags=["imports"], route_class=KeyedRoute)


class ColumnAnswer(BaseModel):
    """A column of the file and its target."""

    header: str
    target: str = Field(description="A contact's field, `variable:<name>` or `ignore`.")
    variable_name: str
    samples: list[str]


class Counts(BaseModel):
    """Counts of rows by result."""

    accepted: int
    rejected: int
    duplicates: int
    suppressed: int
    warnings: int = Field(description="How many accepted rows have a warning.")
    in_campaign: int = Field(default=0, description="Duplicates that were in the campaign already.")
    known: int = Field(default=0, description="Rows whose number was already in the address book.")
    opted_out: int = Field(default=0, description="Rows of people who asked not to be contacted.")


class ZonePeople(BaseModel):
    """How many people are in a time zone."""

    zones: list[str] = Field(
        description="One zone; several if the people may be in any of them: calling hours must then hold in all; "
        "none if nothing tells where they are, and each campaign assumes its own."
    )
    people: int


class UnclearZone(BaseModel):
    """What the time zone column says that is no time zone by itself."""

    word: str
    people: int
    suggestion: str | None = Field(
        description="The zone that is probably meant. Confirm it in `time_zone_words`."
    )
    confirmed: str | None = Field(description="The zone that `time_zone_words` gave it.")
    message: str = Field(description="What to write. Without a confirmed zone the cell is left out.")


class UndoAnswer(BaseModel):
    """The result of an undo. `GET /imports/{import_id}/issues?kind=kept` lists contacts that stayed, and why."""

    at: Moment
    by: str
    recipients_removed: int
    contacts_removed: int
    contacts_restored: int
    kept: int


class ImportAnswer(Counts):
    """An import. accepted + rejected + duplicates + suppressed = rows_done."""

    id: int
    public_id: UUID
    campaign_id: int | None
    status: str
    file_name: str
    file_bytes: int
    format: str
    encoding: str
    delimiter: str
    columns: list[ColumnAnswer]
    rows_done: int
    rows_total: int | None
    rows_per_second: float
    seconds_left: int | None = Field(description="Estimated from its current speed, while it runs.")
    created: int = Field(description="New contacts.")
    updated: int = Field(description="Existing contacts that were changed.")
    recipients_added: int = Field(description="Added to the campaign, skipped ones included.")
    sheet: str
    sheets: list[str] = Field(description="The sheets of a workbook; one can be chosen before the start.")
    zones: list[ZonePeople] = Field(description="Where its people may be.")
    undo: UndoAnswer | None = Field(description="The result of an undo so far.")
    error: str | None
    created_by: str
    created_at: Moment
    started_at: Moment | None
    ended_at: Moment | None


class RowIssue(BaseModel):
    """A row that was rejected, skipped, or accepted with a warning."""

    row: int
    kind: str
    reason: str
    cells: list[str]


class RowPreview(BaseModel):
    """A row that would be accepted, with its values."""

    row: int
    phone_number: str
    name: str
    variables: dict[str, str]
    warnings: list[str]


class TextPreview(BaseModel):
    """The campaign's messages for one row."""

    row: int
    phone_number: str
    texts: dict[str, str] = Field(description="welcome, agenda, question, closing of a call; body of an SMS.")
    missing: list[str] = Field(description="Variables without a value or fallback.")
    error: str


class PreviewAnswer(Counts):
    """The expected result of an import. Nothing is written."""

    total: int
    examined: int = Field(description="How many rows the counts are for.")
    first_accepted: list[RowPreview]
    first_issues: list[RowIssue]
    texts: list[TextPreview] = Field(
        description="The messages for three accepted rows, if there is a campaign."
    )
    zones: list[ZonePeople] = Field(description="Where the accepted people may be, by what the file says.")
    unclear_zones: list[UnclearZone] = Field(
        description="What the time zone column says that is no time zone, the most frequent first."
    )


@router.get("")
async def index(
    caller: Keyed,
    campaign_id: Annotated[str | None, Query(max_length=64)] = None,
    page: PageNumber = 1,
    page_size: PageSize = 25,
) -> Listing[ImportAnswer]:
    """List imports, newest first, without their columns."""
    async with caller.reading() as session:
        found = await list_imports(
            session, principal=caller.principal, campaign_ref=campaign_id, page=page, page_size=page_size
        )
    return listing(found, import_answer)


@router.get("/{import_id}")
async def show(import_id: Ref, caller: Keyed) -> ImportAnswer:
    """Return one import with its columns."""
    async with caller.reading() as session:
        return import_answer(await get_import(session, principal=caller.principal, import_ref=import_id))


@router.get("/{import_id}/not-imported.csv", response_class=StreamingResponse)
async def not_imported(
    import_id: Ref, caller: Keyed, kind: Annotated[list[IssueKind] | None, Query()] = None
) -> StreamingResponse:
    """Return the rejected rows as CSV, with row number and reason, to correct and send again."""
    return await csv_file(
        caller.context.database,
        "not-imported.csv",
        lambda session: rejects_csv(
            session, principal=caller.principal, import_ref=import_id, kinds=kind or NOT_IMPORTED
        ),
    )


@router.get("/{import_id}/preview")
async def preview(
    import_id: Ref, caller: Keyed, limit: Annotated[int, Query(ge=1, le=100)] = 10
) -> PreviewAnswer:
    """Preview the result of an import."""
    async with caller.reading() as session:
        return _preview(
            await preview_import(session, principal=caller.principal, import_ref=import_id, limit=limit)
        )


@router.get("/{import_id}/issues")
async def issues(
    import_id: Ref,
    caller: Keyed,
    kind: Annotated[list[IssueKind] | None, Query()] = None,
    page: PageNumber = 1,
    page_size: PageSize = 25,
) -> Listing[RowIssue]:
    """List the rows that were rejected, skipped or accepted with a warning."""
    async with caller.reading() as session:
        found = await list_issues(
            session,
            principal=caller.principal,
            import_ref=import_id,
            kinds=kind or (),
            page=page,
            page_size=page_size,
        )
    return listing(found, row_issue)


def import_answer(view: ImportView) -> ImportAnswer:
    """Return the API's answer for an import."""
    same = ImportAnswer.model_fields.keys() - {"columns", "undo", "zones"}
    columns = [_column(column) for column in view.columns]
    undo = None
    if view.undone_at is not None:
        undo = UndoAnswer(at=view.undone_at, by=view.undone_by or "", **asdict(view.undo))
    zones = zone_people(view.zones)
    return ImportAnswer(
        columns=columns, undo=undo, zones=zones, **{name: getattr(view, name) for name in same}
    )


def zone_people(zones: Sequence[ZoneCount]) -> list[ZonePeople]:
    """Return the API's answer for people by zone."""
    return [ZonePeople(zones=list(count.zones), people=count.people) for count in zones]


def row_issue(issue: IssueRow) -> RowIssue:
    """Return the API's answer for a row with an issue."""
    return RowIssue(row=issue.row_number, kind=issue.kind, reason=issue.reason, cells=issue.cells)


def _column(column: Column) -> ColumnAnswer:
    return ColumnAnswer(
        header=column.header,
        target=column.target,
        variable_name=column.variable_name,
        samples=column.samples,
    )


def _preview(found: ImportPreview) -> PreviewAnswer:
    return PreviewAnswer(
        total=found.total,
        examined=found.examined,
        **{name: getattr(found, name) for name in Counts.model_fields},
        first_accepted=[
            RowPreview(
                row=row.row_number,
                phone_number=row.number,
                name=row.name,
                variables=row.variables,
                warnings=row.warnings,
            )
            for row in found.first_accepted
        ],
        first_issues=[row_issue(issue) for issue in found.first(*IssueKind)],
        texts=[
            TextPreview(
                row=sample.row_number,
                phone_number=sample.number,
                texts=sample.texts,
                missing=sample.missing,
                error=sample.error,
            )
            for sample in found.samples
        ],
        zones=zone_people(found.zones),
        unclear_zones=[
            UnclearZone(
                word=word.word,
                people=word.people,
                suggestion=word.suggestion or None,
                confirmed=word.confirmed or None,
                message=word.message,
            )
            for word in found.zone_words
        ],
    )
