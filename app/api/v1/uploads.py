"""Shared by the routes that accept files: the file in chunks, its mapping, and its fingerprint."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from app.domain.text import wrong_texts
from app.services.errors import FieldErrors
from app.services.tabular.refusals import MEGABYTE

_CHUNK: Final = MEGABYTE


@asynccontextmanager
async def form_of(request: Request, *known: str) -> AsyncIterator[FormData]:
    """Yield the form of a request with at most one file, and fields of these names.

    Raises `FieldErrors` on what is not `known`, and on texts (the file's name too) that cannot be stored.
    """
    try:
        form = await request.form(max_files=1, max_fields=10)
    except UnicodeError as error:
        raise FieldErrors({"body": "This form is not in the charset it names. Send it in UTF-8."}) from error
    try:
        refuse_others(form, *known)
        refuse_unstorable(
            {name: (each.filename if isinstance(each, UploadFile) else each) for name, each in form.items()}
        )
        yield form
    finally:
        await form.close()


async def chunks_of(upload: UploadFile) -> AsyncIterator[bytes]:
    """Yield the uploaded file from its start."""
    await upload.seek(0)
    while chunk := await upload.read(_CHUNK):
        yield chunk


async def fingerprint_of(upload: UploadFile, *said: object) -> str:
    """Return a hash of the upload. The raw body cannot be used: the form's boundary is new in each request."""
    digest = hashlib.sha256(json.dumps([upload.filename, *said], sort_keys=True).encode())
    async for chunk in chunks_of(upload):
        await asyncio.to_thread(digest.update, chunk)
    return digest.hexdigest()


def mapping_of(text: object) -> dict[str, str] | None:
    """Return the mapping in a form's field; None if it is missing. Raises `FieldErrors` on `mapping`."""
    if not isinstance(text, str) or not text.strip():
        return None
    try:
        return checked_shape(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise FieldErrors({"mapping": 'This is not JSON such as {"Mobile": "phone_number"}.'}) from error


def checked_shape(given: Any) -> dict[str, str]:
    """Return the value if it is an object of texts. Raises `FieldErrors` on `mapping`."""
    if not isinstance(given, Mapping) or not all(isinstance(target, str) for target in given.values()):
        raise FieldErrors({"mapping": "Send an object: column -> contact field, variable:<name> or ignore."})
    return dict(given)


def zone_words_of(given: object) -> dict[str, str] | None:
    """Return the zone words of a body or, as JSON, of a form; None if they are missing.

    Raises `FieldErrors` on `time_zone_words`.
    """
    if given is None or (isinstance(given, str) and not given.strip()):
        return None
    try:
        words = json.loads(given) if isinstance(given, str) else given
    except (ValueError, RecursionError):
        words = None
    if not isinstance(words, Mapping) or not all(isinstance(zone, str) for zone in words.values()):
        raise FieldErrors({"time_zone_words": 'Send an object such as {"Eastern": "America/New_York"}.'})
    return dict(words)


def refuse_others(sent: Iterable[str], *known: str) -> None:
    """Raise `FieldErrors` for the fields of a body or form that are not `known`."""
    if others := [name for name in sent if name not in known]:
        raise FieldErrors(dict.fromkeys(others, "There is no such field."))


def refuse_unstorable(sent: Mapping[str, Any]) -> None:
    """Raise `FieldErrors` for texts that cannot be stored."""
    if wrong := wrong_texts(sent):
        raise FieldErrors({".".join(map(str, path)): message for path, message in wrong.items()})


def object_of(body: bytes, *known: str) -> dict[str, Any]:
    """Return a JSON body as an object with fields of these names; an array is its `contacts`.

    Raises `FieldErrors` on `body`, on fields that are not `known`, and on texts that cannot be stored. The texts of
    contacts are checked later, row by row.
    """
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise FieldErrors({"body": "This is not JSON: send an array of objects."}) from error
    if not isinstance(sent, dict):
        return {"contacts": sent}
    refuse_others(sent, *known)
    refuse_unstorable({name: value for name, value in sent.items() if name != "contacts"})
    return sent


def contacts_in(sent: Mapping[str, Any]) -> list[Any]:
    """Return the contacts of a body. Raises `FieldErrors` on `contacts`."""
    contacts = sent.get("contacts")
    if not isinstance(contacts, list):
        raise FieldErrors({"contacts": "Send an array of objects, each with a phone_number."})
    return contacts
