"""What the guard promises of every event handler."""

import inspect
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import reflex as rx
from reflex.event import EventSpec

from app.domain.rights import Right, Role
from app.runtime.config import Settings
from app.runtime.context import AppContext, build_context
from app.services.access.principal import Principal
from app.services.errors import Conflict, FieldErrors
from app.web import guard
from app.web.guard import GUARD, FormState, NotSignedIn, PageState, anyone, guarded
from app.web.visit import Visit
from tests.web.conftest import Driver


class GuardedState(FormState, rx.State):
    """A page whose handlers fail in every way."""

    seen: rx.Field[list[str]] = rx.field(default_factory=list)

    @guarded(Right.VIEW)
    async def plain(self, visit: Visit, word: str) -> None:
        self.seen = [visit.principal.actor, word]

    @guarded(Right.VIEW)
    async def stepwise(self, visit: Visit) -> AsyncIterator[None]:
        self.saving = True
        yield
        self.seen = [visit.principal.actor]

    @guarded(Right.VIEW, background=True)
    async def behind(self, visit: Visit) -> None:
        async with self:
            self.saving = True
        if visit.principal.role is Role.VIEWER:
            raise Conflict("It is over.")

    @guarded(Right.EDIT_CAMPAIGNS)
    async def edit(self, visit: Visit) -> None:
        self.seen = ["edited", visit.principal.actor]

    @guarded(Right.VIEW)
    async def load(self, visit: Visit) -> None:
        del visit
        self.loading = True
        raise Conflict("The list is being rebuilt.")

    @guarded(Right.VIEW)
    async def save(self, visit: Visit, how: str) -> AsyncIterator[EventSpec | None]:
        del visit
        self.saving, self.loading, self.errors = True, False, {}
        yield None
        raise {"field": FieldErrors({"name": "Give it a name."}), "bug": KeyError("secret-detail")}[how]

    @guarded(Right.VIEW)
    async def submit(self, visit: Visit, form: dict[str, Any]) -> None:
        del visit
        self.seen = sorted(form)
        if "name" not in form:
            raise FieldErrors({"name": "Give it a name."})

    @anyone
    async def open_dialog(self) -> None:
        self.seen = ["open"]


class ActingState(PageState, rx.State):
    """Buttons that fail on any page: it loads nothing, so it has no place of its own to say so."""

    @guarded(Right.VIEW)
    async def act(self, visit: Visit) -> None:
        del visit
        raise Conflict("It is over.")

    @guarded(Right.VIEW)
    async def act_on_a_field(self, visit: Visit) -> None:
        del visit
        raise FieldErrors({"breaker.hang_up_rate": "Enter a percentage from 0 to 100."})


@pytest.fixture
def role(monkeypatch: pytest.MonkeyPatch) -> dict[str, Role | None]:
    """Who is asking; none: nobody is signed in."""
    who: dict[str, Role | None] = {"role": Role.VIEWER}

    async def resolve(state: rx.State) -> Principal:
        del state
        if who["role"] is None:
            raise NotSignedIn
        return Principal(
            organization_id=1,
            organization_slug="acme",
            organization_name="Acme",
            role=who["role"],
            actor="ana@acme.test",
            time_zone="UTC",
        )

    servers = {"database_url": "postgresql://127.0.0.1:9/none", "redis_url": "redis://127.0.0.1:9"}
    unconnected = build_context(Settings.model_validate(servers))
    monkeypatch.setattr(guard, "resolve_principal", resolve)
    monkeypatch.setattr(guard, "get_context", lambda: unconnected)
    return who


async def test_a_handler_is_given_its_principal_and_its_arguments(tab: Driver, role: dict[str, Any]) -> None:
    await tab.send(GuardedState.plain("hello"))
    assert (await tab.state(GuardedState)).seen == ["ana@acme.test", "hello"]


async def test_a_stranger_is_sent_to_sign_in_and_nothing_runs(tab: Driver, role: dict[str, Any]) -> None:
    role["role"] = None
    await tab.send(GuardedState.plain("hello"))
    assert (await tab.state(GuardedState)).seen == []


async def test_a_role_without_the_right_is_refused(tab: Driver, role: dict[str, Any]) -> None:
    await tab.send(GuardedState.edit())
    assert (await tab.state(GuardedState)).seen == []
    role["role"] = Role.MANAGER
    await tab.send(GuardedState.edit())
    assert (await tab.state(GuardedState)).seen == ["edited", "ana@acme.test"]


async def test_saving_ends_with_the_handler(tab: Driver, role: dict[str, Any]) -> None:
    await tab.send(GuardedState.stepwise())
    state = await tab.state(GuardedState)
    assert (state.saving, state.seen) == (False, ["ana@acme.test"])


async def test_saving_ends_with_a_background_handler_that_fails(tab: Driver, role: dict[str, Any]) -> None:
    await tab.send(GuardedState.behind())
    assert not (await tab.state(GuardedState)).saving
    assert tab.errors == []


