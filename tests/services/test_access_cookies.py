"""What is read of a browser's cookies, whatever stands beside ours."""

from typing import Final

import pytest

from app.services.access.cookies import cookie_name, tokens_in
from app.services.access.sessions import SESSION_COOKIE

ODD: Final = [
    'prefs={"a":1}', "x[y]=1", "foo", "=x", "=", "foo=a b", 'foo=a"b', 'foo="', "path=/", "expires=Thu, 01 Jan 1970",
    "na\xefve=1", "na\xc3\xafve=1", "secure", "a=b=c", "", ",", "foo=\\", "foo=callsheet_session", "$Version=1",
    "\x85=1",
]  # fmt: skip


def session_in(*headers: str, over_https: bool = False) -> tuple[str, ...]:
    return tokens_in(headers, SESSION_COOKIE, over_https=over_https)


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_cookie_before_or_behind_ours_changes_nothing(odd: str) -> None:
    assert session_in(f"{odd}; {SESSION_COOKIE}=t; {odd}") == ("t",)
    assert session_in(odd, f"{SESSION_COOKIE}=t", odd) == ("t",)


def test_all_of_a_name_are_read_once_from_all_headers() -> None:
    assert session_in(
        f"{SESSION_COOKIE}=a; {SESSION_COOKIE}=b", f"{SESSION_COOKIE}=a;{SESSION_COOKIE}=c"
    ) == (
        "a",
        "b",
        "c",
    )


@pytest.mark.parametrize(
    "header", ["", f"{SESSION_COOKIE}=", SESSION_COOKIE, f"my{SESSION_COOKIE}=t", f"={SESSION_COOKIE}=t"]
)
def test_what_is_not_ours_is_not_read(header: str) -> None:
    assert session_in(header) == ()


def test_there_is_a_bound() -> None:
    assert len(session_in("; ".join(f"{SESSION_COOKIE}={number}" for number in range(5_000)))) == 200


@pytest.mark.parametrize("space", ["", "\xa0", "\x85", "\x1f", "\x0b"])
def test_over_https_only_what_this_host_itself_can_set_is_read(space: str) -> None:
    """A browser does not know a name behind such a space for one of `__Host-`, and takes it from a sibling domain."""
    ours = cookie_name(SESSION_COOKIE, over_https=True)
    assert session_in(f"{ours}=t; {SESSION_COOKIE}=planted", over_https=True) == ("t",)
    if space:
        assert session_in(f"{space}{ours}=planted", over_https=True) == ()
