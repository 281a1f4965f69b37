"""A file on its way into the campaign: uploaded, its columns named, looked through, imported."""

import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import reflex as rx
from redis.exceptions import RedisError
from reflex.event import EventSpec

from app.context import get_context
from app.domain.contact_fields import FIELDS, VARIABLE
from app.domain.rights import Right
from app.live_hub import Watched, watch
from app.queue import AlreadyQueued
from app.services.access.principal import Principal
from app.services.campaigns.queries import get_campaign
from app.services.errors import FieldErrors
from app.services.imports.classes import NOT_IMPORTED
from app.services.imports.decoding import FileRefused
from app.services.imports.operations import cancel_import, queue_import, set_mapping, store_import
from app.services.imports.preview import preview_import
from app.services.imports.queries import get_import, list_imports
from app.services.imports.views import Column, ImportPreview, ImportView
from app.web.guard import PageState, anyone, guarded, still_allowed
from app.web.pages.wizard.contacts.import_view import (
    AcceptedRow,
    ColumnRow,
    FileLine,
    RefusedRow,
    Tally,
    accepted_row,
    column_rows,
    file_facts,
    file_line,
    import_tally,
    preview_tally,
    refused_row,
    stage_of,
)
from app.web.pages.wizard.draft import WizardState, draft_id
from app.web.pages.wizard.steps import ADDRESSES, WizardStep

PREVIEW_ROWS: Final = 8

_CHUNK: Final = 1 << 20

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Imports:
    """What everybody who watches this campaign's imports is shown."""

    views: tuple[ImportView, ...]
    contacts: int


