"""The guard of every event handler: any client may call any handler, with any arguments, from any page."""

import inspect
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from functools import cache, wraps
from secrets import token_hex
from traceback import extract_tb
from typing import Any, Final, TypeVar, TypeVarTuple
from urllib.parse import quote

import reflex as rx
from pydantic import InstanceOf, TypeAdapter, ValidationError
from reflex.event import EventCallback, EventSpec
from reflex.istate.proxy import StateProxy
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.quotas import Quota
from app.domain.rights import Right
from app.domain.text import storable, wrong_texts
from app.runtime.config import get_settings
from app.runtime.context import get_context
from app.services.access.cookies import tokens_in
from app.services.access.principal import Principal, authorize
from app.services.access.sessions import SESSION_COOKIE, SignedInUser, principal_for, resolve_session
from app.services.access.tickets import local_path
from app.services.errors import CallsheetError, FieldErrors, NotFound
from app.web import routes
from app.web.components.fold import to_first_error
from app.web.forms import FormProblem, as_shown, error_key, setting_words
from app.web.visit import Visit

S = TypeVar("S", bound=rx.State)
Arguments = TypeVarTuple("Arguments")
Callback = Callable[..., Any]

_ANYONE: Final = "anyone"
GUARD: Final = "callsheet_guard"
"""The attribute with the guard of a handler: a `Right`, or "signed in", or "anyone"."""

_OPENERS: Final = frozenset({"load", "enter"})
"""The handlers that load a page. Their errors are shown in place of the page, also if it was loaded before."""

_BROWSER_ERRORS: Final = Quota("browser errors", 20)
_REFLEX_ERRORS: Final = Quota("reflex errors", 20)

log = logging.getLogger(__name__)


class NotSignedIn(CallsheetError):
    """The browser's session is missing, ended or revoked."""

    code = "not_signed_in"

    def __init__(self) -> None:
        super().__init__("You are signed out. Sign in to go on.")


class WrongArguments(CallsheetError):
    """The arguments of an event do not fit its handler: the page is of another version."""

    code = "wrong_arguments"

    def __init__(self) -> None:
        super().__init__("This page is of another version. Reload it.")


class PageState(rx.State, mixin=True):
    """The fields of every page's state. The guard sets them when a handler fails."""

    loading: rx.Field[bool] = rx.field(True)
    """The content has not been loaded yet."""
    saving: rx.Field[bool] = rx.field(False)
    """The work of a button is under way. The guard resets it when the handler ends, also after an error."""
    problem: rx.Field[str] = rx.field("")
    """The reason why the content could not be loaded, for `table_states` and `error_state`; empty if it could."""


class FormState(PageState, mixin=True):
    """The additional fields of a page with input boxes.

    An error is shown at the box made with `error_of`. If that box is not on the page, it is shown in the banner
    `unboxed_errors`, which every form has. A page without boxes has a `PageState`: its field errors are toasts.
    """

    errors: rx.Field[dict[str, str]] = rx.field(default_factory=dict)
    """Field path, as the service names it -> what to change."""

    @rx.var
    def problems(self) -> list[FormProblem]:
        """The errors, each with the name of its setting."""
        state = type(self).__name__
        return [
            FormProblem(error_key(state, path), setting_words(path), reason)
            for path, reason in self.errors.items()
        ]


def guarded(
    right: Right, *, background: bool = False, supersedes: bool = False
) -> Callable[[Callable[[S, Visit, *Arguments], Any]], EventCallback[*Arguments]]:
    """Make an event handler that runs only for a member of the address's organization who has `right`.

    Use it instead of `@rx.event`; it takes the same `background` and `supersedes`. The handler's first argument is the
    `Visit` of the member, whose rights are read from the database at each event. A `form` argument has only the boxes
    that the page shows. An exception of the handler becomes field errors, the page's problem or a toast.
    """

    def decorate(
        handler: Callable[[S, Visit, *Arguments], Any],
    ) -> EventCallback[*Arguments]:
        async def call(state: S, *arguments: Any, **named: Any) -> Any:
            principal = await resolve_principal(state)
            authorize(principal, right)
            return handler(state, Visit(get_context(), principal), *arguments, **named)

        run = _hide_injected(_reporting(handler, call, guard=right), handler)
        event: EventCallback[*Arguments] = _event(run, background=background, supersedes=supersedes)
        return event

    return decorate


def signed_in(
    handler: Callable[[S, SignedInUser, *Arguments], Any],
) -> EventCallback[*Arguments]:
    """Make an event handler that runs only for a signed-in user, who is its first argument."""

    async def call(state: S, *arguments: Any, **named: Any) -> Any:
        return handler(state, await resolve_person(state), *arguments, **named)

    event: EventCallback[*Arguments]
    event = _event(_hide_injected(_reporting(handler, call, guard="signed in"), handler))
    return event


