"""The carrier follows our TwiML as Twilio does, with a person on the line."""

import pytest

from tests.simulator.support import RunningCarrier, authentic, running_carrier

PERSON = "+14155550133"
QUESTION = (
    '<Response><Gather input="dtmf speech" numDigits="1" timeout="5" action="/answered"'
    ' actionOnEmptyResult="true">'
    "<Say>This is Acme. Press 1 to confirm, 9 to stop these calls.</Say></Gather><Hangup/></Response>"
)


def heard(carrier: RunningCarrier, who: str) -> list[str]:
    return [line["text"] for line in carrier.ledger()[0]["heard"] if line["who"] == who]


def answers_keys_only(carrier: RunningCarrier, persona: str) -> dict[str, str]:
    """What a persona sends to a question that listens for keys alone."""
    carrier.ours.answers["/voice"] = QUESTION.replace("dtmf speech", "dtmf")
    carrier.call(carrier.fix(PERSON, persona))
    return carrier.ours.wait("/answered")[0].form


def answers_aloud(carrier: RunningCarrier, persona: str) -> dict[str, str]:
    """What a persona says to a question that listens for speech alone."""
    carrier.ours.answers["/voice"] = QUESTION.replace("dtmf speech", "speech")
    carrier.call(carrier.fix(PERSON, persona))
    return carrier.ours.wait("/answered")[0].form


@pytest.mark.parametrize(
    ("persona", "digits"),
    [
        ("answers_confirms", "1"),
        ("answers_declines", "2"),
        ("presses_9", "9"),
        ("slow", "1"),
        ("asks_removal", ""),
        ("voicemail", ""),
    ],
)
def test_a_question_with_keys_gets_the_personas_key(
    carrier: RunningCarrier, persona: str, digits: str
) -> None:
    form = answers_keys_only(carrier, persona)
    assert (form["Digits"], form["CallStatus"]) == (digits, "in-progress")
    assert "SpeechResult" not in form


@pytest.mark.parametrize(
    ("persona", "said"),
    [
        ("answers_confirms", "es"),
        ("answers_declines", "No"),
        ("asks_removal", "stop calling me"),
        ("presses_9", ""),
    ],
)
def test_a_spoken_question_gets_the_personas_words(carrier: RunningCarrier, persona: str, said: str) -> None:
    form = answers_aloud(carrier, persona)
    assert said in form["SpeechResult"]
    assert bool(form["SpeechResult"]) == bool(said)
    assert "Digits" not in form


@pytest.mark.parametrize(("persona", "digits"), [("answers_confirms", None), ("presses_9", "9")])
def test_nobody_but_one_who_has_had_enough_presses_a_key_unasked(
    carrier: RunningCarrier, persona: str, digits: str | None
) -> None:
    carrier.ours.answers["/voice"] = (
        '<Response><Gather numDigits="1" action="/answered">'
        "<Say>We close at 6. Press 9 to opt out.</Say></Gather></Response>"
    )
    carrier.call(carrier.fix(PERSON, persona))
    carrier.ours.wait_status("/status", "completed")
    assert [webhook.form["Digits"] for webhook in carrier.ours.to("/answered")] == (
        [digits] if digits else []
    )


def test_every_request_of_a_script_is_signed_and_carries_the_call(carrier: RunningCarrier) -> None:
    carrier.ours.answers["/voice"] = QUESTION
    call = carrier.call(carrier.fix(PERSON, "asks_removal"))
    carrier.ours.answers["/answered"] = "<Response><Say>Sorry, goodbye.</Say></Response>"
    carrier.ours.wait_status("/status", "completed")
    assert heard(carrier, "agent")[-1] == "Sorry, goodbye."
    assert heard(carrier, "person") == ["Please stop calling me."]
    for webhook in carrier.ours.received:
        assert authentic(webhook)
        assert webhook.form["CallSid"] == call.sid
        assert (webhook.form["CallerCity"], webhook.form["CallerCountry"]) == ("", "US")


def test_silence_passes_to_the_next_verb_unless_the_action_wants_it(carrier: RunningCarrier) -> None:
    silent = QUESTION.replace(' actionOnEmptyResult="true"', "").replace("<Hangup/>", "<Say>Goodbye</Say>")
    carrier.ours.answers["/voice"] = silent
    carrier.call(carrier.fix(PERSON, "voicemail"))
    carrier.ours.wait_status("/status", "completed")
    assert carrier.ours.to("/answered") == []
    assert heard(carrier, "agent")[-1] == "Goodbye"


