"""The people behind the numbers: who picks up, who does not, and what they say or press."""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class VoicePersona(StrEnum):
    """How a number behaves when it is called."""

    ANSWERS_CONFIRMS = "answers_confirms"
    ANSWERS_DECLINES = "answers_declines"
    ASKS_REMOVAL = "asks_removal"
    PRESSES_9 = "presses_9"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    VOICEMAIL = "voicemail"
    REJECTS = "rejects"
    INVALID_NUMBER = "invalid_number"
    SLOW = "slow"
    HANGS_UP_EARLY = "hangs_up_early"


class SmsPersona(StrEnum):
    """What becomes of a message to a number."""

    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FILTERED = "filtered"
    REPLIES_STOP = "replies_stop"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a call ends: Twilio's final CallStatus and the SIP answer behind it."""

    status: str
    sip_code: int


@dataclass(frozen=True, slots=True)
class PersonaReply:
    """What a person does when asked: keys pressed or words said, `after` seconds of thought."""

    after: float
    digits: str = ""
    speech: str = ""


@dataclass(frozen=True, slots=True)
class PersonaVerdict:
    """What answering machine detection says, and how many seconds it listened before it said so."""

    answered_by: str
    seconds: float


NEVER = float("inf")
NO_ANSWER = Ending("no-answer", 487)
"""The ring timed out."""
CANCELED = Ending("canceled", 487)
COMPLETED = Ending("completed", 200)

_OPT_OUT_KEY = "9"
_KEY_1 = re.compile(r"\b(1|one)\b", re.IGNORECASE)
_PATIENCE = 240.0
"""Seconds after which anybody hangs up, so that a script which asks for ever still ends."""


@dataclass(frozen=True, slots=True)
class PersonCalled:
    """One person (or machine) for the length of one call. Times in carrier seconds.

    `refusal`: the call ends with it instead of being answered: before it rings if `rings` is 0.
    """

    rings: float
    refusal: Ending | None = None
    is_machine: bool = False
    greeting: float = 0.0
    stays: float = _PATIENCE
    thinks: float = 1.5
    digits: str = ""
    words: str = ""
    prefers_speech: bool = False

    def reply(self, *, dtmf: bool, speech: bool, prompt: str) -> PersonaReply | None:
        """Return what this person does when a Gather listens for keys, speech or both; None is silence.

        `prompt`: all that was said in this call. Nobody presses a key that answers no question, but key 9.
        """
        can_press = dtmf and bool(self.digits) and (self.digits == _OPT_OUT_KEY or _offers_keys(prompt))
        can_say = speech and bool(self.words)
        if can_say and (self.prefers_speech or not can_press):
            return PersonaReply(self.thinks, speech=self.words)
        if can_press:
            return PersonaReply(self.thinks, digits=self.digits)
        return None

    def verdict(self, *, to_the_end: bool) -> PersonaVerdict:
        """Return what machine detection finds, `to_the_end` of the greeting (DetectMessageEnd) or at once."""
        if not self.is_machine:
            return PersonaVerdict("human", 2.4)
        if to_the_end:
            return PersonaVerdict("machine_end_beep", self.greeting + 0.5)
        return PersonaVerdict("machine_start", 3.6)


def _offers_keys(prompt: str) -> bool:
    """Tell whether the prompt names key 1; of one that is only played nothing is known, so it may."""
    return not prompt or _KEY_1.search(prompt) is not None


def meet(persona: VoicePersona, chance: random.Random) -> PersonCalled:
    """Return the person of this kind whom this call reaches."""
    return _CAST[persona](chance)


def _talker(chance: random.Random, digits: str, words: tuple[str, ...]) -> PersonCalled:
    return PersonCalled(
        rings=chance.uniform(3, 12),
        greeting=1.0,
        thinks=chance.uniform(0.8, 2.5),
        digits=digits,
        words=chance.choice(words) if words else "",
        prefers_speech=chance.choice((True, False)),
    )


def _confirms(chance: random.Random) -> PersonCalled:
    return _talker(chance, "1", ("Yes, that works for me.", "Yes, please.", "Sure, yes.", "Yes, I confirm."))


def _declines(chance: random.Random) -> PersonCalled:
    return _talker(chance, "2", ("No, thank you.", "No, I'm not interested.", "No, not this time."))


def _asks_removal(chance: random.Random) -> PersonCalled:
    return _talker(chance, "", ("Please stop calling me.",))


def _presses_9(chance: random.Random) -> PersonCalled:
    return _talker(chance, "9", ())


def _busy(_: random.Random) -> PersonCalled:
    return PersonCalled(rings=0.0, refusal=Ending("busy", 486))


def _no_answer(_: random.Random) -> PersonCalled:
    return PersonCalled(rings=NEVER)


def _voicemail(chance: random.Random) -> PersonCalled:
    return PersonCalled(
        rings=chance.uniform(14, 18), is_machine=True, greeting=chance.uniform(5, 12), stays=120.0
    )


def _rejects(chance: random.Random) -> PersonCalled:
    return PersonCalled(rings=chance.uniform(2, 8), refusal=Ending("failed", 603))


def _invalid_number(_: random.Random) -> PersonCalled:
    return PersonCalled(rings=0.0, refusal=Ending("failed", 404))


def _slow(chance: random.Random) -> PersonCalled:
    return PersonCalled(
        rings=chance.uniform(16, 19), thinks=chance.uniform(3.5, 4.5), digits="1", words="Um. Yes, all right."
    )


def _hangs_up_early(chance: random.Random) -> PersonCalled:
    return PersonCalled(rings=chance.uniform(3, 10), stays=chance.uniform(2, 4))


_CAST: dict[VoicePersona, Callable[[random.Random], PersonCalled]] = {
    VoicePersona.ANSWERS_CONFIRMS: _confirms,
    VoicePersona.ANSWERS_DECLINES: _declines,
    VoicePersona.ASKS_REMOVAL: _asks_removal,
    VoicePersona.PRESSES_9: _presses_9,
    VoicePersona.BUSY: _busy,
    VoicePersona.NO_ANSWER: _no_answer,
    VoicePersona.VOICEMAIL: _voicemail,
    VoicePersona.REJECTS: _rejects,
    VoicePersona.INVALID_NUMBER: _invalid_number,
    VoicePersona.SLOW: _slow,
    VoicePersona.HANGS_UP_EARLY: _hangs_up_early,
}


@dataclass(frozen=True, slots=True)
class SmsFate:
    """What becomes of one message: its final status, Twilio's error code, and the text sent back, if any."""

    status: str
    error_code: int | None = None
    reply: str = ""


UNDELIVERED_CODES = {
    30003: "Unreachable destination handset",
    30005: "Unknown destination handset",
    30006: "Landline or unreachable carrier",
}
ERROR_WORDS = UNDELIVERED_CODES | {
    30007: "Message filtered",
    30036: "Validity Period Expired",
    30450: "Message delivery blocked",
}
"""Message error codes with the ErrorMessage Twilio gives."""


def sms_fate(persona: SmsPersona, chance: random.Random) -> SmsFate:
    """Return what becomes of this message to a number of this kind."""
    match persona:
        case SmsPersona.DELIVERED:
            return SmsFate("delivered")
        case SmsPersona.UNDELIVERED:
            return SmsFate("undelivered", chance.choice(sorted(UNDELIVERED_CODES)))
        case SmsPersona.FILTERED:
            return SmsFate("undelivered", 30007)
        case SmsPersona.REPLIES_STOP:
            return SmsFate("delivered", reply="STOP")
