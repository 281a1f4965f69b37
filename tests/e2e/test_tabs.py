"""A tab belongs to its session: its token alone gives nobody what it shows, and a broken line costs nothing typed."""

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
import pytest
from playwright.sync_api import BrowserContext, Locator, Page, WebSocketRoute, expect

from app.domain.rights import Role
from app.services.access.sessions import SESSION_COOKIE
from tests.e2e.browsing import choose_file, ready, row, start, toast, visit
from tests.e2e.sockets import run, tab_socket
from tests.e2e.watching import Witness
from tests.e2e.world import BrowserWorld, Person

_RECEIVE: Final = "reflex___state____state.app___web___imports___state____import_state.receive"
_HYDRATE: Final = "reflex___state____state.hydrate"
_SIGN_IN: Final = "reflex___state____state.app___web___pages___sign_in___state____sign_in_state.sign_in"
_LOADED: Final = re.compile(r'"is_hydrated_rx_state_": ?true')
"""In what the server sends when a page's loading has ended."""


@pytest.fixture
def owner(context: BrowserContext, world: BrowserWorld) -> Person:
    """An owner who is signed in in this browser."""
    person = world.member(Role.OWNER)
    world.sign_in(context, person)
    return person


def test_a_token_gives_its_content_to_the_session_it_belongs_to_and_to_nobody_else(
    context: BrowserContext, page: Page, world: BrowserWorld, owner: Person
) -> None:
    key = _make_key(page, world)
    token, cookie = _token(page), _cookie(context)
    stranger = world.session_of(world.member(Role.VIEWER))
    strangers = ("", stranger, "no-session-at-all")
    told_meanwhile = [_hydrated(world, token, sent) for sent in strangers]
    expect(page.get_by_text(key)).to_be_visible()
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_text(key)).to_have_count(0)
    page.close()
    for told in (*told_meanwhile, *(_hydrated(world, token, sent) for sent in strangers)):
        assert owner.email not in told
        assert key not in told
    told = _hydrated(world, token, cookie)
    assert owner.email in told, "with its own session it does: the strangers could have seen something"
    assert key not in told, "a secret leaves the state with its dialog"


def test_nothing_is_left_of_a_tab_whose_session_was_ended(
    context: BrowserContext, page: Page, world: BrowserWorld, owner: Person
) -> None:
    key = _make_key(page, world)
    token, cookie = _token(page), _cookie(context)

    async def talk() -> tuple[str, str]:
        async with tab_socket(world.installation.url, token=token, cookie=cookie) as socket:
            before = await socket.hydrated()
            await asyncio.to_thread(world.sign_out_everywhere, owner)
            return before, await socket.hydrated()

    page.context.close()
    before, after = run(talk)
    assert key in before
    for told in (after, _hydrated(world, token, cookie), _hydrated(world, token, "")):
        assert owner.email not in told
        assert key not in told


def test_a_file_goes_into_a_campaign_from_the_tab_and_the_session_that_it_was_chosen_in(
    context: BrowserContext, page: Page, world: BrowserWorld, owner: Person
) -> None:
    campaign_id = world.campaign("Spring reminders", world.contacts(1))
    visit(page, world.address(f"campaigns/{campaign_id}/edit/contacts"))
    token, own = _token(page), _cookie(context)
    stranger = world.session_of(world.member(Role.VIEWER))
    for cookie, refusal in (("", 401), ("no-session-at-all", 401), (stranger, 409)):
        assert _upload(world, token, cookie).status_code == refusal
    assert _upload(world, "some-other-token", own).status_code == 409
    expect(page.get_by_text("planted.csv")).to_have_count(0)
    assert world.imports() == []
    assert _upload(world, token, own).status_code == 200
    assert world.imports() == ["planted.csv"]
    page.close()
    assert _upload(world, token, own).status_code == 409


def test_a_file_that_is_refused_says_so_on_the_page(
    context: BrowserContext, page: Page, world: BrowserWorld, owner: Person, tmp_path: Path, witness: Witness
) -> None:
    witness.expect("_upload", "401")
    visit(page, world.address("contacts/import"))
    world.sign_out_everywhere(owner)
    people = tmp_path / "people.csv"
    people.write_text("phone\n2125557002\n")
    choose_file(page, people)
    expect(toast(page, "You are signed out. Sign in to go on.")).to_be_visible()


def test_a_line_that_breaks_behind_a_proxy_costs_nothing_that_was_typed_or_shown(
    context: BrowserContext, page: Page, world: BrowserWorld, owner: Person
) -> None:
    campaign_id = world.campaign("Spring reminders", world.contacts(2))
    line = Line(page)
    for path, fill in _FILLED.items():
        visit(page, world.address(path.format(campaign=campaign_id)))
        kept = fill(page)
        before = [each.input_value() for each in kept.all()]
        assert any("typed" in value for value in before), path
        line.breaks()
        assert [each.input_value() for each in kept.all()] == before, path
    key = _make_key(page, world)
    line.breaks()
    expect(page.get_by_text(key)).to_be_visible()
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_text(key)).to_have_count(0)


def test_a_page_whose_line_broke_shows_what_happened_meanwhile(
    context: BrowserContext, page: Page, world: BrowserWorld, owner: Person
) -> None:
    campaign_id = world.campaign("Spring reminders", world.contacts(1))
    line = Line(page)
    visit(page, world.address("campaigns"))
    expect(row(page, "Spring reminders")).to_contain_text("Draft")
    with line.silent():
        other = context.new_page()
        visit(other, world.address(f"campaigns/{campaign_id}"))
        start(other)
    expect(row(page, "Spring reminders")).to_contain_text("Completed", timeout=30_000)


