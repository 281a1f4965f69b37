"""A witness of everything in the browser that a person would not see going wrong."""

import re
from contextlib import suppress
from http import HTTPStatus

from playwright.sync_api import BrowserContext, ConsoleMessage, Error, Request, Response, WebError

_LEFT_BEHIND = "net::ERR_ABORTED"
"""What Chromium calls a request whose page was left: no failure."""


class Witness:
    """Collects console errors, uncaught exceptions and failed requests of one browser context."""

    def __init__(self, context: BrowserContext) -> None:
        self._context = context
        self._seen: list[str] = []
        self._expected: list[re.Pattern[str]] = []
        context.on("console", self._on_console)
        context.on("weberror", self._on_error)
        context.on("requestfailed", self._on_failed_request)
        context.on("response", self._on_response)

    def expect(self, *patterns: str) -> None:
        """Let what these match happen in this test."""
        self._expected += [re.compile(pattern) for pattern in patterns]

    @property
    def problems(self) -> list[str]:
        """What nobody expected."""
        return [line for line in self._seen if not any(each.search(line) for each in self._expected)]

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" or "Content Security Policy" in message.text:
            self._seen.append(f"console: {message.text} ({message.location['url']})")

    def _on_error(self, error: WebError) -> None:
        self._seen.append(f"uncaught: {error.error}")

    def _on_failed_request(self, request: Request) -> None:
        if request.failure != _LEFT_BEHIND:
            self._seen.append(f"failed: {request.method} {request.url}: {request.failure}")

    def _on_response(self, response: Response) -> None:
        if response.status >= HTTPStatus.BAD_REQUEST:
            self._seen.append(f"answered: {response.status} {response.request.method} {response.url}")

    def what_is_shown(self) -> str:
        """Every open page as assistive technology finds it."""
        shown = []
        for page in self._context.pages:
            with suppress(Error):
                shown.append(f"{page.url}\n{page.locator('body').aria_snapshot(timeout=2_000)}")
        return "\n\n".join(shown)
