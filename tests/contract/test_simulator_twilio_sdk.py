"""The official twilio SDK, a client no one here wrote, against the simulated carrier."""

import math
import re
from datetime import UTC, datetime, timedelta

import pytest
import requests
from twilio.base.exceptions import TwilioRestException

from app.simulator.settings import DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN, DEFAULT_NUMBERS
from app.simulator.signature import sign
from tests.simulator.support import OUR_NUMBER, RunningCarrier, authentic, sdk_client, until

PERSON = "+14155550133"
SAMPLE_NUMBER = "+15551234567"

CALL_KEYS = {
    "sid",
    "date_created",
    "date_updated",
    "parent_call_sid",
    "account_sid",
    "to",
    "to_formatted",
    "from",
    "from_formatted",
    "phone_number_sid",
    "status",
    "start_time",
    "end_time",
    "duration",
    "price",
    "price_unit",
    "direction",
    "answered_by",
    "api_version",
    "forwarded_from",
    "group_sid",
    "caller_name",
    "queue_time",
    "trunk_sid",
    "uri",
    "subresource_uris",
}
MESSAGE_KEYS = {
    "body",
    "num_segments",
    "direction",
    "from",
    "to",
    "date_updated",
    "price",
    "error_message",
    "uri",
    "account_sid",
    "num_media",
    "status",
    "messaging_service_sid",
    "sid",
    "date_sent",
    "date_created",
    "error_code",
    "price_unit",
    "api_version",
    "subresource_uris",
}


# Calls: create, fetch, list, update, delete


def test_a_created_call_is_queued_and_ends_completed_with_a_price(carrier: RunningCarrier) -> None:
    to = carrier.fix(PERSON, "answers_confirms")
    created = carrier.call(to, url=None, twiml="<Response><Say>Hello</Say></Response>")
    assert re.fullmatch("CA[0-9a-f]{32}", created.sid)
    assert (created.status, created.direction, created.queue_time) == ("queued", "outbound-api", "0")
    assert (created.start_time, created.price, created.duration) == (None, None, None)
    assert (created.to_formatted, created.api_version) == ("(415) 555-0133", "2010-04-01")
    ended = until(lambda: (call := created.fetch()).status == "completed" and call)
    assert ended.start_time is not None
    assert ended.end_time >= ended.start_time
    minutes = math.ceil(int(ended.duration) / 60)
    assert (ended.price, ended.price_unit) == (f"-{0.014 * minutes:.5f}", "USD")
    assert minutes > 0


def test_the_answer_has_twilios_properties_and_no_others(carrier: RunningCarrier) -> None:
    made = carrier.client.calls.create_with_http_info(to=PERSON, from_=OUR_NUMBER, twiml="<Response/>")
    assert made.status_code == 201
    path = f"/2010-04-01/Accounts/{DEFAULT_ACCOUNT_SID}"
    auth = (DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN)
    call = requests.get(f"{carrier.url}{path}/Calls/{made.data.sid}.json", auth=auth, timeout=5).json()
    assert set(call) == CALL_KEYS
    message = requests.get(
        f"{carrier.url}{path}/Messages/{carrier.text(PERSON).sid}.json", auth=auth, timeout=5
    ).json()
    assert set(message) == MESSAGE_KEYS
    assert call["date_created"].endswith("+0000")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"to": ""}, 21201),
        ({"to": "not a number"}, 21211),
        ({"to": "+1201555"}, 21211),
        ({"to": "+15005550001"}, 21211),
        ({"to": "+15005550002"}, 21214),
        ({"to": "+15005550003"}, 21215),
        ({"to": "+15005550004"}, 21216),
        ({"from_": ""}, 21213),
        ({"from_": "+12015550199"}, 21210),
        ({"from_": "+15005550001"}, 21212),
        ({"to": OUR_NUMBER}, 21266),
        ({"url": ""}, 21205),
        ({"url": "https://under_score.example.com/voice"}, 21205),
        ({"status_callback": "https://under_score.example.com/status"}, 21609),
        ({"async_amd": "true"}, 21262),
        ({"timeout": "soon"}, 20001),
    ],
)
def test_a_bad_call_is_refused_with_twilios_code(
    carrier: RunningCarrier, change: dict[str, str], code: int
) -> None:
    asked = {"to": PERSON, "from_": OUR_NUMBER, "url": "https://example.com/voice"} | change
    with pytest.raises(TwilioRestException) as refused:
        carrier.client.calls.create(**asked)
    assert (refused.value.code, refused.value.status) == (code, 400)
    assert carrier.ledger() == []
    assert f'"code": {code}' in carrier.get("/_simulator/requests").text


