"""What the pages may load and run, as they were built."""

import os
from pathlib import Path

from app.api.headers import inline_scripts, page_policy


def pages_policy() -> str:
    """Return the Content-Security-Policy of the front-end that this process serves."""
    return policy_of(Path(os.environ["REFLEX_WEB_WORKDIR"]) / "build" / "client")


def policy_of(client: Path) -> str:
    """Return the policy of a built front-end: its own files, and the very scripts that stand in its pages.

    What an event makes a page do (a toast, a clipboard, a focus) Reflex sends as the text of a script and evaluates:
    `eval(event.payload…)` in `applyEvent` of reflex_base/.templates/web/utils/state.js. So `'unsafe-eval'` has to
    stay; it lets nobody bring a script in, which takes one that runs already.
    """
    pages = (page.read_text() for page in sorted(client.rglob("*.html")))
    return page_policy((script for page in pages for script in inline_scripts(page)), evaluates=True)
