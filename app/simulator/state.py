"""The carrier's state, all in memory: calls, messages, numbers, and refused requests."""

from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from starlette.datastructures import QueryParams

from app.simulator import wire
from app.simulator.personas import SmsPersona, VoicePersona

LIVE_CALL_STATUSES = frozenset({"queued", "ringing", "in-progress"})


@dataclass(slots=True, eq=False)
class SimulatedCall:
    """One call. `status` is the REST one; dates are real UTC; `duration` is in carrier seconds."""

    sid: str
    ordinal: int
    to: str
    from_: str
    parameters: QueryParams
    persona: VoicePersona
    queue_seconds: float
    created_at: datetime
    updated_at: datetime
    status: str = "queued"
    dialed_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    duration: int | None = None
    price: str | None = None
    answered_by: str | None = None
    sip_code: int | None = None
    direction: str = "outbound-api"
    deleted: bool = False
    callbacks_fired: int = 0
    exchanges: list[dict[str, object]] = field(default_factory=list)
    heard: list[dict[str, str]] = field(default_factory=list)

    @property
    def is_live(self) -> bool:
        """Whether the call has not ended."""
        return self.status in LIVE_CALL_STATUSES


@dataclass(slots=True, eq=False)
class Message:
    """One message that we sent, or that a person sent us (`direction` inbound)."""

    sid: str
    ordinal: int
    to: str
    from_: str | None
    body: str
    direction: str
    parameters: QueryParams
    persona: SmsPersona | None
    status: str
    created_at: datetime
    updated_at: datetime
    messaging_service_sid: str | None = None
    sent_at: datetime | None = None
    error_code: int | None = None
    error_message: str | None = None
    price: str | None = None
    deleted: bool = False


@dataclass(slots=True)
class AccountNumber:
    """A number of the account, and the URLs called for its incoming texts and calls (blank: none)."""

    number: str
    created_at: datetime
    updated_at: datetime
    friendly_name: str = ""
    sms_url: str = ""
    sms_method: str = "POST"
    voice_url: str = ""
    voice_method: str = "POST"
    sms: bool = True
    """Whether it can text; every number can call."""
    flagged: int | None = None
    """The SIP code (603, 607, 608) that networks answer its calls with; its texts are blocked. None: all is well."""

    @property
    def sid(self) -> str:
        """Its PN id, the same at every start."""
        return wire.number_sid(self.number)


@dataclass(frozen=True, slots=True)
class VerifiedCallerId:
    """A verified number that the account does not own: it can call from it, but not text."""

    number: str
    created_at: datetime

    @property
    def sid(self) -> str:
        """Its PN id, the same at every start."""
        return wire.number_sid(self.number)


@dataclass(frozen=True, slots=True)
class RefusedRequest:
    """A create POST that was received and not accepted."""

    at: datetime
    path: str
    status: int
    code: int | None
    why: str
    parameters: dict[str, str | list[str]]


Record = TypeVar("Record", SimulatedCall, Message)


class Shelf(Generic[Record]):
    """Records in the order of acceptance, found by id, by called number, or newest first."""

    def __init__(self) -> None:
        self._records: list[Record] = []
        self._by_sid: dict[str, Record] = {}
        self._by_to: dict[str, list[Record]] = defaultdict(list)

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records)

    def add(self, record: Record) -> None:
        """Add the record. Its ordinal must be the number of records so far."""
        self._records.append(record)
        self._by_sid[record.sid] = record
        self._by_to[record.to].append(record)

    def get(self, sid: str) -> Record | None:
        """Return the record unless it is unknown or deleted."""
        record = self._by_sid.get(sid)
        return None if record is None or record.deleted else record

    def newest_first(self, to: str | None = None) -> Iterator[Record]:
        """Return the records that are not deleted: all, or those to one number."""
        records = self._records if to is None else self._by_to.get(to, [])
        return (record for record in reversed(records) if not record.deleted)


class AccountState:
    """Everything remembered."""

    def __init__(self) -> None:
        self.calls: Shelf[SimulatedCall] = Shelf()
        self.messages: Shelf[Message] = Shelf()
        self.numbers: dict[str, AccountNumber] = {}
        self.verified: dict[str, VerifiedCallerId] = {}
        self.opted_out: set[tuple[str, str]] = set()
        """Pairs (person, owned number): the person texted STOP to it."""
        self.refused: deque[RefusedRequest] = deque(maxlen=50_000)

    def own(self, number: str, now: datetime) -> AccountNumber:
        """Return the owned number; add it to the account first if needed."""
        return self.numbers.setdefault(
            number, AccountNumber(number, now, now, friendly_name=wire.formatted(number))
        )

    def verify(self, number: str, now: datetime) -> VerifiedCallerId:
        """Return the verified caller ID; add it to the account first if needed."""
        return self.verified.setdefault(number, VerifiedCallerId(number, now))


def grouped(parameters: QueryParams) -> dict[str, str | list[str]]:
    """Return form fields as a dict; a repeated field becomes a list."""
    values = {key: parameters.getlist(key) for key in parameters}
    return {key: found[0] if len(found) == 1 else found for key, found in values.items()}
