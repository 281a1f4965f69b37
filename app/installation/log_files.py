"""Log rotation: large log files are copied and emptied; the newest copies are kept."""

import logging
import shutil
from pathlib import Path
from typing import Final

LARGEST_BYTES: Final = 10_000_000
"""The size at which a log file is rotated."""
KEPT: Final = 3
"""How many old files each process keeps; `<name>.log.1` is the newest."""

log = logging.getLogger(__name__)


def keep_small(folder: Path, *, largest: int = LARGEST_BYTES, kept: int = KEPT) -> None:
    """Rotate the log files in `folder` that are larger than `largest` bytes.

    A file is copied and then emptied. Its writers keep it open for appending and go on: PostgreSQL, and output that a
    process prints, cannot be told to open another file. Lines written between the copy and the truncation are lost.
    """
    for file in folder.glob("*.log"):
        try:
            if file.stat().st_size > largest:
                _rotate(file, kept)
        except OSError as error:
            log.warning("log_files.kept_large", extra={"file": file.name, "error": str(error)})


def _rotate(file: Path, kept: int) -> None:
    def old(number: int) -> Path:
        return file.with_name(f"{file.name}.{number}")

    for number in range(kept - 1, 0, -1):
        if old(number).exists():
            old(number).replace(old(number + 1))
    shutil.copy(file, old(1))  # with its mode
    with file.open("r+b") as emptied:
        emptied.truncate()
