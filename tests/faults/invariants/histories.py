"""I9 to I11: one call at a time, histories that chain, any order means the same, what was acknowledged is there."""

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Final
from uuid import UUID

from app.domain.attempt import AttemptProgress, apply_event
from app.domain.events import AttemptEvent
from app.domain.recipient import TRANSITIONS, RecipientStatus
from app.providers.twilio.urls import CallbackPurpose
from app.providers.twilio.webhooks import TwilioWebhooks
from tests.faults.evidence import Evidence, Row

CLOCKS_DIFFER: Final = timedelta(seconds=0.5)
"""A reservation is dated by when its worker began to look, before its locks, and by that worker's clock. That no two
calls to a number overlap is checked exactly, by the carrier's clock alone."""


def one_call_at_a_time(evidence: Evidence) -> Iterator[str]:
    """I9: nobody is called again before the carrier and we know how the call before ended."""
    calls: dict[str, list[Row]] = defaultdict(list)
    for call in evidence.calls:
        calls[call["to"]].append(call)
    for number, made in calls.items():
        for before, after in pairwise(sorted(made, key=lambda call: call["accepted_at"])):
            if before["ended_at"] is None or after["accepted_at"] < before["ended_at"]:
                yield f"I9: {number} was called while another call to it went on"
    yield from _settled_first(evidence)


def _settled_first(evidence: Evidence) -> Iterator[str]:
    per_recipient: dict[int, list[Row]] = defaultdict(list)
    for attempt in evidence.attempts.values():
        per_recipient[attempt["recipient_id"]].append(attempt)
    for recipient_id, attempts in per_recipient.items():
        for earlier, later in pairwise(sorted(attempts, key=lambda attempt: attempt["ordinal"])):
            if earlier["ended_at"] is None or later["reserved_at"] < earlier["ended_at"] - CLOCKS_DIFFER:
                yield (
                    f"I9: contact {recipient_id} was tried again at {later['reserved_at']}, before attempt "
                    f"{earlier['id']} ({earlier['status']}) was settled at {earlier['ended_at']}"
                )


def histories_chain(evidence: Evidence) -> Iterator[str]:
    """I10: each history begins at the beginning, makes no step that is not allowed, and ends where the row is."""
    histories: dict[int, list[Row]] = defaultdict(list)
    for row in evidence.transitions:
        histories[row["recipient_id"]].append(row)
    for recipient in evidence.recipients:
        status = RecipientStatus.PENDING
        for step in histories[recipient["id"]]:
            old, new = RecipientStatus(step["old"]), RecipientStatus(step["new"])
            if old is not status or new not in TRANSITIONS[old]:
                yield f"I10: contact {recipient['id']} went from {status} by {old} to {new}"
            status = new
        if histories[recipient["id"]] and status != recipient["status"]:
            yield f"I10: contact {recipient['id']} is {recipient['status']}, its history says {status}"


def any_order_is_the_same(evidence: Evidence, webhooks: TwilioWebhooks) -> Iterator[str]:
    """I10: applied again in another order, the stored callbacks end where the row stands."""
    stored: dict[UUID, list[AttemptEvent]] = defaultdict(list)
    for row in evidence.events:
        if row["kind"] != "unknown" and row["payload"].get("SequenceNumber"):
            for each in webhooks.parse(
                CallbackPurpose.STATUS, row["payload"], received_at=row["received_at"]
            ):
                stored[row["attempt_id"]].append(each.event)
    chance = random.Random(1)
    for attempt_id, events in stored.items():
        forwards = _applied(events)
        if forwards != _applied(chance.sample(events, len(events))):
            yield f"I10: the callbacks of attempt {attempt_id} mean something else in another order"
        attempt = evidence.attempts[attempt_id]
        if forwards.ended_as is not None and forwards.ended_as != attempt["ended_as"]:
            yield f"I10: attempt {attempt_id} ended as {attempt['ended_as']}, its callbacks say {forwards.ended_as}"


def _applied(events: Iterable[AttemptEvent]) -> AttemptProgress:
    progress = AttemptProgress()
    for event in events:
        progress = apply_event(progress, event)
    return progress


def acknowledged_survived(evidence: Evidence) -> Iterator[str]:
    """I11: every callback that was answered with a 2xx is stored."""
    kept = {(row["attempt_id"], *_said(row["payload"])) for row in evidence.events}
    for callback in evidence.acknowledged:
        if (callback.attempt_id, callback.provider_id, callback.status) not in kept:
            yield f"I11: {callback.status} of {callback.provider_id} was acknowledged, and is not stored"


def _said(payload: Row) -> tuple[str | None, str | None]:
    provider_id = payload.get("CallSid") or payload.get("MessageSid")
    return provider_id, payload.get("CallStatus") or payload.get("MessageStatus")
