"""The TwiML of a scripted call. The same request always gets the same document, so a repeat is harmless."""

import re
from dataclasses import dataclass
from typing import Final

from twilio.twiml.voice_response import Gather, VoiceResponse

from app.domain.text import is_blank, trimmed
from app.providers.script import CallScript, Reply, meaning_of

SAY_LIMIT: Final = 4096
"""Characters Twilio speaks in one <Say>."""

_KEYS_HINT: Final = {
    "en": "Press 1 or say yes. Press 2 or say no. To stop these calls, press 9.",
    "es": "Pulse 1 o diga sí. Pulse 2 o diga no. Para no recibir más llamadas, pulse 9.",
    "fr": "Tapez 1 ou dites oui. Tapez 2 ou dites non. Pour ne plus recevoir ces appels, tapez 9.",
    "de": "Drücken Sie 1 oder sagen Sie ja. Drücken Sie 2 oder sagen Sie nein. Keine Anrufe mehr: die 9.",
}
_OPT_OUT_HINT: Final = {
    "en": "To stop these calls, press 9.",
    "es": "Para no recibir más llamadas, pulse 9.",
    "fr": "Pour ne plus recevoir ces appels, tapez 9.",
    "de": "Keine Anrufe mehr: drücken Sie 9.",
}
_OPTED_OUT: Final = {
    "en": "You have been removed from our list, and will not be called again. Goodbye.",
    "es": "Le hemos eliminado de nuestra lista y no volveremos a llamarle. Adiós.",
    "fr": "Vous avez été retiré de notre liste et ne serez plus appelé. Au revoir.",
    "de": "Sie wurden von unserer Liste gestrichen und werden nicht mehr angerufen. Auf Wiederhören.",
}
_ANSWER_SECONDS: Final = 5
_ANNOUNCEMENT_SECONDS: Final = 2
_UNSPEAKABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot contain."""


@dataclass(frozen=True, slots=True)
class Speech:
    """A document for the carrier, and the lines that the person hears before an answer or the end of the call."""

    twiml: str
    lines: tuple[str, ...]


def opening(script: CallScript, *, answer_url: str) -> Speech:
    """Return the first document of a call: greeting, agenda, and the question if there is one.

    Key 9 is always offered and always accepted. The answer, or silence after a question, is sent to `answer_url`.
    """
    lines = (script.greeting, script.agenda, *_asking(script))
    if script.question:
        return _gathered(_question(script, answer_url), script, lines)
    listening = Gather(
        input="dtmf", num_digits=1, timeout=_ANNOUNCEMENT_SECONDS, action=answer_url, method="POST"
    )
    announced = _gathered(listening, script, lines)
    return Speech(announced.twiml, _heard(*lines, script.closing))


def answer_to(
    *, digits: str, speech: str, script: CallScript, ask_again_url: str | None
) -> tuple[Reply, Speech]:
    """Return what the answer means, and the document that follows it.

    After an unclear answer, or none, the question is asked once more; its answer is sent to `ask_again_url`. None: it
    was asked twice already.
    """
    reply = meaning_of(digits=digits, speech=speech)
    if reply is Reply.OPT_OUT:
        return reply, _last_words(script, _phrase(_OPTED_OUT, script))
    if reply in {Reply.UNCLEAR, Reply.NOTHING} and script.question and ask_again_url:
        return reply, _gathered(_question(script, ask_again_url), script, _asking(script))
    return reply, _last_words(script, script.closing)


def hang_up() -> Speech:
    """Return the document for a machine or a fax. No message is left."""
    document = VoiceResponse()
    document.hangup()
    return Speech(str(document.to_xml()), ())


def _gathered(gather: Gather, script: CallScript, lines: tuple[str, ...]) -> Speech:
    """Say the lines while listening. The closing follows only if there was no question and no answer."""
    document = VoiceResponse()
    _say(gather, script, *lines)
    document.append(gather)
    return Speech(_closed(document, script, script.closing), _heard(*lines))


def _last_words(script: CallScript, words: str) -> Speech:
    return Speech(_closed(VoiceResponse(), script, words), _heard(words))


def _heard(*lines: str) -> tuple[str, ...]:
    return tuple(line for line in lines if not is_blank(line))


def _question(script: CallScript, answer_url: str) -> Gather:
    return Gather(
        input="dtmf speech",
        num_digits=1,
        timeout=_ANSWER_SECONDS,
        speech_timeout="auto",
        action_on_empty_result=True,
        action=answer_url,
        method="POST",
        language=script.language,
    )


def _asking(script: CallScript) -> tuple[str, ...]:
    """Return the question and its keys; a question that names key 9 itself needs no hint."""
    if not script.question:
        return (_phrase(_OPT_OUT_HINT, script),)
    if "9" in script.question:
        return (script.question,)
    return (script.question, _phrase(_KEYS_HINT, script))


def _closed(document: VoiceResponse, script: CallScript, last_words: str) -> str:
    _say(document, script, last_words)
    document.hangup()
    return str(document.to_xml())


def _say(verb: VoiceResponse | Gather, script: CallScript, *texts: str) -> None:
    for text in texts:
        for part in _parts(text):
            verb.say(part, language=script.language, voice=script.voice)


def _parts(text: str) -> list[str]:
    """Cut a text into parts that can be spoken, between sentences or words if possible."""
    rest, parts = trimmed(_UNSPEAKABLE.sub(" ", text)), []
    while len(rest) > SAY_LIMIT:
        cut = max(rest.rfind(mark, 0, SAY_LIMIT) for mark in (". ", "? ", "! ")) + 1
        cut = cut or rest.rfind(" ", 0, SAY_LIMIT) + 1 or SAY_LIMIT
        parts.append(rest[:cut].strip())
        rest = rest[cut:].strip()
    return [*parts, rest] if rest else parts


def _phrase(phrases: dict[str, str], script: CallScript) -> str:
    return phrases.get(script.language.partition("-")[0].lower(), phrases["en"])
