"""What stands before every answer of a process: the host that was asked, and the headers that go with it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import httpx
import pytest
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles
from starlette.types import Message, Receive, Scope, Send

from app.api.headers import inline_scripts, page_policy
from app.api.hosts import host_name
from app.api.main import create_api
from app.api.middleware import with_middleware
from app.api.redirects import relative
from app.runtime.config import Settings
from app.runtime.context import AppContext, get_context
from tests.api.conftest import ApiWorld, problem_of

PUBLIC: Final = "https://calls.example.com"
PAGES: Final = page_policy(["start()"], evaluates=True)
EVERYWHERE: Final = {
    "x-content-type-options",
    "x-frame-options",
    "content-security-policy",
    "referrer-policy",
    "permissions-policy",
    "cross-origin-opener-policy",
    "strict-transport-security",
}


@pytest.fixture
async def door(context: AppContext, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The API with pages, a redirect by `Host` and a fault behind it, as a server would call them."""

    async def redirect(request: Request) -> Response:
        return RedirectResponse(request.url.replace(path="/sign-in/"))

    async def page(_: Request) -> Response:
        return HTMLResponse("<p>Hello</p>")

    async def fault(_: Request) -> Response:
        raise ValueError

    pages = tmp_path / "sign-in"
    pages.mkdir()
    (pages / "index.html").write_text("<p>Sign in</p>")
    api = create_api()
    api.dependency_overrides[get_context] = lambda: context
    api.mount("/built", StaticFiles(directory=tmp_path, html=True))
    api.mount(
        "", Starlette(routes=[Route("/sign-in", redirect), Route("/page", page), Route("/fault", fault)])
    )
    outer = Starlette()
    outer.mount("", api)
    outer.add_middleware(CORSMiddleware, allow_origins=[PUBLIC])
    settings = Settings(public_url_setting=PUBLIC, allowed_hosts_setting="calls.internal, 10.0.0.5")
    transport = httpx.ASGITransport(with_middleware(outer, settings, pages=PAGES), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC) as client:
        yield client


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/health", 200),
        ("GET", "/api/v1/campaigns", 401),
        ("GET", "/api/nothing", 404),
        ("GET", "/nothing", 404),
        ("GET", "/api/v1%0A/campaigns", 400),
        ("GET", "/%00", 400),
        ("DELETE", "/api/v1/keys", 405),
        ("POST", "/api/v1/contacts", 413),
        ("GET", "/sign-in", 307),
        ("GET", "/page", 200),
        ("GET", "/fault", 500),
        ("OPTIONS", "/api/v1/campaigns", 200),
        ("GET", "/auth/complete?ticket=x", 303),
        ("GET", "/api/docs", 200),
    ],
)
async def test_every_answer_has_every_header(
    door: httpx.AsyncClient, world: ApiWorld, method: str, path: str, status: int
) -> None:
    headers = (
        {"Authorization": f"Bearer {world.keys[next(iter(world.keys))]}"} if status in {405, 413} else {}
    )
    if method == "OPTIONS":
        headers = {"Origin": PUBLIC, "Access-Control-Request-Method": "GET"}
    content = b" " * 1_100_000 if status == 413 else None
    answer = await door.request(method, path, headers=headers, content=content)
    assert answer.status_code == status, answer.text
    assert answer.headers.keys() >= EVERYWHERE
    for name in EVERYWHERE:
        assert len(answer.headers.get_list(name)) == 1


async def test_only_pages_run_scripts_and_only_those_that_stand_in_them(door: httpx.AsyncClient) -> None:
    page = (await door.get("/page")).headers["content-security-policy"]
    assert "script-src 'self' 'sha256-" in page
    assert "'unsafe-inline'" not in page.partition("style-src")[0]
    other = (await door.get("/api/health")).headers["content-security-policy"]
    assert other.startswith("default-src 'none'; frame-ancestors 'none'")


