"""Text at the browser's border: no event and no address brings what the database cannot hold any further."""

import inspect
from collections.abc import Iterator
from typing import Any, Final, get_origin

import pytest
from reflex_base.event import Event

from app.domain.text import what_is_wrong
from app.services.errors import CallsheetError, FieldErrors
from app.web import guard
from tests.web.browser import Browser, signed_in
from tests.web.conftest import Driver
from tests.web.test_rights_walk import Called, Scene, _called, scene  # noqa: F401  # a fixture

NUL: Final = "a\0b"
HALF: Final = "a\ud800b"
KEPT: Final = "Zoë 👩‍👩‍👧 e\u0301\tone\r\ntwo שלום\u200f"


def _samples(text: str) -> dict[Any, Any]:
    """Return what a hostile client may send where a handler takes each type."""
    return {
        str: text,
        int: text,
        bool: True,
        dict: {"name": text, text: "x", "phone_number": text, "tags": [text], "email": text},
        list: [{text: text, "name": text}, text],
    }


def _event(called: Called, text: str) -> Event | None:
    """Return the event with the text wherever it takes one; None if it takes none."""
    _, *parameters = inspect.signature(called.handler.fn).parameters.values()
    samples = _samples(text)
    payload = {each.name: samples[get_origin(each.annotation) or each.annotation] for each in parameters}
    takes = {get_origin(each.annotation) or each.annotation for each in parameters} & {str, dict, list}
    return Event(name=called.name, payload=payload) if takes else None


def _events(text: str) -> Iterator[tuple[Called, Event]]:
    for called in _called():
        if (event := _event(called, text)) is not None:
            yield called, event


@pytest.mark.parametrize("text", [NUL, HALF], ids=["a NUL", "half a character"])
async def test_no_handler_takes_what_cannot_be_stored(
    scene: Scene,  # noqa: F811
    tab: Driver,
    text: str,
) -> None:
    browser = await signed_in(tab, scene.mine, scene.page)
    walked = list(_events(text))
    assert len(walked) > 50
    for called, event in walked:
        scene.answers.clear()
        await browser.send(event)
        [answer] = scene.answers
        assert isinstance(answer, FieldErrors), called.name
        assert "cannot be stored" in str(answer), called.name
        assert not any(map(what_is_wrong, answer.errors)), called.name
    assert tab.errors == []


@pytest.mark.parametrize("text", [KEPT, "a\uffffb", "\u202e\x1b", "x" * 100_000, "", "9" * 5_000])
async def test_no_other_text_is_an_error_of_ours(
    scene: Scene,  # noqa: F811
    tab: Driver,
    text: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    surprises: list[tuple[str, Exception]] = []
    browser = await signed_in(tab, scene.mine, scene.page)
    for called, event in _events(text):
        monkeypatch.setattr(guard, "report", lambda error, name=called.name: surprises.append((name, error)))
        await browser.send(event)
    assert [(name, ascii(error)) for name, error in surprises] == []
    assert tab.errors == []


@pytest.mark.parametrize("text", [NUL, HALF, "9" * 5_000, "x" * 100_000, "\uffff", "²", "٣"])
async def test_no_address_is_an_error_of_ours(
    scene: Scene,  # noqa: F811
    tab: Driver,
    text: str,
) -> None:
    browser = await signed_in(tab, scene.mine, "")
    slug = scene.mine.slug
    for address in (
        f"/{text}/campaigns/1",
        f"/{slug}/campaigns/{text}/contacts?search={text}",
        f"/{slug}/contacts/{text}?search={text}&filter={text}&cursor={text}&import={text}",
        f"/{slug}/imports?import={text}",
    ):
        browser = Browser(tab, browser.cookie, address)
        for called in _called():
            if called.name.rsplit(".", 1)[-1] not in {"load", "enter", "find_the_way"}:
                continue
            scene.answers.clear()
            await browser.send(Event(name=called.name, payload={}))
            assert all(isinstance(each, CallsheetError) for each in scene.answers), (
                called.name,
                scene.answers,
            )
    assert tab.errors == []
