"""What every form of the browser UI does with what is sent, and with errors that none of its boxes shows."""

from collections.abc import Iterator

import pytest
import reflex as rx

import app.app as web_process
from app.runtime.migrations import PROJECT
from app.web.forms import as_shown, setting_words
from app.web.guard import FormState


def test_what_a_page_does_not_show_is_no_value() -> None:
    assert as_shown({"a": None, "b": "", "c": False}) == {"b": "", "c": False}
    assert as_shown("7") == "7"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("name", "Name"),
        ("phone_number_id", "Phone number"),
        ("breaker.hang_up_rate", "Breaker: hang up rate"),
        ("retry_delays_by_outcome.no_answer", "Retry delays by outcome: no answer"),
    ],
)
def test_a_setting_is_named_in_words(path: str, words: str) -> None:
    assert setting_words(path) == words


def test_every_form_shows_the_errors_that_have_no_box_on_its_page() -> None:
    drawn = "".join(_pages())
    states = list(_form_states(rx.State))
    assert len(states) > 15, "the walk finds no forms"
    assert [state.__name__ for state in states if str(state.problems) not in drawn] == []


def test_every_form_is_made_by_the_one_that_has_the_banner() -> None:
    web = PROJECT / "app/web"
    pages = [*(web / "pages").rglob("*.py"), *(web / "imports").rglob("*.py")]
    assert [str(page) for page in pages if "rx.form(" in page.read_text()] == []


def _pages() -> Iterator[str]:
    for page in web_process.app._unevaluated_pages.values():
        made = page.component() if callable(page.component) else page.component
        assert isinstance(made, rx.Component)
        yield str(made.render())


def _form_states(state: type[rx.State]) -> Iterator[type[FormState]]:
    if issubclass(state, FormState) and state.__module__.startswith("app.web"):
        yield state
    for child in state.get_substates():
        yield from _form_states(child)  # type: ignore[arg-type]  # substates are declared as their base class
