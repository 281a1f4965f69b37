"""Compares the witnesses after a fault run: our rows, the carrier's ledger, what was acknowledged, the page.

A violation is a sentence that begins with the invariant it breaks (I1 to I11 of the reliability contract). It is
counted over everything the world ever did, not only the last campaign. I6 (calling hours) is not for these runs:
their carrier's seconds are not the clock's.
"""

import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final
from uuid import UUID

from app.domain.attempt import LIVE, AttemptProgress, apply_event
from app.domain.events import AttemptEvent
from app.domain.recipient import TRANSITIONS, RecipientStatus
from app.providers.registry import configured_account
from app.providers.twilio.urls import Purpose
from app.providers.twilio.webhooks import TwilioWebhooks
from app.services.campaigns.queries import campaign_snapshot
from tests.faults.harness import World

Row = Mapping[str, Any]

AFTER_STOP: Final = timedelta(seconds=1)
"""A pause or cancel takes effect within this."""
RATE_MARGIN: Final = 1.1
"""By the carrier's clock a burst may be this much denser than by our reservations."""

CLOCKS_DIFFER: Final = timedelta(seconds=0.5)
"""A reservation is dated by when its worker began to look, before its locks, and by that worker's clock. That no two
calls to a number overlap is checked exactly, by the carrier's clock alone."""

_CALLBACK: Final = re.compile(r"/status/([0-9a-f-]{36})/")
_OPEN: Final = frozenset({RecipientStatus.PENDING, RecipientStatus.IN_PROGRESS})


@dataclass(frozen=True)
class Evidence:
    """What the witnesses say."""

    calls: Sequence[Row]
    """The carrier's ledger, each with `attempt_id`, and its times as datetimes."""
    attempts: Mapping[UUID, Row]
    recipients: Sequence[Row]
    campaigns: Sequence[Row]
    transitions: Sequence[Row]
    campaign_transitions: Sequence[Row]
    suppressions: Sequence[Row]
    events: Sequence[Row]
    now: datetime


async def violations(world: World) -> list[str]:
    """Return every violation, in words; empty when nobody was lost or called twice and every count agrees."""
    evidence = await _gather(world)
    found = [
        *_one_call_per_attempt(evidence),
        *_everybody_is_somewhere(evidence),
        *_outcomes_agree(evidence),
        *_limits_held(evidence),
        *_nothing_after_a_stop(evidence),
        *_budgets_held(evidence),
        *_one_call_at_a_time(evidence),
        *_histories_chain(evidence),
        *_any_order_is_the_same(evidence, _webhooks_of(world)),
        *_acknowledged_survived(evidence, world),
    ]
    for campaign in evidence.campaigns:
        found += await _page_agrees(world, evidence, campaign)
    return found


async def _gather(world: World) -> Evidence:
    attempts = await world.rows("SELECT * FROM attempt ORDER BY reserved_at")
    return Evidence(
        calls=[_call(entry) for entry in await world.ledger()],
        attempts={row["id"]: row for row in attempts},
        recipients=await world.rows(
            "SELECT r.*, c.number FROM recipient r JOIN contact c ON c.id = r.contact_id"
        ),
        campaigns=await world.rows("SELECT * FROM campaign"),
        transitions=await world.rows("SELECT * FROM recipient_transition ORDER BY recipient_id, id"),
        campaign_transitions=await world.rows("SELECT * FROM campaign_transition ORDER BY campaign_id, id"),
        suppressions=await world.rows("SELECT * FROM suppression WHERE lifted_at IS NULL"),
        events=await world.rows("SELECT * FROM provider_event ORDER BY id"),
        now=world.context.clock.now(),
    )


def _call(entry: Row) -> Row:
    named = _CALLBACK.search(str(entry["parameters"].get("StatusCallback", "")))
    times = ("accepted_at", "dialed_at", "answered_at", "ended_at")
    moments = {name: datetime.fromisoformat(entry[name]) if entry[name] else None for name in times}
    return {**entry, **moments, "attempt_id": UUID(named.group(1)) if named else None}


