"""Middleware before the events that Reflex itself handles: they send a tab all of its state."""

from collections.abc import Mapping
from typing import Final

import reflex as rx
from reflex.event import Event
from reflex.middleware.middleware import Middleware
from reflex.state import BaseState, OnLoadInternalState, StateUpdate
from reflex_base.registry import RegisteredEventHandler, RegistrationContext

from app.web.guard import GUARD, NotSignedIn, resolve_person, session_tokens

_CONNECT: Final = f"{rx.State.get_full_name()}.hydrate_and_load"
"""The first event of each connection."""
_LOAD: Final = f"{OnLoadInternalState.get_full_name()}.on_load_internal"
"""Runs a page's `on_load` handlers, when it is opened and after each connection's first event."""
_OF_A_NEW_DOCUMENT: Final = "hashes"
"""In the first event's payload if the browser has just loaded the page, and not after a lost connection."""


class ForgetSignedOut(Middleware):
    """Deletes the state of a tab whose session has ended, before Reflex sends it.

    Our own handlers check who sends an event; those of Reflex do not.
    """

    async def preprocess(self, app: rx.App, state: BaseState, event: Event) -> StateUpdate | None:  # noqa: ARG002
        """Reset the tab's state if its session has ended, and pass the event on.

        It is reset only once: the invalid cookie stays, and the user may sign in again in the same tab.
        """
        registered = event_handlers().get(event.name)
        if registered is not None and hasattr(registered.handler.fn, GUARD):
            return None  # It is ours.
        root, tab = await state.get_state(rx.State), await state.get_state(TabState)
        if not session_tokens(root):
            return None
        if await _is_signed_in(root):
            tab.forgotten = False
        elif not tab.forgotten:
            root.reset()  # type: ignore[no-untyped-call]  # Reflex's
            tab.forgotten = True
        return None


class TabState(rx.State):
    """The state of a tab that no page shows."""

    shown: rx.Field[str] = rx.field("")
    """The path whose `on_load` handlers ran last; they have ended if the tab `is_hydrated`."""
    came_back: rx.Field[bool] = rx.field(False)
    """The next loading is that of a page that has lost its connection."""
    forgotten: rx.Field[bool] = rx.field(False)
    """The session of its cookie has ended, and the state was reset. No handler fills it again with that cookie."""


class SkipReloadOnReconnect(Middleware):
    """Does not load a page again when its tab reconnects after a lost connection.

    Loading empties forms and closes dialogs: input would be lost, and a key that is shown only once. The handlers that
    watch are started again, and show what has changed meanwhile.
    """

    async def preprocess(self, app: rx.App, state: BaseState, event: Event) -> StateUpdate | None:
        """Pass the event on, or answer it with the handlers that watch."""
        if event.name not in {_CONNECT, _LOAD}:
            return None
        tab, path = await state.get_state(TabState), _path(state)
        if event.name == _CONNECT:
            is_new = _OF_A_NEW_DOCUMENT in event.payload
            tab.came_back = not is_new and tab.is_hydrated and tab.shown == path
            return None
        came_back, tab.came_back, tab.shown = tab.came_back and tab.shown == path, False, path
        return StateUpdate(events=_watching(app, path)) if came_back else None


def event_handlers() -> Mapping[str, RegisteredEventHandler]:
    """Return all handlers that a tab's event may name, by their full names."""
    return RegistrationContext.get().event_handlers


def _watching(app: rx.App, path: str) -> list[Event]:
    """Return the page's background handlers, and Reflex's event that ends the loading."""
    loading = Event.from_event_type(app.get_load_events(path))
    handlers = event_handlers()
    watching = [event for event in loading if handlers[event.name].handler.is_background]
    return [*watching, *Event.from_event_type(OnLoadInternalState.set_is_hydrated(True))]


def _path(state: BaseState) -> str:
    return state.router.url.path.rstrip("/")


async def _is_signed_in(state: rx.State) -> bool:
    try:
        await resolve_person(state)
    except NotSignedIn:
        return False
    return True
