"""`import-data`: import a CSV, Excel or JSON file, or an array of objects, into an editable campaign."""

import asyncio
import hashlib
from http import HTTPStatus
from typing import Any, Final, NamedTuple

from fastapi import APIRouter, Request, Response
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import UploadFile

from app.api.caller import MULTIPART, Caller, Repeatable, UploadRoute
from app.api.v1.fields import Ref
from app.api.v1.imports import Counts, RowIssue, ZonePeople, row_issue, zone_people
from app.api.v1.uploads import (
    checked_shape,
    chunks_of,
    contacts_in,
    fingerprint_of,
    form_of,
    mapping_of,
    object_of,
    zone_words_of,
)
from app.runtime.jobs import RUN_IMPORT
from app.services.errors import FieldErrors
from app.services.imports.operations import (
    import_file,
    import_json,
    queue_import,
    set_mapping,
    set_zone_words,
    store_import,
)
from app.services.imports.queries import get_import
from app.services.imports.views import ImportResult
from app.services.tabular.refusals import MEGABYTE

router = APIRouter(tags=["imports"], route_class=UploadRoute)

AT_ONCE: Final = 2 * MEGABYTE
"""Files up to this size are imported in the request; a worker imports larger ones."""

_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            MULTIPART: {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary", "description": "CSV, Excel or JSON."},
                        "mapping": {
                            "type": "string",
                            "description": "JSON: column -> contact field, `variable:<name>` or `ignore`.",
                        },
                        "time_zone_words": {
                            "type": "string",
                            "description": "JSON: word of the time zone column -> the time zone it means, such as "
                            '{"Eastern": "America/New_York"}. Other words that are no time zone are left out.',
                        },
                    },
                }
            },
            "application/json": {
                "schema": {
                    "anyOf": [
                        {"type": "array", "items": {"type": "object"}},
                        {
                            "type": "object",
                            "required": ["contacts"],
                            "properties": {
                                "contacts": {"type": "array", "items": {"type": "object"}},
                                "mapping": {"type": "object", "additionalProperties": {"type": "string"}},
                                "time_zone_words": {
                                    "type": "object",
                                    "additionalProperties": {"type": "string"},
                                },
                            },
                        },
                    ]
                }
            },
        },
    }
}


class Imported(Counts):
    """The result, or that a worker runs the import: then `GET /imports/{import_id}` shows it."""

    import_id: int
    status: str = Field(description="completed, or queued.")
    zones: list[ZonePeople] = Field(description="Where the people may be; empty while it is queued.")
    total_rows: int | None
    issues: list[RowIssue] = Field(
        description="The first hundred; `GET /imports/{import_id}/issues` has all."
    )


class _Said(NamedTuple):
    """What a request says about the columns and words of its file."""

    columns: dict[str, str] | None
    zone_words: dict[str, str] | None


@router.post(
    "/campaigns/{campaign_id}/import-data",
    response_model=Imported,
    responses={HTTPStatus.ACCEPTED: {"model": Imported, "description": "Queued: the file is large."}},
    openapi_extra=_BODY,
)
async def import_data(campaign_id: Ref, request: Request, caller: Repeatable) -> Response:
    """Add contacts from a file or an array. Rejected rows are returned with reasons; all others are added."""
    if not request.headers.get("content-type", "").lower().startswith(MULTIPART):
        return await _import_objects(campaign_id, await request.body(), caller)
    async with form_of(request, "file", "mapping", "time_zone_words") as form:
        upload, mapping = form.get("file"), form.get("mapping")
        if not isinstance(upload, UploadFile):
            raise FieldErrors({"file": "Send the file as the form's field `file`."})
        said = _Said(mapping_of(mapping), zone_words_of(form.get("time_zone_words")))
        if (upload.size or 0) > AT_ONCE:
            return await _queue_file(campaign_id, upload, said, caller)
        return await _import_file(campaign_id, upload, said, caller)


async def _import_objects(campaign_ref: str, body: bytes, caller: Caller) -> Response:
    beside = await asyncio.to_thread(object_of, body, "contacts", "mapping", "time_zone_words")
    rows = contacts_in(beside)
    sent_columns = checked_shape(beside["mapping"]) if beside.get("mapping") is not None else None
    words = zone_words_of(beside.get("time_zone_words"))

    async def work(session: AsyncSession) -> Imported:
        return _imported(
            await import_json(
                session,
                principal=caller.principal,
                campaign_ref=campaign_ref,
                rows=rows,
                mapping=sent_columns,
                zone_words=words,
                now=caller.now,
            )
        )

    fingerprint = hashlib.sha256(body).hexdigest()
    return await caller.once(work, status=HTTPStatus.OK, fingerprint=fingerprint)


async def _import_file(campaign_ref: str, upload: UploadFile, said: _Said, caller: Caller) -> Response:
    data = await upload.read()

    async def work(session: AsyncSession) -> Imported:
        return _imported(
            await import_file(
                session,
                principal=caller.principal,
                campaign_ref=campaign_ref,
                file_name=upload.filename or "",
                data=data,
                mapping=said.columns,
                zone_words=said.zone_words,
                now=caller.now,
            )
        )

    fingerprint = await fingerprint_of(upload, said.columns, said.zone_words)
    return await caller.once(work, status=HTTPStatus.OK, fingerprint=fingerprint)


async def _queue_file(campaign_ref: str, upload: UploadFile, said: _Said, caller: Caller) -> Response:
    queued: list[int] = []

    async def work(session: AsyncSession) -> Imported:
        principal, now = caller.principal, caller.now
        import_id, _ = await store_import(
            session,
            principal=principal,
            campaign_ref=campaign_ref,
            file_name=upload.filename or "",
            data=chunks_of(upload),
            now=now,
            guess=False,
        )
        if said.columns is not None:
            await set_mapping(
                session, principal=principal, import_ref=import_id, mapping=said.columns, now=now
            )
        if said.zone_words is not None:
            await set_zone_words(
                session, principal=principal, import_ref=import_id, words=said.zone_words, now=now
            )
        await queue_import(session, principal=principal, import_ref=import_id, now=now)
        queued[:] = [import_id]
        view = await get_import(session, principal=principal, import_ref=import_id)
        return Imported(
            import_id=import_id,
            status=view.status,
            total_rows=view.rows_total,
            issues=[],
            zones=[],
            **dict.fromkeys(Counts.model_fields, 0),
        )

    fingerprint = await fingerprint_of(upload, said.columns, said.zone_words)
    response = await caller.once(work, status=HTTPStatus.ACCEPTED, fingerprint=fingerprint)
    for import_id in queued:
        await caller.context.queue.hint(RUN_IMPORT, import_id)
    return response


def _imported(result: ImportResult) -> Imported:
    return Imported(
        import_id=result.import_id,
        status="completed",
        total_rows=result.rows,
        issues=[row_issue(issue) for issue in result.issues],
        zones=zone_people(result.zones),
        **{name: getattr(result, name) for name in Counts.model_fields},
    )
