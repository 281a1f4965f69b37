"""Suppressions: numbers that must not be contacted."""

import json
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import UploadFile

from app.api.caller import JSON, MULTIPART, Caller, Keyed, KeyedRoute, Repeatable, UploadRoute
from app.api.files import csv_file
from app.api.v1.fields import MAX_ROW_ID, Body, Moment, PageSize, RowId, Search, at_most
from app.api.v1.uploads import fingerprint_of, form_of
from app.domain.phone import normalize
from app.domain.suppression import SuppressionScope, SuppressionSource
from app.services.access.organizations import organization_settings
from app.services.errors import FieldErrors, NotFound
from app.services.suppression.closing import LONGEST_REASON
from app.services.suppression.exporting import suppressions_csv
from app.services.suppression.importing import (
    MAX_BYTES,
    import_suppressions,
    rejected_csv,
)
from app.services.suppression.operations import lift, suppress_contact
from app.services.suppression.queries import (
    SuppressionFilter,
    SuppressionView,
    get_suppression,
    list_suppressions,
    suppressions_of,
)
from app.services.tabular.json_rows import csv_from_objects
from app.services.tabular.refusals import too_large

router = APIRouter(prefix="/suppressions", tags=["suppressions"], route_class=KeyedRoute)
uploads = APIRouter(prefix="/suppressions", tags=["suppressions"], route_class=UploadRoute)


class SuppressionBody(Body):
    """A number to suppress. It need not be in the address book."""

    phone_number: str = Field(examples=["+15551234567"])
    scope: SuppressionScope = SuppressionScope.ALL
    reason: Annotated[str, at_most(LONGEST_REASON)] = ""


_FILE: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            MULTIPART: {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": "CSV: the number, and scope and reason if they differ by row.",
                        },
                        "scope": {"type": "string", "enum": list(SuppressionScope), "default": "all"},
                        "reason": {"type": "string", "maxLength": 500},
                    },
                }
            },
            JSON: {
                "schema": {"type": "array", "items": SuppressionBody.model_json_schema()},
            },
        },
    }
}


class LiftBody(Body):
    """Why the number may be contacted again."""

    reason: Annotated[str, at_most(LONGEST_REASON)]


class SuppressionAnswer(BaseModel):
    """A suppression. With `lifted_at` it has ended."""

    id: int
    phone_number: str
    scope: str
    reason: str
    source: str
    actor: str
    created_at: Moment
    lifted_at: Moment | None
    lifted_by: str | None
    lift_reason: str | None


class SuppressionList(BaseModel):
    """A page of suppressions, newest first."""

    items: list[SuppressionAnswer]
    total: int = Field(description="How many there are in total; counting stops at 10,000.")
    total_is_more: bool = Field(description="There are more than `total`.")
    next_after: int | None = Field(description="Send it as `after` for the next page; null at the end.")


class RejectedRow(BaseModel):
    """A rejected row of a file, and why."""

    row: int
    reason: str
    cells: list[str]


class ImportedSuppressions(BaseModel):
    """The result of a file: added + known + rejected = total."""

    import_id: int
    total: int
    added: int
    known: int = Field(description="Already suppressed, or repeated in the file.")
    rejected: int
    first_rejected: list[RejectedRow] = Field(
        description="`GET /suppressions/imports/{suppression_import_id}/rejected.csv` has all."
    )


class State(StrEnum):
    """The filter of a list of suppressions."""

    STANDING = "standing"
    LIFTED = "lifted"
    ALL = "all"


class Lifted(BaseModel):
    """The lifted suppression."""

    id: int
    lifted: bool


def _wanted(
    search: Search = "",
    state: State = State.STANDING,
    scope: SuppressionScope | None = None,
    source: SuppressionSource | None = None,
) -> SuppressionFilter:
    lifted = None if state is State.ALL else state is State.LIFTED
    return SuppressionFilter(search=search, lifted=lifted, scope=scope, source=source)


Wanted = Annotated[SuppressionFilter, Depends(_wanted)]


@router.get("")
async def index(
    caller: Keyed,
    wanted: Wanted,
    *,
    after: Annotated[int | None, Query(ge=1, le=MAX_ROW_ID)] = None,
    limit: PageSize = 50,
) -> SuppressionList:
    """List active suppressions, lifted ones, or both, newest first."""
    async with caller.reading() as session:
        found = await list_suppressions(
            session, principal=caller.principal, wanted=wanted, after=after, limit=limit
        )
    return SuppressionList(
        items=[suppression_answer(view) for view in found.items],
        total=found.total,
        total_is_more=found.total_is_more,
        next_after=found.next_after,
    )


@router.get("/export.csv", response_class=StreamingResponse)
async def export(caller: Keyed, wanted: Wanted) -> StreamingResponse:
    """Return the suppressions as CSV, which `import-data` accepts."""
    return await csv_file(
        caller.context.database,
        "suppressions.csv",
        lambda session: suppressions_csv(session, principal=caller.principal, wanted=wanted),
    )


