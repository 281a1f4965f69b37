"""Every error of the API as RFC 9457 problem details: what happened, and which field to correct."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from secrets import token_hex
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.exc import InterfaceError, OperationalError
from starlette.exceptions import HTTPException

from app.providers.base import CarrierNotConfigured
from app.services.errors import CallsheetError, Conflict, FieldErrors, NotAllowed, NotFound
from app.services.idempotency import InProgress, KeyReused
from app.services.numbers.ownership import CarrierSilent
from app.services.tabular.refusals import FileRefused

log = logging.getLogger(__name__)

MEDIA_TYPE: Final = "application/problem+json"
_RETRY_AFTER: Final = {"Retry-After": "2"}
_QUOTA_EXCEEDED: Final = "https://iana.org/assignments/http-problem-types#quota-exceeded"
_CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="Callsheet"'}

_STATUS: Final[Mapping[type[CallsheetError], HTTPStatus]] = {
    NotFound: HTTPStatus.NOT_FOUND,
    NotAllowed: HTTPStatus.FORBIDDEN,
    Conflict: HTTPStatus.CONFLICT,
    FieldErrors: HTTPStatus.UNPROCESSABLE_ENTITY,
    FileRefused: HTTPStatus.UNPROCESSABLE_ENTITY,
    KeyReused: HTTPStatus.UNPROCESSABLE_ENTITY,
    CarrierSilent: HTTPStatus.SERVICE_UNAVAILABLE,
}

API_NAMES: Final[Mapping[str, str]] = {
    "agent_id": "assistant_id",
    "channel": "campaign_type",
    "number": "phone_number",
    "allowed_start": "allowed_hours.start",
    "allowed_end": "allowed_hours.end",
    "allowed_days": "allowed_hours.days",
    "calling_windows": "allowed_hours.windows",
    "calling_clock": "allowed_hours.clock",
}
"""Field of the services -> its name in `/api/v1`."""


class FieldProblem(BaseModel):
    """One field to correct."""

    field: str = Field(description="The field's path as it was sent, such as `allowed_hours.start`.")
    message: str


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] = Field(default_factory=list)


class FieldsAsSent(FieldErrors):
    """Field errors whose fields are already named as in the request."""


class NotIdentified(CallsheetError):
    """The request carries no API key, or one that is unknown or revoked."""

    code = "not_identified"

    def __init__(self) -> None:
        super().__init__("Send an API key that is known and not revoked: `Authorization: Bearer cs_…`.")


class TooMany(CallsheetError):
    """More than a quota allows. `retry_in` is in seconds."""

    code = "too_many_requests"

    def __init__(self, quota: str, retry_in: int) -> None:
        super().__init__(f"Too many requests. Try again in {retry_in} second{'' if retry_in == 1 else 's'}.")
        self.quota = quota
        self.retry_in = retry_in


def install(app: FastAPI) -> None:
    """Answer every error of `app` with problem details."""
    app.add_exception_handler(CallsheetError, _of_callsheet)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(HTTPException, _of_http)
    for kind in (CarrierNotConfigured, OperationalError, InterfaceError):
        app.add_exception_handler(kind, _service_unavailable)
    app.add_exception_handler(Exception, _of_surprise)


def problem(
    status: int,
    detail: str,
    *,
    errors: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> JSONResponse:
    """Return a problem details response; `errors` is field -> message."""
    body = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=_printable(detail),
        errors=[
            FieldProblem(field=_printable(field), message=_printable(message))
            for field, message in sorted((errors or {}).items())
        ],
    )
    return JSONResponse(
        body.model_dump() | more, status_code=status, headers=dict(headers or {}), media_type=MEDIA_TYPE
    )


def _printable(text: str) -> str:
    """Return text that quotes a request, without lone surrogates: JSON may have them, and UTF-8 cannot encode them."""
    return text.encode("utf-8", "replace").decode()


def in_api_names(errors: Mapping[str, str]) -> dict[str, str]:
    """Return field errors of services with the field names of `/api/v1`."""
    return {API_NAMES.get(field, field): message for field, message in errors.items()}


async def _of_callsheet(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, CallsheetError)
    if isinstance(error, NotIdentified):
        return problem(HTTPStatus.UNAUTHORIZED, str(error), headers=_CHALLENGE)
    if isinstance(error, TooMany):
        return _of_too_many(error)
    status = next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), HTTPStatus.BAD_REQUEST)
    fields: dict[str, str] = {}
    if isinstance(error, FieldErrors):
        fields = error.errors if isinstance(error, FieldsAsSent) else in_api_names(error.errors)
    elif isinstance(error, FileRefused):
        fields = {"file": str(error)}
    elif isinstance(error, KeyReused):
        fields = {"Idempotency-Key": str(error)}
    detail = "; ".join(f"{field}: {message}" for field, message in fields.items()) or str(error)
    may_be_repeated = status is HTTPStatus.SERVICE_UNAVAILABLE or isinstance(error, InProgress)
    headers = _RETRY_AFTER if may_be_repeated else None
    return problem(status, detail, errors=fields, headers=headers)


def _of_too_many(error: TooMany) -> JSONResponse:
    """Return a 429 with the type and the member from the draft of the RateLimit fields."""
    policies: dict[str, Any] = {"violated-policies": [error.quota]}
    headers = {"Retry-After": str(error.retry_in)}
    return problem(
        HTTPStatus.TOO_MANY_REQUESTS, str(error), headers=headers, type=_QUOTA_EXCEEDED, **policies
    )


async def _of_validation(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    errors = {_path(each["loc"]): _message(each) for each in reversed(error.errors())}
    detail = "; ".join(f"{field}: {message}" for field, message in sorted(errors.items()))
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors=errors)


def _path(place: Sequence[int | str]) -> str:
    """Return a field's path without the part of the request; for the whole body, `body`."""
    parts = [str(part) for part in place[1:]]
    return ".".join(parts) if parts else str(place[0])


def _message(error: Mapping[str, Any]) -> str:
    match error["type"]:
        case "missing":
            return "This field is required."
        case "extra_forbidden":
            return "There is no such field."
        case "json_invalid":
            return f"This is not JSON: {error.get('ctx', {}).get('error', 'it cannot be read')}."
        case _:
            return str(error["msg"]).removeprefix("Value error, ")


async def _of_http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    phrase = HTTPStatus(error.status_code).phrase
    detail = _DETAILS.get(error.status_code, phrase) if error.detail == phrase else str(error.detail)
    return problem(error.status_code, detail, headers=error.headers)


_DETAILS: Final[Mapping[int, str]] = {
    HTTPStatus.NOT_FOUND: "There is nothing at this address. /api/docs lists what there is.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This address does not take that method.",
}


async def _service_unavailable(request: Request, error: Exception) -> JSONResponse:
    """Answer 503 without a carrier or a database."""
    if isinstance(error, CarrierNotConfigured):
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, f"No carrier is configured: {error}.")
    log.error("api.database_away", extra={"path": request.url.path}, exc_info=error)
    detail = "The database cannot be reached just now. Nothing was changed; try again in a moment."
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers=_RETRY_AFTER)


async def _of_surprise(request: Request, error: Exception) -> JSONResponse:
    reference = token_hex(4)
    log.error("api.failed", extra={"reference": reference, "path": request.url.path}, exc_info=error)
    detail = f"Something went wrong on our side. Tell the operator the reference {reference}."
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, detail, reference=reference)
