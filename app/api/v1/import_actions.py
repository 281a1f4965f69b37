"""Imports step by step: send a file, objects or text; map its columns; preview; start, cancel, undo."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from pydantic import Field, RootModel
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import UploadFile

from app.api.caller import MULTIPART, Caller, Keyed, Repeatable, UploadRoute
from app.api.files import PRIVATE
from app.api.v1.fields import Body, Ref
from app.api.v1.imports import ImportAnswer, import_answer
from app.api.v1.uploads import (
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
from app.services.imports.files.template import template_csv
from app.services.imports.operations import (
    cancel_import,
    choose_sheet,
    queue_import,
    set_mapping,
    set_zone_words,
    store_import,
    store_objects,
    store_pasted,
)
from app.services.imports.queries import get_import
from app.services.imports.undo import undo_import
from app.services.imports.views import StoredImport

router = APIRouter(prefix="/imports", tags=["imports"], route_class=UploadRoute)

_OBJECTS: Final = {"type": "array", "items": {"type": "object"}}
_BODY: Final[dict[str, Any]] = {
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
                            "description": "CSV in any encoding and with any delimiter, Excel, or JSON.",
                        },
                        "campaign_id": {
                            "type": "string",
                            "description": "Without it: only the address book.",
                        },
                        "sheet": {
                            "type": "string",
                            "maxLength": 100,
                            "description": "The sheet of a workbook; default the first.",
                        },
                        "mapping": {"type": "string", "description": "JSON: column -> target."},
                        "time_zone_words": {
                            "type": "string",
                            "description": "JSON: word of the time zone column -> the time zone it means.",
                        },
                    },
                }
            },
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "campaign_id": {"type": "string"},
                        "contacts": _OBJECTS,
                        "text": {"type": "string", "description": "Pasted cells, or a bare list of numbers."},
                        "time_zone_words": {
                            "type": "object",
                            "additionalProperties": {"type": "string"},
                            "description": "Word of the time zone column -> the time zone it means.",
                        },
                    },
                }
            },
        },
    }
}

Store = Callable[[AsyncSession], Awaitable[StoredImport]]


class Mapping(RootModel[dict[str, Annotated[str, Field(max_length=200)]]]):
    """Column -> contact field, `variable:<name>` or `ignore`. Other columns are ignored."""


class TimeZoneWords(RootModel[dict[str, Annotated[str, Field(max_length=64)]]]):
    """Word of the time zone column -> the time zone it means: `{"Eastern": "America/New_York"}`."""


class Sheet(Body):
    """The sheet of a workbook."""

    sheet: Annotated[str, Field(max_length=100)]


@router.post("", response_model=ImportAnswer, status_code=HTTPStatus.CREATED, openapi_extra=_BODY)
async def create(request: Request, caller: Repeatable) -> Response:
    """Store a file for import, and suggest the mapping of its columns. Nothing is imported before `start`."""
    if not request.headers.get("content-type", "").lower().startswith(MULTIPART):
        return await _stored_json(await request.body(), caller)
    async with form_of(request, "file", "campaign_id", "sheet", "mapping", "time_zone_words") as form:
        upload, campaign_id, sheet = form.get("file"), form.get("campaign_id"), form.get("sheet")
        if not isinstance(upload, UploadFile):
            raise FieldErrors({"file": "Send the file as the form's field `file`."})
        columns, words = mapping_of(form.get("mapping")), zone_words_of(form.get("time_zone_words"))

        async def store(session: AsyncSession) -> StoredImport:
            stored = await store_import(
                session,
                principal=caller.principal,
                campaign_ref=campaign_id if isinstance(campaign_id, str) and campaign_id else None,
                file_name=upload.filename or "",
                data=chunks_of(upload),
                sheet=sheet if isinstance(sheet, str) else "",
                now=caller.now,
            )
            if columns is not None:
                stored = await set_mapping(
                    session, principal=caller.principal, import_ref=stored.id, mapping=columns, now=caller.now
                )
            return await _with_words(session, caller, stored, words)

        fingerprint = await fingerprint_of(upload, columns, str(campaign_id), str(sheet), words)
        return await _stored(store, caller, HTTPStatus.CREATED, fingerprint)


@router.get("/template.csv", response_class=PlainTextResponse)
async def template(caller: Keyed) -> Response:  # noqa: ARG001 - asks for a key, as every route
    """Return a CSV template with columns that need no mapping."""
    headers = {**PRIVATE, "Content-Disposition": 'attachment; filename="contacts-template.csv"'}
    return PlainTextResponse(template_csv(), media_type="text/csv; charset=utf-8", headers=headers)


@router.put("/{import_id}/mapping", response_model=ImportAnswer)
async def name_columns(import_id: Ref, mapping: Mapping, caller: Repeatable) -> Response:
    """Set the mapping of the columns. It is suggested for the next file with the same headers."""

    async def work(session: AsyncSession) -> StoredImport:
        return await set_mapping(
            session, principal=caller.principal, import_ref=import_id, mapping=mapping.root, now=caller.now
        )

    return await _stored(work, caller, HTTPStatus.OK)


@router.put("/{import_id}/time-zone-words", response_model=ImportAnswer)
async def confirm_zones(import_id: Ref, words: TimeZoneWords, caller: Repeatable) -> Response:
    """Confirm what words of the time zone column mean. They replace those that were confirmed before.

    The preview lists such words with a suggestion. Cells with other words are left out, with a warning.
    """

    async def work(session: AsyncSession) -> StoredImport:
        return await set_zone_words(
            session, principal=caller.principal, import_ref=import_id, words=words.root, now=caller.now
        )

    return await _stored(work, caller, HTTPStatus.OK)


@router.put("/{import_id}/sheet", response_model=ImportAnswer)
async def read_sheet(import_id: Ref, body: Sheet, caller: Repeatable) -> Response:
    """Choose another sheet of the workbook. Its columns get a new mapping."""

    async def work(session: AsyncSession) -> StoredImport:
        return await choose_sheet(
            session, principal=caller.principal, import_ref=import_id, sheet=body.sheet, now=caller.now
        )

    return await _stored(work, caller, HTTPStatus.OK)


@router.post("/{import_id}/start", response_model=ImportAnswer, status_code=HTTPStatus.ACCEPTED)
async def start(import_id: Ref, caller: Repeatable) -> Response:
    """Start an import, or resume a failed one. A worker runs it: `GET /imports/{id}` shows the progress."""

    async def work(session: AsyncSession) -> StoredImport:
        return await queue_import(session, principal=caller.principal, import_ref=import_id, now=caller.now)

    return await _stored(work, caller, HTTPStatus.ACCEPTED)


@router.post("/{import_id}/cancel", response_model=ImportAnswer)
async def cancel(import_id: Ref, caller: Repeatable) -> Response:
    """Stop an import after its current batch. Added contacts stay; `undo` removes them."""

    async def work(session: AsyncSession) -> ImportAnswer:
        await cancel_import(session, principal=caller.principal, import_ref=import_id, now=caller.now)
        return import_answer(await get_import(session, principal=caller.principal, import_ref=import_id))

    return await caller.once(work, status=HTTPStatus.OK)


@router.post("/{import_id}/undo", response_model=ImportAnswer, status_code=HTTPStatus.ACCEPTED)
async def undo(import_id: Ref, caller: Repeatable) -> Response:
    """Reverse the import: its new contacts, its changes, its recipients. Contacts that were called or texted stay."""

    async def work(session: AsyncSession) -> StoredImport:
        return await undo_import(session, principal=caller.principal, import_ref=import_id, now=caller.now)

    return await _stored(work, caller, HTTPStatus.ACCEPTED)


async def _stored_json(body: bytes, caller: Caller) -> Response:
    contacts, beside = await asyncio.to_thread(_contacts_or_text, body)
    campaign_ref = str(beside["campaign_id"]) if beside.get("campaign_id") is not None else None
    words = zone_words_of(beside.get("time_zone_words"))

    async def store(session: AsyncSession) -> StoredImport:
        principal, now = caller.principal, caller.now
        if contacts is None:
            stored = await store_pasted(
                session, principal=principal, campaign_ref=campaign_ref, text=beside["text"], now=now
            )
        else:
            stored = await store_objects(
                session, principal=principal, campaign_ref=campaign_ref, rows=contacts, now=now
            )
        return await _with_words(session, caller, stored, words)

    return await _stored(store, caller, HTTPStatus.CREATED)


async def _with_words(
    session: AsyncSession, caller: Caller, stored: StoredImport, words: dict[str, str] | None
) -> StoredImport:
    if words is None:
        return stored
    return await set_zone_words(
        session, principal=caller.principal, import_ref=stored.id, words=words, now=caller.now
    )


def _contacts_or_text(body: bytes) -> tuple[list[Any] | None, dict[str, Any]]:
    beside = object_of(body, "campaign_id", "contacts", "text", "time_zone_words")
    if beside.get("contacts") is not None:
        return contacts_in(beside), beside
    if not isinstance(beside.get("text"), str):
        raise FieldErrors({"contacts": "Send contacts (an array of objects) or text (what was pasted)."})
    return None, beside


async def _stored(
    store: Store, caller: Caller, status: HTTPStatus, fingerprint: str | None = None
) -> Response:
    """Run `store` and answer with the import; enqueue a job if a worker is needed."""
    waiting: list[int] = []

    async def work(session: AsyncSession) -> ImportAnswer:
        stored = await store(session)
        if stored.needs_worker:
            waiting[:] = [stored.id]
        return import_answer(await get_import(session, principal=caller.principal, import_ref=stored.id))

    response = await caller.once(work, status=status, fingerprint=fingerprint)
    for import_id in waiting:
        await caller.context.queue.hint(RUN_IMPORT, import_id)
    return response
