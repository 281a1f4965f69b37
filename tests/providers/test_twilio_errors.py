"""Every code of Twilio's that we know, with its class and what follows: the table, said a second time."""

from collections.abc import Mapping

import pytest

from app.domain.events import EventKind, FailureClass
from app.domain.outcomes import DECISIONS, Decision, decision_of
from app.providers.twilio.errors import (
    FAILURE_BY_CODE,
    UNCLEAR_CODES,
    failure_of,
    refusal_class,
    remedy_of,
    sip_outcome,
)

F, D, K = FailureClass, Decision, EventKind

TABLE: Mapping[tuple[FailureClass, Decision], str] = {
    (F.BAD_NUMBER, D.REFUSE): (
        "13223 13224 21201 21211 21214 21217 21266 21401 21421 21612 21614 30005 30006"
    ),
    (F.OPTED_OUT, D.SUPPRESS): "13225 21216 21610 30004 30640",
    (F.MISCONFIGURED, D.FAIL_CAMPAIGN): (
        "13227 20003 20005 20006 20008 20404 21205 21210 21212 21213 21215 21219 21262 21408 21601 21603 21604 "
        "21606 21608 21609 21703 21704 21705 30002 30024 30032 30034 30035 30037"
    ),
    (F.CONTENT, D.REFUSE): "21617 21618 30007 64104 64105 64107",
    (F.TRANSIENT, D.AS_ASKED): "11200 11205 14107 20503 21611 22005 30001 30003 30008 30017 30022 64101",
    (F.TOMORROW, D.TOMORROW): "30023 30027 30036 30610",
    (F.THROTTLED, D.SNOOZE): "20429",
    (F.SENDER_HEALTH, D.REST_NUMBER): "30450 32017",
}
ROWS = [(int(code), *meaning) for meaning, codes in TABLE.items() for code in codes.split()]


@pytest.mark.parametrize(("code", "failure", "decision"), ROWS)
def test_a_code_has_its_class_and_its_decision(code: int, failure: FailureClass, decision: Decision) -> None:
    assert failure_of(code) is failure
    assert refusal_class(400, code) is failure
    assert decision_of(failure) is decision


def test_the_table_has_no_code_that_is_not_listed_here() -> None:
    assert set(FAILURE_BY_CODE) == {code for code, _, _ in ROWS}


@pytest.mark.parametrize("failure", FailureClass)
def test_every_class_has_a_decision(failure: FailureClass) -> None:
    assert failure in DECISIONS


def test_an_unknown_refusal_fails_this_recipient_and_is_known_for_what_it_is() -> None:
    assert refusal_class(400, 99_999) is F.UNRECOGNIZED
    assert refusal_class(422, None) is F.UNRECOGNIZED
    assert decision_of(F.UNRECOGNIZED) is D.REFUSE


def test_an_unknown_cause_of_a_failure_is_as_the_campaign_asks() -> None:
    assert failure_of(99_999) is None
    assert decision_of(failure_of(99_999)) is D.AS_ASKED


def test_internal_errors_are_no_refusals() -> None:
    assert {20500} == UNCLEAR_CODES
    assert failure_of(20500) is None


@pytest.mark.parametrize(
    ("sip_code", "kind", "failure"),
    [
        (404, K.FAILED, F.BAD_NUMBER),
        (484, K.FAILED, F.BAD_NUMBER),
        (604, K.FAILED, F.BAD_NUMBER),
        (408, K.NO_ANSWER, None),
        (480, K.NO_ANSWER, None),
        (487, K.NO_ANSWER, None),
        (486, K.BUSY, None),
        (600, K.BUSY, None),
        (603, K.FAILED, F.REJECTED),
        (607, K.FAILED, F.SENDER_HEALTH),
        (608, K.FAILED, F.SENDER_HEALTH),
        *((code, K.FAILED, F.TRANSIENT) for code in (500, 502, 503, 504, 580, 599)),
    ],
)
def test_a_sip_code_has_its_outcome(sip_code: int, kind: EventKind, failure: FailureClass | None) -> None:
    assert sip_outcome(sip_code) == (kind, failure)


@pytest.mark.parametrize("sip_code", [None, 200, 403, 410, 499, 600 + 66])
def test_other_sip_codes_say_no_more_than_that_it_failed(sip_code: int | None) -> None:
    assert sip_outcome(sip_code) is None


OURS = [code for code, failure, _ in ROWS if failure is F.MISCONFIGURED]


@pytest.mark.parametrize("code", OURS)
def test_what_is_ours_to_mend_says_how(code: int) -> None:
    assert (remedy_of(code) or "").endswith(".")


@pytest.mark.parametrize("code", [code for code, failure, _ in ROWS if failure is not F.MISCONFIGURED])
def test_what_is_not_ours_to_mend_says_nothing(code: int) -> None:
    assert remedy_of(code) is None


def test_a_refusal_without_a_known_code_is_judged_by_its_status() -> None:
    assert "TWILIO_AUTH_TOKEN" in (remedy_of(None, status=401) or "")
    assert "TWILIO_API_URL" in (remedy_of(None, status=404) or "")
    assert remedy_of(None, status=400) is None