@pytest.mark.parametrize("number", [SAMPLE_NUMBER, "+442079460000", "+15005550006"])
def test_a_possible_number_is_accepted_though_nobody_may_hold_it(
    carrier: RunningCarrier, number: str
) -> None:
    assert carrier.call(number).status == "queued"


def test_the_magic_sender_is_always_good(carrier: RunningCarrier) -> None:
    assert (
        carrier.client.calls.create(to=PERSON, from_="+15005550006", twiml="<Response/>").status == "queued"
    )


def test_a_wrong_token_is_401_and_an_unknown_call_404(carrier: RunningCarrier) -> None:
    with pytest.raises(TwilioRestException) as refused:
        sdk_client(carrier.url, token="0" * 32).calls("CA" + "0" * 32).fetch()
    assert (refused.value.status, refused.value.code) == (401, 20003)
    with pytest.raises(TwilioRestException) as missing:
        carrier.client.calls("CA" + "0" * 32).fetch()
    assert (missing.value.status, missing.value.code) == (404, 20404)
    with pytest.raises(TwilioRestException) as foreign:
        carrier.client.api.accounts("AC" + "0" * 32).calls("CA" + "0" * 32).fetch()
    assert (foreign.value.status, foreign.value.code) == (404, 20404)


def test_a_list_is_paged_newest_first_and_filtered(carrier: RunningCarrier) -> None:
    made = [carrier.call(f"+1415555{1000 + i}").sid for i in range(7)]
    assert [call.sid for call in carrier.client.calls.stream(page_size=3)] == made[::-1]
    assert [call.sid for call in carrier.client.calls.list(limit=2)] == made[:-3:-1]
    assert [call.sid for call in carrier.client.calls.list(to="+14155551003")] == [made[3]]
    assert carrier.client.calls.list(from_="+12025550143") == []
    page = carrier.client.calls.page(page_size=3)
    second = page.next_page()
    assert second is not None
    back = second.previous_page()
    assert back is not None
    assert [call.sid for call in back] == made[:-4:-1]
    third = second.next_page()
    assert third is not None
    assert third.next_page() is None
    before = third.previous_page()
    assert before is not None
    assert [call.sid for call in before] == made[3:0:-1]


def test_a_start_time_filter_hides_a_queued_call(carrier: RunningCarrier) -> None:
    carrier.control("pace", {"calls_per_second": 0.001})
    dialed, waiting = carrier.call(carrier.fix(PERSON, "busy")), carrier.call("+14155550134")
    until(lambda: dialed.fetch().status == "busy")
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    assert [call.sid for call in carrier.client.calls.list(start_time_after=hour_ago)] == [dialed.sid]
    assert carrier.client.calls.list(start_time_before=hour_ago) == []
    assert [call.sid for call in carrier.client.calls.list(status="queued")] == [waiting.sid]


def test_calls_above_the_pace_wait_and_say_how_long(carrier: RunningCarrier) -> None:
    carrier.control("speed", {"speed": 1})
    carrier.control("pace", {"calls_per_second": 0.1})
    first, second, third = (int(carrier.call(f"+1415555013{i}").queue_time) for i in range(3))
    assert first == 0
    assert 0 < second <= 10_000 < third <= 20_000


def test_a_queued_or_ringing_call_can_be_canceled(carrier: RunningCarrier) -> None:
    carrier.control("speed", {"speed": 1})
    call = carrier.call(carrier.fix(PERSON, "no_answer"))
    call.update(status="canceled")
    final = carrier.ours.wait_status("/status", "canceled")
    assert final.form["SipResponseCode"] == "487"
    assert call.fetch().status == "canceled"
    with pytest.raises(TwilioRestException) as refused:
        call.update(status="completed")
    assert refused.value.code == 21220


def test_a_live_call_can_be_hung_up_but_not_canceled(carrier: RunningCarrier) -> None:
    call = carrier.call(
        carrier.fix(PERSON, "answers_confirms"), url=None, twiml="<Response><Pause length='9999'/></Response>"
    )
    carrier.ours.wait_status("/status", "in-progress")
    carrier.control("speed", {"speed": 1})
    with pytest.raises(TwilioRestException) as refused:
        call.update(status="canceled")
    assert refused.value.code == 21220
    call.update(status="completed")
    assert carrier.ours.wait_status("/status", "completed").form["SipResponseCode"] == "200"