@router.get("/imports/{suppression_import_id}/rejected.csv", response_class=StreamingResponse)
async def rejected(suppression_import_id: RowId, caller: Keyed) -> StreamingResponse:
    """Return the rejected rows of a file with reasons, to correct and send again."""
    return await csv_file(
        caller.context.database,
        "rejected.csv",
        lambda session: rejected_csv(session, principal=caller.principal, import_id=suppression_import_id),
    )


@router.get("/{suppression_id}")
async def show(suppression_id: RowId, caller: Keyed) -> SuppressionAnswer:
    """Return one suppression, active or lifted."""
    async with caller.reading() as session:
        view = await get_suppression(session, principal=caller.principal, suppression_id=suppression_id)
    return suppression_answer(view)


@router.post("", status_code=HTTPStatus.CREATED, response_model=SuppressionAnswer)
async def create(body: SuppressionBody, caller: Repeatable) -> Response:
    """Suppress a number. If it is suppressed already, nothing changes."""

    async def work(session: AsyncSession) -> SuppressionAnswer:
        await suppress_contact(
            session,
            principal=caller.principal,
            number=body.phone_number,
            scope=body.scope,
            reason=body.reason,
            now=caller.now,
        )
        return suppression_answer(await _standing(session, caller, body))

    return await caller.once(work)


@router.post("/{suppression_id}/lift", response_model=Lifted)
async def open_again(suppression_id: RowId, body: LiftBody, caller: Repeatable) -> Response:
    """Lift a suppression: the number can be contacted again. Its row stays as evidence."""

    async def work(session: AsyncSession) -> Lifted:
        await lift(
            session,
            principal=caller.principal,
            suppression_id=suppression_id,
            reason=body.reason,
            now=caller.now,
        )
        return Lifted(id=suppression_id, lifted=True)

    return await caller.once(work, status=HTTPStatus.OK)


@uploads.post("/import-data", openapi_extra=_FILE, response_model=ImportedSuppressions)
async def import_data(request: Request, caller: Repeatable) -> Response:
    """Suppress the numbers of a CSV file or an array. If sent again, only new numbers are added."""
    if not request.headers.get("content-type", "").lower().startswith(MULTIPART):
        data = csv_from_objects(await _objects(request))
        return await _imported(caller, _File("suppressions.json", data, SuppressionScope.ALL, ""))
    async with form_of(request, "file", "scope", "reason") as form:
        upload, reason = form.get("file"), form.get("reason")
        if not isinstance(upload, UploadFile):
            raise FieldErrors({"file": "Send the file as the form's field `file`."})
        if (upload.size or 0) > MAX_BYTES:
            raise too_large(MAX_BYTES)
        file = _File(
            upload.filename or "",
            await upload.read(),
            _scope(form.get("scope")),
            reason if isinstance(reason, str) else "",
        )
        return await _imported(caller, file, await fingerprint_of(upload, file.scope, file.reason))


@dataclass(frozen=True, slots=True)
class _File:
    """A file of numbers, and the defaults for its rows."""

    name: str
    data: bytes
    scope: SuppressionScope
    reason: str


async def _imported(caller: Caller, file: _File, fingerprint: str | None = None) -> Response:
    async def work() -> ImportedSuppressions:
        progress = import_suppressions(
            caller.context.database,
            principal=caller.principal,
            file_name=file.name,
            data=file.data,
            scope=file.scope,
            reason=file.reason,
            clock=caller.context.clock,
        )
        *_, result = [step async for step in progress]
        same = ImportedSuppressions.model_fields.keys() - {"first_rejected"}
        return ImportedSuppressions(
            first_rejected=[
                RejectedRow(row=each.row, reason=each.reason, cells=each.cells)
                for each in result.first_rejected
            ],
            **{name: getattr(result, name) for name in same},
        )

    return await caller.once_in_steps(work, status=HTTPStatus.OK, fingerprint=fingerprint)


async def _objects(request: Request) -> list[Any]:
    try:
        sent = json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise FieldErrors({"body": "This is not JSON: send an array of objects."}) from error
    if not isinstance(sent, list):
        raise FieldErrors({"body": "Send an array of objects, each with a phone_number."})
    return sent


def _scope(given: object) -> SuppressionScope:
    try:
        return SuppressionScope(str(given)) if given else SuppressionScope.ALL
    except ValueError as error:
        raise FieldErrors({"scope": "Send all, voice or sms."}) from error


def suppression_answer(view: SuppressionView) -> SuppressionAnswer:
    """Return the API's answer for a suppression."""
    same = SuppressionAnswer.model_fields.keys() - {"phone_number"}
    return SuppressionAnswer(phone_number=view.number, **{name: getattr(view, name) for name in same})


async def _standing(session: AsyncSession, caller: Caller, body: SuppressionBody) -> SuppressionView:
    """Return the suppression that now applies to the number: of this scope, or one that includes it."""
    settings = await organization_settings(session, principal=caller.principal)
    number = normalize(body.phone_number, region=settings.default_region).e164
    found = await suppressions_of(session, principal=caller.principal, number=number)
    closing = [view for view in found if view.lifted_at is None]
    for scope in (body.scope, SuppressionScope.ALL):
        for view in closing:
            if view.scope is scope:
                return view
    raise NotFound("suppression of", number)
