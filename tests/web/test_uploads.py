"""Who may upload, and how addresses are read."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from app.api.borders import bordered
from app.api.main import create_api
from app.runtime.config import Settings
from app.web.tabs import BindTabs
from app.web.uploads import GuardUploads

SUFFIXES = [
    "",
    "/",
    "//",
    "/x",
    "/../_upload",
    "%0A",
    "%0a",
    "%0D%0A",
    "%00",
    "%7F",
    "%C2%85",
    ";x",
    ".",
    "x",
    "%2F",
    "?x=1",
]
PREFIXES = ["/_upload", "//_upload", "/./_upload", "/_UPLOAD", "/%5Fupload", "/x/../_upload"]


class EveryTabIsOpen:
    """Tabs of which each token is one that is open."""

    def is_open(self, token: str) -> bool:
        return bool(token)

    def forget(self, token: str) -> None:
        raise AssertionError(token)


@pytest.fixture
def reached() -> list[str]:
    """The addresses that came through to where Reflex takes uploads, or serves them."""
    return []


@pytest.fixture
def client(reached: list[str]) -> httpx.AsyncClient:
    """Nobody, at an application routed as Reflex routes it and guarded as ours is."""

    async def upload(request: Request) -> PlainTextResponse:
        reached.append(str(request.url))
        return PlainTextResponse("taken")

    routes = [
        Route("/_upload", upload, methods=["POST"]),
        Mount("/_upload", Starlette(routes=[Route("/{rest:path}", upload)])),
    ]
    api = create_api()
    api.mount("", Starlette(routes=routes))
    tabs = EveryTabIsOpen()
    guarded = bordered(BindTabs(GuardUploads(api, tabs=tabs), tabs=tabs), Settings())
    return httpx.AsyncClient(transport=httpx.ASGITransport(guarded), base_url="http://localhost:4500")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("method", ["POST", "GET", "PUT"])
async def test_no_spelling_of_the_address_lets_a_stranger_upload(
    client: httpx.AsyncClient, reached: list[str], prefix: str, suffix: str, method: str
) -> None:
    async with client:
        answer = await client.request(method, f"{prefix}{suffix}", files={"files": ("x.csv", b"x")})
    assert not reached
    assert answer.status_code in {400, 401, 404, 405}


@pytest.mark.parametrize(
    "path", ["/%0A", "/api/health%0A", "/download/x%00", "/webhooks/twilio/inbound%0D", "/sign-in%C2%85"]
)
async def test_an_address_with_a_control_character_is_refused_before_everything(
    client: httpx.AsyncClient, path: str
) -> None:
    async with client:
        answer = await client.get(path)
    assert answer.status_code == 400
    assert answer.json()["detail"] == "This address has a control character in it."
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
