"""What the suppression list shows, worded for people."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final

from app.domain.suppression import SuppressionScope, SuppressionSource
from app.services.suppression.importing import SuppressionImportResult
from app.services.suppression.queries import SuppressionPage, SuppressionView
from app.web.listing import ListQuery, ending, word_filter
from app.web.pages.contacts.presenter import SCOPES, who_suppressed
from app.web.words import Moment, counted, moment

ANY: Final = "any"

STATES: Final = (("standing", "Blocked"), ("lifted", "Removed"), ("all", "All"))
SCOPE_OPTIONS: Final = ((ANY, "Any channel"), *((scope.value, words) for scope, words in SCOPES.items()))

_SOURCE_NAMES: Final[Mapping[SuppressionSource, str]] = {
    SuppressionSource.KEYPRESS: "Key 9 on a call",
    SuppressionSource.SPOKEN: "Said on a call",
    SuppressionSource.STOP_MESSAGE: "STOP by text",
    SuppressionSource.MANUAL: "By hand",
    SuppressionSource.IMPORT: "Import",
    SuppressionSource.CARRIER: "Carrier",
    SuppressionSource.API: "API",
}
SOURCE_OPTIONS: Final = ((ANY, "Any source"), *((one.value, words) for one, words in _SOURCE_NAMES.items()))


@dataclass(frozen=True, slots=True)
class SuppressionsQuery(ListQuery):
    """The filters and the page of the list. Its pages are reached by cursors and have no numbers."""

    standing: str = word_filter((word for word, _ in STATES), usual="standing")
    scope: str = word_filter(SuppressionScope, usual=ANY)
    source: str = word_filter(SuppressionSource, usual=ANY)

    NUMBERED: ClassVar[bool] = False

    def filters(self) -> str:
        """Return the filters as parameters of the download, which always needs `state`."""
        chosen = {"scope": self.scope, "source": self.source}
        return ending(
            {"state": self.standing, "search": self.search}
            | {name: word for name, word in chosen.items() if word != ANY}
        )


@dataclass(frozen=True, slots=True)
class SuppressionRow:
    """A suppression in the list or in a number's history."""

    id: int
    number: str
    e164: str
    name: str
    scope: str
    reason: str
    source: str
    by: str
    at: Moment
    is_lifted: bool
    lifted: str
    """When and why it was lifted, and who did it; empty while it is active."""


@dataclass(frozen=True, slots=True)
class RejectedLine:
    """A row of a file that could not be read."""

    row: int
    cells: str
    reason: str


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    """The result of importing a file of suppressions; `import_id` 0: none was imported."""

    import_id: int = 0
    sentence: str = ""
    rejected: int = 0
    first_rejected: list[RejectedLine] | None = None
    percent: int = 0
    progress: str = ""


def suppression_row(view: SuppressionView, *, zone: str, now: datetime) -> SuppressionRow:
    """Return a suppression as the list shows it."""
    return SuppressionRow(
        id=view.id,
        number=view.pretty,
        e164=view.number,
        name=view.name,
        scope=SCOPES[view.scope],
        reason=view.reason,
        source=_SOURCE_NAMES[view.source],
        by=who_suppressed(view),
        at=moment(view.created_at, zone, now=now),
        is_lifted=view.lifted_at is not None,
        lifted=_lifted(view, zone=zone, now=now),
    )


def range_words(page: SuppressionPage, first: int) -> str:
    """Return "1-25 of 10,000+ numbers", with a dash for "to"."""
    more = "+" if page.total_is_more else ""
    total = f"{page.total:,}{more} {'entry' if page.total == 1 and not more else 'entries'}"
    return f"{first:,}\u2013{first + len(page.items) - 1:,} of {total}" if page.items else total


def outcome(result: SuppressionImportResult) -> ImportOutcome:
    """Return the result of a file so far."""
    parts = [
        f"{counted(result.added, 'number', 'numbers')} blocked",
        f"{result.known:,} blocked already" if result.known else "",
        f"{counted(result.rejected, 'row', 'rows')} could not be read" if result.rejected else "",
    ]
    return ImportOutcome(
        import_id=result.import_id,
        sentence=", ".join(part for part in parts if part) + ".",
        rejected=result.rejected,
        first_rejected=[
            RejectedLine(each.row, ", ".join(each.cells)[:200], each.reason) for each in result.first_rejected
        ],
        percent=100 * result.done // max(result.total, 1),
        progress=f"{result.done:,} of {counted(result.total, 'row', 'rows')}",
    )


def scope_or_all(word: str) -> SuppressionScope:
    """Return the scope a form names; all channels if it names none."""
    return SuppressionScope(word) if word in set(SuppressionScope) else SuppressionScope.ALL


def _lifted(view: SuppressionView, *, zone: str, now: datetime) -> str:
    if view.lifted_at is None:
        return ""
    at = moment(view.lifted_at, zone, now=now)
    return f"Removed {at.text} {at.zone} by {view.lifted_by}: {view.lift_reason}"
