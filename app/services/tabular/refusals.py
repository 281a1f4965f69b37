"""Why a file is refused, and how large a file may be."""

from typing import Final

from app.services.errors import CallsheetError

MEGABYTE: Final = 1_000_000
MAX_FILE_BYTES: Final = 200 * MEGABYTE
SAVE_AS_CSV: Final = "Open it in your spreadsheet program, save it as “CSV UTF-8” and upload that file."


class FileRefused(CallsheetError):
    """The file cannot be imported. The message says what to change."""

    code = "file_refused"


def too_large(max_bytes: int) -> FileRefused:
    """Return the error for a file over the size limit."""
    limit = f"{max_bytes / MEGABYTE:g} MB"
    return FileRefused(f"The file is larger than {limit}. Split it and upload the parts one by one.")
