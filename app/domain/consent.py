"""Consent: what a person said to being contacted."""

from enum import StrEnum


class Consent(StrEnum):
    """What a person agreed to."""

    UNKNOWN = "unknown"
    GRANTED = "granted"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
