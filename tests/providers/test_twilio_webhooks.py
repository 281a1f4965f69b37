"""Twilio's webhooks: who is believed, and what their words mean to us."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
from pydantic import SecretStr

from app.domain.events import AnsweredBy, AttemptEvent, EventKind, FailureClass
from app.providers.base import ConfiguredAccount, Keyword, WebhookRejected, WebhookRequest
from app.providers.callbacks import token_is_valid
from app.providers.twilio.errors import (
    FAILURE_BY_STATUS,
    SIP_OUTCOMES,
    refusal_class,
)
from app.providers.twilio.signature import sign
from app.providers.twilio.urls import CallbackPurpose, attempt_in, callback_url
from app.providers.twilio.vocabulary import (
    ANSWERED_BY,
    CALL_STATUS,
    MESSAGE_STATUS,
    parse_count,
    parse_time,
    positive_price,
)
from app.providers.twilio.webhooks import TwilioWebhooks, parse_inbound_message

ATTEMPT = UUID("0199d9a0-0000-7000-8000-000000000001")
ACCOUNT = "AC" + "0" * 32
SID = "CA" + "1" * 32
NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
F = FailureClass
K = EventKind


def account(**changes: Any) -> ConfiguredAccount:
    fields: dict[str, Any] = {
        "kind": "twilio",
        "account_sid": ACCOUNT,
        "auth_token": SecretStr("token"),
        "api_url": "https://api.twilio.com",
        "public_url": "https://calls.example.com",
        "callback_secret": SecretStr("callback secret"),
        "simulated": False,
    }
    return ConfiguredAccount(**{**fields, **changes})


def signed(
    fields: Mapping[str, str],
    *,
    token: str = "token",
    path: str = "/webhooks/twilio/status/x/y",
    query: str = "",
) -> WebhookRequest:
    target = f"{path}?{query}" if query else path
    return WebhookRequest(
        method="POST",
        raw_path=path,
        raw_query=query,
        headers={
            "content-type": "application/x-www-form-urlencoded; charset=UTF-8",
            "host": "internal.invalid",
            "x-twilio-signature": sign(token, "https://calls.example.com" + target, tuple(fields.items())),
        },
        body=urlencode(fields).encode(),
    )


def status(**fields: str) -> dict[str, str]:
    return {"AccountSid": ACCOUNT, "CallSid": SID, "FromCity": "", "SequenceNumber": "0", **fields}


def only_event(purpose: CallbackPurpose, fields: Mapping[str, str]) -> AttemptEvent:
    (received,) = TwilioWebhooks(account()).parse(purpose, fields, received_at=NOW)
    return received.event


def keys(purpose: CallbackPurpose, fields: Mapping[str, str]) -> list[str]:
    return [one.dedupe_key for one in TwilioWebhooks(account()).parse(purpose, fields, received_at=NOW)]


def test_a_signed_webhook_of_our_account_is_believed_whatever_its_host_header_says() -> None:
    fields = status(CallStatus="ringing")
    assert TwilioWebhooks(account()).verify(signed(fields)) == fields


def test_the_raw_query_is_part_of_what_is_signed() -> None:
    request = signed(status(), query="ask=2&x=%20")
    assert TwilioWebhooks(account()).verify(request) == status()


def test_a_rotated_token_is_believed() -> None:
    request = signed(status(), token="older")
    assert TwilioWebhooks(account(secondary_auth_token=SecretStr("older"))).verify(request) == status()


@pytest.mark.parametrize(
    "request_",
    [
        signed(status(), token="guess"),
        WebhookRequest(method="POST", raw_path="/w", raw_query="", headers={}, body=b""),
        WebhookRequest(
            method="POST", raw_path="/w", raw_query="", headers={"content-type": "text/plain"}, body=b"hello"
        ),
        signed(status() | {"AccountSid": "AC" + "9" * 32}),
        signed({"CallSid": SID}),
    ],
    ids=["wrong token", "unsigned", "a text without bodySHA256", "another account", "no account"],
)
def test_others_are_rejected(request_: WebhookRequest) -> None:
    with pytest.raises(WebhookRejected):
        TwilioWebhooks(account()).verify(request_)


def test_a_changed_field_is_rejected() -> None:
    request = signed(status(CallStatus="ringing"))
    forged = WebhookRequest(
        method=request.method,
        raw_path=request.raw_path,
        raw_query=request.raw_query,
        headers=request.headers,
        body=request.body.replace(b"ringing", b"completed"),
    )
    with pytest.raises(WebhookRejected):
        TwilioWebhooks(account()).verify(forged)


def test_a_form_with_absurdly_many_fields_is_rejected() -> None:
    with pytest.raises(WebhookRejected):
        TwilioWebhooks(account()).verify(signed({f"F{number}": "x" for number in range(400)}))


def test_a_json_body_is_believed_by_its_hash() -> None:
    body = json.dumps({"AccountSid": ACCOUNT, "CallSid": SID, "nested": {}, "odd\0": "\ud800!"}).encode()
    query = f"bodySHA256={sha256(body).hexdigest()}"
    request = WebhookRequest(
        method="POST",
        raw_path="/w",
        raw_query=query,
        headers={
            "content-type": "application/json",
            "x-twilio-signature": sign("token", f"https://calls.example.com/w?{query}"),
        },
        body=body,
    )
    fields = TwilioWebhooks(account()).verify(request)
    assert fields == {"AccountSid": ACCOUNT, "CallSid": SID, "odd\ufffd": "\ufffd!"}


def test_a_get_is_signed_by_its_url_alone() -> None:
    query = urlencode({"AccountSid": ACCOUNT, "CallSid": SID})
    request = WebhookRequest(
        method="GET",
        raw_path="/w",
        raw_query=query,
        headers={"x-twilio-signature": sign("token", f"https://calls.example.com/w?{query}")},
        body=b"",
    )
    assert TwilioWebhooks(account()).verify(request)["CallSid"] == SID


@pytest.mark.parametrize(("word", "kind"), CALL_STATUS.items())
def test_each_call_status_has_its_kind(word: str, kind: EventKind) -> None:
    event = only_event(CallbackPurpose.STATUS, status(CallStatus=word))
    assert (event.kind, event.provider_id, event.occurred_at) == (kind, SID, NOW)


@pytest.mark.parametrize(("word", "kind"), MESSAGE_STATUS.items())
def test_each_message_status_has_its_kind(word: str, kind: EventKind) -> None:
    event = only_event(CallbackPurpose.MESSAGE_STATUS, {"MessageSid": "SM1", "MessageStatus": word})
    assert (event.kind, event.provider_id) == (kind, "SM1")


@pytest.mark.parametrize(("word", "who"), ANSWERED_BY.items())
def test_each_verdict_of_machine_detection(word: str, who: AnsweredBy) -> None:
    assert only_event(CallbackPurpose.AMD, status(AnsweredBy=word)).answered_by is who
    assert (
        only_event(CallbackPurpose.VOICE, status(CallStatus="in-progress", AnsweredBy=word)).answered_by
        is who
    )


@pytest.mark.parametrize("purpose", CallbackPurpose)
def test_unknown_words_and_fields_are_unknown_never_an_error(purpose: CallbackPurpose) -> None:
    fields = status(
        CallStatus="teleported", MessageStatus="teleported", AnsweredBy="parrot", Novel="x", Timestamp="?"
    )
    for received in TwilioWebhooks(account()).parse(purpose, fields, received_at=NOW):
        assert received.event.kind in {K.UNKNOWN, K.ANSWERED}
        assert received.event.answered_by in {AnsweredBy.UNKNOWN, None}


@pytest.mark.parametrize(("sip", "outcome"), SIP_OUTCOMES.items())
def test_a_failed_calls_sip_code_says_more(sip: int, outcome: tuple[EventKind, FailureClass | None]) -> None:
    event = only_event(CallbackPurpose.STATUS, status(CallStatus="failed", SipResponseCode=str(sip)))
    assert (event.kind, event.failure, event.sip_code) == (*outcome, sip)


@pytest.mark.parametrize(
    ("word", "sip", "kind", "failure"),
    [
        ("failed", "503", K.FAILED, F.TRANSIENT),
        ("failed", "499", K.FAILED, None),
        ("failed", "", K.FAILED, None),
        ("busy", "486", K.BUSY, None),
        ("busy", "603", K.FAILED, F.REJECTED),
        ("busy", "608", K.FAILED, F.SENDER_HEALTH),
        ("no-answer", "480", K.NO_ANSWER, None),
        ("completed", "200", K.COMPLETED, None),
        ("completed", "603", K.COMPLETED, None),
    ],
)
def test_the_sip_code_never_unmakes_an_answered_call(
    word: str, sip: str, kind: EventKind, failure: FailureClass | None
) -> None:
    event = only_event(CallbackPurpose.STATUS, status(CallStatus=word, SipResponseCode=sip))
    assert (event.kind, event.failure) == (kind, failure)


def test_a_blocked_caller_id_is_known_by_its_error_code_whatever_the_sip_code() -> None:
    fields = status(CallStatus="failed", SipResponseCode="603", ErrorCode="32017")
    assert only_event(CallbackPurpose.STATUS, fields).failure is F.SENDER_HEALTH


def test_a_completed_call_carries_duration_time_and_who_answered() -> None:
    fields = status(
        CallStatus="completed",
        CallDuration="42",
        Duration="1",
        AnsweredBy="machine_start",
        Timestamp="Mon, 02 Mar 2026 14:59:30 +0000",
    )
    event = only_event(CallbackPurpose.STATUS, fields)
    assert (event.duration_seconds, event.answered_by) == (42, AnsweredBy.MACHINE)
    assert event.occurred_at == datetime(2026, 3, 2, 14, 59, 30, tzinfo=UTC)


def test_a_repetition_has_the_same_key_and_news_another() -> None:
    ringing = status(CallStatus="ringing", SequenceNumber="1")
    assert keys(CallbackPurpose.STATUS, ringing) == keys(
        CallbackPurpose.STATUS, ringing | {"Timestamp": "later"}
    )
    assert keys(CallbackPurpose.STATUS, ringing) != keys(
        CallbackPurpose.STATUS, status(CallStatus="completed", SequenceNumber="3")
    )
    assert keys(CallbackPurpose.STATUS, ringing) != keys(CallbackPurpose.VOICE, ringing)


def test_a_key_is_short_whatever_the_words() -> None:
    assert all(len(key) <= 200 for key in keys(CallbackPurpose.STATUS, status(CallStatus="x" * 5000)))


def test_pressing_nine_replies_and_opts_out() -> None:
    received = TwilioWebhooks(account()).parse(CallbackPurpose.GATHER, status(Digits="9"), received_at=NOW)
    assert [one.event.kind for one in received] == [K.REPLIED, K.OPTED_OUT]
    assert len({one.dedupe_key for one in received}) == 2


def test_a_spoken_answer_is_a_reply_and_silence_is_none() -> None:
    assert only_event(CallbackPurpose.GATHER, status(SpeechResult="Yes, please.")).reply == "confirm"
    assert only_event(CallbackPurpose.GATHER, status(SpeechResult="")).kind is K.UNKNOWN


@pytest.mark.parametrize(
    ("code", "failure"),
    [(30005, F.BAD_NUMBER), (21610, F.OPTED_OUT), (30007, F.CONTENT), (30003, F.TRANSIENT)],
)
def test_an_undelivered_message_says_why(code: int, failure: FailureClass) -> None:
    fields = {"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": str(code)}
    event = only_event(CallbackPurpose.MESSAGE_STATUS, fields)
    assert (event.failure, event.error_code) == (failure, code)


@pytest.mark.parametrize(("http_status", "failure"), FAILURE_BY_STATUS.items())
def test_each_status_without_a_known_code_has_its_class(http_status: int, failure: FailureClass) -> None:
    assert refusal_class(http_status, None) is failure
    assert refusal_class(http_status, 99999) is failure


@pytest.mark.parametrize(
    ("body", "opt_out_type", "keyword"),
    [
        ("STOP", "", Keyword.STOP),
        (" stop. ", "", Keyword.STOP),
        ("Opt-Out!", "", Keyword.STOP),
        ("Please stop texting me", "", Keyword.STOP),
        ("remove me from your list", "", Keyword.STOP),
        ("I'll stop by at five", "", None),
        ("YES", "", Keyword.START),
        ("yes, see you then", "", None),
        ("help", "", Keyword.HELP),
        ("Arrêt", "STOP", Keyword.STOP),
        ("", "", None),
    ],
)
def test_what_an_inbound_text_asks_for(body: str, opt_out_type: str, keyword: Keyword | None) -> None:
    fields = {"MessageSid": "SM1", "From": "+12015550123", "To": "+12025550143", "Body": body}
    message = parse_inbound_message(fields | {"OptOutType": opt_out_type}, received_at=NOW)
    assert message.keyword is keyword
    assert message.carrier_has_replied is bool(opt_out_type)


def test_a_callback_url_proves_its_attempt_and_purpose() -> None:
    url = callback_url(account(public_url="https://calls.example.com/"), CallbackPurpose.STATUS, ATTEMPT)
    assert url.startswith(f"https://calls.example.com/webhooks/twilio/status/{ATTEMPT}/")
    token = url.rpartition("/")[2]
    assert len(token) == 32
    assert token_is_valid("callback secret", CallbackPurpose.STATUS, ATTEMPT, token)
    assert not token_is_valid("callback secret", CallbackPurpose.VOICE, ATTEMPT, token)
    assert not token_is_valid("callback secret", CallbackPurpose.STATUS, UUID(int=1), token)
    assert not token_is_valid("another secret", CallbackPurpose.STATUS, ATTEMPT, token)
    assert not token_is_valid("callback secret", CallbackPurpose.STATUS, ATTEMPT, "é")


def test_an_attempt_is_found_in_any_text_that_holds_its_url() -> None:
    url = callback_url(account(), CallbackPurpose.STATUS, ATTEMPT)
    assert attempt_in(f"{{'url': '{url}#rc=2'}}", "callback secret") == ATTEMPT
    assert attempt_in(f"{{'url': '{url}'}}", "another secret") is None
    assert (
        attempt_in("https://x/webhooks/twilio/nonsense/" + "-" * 36 + "/" + "0" * 32, "callback secret")
        is None
    )
    assert (
        attempt_in("https://x/webhooks/twilio/status/" + "-" * 36 + "/" + "0" * 32, "callback secret") is None
    )


def test_twilios_times_counts_and_prices_are_read_or_left_out() -> None:
    assert parse_time("Tue, 31 Aug 2010 20:36:28 +0000") == datetime(2010, 8, 31, 20, 36, 28, tzinfo=UTC)
    assert parse_time("Tue, 31 Aug 2010 22:36:28 +0200") == datetime(2010, 8, 31, 20, 36, 28, tzinfo=UTC)
    assert parse_time("yesterday") is None
    assert [parse_count(text) for text in ("15", "-1", "٣", "1.5", "", None, "9" * 30)] == [15, *[None] * 6]
    assert [positive_price(text) for text in ("-0.03000", "0", "NaN", "free", None)] == [
        "0.03000",
        "0",
        None,
        None,
        None,
    ]