def _one_call_per_attempt(evidence: Evidence) -> Iterator[str]:
    for call in evidence.calls:
        attempt = evidence.attempts.get(call["attempt_id"])
        if attempt is None:
            yield f"I1: call {call['sid']} to {call['to']} belongs to no attempt"
        elif attempt["provider_id"] != call["sid"]:
            yield f"I1: call {call['sid']} of attempt {attempt['id']} is not the one it is bound to"
        elif attempt["status"] == "not_placed":
            yield f"I1: attempt {attempt['id']} is recorded as not placed, but the carrier called"
    per_attempt = Counter(call["attempt_id"] for call in evidence.calls)
    for attempt_id, times in per_attempt.items():
        if times > 1:
            yield f"I2: attempt {attempt_id} was called {times} times"
    sids = {call["sid"] for call in evidence.calls}
    for attempt in evidence.attempts.values():
        if attempt["provider_id"] is not None and attempt["provider_id"] not in sids:
            yield f"I1: attempt {attempt['id']} is bound to a call the carrier never made"
        if attempt["conflict"]:
            yield f"I1: attempt {attempt['id']} has a second call, or two ends"


def _everybody_is_somewhere(evidence: Evidence) -> Iterator[str]:
    called = {call["to"] for call in evidence.calls}
    spared = {RecipientStatus.SKIPPED, RecipientStatus.CANCELLED}
    for recipient in evidence.recipients:
        if recipient["status"] in _OPEN:
            yield f"I3: contact {recipient['id']} is still {recipient['status']}"
        elif recipient["status"] not in spared and recipient["number"] not in called:
            yield f"I3: contact {recipient['id']} was never called, and is {recipient['status']}"
    for attempt in evidence.attempts.values():
        if attempt["status"] in LIVE:
            yield f"I3: attempt {attempt['id']} is still {attempt['status']}"
        if attempt["deadline_at"] is not None:
            yield f"I3: attempt {attempt['id']} has ended, and is still watched"
    for campaign in evidence.campaigns:
        if campaign["status"] not in {"completed", "cancelled"}:
            yield f"I3: campaign {campaign['id']} is {campaign['status']}"


def _outcomes_agree(evidence: Evidence) -> Iterator[str]:
    for call in evidence.calls:
        attempt = evidence.attempts.get(call["attempt_id"])
        if attempt is None or attempt["provider_id"] != call["sid"]:
            continue
        expected = "completed" if call["status"] == "completed" else "failed"
        if attempt["status"] not in {expected, *LIVE}:
            yield (
                f"I4: the carrier's call {call['sid']} is {call['status']}, its attempt is {attempt['status']}"
            )


def _limits_held(evidence: Evidence) -> Iterator[str]:
    campaign_of = {attempt["id"]: attempt["campaign_id"] for attempt in evidence.attempts.values()}
    calls: dict[int, list[Row]] = defaultdict(list)
    for call in evidence.calls:
        if call["attempt_id"] in campaign_of:
            calls[campaign_of[call["attempt_id"]]].append(call)
    for campaign in evidence.campaigns:
        made = calls[campaign["id"]]
        most = _most_at_once(made, evidence.now)
        if most > campaign["concurrent_limit"]:
            yield f"I5: campaign {campaign['id']}: {most} calls at once, allowed {campaign['concurrent_limit']}"
        rate = campaign["rate_limit_per_minute"]
        reserved = [
            a["reserved_at"] for a in evidence.attempts.values() if a["campaign_id"] == campaign["id"]
        ]
        if rate and (densest := _densest(reserved, timedelta(minutes=1))) > rate:
            yield f"I5: campaign {campaign['id']}: {densest} reservations within a minute, allowed {rate}"
        if (
            rate
            and (densest := _densest([c["accepted_at"] for c in made], timedelta(minutes=1)))
            > rate * RATE_MARGIN
        ):
            yield f"I5: campaign {campaign['id']}: {densest} calls within a minute, allowed {rate}"


def _most_at_once(calls: Iterable[Row], now: datetime) -> int:
    steps = sorted(
        step for call in calls for step in ((call["accepted_at"], 1), (call["ended_at"] or now, -1))
    )
    most = open_now = 0
    for _, step in steps:
        open_now += step
        most = max(most, open_now)
    return most


def _densest(moments: Iterable[datetime], window: timedelta) -> int:
    ordered = sorted(moments)
    first = most = 0
    for last, moment in enumerate(ordered):
        while moment - ordered[first] >= window:
            first += 1
        most = max(most, last - first + 1)
    return most


def _nothing_after_a_stop(evidence: Evidence) -> Iterator[str]:
    closed = {row["number"]: row["created_at"] for row in evidence.suppressions}
    halts = _halts(evidence)
    for call in evidence.calls:
        if call["to"] in closed and call["accepted_at"] > closed[call["to"]]:
            yield f"I7: {call['to']} was called after it was suppressed"
        attempt = evidence.attempts.get(call["attempt_id"])
        for since, until in halts.get(attempt["campaign_id"], ()) if attempt else ():
            if since + AFTER_STOP < call["accepted_at"] < until:
                yield f"I7: {call['to']} was called while its campaign was halted"


