"""Twilio's webhooks from their path to their answer."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl

from app.domain.events import AnsweredBy
from app.providers.base import (
    AttemptWebhook,
    CallbackPath,
    ConfiguredAccount,
    ReceivedEvent,
    WebhookReply,
    WebhookRequest,
)
from app.providers.callbacks import read_callback_path
from app.providers.script import CallScript, SpokenLine
from app.providers.twilio.twiml import Speech, answer_to, hang_up, opening
from app.providers.twilio.urls import (
    CONNECTION_OVERRIDES,
    INBOUND_PATH,
    PATH_PREFIX,
    CallbackPurpose,
    callback_url,
)
from app.providers.twilio.vocabulary import answered_by
from app.providers.twilio.webhooks import MAX_BODY_BYTES, TwilioWebhooks, parse_inbound_message

_MACHINES: Final = frozenset({AnsweredBy.MACHINE, AnsweredBy.FAX})
_ASKS_WHAT_TO_SAY: Final = frozenset({CallbackPurpose.VOICE, CallbackPurpose.GATHER})
_LAST_ASK: Final = 2


class TwilioIntake:
    """The webhooks of one Twilio account."""

    max_body_bytes = MAX_BODY_BYTES

    def __init__(self, account: ConfiguredAccount) -> None:
        self._account = account
        self._webhooks = TwilioWebhooks(account)

    def read_path(self, path: str) -> CallbackPath | None:
        """Return what the path is about; None: texts from people. Raises `WebhookRejected`."""
        return None if path == INBOUND_PATH else read_callback_path(self._account, PATH_PREFIX, path)

    def verify(self, request: WebhookRequest) -> Mapping[str, str]:
        """Return the fields of an authentic request of our account. Raises `WebhookRejected`."""
        return self._webhooks.verify(request)

    parse_text = staticmethod(parse_inbound_message)

    def parse(self, webhook: AttemptWebhook, *, received_at: datetime) -> tuple[ReceivedEvent, ...]:
        """Return the events in the fields; words we do not know become `EventKind.UNKNOWN`."""
        return self._webhooks.parse(webhook.purpose, webhook.fields, received_at=received_at)

    def reply(self, webhook: AttemptWebhook, *, is_second_call: bool) -> WebhookReply | None:
        """Return the answer: TwiML that hangs up on a machine and on a second call. None: a person listens."""
        if webhook.purpose not in _ASKS_WHAT_TO_SAY:
            return WebhookReply()
        if is_second_call or answered_by(webhook.fields.get("AnsweredBy")) in _MACHINES:
            return _spoken(hang_up())
        return None

    def converse(self, webhook: AttemptWebhook, script: CallScript) -> WebhookReply:
        """Return TwiML: the opening, or what follows an answer. The same request gets the same."""
        gather = callback_url(self._account, CallbackPurpose.GATHER, webhook.attempt_id)
        if webhook.purpose == CallbackPurpose.VOICE:
            speech = opening(script, answer_url=f"{gather}?ask=1{CONNECTION_OVERRIDES}")
            return _spoken(speech, *_agent_lines("opening", speech))
        digits, words = webhook.fields.get("Digits", ""), webhook.fields.get("SpeechResult", "")
        is_last = dict(parse_qsl(webhook.raw_query, keep_blank_values=True)).get("ask") == str(_LAST_ASK)
        asked = _LAST_ASK if is_last else 1
        again = None if is_last else f"{gather}?ask={_LAST_ASK}{CONNECTION_OVERRIDES}"
        _, speech = answer_to(digits=digits, speech=words, script=script, ask_again_url=again)
        said = words or (f"Pressed {digits}" if digits else "")
        answer = SpokenLine(f"answer:{asked}", "contact", said)
        return _spoken(speech, answer, *_agent_lines(f"after:{asked}", speech))


def _agent_lines(key: str, speech: Speech) -> list[SpokenLine]:
    return [SpokenLine(f"{key}:{line}", "agent", text) for line, text in enumerate(speech.lines)]


def _spoken(speech: Speech, *lines: SpokenLine) -> WebhookReply:
    return WebhookReply(document=speech.twiml, media_type="text/xml", lines=lines)
