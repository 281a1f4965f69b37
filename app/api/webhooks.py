"""The carrier's way in: `/webhooks/twilio/...`. Verify, hand over to one operation, answer quickly.

Unauthentic requests get 403 and leave no trace; 503, when the database is away, makes the carrier send again.
"""

import logging
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import Final
from urllib.parse import quote
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.domain.events import AnsweredBy
from app.providers.base import Carrier, CarrierAccount, WebhookRejected, WebhookRequest
from app.providers.registry import configured_account, make_carrier
from app.providers.script import CallScript
from app.providers.twilio.twiml import Speech, answer_to, hang_up, opening
from app.providers.twilio.urls import (
    CONNECTION_OVERRIDES,
    INBOUND_PATH,
    PATH_PREFIX,
    Purpose,
    callback_url,
    token_is_valid,
)
from app.providers.twilio.vocabulary import answered_by
from app.providers.twilio.webhooks import MAX_BODY_BYTES, TwilioWebhooks, parse_inbound_message
from app.runtime.context import AppContext, get_context
from app.runtime.database import Database
from app.services.dialing.receive.conversations import SpokenLine, script_of, write_turns
from app.services.dialing.receive.webhooks import (
    GROUPS_AT_ONCE,
    Delivery,
    UnknownAttempt,
    WebhookLine,
    second_call_of,
)
from app.services.dialing.settle.hang_up import end_second_call
from app.services.messaging.inbound import heed
from app.services.numbers.carriers import identity_of

log = logging.getLogger(__name__)

_MACHINES: Final = frozenset({AnsweredBy.MACHINE, AnsweredBy.FAX})
_LAST_ASK: Final = 2
_RETRY_AFTER: Final = {"Retry-After": "5"}


@dataclass(frozen=True, slots=True)
class Intake:
    """What this process needs to believe and answer one carrier account's webhooks."""

    account: CarrierAccount
    webhooks: TwilioWebhooks
    carrier: Carrier


@lru_cache(maxsize=1)
def get_intake() -> Intake:
    """Return this process's intake, made on first use. Raises `CarrierNotConfigured`."""
    account = configured_account(get_context().settings)
    return Intake(account=account, webhooks=TwilioWebhooks(account), carrier=make_carrier("twilio", account))


@dataclass(frozen=True, slots=True)
class Verified:
    """An authentic webhook of one attempt."""

    purpose: Purpose
    attempt_id: UUID
    fields: Mapping[str, str]


class _Refused(Exception):
    """Answer with this status and nothing else."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


def is_for_carrier(scope: Scope) -> bool:
    """Tell whether `WebhookDoor` answers this itself, whatever there is to say to it."""
    is_there: bool = scope["type"] == "http" and scope["path"].startswith(f"{PATH_PREFIX}/")
    return is_there


class WebhookDoor:
    """ASGI middleware: answers what comes to the carrier's addresses, and lets everything else pass.

    In front of the framework's routes: finding one and preparing its endpoint costs as much as believing a webhook.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        context: Callable[[], AppContext] = get_context,
        intake: Callable[[], Intake] = get_intake,
    ) -> None:
        self._app, self._context, self._intake = app, context, intake

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102  # ASGI's
        if not is_for_carrier(scope):
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            response = await self._answered(request)
        except _Refused as refused:
            response = Response(status_code=refused.status)
        except UnknownAttempt as unknown:
            log.warning("webhook.unknown_attempt", extra={"attempt_id": str(unknown)})
            response = Response(status_code=HTTPStatus.NOT_FOUND)
        except (SQLAlchemyError, OSError) as error:
            response = _not_stored(error)
        await response(scope, receive, send)

    async def _answered(self, request: Request) -> Response:
        if request.scope["path"] == INBOUND_PATH:
            return await self._inbound(request)
        return await self._webhook(request)

    async def _webhook(self, request: Request) -> Response:
        """Take one webhook: 204, or TwiML where the carrier asks what to say. Raises what stands in the way."""
        context, intake = self._context(), self._intake()
        verified = await _verify(intake, request)
        second_call = await _receive(context, intake, verified)
        response = await _answer(context, intake, verified, request, is_second_call=second_call is not None)
        if second_call is not None:
            response.background = _ending(context, intake, second_call)
        return response

    async def _inbound(self, request: Request) -> Response:
        """Take a text that a person sent to one of our numbers: 204. The carrier answers them."""
        context, intake = self._context(), self._intake()
        now = context.clock.now()
        fields = await _believe(intake, request, about="inbound")
        message = parse_inbound_message(fields, received_at=now)
        await heed(
            context.database, carrier=identity_of(intake.account), message=message, raw=fields, now=now
        )
        return Response(status_code=HTTPStatus.NO_CONTENT)


def _ending(context: AppContext, intake: Intake, second_call: str) -> BackgroundTask:
    return BackgroundTask(
        end_second_call, context.database, intake.carrier, provider_id=second_call, clock=context.clock
    )


