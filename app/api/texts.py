"""Check the texts of a request first: texts that are too long or cannot be stored are refused by field."""

from collections.abc import Mapping
from itertools import islice
from typing import Any, Final

from fastapi import Request
from fastapi.exceptions import RequestValidationError

from app.domain.text import LONGEST, Path, wrong_texts

_NO_FIELDS: Final = "This request takes no fields. Send no body, or {}."
_MOST_TOLD: Final = 100
"""The most errors in one response."""


def check_addressed(request: Request) -> None:
    """Raise `RequestValidationError` for texts in path or query that cannot be stored."""
    refuse("path", wrong_texts(dict(request.path_params)))
    query = request.query_params
    refuse("query", wrong_texts({name: "".join(query.getlist(name)) for name in query}))


async def check_body(request: Request) -> None:
    """Raise `RequestValidationError` for texts of a JSON body that cannot be stored or are too long.

    A body that is not JSON passes: the route reports it.
    """
    try:
        sent: Any = await request.json()
    except (ValueError, RecursionError):
        return
    refuse("body", wrong_texts(sent, longest=LONGEST))


async def check_no_body(request: Request) -> None:
    """Raise `RequestValidationError`, which names the fields, if the body is neither empty nor `{}`.

    For routes without fields.
    """
    try:
        sent: Any = await request.json() if await request.body() else {}
    except (ValueError, RecursionError):
        sent = None
    if isinstance(sent, Mapping):
        refuse("body", {(name,): _NO_FIELDS for name in sent})
    else:
        refuse("body", {(): _NO_FIELDS})


def refuse(part: str, wrong: Mapping[Path, str]) -> None:
    """Raise `RequestValidationError` if anything is wrong with a part of a request."""
    if wrong:
        told = islice(wrong.items(), _MOST_TOLD)
        raise RequestValidationError(
            [
                {"type": "text_refused", "loc": (part, *map(_quoted, path)), "msg": message}
                for path, message in told
            ]
        )


_LONGEST_NAME: Final = 200


def _quoted(name: str | int) -> str:
    """Return a field's name, shortened for the error."""
    return str(name)[:_LONGEST_NAME]
