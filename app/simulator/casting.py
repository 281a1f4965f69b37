"""Which persona a number has: fixed for that number, or drawn from a mix by a seeded random choice."""

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from app.simulator.personas import PersonCalled, SmsFate, SmsPersona, VoicePersona, meet, sms_fate

DEFAULT_VOICE_MIX: dict[VoicePersona, float] = {
    VoicePersona.ANSWERS_CONFIRMS: 36,
    VoicePersona.ANSWERS_DECLINES: 12,
    VoicePersona.ASKS_REMOVAL: 3,
    VoicePersona.PRESSES_9: 3,
    VoicePersona.BUSY: 8,
    VoicePersona.NO_ANSWER: 13,
    VoicePersona.VOICEMAIL: 13,
    VoicePersona.REJECTS: 3,
    VoicePersona.INVALID_NUMBER: 3,
    VoicePersona.SLOW: 3,
    VoicePersona.HANGS_UP_EARLY: 3,
}
DEFAULT_SMS_MIX: dict[SmsPersona, float] = {
    SmsPersona.DELIVERED: 93,
    SmsPersona.UNDELIVERED: 3,
    SmsPersona.FILTERED: 1,
    SmsPersona.REPLIES_STOP: 3,
}

_VOICE_NAMES = frozenset(persona.value for persona in VoicePersona)
_SMS_NAMES = frozenset(persona.value for persona in SmsPersona)


class BadPersona(ValueError):
    """No persona has that name, or a mix has no positive share."""


@dataclass(frozen=True, slots=True)
class CastCall:
    """Who answers this call."""

    persona: VoicePersona
    person: PersonCalled


@dataclass(frozen=True, slots=True)
class CastMessage:
    """How this message ends."""

    persona: SmsPersona
    fate: SmsFate


class Casting:
    """Chooses who answers: the n-th call (or message) to a number always meets the same person, for one seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._voice: dict[str, VoicePersona] = {}
        self._sms: dict[str, SmsPersona] = {}
        self._voice_mix = dict(DEFAULT_VOICE_MIX)
        self._sms_mix = dict(DEFAULT_SMS_MIX)
        self._ordinals: Counter[tuple[str, str]] = Counter()

    def fix(self, number: str, name: str) -> None:
        """Give this number the persona of that name from its next call (or message) on. Raises `BadPersona`."""
        if name in _VOICE_NAMES:
            self._voice[number] = VoicePersona(name)
        elif name in _SMS_NAMES:
            self._sms[number] = SmsPersona(name)
        else:
            raise BadPersona(
                f"no persona is called {name!r}; there are: {', '.join([*VoicePersona, *SmsPersona])}"
            )

    def set_mix(self, shares: Mapping[str, float]) -> None:
        """Draw the personas of all other numbers by these shares. Raises `BadPersona`.

        Weights for calls alone leave the mix for messages as it is, and the other way round.
        """
        unknown = [name for name in shares if name not in _VOICE_NAMES | _SMS_NAMES]
        if unknown or any(share < 0 for share in shares.values()):
            raise BadPersona(f"unknown or negative in the mix: {', '.join(unknown) or 'a share'}")
        voice = {VoicePersona(name): share for name, share in shares.items() if name in _VOICE_NAMES}
        sms = {SmsPersona(name): share for name, share in shares.items() if name in _SMS_NAMES}
        for mix in (voice, sms):
            if mix and not any(mix.values()):
                raise BadPersona("a mix needs at least one positive share")
        self._voice_mix = voice or self._voice_mix
        self._sms_mix = sms or self._sms_mix

    def call(self, number: str) -> CastCall:
        """Cast the next call to this number."""
        chance = self._chance("call", number)
        drawn = chance.choices(list(self._voice_mix), list(self._voice_mix.values()))[0]
        persona = self._voice.get(number, drawn)
        return CastCall(persona, meet(persona, chance))

    def message(self, number: str) -> CastMessage:
        """Cast the next message to this number."""
        chance = self._chance("message", number)
        drawn = chance.choices(list(self._sms_mix), list(self._sms_mix.values()))[0]
        persona = self._sms.get(number, drawn)
        return CastMessage(persona, sms_fate(persona, chance))

    def as_dict(self) -> dict[str, object]:
        """Return the fixed numbers and the mixes."""
        mixes: dict[str, float] = {persona.value: share for persona, share in self._voice_mix.items()}
        mixes |= {persona.value: share for persona, share in self._sms_mix.items()}
        return {"numbers": self._voice, "sms_numbers": self._sms, "default_mix": mixes}

    def _chance(self, kind: str, number: str) -> random.Random:
        self._ordinals[kind, number] += 1
        turn = self._ordinals[kind, number]
        return random.Random(f"{self._seed}:{kind}:{number}:{turn}")  # noqa: S311  # repeatable on purpose