async def test_a_page_that_has_not_changed_keeps_its_policy() -> None:
    """A browser takes the headers of a 304 for those of the page that it has."""

    async def unchanged(_: Request) -> Response:
        return Response(status_code=304)

    app = with_middleware(
        Starlette(routes=[Route("/", unchanged)]), Settings(public_url_setting=PUBLIC), pages=PAGES
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=PUBLIC) as client:
        assert (await client.get("/")).headers["content-security-policy"] == PAGES


async def test_the_reference_page_runs_its_one_script_under_its_own_policy(door: httpx.AsyncClient) -> None:
    answer = await door.get("/api/docs")
    [script] = inline_scripts(answer.text)
    assert answer.headers["content-security-policy"] == page_policy([script])
    assert "unsafe-eval" not in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("url", "scheme", "told"), [("http://a.example", "http", False), ("http://a.example", "https", True)]
)
async def test_https_is_promised_over_https_alone(url: str, scheme: str, *, told: bool) -> None:
    app = with_middleware(Starlette(), Settings(public_url_setting=url))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url=f"{scheme}://a.example"
    ) as client:
        assert ("strict-transport-security" in (await client.get("/")).headers) is told


EVIL: Final = [
    "evil.example",
    "evil.example:443",
    "calls.example.com.evil.example",
    "calls.example.com@evil.example",
    "evil.example/calls.example.com",
    "evil.example#calls.example.com",
    "evil.example?calls.example.com",
    "calls.example.com:x",
    "192.168.1.5:3400",
    "[::ffff:1.2.3.4]",
    "",
    " ",
    "\xff",
]


@pytest.mark.parametrize("host", EVIL)
async def test_no_redirect_is_built_from_a_host_that_is_not_ours(door: httpx.AsyncClient, host: str) -> None:
    answer = await door.get("/sign-in", headers=[(b"host", host.encode("latin-1"))])
    assert answer.status_code == 421, answer.headers
    assert "location" not in answer.headers
    assert PUBLIC in problem_of(answer)["detail"]
    assert "CALLSHEET_PUBLIC_URL" in problem_of(answer)["detail"]


async def test_two_hosts_are_none(door: httpx.AsyncClient) -> None:
    request = door.build_request("GET", "/sign-in")
    request.headers = httpx.Headers([("host", "calls.example.com"), ("host", "evil.example")])
    assert (await door.send(request)).status_code == 421


async def test_who_opens_a_page_is_told_in_a_page_and_runs_nothing_of_the_host(
    door: httpx.AsyncClient,
) -> None:
    headers = {"Host": "<script>x</script>.example", "Accept": "text/html,*/*"}
    answer = await door.get("/", headers=headers)
    assert answer.status_code == 421
    assert answer.headers["content-type"].startswith("text/html")
    assert "&lt;script&gt;" in answer.text
    assert "<script" not in answer.text


@pytest.mark.parametrize(
    "host",
    [
        "calls.example.com", "CALLS.example.com:443", "calls.example.com.:8443", "localhost", "localhost:3000",
        "127.0.0.1:3000", "[::1]:3000", "calls.internal", "10.0.0.5:3000",
    ],
)  # fmt: skip
async def test_our_own_names_are_answered(door: httpx.AsyncClient, host: str) -> None:
    assert (await door.get("/sign-in", headers={"Host": host})).status_code == 307


@pytest.mark.parametrize("path", ["/api/health", "/webhooks/twilio/voice/x/y"])
async def test_load_balancers_and_carriers_come_by_any_name(door: httpx.AsyncClient, path: str) -> None:
    assert (await door.get(path, headers={"Host": "10.1.2.3:3000"})).status_code != 421


