"""What a scripted call says, and what people's answers mean."""

from dataclasses import replace
from xml.etree.ElementTree import Element, fromstring

import pytest

from app.providers.script import CallScript, Reply, meaning_of
from app.providers.twilio.twiml import SAY_LIMIT, Speech, answer_to, hang_up, opening

SCRIPT = CallScript(
    greeting="Hello Zoë, this is Acme & Sons <dental>.",
    agenda="You have an appointment tomorrow at nine.",
    question="Will you come?",
    closing="Thank you. Goodbye.",
    language="en-US",
    voice="Polly.Joanna",
)
ANSWERS = "https://calls.example.com/webhooks/twilio/gather/a/t?ask=1"


def parsed(speech: Speech) -> Element:
    assert speech.twiml.startswith("<?xml")
    return fromstring(speech.twiml)  # our own document, just made


def said(document: Speech) -> list[str]:
    return [say.text or "" for say in parsed(document).iter("Say")]


def test_an_opening_greets_tells_asks_and_closes() -> None:
    document = opening(SCRIPT, answer_url=ANSWERS)
    root = parsed(document)
    assert [child.tag for child in root] == ["Gather", "Say", "Hangup"]
    assert said(document)[:3] == [SCRIPT.greeting, SCRIPT.agenda, SCRIPT.question]
    assert said(document)[-1] == SCRIPT.closing
    gather = root.find("Gather")
    assert gather is not None
    assert gather.attrib == {
        "input": "dtmf speech",
        "numDigits": "1",
        "timeout": "5",
        "speechTimeout": "auto",
        "actionOnEmptyResult": "true",
        "action": ANSWERS,
        "method": "POST",
        "language": "en-US",
    }


def test_everything_is_said_in_the_scripts_language_and_voice() -> None:
    for say in parsed(opening(SCRIPT, answer_url=ANSWERS)).iter("Say"):
        assert say.attrib == {"language": "en-US", "voice": "Polly.Joanna"}
    for say in parsed(opening(replace(SCRIPT, voice=None), answer_url=ANSWERS)).iter("Say"):
        assert say.attrib == {"language": "en-US"}


def test_a_repeated_fetch_gets_the_same_document() -> None:
    assert opening(SCRIPT, answer_url=ANSWERS) == opening(SCRIPT, answer_url=ANSWERS)


def test_the_lines_are_what_the_listener_hears_before_they_answer() -> None:
    asked = opening(SCRIPT, answer_url=ANSWERS)
    assert asked.lines[:3] == (SCRIPT.greeting, SCRIPT.agenda, SCRIPT.question)
    assert SCRIPT.closing not in asked.lines
    told = opening(replace(SCRIPT, question=None, agenda=""), answer_url=ANSWERS)
    assert (told.lines[0], told.lines[-1]) == (SCRIPT.greeting, SCRIPT.closing)
    assert hang_up().lines == ()


def test_key_nine_is_offered_and_heard_even_without_a_question() -> None:
    document = opening(replace(SCRIPT, question=None), answer_url=ANSWERS)
    assert any("press 9" in text for text in said(document))
    gather = parsed(document).find("Gather")
    assert gather is not None
    assert (gather.attrib["action"], gather.attrib["input"]) == (ANSWERS, "dtmf")
    assert "actionOnEmptyResult" not in gather.attrib


def test_a_question_that_names_the_keys_itself_gets_no_hint() -> None:
    script = replace(SCRIPT, question="Press 1 for yes, 9 to stop.")
    assert sum("9" in text for text in said(opening(script, answer_url=ANSWERS))) == 1


def test_hints_are_in_the_scripts_language() -> None:
    texts = said(opening(replace(SCRIPT, language="es-MX"), answer_url=ANSWERS))
    assert any("pulse 9" in text for text in texts)


@pytest.mark.parametrize("reply", ["1", "2"])
def test_a_clear_answer_is_met_by_the_closing(reply: str) -> None:
    _, document = answer_to(digits=reply, speech="", script=SCRIPT, ask_again_url=ANSWERS)
    assert said(document) == [SCRIPT.closing]
    assert [child.tag for child in parsed(document)] == ["Say", "Hangup"]


@pytest.mark.parametrize(("digits", "speech"), [("9", ""), ("", "Stop calling me!")])
def test_opting_out_is_confirmed(digits: str, speech: str) -> None:
    reply, document = answer_to(digits=digits, speech=speech, script=SCRIPT, ask_again_url=ANSWERS)
    assert reply is Reply.OPT_OUT
    assert "removed" in said(document)[0]
    assert parsed(document).find("Gather") is None