def test_a_live_call_can_be_sent_to_another_script(carrier: RunningCarrier) -> None:
    call = carrier.call(
        carrier.fix(PERSON, "answers_confirms"), url=None, twiml="<Response><Pause length='9999'/></Response>"
    )
    carrier.ours.wait_status("/status", "in-progress")
    carrier.control("speed", {"speed": 5})
    call.update(twiml="<Response><Say>Goodbye then</Say></Response>")
    carrier.ours.wait_status("/status", "completed")
    assert [heard["text"] for heard in carrier.ledger()[0]["heard"]] == ["Goodbye then"]


def test_a_call_that_is_not_answered_yet_cant_be_redirected(carrier: RunningCarrier) -> None:
    carrier.control("speed", {"speed": 1})
    with pytest.raises(TwilioRestException) as refused:
        carrier.call(PERSON).update(twiml="<Response/>")
    assert refused.value.code == 21220


def test_a_deleted_call_is_gone_but_stays_in_the_ledger(carrier: RunningCarrier) -> None:
    call = carrier.call(carrier.fix(PERSON, "busy"))
    carrier.ours.wait_status("/status", "busy")
    assert until(lambda: call.fetch().status == "busy")
    assert call.delete()
    with pytest.raises(TwilioRestException):
        call.fetch()
    assert [entry["sid"] for entry in carrier.ledger()] == [call.sid]


def test_events_show_the_request_that_created_the_call(carrier: RunningCarrier) -> None:
    call = carrier.call(PERSON)
    request = call.events.list()[0].request
    assert request["parameters"]["to"] == PERSON
    assert request["parameters"]["url"] == f"{carrier.ours.url}/voice"
    assert request["parameters"]["status_callback_event"] == ["initiated", "ringing", "answered", "completed"]


# Call callbacks


def test_every_event_asked_for_is_called_back_signed_and_numbered(carrier: RunningCarrier) -> None:
    carrier.ours.answers["/voice"] = "<Response><Say>Hello</Say></Response>"
    call = carrier.call(carrier.fix(PERSON, "answers_confirms"))
    received = sorted(carrier.ours.wait("/status", 4), key=lambda webhook: webhook.form["SequenceNumber"])
    assert [webhook.form["CallStatus"] for webhook in received] == [
        "initiated",
        "ringing",
        "in-progress",
        "completed",
    ]
    assert [webhook.form["SequenceNumber"] for webhook in received] == ["0", "1", "2", "3"]
    assert all(authentic(webhook) for webhook in carrier.ours.received)
    last = received[-1].form
    assert (last["CallSid"], last["AccountSid"], last["To"], last["From"]) == (
        call.sid,
        DEFAULT_ACCOUNT_SID,
        PERSON,
        OUR_NUMBER,
    )
    assert (last["CallbackSource"], last["ToCity"]) == ("call-progress-events", "")
    assert int(last["Duration"]) == math.ceil(int(last["CallDuration"]) / 60) > 0
    assert (
        received[0].headers["I-Twilio-Idempotency-Token"] != received[1].headers["I-Twilio-Idempotency-Token"]
    )


def test_only_the_end_is_called_back_unless_more_is_asked_for(carrier: RunningCarrier) -> None:
    carrier.call(carrier.fix(PERSON, "busy"), status_callback_event=None)
    final = carrier.ours.wait("/status")[0].form
    assert (final["CallStatus"], final["SipResponseCode"], final["SequenceNumber"]) == ("busy", "486", "0")
    assert final["CallDuration"] == "0"


def test_a_callback_by_get_is_signed_over_its_whole_address(carrier: RunningCarrier) -> None:
    carrier.call(
        carrier.fix(PERSON, "busy"),
        status_callback=f"{carrier.ours.url}/status?a=b%20c",
        status_callback_method="GET",
    )
    webhook = carrier.ours.wait("/status", 2)[0]
    assert webhook.method == "GET"
    assert "a=b%20c&AccountSid=" in webhook.url
    assert authentic(webhook)


def test_the_fragment_asks_for_retries_and_is_neither_sent_nor_signed(carrier: RunningCarrier) -> None:
    carrier.ours.answers["/status"] = [500, 503, 204]
    carrier.call(
        carrier.fix(PERSON, "busy"),
        status_callback=f"{carrier.ours.url}/status#rc=2&rp=ct,rt,5xx",
        status_callback_event=["completed"],
    )
    received = carrier.ours.wait("/status", 3)
    assert {webhook.url for webhook in received} == {f"{carrier.ours.url}/status"}
    assert len({webhook.headers["I-Twilio-Idempotency-Token"] for webhook in received}) == 1
    assert all(authentic(webhook) for webhook in received)


