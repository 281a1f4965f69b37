"""Limits on the size of request bodies, counted while they are received: larger ones are not read."""

from http import HTTPStatus
from typing import Final

from fastapi.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problems import problem
from app.services.tabular.refusals import MAX_FILE_BYTES, MEGABYTE

LARGEST_BODY: Final = MEGABYTE
LARGEST_JSON_IMPORT: Final = 16 * MEGABYTE
LARGEST_UPLOAD: Final = MAX_FILE_BYTES + MEGABYTE
"""The largest file of an import, with its multipart envelope."""


class LimitBodies:
    """ASGI middleware: 413 as soon as a request announces, or sends, more than its address accepts."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102  # ASGI's
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        largest = LARGEST_BODY
        if scope["path"].endswith(("/import-data", "/v1/imports")):
            is_form = headers.get(b"content-type", b"").startswith(b"multipart/form-data")
            largest = LARGEST_UPLOAD if is_form else LARGEST_JSON_IMPORT
        announced = headers.get(b"content-length", b"0")
        if not announced.isdigit() or int(announced) > largest:
            await problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _message(largest))(scope, receive, send)
            return
        await self._app(scope, _CountedBody(receive, largest).receive, send)


class _CountedBody:
    """Counts the bytes of a body, which may be longer than announced."""

    def __init__(self, receive: Receive, largest: int) -> None:
        self._receive = receive
        self._largest = largest
        self._seen = 0

    async def receive(self) -> Message:
        message = await self._receive()
        self._seen += len(message.get("body", b""))
        if self._seen > self._largest:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _message(self._largest))
        return message


def _message(largest: int) -> str:
    return f"This request is too large: at most {largest // MEGABYTE} MB."
