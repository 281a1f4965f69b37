"""Consent: whether a person agreed to be contacted."""

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
"""Why this person is not contacted, as a sentence for users."""

REFUSED: Final = frozenset(REFUSED_BECAUSE)
"""The person said no: they are not contacted, and an import cannot change that."""
