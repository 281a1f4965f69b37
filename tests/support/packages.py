"""Packages installed once more, elsewhere."""

import importlib.metadata
import os
import shutil
from pathlib import Path
from typing import Final

_NOT_NEEDED: Final = {"..", "include", "pginstall"}
"""Scripts, and of PostgreSQL the headers and the release that is not used."""


def installed_in(site: Path, *packages: str) -> Path:
    """Install packages of this environment in `site` too, by links to the files there are; gives `site`.

    Put it on sys.path before the others to have it used.
    """
    for package in packages:
        for file in importlib.metadata.distribution(package).files or []:
            if not _NOT_NEEDED & set(file.parts):
                _link(Path(str(file.locate())), site / file)
    return site


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy(source, target)
