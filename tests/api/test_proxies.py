"""Who a request is from: the peer, or whom a trusted proxy says."""

from collections.abc import Awaitable, Callable
from ipaddress import ip_network
from typing import Any

import httpx
import pytest
import socketio
from fastapi import FastAPI, Request, WebSocket
from pydantic import ValidationError
from reflex.app import EventNamespace
from starlette.types import ASGIApp

from app.api.main import create_api
from app.api.middleware import with_middleware
from app.api.proxies import address_of
from app.runtime.config import Settings

PROXY, INNER = "10.0.0.7", "2001:db8::7"
TRUSTED = (ip_network("10.0.0.0/8"), ip_network("2001:db8::7"))
SOMEBODY = "203.0.113.9"

Ask = Callable[..., Awaitable[list[str]]]


def behind(api: FastAPI, trusted: tuple[Any, ...] = TRUSTED) -> ASGIApp:
    return with_middleware(api, Settings().model_copy(update={"trusted_proxies": trusted}))


def application(trusted: tuple[Any, ...] = TRUSTED) -> ASGIApp:
    api = create_api()

    @api.get("/who")
    def who(request: Request) -> list[str]:
        return [address_of(request), request.url.scheme]

    return behind(api, trusted)


async def who(
    peer: str, *headers: tuple[str, str], trusted: tuple[Any, ...] = TRUSTED, path: str = "/who"
) -> list[str]:
    transport = httpx.ASGITransport(application(trusted), client=(peer, 4711))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        answer: list[str] = (await client.get(path, headers=list(headers))).json()
    return answer


async def test_by_default_no_header_is_believed() -> None:
    headers = (("X-Forwarded-For", SOMEBODY), ("X-Forwarded-Proto", "https"))
    assert await who(PROXY, *headers, trusted=Settings().trusted_proxies) == [PROXY, "http"]


async def test_a_trusted_proxy_tells_who_came_and_how() -> None:
    headers = (("X-Forwarded-For", SOMEBODY), ("X-Forwarded-Proto", "https"))
    assert await who(PROXY, *headers) == [SOMEBODY, "https"]
    assert await who(INNER, *headers) == [SOMEBODY, "https"]


async def test_a_peer_that_is_not_trusted_is_not_believed() -> None:
    headers = (("X-Forwarded-For", "192.0.2.1"), ("X-Forwarded-Proto", "https"))
    assert await who(SOMEBODY, *headers) == [SOMEBODY, "http"]
    assert await who("2001:db8::8", *headers) == ["2001:db8::8", "http"]


async def test_of_a_chain_the_first_from_the_right_that_is_not_trusted_came() -> None:
    assert (await who(PROXY, ("X-Forwarded-For", f"{SOMEBODY}, 10.9.9.9")))[0] == SOMEBODY
    assert (await who(PROXY, ("X-Forwarded-For", f"{SOMEBODY}, {INNER}, 10.9.9.9")))[0] == SOMEBODY
    assert (await who(PROXY, ("X-Forwarded-For", SOMEBODY), ("X-Forwarded-For", "10.9.9.9")))[0] == SOMEBODY


async def test_what_they_wrote_before_that_is_not_believed() -> None:
    assert (await who(PROXY, ("X-Forwarded-For", f"192.0.2.1, {SOMEBODY}")))[0] == SOMEBODY
    assert (await who(PROXY, ("X-Forwarded-For", f"10.1.1.1, {SOMEBODY}, 10.9.9.9")))[0] == SOMEBODY
    assert (await who(PROXY, ("X-Forwarded-For", "10.1.1.1"), ("X-Forwarded-For", SOMEBODY)))[0] == SOMEBODY


async def test_ipv6_comes_through() -> None:
    assert (await who(INNER, ("X-Forwarded-For", "2001:db8:5::1")))[0] == "2001:db8:5::1"


@pytest.mark.parametrize("header", ["", " ", ","])
async def test_a_proxy_that_says_nothing_is_the_one_who_came(header: str) -> None:
    assert (await who(PROXY, ("X-Forwarded-For", header)))[0] == PROXY


