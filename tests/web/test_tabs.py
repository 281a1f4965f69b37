"""One tab has one connection: what happens when a second comes before the first is gone."""

import asyncio
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from app.runtime.context import AppContext
from app.services.access.known_browsers import BROWSER_COOKIE, remember_browser
from app.services.access.sessions import SESSION_COOKIE, begin_session
from app.web.tabs import BROWSER, PERSON, BindTabs
from tests.support.builders import make_member, make_organization
from tests.support.waiting import until


class Reflex:
    """Stands behind the door: a tab is its own from the socket's first frame until the socket is gone."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.scopes: list[Scope] = []
        self._open: dict[str, int] = {}

    def is_open(self, token: str) -> bool:
        return token in self._open

    def forget(self, token: str) -> None:
        raise AssertionError(token)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        token = scope["query_string"].decode().partition("token=")[2]
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            assert self._open.setdefault(token, id(scope)) == id(scope), "Reflex would hand out a new token"
            self.heard.append(message["text"])
        if self._open.get(token) == id(scope):
            await asyncio.sleep(0)
            del self._open[token]


class Browser:
    """One end of a socket."""

    def __init__(self, door: BindTabs, *, token: str = "tab", cookies: str = "") -> None:
        headers = [(b"cookie", cookies.encode())] if cookies else []
        query = f"EIO=4&transport=websocket&sid=other&token={token}".encode()
        scope = {"type": "websocket", "path": "/_event/", "query_string": query, "headers": headers}
        self.told: asyncio.Queue[Message] = asyncio.Queue()
        self._coming: asyncio.Queue[Any] = asyncio.Queue()
        self._coming.put_nowait({"type": "websocket.connect"})
        self.task = asyncio.create_task(door(scope, self._coming.get, self.told.put))

    def says(self, text: str) -> None:
        self._coming.put_nowait({"type": "websocket.receive", "text": text})

    async def next(self) -> Message:
        async with asyncio.timeout(5):
            return await self.told.get()

    async def leaves(self) -> None:
        self._coming.put_nowait({"type": "websocket.disconnect", "code": 1001})
        async with asyncio.timeout(5):
            await self.task


@pytest.fixture
def reflex() -> Reflex:
    return Reflex()


@pytest.fixture
def door(reflex: Reflex, seams: AppContext) -> BindTabs:
    return BindTabs(reflex, tabs=reflex)


async def heard(reflex: Reflex, text: str) -> None:
    await until(lambda: asyncio.sleep(0, text in reflex.heard))


async def test_the_second_connection_of_a_tab_ends_the_first(door: BindTabs, reflex: Reflex) -> None:
    first = Browser(door)
    assert (await first.next())["type"] == "websocket.accept"
    first.says("40 first")
    await heard(reflex, "40 first")
    second = Browser(door)
    assert (await second.next())["type"] == "websocket.accept"
    assert await first.next() == {"type": "websocket.send", "text": "41/_event,"}
    assert await first.next() == {"type": "websocket.close", "code": 1000}
    first.says("too late")
    second.says("40 second")
    await heard(reflex, "40 second")
    await second.leaves()
    assert reflex.heard == ["40 first", "40 second"]


async def test_whatever_comes_of_the_first_after_the_second_has_come_is_not_heard(
    door: BindTabs, reflex: Reflex
) -> None:
    first, second = Browser(door), Browser(door)
    assert (await second.next())["type"] == "websocket.accept"
    first.says("40 first")
    second.says("40 second")
    await heard(reflex, "40 second")
    await second.leaves()
    assert reflex.heard == ["40 second"]
    await first.task


async def test_of_many_at_once_the_last_stays(door: BindTabs, reflex: Reflex) -> None:
    browsers = [Browser(door) for _ in range(30)]
    assert (await browsers[-1].next())["type"] == "websocket.accept"
    for number, browser in enumerate(browsers):
        browser.says(f"40 {number}")
    await heard(reflex, "40 29")
    async with asyncio.timeout(5):
        await asyncio.gather(*(browser.task for browser in browsers[:-1]))
    assert reflex.heard == ["40 29"]
    await browsers[-1].leaves()


async def test_tabs_with_other_tokens_or_sessions_stay(
    door: BindTabs, reflex: Reflex, seams: AppContext
) -> None:
    session, known = await _signed_in(seams)
    cookies = ["", f"{SESSION_COOKIE}={session}", f"{SESSION_COOKIE}=of-nobody; {BROWSER_COOKIE}={known}"]
    browsers = [Browser(door, token="other"), *(Browser(door, cookies=each) for each in cookies[:2])]
    for browser in browsers:
        assert (await browser.next())["type"] == "websocket.accept"
        browser.says("40")
    for browser in browsers:
        await browser.leaves()
    assert reflex.heard == ["40"] * 3
    third = Browser(door, cookies=cookies[2])
    assert (await third.next())["type"] == "websocket.accept"
    await third.leaves()
    assert [scope[PERSON] is not None for scope in reflex.scopes] == [False, False, True, False]
    assert [scope[BROWSER] is not None for scope in reflex.scopes] == [False, False, False, True]
    assert all(b"sid" not in scope["query_string"] for scope in reflex.scopes)
    assert len({scope["query_string"] for scope in reflex.scopes}) == 3


@pytest.mark.parametrize("token", ["", "x" * 101])
async def test_a_socket_without_a_browser_s_token_is_not_opened(
    door: BindTabs, reflex: Reflex, token: str
) -> None:
    browser = Browser(door, token=token)
    assert await browser.next() == {"type": "websocket.close", "code": 1008}
    assert reflex.scopes == []


async def _signed_in(seams: AppContext) -> tuple[str, str]:
    now = seams.clock.now()
    async with seams.database.transaction() as session:
        user = await make_member(session, await make_organization(session))
        token = await begin_session(session, user_id=user.id, user_agent="", now=now)
        return token, await remember_browser(session, user_id=user.id, tokens=(), now=now)
