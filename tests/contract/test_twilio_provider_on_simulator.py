"""The Twilio adapter and the simulated carrier, over the wire: neither knows the other's code."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode, urlsplit
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr

from app.domain.attempt import AttemptProgress, AttemptStatus, Disposition, apply_event, disposition_of
from app.domain.call_options import CallOptions
from app.domain.campaign import Channel
from app.domain.events import EventKind, FailureClass
from app.providers.base import (
    AccountCheck,
    CallOrder,
    ConfiguredAccount,
    InboundTexts,
    Keyword,
    LookupFailed,
    MessageOrder,
    NumberDirectory,
    Placed,
    ReceivedEvent,
    Refused,
    WebhookRequest,
)
from app.providers.script import CallScript
from app.providers.twilio.client import TwilioCarrier
from app.providers.twilio.twiml import answer_to, hang_up, opening
from app.providers.twilio.urls import (
    CONNECTION_OVERRIDES,
    INBOUND_PATH,
    CallbackPurpose,
    callback_url,
    inbound_url,
)
from app.providers.twilio.webhooks import TwilioWebhooks, parse_inbound_message
from app.simulator.settings import DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN
from tests.simulator.support import OUR_NUMBER, RunningCarrier, Webhook

PERSON = "+14155550133"
PURPOSES = {purpose.value: purpose for purpose in CallbackPurpose}
SCRIPT = CallScript(
    greeting="Hello, this is Acme.",
    agenda="We call about your appointment.",
    question="Will you come?",
    closing="Goodbye.",
    language="en-US",
    voice=None,
)


@pytest.fixture
def account(carrier: RunningCarrier) -> ConfiguredAccount:
    return ConfiguredAccount(
        kind="twilio",
        account_sid=DEFAULT_ACCOUNT_SID,
        auth_token=SecretStr(DEFAULT_AUTH_TOKEN),
        api_url=carrier.url,
        public_url=carrier.ours.url,
        callback_secret=SecretStr("callback secret"),
        simulated=True,
    )


@pytest.fixture
async def provider(account: ConfiguredAccount) -> AsyncIterator[TwilioCarrier]:
    provider = TwilioCarrier(account)
    yield provider
    await provider.aclose()


def path(account: ConfiguredAccount, purpose: CallbackPurpose, attempt_id: UUID) -> str:
    return urlsplit(callback_url(account, purpose, attempt_id)).path


def call(attempt_id: UUID, *, detect_machine: bool = False) -> CallOrder:
    return CallOrder(
        attempt_id=attempt_id,
        to=PERSON,
        from_=OUR_NUMBER,
        options=CallOptions(ring_seconds=25, longest_seconds=300, detect_machine=detect_machine),
    )


def message(attempt_id: UUID, body: str = "Hello") -> MessageOrder:
    return MessageOrder(attempt_id=attempt_id, to=PERSON, from_=OUR_NUMBER, body=body, validity_seconds=600)


def follow_the_script(carrier: RunningCarrier, account: ConfiguredAccount, attempt_id: UUID) -> None:
    """Answer the carrier's requests for TwiML: the opening, then what follows the person's answer."""
    gather = callback_url(account, CallbackPurpose.GATHER, attempt_id) + "?ask=1" + CONNECTION_OVERRIDES
    carrier.ours.answers[path(account, CallbackPurpose.VOICE, attempt_id)] = opening(
        SCRIPT, answer_url=gather
    ).twiml
    _, after = answer_to(digits="1", speech="", script=SCRIPT, ask_again_url=None)
    carrier.ours.answers[path(account, CallbackPurpose.GATHER, attempt_id)] = after.twiml


def believed(account: ConfiguredAccount, webhook: Webhook) -> tuple[ReceivedEvent, ...]:
    """Verify a webhook as it came over the wire, and translate it."""
    parts = urlsplit(webhook.url)
    webhooks = TwilioWebhooks(account)
    request = WebhookRequest(
        method=webhook.method,
        raw_path=parts.path,
        raw_query=parts.query,
        headers={name.lower(): value for name, value in webhook.headers.items()},
        body=urlencode(webhook.fields).encode(),
    )
    purpose = PURPOSES[parts.path.split("/")[3]]
    return webhooks.parse(purpose, webhooks.verify(request), received_at=datetime.now(UTC))


def progress_of(carrier: RunningCarrier, account: ConfiguredAccount) -> AttemptProgress:
    progress = AttemptProgress()
    for webhook in carrier.ours.received:
        for received in believed(account, webhook):
            progress = apply_event(progress, received.event)
    return progress


@pytest.mark.parametrize(
    ("persona", "word", "disposition"),
    [
        ("answers_confirms", "completed", Disposition.ANSWERED),
        ("answers_declines", "completed", Disposition.ANSWERED),
        ("presses_9", "completed", Disposition.OPTED_OUT),
        ("asks_removal", "completed", Disposition.OPTED_OUT),
        ("voicemail", "completed", Disposition.VOICEMAIL),
        ("busy", "busy", Disposition.BUSY),
        ("no_answer", "no-answer", Disposition.NO_ANSWER),
        ("invalid_number", "failed", Disposition.INVALID_NUMBER),
    ],
)
async def test_each_persona_ends_in_its_disposition(
    carrier: RunningCarrier,
    account: ConfiguredAccount,
    provider: TwilioCarrier,
    persona: str,
    word: str,
    disposition: Disposition,
) -> None:
    attempt_id = uuid4()
    carrier.fix(PERSON, persona)
    follow_the_script(carrier, account, attempt_id)
    if persona == "voicemail":
        carrier.ours.answers[path(account, CallbackPurpose.VOICE, attempt_id)] = hang_up().twiml
    placed = await provider.place_call(call(attempt_id, detect_machine=True))
    assert isinstance(placed, Placed)
    carrier.ours.wait_status(path(account, CallbackPurpose.STATUS, attempt_id), word)
    progress = progress_of(carrier, account)
    assert disposition_of(progress) is disposition
    remote = await provider.fetch(Channel.CALL, placed.provider_id)
    assert remote is not None
    if disposition is not Disposition.INVALID_NUMBER:
        assert remote.events[-1].kind is progress.ended_as


async def test_a_call_that_is_turned_away_is_rejected(
    carrier: RunningCarrier, account: ConfiguredAccount, provider: TwilioCarrier
) -> None:
    attempt_id = uuid4()
    carrier.fix(PERSON, "rejects")
    await provider.place_call(call(attempt_id))
    status_path = path(account, CallbackPurpose.STATUS, attempt_id)
    carrier.ours.wait(status_path, 2)
    ends = {"busy", "failed", "no-answer"}
    while not any(webhook.form["CallStatus"] in ends for webhook in carrier.ours.to(status_path)):
        carrier.ours.wait(status_path, len(carrier.ours.to(status_path)) + 1)
    assert disposition_of(progress_of(carrier, account)) is Disposition.REJECTED


async def test_a_message_is_delivered(
    carrier: RunningCarrier, account: ConfiguredAccount, provider: TwilioCarrier
) -> None:
    attempt_id = uuid4()
    carrier.fix(PERSON, "delivered")
    placed = await provider.place_message(message(attempt_id))
    assert isinstance(placed, Placed)
    carrier.ours.wait_status(path(account, CallbackPurpose.MESSAGE_STATUS, attempt_id), "delivered")
    assert progress_of(carrier, account).status is AttemptStatus.DELIVERED


async def test_an_undelivered_message_says_why(
    carrier: RunningCarrier, account: ConfiguredAccount, provider: TwilioCarrier
) -> None:
    attempt_id = uuid4()
    carrier.fix(PERSON, "undelivered")
    await provider.place_message(message(attempt_id))
    carrier.ours.wait_status(path(account, CallbackPurpose.MESSAGE_STATUS, attempt_id), "undelivered")
    progress = progress_of(carrier, account)
    assert progress.ended_as is EventKind.UNDELIVERED
    assert progress.failure is not None


async def test_what_was_placed_is_found_again_and_proven_ours(
    carrier: RunningCarrier, account: ConfiguredAccount, provider: TwilioCarrier
) -> None:
    attempt_id = uuid4()
    placed = await provider.place_call(call(attempt_id))
    assert isinstance(placed, Placed)
    since = datetime(2000, 1, 1, tzinfo=UTC)
    found = await provider.find(Channel.CALL, to=PERSON, from_=OUR_NUMBER, since=since)
    assert [one.provider_id for one in found] == [placed.provider_id]
    assert await provider.attempt_of(Channel.CALL, placed.provider_id) == attempt_id
    later = found[0].created_at + timedelta(seconds=1)
    assert await provider.find(Channel.CALL, to=PERSON, from_=OUR_NUMBER, since=later) == []


async def test_a_message_is_found_again_by_its_text(carrier: RunningCarrier, provider: TwilioCarrier) -> None:
    await provider.place_message(message(uuid4(), "first"))
    since = datetime(2000, 1, 1, tzinfo=UTC)
    found = await provider.find(Channel.SMS, to=PERSON, from_=OUR_NUMBER, since=since)
    assert [one.body for one in found] == ["first"]


async def test_a_refusal_names_its_class(provider: TwilioCarrier) -> None:
    order = CallOrder(
        attempt_id=uuid4(),
        to="+15005550001",
        from_=OUR_NUMBER,
        options=CallOptions(ring_seconds=25, longest_seconds=300, detect_machine=False),
    )
    answer = await provider.place_call(order)
    assert isinstance(answer, Refused)
    assert (answer.failure, answer.code) == (FailureClass.BAD_NUMBER, 21211)


async def test_a_queued_call_says_how_long_it_waits_and_can_be_taken_back(
    carrier: RunningCarrier, account: ConfiguredAccount, provider: TwilioCarrier
) -> None:
    carrier.control("pace", {"calls_per_second": 0.001})
    at_once, queued = [await provider.place_call(call(uuid4())) for _ in range(2)]
    assert isinstance(at_once, Placed)
    assert isinstance(queued, Placed)
    assert at_once.queue_ms == 0
    assert queued.queue_ms > 500_000
    assert await provider.cancel(Channel.CALL, queued.provider_id)
    remote = await provider.fetch(Channel.CALL, queued.provider_id)
    while remote is not None and remote.events[-1].kind is EventKind.QUEUED:
        remote = await provider.fetch(Channel.CALL, queued.provider_id)
    assert remote is not None
    assert remote.events[-1].kind is EventKind.CANCELLED
    assert not await provider.cancel(Channel.CALL, queued.provider_id)


async def test_a_call_from_a_flagged_number_says_so(
    carrier: RunningCarrier, account: ConfiguredAccount, provider: TwilioCarrier
) -> None:
    carrier.control("numbers", {"number": OUR_NUMBER, "flagged": 608})
    attempt_id = uuid4()
    await provider.place_call(call(attempt_id))
    webhook = carrier.ours.wait_status(path(account, CallbackPurpose.STATUS, attempt_id), "failed")
    (received,) = believed(account, webhook)
    assert (received.event.failure, received.event.sip_code) == (FailureClass.SENDER_HEALTH, 608)


async def test_the_carrier_tells_its_time_and_none_if_it_cannot_be_asked(
    carrier: RunningCarrier, provider: TwilioCarrier, account: ConfiguredAccount
) -> None:
    told = await provider.time()
    assert told is not None
    assert abs(told - datetime.now(UTC)) < timedelta(seconds=5)
    unreachable = TwilioCarrier(replace(account, api_url="http://127.0.0.1:9"))
    assert await unreachable.time() is None
    await unreachable.aclose()


async def test_an_unknown_call_is_none_and_cannot_be_ended(provider: TwilioCarrier) -> None:
    assert await provider.fetch(Channel.CALL, "CA" + "0" * 32) is None
    assert not await provider.hang_up("CA" + "0" * 32)


async def test_the_account_tells_which_numbers_it_owns_and_what_they_are_good_for(
    provider: TwilioCarrier,
) -> None:
    owned = await provider.owned_numbers()
    assert isinstance(provider, NumberDirectory)
    assert OUR_NUMBER in {one.number for one in owned}
    assert all(one.voice and one.sms for one in owned)


NOBODYS, VERIFIED, CALLS_ONLY = "+12015550900", "+12015550901", "+12015550902"


async def test_the_account_is_asked_for_single_numbers_and_for_many(
    carrier: RunningCarrier, provider: TwilioCarrier
) -> None:
    carrier.control("caller-ids", {"number": VERIFIED})
    carrier.control("numbers", {"number": CALLS_ONLY, "sms": False})
    asked = [OUR_NUMBER, NOBODYS, VERIFIED, CALLS_ONLY]
    by_itself = [await provider.find_numbers([number]) for number in asked]
    together = await provider.find_numbers(asked)
    assert {number: one for found in by_itself for number, one in found.items()} == together
    assert {number: (one.voice, one.sms) for number, one in together.items()} == {
        OUR_NUMBER: (True, True),
        VERIFIED: (True, False),
        CALLS_ONLY: (True, False),
    }


async def test_a_number_on_a_later_page_of_the_accounts_list_is_found(
    carrier: RunningCarrier, provider: TwilioCarrier
) -> None:
    numbers = [f"+1305555{line:04}" for line in range(1_003)]
    for number in numbers:
        carrier.control("numbers", {"number": number})
    assert set(await provider.find_numbers([numbers[0], numbers[-1]])) == {numbers[0], numbers[-1]}


async def test_a_part_of_a_number_is_not_that_number(provider: TwilioCarrier) -> None:
    assert await provider.find_numbers([OUR_NUMBER[:-1]]) == {}


async def test_texts_to_our_numbers_are_announced_to_us_and_signed(
    carrier: RunningCarrier, account: ConfiguredAccount, provider: TwilioCarrier
) -> None:
    assert isinstance(provider, InboundTexts)
    assert await provider.announce_texts({OUR_NUMBER, "+12015550999"}) == {OUR_NUMBER: ""}
    carrier.control("inbound", {"from": PERSON, "to": OUR_NUMBER, "body": "STOP"})
    webhook = carrier.ours.wait(INBOUND_PATH)[0]
    request = WebhookRequest(
        method=webhook.method,
        raw_path=INBOUND_PATH,
        raw_query="",
        headers={name.lower(): value for name, value in webhook.headers.items()},
        body=urlencode(webhook.fields).encode(),
    )
    fields = TwilioWebhooks(account).verify(request)
    message = parse_inbound_message(fields, received_at=datetime.now(UTC))
    assert (message.from_, message.to, message.keyword) == (PERSON, OUR_NUMBER, Keyword.STOP)


def texts_go_to(carrier: RunningCarrier) -> str:
    (number,) = carrier.client.incoming_phone_numbers.list(phone_number=OUR_NUMBER)
    return str(number.sms_url)


async def test_an_address_of_somebody_else_is_left_alone_and_named(
    carrier: RunningCarrier, provider: TwilioCarrier
) -> None:
    carrier.control("numbers", {"number": OUR_NUMBER, "sms_url": "https://other.example.com/texts"})
    problem = (await provider.announce_texts({OUR_NUMBER}))[OUR_NUMBER]
    assert "other.example.com" in problem
    assert inbound_url(carrier.ours.url) in problem
    assert texts_go_to(carrier) == "https://other.example.com/texts"


@pytest.mark.parametrize(
    "before", ["https://demo.twilio.com/welcome/sms/reply", "https://old.example.com/webhooks/twilio/inbound"]
)
async def test_the_carriers_example_and_our_own_old_address_give_way(
    carrier: RunningCarrier, provider: TwilioCarrier, before: str
) -> None:
    carrier.control("numbers", {"number": OUR_NUMBER, "sms_url": before})
    assert await provider.announce_texts({OUR_NUMBER}) == {OUR_NUMBER: ""}
    assert texts_go_to(carrier).startswith(inbound_url(carrier.ours.url))


async def test_an_address_the_carrier_will_not_take_is_told_at_the_number(
    carrier: RunningCarrier, account: ConfiguredAccount
) -> None:
    nowhere = TwilioCarrier(replace(account, public_url="http://under_score.example.com"))
    problem = (await nowhere.announce_texts({OUR_NUMBER}))[OUR_NUMBER]
    assert "could not be told" in problem
    assert texts_go_to(carrier) == ""
    await nowhere.aclose()


async def test_a_carrier_that_cannot_be_asked_for_its_numbers_says_so(account: ConfiguredAccount) -> None:
    stranger = TwilioCarrier(replace(account, auth_token=SecretStr("wrong")))
    with pytest.raises(LookupFailed):
        await stranger.owned_numbers()
    for numbers in ([OUR_NUMBER], [OUR_NUMBER, "+12025550143"]):
        with pytest.raises(LookupFailed):
            await stranger.find_numbers(numbers)
    await stranger.aclose()


# --- the account ---


@pytest.mark.parametrize(
    ("fault", "code", "remedy"),
    [
        ("credentials_refused", 20003, "Check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN"),
        ("account_suspended", 20005, "Activate the account in the carrier's console"),
    ],
)
async def test_a_refused_account_is_told_with_what_to_mend(
    provider: TwilioCarrier, carrier: RunningCarrier, fault: str, code: int, remedy: str
) -> None:
    assert isinstance(provider, AccountCheck)
    assert await provider.refuses() is None
    carrier.control("faults", {fault: 1})
    answers = [await provider.place_call(call(uuid4())), await provider.place_message(message(uuid4()))]
    for answer in answers:
        assert isinstance(answer, Refused)
        assert (answer.failure, answer.code) == (FailureClass.MISCONFIGURED, code)
        assert (answer.remedy or "").startswith(remedy)
    assert remedy in (await provider.refuses() or "")
