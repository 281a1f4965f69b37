"""I1 to I4 and I8: each call is one attempt's, everybody is somewhere, every count agrees, budgets hold."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Final

from app.domain.attempt import LIVE
from app.domain.number_health import UNWANTED
from app.domain.recipient import RecipientStatus
from tests.faults.evidence import Evidence, Row

_OPEN: Final = frozenset({RecipientStatus.PENDING, RecipientStatus.IN_PROGRESS})
_SPARED: Final = frozenset({RecipientStatus.SKIPPED, RecipientStatus.CANCELLED})
_OVER: Final = frozenset({"completed", "cancelled", "draft"})
_CLOCKS_DIFFER: Final = timedelta(seconds=0.5)


def one_call_per_attempt(evidence: Evidence) -> Iterator[str]:
    """I1, I2: the carrier's calls and messages and our attempts are the same ones."""
    for entry in evidence.sent:
        attempt = evidence.attempts.get(entry["attempt_id"])
        if attempt is None:
            yield f"I1: {entry['kind']} {entry['sid']} to {entry['to']} belongs to no attempt"
        elif attempt["provider_id"] != entry["sid"]:
            yield f"I1: {entry['sid']} of attempt {attempt['id']} is not the one it is bound to"
        elif attempt["status"] == "not_placed":
            yield f"I1: attempt {attempt['id']} is recorded as not placed, but the carrier has it"
    per_attempt = Counter(entry["attempt_id"] for entry in evidence.sent)
    for attempt_id, times in per_attempt.items():
        if times > 1:
            yield f"I2: attempt {attempt_id} was made {times} times"
    sids = {entry["sid"] for entry in evidence.sent}
    for attempt in evidence.attempts.values():
        if attempt["provider_id"] is not None and attempt["provider_id"] not in sids:
            yield f"I1: attempt {attempt['id']} is bound to what the carrier never made"
        if attempt["conflict"]:
            yield f"I1: attempt {attempt['id']} has a second call, or two ends"


def everybody_is_somewhere(evidence: Evidence) -> Iterator[str]:
    """I3: nobody is left waiting, and nobody ended without having been contacted."""
    contacted = {entry["to"] for entry in evidence.sent}
    for recipient in evidence.recipients:
        campaign = evidence.campaigns[recipient["campaign_id"]]
        if campaign["status"] == "draft":
            continue
        if recipient["status"] in _OPEN:
            yield f"I3: contact {recipient['id']} is still {recipient['status']}"
        elif recipient["status"] not in _SPARED and recipient["number"] not in contacted:
            yield f"I3: contact {recipient['id']} was never contacted, and is {recipient['status']}"
    for attempt in evidence.attempts.values():
        if attempt["status"] in LIVE:
            yield f"I3: attempt {attempt['id']} is still {attempt['status']}"
        elif attempt["deadline_at"] is not None and attempt["status"] != "sent":
            yield f"I3: attempt {attempt['id']} has ended, and is still watched"
    for campaign in evidence.campaigns.values():
        if campaign["status"] not in _OVER:
            yield f"I3: campaign {campaign['id']} is {campaign['status']}"


def outcomes_agree(evidence: Evidence) -> Iterator[str]:
    """I4: an attempt ended as the carrier says it did."""
    for entry in evidence.sent:
        attempt = evidence.attempts.get(entry["attempt_id"])
        if attempt is None or attempt["provider_id"] != entry["sid"]:
            continue
        if attempt["status"] not in {*_expected(entry), *LIVE}:
            yield f"I4: the carrier's {entry['sid']} is {entry['status']}, its attempt is {attempt['status']}"


def _expected(entry: Row) -> frozenset[str]:
    if entry["kind"] == "call":
        return frozenset({"completed" if entry["status"] == "completed" else "failed"})
    # A report that was lost leaves a message as sent.
    return frozenset({"sent", str(entry["status"])})


