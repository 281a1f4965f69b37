"""Options of a campaign's calls: one value, passed unchanged from the campaign's row to the carrier."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOptions:
    """What the carrier is asked to do with a call."""

    ring_seconds: int
    """After this time the call counts as not answered."""
    longest_seconds: int
    """After this time the carrier ends the call."""
    detect_machine: bool
    """Find out whether a person or a machine answered."""

    @classmethod
    def of(cls, campaign: Mapping[Any, Any]) -> Self:
        """Return the options of a campaign's row."""
        return cls(
            ring_seconds=campaign["ring_timeout_seconds"],
            longest_seconds=campaign["time_limit_seconds"],
            detect_machine=campaign["enable_voicemail_detection"],
        )
