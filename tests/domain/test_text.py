"""What counts as blank: nobody sees or hears it, whatever it is made of."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.text import is_blank, trimmed

BLANK = (
    *(
        "",
        " ",
        "\t\r\n",
        "\x00",
        "\x7f",
        "\u00a0",
        "\u3000",
        "\u2028",
        "\u200b",
        "\ufeff",
        "\u2060",
        "\u00ad",
    ),
    *(
        "\u200d\u200c",
        "\u202e",
        "\u2066",
        "\U000e0041",
        "\u034f",
        "\ufe0f",
        "\u3164",
        "\u2800",
        " \u200b \u3164\n",
    ),
)
SEEN = ("a", ".", "0", "\u5c71", "\u200b.", "\u00ada\u00ad", "\U0001f600", "\u00b7", "\ufffd", "\u0301")


@pytest.mark.parametrize("text", BLANK, ids=ascii)
def test_what_shows_nothing_is_blank(text: str) -> None:
    assert (is_blank(text), trimmed(text)) == (True, "")


@pytest.mark.parametrize("text", SEEN, ids=ascii)
def test_what_shows_something_is_not(text: str) -> None:
    assert (is_blank(text), trimmed(f" {text}\n")) == (False, text)


@given(st.text())
def test_a_text_is_blank_if_every_character_of_it_is(text: str) -> None:
    assert is_blank(text) is all(map(is_blank, text))
    assert is_blank(text) or any(unicodedata.category(each)[0] in "LMNPSC" for each in text)