def test_a_duplicated_tab_is_a_tab_of_its_own(
    context: BrowserContext, page: Page, world: BrowserWorld, owner: Person
) -> None:
    visit(page, world.address("contacts"))
    page.get_by_role("button", name="New contact").click()
    page.get_by_role("dialog").get_by_label("Name").first.fill("typed here")
    with context.expect_page() as opened:
        page.evaluate("window.open(location.href)")  # which copies the session storage, as duplicating does
    ready(opened.value)
    assert _token(opened.value) != _token(page)
    expect(opened.value.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("dialog").get_by_label("Name").first).to_have_value("typed here")
    token = _token(page)
    page.reload()
    ready(page)
    assert _token(page) == token


def test_no_log_holds_a_tab_s_token_or_a_session(
    context: BrowserContext, page: Page, world: BrowserWorld, owner: Person
) -> None:
    sizes = world.installation.log_sizes()
    _make_key(page, world)
    token, cookie = _token(page), _cookie(context)
    _hydrated(world, token, cookie)
    _upload(world, token, "")
    for name, text in world.installation.logs_since(sizes).items():
        assert token not in text, name
        assert cookie not in text, name


def test_a_stranger_s_flood_is_a_few_short_lines_in_the_log(page: Page, world: BrowserWorld) -> None:
    sizes = world.installation.log_sizes()

    async def flood() -> None:
        for number in range(20):
            async with tab_socket(world.installation.url, token=f"flood-{number}", cookie="") as socket:
                for _ in range(30):
                    await socket.send("no.such.handler")
                await socket.send(f"{_HYDRATE}_{'x' * 15_000}")
                await socket.send(_SIGN_IN, form="not a form at all")
                await socket.send(_SIGN_IN, form={"email": ["no"], "password": 7}, more=1)
                await socket.client.emit("ping", (1, 2), namespace="/_event")
                await asyncio.sleep(0)

    run(flood)
    visit(page, "/sign-in")
    written = world.installation.logs_since(sizes)["web.log"]
    assert len(written) < 10_000
    assert "Traceback" not in written


def _fill(button: str | None, label: str) -> Callable[[Page], Locator]:
    """Return what types something into the page, or into the dialog that the button opens."""

    def fill(page: Page) -> Locator:
        if button is not None:
            page.get_by_role("button", name=button, exact=True).first.click()
        scope = page.get_by_role("main") if button is None else page.get_by_role("dialog")
        scope.get_by_label(label).first.fill("typed")
        return scope.locator("input[type=text], input[type=search], input:not([type]), textarea")

    return fill


_FILLED: Final = {
    "settings": _fill("New key", "Name"),
    "campaigns/{campaign}/edit/basics": _fill(None, "Name"),
    "campaigns/{campaign}/edit/message": _fill(None, "Welcome"),
    "agents": _fill("New agent", "Name"),
    "contacts": _fill("New contact", "Name"),
}
"""Pages, and what is typed there."""


class Line:
    """The line between a page and the server: when it breaks, the server does not notice, as behind a proxy."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._sockets: list[WebSocketRoute] = []
        self._is_silent = self._is_cut = False
        self._loadings = 0
        page.route_web_socket(re.compile("/_event"), self._connect)

    def breaks(self) -> None:
        """Break, and wait until the page is there again."""
        before = self._loadings
        self._sockets[-1].close(code=4000)
        while self._loadings == before:
            self._page.wait_for_timeout(20)
        ready(self._page)

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Bring nothing meanwhile, and break then."""
        self._is_silent = True
        yield
        self._is_silent = False
        self.breaks()

    @contextmanager
    def cut(self) -> Iterator[None]:
        """Break, and let nothing through until the end."""
        self._is_cut = True
        self._sockets[-1].close(code=4000)
        yield
        before = self._loadings
        self._is_cut = False
        while self._loadings == before:
            self._page.wait_for_timeout(20)

    def _connect(self, socket: WebSocketRoute) -> None:
        if self._is_cut:
            socket.close(code=4000)
            return
        server = socket.connect_to_server()
        socket.on_close(lambda _code, _reason: None)  # and the server's side stays open
        server.on_message(lambda message: self._pass_on(message, socket))
        self._sockets.append(socket)

    def _pass_on(self, message: str | bytes, socket: WebSocketRoute) -> None:
        if not self._is_silent:
            socket.send(message)
        self._loadings += bool(_LOADED.search(str(message)))


def _make_key(page: Page, world: BrowserWorld) -> str:
    """Make an API key in the browser; its dialog stays open."""
    visit(page, world.address("settings"))
    page.get_by_role("button", name="New key").click()
    page.get_by_role("dialog").get_by_label("Name").fill("CRM")
    page.get_by_role("button", name="Create key").click()
    shown = page.get_by_role("dialog").locator("code")
    expect(shown).to_contain_text("cs_")
    return shown.inner_text()


def _token(page: Page) -> str:
    return str(page.evaluate("sessionStorage.getItem('token')"))


def _cookie(context: BrowserContext) -> str:
    return next(each["value"] for each in context.cookies() if each["name"] == SESSION_COOKIE)


def _hydrated(world: BrowserWorld, token: str, cookie: str) -> str:
    async def talk() -> str:
        async with tab_socket(world.installation.url, token=token, cookie=cookie) as socket:
            return await socket.hydrated()

    return run(talk)


def _upload(world: BrowserWorld, token: str, cookie: str) -> httpx.Response:
    return httpx.post(
        f"{world.installation.url}/_upload",
        headers={"reflex-client-token": token, "reflex-event-handler": _RECEIVE},
        cookies={SESSION_COOKIE: cookie} if cookie else {},
        files={"files": ("planted.csv", b"phone,name\n2125557100,Ada\n")},
        timeout=30,
        trust_env=False,
    )
