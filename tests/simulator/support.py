"""A running carrier, and "our side": a small server that answers its webhooks and remembers them."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from aiohttp import web
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client
from yarl import URL

from app.simulator.server import serve
from app.simulator.settings import DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN, SimulatorSettings

SPEED = 400.0
"""A call of a minute takes 150 ms."""
OUR_NUMBER = "+12015550123"
_PATIENCE = 10.0


@dataclass(frozen=True)
class Webhook:
    """One request the carrier made: its address as called, its fields in order, its headers."""

    method: str
    url: str
    path: str
    fields: list[tuple[str, str]]
    headers: dict[str, str]

    @property
    def form(self) -> dict[str, str]:
        return dict(self.fields)


@dataclass
class OurSide:
    """What we answer by path (a document, or a status), and what we were asked."""

    url: str = ""
    answers: dict[str, str | int | list[str | int]] = field(default_factory=dict)
    received: list[Webhook] = field(default_factory=list)
    _news: threading.Condition = field(default_factory=threading.Condition)

    def to(self, path: str) -> list[Webhook]:
        """What was received at a path so far."""
        return [webhook for webhook in self.received if webhook.path == path]

    def wait(self, path: str, count: int = 1) -> list[Webhook]:
        """What was received at a path, once there is that much of it."""
        with self._news:
            arrived = self._news.wait_for(lambda: len(self.to(path)) >= count, _PATIENCE)
        assert arrived, f"{len(self.to(path))} of {count} at {path}; received {self.received}"
        return self.to(path)

    def wait_status(self, path: str, status: str) -> Webhook:
        """The status callback with that CallStatus or MessageStatus, once it is there."""

        def found() -> list[Webhook]:
            return [
                w for w in self.to(path) if status in {w.form.get("CallStatus"), w.form.get("MessageStatus")}
            ]

        with self._news:
            self._news.wait_for(lambda: bool(found()), _PATIENCE)
        assert found(), f"no {status} at {path}; received {[w.form for w in self.to(path)]}"
        return found()[0]

    async def handle(self, request: web.Request) -> web.Response:
        form = [(name, str(value)) for name, value in (await request.post()).items()]
        address = f"{self.url}{request.raw_path}"
        with self._news:
            self.received.append(Webhook(request.method, address, request.path, form, dict(request.headers)))
            self._news.notify_all()
        answer = self.answers.get(request.path, 204)
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if isinstance(answer, int):
            return web.Response(status=answer)
        return web.Response(text=answer, content_type="text/xml")


@dataclass(frozen=True)
class RunningCarrier:
    """A carrier on a port, with the official SDK as its client."""

    url: str
    client: Client
    ours: OurSide

    def control(self, name: str, body: dict[str, Any]) -> httpx.Response:
        """POST to the control API; it must be accepted."""
        response = httpx.post(f"{self.url}/_simulator/{name}", json=body, trust_env=False)
        assert response.is_success, response.text
        return response

    def disown(self, number: str) -> None:
        """Take a number from the account."""
        gone = httpx.delete(f"{self.url}/_simulator/numbers/{number}", trust_env=False)
        assert gone.is_success, gone.text

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", trust_env=False)

    def ledger(self) -> list[dict[str, Any]]:
        return [
            httpx.Response(200, text=line).json() for line in self.get("/_simulator/ledger").text.splitlines()
        ]

    def fix(self, number: str, persona: str) -> str:
        """Fix a number's persona; gives the number back."""
        self.control("personas", {"number": number, "persona": persona})
        return number

    def call(self, to: str, **more: Any) -> Any:
        """Call with every event called back at /status and the script at /voice, unless told otherwise."""
        asked: dict[str, Any] = {
            "from_": OUR_NUMBER,
            "url": f"{self.ours.url}/voice",
            "status_callback": f"{self.ours.url}/status",
            "status_callback_event": ["initiated", "ringing", "answered", "completed"],
        } | more
        return self.client.calls.create(to=to, **{k: v for k, v in asked.items() if v is not None})

    def text(self, to: str, body: str = "Hello", **more: Any) -> Any:
        asked = {"status_callback": f"{self.ours.url}/sms-status", "from_": OUR_NUMBER} | more
        return self.client.messages.create(to=to, body=body, **asked)


@contextmanager
def running_carrier(**settings: Any) -> Iterator[RunningCarrier]:
    """A carrier and our side on free ports, in a thread of their own."""
    port = free_port()
    ready: Future[tuple[OurSide, Callable[[], object]]] = Future()
    chosen = SimulatorSettings(**({"port": port, "speed": SPEED} | settings))
    thread = threading.Thread(target=lambda: asyncio.run(_serve(chosen, ready)))
    thread.start()
    ours, stop = ready.result(_PATIENCE)
    try:
        yield RunningCarrier(f"http://127.0.0.1:{port}", sdk_client(f"http://127.0.0.1:{port}"), ours)
    finally:
        stop()
        thread.join(_PATIENCE)
        assert not thread.is_alive()


def sdk_client(url: str, token: str = DEFAULT_AUTH_TOKEN) -> Client:
    """The official SDK, pointed at the carrier and deaf to the environment."""
    http_client = TwilioHttpClient(timeout=_PATIENCE)
    assert http_client.session is not None
    http_client.session.trust_env = False
    client = Client(DEFAULT_ACCOUNT_SID, token, http_client=http_client, environment={"_": "1"})
    client.api.base_url = url
    return client


async def _serve(settings: SimulatorSettings, ready: Future[tuple[OurSide, Callable[[], object]]]) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    ours = OurSide()
    runner = await _serve_ours(ours)
    serving = asyncio.create_task(serve(settings, stop=stop))
    try:
        await _until_listening(settings.port, serving)
        ready.set_result((ours, lambda: loop.call_soon_threadsafe(stop.set)))
        await serving
    except BaseException as error:
        if not ready.done():
            ready.set_exception(error)
        raise
    finally:
        await runner.cleanup()


async def _serve_ours(ours: OurSide) -> web.AppRunner:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", ours.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    ours.url = str(URL.build(scheme="http", host="127.0.0.1", port=runner.addresses[0][1]))
    return runner


async def _until_listening(port: int, serving: asyncio.Task[None]) -> None:
    while not serving.done():
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.005)
        else:
            writer.close()
            return
    serving.result()


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def authentic(webhook: Webhook) -> bool:
    """What Twilio's own validator says of a webhook, blank fields and all."""
    form = webhook.form if webhook.method == "POST" else {}
    signature = webhook.headers["X-Twilio-Signature"]
    return bool(RequestValidator(DEFAULT_AUTH_TOKEN).validate(webhook.url, form, signature))


def until(condition: Callable[[], Any], patience: float = _PATIENCE) -> Any:
    """What the condition gives, once it is true."""
    waiting = threading.Event()
    for _ in range(int(patience / 0.01)):
        if result := condition():
            return result
        waiting.wait(0.01)
    raise AssertionError("never became true")