def anyone(handler: Callable[[S, *Arguments], Any]) -> EventCallback[*Arguments]:
    """Make an event handler that runs for everyone, such as for signing in or opening a dialog.

    Its exceptions are handled as those of `guarded`.
    """

    async def call(state: S, *arguments: Any, **named: Any) -> Any:
        return handler(state, *arguments, **named)

    event: EventCallback[*Arguments] = _event(_reporting(handler, call, guard=_ANYONE))
    return event


async def resolve_person(state: rx.State) -> SignedInUser:
    """Return the user of the browser's session cookie. Raises `NotSignedIn`."""
    async with get_context().database.session() as session:
        return await _person(session, state)


async def resolve_principal(state: rx.State) -> Principal:
    """Return the user of the session cookie as a member of the address's organization.

    Raises `NotSignedIn`, or `NotFound` if the user is no member of the organization.
    """
    slug = routes.place(state.router.url.path).organization
    async with get_context().database.session() as session:
        person = await _person(session, state)
        principal = await principal_for(session, user_id=person.user_id, organization_slug=slug)
    if principal is None:
        raise NotFound("organization", slug)
    return principal


async def _person(session: AsyncSession, state: rx.State) -> SignedInUser:
    person = await resolve_session(session, tokens=session_tokens(state), now=get_context().clock.now())
    if person is None:
        raise NotSignedIn
    return person


def still_allowed(state: rx.State, right: Right) -> Callable[[], Awaitable[None]]:
    """Return a check for a handler that watches: it raises as soon as the user has lost the right."""

    async def check() -> None:
        authorize(await resolve_principal(state), right)

    return check


def session_tokens(state: rx.State) -> tuple[str, ...]:
    """Return the values of the session cookie, which are not checked yet; none without a cookie."""
    return cookie_of(state, SESSION_COOKIE)


def cookie_of(state: rx.State, name: str) -> tuple[str, ...]:
    """Return the values that an HttpOnly cookie had at the handshake of the browser's socket, as `tokens_in` does."""
    over_https = get_settings().served_over_https
    return tokens_in([state.router.headers.cookie], name, over_https=over_https)


def _event(run: Callback, *, background: bool = False, supersedes: bool = False) -> Any:
    """Make `run` an event handler of Reflex. `rx.event` is typed as Any, because mypy does not see what it returns."""
    mark: Any = rx.event(background=background or None, supersedes=supersedes or None)
    return mark(run)


def _reporting(handler: Callback, call: Callback, *, guard: Right | str) -> Callback:
    """Return the handler for Reflex: it runs `call` and shows errors to the person.

    If a handler raised, the browser would get no answer, and a button would show its spinner for ever.
    """
    signature = inspect.signature(handler)
    takes_form = "form" in signature.parameters
    # Without the state, and without the visit or user that the guard passes.
    takes = dict(list(signature.parameters.items())[1 if guard == _ANYONE else 2 :])

    @wraps(handler)
    async def run(state: rx.State, *arguments: Any, **named: Any) -> AsyncIterator[Any]:
        shown = [as_shown(argument) for argument in arguments]
        shown_named = {name: as_shown(argument) for name, argument in named.items()}
        try:
            _refuse_unstorable(list(takes), shown, shown_named)
            async with aclosing(_events(await call(state, *shown, **shown_named))) as events:
                async for event in events:
                    yield event
        except Exception as caught:  # noqa: BLE001  # the outermost handler: unexpected errors are logged and shown
            is_unexpected = not isinstance(caught, CallsheetError)
            error = WrongArguments() if is_unexpected and not _fit(takes, arguments, named) else caught
            async with _writable(state):
                reaction = _react(state, error, opens=handler.__name__ in _OPENERS, takes_form=takes_form)
            if reaction is not None:
                yield reaction
        except BaseException:
            # The handler was cancelled. A background handler may no longer write to the state.
            if not isinstance(state, StateProxy) and getattr(state, "saving", False):
                _set_known(state, saving=False)
            raise
        else:
            if getattr(state, "saving", False):
                async with _writable(state):
                    _set_known(state, saving=False)

    setattr(run, GUARD, guard)
    return run


def _fit(takes: Mapping[str, inspect.Parameter], arguments: Sequence[Any], named: Mapping[str, Any]) -> bool:
    """Tell whether the arguments fit the parameters, also in their types."""
    try:
        bound = inspect.Signature(list(takes.values())).bind(*arguments, **named)
        for name, value in bound.arguments.items():
            _adapter(takes[name].annotation).validate_python(value)
    except (TypeError, ValidationError):
        return False
    return True


