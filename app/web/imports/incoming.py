"""Stores files for the pages of imports, passes them to a worker, and reads the progress."""

from collections.abc import AsyncIterator, Sequence
from typing import Final

import reflex as rx

from app.runtime.jobs import RUN_IMPORT
from app.services.imports.operations import choose_sheet, store_import, store_pasted
from app.services.imports.queries import get_import, list_imports
from app.services.imports.views import ImportView
from app.services.paging import MAX_PAGE_SIZE
from app.services.tabular.refusals import FileRefused
from app.web.visit import Visit

KINDS_OF_FILES: Final = "CSV, XLSX or JSON"
NO_FILE: Final = "No file came through. Choose it again."
TOO_LARGE: Final = "Split it and upload the parts one by one."

_CHUNK: Final = 1 << 20
_LATEST: Final = 10


async def read_imports(visit: Visit, campaign_id: int | None) -> Sequence[ImportView]:
    """Return the latest imports of a campaign; without one, those into the address book only."""
    async with visit.reading() as session:
        if campaign_id is not None:
            page = await list_imports(
                session, principal=visit.principal, campaign_ref=campaign_id, page_size=_LATEST
            )
            return page.items
        page = await list_imports(session, principal=visit.principal, page_size=MAX_PAGE_SIZE)
    return [view for view in page.items if view.campaign_id is None][:_LATEST]


async def read_import(visit: Visit, import_id: int) -> ImportView:
    """Return the import with its columns."""
    async with visit.reading() as session:
        return await get_import(session, principal=visit.principal, import_ref=import_id)


async def store_upload(visit: Visit, campaign_id: int | None, files: Sequence[rx.UploadFile]) -> int:
    """Store the first file; return the import's id. Raises `FileRefused`."""
    if not files:
        raise FileRefused(NO_FILE)
    stored = await visit.write(
        lambda session: store_import(
            session,
            principal=visit.principal,
            campaign_ref=campaign_id,
            file_name=files[0].name or "contacts.csv",
            data=_pieces(files[0]),
            now=visit.now,
        )
    )
    if stored.needs_worker:
        await visit.hint(RUN_IMPORT, stored.id)
    return stored.id


async def store_text(visit: Visit, campaign_id: int | None, text: str) -> int:
    """Store pasted text; return the import's id. Raises `FieldErrors` on `text`, and `FileRefused`."""
    stored = await visit.write(
        lambda session: store_pasted(
            session, principal=visit.principal, campaign_ref=campaign_id, text=text, now=visit.now
        )
    )
    return stored.id


async def read_sheet(visit: Visit, import_id: int, sheet: str) -> None:
    """Read another sheet of the workbook. Raises `FieldErrors` on `sheet`, `FileRefused` and `Conflict`."""
    stored = await visit.write(
        lambda session: choose_sheet(
            session, principal=visit.principal, import_ref=import_id, sheet=sheet, now=visit.now
        )
    )
    if stored.needs_worker:
        await visit.hint(RUN_IMPORT, stored.id)


async def _pieces(file: rx.UploadFile) -> AsyncIterator[bytes]:
    while piece := await file.read(_CHUNK):
        yield piece
