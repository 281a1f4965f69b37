"""What each class of failure leads to: one decision a class, whatever carrier reported it."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Final

from app.domain.events import FailureClass

_F = FailureClass


class Decision(StrEnum):
    """What follows a failure. A retry spends an attempt; a snooze does not."""

    REFUSE = "refuse"
    """This recipient fails for good; the others go on."""
    SUPPRESS = "suppress"
    """The number is never contacted again."""
    AS_ASKED = "as_asked"
    """Tried again if the campaign retries this outcome, after its delay."""
    TOMORROW = "tomorrow"
    """Tried again, but not before a night has passed."""
    SNOOZE = "snooze"
    """Back in line at its place: nothing was placed."""
    FAIL_CAMPAIGN = "fail_campaign"
    """Back in line at its place, and the campaign fails with the reason: it would go wrong for everyone until a
    person has mended it."""
    REST_NUMBER = "rest_number"
    """Our number rests, and the recipient is tried from another."""


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
"""What a class of failure leads to. What has no class (an unknown word of the carrier's) is `AS_ASKED`."""


class HangUp(StrEnum):
    """Why we ask the carrier to end a call."""

    CALLING_HOURS = "calling_hours"
    """The hours to reach the person end before it is dialed."""
    CAMPAIGN_CANCELLED = "campaign_cancelled"
    """A person cancelled the campaign, and asked for its calls to be hung up."""
    SUPPRESSED = "suppressed"
    """The person asked not to be called while the call still waited in the carrier's queue."""


BEFORE_THE_ANSWER: Final = frozenset({HangUp.CALLING_HOURS, HangUp.SUPPRESSED})
"""Such a call is taken back only while nobody has answered it."""

A_NIGHT: Final = timedelta(hours=12)
"""From whatever hour people may be reached in, so much later lies on the other side of a night, or in it."""


def decision_of(failure: FailureClass | None) -> Decision:
    """Return what a failure leads to."""
    return Decision.AS_ASKED if failure is None else DECISIONS[failure]