def test_a_redirect_is_followed_and_nothing_after_it(carrier: RunningCarrier) -> None:
    carrier.ours.answers["/voice"] = (
        "<Response><Play>a.mp3</Play><Redirect>next?x=1</Redirect><Say>No</Say></Response>"
    )
    carrier.ours.answers["/next"] = "<Response><Pause length='2'/><Hangup/><Say>No</Say></Response>"
    carrier.call(carrier.fix(PERSON, "answers_confirms"))
    carrier.ours.wait_status("/status", "completed")
    assert carrier.ours.to("/next")[0].url.endswith("/next?x=1")
    assert heard(carrier, "recording") == ["a.mp3"]
    assert heard(carrier, "agent") == []


def test_speaking_takes_as_long_as_the_text(carrier: RunningCarrier) -> None:
    carrier.control("speed", {"speed": 50})
    carrier.ours.answers["/voice"] = f"<Response><Say>{'word ' * 90}</Say></Response>"
    carrier.call(carrier.fix(PERSON, "answers_confirms"))
    duration = int(carrier.ours.wait_status("/status", "completed").form["CallDuration"])
    assert 30 <= duration < 100


@pytest.mark.parametrize(
    "answer", [500, 404, "<Response><Say>unclosed</Response>", "<Response><Dance/></Response>"]
)
def test_a_document_that_cant_be_had_ends_in_an_application_error(
    carrier: RunningCarrier, answer: str | int
) -> None:
    carrier.ours.answers["/voice"] = answer
    carrier.call(carrier.fix(PERSON, "answers_confirms"))
    carrier.ours.wait_status("/status", "completed")
    assert heard(carrier, "carrier")[0].startswith("An application error has occurred")


def test_the_fallback_is_asked_first(carrier: RunningCarrier) -> None:
    carrier.ours.answers |= {"/voice": 500, "/fallback": "<Response><Say>Plan B</Say></Response>"}
    carrier.call(carrier.fix(PERSON, "answers_confirms"), fallback_url=f"{carrier.ours.url}/fallback")
    fallback = carrier.ours.wait("/fallback")[0]
    assert (fallback.form["ErrorCode"], fallback.form["ErrorUrl"]) == ("11200", f"{carrier.ours.url}/voice")
    carrier.ours.wait_status("/status", "completed")
    assert heard(carrier, "agent") == ["Plan B"]


def test_an_empty_answer_ends_the_call_quietly(carrier: RunningCarrier) -> None:
    carrier.ours.answers["/voice"] = 204
    carrier.call(carrier.fix(PERSON, "answers_confirms"))
    carrier.ours.wait_status("/status", "completed")
    assert carrier.ledger()[0]["heard"] == []


def test_a_call_ends_at_its_time_limit(carrier: RunningCarrier) -> None:
    carrier.control("speed", {"speed": 50})
    carrier.ours.answers["/voice"] = "<Response><Pause length='600'/></Response>"
    carrier.call(carrier.fix(PERSON, "answers_confirms"), time_limit=20)
    duration = int(carrier.ours.wait_status("/status", "completed").form["CallDuration"])
    assert 20 <= duration < 100


@pytest.mark.parametrize(
    ("persona", "detection", "answered_by"),
    [
        ("answers_confirms", "Enable", "human"),
        ("voicemail", "Enable", "machine_start"),
        ("voicemail", "DetectMessageEnd", "machine_end_beep"),
    ],
)
def test_detection_holds_the_script_until_its_verdict(
    carrier: RunningCarrier, persona: str, detection: str, answered_by: str
) -> None:
    carrier.ours.answers["/voice"] = "<Response/>"
    carrier.call(carrier.fix(PERSON, persona), machine_detection=detection)
    asked = carrier.ours.wait("/voice")[0].form
    assert asked["AnsweredBy"] == answered_by
    assert int(asked["MachineDetectionDuration"]) > 0
    assert carrier.ours.wait_status("/status", "completed").form["AnsweredBy"] == answered_by


def test_detection_aside_lets_the_script_run_and_calls_back(carrier: RunningCarrier) -> None:
    carrier.ours.answers["/voice"] = "<Response><Pause length='60'/></Response>"
    carrier.call(
        carrier.fix(PERSON, "voicemail"),
        machine_detection="Enable",
        async_amd="true",
        async_amd_status_callback=f"{carrier.ours.url}/amd",
    )
    assert carrier.ours.wait("/amd")[0].form["AnsweredBy"] == "machine_start"
    assert "AnsweredBy" not in carrier.ours.wait("/voice")[0].form


def test_a_script_that_never_ends_is_left_by_the_person() -> None:
    with running_carrier(speed=4000.0) as carrier:
        carrier.ours.answers["/voice"] = "<Response><Pause length='30'/><Redirect/></Response>"
        carrier.call(carrier.fix(PERSON, "answers_confirms"))
        assert int(carrier.ours.wait_status("/status", "completed").form["CallDuration"]) >= 240