async def test_without_a_peer_no_header_is_believed() -> None:
    assert (await _asked_without_a_peer()) == b'["","http"]'


async def _asked_without_a_peer() -> bytes:
    """Ask as over a Unix socket, where there is no client in the scope."""
    body = b""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        nonlocal body
        body += message.get("body", b"")

    headers = [
        (b"x-forwarded-for", SOMEBODY.encode()),
        (b"x-forwarded-proto", b"https"),
        (b"host", b"localhost"),
    ]
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/who",
        "query_string": b"",
        "headers": headers,
        "client": None,
    }
    await application()(scope, receive, send)
    return body


async def test_a_websocket_is_from_who_came_too() -> None:
    api, seen = create_api(), []

    @api.websocket("/socket")
    async def socket(socket: WebSocket) -> None:
        seen.append((address_of(socket), socket.url.scheme))
        await socket.close()

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(_: Any) -> None:
        pass

    forwarded = [
        (b"host", b"localhost"),
        (b"x-forwarded-for", f"192.0.2.1, {SOMEBODY}".encode()),
        (b"x-forwarded-proto", b"https"),
    ]
    for peer in (PROXY, "198.51.100.1"):
        scope = {"type": "websocket", "path": "/socket", "query_string": b"", "scheme": "ws"}
        await behind(api)(scope | {"headers": forwarded, "client": (peer, 1)}, receive, send)
    assert seen == [(SOMEBODY, "wss"), ("198.51.100.1", "ws")]


async def test_the_browsers_socket_is_from_who_came_too() -> None:
    api, environs = create_api(), []
    server = socketio.AsyncServer(async_mode="asgi")
    server.on("connect", lambda _, environ: environs.append(environ))
    api.mount("/_event", socketio.ASGIApp(server, socketio_path="/_event"))
    transport = httpx.ASGITransport(behind(api), client=(PROXY, 1))
    forwarded = {"X-Forwarded-For": f"192.0.2.1, {SOMEBODY}"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://localhost", headers=forwarded
    ) as client:
        opened = await client.get("/_event/", params={"EIO": "4", "transport": "polling"})
        session = {"EIO": "4", "transport": "polling", "sid": opened.text.partition('"sid":"')[2][:20]}
        assert (await client.post("/_event/", params=session, content="40")).status_code == 200
    [environ] = environs
    # What `self.router.session.client_ip` is in an event handler.
    data = EventNamespace._build_static_router_data(None, "sid", environ)  # type: ignore[arg-type]  # self is not used
    assert data["ip"] == SOMEBODY


@pytest.mark.parametrize(
    ("written", "networks"),
    [
        ("", []),
        ("127.0.0.1", ["127.0.0.1/32"]),
        (" 10.0.0.0/8 , 2001:db8::/32,", ["10.0.0.0/8", "2001:db8::/32"]),
    ],
)
def test_networks_are_read(monkeypatch: pytest.MonkeyPatch, written: str, networks: list[str]) -> None:
    monkeypatch.setenv("CALLSHEET_TRUSTED_PROXIES", written)
    assert [str(network) for network in Settings().trusted_proxies] == networks


@pytest.mark.parametrize("wrong", ["proxy", "10.0.0.1/8", "10.0.0.0/33", "*", "0.0.0.0/0", "::/0"])
def test_what_is_no_network_is_named(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setenv("CALLSHEET_TRUSTED_PROXIES", f"127.0.0.1,{wrong}")
    with pytest.raises(ValidationError) as refused:
        Settings()
    assert "CALLSHEET_TRUSTED_PROXIES" in str(refused.value)
    assert wrong in str(refused.value)


async def test_a_proxy_that_is_not_trusted_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    client = httpx.AsyncClient(transport=httpx.ASGITransport(application(())), base_url="http://localhost")
    async with client:
        await client.get("/who")
        assert caplog.text == ""
        for _ in range(3):
            await client.get("/who", headers={"X-Forwarded-For": SOMEBODY})
    [line] = caplog.records
    assert (line.message, line.setting) == ("proxy.not_trusted", "CALLSHEET_TRUSTED_PROXIES")  # type: ignore[attr-defined]