@cache
def _adapter(annotation: Any) -> TypeAdapter[Any]:
    files = list[InstanceOf[rx.UploadFile]]
    return TypeAdapter(files if annotation == list[rx.UploadFile] else annotation)


def _refuse_unstorable(names: Sequence[str], shown: Sequence[Any], named: Mapping[str, Any]) -> None:
    """Raise `FieldErrors` for texts that cannot be stored: by box for a form, by name for another argument."""
    wrong: dict[str, str] = {}
    for name, value in [*zip(names, shown, strict=False), *named.items()]:
        for path, message in wrong_texts(value).items():
            field = path if isinstance(value, Mapping) else (name, *path)
            wrong[storable(".".join(map(str, field)))] = message
    if wrong:
        raise FieldErrors(wrong)


def _hide_injected(run: Callback, handler: Callback) -> Callback:
    """Hide the parameter that the guard passes, so that Reflex does not let a client pass it."""
    signature = inspect.signature(handler)
    own, injected, *rest = signature.parameters.values()
    run.__signature__ = signature.replace(parameters=[own, *rest])  # type: ignore[attr-defined]  # read by inspect
    run.__annotations__ = {name: hint for name, hint in run.__annotations__.items() if name != injected.name}
    return run


async def _events(outcome: Any) -> AsyncGenerator[Any, None]:
    """Yield the events that a handler yields or returns, be it an async generator, a coroutine or a function."""
    if inspect.isasyncgen(outcome):
        async with aclosing(outcome):
            async for event in outcome:
                yield event
        return
    returned = await outcome if inspect.isawaitable(outcome) else outcome
    if returned is not None:
        yield returned


@asynccontextmanager
async def _writable(state: rx.State) -> AsyncIterator[None]:
    """Hold the state's lock in a background handler; a foreground handler holds it already."""
    if isinstance(state, StateProxy):
        async with state:
            yield
    else:
        yield


def _react(state: rx.State, error: Exception, *, opens: bool, takes_form: bool) -> EventSpec | None:
    """Show an error: in the state's fields, or by the event that is returned."""
    # A state that loads nothing (actions, dialogs) shows no problem: its errors are toasts.
    was_loading = opens or (getattr(state, "loading", False) and "load" in state.event_handlers)
    _set_known(state, saving=False, loading=False)
    if isinstance(error, WrongArguments):
        return rx.toast.error(str(error), duration=10_000)
    if isinstance(error, NotSignedIn):
        return rx.redirect(f"{routes.SIGN_IN}?next={quote(_wanted_page(state))}")
    if isinstance(error, FieldErrors) and "errors" in state.get_fields():
        _set_known(state, errors=dict(error.errors))
        return to_first_error() if takes_form else None
    if isinstance(error, NotFound) and isinstance(state, StateProxy) and getattr(state, "problem", False):
        return None  # a watch of something that is missing, which the page says already
    message = _said(error) if isinstance(error, CallsheetError) else report(error)
    if was_loading and "problem" in state.get_fields():
        _set_known(state, problem=message)
        return None
    return rx.toast.error(message, duration=10_000)


def _wanted_page(state: rx.State) -> str:
    """Return the address the browser is at, with what it asks for unless that is too long to come back with."""
    path, query = state.router.url.path, state.router.url.query
    full = f"{path}?{query}"
    return full if query and local_path(full) == full else path


def _said(error: CallsheetError) -> str:
    if not isinstance(error, FieldErrors):
        return str(error)
    return " ".join(f"{setting_words(path)}: {reason}" for path, reason in error.errors.items())


def report(error: Exception) -> str:
    """Log an unexpected error, and return the sentence, with the reference, for the person."""
    reference = token_hex(4)
    log.error("web.handler_failed", extra={"reference": reference}, exc_info=error)
    return f"Something went wrong on our side. Nothing was lost; please try again. (Reference {reference})"


def tell_of(exception: Exception) -> EventSpec | None:
    """Log an error of Reflex itself in one line, and return a toast. Most come from malformed events."""
    if get_context().quotas.use(_REFLEX_ERRORS, "all").refused:
        return None
    last = extract_tb(exception.__traceback__)[-1:]
    log.error("web.event_failed", extra={"kind": type(exception).__name__, "at": last and str(last[0])})
    return rx.toast.error(str(WrongArguments()), duration=10_000)


def note_browser_error(exception: Exception) -> None:
    """Log an error that a browser reports, up to a quota: anyone may send such reports."""
    if not get_context().quotas.use(_BROWSER_ERRORS, "all").refused:
        log.warning("web.browser_error", extra={"told": str(exception)})


def _set_known(state: rx.State, **values: Any) -> None:
    """Set the values whose field the state has."""
    for name, value in values.items():
        if name in state.get_fields():
            setattr(state, name, value)