def _not_stored(error: Exception) -> Response:
    log.error("webhook.not_stored", extra={"error": type(error).__name__})
    return Response(status_code=HTTPStatus.SERVICE_UNAVAILABLE, headers=_RETRY_AFTER)


async def _verify(intake: Intake, request: Request) -> Verified:
    purpose, attempt_id = _named(intake.account, request.scope["path"])
    return Verified(purpose, attempt_id, await _believe(intake, request, about=attempt_id))


async def _believe(intake: Intake, request: Request, *, about: object) -> Mapping[str, str]:
    """Return the fields of an authentic request of our account. Raises `_Refused`."""
    received = WebhookRequest(
        method=request.method,
        raw_path=_raw_path(request),
        raw_query=request.scope["query_string"].decode("latin-1"),
        headers=request.headers,
        body=await _bounded(request.stream()),
    )
    try:
        return intake.webhooks.verify(received)
    except WebhookRejected as rejected:
        log.warning("webhook.rejected", extra={"about": str(about), "reason": str(rejected)})
        raise _Refused(HTTPStatus.FORBIDDEN) from rejected


def _named(account: CarrierAccount, path: str) -> tuple[Purpose, UUID]:
    """Return what the path is about if its token is ours; nothing of it is looked up before. Raises `_Refused`."""
    try:
        purpose, attempt_id, token = path.removeprefix(f"{PATH_PREFIX}/").split("/")
        named = Purpose(purpose), UUID(attempt_id)
    except ValueError as error:
        raise _Refused(HTTPStatus.FORBIDDEN) from error
    if not token_is_valid(account.callback_secret.get_secret_value(), *named, token):
        raise _Refused(HTTPStatus.FORBIDDEN)
    return named


def _raw_path(request: Request) -> str:
    """Return the path as it was sent: the signature covers its very bytes."""
    raw = request.scope.get("raw_path")
    return raw.partition(b"?")[0].decode("latin-1") if raw else quote(request.scope["path"])


async def _bounded(stream: AsyncIterator[bytes]) -> bytes:
    body = bytearray()
    async for chunk in stream:
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return bytes(body)


async def _receive(context: AppContext, intake: Intake, verified: Verified) -> str | None:
    now = context.clock.now()
    events = intake.webhooks.parse(verified.purpose, verified.fields, received_at=now)
    delivery = Delivery(verified.attempt_id, events, verified.fields, now)
    return second_call_of(await _line(context.database).receive(delivery), verified.attempt_id)


@lru_cache(maxsize=1)
def _line(database: Database) -> WebhookLine:
    """Return the one line of this process: deliveries that come together are committed together."""
    return WebhookLine(database.beside(pool_size=GROUPS_AT_ONCE))


async def _answer(
    context: AppContext, intake: Intake, verified: Verified, request: Request, *, is_second_call: bool
) -> Response:
    if verified.purpose not in {Purpose.VOICE, Purpose.GATHER}:
        return Response(status_code=HTTPStatus.NO_CONTENT)
    if is_second_call or answered_by(verified.fields.get("AnsweredBy")) in _MACHINES:
        return _spoken(hang_up())
    asked = _LAST_ASK if request.query_params.get("ask") == str(_LAST_ASK) else 1

    async def converse(session: AsyncSession) -> Speech:
        script = await script_of(session, attempt_id=verified.attempt_id)
        speech, turns = _converse(intake.account, verified, script, asked=asked)
        await write_turns(session, attempt_id=verified.attempt_id, turns=turns, now=context.clock.now())
        return speech

    return _spoken(await context.database.write(converse))


def _converse(
    account: CarrierAccount, verified: Verified, script: CallScript, *, asked: int
) -> tuple[Speech, list[SpokenLine]]:
    """Return what to say next, and its lines for the transcript. A repeated request makes the same."""
    gather = callback_url(account, Purpose.GATHER, verified.attempt_id)
    if verified.purpose is Purpose.VOICE:
        speech = opening(script, answer_url=f"{gather}?ask=1{CONNECTION_OVERRIDES}")
        return speech, _agent_turns("opening", speech)
    digits, words = verified.fields.get("Digits", ""), verified.fields.get("SpeechResult", "")
    again = f"{gather}?ask={_LAST_ASK}{CONNECTION_OVERRIDES}" if asked < _LAST_ASK else None
    _, speech = answer_to(digits=digits, speech=words, script=script, ask_again_url=again)
    said = SpokenLine(
        key=f"answer:{asked}", speaker="contact", text=words or (f"Pressed {digits}" if digits else "")
    )
    return speech, [said, *_agent_turns(f"after:{asked}", speech)]


def _agent_turns(key: str, speech: Speech) -> list[SpokenLine]:
    return [
        SpokenLine(key=f"{key}:{line}", speaker="agent", text=text) for line, text in enumerate(speech.lines)
    ]


def _spoken(speech: Speech) -> Response:
    return Response(speech.twiml, media_type="text/xml")
