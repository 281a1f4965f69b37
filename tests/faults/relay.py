"""A third witness: passes the carrier's webhooks on to the web process, and keeps what was acknowledged."""

from collections import Counter, deque
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qsl
from uuid import UUID

import aiohttp
from aiohttp import web

_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "host"})

_KEPT = 200
_PARTS = 5
_REPORTS = {"status": ("CallSid", "CallStatus"), "message-status": ("MessageSid", "MessageStatus")}
"""Purposes that report a status -> the fields that name it."""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A status callback that was answered with a 2xx."""

    attempt_id: UUID
    provider_id: str
    status: str


@dataclass(slots=True)
class Relay:
    """An HTTP relay at the public URL. The bytes of path, query and body pass unchanged: they are signed."""

    port: int
    web_port: int
    acknowledged: set[Acknowledged] = field(default_factory=set)
    answers: Counter[int] = field(default_factory=Counter)
    """How many requests were answered with which status; 0: the web process was away."""
    kept: deque[tuple[str, bytes, str]] = field(default_factory=lambda: deque(maxlen=_KEPT))
    """The latest acknowledged reports: address, body, signature."""
    _session: aiohttp.ClientSession | None = None
    _runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen."""
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        self._session = aiohttp.ClientSession(connector=connector, auto_decompress=False)
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._pass_on)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        """Close everything."""
        if self._runner is not None:
            await self._runner.cleanup()
        if self._session is not None:
            await self._session.close()

    async def _pass_on(self, request: web.Request) -> web.Response:
        body = await request.read()
        answer = await self._forward(request, body)
        self.answers[answer.status if answer is not None else 0] += 1
        if answer is None:
            return web.Response(status=HTTPStatus.BAD_GATEWAY)
        if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
            self._note(request, body)
        return answer

    async def _forward(self, request: web.Request, body: bytes) -> web.Response | None:
        assert self._session is not None
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP}
        headers["Host"] = request.headers["Host"]
        url = f"http://127.0.0.1:{self.web_port}{request.raw_path}"
        try:
            async with self._session.request(request.method, url, data=body, headers=headers) as answer:
                content_type = answer.headers.get("Content-Type", "text/plain")
                content = await answer.read()
                return web.Response(
                    status=answer.status, body=content, headers={"Content-Type": content_type}
                )
        except aiohttp.ClientError:
            return None

    def _note(self, request: web.Request, body: bytes) -> None:
        parts = request.path.split("/")
        if len(parts) < _PARTS or parts[3] not in _REPORTS:
            return
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True))
        provider_id, status = (fields[name] for name in _REPORTS[parts[3]])
        address = f"http://{request.headers['Host']}{request.raw_path}"
        self.kept.append((address, body, request.headers.get("X-Twilio-Signature", "")))
        self.acknowledged.add(Acknowledged(UUID(parts[4]), provider_id, status))
