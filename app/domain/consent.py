"""Consent: what a person said to being contacted."""

from enum import StrEnum
from typing import Final


class Consent(StrEnum):
    """What a person agreed to."""

    UNKNOWN = "unknown"
    GRANTED = "granted"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"


REFUSED: Final = frozenset({Consent.DENIED, Consent.WITHDRAWN})
"""This person said no: they are not contacted, and no later yes of a file changes it."""