class ImportState(PageState, rx.State):
    """The file at hand, and those before it."""

    import_id: rx.Field[int] = rx.field(0)
    stage: rx.Field[str] = rx.field("none")
    """none, uploaded, working, failed or done."""
    file_name: rx.Field[str] = rx.field("")
    facts: rx.Field[str] = rx.field("")
    columns: rx.Field[list[ColumnRow]] = rx.field(default_factory=list)
    tally: rx.Field[Tally] = rx.field(default_factory=Tally)
    accepted: rx.Field[list[AcceptedRow]] = rx.field(default_factory=list)
    refused: rx.Field[list[RefusedRow]] = rx.field(default_factory=list)
    looking: rx.Field[bool] = rx.field(False)
    """The file is being looked through."""
    uploading: rx.Field[bool] = rx.field(False)
    percent: rx.Field[int] = rx.field(0)
    earlier: rx.Field[list[FileLine]] = rx.field(default_factory=list)
    asking: rx.Field[bool] = rx.field(False)
    """Whether to go on although the file is not imported."""

    @guarded(Right.EDIT_CAMPAIGNS)
    async def load(self, principal: Principal) -> AsyncIterator[None]:
        """Take up the file that was left half-way, if there is one."""
        self.loading, self.problem, self.errors, self.uploading = True, "", {}, False
        self.asking = False
        yield
        campaign_id = draft_id(self)
        await (await self.get_state(WizardState))._look(principal, campaign_id)  # noqa: SLF001 - ours
        imports = (await _imports(principal, campaign_id)).views
        self.loading = False
        self._list(imports)
        unfinished = [view for view in imports if stage_of(view.status) in {"uploaded", "working", "failed"}]
        self.import_id, self.stage = 0, "none"
        if unfinished:
            async for _ in self._open(principal, unfinished[0].id):
                yield

    @guarded(Right.EDIT_CAMPAIGNS, background=True)
    async def watch(self, principal: Principal) -> None:
        """Follow the imports of this campaign, wherever they run."""
        campaign_id = draft_id(self)
        watched = Watched(principal.organization_id, campaign_id, "imports")
        check = still_allowed(self, Right.EDIT_CAMPAIGNS)
        async for imports in watch(watched, lambda: _imports(principal, campaign_id), check=check):
            async with self:
                self._follow(imports.views)
                wizard = await self.get_state(WizardState)
                wizard.contacts = imports.contacts

    @anyone
    def count_upload(self, progress: dict[str, Any]) -> None:
        """Show how much of the file has left the browser; `receive` has taken over once all of it has."""
        share = progress.get("progress")
        self.percent = int(100 * share) if isinstance(share, int | float) else 0
        # The last of these may come after the file was refused: it must not bring "Uploading" back.
        self.uploading = self.percent < 100  # noqa: PLR2004 - percent

    @anyone
    def end_upload(self) -> None:
        """Show the drop zone again."""
        self.uploading, self.percent = False, 0

    @guarded(Right.EDIT_CONTACTS)
    async def receive(self, principal: Principal, files: list[rx.UploadFile]) -> AsyncIterator[None]:
        """Store the file and read it through, or say why it cannot be used."""
        self.errors, self.uploading, self.percent = {}, True, 100
        yield
        try:
            import_id = await _store(principal, draft_id(self), files)
        except FileRefused as refused:
            self.errors = {"contacts-file": str(refused)}
            return
        finally:
            self.uploading, self.percent = False, 0
        async for _ in self._open(principal, import_id):
            yield

    @guarded(Right.EDIT_CONTACTS)
    async def use_column(self, principal: Principal, header: str, target: str) -> AsyncIterator[None]:
        """Use a column as `target`; the column that was used so before becomes a variable again."""
        chosen = {row.header: row.target for row in self.columns} | {header: target}
        for row in self.columns:
            if row.header != header and row.target == target and target in FIELDS:
                chosen[row.header] = row.variable
        async for _ in self._map(principal, chosen):
            yield

    @guarded(Right.EDIT_CONTACTS)
    async def start(self, principal: Principal) -> AsyncIterator[None]:
        """Queue the import; it goes on wherever the person goes."""
        self.saving, self.errors = True, {}
        yield
        await self._queue(principal)

    @anyone
    def ask(self, is_open: bool) -> None:  # noqa: FBT001 - what the dialog tells
        """Ask whether to go on with a file that is not imported, or put the question away."""
        self.asking = is_open and self.stage == "uploaded"

    @guarded(Right.EDIT_CONTACTS)
    async def import_and_go_on(self, principal: Principal) -> AsyncIterator[EventSpec | None]:
        """Queue the import, and go to the next step."""
        self.saving, self.errors = True, {}
        yield None
        self.asking = False
        await self._queue(principal)
        yield rx.redirect(ADDRESSES[WizardStep.PACE](principal.organization_slug, draft_id(self)))

    @guarded(Right.EDIT_CONTACTS)
    async def give_up(self, principal: Principal) -> None:
        """Put the file away, or stop its import; who was added stays."""
        context = get_context()
        if self.stage in {"uploaded", "working", "failed"}:
            async with context.database.transaction() as session:
                await cancel_import(
                    session, principal=principal, import_ref=self.import_id, now=context.clock.now()
                )
        self.import_id, self.stage, self.errors = 0, "none", {}
        self._list((await _imports(principal, draft_id(self))).views)

    async def _queue(self, principal: Principal) -> None:
        context = get_context()
        async with context.database.transaction() as session:
            await queue_import(
                session, principal=principal, import_ref=self.import_id, now=context.clock.now()
            )
        self.stage, self.tally = "working", Tally(total=self.tally.total)
        try:
            await context.queue.enqueue(
                "run_import", job_id=f"import:{self.import_id}", import_id=self.import_id
            )
        except AlreadyQueued:
            return
        except (RedisError, OSError) as error:
            # The row says "queued": cron finds it as soon as Redis is back.
            log.warning("import.enqueue_failed", extra={"import_id": self.import_id, "error": str(error)})

    async def _open(self, principal: Principal, import_id: int) -> AsyncIterator[None]:
        async with get_context().database.session() as session:
            view = await get_import(session, principal=principal, import_ref=import_id)
        self.import_id, self.stage = view.id, stage_of(view.status)
        self.file_name, self.facts = view.file_name, file_facts(view)
        targets = {column.header: column.target for column in view.columns}
        self.columns = column_rows(view.columns, targets, {})
        self.tally, self.accepted, self.refused = import_tally(view), [], []
        if self.stage == "uploaded":
            async for _ in self._look_through(principal):
                yield

    async def _map(self, principal: Principal, chosen: dict[str, str]) -> AsyncIterator[None]:
        context = get_context()
        try:
            async with context.database.transaction() as session:
                await set_mapping(
                    session,
                    principal=principal,
                    import_ref=self.import_id,
                    mapping=chosen,
                    now=context.clock.now(),
                )
            self.errors = {}
        except FieldErrors as refused:
            self.errors, self.accepted, self.refused = refused.errors, [], []
        self.columns = column_rows([_column(row) for row in self.columns], chosen, self.errors)
        if not self.errors:
            async for _ in self._look_through(principal):
                yield

    async def _look_through(self, principal: Principal) -> AsyncIterator[None]:
        """Show what would become of the rows."""
        self.looking = True
        yield
        try:
            async with get_context().database.session() as session:
                preview = await preview_import(
                    session, principal=principal, import_ref=self.import_id, limit=PREVIEW_ROWS
                )
        except FieldErrors as refused:
            self.errors, self.tally = refused.errors, Tally()
        else:
            self._show_preview(preview)
        finally:
            self.looking = False

    def _show_preview(self, preview: ImportPreview) -> None:
        self.tally = preview_tally(preview)
        self.accepted = [accepted_row(row) for row in preview.first_accepted]
        self.refused = [refused_row(row) for row in preview.first(*NOT_IMPORTED)]

    def _follow(self, imports: Sequence[ImportView]) -> None:
        """Show how the import at hand gets on."""
        self._list(imports)
        for view in imports:
            if view.id == self.import_id and self.stage in {"working", "failed", "done"}:
                self.stage, self.tally = stage_of(view.status), import_tally(view)

    def _list(self, imports: Sequence[ImportView]) -> None:
        self.earlier = [file_line(view) for view in imports if view.ended_at is not None and view.rows_done]


async def _imports(principal: Principal, campaign_id: int) -> _Imports:
    async with get_context().database.session() as session:
        page = await list_imports(session, principal=principal, campaign_ref=campaign_id, page_size=10)
        detail = await get_campaign(session, principal=principal, campaign_ref=campaign_id)
    return _Imports(tuple(page.items), detail.total_contacts)


async def _store(principal: Principal, campaign_id: int, files: Sequence[rx.UploadFile]) -> int:
    if not files:
        raise FileRefused("No file came through. Choose it again.")
    context = get_context()
    async with context.database.transaction() as session:
        return await store_import(
            session,
            principal=principal,
            campaign_ref=campaign_id,
            file_name=files[0].name or "contacts.csv",
            data=_pieces(files[0]),
            now=context.clock.now(),
        )


async def _pieces(file: rx.UploadFile) -> AsyncIterator[bytes]:
    while piece := await file.read(_CHUNK):
        yield piece


def _column(row: ColumnRow) -> Column:
    return Column(row.header, row.target, row.variable.removeprefix(VARIABLE), row.samples)
