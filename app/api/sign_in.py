"""Sign-in and sign-out by real page loads: only an HTTP response can set an HttpOnly cookie."""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse

from app.api.problems import TooMany
from app.api.rate_limits import WRONG_TICKETS, count_wrong
from app.domain.quotas import Quota
from app.runtime.context import AppContext, get_context
from app.services.access.cookies import cookie_name, tokens_in
from app.services.access.known_browsers import BROWSER_COOKIE, BROWSER_LIFETIME
from app.services.access.sessions import SESSION_COOKIE, SESSION_LIFETIME, sign_out
from app.services.access.tickets import local_path, redeem_ticket

router = APIRouter(prefix="/auth", include_in_schema=False)

Context = Annotated[AppContext, Depends(get_context)]

HOME: Final = "/"
SIGN_IN: Final = "/sign-in/"
TICKET_REFUSED: Final = f"{SIGN_IN}?expired=1"
"""The page says that the ticket has expired."""
SESSION_ENDED: Final = f"{SIGN_IN}?ended=1"
"""The page says that the session has ended."""

_OTHER_SITES: Final = frozenset({"cross-site", "same-site"})
"""Values of `Sec-Fetch-Site`. A sibling domain is not ours either."""
_PRIVATE: Final = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


@router.get("/complete")
async def complete(
    request: Request, context: Context, ticket: Annotated[str, Query(max_length=200)] = ""
) -> RedirectResponse:
    """Exchange a sign-in ticket for the cookies of session and browser, and go to the requested page.

    Refused if another site sent the browser here: it could sign the user in to the attacker's account.
    """
    if sent_by_another_site(request):
        return _go(TICKET_REFUSED)
    redeemed = await context.database.write(
        lambda session: redeem_ticket(
            session,
            ticket=ticket,
            user_agent=request.headers.get("user-agent", ""),
            browser_tokens=cookies_of(request, context, BROWSER_COOKIE),
            session_tokens=cookies_of(request, context, SESSION_COOKIE),
            now=context.clock.now(),
        )
    )
    if redeemed is None:
        return to_sign_in(context, request, WRONG_TICKETS, TICKET_REFUSED)
    response = _go(local_path(redeemed.next_path))
    for name, token, lifetime in (
        (SESSION_COOKIE, redeemed.session_token, SESSION_LIFETIME),
        (BROWSER_COOKIE, redeemed.browser_token, BROWSER_LIFETIME),
    ):
        response.set_cookie(
            cookie_name(name, over_https=context.settings.served_over_https),
            token,
            max_age=int(lifetime.total_seconds()),
            httponly=True,
            samesite="lax",
            secure=_by_https(request, context),
        )
    return response


@router.post("/sign-out")
async def leave(request: Request, context: Context) -> RedirectResponse:
    """End the session, clear its cookie and show the sign-in page. Ignored if another site sent the request."""
    if sent_by_another_site(request):
        return _go(HOME)
    if tokens := cookies_of(request, context, SESSION_COOKIE):
        now = context.clock.now()
        await context.database.write(lambda session: sign_out(session, tokens=tokens, now=now))
    response = _go(SIGN_IN)
    response.delete_cookie(
        cookie_name(SESSION_COOKIE, over_https=context.settings.served_over_https),
        httponly=True,
        samesite="lax",
        secure=_by_https(request, context),
    )
    return response


def cookies_of(request: Request, context: AppContext, name: str) -> tuple[str, ...]:
    """Return the tokens in a cookie of ours, as `tokens_in` does."""
    headers = request.headers.getlist("cookie")
    return tokens_in(headers, name, over_https=context.settings.served_over_https)


def to_sign_in(context: AppContext, request: Request, wrong: Quota, page: str) -> RedirectResponse:
    """Count a wrong ticket or cookie, and redirect to the sign-in page with the reason.

    Raises `TooMany` for programs only: a 429 does not help a person, and the page reveals nothing.
    """
    try:
        count_wrong(context, request, wrong)
    except TooMany:
        if "text/html" not in request.headers.get("accept", ""):
            raise
    return _go(page)


def sent_by_another_site(request: Request) -> bool:
    """Tell whether another site sent the browser here (Fetch Metadata). False for clients that do not send it."""
    return request.headers.get("sec-fetch-site") in _OTHER_SITES


def _go(path: str) -> RedirectResponse:
    return RedirectResponse(path, HTTPStatus.SEE_OTHER, headers=_PRIVATE)


def _by_https(request: Request, context: AppContext) -> bool:
    """Tell whether the browser uses https, directly or to a proxy in front of us.

    The header is trusted from any client here: it can only make the sender's own cookie stricter.
    """
    forwarded = request.headers.get("x-forwarded-proto", "").partition(",")[0].strip()
    return "https" in {request.url.scheme, forwarded} or context.settings.served_over_https
