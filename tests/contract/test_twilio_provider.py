"""What the Twilio adapter answers for every way a carrier and a network can fail."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from aiohttp import ClientTimeout, web
from pydantic import SecretStr

from app.domain.call_options import CallOptions
from app.domain.campaign import Channel
from app.domain.events import AnsweredBy, EventKind, FailureClass
from app.providers.base import (
    CallOrder,
    ConfiguredAccount,
    LookupFailed,
    MessageOrder,
    NotPlaced,
    NotSent,
    PlaceAnswer,
    Placed,
    Refused,
    Unclear,
)
from app.providers.registry import UnknownCarrierKind, make_carrier
from app.providers.twilio import http
from app.providers.twilio.client import TwilioCarrier
from app.providers.twilio.urls import CallbackPurpose, callback_url

ATTEMPT = UUID("0199d9a0-0000-7000-8000-000000000001")
SID = "CA" + "1" * 32
CREATED = "Tue, 31 Aug 2010 20:36:28 +0000"

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Stub:
    """A carrier that answers every request as told, and remembers what it was asked."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, list[tuple[str, str]]]] = []
        self.headers: list[dict[str, str]] = []
        self.url = ""
        self._answer: Answer = says(500, {})

    def answer(self, answer: Answer) -> None:
        self._answer = answer

    @property
    def form(self) -> dict[str, list[str]]:
        fields: dict[str, list[str]] = {}
        for name, value in self.requests[-1][2]:
            fields.setdefault(name, []).append(value)
        return fields

    async def handle(self, request: web.Request) -> web.StreamResponse:
        form = [(name, str(value)) for name, value in (await request.post()).items()]
        self.requests.append((request.method, request.path_qs, form))
        self.headers.append(dict(request.headers))
        return await self._answer(request)


def says(status: int, body: object, **headers: str) -> Answer:
    """An answer with this status and JSON body."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response(
            body, status=status, headers={k.replace("_", "-"): v for k, v in headers.items()}
        )

    return answer


def refuses(status: int, code: int | None, message: str = "no") -> Answer:
    """Twilio's error document."""
    return says(status, {"code": code, "message": message, "more_info": "", "status": status})


def call_record(**fields: Any) -> dict[str, Any]:
    """A call as the REST API shows it."""
    return {
        "sid": SID,
        "to": "+12015550123",
        "from": "+12025550143",
        "status": "queued",
        "direction": "outbound-api",
        "date_created": CREATED,
        "date_updated": CREATED,
        "queue_time": "0",
        **fields,
    }


async def hangs(_: web.Request) -> web.StreamResponse:
    await asyncio.sleep(60)
    return web.Response()


