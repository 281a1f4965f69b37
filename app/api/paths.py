"""Addresses with control characters, refused before anything reads them.

A router's pattern and a comparison of texts read them differently: `/_upload%0A` is routed as `/_upload`, and is not
equal to it. Nobody needs them.
"""

from http import HTTPStatus
from unicodedata import category

from starlette.status import WS_1008_POLICY_VIOLATION
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.problems import problem


class RefuseControlCharacters:
    """ASGI middleware: 400 for an address with a control character in it; a WebSocket is not opened."""

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
