"""What every answer of a whole installation has, whoever answers: we, the framework, or its server."""

from typing import Final

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.browsing import ready, visit
from tests.e2e.installation import Installation
from tests.e2e.watching import Witness

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
        ("OPTIONS", "/_upload", 200),
        ("OPTIONS", "/api/v1/campaigns", 200),
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


@pytest.mark.parametrize("path", ["/sign-in", "/", "/api/v1/campaigns", "/_event/?EIO=4&transport=polling"])
def test_no_answer_is_built_from_a_host_that_is_not_ours(installation: Installation, path: str) -> None:
    answer = httpx.get(f"{installation.url}{path}", headers={"Host": "evil.example"}, trust_env=False)
    assert (answer.status_code, answer.headers.get("location")) == (421, None)


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
