"""`import-data`: a CSV or JSON file as a form, or an array of objects, into a draft or paused campaign."""

import asyncio
import hashlib
import json
import logging
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from pydantic import Field
from redis.exceptions import RedisError
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import UploadFile

from app.api.caller import MULTIPART, Caller, Repeatable, UploadRoute
from app.api.limits import LARGEST_JSON_IMPORT
from app.api.v1.fields import Ref
from app.api.v1.imports import Counts, RowIssue, row_issue
from app.queue import AlreadyQueued
from app.services.errors import FieldErrors
from app.services.imports.decoding import MEGABYTE
from app.services.imports.operations import (
    FileRefused,
    import_file,
    import_json,
    queue_import,
    set_mapping,
    store_import,
)
from app.services.imports.queries import get_import
from app.services.imports.views import ImportResult

router = APIRouter(tags=["imports"], route_class=UploadRoute)

log = logging.getLogger(__name__)

AT_ONCE: Final = 2 * MEGABYTE
"""Files up to this size are imported before the answer; larger ones by a worker."""
_CHUNK: Final = MEGABYTE
_QUEUE_PATIENCE_SECONDS: Final = 2.0

_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            MULTIPART: {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary", "description": "CSV or JSON."},
                        "mapping": {
                            "type": "string",
                            "description": "JSON: column -> contact field, `variable:<name>` or `ignore`.",
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
                            },
                        },
                    ]
                }
            },
        },
    }
}


class Imported(Counts):
    """What became of the import, or that a worker does it: then `GET /imports/{import_id}` tells."""

    import_id: int
    status: str = Field(description="completed, or queued.")
    total_rows: int | None
    issues: list[RowIssue] = Field(
        description="The first hundred; `GET /imports/{import_id}/issues` has all."
    )


@router.post(
    "/campaigns/{campaign_id}/import-data",
    response_model=Imported,
    responses={HTTPStatus.ACCEPTED: {"model": Imported, "description": "Queued: the file is large."}},
    openapi_extra=_BODY,
)
async def import_data(campaign_id: Ref, request: Request, caller: Repeatable) -> Response:
    """Add people from a file or an array; rows with a reason against them are told, the others are added."""
    if not request.headers.get("content-type", "").lower().startswith(MULTIPART):
        return await _import_objects(campaign_id, await request.body(), None, caller)
    async with request.form(max_files=1, max_fields=10) as form:
        upload, mapping = form.get("file"), form.get("mapping")
        if not isinstance(upload, UploadFile):
            raise FieldErrors({"file": "Send the file as the form's field `file`."})
        columns = _mapping(mapping) if isinstance(mapping, str) and mapping.strip() else None
        if (upload.filename or "").lower().endswith(".json"):
            if (upload.size or 0) > LARGEST_JSON_IMPORT:
                raise FileRefused(f"A JSON file may have at most {LARGEST_JSON_IMPORT // MEGABYTE} MB.")
            return await _import_objects(campaign_id, await upload.read(), columns, caller)
        if (upload.size or 0) > AT_ONCE:
            return await _queue_file(campaign_id, upload, columns, caller)
        return await _import_file(campaign_id, upload, columns, caller)


async def _import_objects(
    campaign_ref: str, body: bytes, columns: Mapping[str, str] | None, caller: Caller
) -> Response:
    rows, sent_columns = _objects(body)

    async def work(session: AsyncSession) -> Imported:
        return _imported(
            await import_json(
                session,
                principal=caller.principal,
                campaign_ref=campaign_ref,
                rows=rows,
                mapping=columns or sent_columns,
                now=caller.now,
            )
        )

    fingerprint = hashlib.sha256(body + json.dumps(columns, sort_keys=True).encode()).hexdigest()
    return await caller.once(work, status=HTTPStatus.OK, fingerprint=fingerprint)


