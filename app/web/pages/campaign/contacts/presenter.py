"""What the Contacts tab shows, worded."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Final

from app.domain.calling_hours import HoursClock
from app.domain.recipient import RecipientStatus
from app.domain.waiting import SkipReason, Told, WaitReason
from app.services.campaigns.eligibility import SKIPPED_AHEAD
from app.services.campaigns.views import BulkResult, RecipientDetail, RecipientRow, TransitionRow
from app.services.campaigns.waiting import Because
from app.services.dialing.explain import Explanation
from app.web.listing import ALL, ListQuery, id_filter, word_filter
from app.web.pages.campaign.calls.presenter import CallItem, call_item
from app.web.recipient_words import RULE_WORDS, reason_words
from app.web.words import CAMPAIGNS_TIME, THEIR_TIME, Moment, counted, moment, there_it_is

_DONE: Final = {"retry": "queued for retry", "skip": "skipped", "remove": "removed"}


@dataclass(frozen=True, slots=True)
class CampaignContactsQuery(ListQuery):
    """The filters, sort and page of the list."""

    status: str = word_filter((*RecipientStatus, SKIPPED_AHEAD))
    run: str = id_filter(narrows=False)
    """The number of the run; without one, the usual."""
    reason: str = word_filter((*WaitReason, *SkipReason))
    sort: str = "position"

    SORTS: ClassVar[Mapping[str, bool]] = dict.fromkeys(
        ("position", "name", "status", "attempts", "last_attempt", "next"), False
    )

    @property
    def statuses(self) -> tuple[RecipientStatus, ...]:
        """The statuses to filter by; none: no filter."""
        return (RecipientStatus(self.status),) if self.status in set(RecipientStatus) else ()

    def because(self, now: datetime) -> Because | None:
        """Return the reason to filter by; None: no filter."""
        return Because(self.reason, now) if self.reason != ALL else None


@dataclass(frozen=True, slots=True)
class Person:
    """A row of the list."""

    id: int = 0
    position: str = ""
    name: str = ""
    number: str = ""
    there: str = ""
    """What time it is where they are."""
    status: str = ""
    attempts: str = ""
    disposition: str = ""
    last: Moment = field(default_factory=Moment)
    next: Moment = field(default_factory=Moment)
    next_word: str = ""
    why: str = ""
    """Why they are contacted now or not, shortly."""
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
    contact_id: int = 0
    answer: str = ""
    """Why the contact is contacted, or not, in whole sentences."""
    rule: str = ""
    """The rule that says so, in words."""
    until: str = ""
    hold: str = ""
    """Until when no campaign may contact them; empty: there is no hold."""
    variables: list[Variable] = field(default_factory=list)
    attempts: list[CallItem] = field(default_factory=list)
    steps: list[ContactStep] = field(default_factory=list)


def person(
    row: RecipientRow, why: Explanation | None, *, zone: str, now: datetime, ahead: str | None = None
) -> Person:
    """Word a row; times are in the campaign's zone. `ahead`: why they will be skipped once the campaign dials."""
    until = why.told.until if why is not None and why.is_waiting else None
    next_at = max(row.next_at, until or row.next_at) if row.next_at is not None else None
    is_due = next_at is not None and next_at <= now
    # Closed hours without a time never open.
    never = why is not None and why.told.rule == WaitReason.CALLING_HOURS and until is None
    return Person(
        id=row.id,
        position=f"{row.position:,}",
        name=row.name or "No name",
        number=row.pretty,
        there=there_it_is(why.place_zones if why is not None else (), now=now),
        status=row.status.value,
        attempts=f"{row.attempts_made} / {row.attempts_allowed}",
        disposition=row.last_disposition.value if row.last_disposition else "",
        last=moment(row.last_attempt_at, zone, now=now),
        next=Moment() if is_due else moment(next_at, zone, now=now),
        next_word="Queued" if is_due and not never else "",
        why=ahead or (why.told.short if why is not None else ""),
        can_retry="retry" in row.actions,
        can_skip="skip" in row.actions,
        can_remove="remove" in row.actions,
    )


def person_detail(
    detail: RecipientDetail, why: Explanation | None, *, hold: str, zone: str, now: datetime
) -> PersonDetail:
    """Word a contact and its story. `hold`: until when no campaign may contact them, as a sentence."""
    told = why.told if why is not None else None
    return PersonDetail(
        person=person(detail.row, why, zone=zone, now=now),
        contact_id=detail.row.contact_id,
        answer=_answer(detail, told, hold),
        rule=RULE_WORDS.get(told.rule, "") if told is not None else "",
        until=_until(why, now=now),
        hold=hold,
        variables=[Variable(name, str(value)) for name, value in detail.variables.items()],
        attempts=[call_item(row, zone=zone, now=now) for row in detail.attempts],
        steps=[_step(row, zone=zone, now=now) for row in reversed(detail.transitions)],
    )


def bulk_sentence(action: str, result: BulkResult) -> str:
    """Return "12 contacts skipped. 3 left alone: is being contacted now."."""
    done = f"{counted(result.done, 'contact', 'contacts')} {_DONE[action]}."
    refused = [f"{count:,} left alone: {reason}." for reason, count in result.refused.items()]
    return " ".join([done, *refused])


def _answer(detail: RecipientDetail, told: Told | None, hold: str) -> str:
    """Return why, in whole sentences. A hold is said once, with whose time it is."""
    if told is None:
        return detail.row.why
    return hold if hold and told.rule == WaitReason.HOLD else told.why


def _until(why: Explanation | None, *, now: datetime) -> str:
    if why is None or why.told.until is None:
        return ""
    whose = THEIR_TIME if why.clock is HoursClock.CONTACT else CAMPAIGNS_TIME
    at = moment(why.told.until, why.zone, now=now)
    return f"{at.text} {at.zone}, {whose}"


def _step(row: TransitionRow, *, zone: str, now: datetime) -> ContactStep:
    return ContactStep(status=row.new, reason=reason_words(row.reason), at=moment(row.at, zone, now=now))


@dataclass(frozen=True, slots=True)
class Known:
    """A contact of the address book."""

    id: int
    name: str
    number: str
    suppressed: bool
