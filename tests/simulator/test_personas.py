"""Who answers, and how a call to them ends."""

import random

import pytest

from app.simulator.casting import BadPersona, Casting
from app.simulator.personas import VoicePersona, meet
from tests.simulator.support import OUR_NUMBER, RunningCarrier, until

PERSON = "+14155550133"


@pytest.mark.parametrize(
    ("persona", "status", "sip", "events"),
    [
        ("busy", "busy", "486", ["initiated", "busy"]),
        ("invalid_number", "failed", "404", ["initiated", "failed"]),
        ("rejects", "failed", "603", ["initiated", "ringing", "failed"]),
        ("no_answer", "no-answer", "487", ["initiated", "ringing", "no-answer"]),
        ("hangs_up_early", "completed", "200", ["initiated", "ringing", "in-progress", "completed"]),
        ("voicemail", "completed", "200", ["initiated", "ringing", "in-progress", "completed"]),
        ("slow", "completed", "200", ["initiated", "ringing", "in-progress", "completed"]),
    ],
)
def test_a_call_ends_as_its_persona_has_it(
    carrier: RunningCarrier, persona: str, status: str, sip: str, events: list[str]
) -> None:
    carrier.ours.answers["/voice"] = "<Response><Pause length='30'/></Response>"
    carrier.call(carrier.fix(PERSON, persona))
    assert carrier.ours.wait_status("/status", status).form["SipResponseCode"] == sip
    received = sorted(carrier.ours.wait("/status", len(events)), key=lambda w: w.form["SequenceNumber"])
    assert [webhook.form["CallStatus"] for webhook in received] == events
    entry = carrier.ledger()[0]
    assert (entry["persona"], entry["status"], entry["to"]) == (persona, status, PERSON)


def test_one_who_hangs_up_early_hears_seconds_of_it(carrier: RunningCarrier) -> None:
    carrier.control("speed", {"speed": 50})
    carrier.ours.answers["/voice"] = "<Response><Pause length='200'/></Response>"
    carrier.call(carrier.fix(PERSON, "hangs_up_early"))
    assert int(carrier.ours.wait_status("/status", "completed").form["CallDuration"]) < 60


def test_a_slow_person_is_missed_by_a_short_ring(carrier: RunningCarrier) -> None:
    carrier.call(carrier.fix(PERSON, "slow"), timeout=10)
    carrier.ours.wait_status("/status", "no-answer")


def test_the_same_seed_number_and_turn_meet_the_same_person() -> None:
    numbers = [f"+1415555{i:04d}" for i in range(200)]
    first, second, other = Casting(7), Casting(7), Casting(8)
    once = [first.call(number) for number in numbers]
    assert once == [second.call(number) for number in numbers]
    assert once != [first.call(number) for number in numbers], "a second call may find them in another mood"
    assert once != [other.call(number) for number in numbers]


def test_by_default_most_people_answer() -> None:
    casting = Casting(1)
    met = [casting.call(f"+1415555{i:04d}").person for i in range(2000)]
    answered = sum(p.refusal is None and not p.is_machine and p.rings < 60 for p in met)
    assert 1000 < answered < 1400


def test_a_mix_replaces_only_the_channel_it_names(carrier: RunningCarrier) -> None:
    answer = carrier.control("personas", {"default_mix": {"busy": 1}}).json()
    assert answer["default_mix"]["busy"] == 1
    assert "answers_confirms" not in answer["default_mix"]
    assert answer["default_mix"]["delivered"] == 93
    for i in range(5):
        carrier.call(f"+1415555013{i}")
    until(lambda: {entry["status"] for entry in carrier.ledger()} == {"busy"})


def test_an_unknown_persona_or_an_empty_mix_is_refused() -> None:
    with pytest.raises(BadPersona, match="answers_confirms"):
        Casting(1).fix(PERSON, "sings")
    with pytest.raises(BadPersona):
        Casting(1).set_mix({"busy": 0})


@pytest.mark.parametrize("persona", VoicePersona)
def test_every_persona_can_be_met(persona: VoicePersona) -> None:
    assert meet(persona, random.Random(1)).stays > 0


def test_networks_turn_away_calls_from_a_flagged_number(carrier: RunningCarrier) -> None:
    carrier.control("numbers", {"number": OUR_NUMBER, "flagged": 608})
    carrier.call(carrier.fix(PERSON, "answers_confirms"))
    assert carrier.ours.wait_status("/status", "failed").form["SipResponseCode"] == "608"
    carrier.control("numbers", {"number": OUR_NUMBER, "flagged": None})
    carrier.ours.answers["/voice"] = "<Response><Hangup/></Response>"
    carrier.call(PERSON)
    carrier.ours.wait_status("/status", "completed")


def test_texts_from_a_flagged_number_are_blocked(carrier: RunningCarrier) -> None:
    carrier.control("numbers", {"number": OUR_NUMBER, "flagged": 607})
    carrier.text(carrier.fix(PERSON, "delivered"))
    assert carrier.ours.wait_status("/sms-status", "undelivered").form["ErrorCode"] == "30450"
