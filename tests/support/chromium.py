"""The real browser of the journeys: found on this machine, or installed if it can be."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Playwright, sync_playwright

_NAMES: Final = ("chromium", "google-chrome", "google-chrome-stable", "chromium-browser")
_APPLICATION: Final = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
OTHER_NAME: Final = "calls.internal"
"""Another name of this machine, which this browser alone knows."""
_ARGUMENTS: Final = (
    "--no-sandbox",  # root may start no sandbox; every page of the tests is our own
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
    f"--host-resolver-rules=MAP {OTHER_NAME} 127.0.0.1",
)
_INSTALL_SECONDS: Final = 300


class ChromiumMissing(Exception):
    """There is no browser, and none could be installed."""

    def __init__(self) -> None:
        super().__init__(
            "The browser journeys need Chromium: put `chromium` or `google-chrome` on PATH, "
            "or run `playwright install chromium`."
        )


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """A headless browser. Raises ChromiumMissing.

    While it runs this thread counts as one with a running event loop: no asynchronous test may run meanwhile.
    """
    with sync_playwright() as playwright:
        executable = find_chromium(playwright) or install_chromium(playwright)
        browser = playwright.chromium.launch(executable_path=executable, args=_ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def find_chromium(playwright: Playwright) -> Path | None:
    """The browser of this machine, else the one that Playwright downloaded, else None."""
    found = [Path(path) for name in _NAMES if (path := shutil.which(name))]
    known = (*found, _APPLICATION, Path(playwright.chromium.executable_path))
    return next((path for path in known if path.exists()), None)


def install_chromium(playwright: Playwright) -> Path:
    """Install a browser by Playwright, or as root by apt. Raises ChromiumMissing."""
    for commands in _installations():
        if all(_succeeds(command) for command in commands) and (found := find_chromium(playwright)):
            return found
    raise ChromiumMissing


def _installations() -> Iterator[Sequence[Sequence[str]]]:
    yield ([sys.executable, "-m", "playwright", "install", "chromium"],)
    if os.geteuid() == 0 and shutil.which("apt-get"):
        yield (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "chromium"])


def _succeeds(command: Sequence[str]) -> bool:
    try:
        done = subprocess.run(command, capture_output=True, timeout=_INSTALL_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