def test_retrying_on_everything_does_not_repeat_a_success(carrier: RunningCarrier) -> None:
    carrier.ours.answers["/status"] = [404, 204]
    carrier.call(
        carrier.fix(PERSON, "busy"),
        status_callback=f"{carrier.ours.url}/status#rc=5&rp=all",
        status_callback_event=["completed"],
    )
    carrier.ours.wait("/status", 2)
    carrier.call(PERSON, status_callback=f"{carrier.ours.url}/other", status_callback_event=["completed"])
    carrier.ours.wait("/other")
    assert len(carrier.ours.to("/status")) == 2


def test_a_failed_callback_is_not_repeated_unless_asked(carrier: RunningCarrier) -> None:
    carrier.ours.answers["/status"] = 500
    carrier.call(carrier.fix(PERSON, "busy"), status_callback_event=["completed"])
    carrier.ours.wait("/status")
    carrier.call(PERSON, status_callback=f"{carrier.ours.url}/other", status_callback_event=["completed"])
    carrier.ours.wait("/other")
    assert len(carrier.ours.to("/status")) == 1


@pytest.mark.parametrize(
    ("url", "caller", "signature"),
    [
        ("https://mycompany.com/myapp.php?foo=1&bar=2", "+14158675309", "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        ("https://mycompany.com/myapp.php?foo=1&bar=2", "+14158675310", "GvWf1cFY/Q7PnoempGyD5oXAezc="),
        ("https://example.com/myapp.php?foo=1&bar=2", "+14158675310", "L/OH5YylLD5NRKLltdqwSvS0BnU="),
    ],
)
def test_the_signature_is_twilios(url: str, caller: str, signature: str) -> None:
    fields = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": caller,
        "Digits": "1234",
        "From": caller,
        "To": "+18005551212",
    }
    assert sign("12345", url, list(fields.items())) == signature


# Messages


def test_a_message_is_sent_and_delivered_and_says_so(carrier: RunningCarrier) -> None:
    message = carrier.text(carrier.fix(PERSON, "delivered"), "Grüße €")
    assert re.fullmatch("SM[0-9a-f]{32}", message.sid)
    assert (message.status, message.num_segments, message.price, message.date_sent) == (
        "queued",
        "1",
        None,
        None,
    )
    final = carrier.ours.wait_status("/sms-status", "delivered")
    assert (final.form["MessageSid"], final.form["SmsStatus"]) == (message.sid, "delivered")
    statuses = {webhook.form["MessageStatus"] for webhook in carrier.ours.wait("/sms-status", 3)}
    assert statuses == {"sending", "sent", "delivered"}
    assert all(authentic(webhook) for webhook in carrier.ours.received)
    ended = message.fetch()
    assert (ended.status, ended.price, ended.error_code) == ("delivered", "-0.00790", None)
    assert ended.date_sent is not None


@pytest.mark.parametrize(
    ("persona", "codes"), [("undelivered", {30003, 30005, 30006}), ("filtered", {30007})]
)
def test_an_undelivered_message_gives_its_reason(
    carrier: RunningCarrier, persona: str, codes: set[int]
) -> None:
    message = carrier.text(carrier.fix(PERSON, persona))
    final = carrier.ours.wait_status("/sms-status", "undelivered")
    assert int(final.form["ErrorCode"]) in codes
    assert message.fetch().error_code in codes


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"to": ""}, 21604),
        ({"to": "12"}, 21211),
        ({"to": "+15005550001"}, 21211),
        ({"to": "+15005550002"}, 21612),
        ({"to": "+15005550003"}, 21408),
        ({"to": "+15005550004"}, 21610),
        ({"to": "+15005550009"}, 21614),
        ({"from_": ""}, 21603),
        ({"from_": "+12015550199"}, 21606),
        ({"from_": "+15005550001"}, 21212),
        ({"from_": "+15005550007"}, 21606),
        ({"from_": "+15005550008"}, 21611),
        ({"body": ""}, 21602),
        ({"body": "x" * 1601}, 21617),
        ({"status_callback": "ftp://example.com"}, 21609),
    ],
)
def test_a_bad_message_is_refused_with_twilios_code(
    carrier: RunningCarrier, change: dict[str, str], code: int
) -> None:
    asked = {"to": PERSON, "from_": OUR_NUMBER, "body": "Hello"} | change
    with pytest.raises(TwilioRestException) as refused:
        carrier.client.messages.create(**asked)
    assert refused.value.code == code
    assert carrier.ledger() == []


