"""Consent: what a person said to being contacted."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Consent(StrEnum):
    """What a person agreed to."""

    UNKNOWN = "unknown"
    GRANTED = "granted"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"


REFUSED_BECAUSE: Final[Mapping[Consent, str]] = {
    Consent.DENIED: "This person did not consent to be contacted.",
    Consent.WITHDRAWN: "This person withdrew their consent to be contacted.",
}
"""How a person said no to being contacted, as a sentence."""

REFUSED: Final = frozenset(REFUSED_BECAUSE)
"""This person said no: they are not contacted, and no later yes of a file changes it."""
