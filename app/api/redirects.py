"""Relative redirects: a redirect to our own host has only a path. The framework would add scheme and host.

Behind a proxy that terminates https without saying so, that would send browsers to http, perhaps with a secret in the
URL.
"""

from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class RelativeRedirects:
    """ASGI middleware: removes scheme and host from a `Location` that points to the requested host.

    Source: RFC 9110, 10.2.2: the browser resolves it against the URL it requested, so it keeps https.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102  # ASGI's
        async def send_relative(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= HTTPStatus.MULTIPLE_CHOICES:
                headers = MutableHeaders(raw=list(message.get("headers", ())))
                if location := headers.get("location"):
                    headers["location"] = relative(location, host=Headers(scope=scope).get("host", ""))
                    message["headers"] = headers.raw
            await send(message)

        await self._app(scope, receive, send_relative)


def relative(location: str, *, host: str) -> str:
    """Return the path, query and fragment of an URL at `host`; any other URL as it is.

    The result begins with exactly one slash: after two, a browser reads a host name.
    """
    scheme, _, rest = location.partition("://")
    if scheme not in {"http", "https"} or not host or not rest.startswith(f"{host}/"):
        return location
    return "/" + rest.removeprefix(host).lstrip("/\\")
