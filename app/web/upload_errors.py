"""Why the browser did not take a file, in words."""

from collections.abc import Sequence
from typing import Any

from app.services.tabular.refusals import MEGABYTE


def refusal_of(rejected: Sequence[dict[str, Any]], *, largest: int, kinds: str, advice: str = "") -> str:
    """Say what is wrong with the files that a drop zone turned away: its codes, in words.

    `largest` in bytes; `kinds`: what it takes, such as "CSV"; `advice`: what to do with a file that is too large.
    """
    codes = {
        str(error.get("code"))
        for one in rejected
        for error in one.get("errors", [])
        if isinstance(error, dict)
    }
    if "too-many-files" in codes:
        return "Choose one file at a time."
    if "file-too-large" in codes:
        return f"The file is larger than {largest // MEGABYTE} MB. {advice}".strip()
    return f"This kind of file cannot be read. Save the list as {kinds}."
