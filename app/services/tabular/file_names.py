"""The name of an uploaded file on pages."""

import re
import unicodedata
from typing import Final

_LONGEST_NAME: Final = 200


def display_name(file_name: str) -> str:
    """Return a file's name without its path and without characters that could mislead a reader."""
    last = re.split(r"[/\\]", file_name)[-1]
    plain = "".join(char for char in last if not unicodedata.category(char).startswith("C"))
    name = " ".join(plain.split()).strip(". ")
    stem, dot, ending = name.rpartition(".")
    if len(name) > _LONGEST_NAME and stem:
        return f"{stem[: _LONGEST_NAME - len(ending) - 2]}…{dot}{ending}"[:_LONGEST_NAME]
    return name[:_LONGEST_NAME] or "contacts.csv"
