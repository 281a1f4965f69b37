"""Which signs trip the breaker, which do not, and what a policy may say."""

import random
from typing import Any
from uuid import UUID

import pytest

from app.domain.attempt import Disposition
from app.domain.breaker import OFF, RANGES, BreakerInvalid, BreakerPolicy, Settled, Sign, describe, judge
from app.domain.events import FailureClass

_D = Disposition
_F = FailureClass
_LONG = 300
"""Characters of a script that takes 20 seconds."""


def _settled(disposition: Disposition = _D.ANSWERED, **values: Any) -> Settled:
    given: dict[str, Any] = {"attempt_id": UUID(int=random.getrandbits(128)), "spoken_characters": _LONG}
    if disposition is _D.ANSWERED:
        given |= {"duration_seconds": 40}
    return Settled(disposition=disposition, **given | values)


def _refused(failure: FailureClass | None = _F.CONTENT) -> Settled:
    return _settled(_D.CARRIER_ERROR, failure=failure, accepted=False)


def _hung_up(**values: Any) -> Settled:
    return _settled(duration_seconds=3, **values)


def _only(**values: Any) -> BreakerPolicy:
    """A policy with these signs on and no other."""
    return BreakerPolicy.from_json(OFF.to_json() | values)


def test_good_outcomes_trip_nothing() -> None:
    assert judge(BreakerPolicy(), [_settled()] * 50) is None


def test_a_campaign_that_fails_everywhere_trips_once_enough_is_known() -> None:
    failed = [_settled(_D.CARRIER_ERROR) for _ in range(20)]
    assert judge(BreakerPolicy(), failed[:19]) is None
    trip = judge(BreakerPolicy(), failed)
    assert trip is not None
    assert (trip.sign, trip.measured, trip.threshold, trip.window) == (Sign.FAILURES, 100.0, 50.0, 20)


def test_the_attempts_that_show_the_sign_are_named_newest_first() -> None:
    failed = [_settled(_D.REJECTED) for _ in range(3)]
    good = [_settled() for _ in range(2)]
    trip = judge(_only(failure_rate=50, minimum=5, window=10), [failed[0], *good, *failed[1:]])
    assert trip is not None
    assert trip.attempt_ids == tuple(each.attempt_id for each in failed)


def test_a_rate_at_its_limit_is_allowed_and_one_above_trips() -> None:
    policy = _only(failure_rate=30, window=50)
    at_limit = [_settled(_D.REJECTED)] * 15 + [_settled()] * 35
    assert judge(policy, at_limit) is None
    trip = judge(policy, [_settled(_D.REJECTED), *at_limit[:-1], _settled(_D.REJECTED)][:50])
    assert trip is not None
    assert describe(trip) == "32% of the last 50 attempts failed (limit 30%)"


def test_only_the_window_counts() -> None:
    policy = _only(failure_rate=30, window=20, minimum=20)
    assert judge(policy, [_settled()] * 20 + [_settled(_D.CARRIER_ERROR)] * 100) is None


@pytest.mark.parametrize("disposition", [_D.NO_ANSWER, _D.BUSY, _D.VOICEMAIL, _D.CANCELLED, _D.DELIVERED])
def test_absence_is_no_failure(disposition: Disposition) -> None:
    assert judge(BreakerPolicy(), [_settled(disposition)] * 50) is None


@pytest.mark.parametrize("disposition", [_D.REJECTED, _D.INVALID_NUMBER, _D.CARRIER_ERROR, _D.UNDELIVERED])
def test_these_are_failures(disposition: Disposition) -> None:
    trip = judge(BreakerPolicy(), [_settled(disposition)] * 50)
    assert trip is not None
    assert trip.sign is Sign.FAILURES


def test_an_ordinary_campaign_does_not_trip() -> None:
    chance = random.Random(7)
    mix = {
        _D.ANSWERED: 43,
        _D.OPTED_OUT: 3,
        _D.VOICEMAIL: 9,
        _D.NO_ANSWER: 25,
        _D.BUSY: 10,
        _D.CARRIER_ERROR: 10,
    }
    for _ in range(20):
        newest_first: list[Settled] = []
        for disposition in chance.choices([*mix], [*mix.values()], k=200):
            newest_first.insert(0, _settled(disposition))
            assert judge(BreakerPolicy(), newest_first[:50]) is None


def test_refusals_of_the_carrier_trip_at_a_fifth() -> None:
    policy = _only(refusal_rate=20)
    assert judge(policy, [_refused()] * 4 + [_settled()] * 16) is None
    trip = judge(policy, [_refused()] * 5 + [_settled()] * 15)
    assert trip is not None
    assert describe(trip) == "25% of the last 20 attempts were refused by the carrier (limit 20%)"


@pytest.mark.parametrize("failure", [_F.BAD_NUMBER, _F.OPTED_OUT])
def test_a_request_refused_for_the_contacts_number_is_no_refusal(failure: FailureClass) -> None:
    assert judge(_only(refusal_rate=20, refusals_in_a_row=5), [_refused(failure)] * 50) is None


