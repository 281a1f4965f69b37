"""Refuse paths with control characters before any other code reads them.

A router may match them differently from a comparison of strings: `/_upload%0A` is routed as `/_upload`, but is not
equal to it. No valid path needs them.
"""

from http import HTTPStatus
from unicodedata import category

from starlette.status import WS_1008_POLICY_VIOLATION
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.problems import problem


class RefuseControlCharacters:
    """ASGI middleware: 400 for a path with a control character; a WebSocket is not opened."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102  # ASGI's
        if all(category(character) != "Cc" for character in scope.get("path", "")):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": WS_1008_POLICY_VIOLATION})
        else:
            refusal = problem(HTTPStatus.BAD_REQUEST, "This address has a control character in it.")
            await refusal(scope, receive, send)
