"""What an organization decides about legal hours and about the time zones in its files."""

from enum import StrEnum


class LegalPolicy(StrEnum):
    """Which legal hours hold under every campaign of an organization."""

    LAW = "law"
    """Those of the person's place."""
    STRICT = "strict"
    """Those of the place, and over and above them 09:00 to 20:00, Monday to Saturday, no public holidays, 3 attempts
    in 24 hours: that satisfies nearly all laws."""
    OFF = "off"
    """None: only the campaign's calling hours. An owner's decision, with a reason."""


class ZoneTrust(StrEnum):
    """What a contact's own time zone or state counts for."""

    OWN = "own"
    """It replaces what the phone number says."""
    BOTH = "both"
    """The calling hours must hold there and where the phone number may be."""
