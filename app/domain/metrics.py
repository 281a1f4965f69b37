"""The metrics of every page and API, each defined once. Rates are percent with one decimal."""

from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields
from decimal import Decimal
from typing import Final, Self

from app.domain.attempt import Disposition
from app.domain.campaign import NOT_BEGUN, CampaignStatus
from app.domain.recipient import ENDED, RecipientStatus


class NotConserved(ValueError):
    """The counts by status do not add up to the total: a recipient was lost or counted twice."""

    def __init__(self, total: int, counted: int) -> None:
        super().__init__(f"{total} recipients, but {counted} by status")
        self.total, self.counted = total, counted


def percent(part: int, whole: int) -> float:
    """Return the share in percent, rounded half up to one decimal; 0 if `whole` is 0."""
    return (2_000 * part + whole) // (2 * whole) / 10 if whole else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The roll-up of seed `000`: four groups whose sum is the total."""

    total_contacts: int
    completed: int
    failed: int
    pending: int
    processing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GuideStats:
    """The roll-up of seed `003`: six groups whose sum is the total, and the progress bar."""

    total: int
    pending: int
    calling: int
    completed: int
    failed: int
    no_answer: int
    voicemail: int

    @property
    def progress(self) -> int:
        """The share of completed and failed, in whole percent, rounded down."""
        return 100 * (self.completed + self.failed) // self.total if self.total else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusCounts:
    """How many recipients are in each status."""

    pending: int = 0
    in_progress: int = 0
    completed: int = 0
    failed: int = 0
    no_answer: int = 0
    busy: int = 0
    voicemail: int = 0
    skipped: int = 0
    cancelled: int = 0

    @classmethod
    def of(cls, counts: Mapping[RecipientStatus, int]) -> Self:
        """Return the counts from a `GROUP BY status`; a status without a row counts 0."""
        return cls(**{field.name: counts.get(RecipientStatus(field.name), 0) for field in fields(cls)})

    def __add__(self, other: Self) -> Self:
        """Return the sums of both counts."""
        pairs = zip(fields(self), astuple(self), astuple(other), strict=True)
        return type(self)(**{field.name: mine + theirs for field, mine, theirs in pairs})

    def count(self, status: RecipientStatus) -> int:
        """Return how many are in that status."""
        counts: int = getattr(self, status.value)
        return counts

    @property
    def total(self) -> int:
        """All recipients."""
        return sum(astuple(self))

    @property
    def ended(self) -> int:
        """Recipients that have reached a final status."""
        return self.total - self.pending - self.in_progress

    def check(self, total: int) -> None:
        """Raise `NotConserved` unless the statuses add up to the total."""
        if self.total != total:
            raise NotConserved(total, self.total)

    def progress(self) -> Progress:
        """Return the roll-up of seed `000`."""
        return Progress(
            total_contacts=self.total,
            completed=self.completed + self.voicemail,
            failed=self.failed + self.no_answer + self.busy + self.skipped + self.cancelled,
            pending=self.pending,
            processing=self.in_progress,
        )

    def guide(self) -> GuideStats:
        """Return the roll-up of seed `003`."""
        return GuideStats(
            total=self.total,
            pending=self.pending,
            calling=self.in_progress,
            completed=self.completed,
            failed=self.failed + self.skipped + self.cancelled,
            no_answer=self.no_answer + self.busy,
            voicemail=self.voicemail,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignStanding:
    """The progress of a campaign, as the list, the Overview and the API show it."""

    total: int
    """All its recipients."""
    processed: int
    """Recipients with a final outcome, or skipped.

    Not counted: recipients that the cancellation of the campaign ended. Before the start it is 0: some may be skipped
    already, but no work has been done.
    """
    cancelled: int
    """Recipients that the cancellation ended before they were processed."""
    reached: int
    """Completed recipients: they answered a call, or the message was sent."""

    @property
    def completion_rate(self) -> float:
        """The share of processed recipients, in percent."""
        return percent(self.processed, self.total)


def standing(counts: StatusCounts, campaign: CampaignStatus) -> CampaignStanding:
    """Return the progress of a campaign in that status."""
    return CampaignStanding(
        total=counts.total,
        processed=counts.ended - counts.cancelled if campaign not in NOT_BEGUN else 0,
        cancelled=counts.cancelled,
        reached=counts.completed,
    )


PROCESSED: Final = ENDED - {RecipientStatus.CANCELLED}
"""The statuses of processed recipients, once the campaign has started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCounts:
    """The outcomes of calls. A call that was certainly not placed does not count."""

    made: int = 0
    finished: int = 0
    answered: int = 0
    voicemail: int = 0
    talk_seconds: int = 0
    """The sum of the durations of answered calls."""

    @classmethod
    def of(
        cls,
        dispositions: Mapping[Disposition, int],
        *,
        live: int = 0,
        opted_out_on_call: int = 0,
        talk_seconds: int = 0,
    ) -> Self:
        """Return the counts from a `GROUP BY disposition` over placed calls; `live` calls have no disposition yet.

        `opted_out_on_call`: calls in which a person answered and opted out. They count as answered.
        """
        finished = sum(dispositions.values())
        return cls(
            made=finished + live,
            finished=finished,
            answered=dispositions.get(Disposition.ANSWERED, 0) + opted_out_on_call,
            voicemail=dispositions.get(Disposition.VOICEMAIL, 0),
            talk_seconds=talk_seconds,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """The measures of a campaign, or of several together."""

    completion_rate: float
    """Processed recipients among all; see `CampaignStanding`."""
    success_rate: float
    """Completed recipients among those that ended with at least one attempt."""
    answer_rate: float
    """Calls answered by a person or a machine, among all made."""
    human_answer_rate: float
    """Calls answered by a person, among all made."""
    call_success_rate: float
    """Calls answered by a person, among the finished ones: the card on the campaigns page."""
    average_duration: float
    """Seconds, over answered calls."""


def measure(
    statuses: StatusCounts, calls: CallCounts, *, ended_attempted: int, campaign: CampaignStatus
) -> Metrics:
    """Return every rate. `ended_attempted` counts the ended recipients with at least one attempt."""
    return Metrics(
        completion_rate=standing(statuses, campaign).completion_rate,
        success_rate=percent(statuses.completed, ended_attempted),
        answer_rate=percent(calls.answered + calls.voicemail, calls.made),
        human_answer_rate=percent(calls.answered, calls.made),
        call_success_rate=percent(calls.answered, calls.finished),
        average_duration=round(calls.talk_seconds / calls.answered, 1) if calls.answered else 0.0,
    )


@dataclass(frozen=True, slots=True)
class Cost:
    """What calls and messages cost, in `unit` (ISO 4217, None when nothing cost anything)."""

    amount: Decimal
    unit: str | None
    estimated: bool
    """Part of it is our estimate: the carrier has not reported all prices yet."""
    known: Decimal
    """The part that the carrier has reported."""


def total_cost(*, priced: Decimal, unpriced_estimate: Decimal, unit: str | None) -> Cost:
    """Return the sum of the carrier's prices and of our estimate for what has no price yet."""
    return Cost(priced + unpriced_estimate, unit, estimated=unpriced_estimate > 0, known=priced)


def unit_price(*, priced: Decimal, quantity: int, list_price: Decimal) -> Decimal:
    """Return the average price of a minute or message by the carrier's reports; the list price if there are none."""
    return priced / quantity if quantity else list_price