def pages_agree(evidence: Evidence) -> Iterator[str]:
    """I3, I4: what the page shows, what the rows say and what the carrier made are the same numbers."""
    for campaign_id, page in evidence.pages.items():
        recounted = Counter(row["status"] for row in evidence.recipients if row["campaign_id"] == campaign_id)
        if {status.value: count for status, count in page.counts.items() if count} != dict(recounted):
            yield f"I4: the page of campaign {campaign_id} counts other contacts than its rows"
        if not page.conserved or page.total != recounted.total():
            yield f"I3: the statuses of campaign {campaign_id} do not add up to its total"
        made = len(evidence.sent_of_campaign.get(campaign_id, ()))
        if page.calls_made != made:
            yield f"I4: the page of campaign {campaign_id} shows {page.calls_made} made, the carrier made {made}"


def budgets_held(evidence: Evidence) -> Iterator[str]:
    """I8: nobody had more attempts than allowed, what was not placed counts for none, and retries waited."""
    made = Counter(attempt["recipient_id"] for attempt in spent_of(evidence.attempts.values()))
    for recipient in evidence.recipients:
        campaign = evidence.campaigns[recipient["campaign_id"]]
        most = recipient["attempts_allowed"] or campaign["max_attempts"]
        spent = made[recipient["id"]]
        if spent > most:
            yield f"I8: contact {recipient['id']} had {spent} attempts, allowed {most}"
        if spent != recipient["attempts_made"]:
            yield (
                f"I8: contact {recipient['id']} shows {recipient['attempts_made']} attempts, "
                f"the ledger has {spent}"
            )
    yield from _retries_waited(evidence)


def spent_of(attempts: Iterable[Row]) -> list[Row]:
    """Return the attempts that count against their recipients' budgets, each recipient's in their order.

    The first that a network turned away because of our number is free; what it says twice is not about the number.
    """
    distrusted: set[int] = set()
    spent = []
    for attempt in sorted(attempts, key=lambda attempt: attempt["ordinal"]):
        recipient_id, for_our_number = attempt["recipient_id"], attempt["failure"] == "sender_health"
        free = for_our_number and attempt["sip_code"] != UNWANTED and recipient_id not in distrusted
        if for_our_number:
            distrusted.add(recipient_id)
        if _is_spent(attempt) and not free:
            spent.append(attempt)
    return spent


def _is_spent(attempt: Row) -> bool:
    if attempt["answered_at"] is not None:
        return True
    ours_to_blame = attempt["failure"] == "misconfigured"
    taken_back = (
        attempt["ended_as"] == "cancelled" and attempt["hang_up_why"] != "" and attempt["ringing_at"] is None
    )
    free = ours_to_blame or taken_back or _was_dropped_at_closing_time(attempt)
    return attempt["status"] != "not_placed" and not free


def _was_dropped_at_closing_time(attempt: Row) -> bool:
    """Tell whether a text waited at the carrier until our hours ended, and was dropped as we had asked."""
    if attempt["failure"] != "tomorrow" or attempt["closes_at"] is None or attempt["ended_at"] is None:
        return False
    undelivered = attempt["disposition"] in {"undelivered", "carrier_error"}
    closed: bool = attempt["ended_at"] >= attempt["closes_at"] - timedelta(seconds=5)
    return attempt["channel"] == "sms" and undelivered and closed


def _retries_waited(evidence: Evidence) -> Iterator[str]:
    spent: dict[int, list[Row]] = defaultdict(list)
    for attempt in spent_of(evidence.attempts.values()):
        spent[attempt["recipient_id"]].append(attempt)
    by_hand = {row["recipient_id"] for row in evidence.transitions if "tried again" in row["reason"]}
    for recipient_id, attempts in spent.items():
        if recipient_id in by_hand:
            continue
        for earlier, later in pairwise(attempts):
            delay = timedelta(minutes=evidence.campaigns[later["campaign_id"]]["retry_delay_minutes"])
            due = (earlier["ended_at"] or later["reserved_at"]) + delay - _CLOCKS_DIFFER
            if later["reserved_at"] < due:
                yield f"I8: contact {recipient_id} was tried again at {later['reserved_at']}, due {due}"
