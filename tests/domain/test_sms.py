"""How many parts a text is sent in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.sms import Encoding, Segments, segments, smart_encoding

GSM, UCS = Encoding.GSM_7, Encoding.UCS_2


@pytest.mark.parametrize(
    ("text", "encoding", "units", "parts"),
    [
        ("", GSM, 0, 0),
        ("a", GSM, 1, 1),
        ("a" * 160, GSM, 160, 1),
        ("a" * 161, GSM, 161, 2),
        ("a" * 306, GSM, 306, 2),
        ("a" * 307, GSM, 307, 3),
        ("a" * 1600, GSM, 1600, 11),
        ("€" * 80, GSM, 160, 1),
        ("€" * 81, GSM, 162, 2),
        ("a" * 152 + "€" + "a" * 152, GSM, 306, 3),
        ("Line one\nLine two\r\n", GSM, 19, 1),
        ("{}[]~|\\^€\f", GSM, 20, 1),
        ("Ç", GSM, 1, 1),
        ("ç", UCS, 1, 1),
        ("é à ñ ü ß", GSM, 9, 1),
        ("It\u2019s", UCS, 4, 1),
        ("`", UCS, 1, 1),
        ("a\tb", UCS, 3, 1),
        ("я" * 70, UCS, 70, 1),
        ("я" * 71, UCS, 71, 2),
        ("я" * 134, UCS, 134, 2),
        ("я" * 135, UCS, 135, 3),
        ("😀" * 35, UCS, 70, 1),
        ("😀" * 36, UCS, 72, 2),
        ("я" * 66 + "😀" + "я" * 66, UCS, 134, 3),
    ],
)
def test_parts_are_counted_as_the_carrier_counts_them(
    text: str, encoding: Encoding, units: int, parts: int
) -> None:
    size = segments(text)
    assert (size.encoding, size.units, size.parts) == (encoding, units, parts)


def test_it_says_what_fits_still_and_which_characters_are_to_blame() -> None:
    assert segments("Hi there") == Segments(GSM, 8, 1, 152, ())
    assert segments("a" * 161) == Segments(GSM, 161, 2, 145, ())
    assert segments("It\u2019s “fine” — it\u2019s 😀").outside == ("\u2019", "“", "”", "—", "😀")


def test_typographic_characters_are_put_plainly() -> None:
    dear = "It\u2019s \u201cfine\u201d \u2013 really\u2026\u00a0see\u200b you"
    assert smart_encoding(dear) == 'It\'s "fine" - really... see you'
    assert segments(smart_encoding(dear)).encoding is GSM


def test_letters_of_a_language_are_never_changed() -> None:
    for text in ("français", "Żółć", "привет", "日本", "😀", "¿Qué?"):
        assert smart_encoding(text) == text


@given(st.text(max_size=400))
def test_parts_hold_all_units_with_room_for_none_wasted_but_a_pair(text: str) -> None:
    size = segments(text)
    single, part = (160, 153) if size.encoding is GSM else (70, 67)
    room = single if size.parts <= 1 else size.parts * part
    assert size.units <= room
    assert 0 <= size.room <= single
    if size.parts > 1:
        assert size.units > max(single, (size.parts - 1) * (part - 1))


@given(st.text(max_size=200))
def test_smart_encoding_is_settled_after_one_pass(text: str) -> None:
    assert smart_encoding(smart_encoding(text)) == smart_encoding(text)
