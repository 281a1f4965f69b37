"""What a carrier can report about an attempt, in terms that do not depend on the provider."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class EventKind(StrEnum):
    """What happened. Each provider's statuses are mapped to these by a table."""

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
    """A status we do not know: stored, logged, and otherwise ignored."""


class AnsweredBy(StrEnum):
    """Who answered, by answering machine detection."""

    HUMAN = "human"
    MACHINE = "machine"
    FAX = "fax"
    UNKNOWN = "unknown"


class FailureClass(StrEnum):
    """What a carrier's error means for us. Each class leads to one decision; see `outcomes`."""

    BAD_NUMBER = "bad_number"
    """This number can never be reached: no retry."""
    OPTED_OUT = "opted_out"
    """The carrier blocks us because the person opted out: suppress the number."""
    REJECTED = "rejected"
    """The person or their network refused the call."""
    MISCONFIGURED = "misconfigured"
    """Our account, credentials, URLs or sender are wrong: the campaign fails and says what to repair."""
    CONTENT = "content"
    """The carrier refuses this text: the recipient fails, with the reason."""
    UNRECOGNIZED = "unrecognized"
    """Refused with a code that we do not know: the recipient fails. Several in a row trip the circuit breaker."""
    TOMORROW = "tomorrow"
    """A daily cap, quiet hours, an expired validity: retry after a night."""
    TRANSIENT = "transient"
    """Retry later. It counts as an attempt if it reached the carrier's network."""
    THROTTLED = "throttled"
    """Certainly not placed (429): wait and retry. It does not count as an attempt."""
    SENDER_HEALTH = "sender_health"
    """The carrier flags our caller ID: rest the number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptEvent:
    """One report from a carrier about one attempt."""

    kind: EventKind
    occurred_at: datetime
    provider_id: str | None = None
    answered_by: AnsweredBy | None = None
    duration_seconds: int | None = None
    sip_code: int | None = None
    error_code: int | None = None
    failure: FailureClass | None = None
    remedy: str | None = None
    """What a user has to repair before another attempt can succeed, as a sentence."""
    reply: str | None = None
    by_key: bool = False
    """The person pressed a key; otherwise they spoke."""
    price: str | None = None
    """Decimal text in `price_unit`, positive: what the carrier charges us."""
    price_unit: str | None = None
