"""Receives the carrier's webhooks, at the paths below each provider's prefix, and answers them quickly.

The provider's `CarrierIntake` verifies and interprets a webhook. This module reads the request, runs one operation, and
answers with a status code.

A request that is not authentic gets 403, and nothing is stored. While the database is away the answer is 503: the
carrier then sends the webhook again.
"""

import logging
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.providers.base import (
    AttemptWebhook,
    Carrier,
    CarrierIntake,
    ConfiguredAccount,
    WebhookRejected,
    WebhookReply,
    WebhookRequest,
)
from app.providers.registry import PROVIDERS, configured_account, make_carrier, make_intake
from app.runtime.context import AppContext, get_context
from app.runtime.database import Database
from app.services.dialing.receive.conversations import script_of, write_lines
from app.services.dialing.receive.webhooks import (
    GROUPS_AT_ONCE,
    Delivery,
    UnknownAttempt,
    WebhookBatcher,
    second_call_of,
)
from app.services.dialing.settle.hang_up import end_second_call
from app.services.messaging.inbound import handle_inbound_message
from app.services.numbers.carriers import identity_of

log = logging.getLogger(__name__)

_RETRY_AFTER: Final = {"Retry-After": "5"}


@dataclass(frozen=True, slots=True)
class Intake:
    """What this process needs to verify and answer the webhooks of one carrier account."""

    account: ConfiguredAccount
    webhooks: CarrierIntake
    carrier: Carrier


@lru_cache(maxsize=1)
def get_intake() -> Intake:
    """Return this process's intake, made on first use. Raises `CarrierNotConfigured`."""
    account = configured_account(get_context().settings)
    return Intake(account=account, webhooks=make_intake(account), carrier=make_carrier(account))


class _Refused(Exception):
    """Answer with this status and nothing else."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


def is_for_carrier(scope: Scope) -> bool:
    """Tell whether `AnswerWebhooks` answers this request: its path is below a provider's prefix."""
    prefixes = tuple(f"{provider.prefix}/" for provider in PROVIDERS.values())
    return bool(scope["type"] == "http" and scope["path"].startswith(prefixes))


class AnswerWebhooks:
    """ASGI middleware: answers requests to the webhook addresses, and passes all others on.

    It runs before the framework's routing, which takes as long as verifying a webhook.
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
            log.error("webhook.not_stored", extra={"error": type(error).__name__})  # noqa: TRY400  # one line
            response = Response(status_code=HTTPStatus.SERVICE_UNAVAILABLE, headers=_RETRY_AFTER)
        await response(scope, receive, send)

    async def _answered(self, request: Request) -> Response:
        context, intake = self._context(), self._intake()
        try:
            path = intake.webhooks.read_path(request.scope["path"])
        except WebhookRejected as rejected:
            raise _Refused(HTTPStatus.FORBIDDEN) from rejected
        if path is None:
            return await _inbound(context, intake, request)
        fields = await _verified(intake, request, about=path.attempt_id)
        webhook = AttemptWebhook(
            purpose=path.purpose,
            attempt_id=path.attempt_id,
            fields=fields,
            raw_query=_raw_query(request),
        )
        return await _webhook(context, intake, webhook)


async def _webhook(context: AppContext, intake: Intake, webhook: AttemptWebhook) -> Response:
    """Store and apply one webhook and answer it. Raises `UnknownAttempt`, and errors of the database."""
    second_call = await _receive(context, intake, webhook)
    reply = await _reply(context, intake, webhook, is_second_call=second_call is not None)
    response = (
        Response(reply.document, media_type=reply.media_type)
        if reply.document
        else Response(status_code=HTTPStatus.NO_CONTENT)
    )
    if second_call is not None:
        response.background = _ending(context, intake, second_call)
    return response


async def _inbound(context: AppContext, intake: Intake, request: Request) -> Response:
    """Store a text that a person sent to one of our numbers. Answers 204: the carrier replies to the person."""
    now = context.clock.now()
    fields = await _verified(intake, request, about="inbound")
    message = intake.webhooks.parse_text(fields, received_at=now)
    await handle_inbound_message(
        context.database, carrier=identity_of(intake.account), message=message, raw=fields, now=now
    )
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _ending(context: AppContext, intake: Intake, second_call: str) -> BackgroundTask:
    return BackgroundTask(
        end_second_call, context.database, intake.carrier, provider_id=second_call, clock=context.clock
    )


async def _verified(intake: Intake, request: Request, *, about: object) -> Mapping[str, str]:
    """Return the fields of an authentic request of our account. Raises `_Refused`."""
    # The signature covers the path byte by byte, as it was sent.
    raw = request.scope.get("raw_path")
    received = WebhookRequest(
        method=request.method,
        raw_path=raw.partition(b"?")[0].decode("latin-1") if raw else quote(request.scope["path"]),
        raw_query=_raw_query(request),
        headers=request.headers,
        body=await _bounded(request.stream(), intake.webhooks.max_body_bytes),
    )
    try:
        return intake.webhooks.verify(received)
    except WebhookRejected as rejected:
        log.warning("webhook.rejected", extra={"about": str(about), "reason": str(rejected)})
        raise _Refused(HTTPStatus.FORBIDDEN) from rejected


def _raw_query(request: Request) -> str:
    raw: bytes = request.scope["query_string"]
    return raw.decode("latin-1")


async def _bounded(stream: AsyncIterator[bytes], most: int) -> bytes:
    body = bytearray()
    async for chunk in stream:
        body += chunk
        if len(body) > most:
            raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return bytes(body)


async def _receive(context: AppContext, intake: Intake, webhook: AttemptWebhook) -> str | None:
    now = context.clock.now()
    events = intake.webhooks.parse(webhook, received_at=now)
    delivery = Delivery(webhook.attempt_id, events, webhook.fields, now)
    return second_call_of(await _batcher(context.database).receive(delivery), webhook.attempt_id)


@lru_cache(maxsize=1)
def _batcher(database: Database) -> WebhookBatcher:
    """Return the batcher of this process: it commits deliveries that arrive together in one transaction."""
    return WebhookBatcher(database.beside(pool_size=GROUPS_AT_ONCE))


async def _reply(
    context: AppContext, intake: Intake, webhook: AttemptWebhook, *, is_second_call: bool
) -> WebhookReply:
    reply = intake.webhooks.reply(webhook, is_second_call=is_second_call)
    if reply is not None:
        return reply

    async def converse(session: AsyncSession) -> WebhookReply:
        script = await script_of(session, attempt_id=webhook.attempt_id)
        reply = intake.webhooks.converse(webhook, script)
        await write_lines(session, attempt_id=webhook.attempt_id, lines=reply.lines, now=context.clock.now())
        return reply

    return await context.database.write(converse)