@pytest.mark.parametrize(("digits", "speech"), [("5", ""), ("", "hmm maybe"), ("", "")])
def test_an_unclear_answer_is_asked_once_more_then_closed(digits: str, speech: str) -> None:
    _, again = answer_to(digits=digits, speech=speech, script=SCRIPT, ask_again_url=ANSWERS)
    assert parsed(again).find("Gather") is not None
    assert said(again)[0] == SCRIPT.question
    _, last = answer_to(digits=digits, speech=speech, script=SCRIPT, ask_again_url=None)
    assert said(last) == [SCRIPT.closing]


def test_without_a_question_nothing_is_asked_again() -> None:
    script = replace(SCRIPT, question=None)
    _, document = answer_to(digits="5", speech="", script=script, ask_again_url=ANSWERS)
    assert said(document) == [SCRIPT.closing]


def test_a_machine_is_hung_up_on() -> None:
    assert [child.tag for child in parsed(hang_up())] == ["Hangup"]


def test_a_long_text_is_cut_between_sentences_and_loses_nothing() -> None:
    agenda = "This is one of many sentences. " * 400
    parts = said(opening(replace(SCRIPT, agenda=agenda), answer_url=ANSWERS))[1:-3]
    assert all(len(part) <= SAY_LIMIT for part in parts)
    assert all(part.endswith(".") for part in parts)
    assert " ".join(parts) == agenda.strip()


def test_a_text_without_spaces_is_cut_anyway() -> None:
    parts = said(opening(replace(SCRIPT, agenda="x" * 10_000), answer_url=ANSWERS))
    assert sum(text.count("x") for text in parts if set(text) == {"x"}) == 10_000


def test_what_xml_cannot_hold_is_dropped() -> None:
    assert "a b" in said(opening(replace(SCRIPT, agenda="a\x00b"), answer_url=ANSWERS))


@pytest.mark.parametrize(
    ("speech", "reply"),
    [
        ("Yes.", Reply.CONFIRM),
        ("yeah sure, I'll be there", Reply.CONFIRM),
        ("Sí", Reply.CONFIRM),
        ("No problem", Reply.CONFIRM),
        ("No, thank you.", Reply.DECLINE),
        ("I can't make it", Reply.DECLINE),
        ("I can\u2019t come", Reply.DECLINE),
        ("please cancel it", Reply.DECLINE),
        ("yes, no, wait", Reply.UNCLEAR),
        ("I'm not sure", Reply.UNCLEAR),
        ("I don't know", Reply.UNCLEAR),
        ("what?", Reply.UNCLEAR),
        ("banana", Reply.UNCLEAR),
        ("", Reply.NOTHING),
        ("  ...  ", Reply.NOTHING),
        ("Stop!", Reply.OPT_OUT),
        ("stop calling me", Reply.OPT_OUT),
        ("Yes, stop these calls", Reply.OPT_OUT),
        ("Please don't call me again", Reply.OPT_OUT),
        ("do not call", Reply.OPT_OUT),
        ("don\u2019t ever call this number", Reply.OPT_OUT),
        ("never call me again", Reply.OPT_OUT),
        ("Please remove me from your list", Reply.OPT_OUT),
        ("take my number off your list", Reply.OPT_OUT),
        ("take me off", Reply.OPT_OUT),
        ("I want to opt out", Reply.OPT_OUT),
        ("unsubscribe", Reply.OPT_OUT),
        ("leave me alone", Reply.OPT_OUT),
        ("no more calls please", Reply.OPT_OUT),
        ("Yes, I'll stop by at nine", Reply.CONFIRM),
        ("yes, I can stop at the end of the street", Reply.CONFIRM),
    ],
)
def test_what_spoken_words_mean(speech: str, reply: Reply) -> None:
    assert meaning_of(digits="", speech=speech) is reply


@pytest.mark.parametrize(
    ("digits", "reply"),
    [
        ("1", Reply.CONFIRM),
        ("2", Reply.DECLINE),
        ("9", Reply.OPT_OUT),
        ("5", Reply.UNCLEAR),
        ("#", Reply.UNCLEAR),
    ],
)
def test_what_keys_mean_whatever_else_was_heard(digits: str, reply: Reply) -> None:
    assert meaning_of(digits=digits, speech="yes no stop calling") is reply
