"""The log files of an installation stay small: full ones are put aside, and of those the newest are kept."""

import logging
import shutil
from pathlib import Path
from typing import Final

LARGEST_BYTES: Final = 10_000_000
"""Of a file that is written to."""
KEPT: Final = 3
"""Full ones of each process, `<name>.log.1` being the newest."""

log = logging.getLogger(__name__)


def keep_small(folder: Path, *, largest: int = LARGEST_BYTES, kept: int = KEPT) -> None:
    """Put aside what is in the files of `folder` that have grown larger than `largest` bytes.

    Their writers have them open for appending and go on in the same file, which is emptied: PostgreSQL and what a
    process prints by itself are no loggers of ours that could be told to open another. What is written in the instant
    between copying and emptying is lost.
    """
    for file in folder.glob("*.log"):
        try:
            if file.stat().st_size > largest:
                _put_aside(file, kept)
        except OSError as error:
            log.warning("log_files.kept_large", extra={"file": file.name, "error": str(error)})


def _put_aside(file: Path, kept: int) -> None:
    def full(number: int) -> Path:
        return file.with_name(f"{file.name}.{number}")

    for number in range(kept - 1, 0, -1):
        if full(number).exists():
            full(number).replace(full(number + 1))
    shutil.copy(file, full(1))  # with its mode
    with file.open("r+b") as emptied:
        emptied.truncate()
