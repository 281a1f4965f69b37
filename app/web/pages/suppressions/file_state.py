"""Importing a file of numbers into the suppression list."""

from collections.abc import AsyncIterator
from typing import Any, Final

import reflex as rx
from reflex.event import EventCallback, EventSpec

from app.domain.rights import Right
from app.domain.suppression import SuppressionScope
from app.services.suppression.importing import MAX_BYTES, import_suppressions
from app.services.tabular.refusals import FileRefused
from app.web.guard import FormState, anyone, guarded
from app.web.pages.suppressions.presenter import ImportOutcome, outcome, scope_or_all
from app.web.pages.suppressions.state import SuppressionsState
from app.web.upload_errors import refusal_of
from app.web.visit import Visit

ZONE: Final = "suppressions-file"
_NO_FILE: Final = "This file cannot be used: choose a CSV file of at most 10 MB."
_TOO_LARGE: Final = "Split it and import the parts one by one."


class SuppressionFileState(FormState, rx.State):
    """The dialog of the file."""

    is_open: rx.Field[bool] = rx.field(False)
    stage: rx.Field[str] = rx.field("choose")
    """"choose", "working" or "done"."""
    scope: rx.Field[str] = rx.field(SuppressionScope.ALL.value)
    reason: rx.Field[str] = rx.field("")
    uploading: rx.Field[bool] = rx.field(False)
    percent: rx.Field[int] = rx.field(0)
    result: rx.Field[ImportOutcome] = rx.field(default_factory=ImportOutcome)

    @anyone
    def open(self) -> None:
        """Open the dialog, for a new file."""
        self.is_open, self.stage, self.errors, self.result = True, "choose", {}, ImportOutcome()
        self.scope, self.reason, self.uploading, self.percent = SuppressionScope.ALL.value, "", False, 0

    @anyone
    def set_open(self, is_open: bool) -> None:  # noqa: FBT001 - what the dialog tells
        """Close the dialog; an import under way continues."""
        self.is_open = is_open

    @anyone
    def choose_scope(self, scope: str) -> None:
        """Choose the scope of rows that name none."""
        self.scope = scope_or_all(scope).value

    @anyone
    def write_reason(self, reason: str) -> None:
        """Store the reason of rows that name none."""
        self.reason = reason[:1_000]

    @anyone
    def count_upload(self, progress: dict[str, Any]) -> None:
        """Show how much of the file has left the browser."""
        share = progress.get("progress")
        self.percent = int(100 * share) if isinstance(share, int | float) else 0
        self.uploading = self.percent < 100  # noqa: PLR2004 - percent

    @anyone
    def refuse(self, rejected: list[dict[str, Any]]) -> None:
        """Say why the browser would not take the file."""
        self.uploading, self.percent = False, 0
        self.errors = {ZONE: refusal_of(rejected, largest=MAX_BYTES, kinds="CSV", advice=_TOO_LARGE)}

    @guarded(Right.EDIT_CONTACTS)
    async def receive(
        self, visit: Visit, files: list[rx.UploadFile]
    ) -> AsyncIterator[EventSpec | EventCallback[()] | None]:
        """Suppress the numbers of the file, and show the progress."""
        if not files:
            # `refuse` knows why, and may have shown it already.
            self.errors = {ZONE: self.errors.get(ZONE) or _NO_FILE}
            return
        self.errors, self.uploading, self.stage = {}, False, "working"
        self.result = ImportOutcome()
        yield None
        try:
            async for step in import_suppressions(
                visit.context.database,
                principal=visit.principal,
                file_name=files[0].name or "",
                # Of a file that is too large, one byte more than allowed.
                data=bytes(await files[0].read(MAX_BYTES + 1)),
                scope=scope_or_all(self.scope),
                reason=self.reason,
                clock=visit.context.clock,
            ):
                self.result = outcome(step)
                yield None
        except FileRefused as refused:
            self.errors, self.stage = {ZONE: str(refused)}, "choose"
            return
        except BaseException:
            self.stage = "choose"
            raise
        self.stage = "done"
        yield SuppressionsState.refresh
