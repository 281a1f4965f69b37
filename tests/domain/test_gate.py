"""May this recipient be contacted now? The rules, their order, and the sentences people read."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.calling_hours import WEEKDAYS, Constraint, HoursClock, Window
from app.domain.campaign import DIALING, CampaignStatus, Purpose
from app.domain.consent import Consent
from app.domain.gate import ENDS, SKIPS, Allowed, Blocked, GateFacts, Rule, decide, ending
from app.domain.opening import CAMPAIGN_HOURS, Opening
from app.domain.pacing import Allowance, PacingLimit
from app.domain.recipient import RecipientStatus

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
SOON = NOW + timedelta(minutes=10)
OFFICE = Window(time(9), time(17), WEEKDAYS)


def opening(*zones: str, windows: tuple[Window, ...] = (OFFICE,)) -> Opening:
    rules = (Constraint(zone, windows, None, CAMPAIGN_HOURS, HoursClock.CONTACT) for zone in zones)
    return Opening.find(tuple(rules), NOW)


CLEAR = GateFacts(
    dialing_stopped=False,
    campaign_status=CampaignStatus.RUNNING,
    recipient_status=RecipientStatus.PENDING,
    attempts_made=0,
    attempts_allowed=3,
    opening=opening("America/New_York"),
    has_caller_id=True,
    allowance=Allowance(1),
)

BLOCKING: dict[Rule, dict[str, Any]] = {
    Rule.STOP_SWITCH: {"dialing_stopped": True},
    Rule.CAMPAIGN_STATE: {"campaign_status": CampaignStatus.PAUSED},
    Rule.RECIPIENT_STATE: {"not_before": SOON},
    Rule.SUPPRESSION: {"suppressed_because": "they asked us to stop"},
    Rule.CONSENT: {"consent": Consent.WITHDRAWN},
    Rule.ATTEMPTS: {"attempts_made": 3},
    Rule.TEMPLATE: {"text_problem": "This contact has no value for {{plan}}."},
    Rule.NUMBER_IN_USE: {"number_in_use": True},
    Rule.HOLD: {"held_until": SOON},
    Rule.CALLING_HOURS: {"opening": opening("Asia/Tokyo")},
    Rule.FREQUENCY: {"frequency_cap": 3, "capped_since": NOW - timedelta(hours=1)},
    Rule.BUDGET: {"sign": Blocked(Rule.BUDGET, None, "The budget is used up.")},
    Rule.PILOT: {"sign": Blocked(Rule.PILOT, None, "The pilot is under way.")},
    Rule.RAMP: {"sign": Blocked(Rule.RAMP, None, "The step's calls are under way.")},
    Rule.CALLER_ID: {"has_caller_id": False},
    Rule.PACING: {"allowance": Allowance(0, SOON, PacingLimit.CALLS_PER_MINUTE)},
}


def blocked(**changes: Any) -> Blocked:
    verdict = decide(replace(CLEAR, **changes), now=NOW)
    assert isinstance(verdict, Blocked)
    return verdict


def test_with_nothing_against_it_an_attempt_may_be_placed() -> None:
    assert decide(CLEAR, now=NOW) == Allowed()


def test_every_rule_has_a_fact_that_makes_it_block() -> None:
    assert list(BLOCKING) == list(Rule)


@pytest.mark.parametrize("rule", Rule)
def test_each_rule_blocks_alone(rule: Rule) -> None:
    assert blocked(**BLOCKING[rule]).rule is rule


@given(
    st.frozensets(st.sampled_from(Rule), min_size=1).filter(
        lambda rules: len(rules & {Rule.BUDGET, Rule.PILOT, Rule.RAMP}) <= 1  # The signs give one answer.
    )
)
def test_of_several_rules_the_first_in_order_answers(against: frozenset[Rule]) -> None:
    facts = {name: value for rule in against for name, value in BLOCKING[rule].items()}
    assert blocked(**facts).rule is next(rule for rule in Rule if rule in against)


@pytest.mark.parametrize("status", CampaignStatus)
def test_only_a_campaign_that_is_dialing_lets_through(status: CampaignStatus) -> None:
    verdict = decide(replace(CLEAR, campaign_status=status), now=NOW)
    assert (verdict == Allowed()) is (status in DIALING)


def test_a_scheduled_campaign_says_until_when() -> None:
    scheduled = blocked(campaign_status=CampaignStatus.SCHEDULED, scheduled_at=SOON)
    assert scheduled == Blocked(Rule.CAMPAIGN_STATE, SOON, "The campaign is scheduled for later.")
    assert blocked(campaign_status=CampaignStatus.PAUSED, scheduled_at=SOON).until is None


@pytest.mark.parametrize("status", RecipientStatus)
def test_only_a_pending_recipient_is_let_through(status: RecipientStatus) -> None:
    verdict = decide(replace(CLEAR, recipient_status=status), now=NOW)
    assert (verdict == Allowed()) is (status is RecipientStatus.PENDING)


def test_a_recipient_is_due_at_its_instant_and_not_before() -> None:
    assert blocked(not_before=SOON).until == SOON
    assert decide(replace(CLEAR, not_before=NOW), now=NOW) == Allowed()
    assert decide(replace(CLEAR, not_before=SOON), now=SOON) == Allowed()


@pytest.mark.parametrize("reason", ["they asked us to stop", "they asked us to stop.", ""])
def test_a_suppressed_number_is_blocked_for_good_with_its_reason(reason: str) -> None:
    verdict = blocked(suppressed_because=reason)
    assert (verdict.rule, verdict.until) == (Rule.SUPPRESSION, None)
    assert verdict.why.startswith("This number must not be contacted: ")
    assert verdict.why.count(".") == 1


def test_a_persons_no_or_a_missing_value_skips_and_used_up_attempts_end() -> None:
    assert {Rule.SUPPRESSION, Rule.CONSENT, Rule.TEMPLATE} == SKIPS
    assert SKIPS | {Rule.ATTEMPTS} == ENDS


@given(st.frozensets(st.sampled_from(sorted(ENDS))))
def test_what_is_foreseen_for_a_person_is_what_the_gate_says_when_its_turn_comes(
    against: frozenset[Rule],
) -> None:
    facts = replace(CLEAR, **{name: value for rule in against for name, value in BLOCKING[rule].items()})
    assert (ending(facts) or Allowed()) == decide(facts, now=NOW)


@pytest.mark.parametrize("rule", sorted(set(Rule) - ENDS))
def test_a_wait_ends_nobody(rule: Rule) -> None:
    assert ending(replace(CLEAR, **BLOCKING[rule])) is None


def test_a_frequency_cap_says_when_the_oldest_attempt_is_long_enough_ago() -> None:
    capped = blocked(frequency_cap=3, capped_since=NOW - timedelta(hours=20))
    assert capped.until == NOW + timedelta(hours=4)
    assert "3 times within 24 hours" in capped.why
    day_ago = replace(CLEAR, frequency_cap=3, capped_since=NOW - timedelta(hours=24))
    assert decide(day_ago, now=NOW) == Allowed()
    assert decide(replace(day_ago, frequency_cap=0, capped_since=NOW), now=NOW) == Allowed()


def test_used_up_attempts_block() -> None:
    assert blocked(attempts_made=3).why == "All 3 attempts are used."
    assert blocked(attempts_made=5).rule is Rule.ATTEMPTS
    assert blocked(attempts_made=1, attempts_allowed=1).why == "The only attempt is used."


def test_outside_calling_hours_it_says_when_they_open() -> None:
    saturday = datetime(2026, 3, 7, 15, 0, tzinfo=UTC)
    assert decide(CLEAR, now=saturday) == Blocked(
        Rule.CALLING_HOURS,
        datetime(2026, 3, 9, 13, 0, tzinfo=UTC),
        "It is 10:00 in New York (America/New_York), allowed from 09:00 on Monday, their time: "
        "the campaign's hours are 09:00 to 17:00, Monday to Friday.",
    )


def test_hours_that_never_meet_block_and_say_so() -> None:
    hour = Window(time(9), time(10))
    verdict = blocked(opening=opening("America/New_York", "Asia/Tokyo", windows=(hour,)))
    assert (verdict.rule, verdict.until) == (Rule.CALLING_HOURS, None)
    assert verdict.why == (
        "No hour satisfies the campaign's hours (09:00 to 10:00) in Tokyo "
        "and the campaign's hours (09:00 to 10:00) in New York."
    )


@pytest.mark.parametrize("zones", [("",), ("Mars/Base",), ("America/New_York", "Etc/Unknown")])
def test_a_bad_time_zone_blocks_and_says_so_even_when_every_hour_is_allowed(zones: tuple[str, ...]) -> None:
    verdict = blocked(opening=opening(*zones, windows=()))
    assert (verdict.rule, verdict.until) == (Rule.CALLING_HOURS, None)
    assert "time zone" in verdict.why


def test_an_opening_that_was_found_earlier_does_not_let_through_after_its_end() -> None:
    assert decide(CLEAR, now=NOW + timedelta(hours=6, minutes=59)) == Allowed()
    closed = decide(CLEAR, now=NOW + timedelta(hours=7))
    assert isinstance(closed, Blocked)
    assert closed.until == NOW + timedelta(hours=23)


def test_a_held_person_waits_until_then_and_the_reason_is_told_in_the_time_where_they_are() -> None:
    in_may = datetime(2026, 5, 12, 13, 0, tzinfo=UTC)
    assert blocked(held_until=in_may, held_because="They asked for May.") == Blocked(
        Rule.HOLD, in_may, "Held until 09:00 on Tuesday 12 May in New York: They asked for May."
    )
    assert (
        blocked(held_until=in_may, opening=opening("Mars/Base")).why
        == "Held until 13:00 on Tuesday 12 May in UTC."
    )
    assert decide(replace(CLEAR, held_until=NOW), now=NOW) == Allowed()


@pytest.mark.parametrize("consent", Consent)
def test_marketing_needs_consent_on_record_and_information_no_refusal(consent: Consent) -> None:
    informs = decide(replace(CLEAR, consent=consent), now=NOW)
    sells = decide(replace(CLEAR, consent=consent, purpose=Purpose.MARKETING), now=NOW)
    assert (informs == Allowed()) is (consent in {Consent.UNKNOWN, Consent.GRANTED})
    assert (sells == Allowed()) is (consent is Consent.GRANTED)


def test_who_never_consented_is_skipped_by_marketing_with_the_reason() -> None:
    verdict = blocked(purpose=Purpose.MARKETING)
    assert verdict.rule in SKIPS
    assert verdict.why == "This campaign is marketing, and no consent of this person is on record."


def test_without_a_number_of_ours_it_waits_for_one_that_rests() -> None:
    assert blocked(has_caller_id=False).until is None
    assert blocked(has_caller_id=False, caller_id_free_at=SOON, caller_id_why="They rest.") == Blocked(
        Rule.CALLER_ID, SOON, "They rest."
    )


@pytest.mark.parametrize("limit", [*PacingLimit, None])
def test_every_pacing_limit_has_its_sentence(limit: PacingLimit | None) -> None:
    verdict = blocked(allowance=Allowance(0, SOON, limit))
    assert (verdict.rule, verdict.until) == (Rule.PACING, SOON)
    assert verdict.why.endswith(".")


def test_a_forecast_does_not_ask_pacing() -> None:
    assert decide(replace(CLEAR, allowance=None), now=NOW) == Allowed()


@pytest.mark.parametrize("status", sorted(set(CampaignStatus) - DIALING))
def test_every_campaign_status_has_its_sentence(status: CampaignStatus) -> None:
    assert blocked(campaign_status=status).why.endswith(".")