@pytest.mark.parametrize("host", ["evil.example", "10.1.2.3:3000"])
@pytest.mark.parametrize(
    "path",
    [
        "/webhooks/%2e%2e/sign-in", "/webhooks/x/%2e%2e/%2e%2e/sign-in", "/webhooks/", "/webhooks/twilio",
        "/webhooks/twilio%2f%2e%2e/sign-in", "/webhooks/twilio/%2e%2e/%2e%2e/built/sign-in", "/webhooks/other/x",
        "/api/health/%2e%2e/%2e%2e/sign-in", "/api/health/", "/api/healthy", "/api/health%2f%2e%2e/v1/campaigns",
    ],
)  # fmt: skip
async def test_what_only_begins_like_theirs_is_no_way_round(
    door: httpx.AsyncClient, host: str, path: str
) -> None:
    answer = await door.get(path, headers={"Host": host})
    is_the_carriers = httpx.URL(path).path.startswith("/webhooks/twilio/")
    assert (answer.status_code == 421) is not is_the_carriers, answer.text
    assert (answer.status_code >= 400, "location" in answer.headers) == (True, False)


@pytest.mark.parametrize("host", ["calls.example.com", "localhost:3000", "calls.internal:8080"])
@pytest.mark.parametrize(
    ("path", "to"),
    [
        ("/sign-in?next=%2Fx", "/sign-in/?next=%2Fx"),
        ("/built/sign-in?token=SECRET", "/built/sign-in/?token=SECRET"),
        ("/built//sign-in", "/built//sign-in/"),
    ],
)
@pytest.mark.parametrize("forwarded", ["", "https"])
async def test_a_redirect_of_ours_keeps_the_way_one_came(
    door: httpx.AsyncClient, host: str, path: str, to: str, forwarded: str
) -> None:
    headers = {"Host": host, "X-Forwarded-Proto": forwarded}
    answer = await door.get(f"http://{host}{path}", headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (307, to)


@pytest.mark.parametrize(
    ("location", "to"),
    [
        ("http://a.example/b/?c=d#e", "/b/?c=d#e"),
        ("https://a.example/b", "/b"),
        ("http://a.example//evil.example/b", "/evil.example/b"),
        ("http://a.example/\\evil.example", "/evil.example"),
        ("http://a.example.evil/b", "http://a.example.evil/b"),
        ("http://a.example:80/b", "http://a.example:80/b"),
        ("//a.example/b", "//a.example/b"),
        ("/b", "/b"),
        ("", ""),
    ],
)
def test_only_what_leads_to_ourselves_is_made_a_path(location: str, to: str) -> None:
    assert relative(location, host="a.example") == to
    assert relative(location, host="") == location


@pytest.mark.parametrize(("host", "opens"), [("evil.example", False), ("calls.example.com", True)])
async def test_a_socket_is_opened_under_our_own_names_alone(host: str, *, opens: bool) -> None:
    sent: list[Message] = []

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": "/_event/", "headers": [(b"host", host.encode())]}
    await with_middleware(app, Settings(public_url_setting=PUBLIC))(scope, receive, send)
    assert sent == [{"type": "websocket.accept"} if opens else {"type": "websocket.close", "code": 1008}]


@pytest.mark.parametrize("names", ["http://a", "a/b", "a:80", "*.example.com", "a@b"])
def test_an_allowed_host_is_a_bare_name(names: str) -> None:
    with pytest.raises(ValidationError, match="CALLSHEET_ALLOWED_HOSTS"):
        Settings(allowed_hosts_setting=names)


@pytest.mark.parametrize(
    ("host", "name"), [("A.Example:80", "a.example"), ("[::0001]:3", "::1"), ("a b", "a b"), ("a@b", "")]
)
def test_a_host_is_known_by_its_name(host: str, name: str) -> None:
    assert host_name(host) == name


def test_the_scripts_that_stand_in_a_page_are_found() -> None:
    html = (
        '<script src="/a.js"></script><script>one()</script>\n<SCRIPT id="b">two()\n</SCRIPT>'
        '<script type="module" src=/c></script>'
    )
    assert inline_scripts(html) == ["one()", "two()\n"]
