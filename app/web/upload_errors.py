"""The sentences that say why the browser refused a file."""

from collections.abc import Sequence
from typing import Any

from app.services.tabular.refusals import MEGABYTE


def refusal_of(rejected: Sequence[dict[str, Any]], *, largest: int, kinds: str, advice: str = "") -> str:
    """Return the sentence for the error codes of files that an upload zone refused.

    `largest`: in bytes. `kinds`: the accepted formats, such as "CSV". `advice`: what to do with a larger file.
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
