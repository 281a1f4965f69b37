"""Adds authentication and a size limit to Reflex's upload endpoint, which has neither.

It runs after `app.web.tabs.BindTabs`, which adds the user and binds the tab.
"""

import json
from http import HTTPStatus
from typing import Final

import reflex as rx
from reflex.event import Event
from reflex.state import StateUpdate
from reflex_base.event import resolve_upload_handler_param
from reflex_base.utils.exceptions import UploadTypeError, UploadValueError
from reflex_base.utils.format import json_dumps
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.services.tabular.refusals import MAX_FILE_BYTES, MEGABYTE
from app.web.tab_events import event_handlers
from app.web.tabs import PERSON, UPLOADS, Tabs

LARGEST_UPLOAD: Final = MAX_FILE_BYTES + MEGABYTE
"""The most bytes of one request: the largest file of an import, and the multipart envelope."""

_TOO_LARGE: Final = f"This file is too large: at most {MAX_FILE_BYTES // MEGABYTE} MB."


class GuardUploads:
    """ASGI middleware: accepts an upload only from a signed-in user with an open tab, and only up to `largest` bytes.

    Downloads from this path are refused.
    """

    def __init__(self, app: ASGIApp, *, tabs: Tabs, largest: int = LARGEST_UPLOAD) -> None:
        self._app = app
        self._tabs = tabs
        self._largest = largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        # Every path that begins so: a router's pattern also matches `/_upload` with a newline behind it.
        if scope["type"] != "http" or not scope["path"].startswith(UPLOADS):
            await self._app(scope, receive, send)
            return
        if refusal := self._refusal(Request(scope)):
            await refusal(scope, receive, send)
            return
        await _Counted(self._largest, receive, send).run(self._app, scope)

    def _refusal(self, request: Request) -> Response | None:
        if request.method == "OPTIONS":
            return None
        if request.method != "POST":
            return _answer(HTTPStatus.NOT_FOUND, "There is nothing here.")
        if request.scope.get(PERSON) is None:
            return _answer(HTTPStatus.UNAUTHORIZED, "You are signed out. Sign in to go on.")
        return self._refusal_of_file(request.headers)

    def _refusal_of_file(self, headers: Headers) -> Response | None:
        if not self._tabs.is_open(headers.get("reflex-client-token", "")):
            return _answer(
                HTTPStatus.CONFLICT, "This page is not connected. Reload it and choose the file again."
            )
        if not _takes_files(headers.get("reflex-event-handler", "")):
            return _answer(HTTPStatus.BAD_REQUEST, "Nothing here takes files under this name.")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self._largest:
            return _answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _TOO_LARGE)
        return None


class _Counted:
    """One upload whose bytes are counted as they arrive, because a body may be longer than announced."""

    def __init__(self, largest: int, receive: Receive, send: Send) -> None:
        self._left = largest
        self._receive = receive
        self._send = send
        self._answered = False

    async def run(self, app: ASGIApp, scope: Scope) -> None:
        """Run `app` with the counted body."""
        await app(scope, self._count, self._pass_on)

    async def _count(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left >= 0:
            return message
        await self._refuse()
        return {"type": "http.disconnect"}

    async def _refuse(self) -> None:
        if self._answered:
            return
        self._answered = True
        body = _refusal_of(_TOO_LARGE)
        headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
        await self._send(
            {"type": "http.response.start", "status": HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "headers": headers}
        )
        await self._send({"type": "http.response.body", "body": body})

    async def _pass_on(self, message: Message) -> None:
        """Send the app's answer, unless the upload has been refused already."""
        if self._left >= 0:
            self._answered = True
            await self._send(message)


def _takes_files(event: str) -> bool:
    handler = event_handlers().get(event)
    if handler is None:
        return False
    try:
        resolve_upload_handler_param(handler.handler)
    except (UploadValueError, UploadTypeError):
        return False
    return True


def _answer(status: HTTPStatus, detail: str) -> Response:
    return Response(_refusal_of(detail), status, media_type="application/json")


def _refusal_of(detail: str) -> bytes:
    """Return a refusal as one line of JSON. Reflex's code in the browser reads it as an update and shows the toast."""
    events = Event.from_event_type(rx.toast.error(detail, duration=10_000))
    update = json.loads(json_dumps(StateUpdate(events=events)))
    return json.dumps({"detail": detail, **update}).encode()
