"""The browser's way in and out, by real page loads: only an HTTP answer can set an HttpOnly cookie."""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse

from app.api.rates import WRONG_SESSIONS, WRONG_TICKETS, count_wrong
from app.runtime.context import AppContext, get_context
from app.services.access.known_browsers import BROWSER_COOKIE, BROWSER_LIFETIME
from app.services.access.sessions import SESSION_COOKIE, SESSION_LIFETIME, sign_out
from app.services.access.tickets import local_path, redeem_ticket

router = APIRouter(prefix="/auth", include_in_schema=False)

Context = Annotated[AppContext, Depends(get_context)]

HOME: Final = "/"
SIGN_IN: Final = "/sign-in"
TICKET_REFUSED: Final = f"{SIGN_IN}?expired=1"
_PRIVATE: Final = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


@router.get("/complete")
async def complete(
    request: Request, context: Context, ticket: Annotated[str, Query(max_length=200)] = ""
) -> RedirectResponse:
    """Turn a sign-in ticket into the session's and the browser's cookies and go on to the page that was wanted.

    Not at another site's bidding, which could have somebody work in its own account unawares.
    """
    if _sent_by_another_site(request):
        return _go(TICKET_REFUSED)
    redeemed = await context.database.write(
        lambda session: redeem_ticket(
            session,
            ticket=ticket,
            user_agent=request.headers.get("user-agent", ""),
            browser_token=request.cookies.get(BROWSER_COOKIE, ""),
            now=context.clock.now(),
        )
    )
    if redeemed is None:
        count_wrong(context, request, WRONG_TICKETS)
        return _go(TICKET_REFUSED)
    response = _go(local_path(redeemed.next_path))
    for name, token, lifetime in (
        (SESSION_COOKIE, redeemed.session_token, SESSION_LIFETIME),
        (BROWSER_COOKIE, redeemed.browser_token, BROWSER_LIFETIME),
    ):
        response.set_cookie(
            name,
            token,
            max_age=int(lifetime.total_seconds()),
            httponly=True,
            samesite="lax",
            secure=_by_https(request, context),
        )
    return response


@router.post("/sign-out")
async def leave(request: Request, context: Context) -> RedirectResponse:
    """End the session, clear its cookie and show the sign-in page. Not at another site's bidding."""
    if _sent_by_another_site(request):
        return _go(HOME)
    if token := request.cookies.get(SESSION_COOKIE):
        now = context.clock.now()
        if not await context.database.write(lambda session: sign_out(session, token=token, now=now)):
            count_wrong(context, request, WRONG_SESSIONS)
    response = _go(SIGN_IN)
    response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="lax", secure=_by_https(request, context))
    return response


def _go(path: str) -> RedirectResponse:
    return RedirectResponse(path, HTTPStatus.SEE_OTHER, headers=_PRIVATE)


def _sent_by_another_site(request: Request) -> bool:
    """Tell whether another site's page made the browser come here (Fetch Metadata; what does not send it is let in)."""
    return request.headers.get("sec-fetch-site") == "cross-site"


def _by_https(request: Request, context: AppContext) -> bool:
    """Tell whether the browser came by https, here or at the proxy before us.

    Here the header is believed of anybody: it can only make a cookie more careful, and that of its sender alone.
    """
    forwarded = request.headers.get("x-forwarded-proto", "").partition(",")[0].strip()
    return "https" in {request.url.scheme, forwarded} or context.settings.served_over_https
