"""The Content-Security-Policy of the built pages."""

import os
from pathlib import Path

from app.api.headers import inline_scripts, page_policy


def pages_policy() -> str:
    """Return the policy of the front-end that this process serves: its own files, and the inline scripts of its pages.

    Reflex sends the effects of events (a toast, the clipboard, the focus) as the text of a script, and the page
    evaluates it: `eval(event.payload…)` in `applyEvent` of reflex_base/.templates/web/utils/state.js. So
    `'unsafe-eval'` is needed. It does not let anyone inject a script: only a script that runs already can use `eval`.
    """
    client = Path(os.environ["REFLEX_WEB_WORKDIR"]) / "build" / "client"
    pages = (page.read_text() for page in sorted(client.rglob("*.html")))
    return page_policy((script for page in pages for script in inline_scripts(page)), evaluates=True)
