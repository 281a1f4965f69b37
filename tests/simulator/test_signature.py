"""What the carrier signs and writes, against what others make of it."""

from urllib.parse import parse_qsl, urlencode

from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams
from twilio.request_validator import RequestValidator

from app.simulator.signature import encode, sign

FIELDS = st.lists(
    st.tuples(st.text(st.characters(codec="utf-8"), min_size=1), st.text(st.characters(codec="utf-8")))
)


@given(FIELDS)
def test_twilios_validator_accepts_the_signature_of_any_fields(fields: list[tuple[str, str]]) -> None:
    url = "https://example.com/hook?a=b%20c"
    assert RequestValidator("token").validate(url, QueryParams(fields), sign("token", url, fields))


@given(FIELDS)
def test_a_form_is_read_back_as_it_was(fields: list[tuple[str, str]]) -> None:
    assert encode(fields) == urlencode(fields)
    assert parse_qsl(encode(fields), keep_blank_values=True) == fields


def test_repeated_fields_are_signed_once_each_and_blank_ones_too() -> None:
    repeated = [("Event", "b"), ("Event", "a"), ("Event", "b"), ("City", "")]
    assert sign("token", "https://example.com/", repeated) == RequestValidator("token").compute_signature(
        "https://example.com/", QueryParams(repeated)
    )