async def test_field_errors_stand_at_their_fields(tab: Driver, role: dict[str, Any]) -> None:
    deltas = await tab.send(GuardedState.save("field"))
    state = await tab.state(GuardedState)
    assert (state.errors, state.saving) == ({"name": "Give it a name."}, False)
    assert "Give it a name." in str(deltas)


async def test_a_box_that_the_page_does_not_show_has_no_value(tab: Driver, role: dict[str, Any]) -> None:
    await tab.send(GuardedState.submit({"name": "Ann", "sms": None, "voice": False, "notes": ""}))
    assert (await tab.state(GuardedState)).seen == ["name", "notes", "voice"]


async def test_whoever_sent_a_form_is_taken_to_what_is_wrong_in_it(tab: Driver, role: dict[str, Any]) -> None:
    sent = await _events_of(tab, "submit", {"name": None})
    assert "scrollIntoView" in sent
    assert (await tab.state(GuardedState)).errors == {"name": "Give it a name."}


async def test_an_error_is_named_in_words_for_the_banner(tab: Driver, role: dict[str, Any]) -> None:
    await tab.send(GuardedState.save("field"))
    (problem,) = (await tab.state(GuardedState)).problems
    assert (problem.key, problem.setting, problem.reason) == ("GuardedState/name", "Name", "Give it a name.")


async def test_field_errors_of_a_page_without_boxes_are_told_in_passing(
    tab: Driver, role: dict[str, Any]
) -> None:
    state = await tab.state(ActingState)
    handler = ActingState.event_handlers["act_on_a_field"]
    (told,) = [event async for event in handler.fn(state)]
    assert "Breaker: hang up rate: Enter a percentage from 0 to 100." in str(told)


async def test_a_failed_load_says_why_in_the_place_of_the_content(tab: Driver, role: dict[str, Any]) -> None:
    await tab.send(GuardedState.load())
    state = await tab.state(GuardedState)
    assert (state.problem, state.loading) == ("The list is being rebuilt.", False)


async def test_a_failed_action_is_no_failed_load(tab: Driver, role: dict[str, Any]) -> None:
    await tab.send(ActingState.act())
    assert (await tab.state(ActingState)).problem == ""
    assert tab.errors == []


async def test_an_unforeseen_error_is_logged_and_not_shown(
    tab: Driver, role: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    deltas = await tab.send(GuardedState.save("bug"))
    assert not (await tab.state(GuardedState)).saving
    assert "web.handler_failed" in caplog.text
    assert "secret-detail" not in str(deltas)
    assert tab.errors == []


@pytest.mark.parametrize(
    ("handler", "payload"),
    [
        ("plain", {}),
        ("plain", {"word": "hello", "more": 1}),
        ("plain", {"principal": "me"}),
        ("submit", {"form": None}),
        ("submit", {"form": 7}),
    ],
)
async def test_an_event_that_no_page_sends_is_refused_without_a_line_in_the_log(
    tab: Driver,
    role: dict[str, Any],
    handler: str,
    payload: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    state = await tab.state(GuardedState)
    told = str([event async for event in GuardedState.event_handlers[handler].fn(state, **payload)])
    assert "This page is of another version. Reload it." in told
    assert state.seen == []
    assert caplog.text == ""


async def test_an_error_of_reflexs_own_is_one_line_and_of_many_a_few(
    seams: AppContext, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(50):
        guard.tell_of(KeyError("secret"))
    guard.note_browser_error(Exception("x"))
    lines = [record for record in caplog.records if record.message == "web.event_failed"]
    assert len(lines) == 20
    assert all(line.exc_info is None and "secret" not in str(vars(line)) for line in lines)


async def test_a_client_cannot_bring_its_own_principal(tab: Driver, role: dict[str, Any]) -> None:
    handler = GuardedState.event_handlers["plain"]
    assert list(inspect.signature(handler.fn).parameters) == ["self", "word"]
    assert "principal" not in handler.fn.__annotations__


async def test_a_handler_for_anyone_needs_nobody(tab: Driver, role: dict[str, Any]) -> None:
    role["role"] = None
    await tab.send(GuardedState.open_dialog())
    assert (await tab.state(GuardedState)).seen == ["open"]


def test_every_handler_of_the_browser_ui_has_a_guard() -> None:
    import app.app  # noqa: F401  # registers every page and state

    unguarded = [
        f"{state.__name__}.{name}"
        for state in _states(rx.State)
        if state.__module__.startswith("app.web")
        for name, handler in state.event_handlers.items()
        if handler.fn.__module__.startswith("app.") and not hasattr(handler.fn, GUARD)
    ]
    assert unguarded == []


async def _events_of(tab: Driver, handler: str, *arguments: Any) -> str:
    """Run a handler, and return the events it sends the browser, as text."""
    state = await tab.state(GuardedState)
    return str([event async for event in GuardedState.event_handlers[handler].fn(state, *arguments)])


def _states(state: type[rx.State]) -> Iterator[type[rx.State]]:
    yield state
    for child in state.get_substates():
        yield from _states(child)  # type: ignore[arg-type]  # substates are declared as their base class