async def accepts_and_resets(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def accepts_and_closes_mid_answer(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(
        status=201, headers={"Content-Length": "1000", "Content-Type": "application/json"}
    )
    await response.prepare(request)
    await response.write(b'{"sid": "CA')
    assert request.transport is not None
    request.transport.abort()
    return response


@pytest.fixture
async def stub() -> AsyncIterator[Stub]:
    stub = Stub()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", stub.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    stub.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield stub
    await runner.cleanup()


def account(api_url: str) -> ConfiguredAccount:
    return ConfiguredAccount(
        kind="twilio",
        account_sid="AC" + "0" * 32,
        auth_token=SecretStr("token"),
        api_url=api_url,
        public_url="https://calls.example.com",
        callback_secret=SecretStr("callback secret"),
        simulated=True,
    )


@pytest.fixture
async def carrier(stub: Stub) -> AsyncIterator[TwilioCarrier]:
    carrier = TwilioCarrier(account(stub.url))
    yield carrier
    await carrier.aclose()


def call(*, detect_machine: bool = True, **changes: Any) -> CallOrder:
    fields: dict[str, Any] = {
        "attempt_id": ATTEMPT,
        "to": "+12015550123",
        "from_": "+12025550143",
        "options": CallOptions(ring_seconds=25, longest_seconds=300, detect_machine=detect_machine),
    }
    return CallOrder(**{**fields, **changes})


def message(**changes: Any) -> MessageOrder:
    fields: dict[str, Any] = {
        "attempt_id": ATTEMPT,
        "to": "+12015550123",
        "from_": "+12025550143",
        "body": "Zoë: see you at 5 & bring 1+1 “papers”",
        "validity_seconds": 600,
    }
    return MessageOrder(**{**fields, **changes})


async def test_an_accepted_call_is_placed_with_the_carriers_id_and_queue_time(
    stub: Stub, carrier: TwilioCarrier
) -> None:
    stub.answer(says(201, call_record(queue_time="1500")))
    assert await carrier.place_call(call()) == Placed(provider_id=SID, queue_ms=1500)


async def test_a_request_held_back_at_the_last_moment_never_leaves(
    stub: Stub, carrier: TwilioCarrier
) -> None:
    async def no_longer() -> None:
        raise NotSent("It was paused.")

    stub.answer(says(201, call_record()))
    answered = await carrier.place_call(call(before_sending=no_longer))
    assert answered == NotPlaced(reason="It was paused.", retry_after_seconds=None)
    assert stub.requests == []
    assert isinstance(await carrier.place_call(call()), Placed)
    assert len(stub.requests) == 1


async def test_a_request_asks_only_for_itself(stub: Stub, carrier: TwilioCarrier) -> None:
    asked: list[str] = []

    async def ask() -> None:
        asked.append("once")

    stub.answer(says(201, call_record()))
    await carrier.place_call(call(before_sending=ask))
    await carrier.fetch(Channel.CALL, SID)
    assert asked == ["once"]


async def test_a_call_carries_its_callbacks_limits_and_events(stub: Stub, carrier: TwilioCarrier) -> None:
    stub.answer(says(201, call_record()))
    await carrier.place_call(call())
    method, path, _ = stub.requests[-1]
    assert (method, path) == ("POST", f"/2010-04-01/Accounts/AC{'0' * 32}/Calls.json")
    assert stub.form == {
        "To": ["+12015550123"],
        "From": ["+12025550143"],
        "Url": [callback_url(carrier.account, CallbackPurpose.VOICE, ATTEMPT) + "#rc=2&rp=ct,rt,5xx"],
        "StatusCallback": [
            callback_url(carrier.account, CallbackPurpose.STATUS, ATTEMPT) + "#rc=2&rp=ct,rt,5xx"
        ],
        "StatusCallbackEvent": ["initiated", "ringing", "answered", "completed"],
        "Timeout": ["25"],
        "TimeLimit": ["300"],
        "MachineDetection": ["Enable"],
    }
    assert stub.headers[-1]["Authorization"].startswith("Basic ")


async def test_machine_detection_is_sent_only_when_asked(stub: Stub, carrier: TwilioCarrier) -> None:
    stub.answer(says(201, call_record()))
    await carrier.place_call(call(detect_machine=False))
    assert "MachineDetection" not in stub.form


async def test_a_message_carries_its_text_exactly_and_its_validity(
    stub: Stub, carrier: TwilioCarrier
) -> None:
    stub.answer(says(201, {"sid": "SM" + "2" * 32, "status": "queued"}))
    assert await carrier.place_message(message()) == Placed(provider_id="SM" + "2" * 32, queue_ms=0)
    assert stub.form["Body"] == [message().body]
    assert stub.form["ValidityPeriod"] == ["600"]
    assert stub.form["StatusCallback"] == [
        callback_url(carrier.account, CallbackPurpose.MESSAGE_STATUS, ATTEMPT) + "#rc=2&rp=ct,rt,5xx"
    ]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (refuses(401, 20003), Refused(failure=FailureClass.MISCONFIGURED, code=20003, message="no")),
        (refuses(400, 21211), Refused(failure=FailureClass.BAD_NUMBER, code=21211, message="no")),
        (refuses(400, 21610), Refused(failure=FailureClass.OPTED_OUT, code=21610, message="no")),
        (refuses(400, 21617), Refused(failure=FailureClass.CONTENT, code=21617, message="no")),
        (refuses(400, 21611), Refused(failure=FailureClass.TRANSIENT, code=21611, message="no")),
        (refuses(400, 99999), Refused(failure=FailureClass.UNRECOGNIZED, code=99999, message="no")),
        (refuses(400, None), Refused(failure=FailureClass.UNRECOGNIZED, code=None, message="no")),
        (refuses(404, 20404), Refused(failure=FailureClass.MISCONFIGURED, code=20404, message="no")),
        (says(302, {}, Location="/x"), Refused(failure=FailureClass.MISCONFIGURED, code=None, message="")),
        (
            says(400, {"type": "t", "title": "Bad", "status": 400, "code": 21211, "detail": "To is invalid"}),
            Refused(failure=FailureClass.BAD_NUMBER, code=21211, message="To is invalid"),
        ),
        (refuses(429, 20429), NotPlaced(reason=str(http.CarrierThrottled(None)), retry_after_seconds=None)),
        (
            says(429, {"code": 20429}, Retry_After="7"),
            NotPlaced(reason=str(http.CarrierThrottled(None)), retry_after_seconds=7.0),
        ),
        (refuses(400, 20429, "slow down"), NotPlaced(reason="slow down", retry_after_seconds=None)),
    ],
)
async def test_an_answer_below_500_says_what_happened(
    stub: Stub, carrier: TwilioCarrier, answer: Answer, expected: PlaceAnswer
) -> None:
    stub.answer(answer)
    answered = await carrier.place_call(call())
    if not isinstance(answered, Refused) or not isinstance(expected, Refused):
        assert answered == expected
        return
    assert (answered.failure, answered.code) == (expected.failure, expected.code)
    assert answered.message == expected.message or not expected.message
    assert (answered.remedy is not None) == (answered.failure is FailureClass.MISCONFIGURED)
    assert len(stub.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        refuses(500, 20500),
        refuses(503, 20503),
        says(502, "bad gateway"),
        refuses(408, None),
        refuses(400, 20500),
        says(303, {}),
        says(201, {}),
        says(201, ["not", "a", "call"]),
        accepts_and_resets,
        accepts_and_closes_mid_answer,
    ],
)
async def test_what_may_have_dialed_is_unclear_and_never_posted_twice(
    stub: Stub, carrier: TwilioCarrier, answer: Answer
) -> None:
    stub.answer(answer)
    assert isinstance(await carrier.place_call(call()), Unclear)
    assert len(stub.requests) == 1


