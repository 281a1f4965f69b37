"""Who may upload, and how addresses are read."""

from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from app.api.main import create_api
from app.api.middleware import with_middleware
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


@dataclass
class Door:
    """An application routed as Reflex routes it and guarded as ours is, and the addresses that came through."""

    app: ASGIApp
    reached: list[str]

    async def asked(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Return what nobody is answered."""
        self.reached.clear()
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:4500") as client:
            return await client.request(method, path, **more)


@pytest.fixture(scope="module")
def door() -> Door:
    """The door, made once."""
    reached: list[str] = []

    async def upload(request: Request) -> PlainTextResponse:
        reached.append(str(request.url))
        return PlainTextResponse("taken")

    routes = [
        Route("/_upload", upload, methods=["POST"]),
        Mount("/_upload", Starlette(routes=[Route("/{rest:path}", upload)])),
    ]
    api, tabs = create_api(), EveryTabIsOpen()
    api.mount("", Starlette(routes=routes))
    return Door(with_middleware(BindTabs(GuardUploads(api, tabs=tabs), tabs=tabs), Settings()), reached)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("method", ["POST", "GET", "PUT"])
async def test_no_spelling_of_the_address_lets_a_stranger_upload(
    door: Door, prefix: str, suffix: str, method: str
) -> None:
    answer = await door.asked(method, f"{prefix}{suffix}", files={"files": ("x.csv", b"x")})
    assert not door.reached
    assert answer.status_code in {400, 401, 404, 405}


@pytest.mark.parametrize(
    "path", ["/%0A", "/api/health%0A", "/download/x%00", "/webhooks/twilio/inbound%0D", "/sign-in%C2%85"]
)
async def test_an_address_with_a_control_character_is_refused_before_everything(
    door: Door, path: str
) -> None:
    answer = await door.asked("GET", path)
    assert answer.status_code == 400
    assert answer.json()["detail"] == "This address has a control character in it."
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
