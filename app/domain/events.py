"""The provider-neutral vocabulary: what a carrier can tell us of an attempt."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class EventKind(StrEnum):
    """What happened. Every provider's words are mapped to these by a table."""

    QUEUED = "queued"
    INITIATED = "initiated"
    RINGING = "ringing"
    ANSWERED = "answered"
    COMPLETED = "completed"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    REPLIED = "replied"
    """The person answered our question, by key or speech."""
    OPTED_OUT = "opted_out"
    """The person asked not to be contacted again."""
    UNKNOWN = "unknown"
    """A word we do not know: stored, logged, and otherwise ignored."""


class AnsweredBy(StrEnum):
    """Who picked up, as answering-machine detection says."""

    HUMAN = "human"
    MACHINE = "machine"
    FAX = "fax"
    UNKNOWN = "unknown"


class FailureClass(StrEnum):
    """What a carrier's error means for us: each class has one decision."""

    BAD_NUMBER = "bad_number"
    """Permanent: this number cannot be reached. Never retried."""
    OPTED_OUT = "opted_out"
    """The carrier blocks us because the person said stop: suppress."""
    REJECTED = "rejected"
    """The person or their network refused the call."""
    MISCONFIGURED = "misconfigured"
    """Our account, credentials, addresses or sender are wrong: the campaign fails, and says what to mend."""
    CONTENT = "content"
    """This text is refused: fails this recipient, shown to the user."""
    UNRECOGNIZED = "unrecognized"
    """Refused with a code that is in no table of ours: fails this recipient; a run of them says that something is
    wrong with all."""
    TOMORROW = "tomorrow"
    """A daily cap, quiet hours, an expired validity: not again before a night has passed."""
    TRANSIENT = "transient"
    """Try again later: spends an attempt if it reached the carrier's network."""
    THROTTLED = "throttled"
    """Known not placed (429): a snooze, spends no attempt."""
    SENDER_HEALTH = "sender_health"
    """The carrier flags our caller ID: rest the number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptEvent:
    """One thing a carrier told us of one attempt."""

    kind: EventKind
    occurred_at: datetime
    provider_id: str | None = None
    answered_by: AnsweredBy | None = None
    duration_seconds: int | None = None
    sip_code: int | None = None
    error_code: int | None = None
    failure: FailureClass | None = None
    remedy: str | None = None
    """What a person has to mend before another attempt can go well, as a sentence."""
    reply: str | None = None
    by_key: bool = False
    """The person pressed a key, rather than spoke."""
    price: str | None = None
    """Decimal text in `price_unit`, positive: what the carrier charges us."""
    price_unit: str | None = None