def _halts(evidence: Evidence) -> dict[int, list[tuple[datetime, datetime]]]:
    halts: dict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
    changes: dict[int, list[Row]] = defaultdict(list)
    for row in evidence.campaign_transitions:
        changes[row["campaign_id"]].append(row)
    for campaign_id, rows in changes.items():
        for row, following in pairwise([*rows, {"at": evidence.now}]):
            if row["new"] in {"paused", "cancelled"}:
                halts[campaign_id].append((row["at"], following["at"]))
    return halts


def _budgets_held(evidence: Evidence) -> Iterator[str]:
    made: Counter[int] = Counter()
    for attempt in evidence.attempts.values():
        ours_to_blame = attempt["failure"] == "misconfigured" and attempt["answered_at"] is None
        if attempt["status"] != "not_placed" and not ours_to_blame:
            made[attempt["recipient_id"]] += 1
    campaigns = {campaign["id"]: campaign for campaign in evidence.campaigns}
    for recipient in evidence.recipients:
        most = recipient["attempts_allowed"] or campaigns[recipient["campaign_id"]]["max_attempts"]
        if made[recipient["id"]] > most:
            yield f"I8: contact {recipient['id']} had {made[recipient['id']]} attempts, allowed {most}"
        if made[recipient["id"]] != recipient["attempts_made"]:
            yield (
                f"I8: contact {recipient['id']} shows {recipient['attempts_made']} attempts, "
                f"the ledger has {made[recipient['id']]}"
            )


def _one_call_at_a_time(evidence: Evidence) -> Iterator[str]:
    """I9: nobody is called again before the carrier and we know how the call before ended."""
    calls: dict[str, list[Row]] = defaultdict(list)
    for call in evidence.calls:
        calls[call["to"]].append(call)
    for number, made in calls.items():
        for before, after in pairwise(sorted(made, key=lambda call: call["accepted_at"])):
            if before["ended_at"] is None or after["accepted_at"] < before["ended_at"]:
                yield f"I9: {number} was called while another call to it went on"
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


def _histories_chain(evidence: Evidence) -> Iterator[str]:
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


def _webhooks_of(world: World) -> TwilioWebhooks:
    return TwilioWebhooks(configured_account(world.settings))


def _any_order_is_the_same(evidence: Evidence, webhooks: TwilioWebhooks) -> Iterator[str]:
    """I10: applied again in another order, the stored callbacks end where the row stands."""
    stored: dict[UUID, list[AttemptEvent]] = defaultdict(list)
    for row in evidence.events:
        if row["kind"] != "unknown" and row["payload"].get("SequenceNumber"):
            for each in webhooks.parse(Purpose.STATUS, row["payload"], received_at=row["received_at"]):
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


def _acknowledged_survived(evidence: Evidence, world: World) -> Iterator[str]:
    kept = {
        (row["attempt_id"], row["payload"].get("CallSid"), row["payload"].get("CallStatus"))
        for row in evidence.events
    }
    for callback in world.relay.acknowledged:
        if (callback.attempt_id, callback.provider_id, callback.status) not in kept:
            yield f"I11: {callback.status} of call {callback.provider_id} was acknowledged, and is not stored"


async def _page_agrees(world: World, evidence: Evidence, campaign: Row) -> list[str]:
    async with world.context.database.session() as session:
        snapshot = await campaign_snapshot(
            session,
            organization_id=campaign["organization_id"],
            campaign_id=campaign["id"],
            now=evidence.now,
        )
    recounted = Counter(row["status"] for row in evidence.recipients if row["campaign_id"] == campaign["id"])
    ours = {row["id"] for row in evidence.attempts.values() if row["campaign_id"] == campaign["id"]}
    in_ledger = sum(call["attempt_id"] in ours for call in evidence.calls)
    found = []
    if {status.value: count for status, count in snapshot.counts.items() if count} != dict(recounted):
        found.append(f"I4: the page of campaign {campaign['id']} counts other contacts than its rows")
    if not snapshot.conserved or snapshot.total != sum(recounted.values()):
        found.append(f"I3: the statuses of campaign {campaign['id']} do not add up to its total")
    if snapshot.calls_made != in_ledger:
        found.append(
            f"I4: the page of campaign {campaign['id']} shows {snapshot.calls_made} calls, the carrier made {in_ledger}"
        )
    return found