def test_messages_are_listed_redacted_and_deleted(carrier: RunningCarrier) -> None:
    made = [carrier.text(carrier.fix(PERSON, "delivered"), f"Text {i}").sid for i in range(3)]
    assert [message.sid for message in carrier.client.messages.stream(to=PERSON, page_size=2)] == made[::-1]
    assert carrier.client.messages(made[0]).update(body="").body == ""
    assert carrier.client.messages(made[1]).delete()
    assert [message.sid for message in carrier.client.messages.list()] == [made[2], made[0]]


def test_a_scheduled_message_can_be_canceled(carrier: RunningCarrier) -> None:
    carrier.control("speed", {"speed": 1})
    message = carrier.client.messages.create(
        to=PERSON,
        messaging_service_sid="MG" + "0" * 32,
        body="Later",
        schedule_type="fixed",
        send_at=datetime.now(UTC) + timedelta(hours=1),
    )
    assert (message.status, message.from_, message.num_segments) == ("scheduled", None, "0")
    assert message.update(status="canceled").status == "canceled"


def test_a_person_who_replies_stop_is_blocked_until_start(carrier: RunningCarrier) -> None:
    carrier.control("numbers", {"number": OUR_NUMBER, "sms_url": f"{carrier.ours.url}/inbound"})
    carrier.text(carrier.fix(PERSON, "replies_stop"))
    inbound = carrier.ours.wait("/inbound")[0]
    assert (inbound.form["From"], inbound.form["To"], inbound.form["Body"]) == (PERSON, OUR_NUMBER, "STOP")
    assert inbound.form["SmsStatus"] == "received"
    assert authentic(inbound)
    with pytest.raises(TwilioRestException) as refused:
        carrier.text(PERSON)
    assert refused.value.code == 21610
    carrier.control("inbound", {"from": PERSON, "to": OUR_NUMBER, "body": "start"})
    assert carrier.text(PERSON).status == "queued"


# Account and numbers


def test_the_account_and_its_numbers_are_shown(carrier: RunningCarrier) -> None:
    assert carrier.client.api.accounts(DEFAULT_ACCOUNT_SID).fetch().status == "active"
    numbers = carrier.client.incoming_phone_numbers.list()
    assert {number.phone_number for number in numbers} == set(DEFAULT_NUMBERS)
    updated = numbers[0].update(sms_url=f"{carrier.ours.url}/inbound")
    assert carrier.client.incoming_phone_numbers(updated.sid).fetch().sms_url == f"{carrier.ours.url}/inbound"


def test_a_number_added_by_control_can_call(carrier: RunningCarrier) -> None:
    carrier.control("numbers", {"number": "+442079460000"})
    assert (
        carrier.client.calls.create(to=PERSON, from_="+442079460000", twiml="<Response/>").status == "queued"
    )


def test_a_number_that_only_calls_says_so_and_sends_no_text(carrier: RunningCarrier) -> None:
    carrier.control("numbers", {"number": "+442079460000", "sms": False})
    (number,) = carrier.client.incoming_phone_numbers.list(phone_number="+442079460000")
    assert (number.capabilities["voice"], number.capabilities["sms"]) == (True, False)
    with pytest.raises(TwilioRestException) as refused:
        carrier.text(PERSON, from_="+442079460000")
    assert refused.value.code == 21606


def test_a_verified_caller_id_calls_and_sends_no_text(carrier: RunningCarrier) -> None:
    for number in ("+442079460000", "+442079460001"):
        carrier.control("caller-ids", {"number": number})
    listed = carrier.client.outgoing_caller_ids.list(page_size=1)
    assert [one.phone_number for one in listed] == ["+442079460000", "+442079460001"]
    (verified,) = carrier.client.outgoing_caller_ids.list(phone_number="+442079460001")
    assert (verified.sid, verified.friendly_name) == (listed[1].sid, "+442079460001")
    assert carrier.client.incoming_phone_numbers.list(phone_number="+442079460001") == []
    assert carrier.call(PERSON, from_="+442079460001", twiml="<Response/>", url=None).status == "queued"
    with pytest.raises(TwilioRestException) as refused:
        carrier.text(PERSON, from_="+442079460001")
    assert refused.value.code == 21606


def test_a_number_taken_from_the_account_calls_no_more(carrier: RunningCarrier) -> None:
    carrier.disown(OUR_NUMBER)
    assert carrier.client.incoming_phone_numbers.list(phone_number=OUR_NUMBER) == []
    with pytest.raises(TwilioRestException) as refused:
        carrier.call(PERSON)
    assert refused.value.code == 21210
