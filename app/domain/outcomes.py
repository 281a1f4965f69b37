"""The decision for each class of failure, the same for all carriers."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Final

from app.domain.events import FailureClass

_F = FailureClass


class Decision(StrEnum):
    """What follows a failure. A retry counts as an attempt; a snooze does not."""

    REFUSE = "refuse"
    """This recipient fails without a retry; the campaign goes on."""
    SUPPRESS = "suppress"
    """The number is never contacted again."""
    AS_ASKED = "as_asked"
    """A retry after the campaign's delay, if it retries this outcome."""
    TOMORROW = "tomorrow"
    """A retry after a night."""
    SNOOZE = "snooze"
    """Back to the queue: nothing was placed."""
    FAIL_CAMPAIGN = "fail_campaign"
    """Back to the queue, and the campaign fails with the reason: every attempt would fail until a user repairs it."""
    REST_NUMBER = "rest_number"
    """Our number rests; the recipient is retried from another one."""


DECISIONS: Final[Mapping[FailureClass, Decision]] = {
    _F.BAD_NUMBER: Decision.REFUSE,
    _F.OPTED_OUT: Decision.SUPPRESS,
    _F.REJECTED: Decision.AS_ASKED,
    _F.MISCONFIGURED: Decision.FAIL_CAMPAIGN,
    _F.CONTENT: Decision.REFUSE,
    _F.UNRECOGNIZED: Decision.REFUSE,
    _F.TOMORROW: Decision.TOMORROW,
    _F.TRANSIENT: Decision.AS_ASKED,
    _F.THROTTLED: Decision.SNOOZE,
    _F.SENDER_HEALTH: Decision.REST_NUMBER,
}
"""Class of failure -> decision. A failure without a class (an unknown status) is `AS_ASKED`."""


class HangUp(StrEnum):
    """Why we ask the carrier to end a call."""

    CALLING_HOURS = "calling_hours"
    """The calling hours end before the call is dialed."""
    CAMPAIGN_CANCELLED = "campaign_cancelled"
    """A user cancelled the campaign and chose to hang up its calls."""
    SUPPRESSED = "suppressed"
    """The person opted out while the call waited in the carrier's queue."""


BEFORE_THE_ANSWER: Final = frozenset({HangUp.CALLING_HOURS, HangUp.SUPPRESSED})
"""For these reasons a call is ended only if it is not answered yet."""

A_NIGHT: Final = timedelta(hours=12)
"""Calling hours are in daytime, so this much later is after the night, or still in it."""


def decision_of(failure: FailureClass | None) -> Decision:
    """Return the decision for a failure; None is a failure without a class."""
    return Decision.AS_ASKED if failure is None else DECISIONS[failure]