async def test_a_page_instead_of_json_is_unclear(stub: Stub, carrier: TwilioCarrier) -> None:
    async def page(_: web.Request) -> web.StreamResponse:
        return web.Response(text="<html>ok</html>", status=200)

    stub.answer(page)
    assert isinstance(await carrier.place_call(call()), Unclear)


async def test_no_answer_in_time_is_unclear(
    stub: Stub, carrier: TwilioCarrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "TIMEOUT", ClientTimeout(total=0.05, connect=0.05))
    stub.answer(hangs)
    assert await carrier.place_call(call()) == Unclear(reason="the carrier did not answer in time")
    assert len(stub.requests) == 1


def test_no_request_can_outlast_the_ten_second_guard() -> None:
    assert http.TIMEOUT.total is not None
    assert http.TIMEOUT.total < 10


async def test_connection_refused_is_not_placed() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        carrier = TwilioCarrier(account(f"http://127.0.0.1:{taken.getsockname()[1]}"))
        assert isinstance(await carrier.place_call(call()), NotPlaced)
        await carrier.aclose()


async def test_a_name_that_does_not_resolve_is_not_placed() -> None:
    carrier = TwilioCarrier(account("http://carrier.invalid"))
    assert isinstance(await carrier.place_message(message()), NotPlaced)
    await carrier.aclose()