def test_a_row_of_unknown_refusals_trips_before_there_are_enough_for_a_rate() -> None:
    assert judge(BreakerPolicy(), [_refused(None)] * 4) is None
    trip = judge(BreakerPolicy(), [_refused(None)] * 5)
    assert trip is not None
    assert trip.sign is Sign.REFUSALS_IN_A_ROW
    assert describe(trip) == "The carrier refused 5 attempts in a row"


def test_a_row_that_one_attempt_broke_is_none() -> None:
    row = [_refused(), _refused(), _settled(), _refused(), _refused(), _refused()]
    assert judge(BreakerPolicy(), row) is None


@pytest.mark.parametrize("failure", [_F.TRANSIENT, _F.THROTTLED])
def test_a_row_of_refusals_that_pass_by_themselves_trips_by_rate_alone(failure: FailureClass) -> None:
    assert judge(BreakerPolicy(), [_refused(failure)] * 10) is None
    trip = judge(BreakerPolicy(), [_refused(failure)] * 20)
    assert trip is not None
    assert trip.sign is Sign.REFUSALS


def test_many_opt_outs_trip() -> None:
    trip = judge(BreakerPolicy(), [_settled(_D.OPTED_OUT)] * 7 + [_settled()] * 13)
    assert trip is not None
    assert describe(trip) == "35% of the last 20 attempts ended with an opt-out (limit 30%)"


def test_whom_the_carrier_shields_did_not_opt_out_because_of_us() -> None:
    shielded = _settled(_D.OPTED_OUT, failure=_F.OPTED_OUT)
    assert judge(BreakerPolicy(), [shielded] * 50) is None


def test_hang_ups_are_a_share_of_the_people_who_answered() -> None:
    absent = [_settled(_D.NO_ANSWER)] * 30
    trip = judge(BreakerPolicy(), [*[_hung_up()] * 6, *[_settled()] * 4, *absent])
    assert trip is not None
    assert describe(trip) == ("60% of the last 10 people who answered hung up within 6 seconds (limit 50%)")


def test_too_few_people_who_answered_show_nothing() -> None:
    assert judge(BreakerPolicy(), [*[_hung_up()] * 9, *[_settled(_D.NO_ANSWER)] * 40]) is None


def test_a_script_that_is_over_in_no_time_leaves_nothing_to_hang_up_on() -> None:
    assert judge(BreakerPolicy(), [_hung_up(spoken_characters=60)] * 50) is None


def test_six_seconds_are_no_hang_up() -> None:
    assert judge(BreakerPolicy(), [_settled(duration_seconds=6)] * 50) is None


def test_messages_know_no_hang_up() -> None:
    assert judge(BreakerPolicy(), [_settled(_D.DELIVERED)] * 50) is None


@pytest.mark.parametrize("bad", [_refused(), _settled(_D.CARRIER_ERROR), _settled(_D.OPTED_OUT), _hung_up()])
def test_a_breaker_that_is_off_never_trips(bad: Settled) -> None:
    assert OFF.is_off
    assert judge(OFF, [bad] * 500) is None


def test_each_sign_can_be_on_alone() -> None:
    for name in RANGES:
        if name not in {"window", "minimum"}:
            assert not _only(**{name: 5}).is_off


def test_a_policy_survives_its_json() -> None:
    policy = BreakerPolicy(window=100, minimum=30, failure_rate=12.5, refusals_in_a_row=0)
    assert BreakerPolicy.from_json(policy.to_json()) == policy


def test_what_is_missing_has_its_default_and_is_on() -> None:
    assert BreakerPolicy.from_json({}) == BreakerPolicy()
    assert not BreakerPolicy().is_off
    assert BreakerPolicy.from_json({"window": 100}) == BreakerPolicy(window=100)


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ({"window": 9}, "window"),
        ({"window": 501}, "window"),
        ({"window": 20.5}, "window"),
        ({"window": True}, "window"),
        ({"window": "50"}, "window"),
        ({"minimum": 4}, "minimum"),
        ({"window": 20, "minimum": 21}, "minimum"),
        ({"failure_rate": -1}, "failure_rate"),
        ({"failure_rate": 100.1}, "failure_rate"),
        ({"failure_rate": float("nan")}, "failure_rate"),
        ({"refusals_in_a_row": 101}, "refusals_in_a_row"),
        ({"opt_out_rate": None}, "opt_out_rate"),
        ({"hang_up_rate": []}, "hang_up_rate"),
        ({"loudness": 3}, "loudness"),
    ],
)
def test_a_wrong_field_is_named(raw: dict[str, Any], field: str) -> None:
    with pytest.raises(BreakerInvalid) as caught:
        BreakerPolicy.from_json(raw)
    assert [*caught.value.errors] == [field]


def test_all_wrong_fields_are_named_at_once() -> None:
    with pytest.raises(BreakerInvalid) as caught:
        BreakerPolicy.from_json({"window": 1, "failure_rate": 200, "speed": 1})
    assert {*caught.value.errors} == {"window", "failure_rate", "speed"}
