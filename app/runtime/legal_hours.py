"""The table of legal hours that this process goes by."""

from functools import lru_cache

from app.domain.legal_hours import LegalHours
from app.runtime.config import get_settings


@lru_cache(maxsize=1)
def get_legal_hours() -> LegalHours:
    """Return the table: the file of `CALLSHEET_LEGAL_HOURS`, or the one that comes with Callsheet.

    Raises `LegalHoursInvalid`.
    """
    return LegalHours.load(get_settings().legal_hours_file)