async def test_no_free_connection_in_time_is_not_placed(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    carrier = TwilioCarrier(account(stub.url), connection_limit=1)
    monkeypatch.setattr(http, "TIMEOUT", ClientTimeout(total=0.6, connect=0.1))
    stub.answer(hangs)
    answers = await asyncio.gather(carrier.place_call(call()), carrier.place_call(call()))
    assert {type(answer) for answer in answers} == {Unclear, NotPlaced}
    assert len(stub.requests) == 1
    await carrier.aclose()


async def test_the_environment_does_not_leak_into_requests(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWILIO_EDGE", "sydney")
    monkeypatch.setenv("TWILIO_REGION", "au1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    stub.answer(says(201, call_record()))
    carrier = TwilioCarrier(account(stub.url))
    assert isinstance(await carrier.place_call(call()), Placed)
    await carrier.aclose()


async def test_phone_numbers_are_never_logged(
    stub: Stub, carrier: TwilioCarrier, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    stub.answer(says(200, {"calls": [call_record()], "page_size": 50}))
    await carrier.find(
        Channel.CALL, to="+12015550123", from_="+12025550143", since=datetime(2010, 1, 1, tzinfo=UTC)
    )
    stub.answer(refuses(400, 21211))
    await carrier.place_call(call())
    assert "2015550123" not in caplog.text


async def test_fetch_returns_the_state_as_events(stub: Stub, carrier: TwilioCarrier) -> None:
    ended = "Tue, 31 Aug 2010 20:37:28 +0000"
    stub.answer(
        says(
            200,
            call_record(
                status="completed",
                end_time=ended,
                duration="15",
                answered_by="machine_start",
                price="-0.0130",
            ),
        )
    )
    remote = await carrier.fetch(Channel.CALL, SID)
    assert remote is not None
    assert remote.created_at == datetime(2010, 8, 31, 20, 36, 28, tzinfo=UTC)
    answered, completed = remote.events
    assert answered.kind is EventKind.ANSWERED
    assert completed.kind is EventKind.COMPLETED
    assert completed.occurred_at - answered.occurred_at == timedelta(seconds=15)
    assert (completed.duration_seconds, completed.price) == (15, "0.0130")
    assert completed.answered_by is AnsweredBy.MACHINE


async def test_fetch_of_an_undelivered_message_says_why(stub: Stub, carrier: TwilioCarrier) -> None:
    stub.answer(
        says(200, {"sid": "SM1", "status": "undelivered", "error_code": 30005, "date_created": CREATED})
    )
    remote = await carrier.fetch(Channel.SMS, "SM1")
    assert remote is not None
    assert remote.events[0].kind is EventKind.UNDELIVERED
    assert remote.events[0].failure is FailureClass.BAD_NUMBER


async def test_fetch_of_what_the_carrier_does_not_know_is_none(stub: Stub, carrier: TwilioCarrier) -> None:
    stub.answer(refuses(404, 20404))
    assert await carrier.fetch(Channel.CALL, SID) is None


async def test_find_lists_without_a_time_filter_and_compares_creation_itself(
    stub: Stub, carrier: TwilioCarrier
) -> None:
    older = call_record(sid="CAold", date_created="Tue, 31 Aug 2010 20:00:00 +0000")
    by_hand = call_record(sid="CAdial", direction="outbound-dial")
    stub.answer(says(200, {"calls": [call_record(), by_hand, older], "page_size": 50, "next_page_uri": None}))
    since = datetime(2010, 8, 31, 20, 36, tzinfo=UTC)
    found = await carrier.find(Channel.CALL, to="+12015550123", from_="+12025550143", since=since)
    assert [one.provider_id for one in found] == [SID]
    assert "StartTime" not in stub.requests[-1][1]
    assert "To=%2B12015550123" in stub.requests[-1][1]
    assert "From=%2B12025550143" in stub.requests[-1][1]


async def test_find_reads_every_page(stub: Stub, carrier: TwilioCarrier) -> None:
    async def pages(request: web.Request) -> web.StreamResponse:
        second = "PageToken" in request.query
        here = call_record(sid="CA2" if second else "CA1")
        following = None if second else f"{request.path}?PageToken=x"
        return web.json_response({"calls": [here], "next_page_uri": following, "page_size": 1})

    stub.answer(pages)
    since = datetime(2010, 1, 1, tzinfo=UTC)
    found = await carrier.find(Channel.CALL, to="+12015550123", from_="+12025550143", since=since)
    assert [one.provider_id for one in found] == ["CA1", "CA2"]


async def test_a_calls_events_prove_which_attempt_it_was_placed_for(
    stub: Stub, carrier: TwilioCarrier
) -> None:
    url = callback_url(carrier.account, CallbackPurpose.VOICE, ATTEMPT)
    stub.answer(
        says(200, {"events": [{"request": {"parameters": {"url": url}}, "response": {}}], "page_size": 50})
    )
    assert await carrier.attempt_of(Channel.CALL, SID) == ATTEMPT


async def test_a_forged_token_in_a_calls_events_proves_nothing(stub: Stub, carrier: TwilioCarrier) -> None:
    url = callback_url(carrier.account, CallbackPurpose.VOICE, ATTEMPT)[:-4] + "0000"
    stub.answer(
        says(200, {"events": [{"request": {"parameters": {"url": url}}, "response": {}}], "page_size": 50})
    )
    assert await carrier.attempt_of(Channel.CALL, SID) is None


@pytest.mark.parametrize(
    "answer", [refuses(500, 20500), refuses(401, 20003), refuses(429, 20429), accepts_and_resets]
)
async def test_a_question_that_could_not_be_asked_raises(
    stub: Stub, carrier: TwilioCarrier, answer: Answer
) -> None:
    stub.answer(answer)
    with pytest.raises(LookupFailed):
        await carrier.fetch(Channel.CALL, SID)
    with pytest.raises(LookupFailed):
        await carrier.find(Channel.SMS, to="+1", from_="+1", since=datetime(2010, 1, 1, tzinfo=UTC))
    with pytest.raises(LookupFailed):
        await carrier.cancel(Channel.CALL, SID)


async def test_cancel_takes_back_and_hang_up_ends(stub: Stub, carrier: TwilioCarrier) -> None:
    stub.answer(says(200, call_record(status="canceled")))
    assert await carrier.cancel(Channel.CALL, SID)
    assert stub.form == {"Status": ["canceled"]}
    assert await carrier.hang_up(SID)
    assert stub.form == {"Status": ["completed"]}


async def test_ending_what_is_over_says_so(stub: Stub, carrier: TwilioCarrier) -> None:
    stub.answer(refuses(400, 21220))
    assert not await carrier.cancel(Channel.CALL, SID)
    assert not await carrier.hang_up(SID)


def test_an_unknown_kind_of_carrier_is_named() -> None:
    with pytest.raises(UnknownCarrierKind, match="pigeon"):
        make_carrier(replace(account("http://127.0.0.1:1"), kind="pigeon"))


def test_secrets_stay_out_of_the_accounts_text() -> None:
    assert "callback secret" not in repr(account("http://127.0.0.1:1"))
