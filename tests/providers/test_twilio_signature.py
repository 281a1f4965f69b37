"""Our signature check gives the verdict of the SDK's own `RequestValidator`."""

import hashlib
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from app.providers.twilio.signature import SignatureVerifier, sign

TOKEN = "12345"
FIELDS = [("CallSid", "CA1234567890ABCDE"), ("Digits", "1234"), ("To", "+18005551212")]


class FormOfTheSdk:
    """Form fields as the SDK expects them of a web framework."""

    def __init__(self, fields: list[tuple[str, str]]) -> None:
        self._fields = fields

    def __iter__(self) -> Iterator[str]:
        return iter([name for name, _ in self._fields])

    def __bool__(self) -> bool:
        return bool(self._fields)

    def getlist(self, name: str) -> list[str]:
        return [value for one, value in self._fields if one == name]


def verifier(public_url: str = "https://mycompany.com", *tokens: str) -> SignatureVerifier:
    return SignatureVerifier(tokens=tokens or (TOKEN,), public_url=public_url)


@pytest.mark.parametrize(
    ("url", "caller", "signature"),
    [
        ("https://mycompany.com/myapp.php?foo=1&bar=2", "+14158675309", "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        ("https://mycompany.com/myapp.php?foo=1&bar=2", "+14158675310", "GvWf1cFY/Q7PnoempGyD5oXAezc="),
        ("https://example.com/myapp.php?foo=1&bar=2", "+14158675310", "L/OH5YylLD5NRKLltdqwSvS0BnU="),
    ],
)
def test_twilios_published_signatures(url: str, caller: str, signature: str) -> None:
    fields = [*FIELDS, ("Caller", caller), ("From", caller)]
    assert sign(TOKEN, url, fields) == signature
    base, _, target = url.partition("/myapp")
    assert verifier(base).accepts_form("/myapp" + target, fields, signature)


TOKENS = st.sampled_from([TOKEN, "other"])
CHANGES = st.sampled_from(["none", "a field"])
texts = st.text(max_size=8)
forms = st.lists(st.tuples(st.sampled_from(["A", "a", "B", "AB", "é"]), texts), max_size=6)
public_urls = st.sampled_from(
    [
        "https://h.example",
        "https://h.example:443",
        "https://h.example:8443",
        "http://h.example",
        "http://h.example:80",
    ]
)
targets = st.sampled_from(["/w", "/w?a=1&b=%20", "/w/?b=2&a=", "/w%2Fx?q=%C3%A9"])


@given(
    forms,
    public_urls,
    targets,
    public_urls,
    st.sampled_from(["none", "a field"]),
    st.sampled_from([TOKEN, "other"]),
)
def test_a_form_gets_the_verdict_of_the_sdk(
    fields: list[tuple[str, str]], ours: str, target: str, signed_as: str, change: str, token: str
) -> None:
    signature = sign(token, signed_as + target, fields)
    seen = [*fields, ("Extra", "1")] if change == "a field" else fields
    sdk = RequestValidator(TOKEN).validate(ours + target, FormOfTheSdk(seen), signature)
    assert verifier(ours).accepts_form(target, seen, signature) is sdk


@given(
    st.text(max_size=20),
    st.sampled_from([TOKEN, "other"]),
    st.sampled_from(["right", "wrong", "absent", "blank"]),
)
def test_a_json_body_gets_the_verdict_of_the_sdk(body: str, token: str, stated: str) -> None:
    encoded = body.encode("utf-8", "replace")
    digest = {"right": hashlib.sha256(encoded).hexdigest(), "wrong": "0" * 64, "blank": ""}.get(stated)
    target = "/w?x=1" if digest is None else f"/w?x=1&bodySHA256={digest}"
    signature = sign(token, "https://mycompany.com" + target)
    try:
        sdk = RequestValidator(TOKEN).validate("https://mycompany.com" + target, encoded.decode(), signature)
    except TypeError:  # the SDK's answer to a text without bodySHA256
        sdk = False
    assert verifier().accepts_body(target, encoded, signature) is sdk


def test_blank_values_are_signed() -> None:
    fields = parse_qsl("FromCity=&To=%2B1", keep_blank_values=True)
    with_blank = sign(TOKEN, "https://mycompany.com/w", fields)
    assert verifier().accepts_form("/w", fields, with_blank)
    assert with_blank == RequestValidator(TOKEN).compute_signature("https://mycompany.com/w", dict(fields))


def test_repeated_keys_are_signed_once_per_distinct_value() -> None:
    once = sign(TOKEN, "https://mycompany.com/w", [("A", "1"), ("A", "2")])
    assert verifier().accepts_form("/w", [("A", "2"), ("A", "1"), ("A", "2")], once)


def test_both_tokens_are_good_while_one_replaces_the_other() -> None:
    for token in ("old", "new"):
        signature = sign(token, "https://mycompany.com/w", FIELDS)
        assert verifier("https://mycompany.com", "old", "new").accepts_form("/w", FIELDS, signature)


@pytest.mark.parametrize("signature", ["", "x", "é", "=" * 500, urlencode(FIELDS)])
def test_nonsense_is_no_signature(signature: str) -> None:
    assert not verifier().accepts_form("/w", FIELDS, signature)
