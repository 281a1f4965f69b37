"""What can go wrong on demand."""

import time

import pytest
import requests
from twilio.base.exceptions import TwilioRestException

from app.simulator.faults import BadFault, FaultName, Faults
from app.simulator.settings import DEFAULT_ACCOUNT_SID
from tests.simulator.support import RunningCarrier, authentic, until

PERSON = "+14155550133"


def test_a_dropped_answer_leaves_the_call_made(carrier: RunningCarrier) -> None:
    carrier.control("faults", {"drop_after_accept": {"count": 1}})
    with pytest.raises(requests.ConnectionError):
        carrier.call(PERSON)
    assert [call.to for call in carrier.client.calls.list(to=PERSON)] == [PERSON]
    assert carrier.call(PERSON).sid, "only one was to be dropped"


def test_a_dropped_request_leaves_no_call(carrier: RunningCarrier) -> None:
    carrier.control("faults", {"drop_before_accept": 1})
    with pytest.raises(requests.ConnectionError):
        carrier.call(PERSON)
    assert carrier.ledger() == []
    assert "drop_before_accept" in carrier.get("/_simulator/requests").text


@pytest.mark.parametrize(
    ("fault", "status", "code", "accepted"),
    [
        ("error_after_accept", 500, 20500, 1),
        ("error_before_accept", 500, 20500, 0),
        ("too_many_requests", 429, 20429, 0),
    ],
)
def test_an_error_answer_says_nothing_of_acceptance(
    carrier: RunningCarrier, fault: str, status: int, code: int, accepted: int
) -> None:
    carrier.control("faults", {fault: 1})
    with pytest.raises(TwilioRestException) as failed:
        carrier.text(PERSON)
    assert (failed.value.status, failed.value.code) == (status, code)
    assert len(carrier.ledger()) == accepted


@pytest.mark.parametrize(
    ("fault", "status", "code", "words"),
    [
        ("credentials_refused", 401, 20003, "Authenticate"),
        ("account_suspended", 403, 20005, "Account not active"),
    ],
)
def test_a_refused_account_creates_nothing(
    carrier: RunningCarrier, fault: str, status: int, code: int, words: str
) -> None:
    carrier.control("faults", {fault: 1})
    for create in (carrier.call, carrier.text):
        with pytest.raises(TwilioRestException) as failed:
            create(PERSON)
        assert (failed.value.status, failed.value.code) == (status, code)
        assert words in failed.value.msg
    carrier.control("faults", {})
    assert carrier.ledger() == []
    assert carrier.call(PERSON).sid


def test_a_suspended_account_says_so_and_can_still_be_asked(carrier: RunningCarrier) -> None:
    account = carrier.client.api.v2010.accounts(DEFAULT_ACCOUNT_SID)
    assert account.fetch().status == "active"
    made = carrier.call(PERSON)
    carrier.control("faults", {"account_suspended": 1})
    assert account.fetch().status == "suspended"
    assert carrier.client.calls(made.sid).fetch().to == PERSON
    carrier.control("faults", {"credentials_refused": 1})
    with pytest.raises(TwilioRestException, match="Authenticate"):
        account.fetch()


def test_a_slow_answer_comes_after_the_first_webhook(carrier: RunningCarrier) -> None:
    carrier.control("faults", {"slow_rest": {"seconds": 0.2}})
    began = time.monotonic()
    carrier.call(carrier.fix(PERSON, "busy"))
    assert time.monotonic() - began >= 0.2
    assert carrier.ours.to("/status")


def test_a_call_accepted_late_appears_after_the_connection_is_gone(carrier: RunningCarrier) -> None:
    carrier.control("faults", {"accept_late": {"seconds": 30}})
    with pytest.raises(requests.ConnectionError):
        carrier.call(PERSON)
    assert [entry["to"] for entry in until(carrier.ledger)] == [PERSON]


def test_a_callback_may_be_doubled(carrier: RunningCarrier) -> None:
    carrier.control("faults", {"duplicate_callback": {"probability": 1, "copies": 1}})
    carrier.call(carrier.fix(PERSON, "busy"), status_callback_event=["completed"])
    assert len({webhook.form["SequenceNumber"] for webhook in carrier.ours.wait("/status", 2)}) == 1


def test_a_callback_may_be_lost(carrier: RunningCarrier) -> None:
    carrier.control("faults", {"lose_callback": {"probability": 1, "count": 1}})
    call = carrier.call(carrier.fix(PERSON, "busy"))
    carrier.ours.wait_status("/status", "busy")
    assert [webhook.form["CallStatus"] for webhook in carrier.ours.to("/status")] == ["busy"]
    assert call.fetch().status == "busy"


def test_callbacks_may_come_late_and_out_of_order(carrier: RunningCarrier) -> None:
    carrier.control("faults", {"reorder_callback": {"probability": 1, "count": 1, "seconds": 1000}})
    carrier.ours.answers["/voice"] = "<Response/>"
    carrier.call(carrier.fix(PERSON, "hangs_up_early"))
    received = carrier.ours.wait("/status", 4)
    assert received[-1].form["CallStatus"] == "initiated"
    assert received[-1].form["SequenceNumber"] == "0"


def test_a_callback_may_be_signed_wrongly(carrier: RunningCarrier) -> None:
    carrier.control("faults", {"bad_signature": 1})
    carrier.call(carrier.fix(PERSON, "busy"))
    assert not any(authentic(webhook) for webhook in carrier.ours.wait("/status", 2))


def test_a_callback_may_name_a_foreign_account(carrier: RunningCarrier) -> None:
    carrier.control("faults", {"wrong_account_sid": 1})
    call = carrier.call(carrier.fix(PERSON, "busy"))
    webhook = carrier.ours.wait("/status", 2)[0]
    assert authentic(webhook)
    assert webhook.form["AccountSid"] != call.account_sid


def test_an_empty_menu_or_delete_clears(carrier: RunningCarrier) -> None:
    carrier.control("faults", {"error_before_accept": 1})
    assert carrier.control("faults", {}).json() == {}
    assert carrier.call(PERSON).status == "queued"
    carrier.control("faults", {"error_before_accept": 1})
    assert requests.delete(f"{carrier.url}/_simulator/faults", timeout=5).status_code == 204
    assert carrier.call(PERSON).status == "queued"


def test_the_same_seed_strikes_the_same_requests() -> None:
    one, two = Faults(3), Faults(3)
    for faults in (one, two):
        faults.replace({"error_after_accept": 0.3})
    struck = [bool(one.strike(FaultName.ERROR_AFTER_ACCEPT)) for _ in range(100)]
    assert struck == [bool(two.strike(FaultName.ERROR_AFTER_ACCEPT)) for _ in range(100)]
    assert 15 < sum(struck) < 45


@pytest.mark.parametrize(
    "menu", [{"earthquake": 1}, {"slow_rest": 2}, {"slow_rest": {"when": 1}}, {"slow_rest": "often"}]
)
def test_a_menu_nobody_can_cook_is_refused(menu: dict[str, object]) -> None:
    with pytest.raises(BadFault):
        Faults(1).replace(menu)
