"""Files for a signed-in browser: `/download/...`, by a plain link. Read-only, authorized by the session cookie."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import PlainTextResponse, RedirectResponse
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.files import PRIVATE, Read, csv_file
from app.api.rate_limits import WRONG_SESSIONS
from app.api.sign_in import SESSION_ENDED, SIGN_IN, cookies_of, sent_by_another_site, to_sign_in
from app.domain.attempt import Disposition
from app.domain.recipient import RecipientStatus
from app.runtime.context import AppContext, get_context
from app.services.access.principal import Principal
from app.services.access.sessions import SESSION_COOKIE, principal_for, resolve_session
from app.services.campaigns.eligibility import SKIPPED_AHEAD, list_skipped
from app.services.campaigns.exports import calls_csv, contacts_csv
from app.services.campaigns.waiting import Because
from app.services.contacts.exporting import address_book_csv
from app.services.contacts.filter_sql import chosen
from app.services.contacts.index_scans import Sort
from app.services.errors import CallsheetError, FieldErrors, NotAllowed, NotFound
from app.services.imports.rejects import rejects_csv
from app.services.suppression.exporting import suppressions_csv
from app.services.suppression.importing import rejected_csv
from app.services.suppression.queries import filter_of

router = APIRouter(prefix="/download/{organization}", include_in_schema=False)

_ALL: Final = "all"
_MOST_ROWS: Final = 2**63 - 1
_LAST_RUN: Final = 2**31 - 1

Id = Annotated[int, Path(ge=1, le=_MOST_ROWS)]
Search = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True, slots=True)
class Downloader:
    """A member who downloads a file."""

    context: AppContext
    principal: Principal

    async def file(self, name: str, read: Read) -> Response:
        """Return a file with the content from `read`, streamed. Errors are answered before the first byte."""
        try:
            return await csv_file(self.context.database, name, read)
        except NotFound as missing:
            return _told(HTTPStatus.NOT_FOUND, missing)
        except NotAllowed as refused:
            return _told(HTTPStatus.FORBIDDEN, refused)


async def _downloader(
    organization: str, request: Request, context: Annotated[AppContext, Depends(get_context)]
) -> Downloader | Response:
    """Return the signed-in member of that organization; otherwise the response to send."""
    if sent_by_another_site(request):
        return PlainTextResponse("Open the page itself and download from there.", HTTPStatus.FORBIDDEN)
    tokens = cookies_of(request, context, SESSION_COOKIE)
    if not tokens:
        return RedirectResponse(SIGN_IN, HTTPStatus.SEE_OTHER, headers=PRIVATE)
    async with context.database.session() as session:
        user = await resolve_session(session, tokens=tokens, now=context.clock.now())
        if user is None:
            return to_sign_in(context, request, WRONG_SESSIONS, SESSION_ENDED)
        principal = await principal_for(session, user_id=user.user_id, organization_slug=organization)
    if principal is None:
        return PlainTextResponse("There is no such organization.", HTTPStatus.NOT_FOUND)
    return Downloader(context, principal)


MaybeDownloader = Annotated[Downloader | Response, Depends(_downloader)]


@router.get("/imports/{import_id}/not-imported.csv", response_model=None)
async def not_imported(import_id: Id, downloader: MaybeDownloader) -> Response:
    """Return the rejected rows of an import with reasons, to be corrected and uploaded again."""
    if isinstance(downloader, Response):
        return downloader
    return await downloader.file(
        "not-imported.csv",
        lambda session: rejects_csv(session, principal=downloader.principal, import_ref=import_id),
    )


@router.get("/campaigns/{campaign_id}/contacts.csv", response_model=None)
async def contacts(
    campaign_id: Id,
    downloader: MaybeDownloader,
    status: str = _ALL,
    reason: str = _ALL,
    search: Search = "",
    run: Annotated[int, Query(ge=0, le=_LAST_RUN)] = 0,
) -> Response:
    """Return a campaign's contacts, by the filters of the Contacts tab; an unknown status or reason is ignored."""
    if isinstance(downloader, Response):
        return downloader
    statuses = (RecipientStatus(status),) if status in set(RecipientStatus) else ()

    async def pieces(session: AsyncSession) -> AsyncIterator[str]:
        skipped, now = None, downloader.context.clock.now()
        if status == SKIPPED_AHEAD:
            skipped = await list_skipped(
                session, principal=downloader.principal, campaign_ref=campaign_id, now=now
            )
        return await contacts_csv(
            session,
            principal=downloader.principal,
            campaign_ref=campaign_id,
            recipient_ids=None if skipped is None else list(skipped),
            statuses=statuses,
            search=search,
            because=Because(reason, now),
            run=run or None,
        )

    return await downloader.file(f"campaign-{campaign_id}-contacts.csv", pieces)


@router.get("/campaigns/{campaign_id}/calls.csv", response_model=None)
async def calls(
    campaign_id: Id,
    downloader: MaybeDownloader,
    disposition: str = _ALL,
    search: Search = "",
    run: Annotated[int, Query(ge=0, le=_LAST_RUN)] = 0,
) -> Response:
    """Return a campaign's call log, by the filter of its tab; an unknown disposition is ignored."""
    if isinstance(downloader, Response):
        return downloader
    outcome = Disposition(disposition) if disposition in set(Disposition) else None
    return await downloader.file(
        f"campaign-{campaign_id}-calls.csv",
        lambda session: calls_csv(
            session,
            principal=downloader.principal,
            campaign_ref=campaign_id,
            disposition=outcome,
            search=search,
            run=run or None,
        ),
    )


@router.get("/contacts.csv", response_model=None)
async def address_book(
    downloader: MaybeDownloader,
    *,
    search: Search = "",
    wanted: Annotated[str, Query(alias="filter", max_length=20_000)] = "",
    sort: str = "",
    descending: bool | None = None,
) -> Response:
    """Return the address book, by the search, filter and sort of its page."""
    if isinstance(downloader, Response):
        return downloader
    try:
        people = chosen(wanted, search, zone=downloader.principal.time_zone)
    except FieldErrors as refused:
        return _told(HTTPStatus.UNPROCESSABLE_ENTITY, refused)
    return await downloader.file(
        "contacts.csv",
        lambda session: address_book_csv(
            session,
            principal=downloader.principal,
            wanted=people,
            sort=Sort(sort) if sort in set(Sort) else None,
            descending=descending,
            now=downloader.context.clock.now(),
        ),
    )


@router.get("/suppressions.csv", response_model=None)
async def suppressions(
    downloader: MaybeDownloader,
    state: str = "standing",
    scope: str = "",
    source: str = "",
    search: Search = "",
) -> Response:
    """Return the suppression list, by the filter of its page; unknown values are ignored."""
    if isinstance(downloader, Response):
        return downloader
    wanted = filter_of(state=state, scope=scope, source=source, search=search)
    return await downloader.file(
        "suppressions.csv",
        lambda session: suppressions_csv(session, principal=downloader.principal, wanted=wanted),
    )


@router.get("/suppressions/imports/{suppression_import_id}/not-imported.csv", response_model=None)
async def not_suppressed(suppression_import_id: Id, downloader: MaybeDownloader) -> Response:
    """Return the rows of a file of suppressions that could not be read, with reasons."""
    if isinstance(downloader, Response):
        return downloader
    return await downloader.file(
        "not-imported.csv",
        lambda session: rejected_csv(
            session, principal=downloader.principal, import_id=suppression_import_id
        ),
    )


def _told(status: HTTPStatus, error: CallsheetError) -> Response:
    return PlainTextResponse(str(error), status, headers=PRIVATE)
