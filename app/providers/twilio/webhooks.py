"""Twilio's webhooks: verified by signature and account, then translated into our events.

Deliveries may be repeated, late, or in any order. So every event has a key, which is the same in each repetition.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final
from urllib.parse import unquote

from app.domain.events import AttemptEvent, EventKind, FailureClass
from app.domain.text import storable
from app.providers.base import (
    ConfiguredAccount,
    InboundMessage,
    Keyword,
    ReceivedEvent,
    WebhookRejected,
    WebhookRequest,
)
from app.providers.script import Reply, meaning_of
from app.providers.twilio.errors import failure_of, remedy_of, sip_outcome
from app.providers.twilio.signature import FormFields, SignatureVerifier
from app.providers.twilio.sms import keyword_in
from app.providers.twilio.urls import CallbackPurpose
from app.providers.twilio.vocabulary import (
    CALL_STATUS,
    MESSAGE_STATUS,
    answered_by,
    parse_count,
    parse_time,
)

MAX_BODY_BYTES: Final = 64 * 1024
"""A webhook of Twilio has a few kilobytes; a longer body is not from Twilio."""

_MAX_FIELDS: Final = 300
_LONGEST_KEY: Final = 200
_UNANSWERED: Final = frozenset({EventKind.FAILED, EventKind.BUSY, EventKind.NO_ANSWER})


class TwilioWebhooks:
    """Verifies the webhooks of one account, and translates them."""

    def __init__(self, account: ConfiguredAccount) -> None:
        tokens = [account.auth_token, account.secondary_auth_token]
        self._account_sid = account.account_sid
        self._signature = SignatureVerifier(
            tokens=[token.get_secret_value() for token in tokens if token is not None],
            public_url=account.public_url,
        )

    def verify(self, request: WebhookRequest) -> Mapping[str, str]:
        """Return the fields of an authentic request of our account. Raises `WebhookRejected`."""
        target = f"{request.raw_path}?{request.raw_query}" if request.raw_query else request.raw_path
        signature = request.headers.get("x-twilio-signature", "")
        content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if request.method != "GET" and content_type == "application/x-www-form-urlencoded":
            fields: FormFields = _form(request.body)
            authentic = self._signature.accepts_form(target, fields, signature)
        elif request.method == "GET":
            fields = _form(request.raw_query.encode("latin-1", "replace"))
            authentic = self._signature.accepts_form(target, (), signature)
        else:
            authentic = self._signature.accepts_body(target, request.body, signature)
            fields = _json_fields(request.body) if authentic else ()
        if not authentic:
            raise WebhookRejected("the signature is not our carrier account's")
        # The signature has covered the original text, and the carrier would not send it differently: so characters that
        # cannot be stored are removed, and not refused.
        named = {storable(name): storable(value) for name, value in fields}
        if named.get("AccountSid") != self._account_sid:
            raise WebhookRejected("the webhook is another account's")
        return named

    def parse(
        self, purpose: str, fields: Mapping[str, str], *, received_at: datetime
    ) -> tuple[ReceivedEvent, ...]:
        """Return the events in the fields; words we do not know become `EventKind.UNKNOWN`."""
        return _PARSERS[CallbackPurpose(purpose)](fields, received_at)


def parse_inbound_message(fields: Mapping[str, str], *, received_at: datetime) -> InboundMessage:
    """Return an inbound text with its keyword."""
    opt_out_type = fields.get("OptOutType", "")
    body = fields.get("Body", "")
    return InboundMessage(
        provider_id=_message_id(fields),
        from_=fields.get("From", ""),
        to=fields.get("To", ""),
        body=body,
        keyword=Keyword(opt_out_type) if opt_out_type in set(Keyword) else keyword_in(body),
        carrier_has_replied=bool(opt_out_type),
        received_at=received_at,
    )


def _call_status(fields: Mapping[str, str], received_at: datetime) -> tuple[ReceivedEvent, ...]:
    word = fields.get("CallStatus", "")
    sip_code, error_code = parse_count(fields.get("SipResponseCode")), parse_count(fields.get("ErrorCode"))
    kind, failure = _call_outcome(CALL_STATUS.get(word, EventKind.UNKNOWN), sip_code, error_code)
    event = AttemptEvent(
        kind=kind,
        occurred_at=parse_time(fields.get("Timestamp")) or received_at,
        provider_id=_call_id(fields),
        answered_by=answered_by(fields.get("AnsweredBy")),
        duration_seconds=parse_count(fields.get("CallDuration")) if kind is EventKind.COMPLETED else None,
        sip_code=sip_code,
        error_code=error_code,
        failure=failure,
        remedy=remedy_of(error_code) if failure is FailureClass.MISCONFIGURED else None,
    )
    return (_received("call", event, word, fields.get("SequenceNumber", "")),)


def _call_outcome(
    kind: EventKind, sip_code: int | None, error_code: int | None
) -> tuple[EventKind, FailureClass | None]:
    """Return the more precise outcome of an unanswered call, from its SIP code before its error code."""
    if kind not in _UNANSWERED:
        return kind, None
    if failure_of(error_code) is FailureClass.SENDER_HEALTH:
        # A network that blocks our number may answer with any SIP code.
        return EventKind.FAILED, FailureClass.SENDER_HEALTH
    outcome = sip_outcome(sip_code)
    if kind is not EventKind.FAILED:
        # Twilio's own "busy" and "no-answer" are kept, unless the SIP code says that the call was rejected.
        return outcome if outcome is not None and outcome[1] is not None else (kind, None)
    return outcome or (kind, failure_of(error_code))


def _voice(fields: Mapping[str, str], received_at: datetime) -> tuple[ReceivedEvent, ...]:
    word = fields.get("CallStatus", "")
    kind = CALL_STATUS.get(word, EventKind.UNKNOWN)
    who = fields.get("AnsweredBy")
    event = AttemptEvent(
        kind=kind, occurred_at=received_at, provider_id=_call_id(fields), answered_by=answered_by(who)
    )
    return (_received("voice", event, word, who or ""),)


def _machine_detection(fields: Mapping[str, str], received_at: datetime) -> tuple[ReceivedEvent, ...]:
    who = fields.get("AnsweredBy")
    event = AttemptEvent(
        kind=EventKind.ANSWERED,
        occurred_at=received_at,
        provider_id=_call_id(fields),
        answered_by=answered_by(who),
    )
    return (_received("amd", event, who or ""),)


def _gather(fields: Mapping[str, str], received_at: datetime) -> tuple[ReceivedEvent, ...]:
    digits, speech = fields.get("Digits", ""), fields.get("SpeechResult", "")
    reply = meaning_of(digits=digits, speech=speech)
    kinds = {
        Reply.NOTHING: (EventKind.UNKNOWN,),
        Reply.OPT_OUT: (EventKind.REPLIED, EventKind.OPTED_OUT),
    }.get(reply, (EventKind.REPLIED,))
    said = hashlib.sha256(f"{digits}\0{speech}".encode()).hexdigest()[:16]
    return tuple(
        _received(
            "gather",
            AttemptEvent(
                kind=kind,
                occurred_at=received_at,
                provider_id=_call_id(fields),
                reply=reply.value,
                by_key=bool(digits),
            ),
            said,
            kind.value,
        )
        for kind in kinds
    )


def _message_status(fields: Mapping[str, str], received_at: datetime) -> tuple[ReceivedEvent, ...]:
    word = fields.get("MessageStatus") or fields.get("SmsStatus", "")
    error_code = parse_count(fields.get("ErrorCode"))
    event = AttemptEvent(
        kind=MESSAGE_STATUS.get(word, EventKind.UNKNOWN),
        occurred_at=received_at,
        provider_id=_message_id(fields),
        error_code=error_code,
        failure=failure_of(error_code),
        remedy=remedy_of(error_code),
    )
    return (_received("message", event, word),)


_PARSERS: Final[
    Mapping[CallbackPurpose, Callable[[Mapping[str, str], datetime], tuple[ReceivedEvent, ...]]]
] = {
    CallbackPurpose.VOICE: _voice,
    CallbackPurpose.GATHER: _gather,
    CallbackPurpose.STATUS: _call_status,
    CallbackPurpose.AMD: _machine_detection,
    CallbackPurpose.MESSAGE_STATUS: _message_status,
}


def _received(topic: str, event: AttemptEvent, *words: str) -> ReceivedEvent:
    key = ":".join((topic, event.provider_id or "", *words))
    return ReceivedEvent(
        dedupe_key=key if len(key) <= _LONGEST_KEY else hashlib.sha256(key.encode()).hexdigest(), event=event
    )


def _call_id(fields: Mapping[str, str]) -> str:
    return fields.get("CallSid", "")


def _message_id(fields: Mapping[str, str]) -> str:
    return fields.get("MessageSid") or fields.get("SmsSid", "")


def _form(encoded: bytes) -> FormFields:
    """Return all fields, also blank ones, because they are signed. Raises `WebhookRejected` for too many.

    The result is that of `urllib.parse.parse_qsl`, which is several times slower for text that needs no decoding.
    """
    pairs = encoded.decode("utf-8", "replace").replace("+", " ").split("&")
    if len(pairs) > _MAX_FIELDS:
        raise WebhookRejected("the form has too many fields")
    return [
        (unquote(name), unquote(value)) if "%" in pair else (name, value)
        for pair in pairs
        if pair
        for name, _, value in (pair.partition("="),)
    ]


def _json_fields(body: bytes) -> FormFields:
    try:
        document = json.loads(body)
    except ValueError:
        return ()
    if not isinstance(document, dict):
        return ()
    return tuple(
        (name, str(value)) for name, value in document.items() if isinstance(value, (str, int, float))
    )
