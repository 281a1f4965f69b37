"""What the Contacts tab shows, worded."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Final

from app.domain.phone import pretty
from app.domain.recipient import RecipientStatus
from app.services.campaigns.eligibility import SKIPPED_AHEAD
from app.services.campaigns.views import BulkResult, RecipientDetail, RecipientRow, TransitionRow
from app.web.listing import ListQuery, id_filter, word_filter
from app.web.pages.campaign.calls.presenter import CallItem, call_item
from app.web.recipient_words import STATUS_WORDS, reason_words
from app.web.words import Moment, counted, moment

_DONE: Final = {"retry": "queued for retry", "skip": "skipped", "remove": "removed"}


@dataclass(frozen=True, slots=True)
class CampaignContactsQuery(ListQuery):
    """The filters, sort and page of the list."""

    status: str = word_filter((*RecipientStatus, SKIPPED_AHEAD))
    run: str = id_filter(narrows=False)
    """The number of the run; without one, the usual."""
    sort: str = "position"

    SORTS: ClassVar[Mapping[str, bool]] = dict.fromkeys(
        ("position", "name", "status", "attempts", "last_attempt", "next"), False
    )

    @property
    def statuses(self) -> tuple[RecipientStatus, ...]:
        """The statuses to filter by; none: no filter."""
        return (RecipientStatus(self.status),) if self.status in set(RecipientStatus) else ()


@dataclass(frozen=True, slots=True)
class Person:
    """A row of the list."""

    id: int = 0
    position: str = ""
    name: str = ""
    number: str = ""
    status: str = ""
    attempts: str = ""
    disposition: str = ""
    last: Moment = field(default_factory=Moment)
    next: Moment = field(default_factory=Moment)
    next_word: str = ""
    why: str = ""
    can_retry: bool = False
    can_skip: bool = False
    can_remove: bool = False


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of the templates, with its value."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class ContactStep:
    """A change of the contact's status."""

    status: str
    reason: str
    at: Moment


@dataclass(frozen=True, slots=True)
class PersonDetail:
    """One contact with its history."""

    person: Person = field(default_factory=Person)
    answer: str = ""
    """Why the contact was contacted, or not."""
    variables: list[Variable] = field(default_factory=list)
    attempts: list[CallItem] = field(default_factory=list)
    steps: list[ContactStep] = field(default_factory=list)


def person(row: RecipientRow, *, zone: str, now: datetime) -> Person:
    """Word a row; times are in the campaign's zone."""
    is_due = row.next_at is not None and row.next_at <= now
    return Person(
        id=row.id,
        position=f"{row.position:,}",
        name=row.name or "No name",
        number=row.pretty,
        status=row.status.value,
        attempts=f"{row.attempts_made} / {row.attempts_allowed}",
        disposition=row.last_disposition.value if row.last_disposition else "",
        last=moment(row.last_attempt_at, zone, now=now),
        next=Moment() if is_due else moment(row.next_at, zone, now=now),
        next_word="Queued" if is_due else "",
        why=row.blocked_why or "",
        can_retry="retry" in row.actions,
        can_skip="skip" in row.actions,
        can_remove="remove" in row.actions,
    )


def person_detail(detail: RecipientDetail, *, zone: str, now: datetime) -> PersonDetail:
    """Word a contact and its story."""
    return PersonDetail(
        person=person(detail.row, zone=zone, now=now),
        answer=_why(detail, zone=zone, now=now),
        variables=[Variable(name, str(value)) for name, value in detail.variables.items()],
        attempts=[call_item(row, zone=zone, now=now) for row in detail.attempts],
        steps=[_step(row, zone=zone, now=now) for row in reversed(detail.transitions)],
    )


def bulk_sentence(action: str, result: BulkResult) -> str:
    """Return "12 contacts skipped. 3 left alone: is being contacted now."."""
    done = f"{counted(result.done, 'contact', 'contacts')} {_DONE[action]}."
    refused = [f"{count:,} left alone: {reason}." for reason, count in result.refused.items()]
    return " ".join([done, *refused])


def _why(detail: RecipientDetail, *, zone: str, now: datetime) -> str:
    row = detail.row
    if row.blocked_why:
        return row.blocked_why
    if row.status is RecipientStatus.PENDING:
        due = row.next_at is not None and row.next_at > now
        at = moment(row.next_at, zone, now=now)
        return f"The next attempt is due on {at.text} {at.zone}." if due else "Queued: waits to be contacted."
    if row.status is RecipientStatus.IN_PROGRESS:
        return f"Is being contacted now at {pretty(row.number)}."
    tries = counted(row.attempts_made, "attempt", "attempts")
    return f"{STATUS_WORDS[row.status]} after {tries}." + (f" {row.why}" if row.why else "")


def _step(row: TransitionRow, *, zone: str, now: datetime) -> ContactStep:
    return ContactStep(status=row.new, reason=reason_words(row.reason), at=moment(row.at, zone, now=now))


@dataclass(frozen=True, slots=True)
class Known:
    """A contact of the address book."""

    id: int
    name: str
    number: str
    suppressed: bool
