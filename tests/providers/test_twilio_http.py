"""The form of a request, as the carrier must receive it."""

from typing import Final
from urllib.parse import parse_qsl, urlencode

from hypothesis import given
from hypothesis import strategies as st

from app.providers.twilio.http import form_encoded

_VALUES: Final = st.one_of(st.text(), st.integers(), st.booleans(), st.lists(st.text(), max_size=3))


@given(st.dictionaries(st.text(min_size=1), _VALUES, max_size=6))
def test_a_form_is_encoded_as_the_standard_library_encodes_it(form: dict[str, object]) -> None:
    assert form_encoded(form) == urlencode(form, doseq=True).encode()


def test_every_value_of_a_list_is_a_field_of_its_own() -> None:
    body = form_encoded(
        {"To": "+12025550100", "StatusCallbackEvent": ["ringing", "completed"], "Timeout": 30}
    )
    assert parse_qsl(body.decode()) == [
        ("To", "+12025550100"),
        ("StatusCallbackEvent", "ringing"),
        ("StatusCallbackEvent", "completed"),
        ("Timeout", "30"),
    ]
