"""What every answer of a whole installation has, whoever answers: we, the framework, or its server."""

from functools import partial
from http import HTTPStatus
from typing import Final

import aiohttp
import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.browsing import heading, ready, sign_in, visit
from tests.e2e.installation import Installation
from tests.e2e.sockets import run
from tests.e2e.watching import Witness
from tests.e2e.world import BrowserWorld
from tests.support.chromium import OTHER_NAME

EVERYWHERE: Final = {
    "x-content-type-options",
    "x-frame-options",
    "content-security-policy",
    "referrer-policy",
    "permissions-policy",
    "cross-origin-opener-policy",
}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/sign-in", 307),
        ("GET", "/sign-in/", 200),
        ("GET", "/no/such/page", 404),
        ("GET", "/lock.js", 200),
        ("GET", "/assets/nothing.js", 404),
        ("GET", "/x%0A", 400),
        ("GET", "/x%00", 400),
        ("POST", "/_upload", 401),
        ("POST", "/_upload%0A", 400),
        ("GET", "/_upload/x", 404),
        ("OPTIONS", "/_upload", 400),
        ("OPTIONS", "/api/v1/campaigns", 400),
        ("GET", "/_event/?EIO=4&transport=polling", 404),
        ("GET", "/_event/?EIO=4&transport=websocket", 404),
        ("GET", "/ping", 200),
        ("GET", "/api/health", 200),
        ("GET", "/api/nothing", 404),
        ("GET", "/api/docs", 200),
        ("GET", "/api/docs/assets/swagger-ui-bundle.js", 200),
        ("POST", "/api/v1/campaigns", 401),
        ("PUT", "/auth/sign-out", 405),
        ("POST", "/webhooks/twilio/voice/x/y", 403),
    ],
)
def test_every_answer_has_every_header(
    installation: Installation, method: str, path: str, status: int
) -> None:
    headers = (
        {"Origin": installation.url, "Access-Control-Request-Method": "POST"} if method == "OPTIONS" else {}
    )
    answer = httpx.request(method, f"{installation.url}{path}", headers=headers, trust_env=False)
    assert answer.status_code == status, answer.text[:300]
    assert answer.headers.keys() >= EVERYWHERE
    assert "strict-transport-security" not in answer.headers  # of http
    policy = answer.headers["content-security-policy"]
    assert "'unsafe-inline'" not in policy.partition("script-src")[2].partition(";")[0]


@pytest.mark.parametrize(
    "path",
    [
        "/sign-in",
        "/",
        "/api/v1/campaigns",
        "/_event/?EIO=4&transport=polling",
        "/webhooks/%2e%2e/sign-in",
        "/api/health/%2e%2e/%2e%2e/sign-in",
    ],
)
def test_no_answer_is_built_from_a_host_that_is_not_ours(installation: Installation, path: str) -> None:
    answer = httpx.get(f"{installation.url}{path}", headers={"Host": "evil.example"}, trust_env=False)
    assert (answer.status_code, answer.headers.get("location")) == (421, None)


def test_the_carriers_door_leads_nowhere_else(installation: Installation) -> None:
    path = "/webhooks/twilio/%2e%2e/%2e%2e/sign-in"
    answer = httpx.get(f"{installation.url}{path}", headers={"Host": "evil.example"}, trust_env=False)
    assert (answer.status_code, answer.headers.get("location")) == (403, None)


@pytest.mark.parametrize(
    "path", ["/sign-in?next=%2Fx", "/setup?token=SECRET", "//evil.example/%2e%2e/sign-in?x=1"]
)
def test_a_redirect_keeps_the_way_one_came(installation: Installation, path: str) -> None:
    answer = httpx.get(f"{installation.url}{path}", trust_env=False)
    to, _, query = path.partition("?")
    assert (answer.status_code, answer.headers["location"]) == (
        307,
        f"/{to.replace('%2e', '.').lstrip('/')}/?{query}",
    )


def test_every_name_that_is_allowed_has_pages_that_work(
    page: Page, world: BrowserWorld, witness: Witness
) -> None:
    """Its socket is opened too: without it a page stands still."""
    witness.expect("Cross-Origin-Opener-Policy header has been ignored")  # without https, but at localhost
    elsewhere = httpx.URL(world.address("campaigns")).copy_with(host=OTHER_NAME)
    page.goto(str(elsewhere))
    page.wait_for_url("**/sign-in?next=**")
    sign_in(page, world.member())
    expect(page).to_have_url(str(elsewhere))
    expect(heading(page, "Campaigns")).to_be_visible()


def test_no_other_sites_page_opens_the_socket(installation: Installation) -> None:
    async def knock(origin: str) -> HTTPStatus:
        address = f"{installation.url}/_event/?token=tab&EIO=4&transport=websocket"
        async with aiohttp.ClientSession() as session:
            try:
                async with session.ws_connect(address, origin=origin):
                    return HTTPStatus.SWITCHING_PROTOCOLS
            except aiohttp.WSServerHandshakeError as refused:
                return HTTPStatus(refused.status)

    assert run(partial(knock, installation.url)) == HTTPStatus.SWITCHING_PROTOCOLS
    for origin in ("https://evil.example", "http://localhost:1", "null"):
        assert run(partial(knock, origin)) == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize("host", ["127.0.0.1", "evil.example"])
def test_no_other_origin_reads_answers_with_our_cookies(installation: Installation, host: str) -> None:
    headers = {"Origin": str(httpx.URL(installation.url).copy_with(host=host))}
    answer = httpx.get(f"{installation.url}/api/health", headers=headers, trust_env=False)
    assert not [name for name in answer.headers if name.startswith("access-control-allow-origin")]


def test_a_page_runs_no_script_that_was_put_into_it(
    page: Page, installation: Installation, witness: Witness
) -> None:
    witness.expect("Content Security Policy")
    visit(page, f"{installation.url}/sign-in/")
    ready(page)
    page.evaluate(
        """() => {
            const inline = document.createElement('script');
            inline.textContent = 'window.stolen = 1';
            document.body.append(inline);
            const image = document.createElement('div');
            image.innerHTML = '<img src="/nothing.svg" onerror="window.stolen = 2">';
            document.body.append(image);
            const foreign = document.createElement('script');
            foreign.src = 'https://evil.example/x.js';
            document.body.append(foreign);
        }"""
    )
    witness.expect("nothing.svg", "evil.example", "404")
    page.wait_for_function("""document.querySelector("img[src='/nothing.svg']").complete""")
    assert page.evaluate("window.stolen") is None


def test_the_reference_page_works_under_its_own_policy(page: Page, installation: Installation) -> None:
    page.goto(f"{installation.url}/api/docs")
    expect(page.get_by_role("heading", name="Callsheet")).to_be_visible()
    expect(page.get_by_text("/v1/campaigns", exact=True).first).to_be_visible()


def test_a_page_that_is_asked_for_again_works_again(
    context: BrowserContext, installation: Installation
) -> None:
    """The second time it is a 304, whose headers the browser takes for the page's."""
    for _ in range(3):
        page = context.new_page()
        visit(page, f"{installation.url}/sign-in/")
        ready(page)
        page.close()
