"""Whatever cookies another page of the same host, or a sibling domain, has set: who is signed in stays signed in."""

from collections.abc import Sequence
from typing import Any, Final

import pytest
from reflex.event import Event
from reflex.state import State
from starlette.types import Message, Receive, Scope, Send

from app.models import Organization
from app.runtime.config import get_settings
from app.runtime.context import AppContext
from app.services.access.sessions import SESSION_COOKIE, SignedInUser, sign_out
from app.web.pages.sign_in.state import SignInState
from app.web.session import SessionState
from app.web.tab_events import ForgetSignedOut
from app.web.tabs import PERSON, BindTabs
from tests.web.browser import Browser, signed_in
from tests.web.conftest import Driver

ODD: Final = [
    'prefs={"a":1}', "x[y]=1", "foo", "=x", "foo=a b", 'foo=a"b', "path=/", "expires=Thu, 01 Jan 1970", "na\xefve=1",
    f"{SESSION_COOKIE}=planted", f"{SESSION_COOKIE}=", f'{SESSION_COOKIE}="planted',
]  # fmt: skip


class NoTabs:
    """No tab is open."""

    def is_open(self, token: str) -> bool:
        del token
        return False

    def forget(self, token: str) -> None:
        del token


async def person_of(cookies: Sequence[str]) -> SignedInUser | None:
    """Return whom a tab with these `Cookie` headers is bound to."""
    seen: list[Scope] = []

    async def reflex(scope: Scope, receive: Receive, send: Send) -> None:
        del receive, send
        seen.append(scope)

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        raise AssertionError(message)

    headers = [(b"cookie", cookie.encode("latin-1")) for cookie in cookies]
    scope = {"type": "websocket", "path": "/_event/", "query_string": b"token=tab", "headers": headers}
    await BindTabs(reflex, tabs=NoTabs())(scope, receive, send)
    person: SignedInUser | None = seen[0][PERSON]
    return person


async def is_let_in(browser: Browser) -> bool:
    """Tell whether an event of the page gets through, and the sign-in page leads on."""
    await browser.send(SessionState.enter())
    entered = (await browser.tab.state(SessionState)).organization_name != ""
    page, browser.path = browser.path, "/sign-in"
    await browser.send(SignInState.load())
    browser.path = page
    return entered and not (await browser.tab.state(SignInState)).is_open


@pytest.mark.parametrize("odd", ODD)
async def test_no_cookie_beside_it_locks_anybody_out(acme: Organization, tab: Driver, odd: str) -> None:
    browser = await signed_in(tab, acme, "/agents")
    ours = browser.cookie
    for cookies in ([odd, ours], [ours, odd], [f"{odd}; {ours}; {odd}"]):
        assert await person_of(cookies) is not None, cookies
        browser.cookie = "; ".join(cookies)  # as Reflex joins them
        assert await is_let_in(browser), cookies


async def test_a_dead_cookie_empties_a_tab_once_and_lets_its_sign_in_page_stand(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    browser = await signed_in(tab, acme, "/agents")
    await browser.send(SessionState.enter())
    shown = await tab.state(SessionState)
    app: Any = None  # it is not asked
    hydrate = Event(name=f"{State.get_full_name()}.hydrate", payload={})
    await ForgetSignedOut().preprocess(app, shown, hydrate)
    assert shown.user_email
    token = browser.cookie.partition("=")[2]
    async with seams.database.transaction() as session:
        await sign_out(session, tokens=[token], now=seams.clock.now())
    await ForgetSignedOut().preprocess(app, shown, hydrate)
    assert not shown.user_email, "what was shown is gone"
    await browser.send(SignInState.load())
    page = await tab.state(SignInState)
    for _ in range(2):
        await ForgetSignedOut().preprocess(app, page, hydrate)
        assert page.is_open


async def test_of_two_sessions_the_last_counts_in_whatever_order_they_come(
    acme: Organization, tab: Driver
) -> None:
    first, last = [(await signed_in(tab, acme, "/agents")).cookie for _ in range(2)]
    alone = await person_of([last])
    assert alone is not None
    assert await person_of([first, last]) == await person_of([f"{last}; {first}"]) == alone


async def test_over_https_a_sibling_domain_can_plant_nothing(
    seams: AppContext, acme: Organization, tab: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    del seams
    browser = await signed_in(tab, acme, "/agents")
    planted = browser.cookie
    monkeypatch.setattr(
        "app.web.guard.get_settings",
        lambda: get_settings().model_copy(update={"public_url_setting": "https://calls.example.com"}),
    )
    assert not await is_let_in(browser)
    browser.cookie = f"__Host-{planted}"
    assert await is_let_in(browser)
