"""A redirect to ourselves names the path alone, whoever makes it: the framework would name the scheme and the host too.

Behind a proxy that ends https, and does not say so, a browser would be sent on by http, a secret in its address.
"""

from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class RelativeRedirects:
    """ASGI middleware: takes scheme and host off the `Location` of an answer that leads to the very host asked.

    Source: RFC 9110, 10.2.2: a browser completes it with the address it asked for, so with https if it came by that.
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
    """Return the path, query and fragment of an address at `host`, and any other as it is.

    It begins with one slash: a browser takes what follows two for a host.
    """
    scheme, _, rest = location.partition("://")
    if scheme not in {"http", "https"} or not host or not rest.startswith(f"{host}/"):
        return location
    return "/" + rest.removeprefix(host).lstrip("/\\")
