"""The kinds of row issues, and their texts."""

from enum import StrEnum
from typing import Final, NamedTuple

from app.services.tabular.row_reader import FileRow


class IssueKind(StrEnum):
    """Why a row is listed."""

    REJECTED = "rejected"
    DUPLICATE = "duplicate"
    """An earlier row of the file has the same number."""
    IN_CAMPAIGN = "in_campaign"
    SUPPRESSED = "suppressed"
    OPTED_OUT = "opted_out"
    """The person once said that they do not want to be contacted."""
    WARNING = "warning"
    """Accepted, with something to check."""
    KNOWN = "known"
    """Accepted; the number was in the address book already."""
    KEPT = "kept"
    """The import was undone, but something of this row could not be taken back; the text says why."""


NOT_IMPORTED: Final = (
    *(IssueKind.REJECTED, IssueKind.DUPLICATE, IssueKind.IN_CAMPAIGN),
    *(IssueKind.SUPPRESSED, IssueKind.OPTED_OUT),
)
"""Rows that are not contacted, or have something to check."""

IN_THIS_FILE: Final = "An earlier row of this file has the same number. The first one counts."
IN_THIS_CAMPAIGN: Final = "This number is in the campaign already. It will not be contacted twice."
KNOWN_ALREADY: Final = (
    "This number was in the address book already. What the file says replaces what was there; "
    "empty cells replace nothing."
)


class Issue(NamedTuple):
    """A row with an issue: its kind and its text."""

    row: FileRow
    kind: IssueKind
    reason: str
