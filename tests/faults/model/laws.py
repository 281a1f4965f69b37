"""The laws that hold after every step of the model, I1 to I10, read from the rows and from the carrier's own list."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import text

from app.domain.attempt import ENDED, LIVE
from app.domain.recipient import TRANSITIONS, RecipientStatus
from app.services.dialing.audit.recount import recount
from tests.faults.invariants.accounts import spent_of
from tests.faults.invariants.limits import densest
from tests.faults.model.carrier import ACCEPTS_LATE
from tests.faults.model.world import CLOSES, LIMIT, OPENS, PER_MINUTE, RETRY_MINUTES, ZONE, Broken, Model

Row = Mapping[str, Any]

_QUERIES: Final = {
    "attempts": "SELECT * FROM attempt ORDER BY recipient_id, ordinal",
    "recipients": "SELECT * FROM recipient ORDER BY id",
    "transitions": "SELECT * FROM recipient_transition ORDER BY recipient_id, id",
}


async def check(model: Model) -> None:
    """Raise `Broken` with the first law that does not hold."""
    async with model.stage.database.session() as session:
        rows = {
            name: [dict(row) for row in (await session.execute(text(query))).mappings()]
            for name, query in _QUERIES.items()
        }
    attempts = rows["attempts"]
    for broken in (
        *_one_call_each(model, attempts),
        *_one_at_a_time(model, attempts),
        *_limits(model, attempts),
        *_budgets(attempts, rows["recipients"]),
        *_never_back(model, attempts),
        *_histories(rows["recipients"], rows["transitions"]),
    ):
        raise Broken(broken)
    model.seen = {attempt["id"]: attempt for attempt in attempts}


async def check_rest(model: Model) -> None:
    """Raise `Broken` if, at rest, anybody is not accounted for by the product's own recount."""
    await check(model)
    async with model.stage.database.session() as session:
        found = await recount(session, campaign_id=model.stage.campaign_id, now=model.stage.clock.now())
    if found.problems:
        raise Broken(f"I3: {found.problems}")


def _one_call_each(model: Model, attempts: Sequence[Row]) -> Iterator[str]:
    carrier, by_id = model.carrier, {attempt["id"]: attempt for attempt in attempts}
    for attempt_id, times in Counter(carrier.owners.values()).items():
        if times > 1:
            yield f"I2: attempt {attempt_id} was called {times} times"
    for provider_id, attempt_id in carrier.owners.items():
        attempt = by_id.get(attempt_id)
        if attempt is None:
            yield f"I1: {provider_id} belongs to no attempt"
        elif attempt["status"] == "not_placed":
            yield f"I1: attempt {attempt_id} is not placed, and the carrier called"
        elif attempt["provider_id"] not in {None, provider_id}:
            yield f"I1: attempt {attempt_id} is bound to another call"
    for attempt in attempts:
        if attempt["provider_id"] is not None and attempt["provider_id"] not in carrier.made:
            yield f"I1: attempt {attempt['id']} is bound to a call that was never made"


def _one_at_a_time(model: Model, attempts: Sequence[Row]) -> Iterator[str]:
    for earlier, later in pairwise(attempts):
        if earlier["recipient_id"] == later["recipient_id"] and earlier["status"] in LIVE:
            yield f"I9: contact {later['recipient_id']} is tried again while an attempt is {earlier['status']}"
    carrier = model.carrier
    open_to = Counter(carrier.made[provider_id].to for provider_id in carrier.open_calls)
    for number, calls in open_to.items():
        if calls > 1:
            yield f"I9: {number} has {calls} calls at once"


def _limits(model: Model, attempts: Sequence[Row]) -> Iterator[str]:
    if len(model.carrier.open_calls) > LIMIT:
        yield f"I5: {len(model.carrier.open_calls)} calls at once, allowed {LIMIT}"
    live = sum(attempt["status"] in LIVE for attempt in attempts)
    if live > LIMIT:
        yield f"I5: {live} live attempts, allowed {LIMIT}"
    reserved = [attempt["reserved_at"] for attempt in attempts]
    if (most := densest(reserved, timedelta(minutes=1))) > PER_MINUTE:
        yield f"I5: {most} within a minute, allowed {PER_MINUTE}"
    for remote in model.carrier.made.values():
        # One that the carrier accepted late was asked for so much earlier.
        if not _is_open(remote.created_at) and not _is_open(remote.created_at - ACCEPTS_LATE):
            yield f"I6: {remote.to} was called at {remote.created_at}"


def _is_open(at: datetime) -> bool:
    return OPENS <= at.astimezone(ZoneInfo(ZONE)).hour < CLOSES


def _budgets(attempts: Sequence[Row], recipients: Sequence[Row]) -> Iterator[str]:
    made = Counter(attempt["recipient_id"] for attempt in spent_of(attempts))
    for recipient in recipients:
        allowed = recipient["attempts_allowed"] or 2
        if recipient["attempts_made"] != made[recipient["id"]]:
            yield f"I8: contact {recipient['id']} shows {recipient['attempts_made']}, has {made[recipient['id']]}"
        if made[recipient["id"]] > allowed:
            yield f"I8: contact {recipient['id']} had {made[recipient['id']]} attempts, allowed {allowed}"
        if recipient["attempts_allowed"] is None:
            yield from _gaps([each for each in attempts if each["recipient_id"] == recipient["id"]])


def _gaps(attempts: Sequence[Row]) -> Iterator[str]:
    for earlier, later in pairwise(spent_of(attempts)):
        waited = later["reserved_at"] - (earlier["ended_at"] or later["reserved_at"])
        if waited < timedelta(minutes=RETRY_MINUTES):
            yield f"I8: contact {later['recipient_id']} was tried again after {waited}"


def _never_back(model: Model, attempts: Sequence[Row]) -> Iterator[str]:
    for attempt in attempts:
        before = model.seen.get(attempt["id"])
        if before is None or before["status"] == "not_placed":
            continue
        if before["status"] in ENDED and attempt["status"] not in ENDED:
            yield f"I10: attempt {attempt['id']} was {before['status']}, and is {attempt['status']}"
        if before["answered_at"] is not None and attempt["answered_at"] is None:
            yield f"I10: attempt {attempt['id']} was answered, and is not any more"
    if len(attempts) < len(model.seen):
        yield "I1: an attempt is gone from the ledger"


def _histories(recipients: Sequence[Row], transitions: Sequence[Row]) -> Iterator[str]:
    status = {recipient["id"]: RecipientStatus.PENDING for recipient in recipients}
    for step in transitions:
        old, new = RecipientStatus(step["old"]), RecipientStatus(step["new"])
        if old is not status[step["recipient_id"]] or new not in TRANSITIONS[old]:
            yield f"I10: contact {step['recipient_id']} went from {status[step['recipient_id']]} by {old} to {new}"
        status[step["recipient_id"]] = new
    for recipient in recipients:
        if status[recipient["id"]] != recipient["status"]:
            yield f"I10: contact {recipient['id']} is {recipient['status']}, its history says otherwise"
