"""Consent: whether a person agreed to be contacted."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from app.domain.campaign import Channel, Purpose


class Consent(StrEnum):
    """What a person agreed to."""

    UNKNOWN = "unknown"
    GRANTED = "granted"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"


class ConsentScope(StrEnum):
    """The channels that a granted consent is for. A refusal is for all."""

    ALL = "all"
    VOICE = "voice"
    SMS = "sms"


REFUSED_BECAUSE: Final[Mapping[Consent, str]] = {
    Consent.DENIED: "This person did not consent to be contacted.",
    Consent.WITHDRAWN: "This person withdrew their consent to be contacted.",
}
"""Why this person is not contacted, as a sentence for users."""

REFUSED: Final = frozenset(REFUSED_BECAUSE)
"""The person said no: they are not contacted, and an import cannot change that."""


def why_not_consented(consent: Consent, purpose: Purpose) -> str | None:
    """Return why a person with this consent is not contacted for the purpose, as a sentence; None: they may be."""
    if consent in REFUSED_BECAUSE:
        return REFUSED_BECAUSE[consent]
    if purpose is Purpose.MARKETING and consent is not Consent.GRANTED:
        return "This campaign is marketing, and no consent of this person is on record."
    return None


def consent_for(channel: Channel, consent: Consent, scope: str) -> Consent:
    """Return what the person agreed to for this channel. `scope`: as it is stored, empty for every channel."""
    own = ConsentScope.SMS if channel is Channel.SMS else ConsentScope.VOICE
    return Consent.UNKNOWN if consent is Consent.GRANTED and scope not in {"", own} else consent
