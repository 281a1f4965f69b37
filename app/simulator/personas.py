"""The people behind the numbers: whether they answer, and what they say or press."""

import random
import re
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
    """How a message to a number ends."""

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
    """What a person answers to a question: keys or words, `after` seconds of thinking."""

    after: float
    digits: str = ""
    speech: str = ""


@dataclass(frozen=True, slots=True)
class PersonaVerdict:
    """The result of answering machine detection, and how many seconds it took."""

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
"""Seconds after which every person hangs up, so that an endless script still ends."""


@dataclass(frozen=True, slots=True)
class PersonCalled:
    """One person (or machine) for the length of one call. Times in carrier seconds.

    `refusal`: how the call ends instead of being answered; if `rings` is 0, before it rings.
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

        `prompt`: all that was said in this call. A person presses key 9 at any time, another key only if the prompt
        offers keys.
        """
        # An empty prompt was a recording: it may have offered keys.
        offers_keys = not prompt or _KEY_1.search(prompt) is not None
        can_press = dtmf and bool(self.digits) and (self.digits == _OPT_OUT_KEY or offers_keys)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Traits:
    """What the people of one persona have in common. A pair is the range of each person's own value."""

    rings: tuple[float, float]
    refusal: Ending | None = None
    is_machine: bool = False
    greeting: tuple[float, float] = (1.0, 1.0)
    stays: tuple[float, float] = (_PATIENCE, _PATIENCE)
    thinks: tuple[float, float] = (0.8, 2.5)
    digits: str = ""
    words: tuple[str, ...] = ("",)
    prefers_speech: tuple[bool, ...] = (True, False)


_AT_ONCE = (0.0, 0.0)
_TRAITS: dict[VoicePersona, _Traits] = {
    VoicePersona.ANSWERS_CONFIRMS: _Traits(
        rings=(3, 12),
        digits="1",
        words=("Yes, that works for me.", "Yes, please.", "Sure, yes.", "Yes, I confirm."),
    ),
    VoicePersona.ANSWERS_DECLINES: _Traits(
        rings=(3, 12),
        digits="2",
        words=("No, thank you.", "No, I'm not interested.", "No, not this time."),
    ),
    VoicePersona.ASKS_REMOVAL: _Traits(rings=(3, 12), words=("Please stop calling me.",)),
    VoicePersona.PRESSES_9: _Traits(rings=(3, 12), digits="9"),
    VoicePersona.BUSY: _Traits(rings=_AT_ONCE, refusal=Ending("busy", 486)),
    VoicePersona.NO_ANSWER: _Traits(rings=(NEVER, NEVER)),
    VoicePersona.VOICEMAIL: _Traits(rings=(14, 18), is_machine=True, greeting=(5, 12), stays=(120, 120)),
    VoicePersona.REJECTS: _Traits(rings=(2, 8), refusal=Ending("failed", 603)),
    VoicePersona.INVALID_NUMBER: _Traits(rings=_AT_ONCE, refusal=Ending("failed", 404)),
    VoicePersona.SLOW: _Traits(
        rings=(16, 19), thinks=(3.5, 4.5), digits="1", words=("Um. Yes, all right.",), prefers_speech=(False,)
    ),
    VoicePersona.HANGS_UP_EARLY: _Traits(rings=(3, 10), stays=(2, 4)),
}


def meet(persona: VoicePersona, chance: random.Random) -> PersonCalled:
    """Return a person of this persona. `chance` draws all that differs between its people."""
    traits = _TRAITS[persona]

    def drawn(low: float, high: float) -> float:
        return chance.uniform(low, high) if low < high else low

    return PersonCalled(
        rings=drawn(*traits.rings),
        refusal=traits.refusal,
        is_machine=traits.is_machine,
        greeting=drawn(*traits.greeting),
        stays=drawn(*traits.stays),
        thinks=drawn(*traits.thinks),
        digits=traits.digits,
        words=chance.choice(traits.words),
        prefers_speech=chance.choice(traits.prefers_speech),
    )


@dataclass(frozen=True, slots=True)
class SmsFate:
    """How one message ends: its final status, Twilio's error code, and the person's reply, if any."""

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
    """Return how a message to a number of this persona ends."""
    match persona:
        case SmsPersona.DELIVERED:
            return SmsFate("delivered")
        case SmsPersona.UNDELIVERED:
            return SmsFate("undelivered", chance.choice(sorted(UNDELIVERED_CODES)))
        case SmsPersona.FILTERED:
            return SmsFate("undelivered", 30007)
        case SmsPersona.REPLIES_STOP:
            return SmsFate("delivered", reply="STOP")
