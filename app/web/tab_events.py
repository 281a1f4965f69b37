"""What happens before the events that Reflex itself handles: those that ask for all that a tab shows."""

from collections.abc import Mapping
from typing import Final

import reflex as rx
from reflex.event import Event
from reflex.middleware.middleware import Middleware
from reflex.state import BaseState, OnLoadInternalState, StateUpdate
from reflex_base.registry import RegisteredEventHandler, RegistrationContext

from app.web.guard import GUARD, NotSignedIn, resolve_person, session_tokens

_CONNECT: Final = f"{rx.State.get_full_name()}.hydrate_and_load"
"""Each connection's first event."""
_LOAD: Final = f"{OnLoadInternalState.get_full_name()}.on_load_internal"
"""Runs a page's `on_load` handlers, when it is opened and after each connection's first event."""
_OF_A_NEW_DOCUMENT: Final = "hashes"
"""In the first event's payload when the browser has just loaded the page, and not when its line broke."""


class ForgetSignedOut(Middleware):
    """What a tab holds of a session that was ended, here or elsewhere, is gone before anybody is told of it.

    Our own handlers ask who sends an event; Reflex's do not.
    """

    async def preprocess(self, app: rx.App, state: BaseState, event: Event) -> StateUpdate | None:  # noqa: ARG002
        """Reset the tab's state, once, if its session has ended; the event then goes its way.

        Once: a cookie that is good for nothing stays, and who signs in beside it does so in the same tab.
        """
        if _is_ours(event.name):
            return None
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
    """What is known of a tab besides what it shows."""

    shown: rx.Field[str] = rx.field("")
    """The path whose handlers were run last; they have ended if the tab `is_hydrated`."""
    came_back: rx.Field[bool] = rx.field(False)
    """The next loading is that of a page whose line broke."""
    forgotten: rx.Field[bool] = rx.field(False)
    """The session in its cookie has ended, and all that was of it is gone: no guard lets more in with that cookie."""


class SkipReloadOnReconnect(Middleware):
    """A page whose line broke, and that is still what the tab holds, is not loaded once more when it comes back.

    Loading empties forms and closes dialogs: what was typed or chosen would be lost, and a key shown once with it.
    What watches goes on, and brings what has changed meanwhile.
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
    """Return the page's handlers that go on in the background, and Reflex's sign that loading has ended."""
    loading = Event.from_event_type(app.get_load_events(path))
    handlers = event_handlers()
    watching = [event for event in loading if handlers[event.name].handler.is_background]
    return [*watching, *Event.from_event_type(OnLoadInternalState.set_is_hydrated(True))]


def _path(state: BaseState) -> str:
    return state.router.url.path.rstrip("/")


def _is_ours(name: str) -> bool:
    registered = event_handlers().get(name)
    return registered is not None and hasattr(registered.handler.fn, GUARD)


async def _is_signed_in(state: rx.State) -> bool:
    try:
        await resolve_person(state)
    except NotSignedIn:
        return False
    return True
