"""The state of an import on its page: upload, mapping, preview, import."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any, Final

import reflex as rx

from app.domain.contact_fields import FIELDS, VARIABLE
from app.domain.rights import Right
from app.runtime.jobs import RUN_IMPORT
from app.services.errors import FieldErrors
from app.services.imports.issues import NOT_IMPORTED, IssueKind
from app.services.imports.operations import cancel_import, queue_import, set_mapping, set_zone_words
from app.services.imports.preview import preview_import
from app.services.imports.views import Column, ImportPreview, ImportView
from app.services.live_hub import Watched, watch
from app.services.tabular.refusals import MAX_FILE_BYTES, FileRefused
from app.web import routes
from app.web.guard import FormState, anyone, guarded, still_allowed
from app.web.imports.incoming import (
    KINDS_OF_FILES,
    NO_FILE,
    TOO_LARGE,
    read_import,
    read_imports,
    read_sheet,
    store_text,
    store_upload,
)
from app.web.imports.presenter import (
    AcceptedRow,
    ColumnRow,
    FileLine,
    RefusedRow,
    SampleRow,
    Tally,
    ZoneWordRow,
    accepted_row,
    column_rows,
    file_facts,
    file_line,
    import_tally,
    preview_tally,
    refused_row,
    sample_row,
    stage_of,
    zone_word_row,
)
from app.web.upload_errors import refusal_of
from app.web.visit import Visit
from app.web.zone_words import ZoneLine, zone_lines

PREVIEW_ROWS: Final = 8
ZONE: Final = "contacts-file"

STARTABLE: Final = frozenset({"uploaded", "failed"})
_UNFINISHED: Final = frozenset({"reading", "uploaded", "working", "failed"})


class ImportState(FormState, rx.State):
    """The current file and earlier ones, of the campaign in the address or else of the address book."""

    into_campaign: rx.Field[bool] = rx.field(False)
    import_id: rx.Field[int] = rx.field(0)
    stage: rx.Field[str] = rx.field("none")
    """none, reading, uploaded, working, failed or done."""
    file_name: rx.Field[str] = rx.field("")
    facts: rx.Field[str] = rx.field("")
    columns: rx.Field[list[ColumnRow]] = rx.field(default_factory=list)
    tally: rx.Field[Tally] = rx.field(default_factory=Tally)
    accepted: rx.Field[list[AcceptedRow]] = rx.field(default_factory=list)
    refused: rx.Field[list[RefusedRow]] = rx.field(default_factory=list)
    to_check: rx.Field[list[RefusedRow]] = rx.field(default_factory=list)
    samples: rx.Field[list[SampleRow]] = rx.field(default_factory=list)
    zones: rx.Field[list[ZoneLine]] = rx.field(default_factory=list)
    """How many people are in which time zone."""
    zone_words: rx.Field[list[ZoneWordRow]] = rx.field(default_factory=list)
    zones_asked: rx.Field[bool] = rx.field(False)
    """Some of the words have a box, which can be confirmed."""
    zones_used: rx.Field[bool] = rx.field(False)
    """The zones in the boxes are confirmed."""
    sheets: rx.Field[list[str]] = rx.field(default_factory=list)
    sheet: rx.Field[str] = rx.field("")
    round: rx.Field[int] = rx.field(0)
    """Grows with each pasted list, so that the text box is empty afterwards."""
    looking: rx.Field[bool] = rx.field(False)
    """A preview is being made."""
    uploading: rx.Field[bool] = rx.field(False)
    percent: rx.Field[int] = rx.field(0)
    earlier: rx.Field[list[FileLine]] = rx.field(default_factory=list)

    @guarded(Right.EDIT_CONTACTS)
    async def load(self, visit: Visit) -> AsyncIterator[None]:
        """Open the file whose import was not finished, if there is one."""
        self._reset()
        yield
        async for _ in self._resume(visit, await self._find(visit)):
            yield

    @guarded(Right.EDIT_CONTACTS, background=True)
    async def watch(self, visit: Visit) -> None:
        """Watch the imports, in whatever process they run, and open a file when it has been read."""
        campaign_id = _campaign(self)
        watched = Watched(
            visit.principal.organization_id, campaign_id, "imports" if campaign_id else "own imports"
        )
        check = still_allowed(self, Right.EDIT_CONTACTS)
        async for imports in watch(watched, lambda: read_imports(visit, campaign_id), check=check):
            async with self:
                is_read = self._follow(imports)
                import_id = self.import_id
            if is_read:
                view, found = await read_import(visit, import_id), await _previewed(visit, import_id)
                async with self:
                    if self.import_id == import_id:
                        self._show_file(view)
                        self._show_found(found)

    @anyone
    def count_upload(self, progress: dict[str, Any]) -> None:
        """Show how much of the file has been sent. When all of it has been sent, `receive` runs."""
        share = progress.get("progress")
        self.percent = int(100 * share) if isinstance(share, int | float) else 0
        # The last of these may come after the file was refused: it must not bring "Uploading" back.
        self.uploading = self.percent < 100  # noqa: PLR2004 - percent

    @anyone
    def end_upload(self) -> None:
        """Show the drop zone again."""
        self.uploading, self.percent = False, 0

    @anyone
    def refuse(self, rejected: list[dict[str, Any]]) -> None:
        """Show why the browser refused the file."""
        self.uploading, self.percent = False, 0
        self.errors = {
            ZONE: refusal_of(rejected, largest=MAX_FILE_BYTES, kinds=KINDS_OF_FILES, advice=TOO_LARGE)
        }

    @guarded(Right.EDIT_CONTACTS)
    async def receive(self, visit: Visit, files: list[rx.UploadFile]) -> AsyncIterator[None]:
        """Store the file and preview it, or show why it cannot be used."""
        if not files:
            # `refuse` may have shown the reason already.
            self.errors = {ZONE: self.errors.get(ZONE) or NO_FILE}
            return
        self.errors, self.uploading, self.percent = {}, True, 100
        yield
        try:
            import_id = await store_upload(visit, _campaign(self), files)
        except FileRefused as refused:
            self.errors = {ZONE: str(refused)}
            return
        finally:
            self.uploading, self.percent = False, 0
        async for _ in self._open(visit, import_id):
            yield

    @guarded(Right.EDIT_CONTACTS)
    async def paste(self, visit: Visit, form: dict[str, Any]) -> AsyncIterator[None]:
        """Store a pasted list like a file. A second quick click has no effect."""
        if self.stage in _UNFINISHED:
            return
        self.errors, self.saving = {}, True
        yield
        try:
            import_id = await store_text(visit, _campaign(self), str(form.get("text") or ""))
        except FileRefused as refused:
            self.errors = {"text": str(refused)}
            return
        self.round += 1
        async for _ in self._open(visit, import_id):
            yield

    @guarded(Right.EDIT_CONTACTS)
    async def use_sheet(self, visit: Visit, sheet: str) -> AsyncIterator[None]:
        """Read another sheet of the workbook."""
        self.errors, self.looking = {}, True
        yield
        try:
            await read_sheet(visit, self.import_id, sheet)
        except FileRefused as refused:
            self.errors = {"sheet": str(refused)}
            return
        finally:
            self.looking = False
        async for _ in self._open(visit, self.import_id):
            yield

    @guarded(Right.EDIT_CONTACTS)
    async def use_column(self, visit: Visit, header: str, target: str) -> AsyncIterator[None]:
        """Use a column as `target`. A column that had this target before becomes a variable again."""
        chosen = {row.header: row.target for row in self.columns} | {header: target}
        for row in self.columns:
            if row.header != header and row.target == target and target in FIELDS:
                chosen[row.header] = row.variable
        async for _ in self._map(visit, chosen):
            yield

    @guarded(Right.EDIT_CONTACTS)
    async def name_zone(self, visit: Visit, word: str, zone: str) -> AsyncIterator[None]:
        """Write another zone for a word of the time zone column."""
        if any(row.word == word and row.zone == zone.strip() for row in self.zone_words):
            return
        self.zone_words = [
            replace(row, zone=zone.strip(), error="") if row.word == word else row for row in self.zone_words
        ]
        if self.zones_used:
            async for _ in self._use_zones(visit):
                yield

    @guarded(Right.EDIT_CONTACTS)
    async def use_zones(self, visit: Visit, used: bool) -> AsyncIterator[None]:  # noqa: FBT001 - the box's
        """Confirm the zones in the boxes, or take that back."""
        self.zones_used = used
        async for _ in self._use_zones(visit):
            yield

    @guarded(Right.EDIT_CONTACTS)
    async def start(self, visit: Visit) -> AsyncIterator[None]:
        """Queue the import, which does not need the page any more. A second quick click has no effect."""
        if self.stage not in STARTABLE:
            return
        self.saving, self.errors = True, {}
        yield
        await self._queue(visit)

    @guarded(Right.EDIT_CONTACTS)
    async def give_up(self, visit: Visit) -> None:
        """Discard the file, or stop its import; contacts already added stay."""
        if self.stage in _UNFINISHED:
            await visit.write(
                lambda session: cancel_import(
                    session, principal=visit.principal, import_ref=self.import_id, now=visit.now
                )
            )
        self.import_id, self.stage, self.errors = 0, "none", {}
        self._list(await read_imports(visit, _campaign(self)))

    def _reset(self) -> None:
        self.loading, self.problem, self.errors, self.uploading = True, "", {}, False

    async def _find(self, visit: Visit) -> Sequence[ImportView]:
        """List the imports that have ended; return all, the newest first."""
        campaign_id = _campaign(self)
        self.into_campaign = campaign_id is not None
        imports = await read_imports(visit, campaign_id)
        self.loading = False
        self._list(imports)
        return imports

    async def _resume(self, visit: Visit, imports: Sequence[ImportView]) -> AsyncIterator[None]:
        """Open the newest file whose import was not finished."""
        self.import_id, self.stage = 0, "none"
        for view in imports:
            # A file for the address book belongs to the user who uploaded it.
            is_mine = self.into_campaign or view.created_by == visit.principal.actor
            if is_mine and stage_of(view.status) in _UNFINISHED:
                async for _ in self._open(visit, view.id):
                    yield
                break

    async def _queue(self, visit: Visit) -> None:
        await visit.write(
            lambda session: queue_import(
                session, principal=visit.principal, import_ref=self.import_id, now=visit.now
            )
        )
        self.stage, self.tally = "working", Tally(total=self.tally.total)
        await visit.hint(RUN_IMPORT, self.import_id)

    async def _open(self, visit: Visit, import_id: int) -> AsyncIterator[None]:
        self._show_file(await read_import(visit, import_id))
        if self.stage == "uploaded":
            async for _ in self._look_through(visit):
                yield

    def _show_file(self, view: ImportView) -> None:
        self.import_id, self.stage = view.id, stage_of(view.status)
        self.file_name, self.facts = view.file_name, file_facts(view)
        self.sheets, self.sheet = view.sheets, view.sheet
        targets = {column.header: column.target for column in view.columns}
        self.columns, self.tally = column_rows(view.columns, targets, {}), import_tally(view)
        self._clear_preview()
        self.zones = zone_lines(view.zones)

    def _clear_preview(self) -> None:
        self.accepted, self.refused, self.to_check, self.samples = [], [], [], []
        self.zone_words, self.zones_asked, self.zones_used = [], False, False

    async def _map(self, visit: Visit, chosen: dict[str, str]) -> AsyncIterator[None]:
        try:
            await visit.write(
                lambda session: set_mapping(
                    session,
                    principal=visit.principal,
                    import_ref=self.import_id,
                    mapping=chosen,
                    now=visit.now,
                )
            )
            self.errors = {}
        except FieldErrors as refused:
            self.errors = refused.errors
            self._clear_preview()
        self.columns = column_rows([_column(row) for row in self.columns], chosen, self.errors)
        if not self.errors:
            async for _ in self._look_through(visit):
                yield

    async def _use_zones(self, visit: Visit) -> AsyncIterator[None]:
        words = {row.word: row.zone for row in self.zone_words if row.zone and self.zones_used}
        try:
            await visit.write(
                lambda session: set_zone_words(
                    session, principal=visit.principal, import_ref=self.import_id, words=words, now=visit.now
                )
            )
        except FieldErrors as refused:
            self.zones_used = False
            self.zone_words = [
                replace(row, error=refused.errors.get(f"time_zone_words.{row.word}", ""))
                for row in self.zone_words
            ]
            return
        async for _ in self._look_through(visit):
            yield

    async def _look_through(self, visit: Visit) -> AsyncIterator[None]:
        """Preview the import."""
        self.looking = True
        yield
        try:
            self._show_found(await _previewed(visit, self.import_id))
        finally:
            self.looking = False

    def _show_found(self, found: ImportPreview | FieldErrors) -> None:
        """Show the preview, or what must be corrected first."""
        if isinstance(found, FieldErrors):
            self.errors, self.tally = found.errors, Tally()
            return
        self.tally = preview_tally(found)
        self.accepted = [accepted_row(row) for row in found.first_accepted]
        self.refused = [refused_row(row) for row in found.first(*NOT_IMPORTED)]
        self.to_check = [refused_row(row) for row in found.first(IssueKind.WARNING)]
        self.samples = [sample_row(sample) for sample in found.samples]
        self.zones = zone_lines(found.zones)
        self.zone_words = [zone_word_row(word) for word in found.zone_words]
        self.zones_asked = any(row.asked for row in self.zone_words)
        self.zones_used = any(word.confirmed for word in found.zone_words)

    def _follow(self, imports: Sequence[ImportView]) -> bool:
        """Show the progress of the current import; return whether its file has just been read and must be opened."""
        self._list(imports)
        view = next((view for view in imports if view.id == self.import_id), None)
        if view is None or self.stage not in {"reading", "working", "failed", "done"}:
            return False
        stage = stage_of(view.status)
        if stage == "uploaded":
            return True
        self.stage, self.tally, self.zones = stage, import_tally(view), zone_lines(view.zones)
        return False

    def _list(self, imports: Sequence[ImportView]) -> None:
        self.earlier = [file_line(view) for view in imports if view.ended_at is not None and view.rows_done]


def _campaign(state: rx.State) -> int | None:
    """Return the campaign's id in the address; None on a page of the address book."""
    return routes.place(state.router.url.path).campaign_id


async def _previewed(visit: Visit, import_id: int) -> ImportPreview | FieldErrors:
    """Return the preview of the import, or the errors that must be corrected first."""
    try:
        async with visit.reading() as session:
            return await preview_import(
                session, principal=visit.principal, import_ref=import_id, limit=PREVIEW_ROWS
            )
    except FieldErrors as refused:
        return refused


def _column(row: ColumnRow) -> Column:
    return Column(row.header, row.target, row.variable.removeprefix(VARIABLE), row.samples)