async def _import_file(
    campaign_ref: str, upload: UploadFile, columns: Mapping[str, str] | None, caller: Caller
) -> Response:
    data = await upload.read()

    async def work(session: AsyncSession) -> Imported:
        return _imported(
            await import_file(
                session,
                principal=caller.principal,
                campaign_ref=campaign_ref,
                file_name=upload.filename or "",
                data=data,
                mapping=columns,
                now=caller.now,
            )
        )

    fingerprint = await _fingerprint(upload, columns)
    return await caller.once(work, status=HTTPStatus.OK, fingerprint=fingerprint)


async def _queue_file(
    campaign_ref: str, upload: UploadFile, columns: Mapping[str, str] | None, caller: Caller
) -> Response:
    queued: list[int] = []

    async def work(session: AsyncSession) -> Imported:
        principal, now = caller.principal, caller.now
        import_id = await store_import(
            session,
            principal=principal,
            campaign_ref=campaign_ref,
            file_name=upload.filename or "",
            data=_chunks(upload),
            now=now,
        )
        if columns is not None:
            await set_mapping(session, principal=principal, import_ref=import_id, mapping=columns, now=now)
        await queue_import(session, principal=principal, import_ref=import_id, now=now)
        queued.append(import_id)
        view = await get_import(session, principal=principal, import_ref=import_id)
        return Imported(
            import_id=import_id,
            status=view.status,
            total_rows=view.rows_total,
            issues=[],
            **dict.fromkeys(Counts.model_fields, 0),
        )

    fingerprint = await _fingerprint(upload, columns)
    response = await caller.once(work, status=HTTPStatus.ACCEPTED, fingerprint=fingerprint)
    for import_id in queued:
        await _ring(caller, import_id)
    return response


async def _ring(caller: Caller, import_id: int) -> None:
    """Ask a worker to begin. Without Redis cron finds the import half a minute later."""
    try:
        async with asyncio.timeout(_QUEUE_PATIENCE_SECONDS):
            await caller.context.queue.enqueue(
                "run_import", job_id=f"import:{import_id}", import_id=import_id
            )
    except (AlreadyQueued, RedisError, OSError) as error:
        log.warning("import.not_enqueued", extra={"import_id": import_id, "error": type(error).__name__})


def _objects(body: bytes) -> tuple[list[Any], dict[str, str] | None]:
    """Return the contacts of a JSON body and the mapping that may come with them."""
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise FieldErrors({"body": "This is not JSON: send an array of objects."}) from error
    mapping = None
    if isinstance(sent, dict):
        mapping = _checked_mapping(sent["mapping"]) if sent.get("mapping") is not None else None
        sent = sent.get("contacts")
    if not isinstance(sent, list):
        raise FieldErrors({"contacts": "Send an array of objects, each with a phone_number."})
    return sent, mapping


def _mapping(text: str) -> dict[str, str]:
    try:
        return _checked_mapping(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise FieldErrors({"mapping": 'This is not JSON such as {"Mobile": "phone_number"}.'}) from error


def _checked_mapping(given: Any) -> dict[str, str]:
    if not isinstance(given, dict) or not all(isinstance(target, str) for target in given.values()):
        raise FieldErrors({"mapping": "Send an object: column -> contact field, variable:<name> or ignore."})
    return given


def _imported(result: ImportResult) -> Imported:
    return Imported(
        import_id=result.import_id,
        status="completed",
        total_rows=result.rows,
        issues=[row_issue(issue) for issue in result.issues],
        **{name: getattr(result, name) for name in Counts.model_fields},
    )


async def _chunks(upload: UploadFile) -> AsyncIterator[bytes]:
    await upload.seek(0)
    while chunk := await upload.read(_CHUNK):
        yield chunk


async def _fingerprint(upload: UploadFile, columns: Mapping[str, str] | None) -> str:
    """Return what tells this upload from another: the form's boundary is new in each request."""
    digest = hashlib.sha256(json.dumps([upload.filename, columns], sort_keys=True).encode())
    async for chunk in _chunks(upload):
        digest.update(chunk)
    return digest.hexdigest()
