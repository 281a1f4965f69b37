"""I5 to I7: concurrency and rates at every instant, calling hours, and silence after a stop."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from tests.faults.evidence import Evidence, Row

AFTER_STOP: Final = timedelta(seconds=1)
"""A pause, a cancel or a suppression takes effect within this."""
_BOUNDARY: Final = 2
"""By the carrier's clock a window may hold so many more than by ours: what left before it and arrived in it."""
_SECOND: Final = timedelta(seconds=1)
_MINUTE: Final = timedelta(minutes=1)


def concurrency_held(evidence: Evidence) -> Iterator[str]:
    """I5: by the carrier's clock no more calls were open at once than campaign, organization and agent allow."""
    owners: dict[tuple[str, int], list[Row]] = defaultdict(list)
    for call in evidence.calls:
        attempt = evidence.attempts.get(call["attempt_id"])
        if attempt is not None:
            for kind in ("campaign", "organization", "agent"):
                owners[kind, attempt[f"{kind}_id"]].append(call)
    limits = {("campaign", row["id"]): row["concurrent_limit"] for row in evidence.campaigns.values()}
    limits |= {("organization", row["id"]): row["outbound_limit"] for row in evidence.organizations}
    limits |= {("agent", row["id"]): row["max_concurrent_calls"] for row in evidence.agents}
    for owner, calls in owners.items():
        allowed, most = limits[owner], _most_at_once(calls, evidence.now)
        if allowed and most > allowed:
            yield f"I5: {owner[0]} {owner[1]}: {most} calls at once, allowed {allowed}"


def rates_held(evidence: Evidence) -> Iterator[str]:
    """I5: no window holds more starts than allowed, by our reservations exactly, by the carrier but for a boundary."""
    for campaign in evidence.campaigns.values():
        sent = [entry["accepted_at"] for entry in evidence.sent_of_campaign.get(campaign["id"], ())]
        reserved = [
            row["reserved_at"] for row in evidence.attempts.values() if row["campaign_id"] == campaign["id"]
        ]
        if campaign["channel"] == "sms":
            limit, window = campaign["messages_per_second"], _SECOND
        else:
            limit, window = campaign["rate_limit_per_minute"], _MINUTE
        yield from _rate_held(f"campaign {campaign['id']}", limit, window, reserved, sent)
    for account in evidence.accounts:
        calls = [
            row
            for row in evidence.attempts.values()
            if row["carrier_account_id"] == account["id"] and row["channel"] == "call"
        ]
        reserved, sent = [row["reserved_at"] for row in calls], [c["accepted_at"] for c in evidence.calls]
        yield from _rate_held("the carrier account", account["calls_per_second"], _SECOND, reserved, sent)


def _rate_held(
    whose: str, limit: int, window: timedelta, reserved: list[datetime], sent: list[datetime]
) -> Iterator[str]:
    if not limit:
        return
    if (most := densest(reserved, window)) > limit:
        yield f"I5: {whose}: {most} reservations within {window.total_seconds():g} s, allowed {limit}"
    if (most := densest(sent, window)) > limit + _BOUNDARY:
        yield f"I5: {whose}: the carrier saw {most} within {window.total_seconds():g} s, allowed {limit}"


def _most_at_once(calls: Iterable[Row], now: datetime) -> int:
    steps = sorted(
        step for call in calls for step in ((call["accepted_at"], 1), (call["ended_at"] or now, -1))
    )
    most = open_now = 0
    for _, step in steps:
        open_now += step
        most = max(most, open_now)
    return most


def densest(moments: Iterable[datetime], window: timedelta) -> int:
    """Return the most moments that lie within any half-open window of that length."""
    ordered = sorted(moments)
    first = most = 0
    for last, moment in enumerate(ordered):
        while moment - ordered[first] >= window:
            first += 1
        most = max(most, last - first + 1)
    return most


def hours_held(evidence: Evidence) -> Iterator[str]:
    """I6: no phone rings outside its campaign's hours, however long the carrier's queue is."""
    for campaign in evidence.campaigns.values():
        start, end = campaign["allowed_start"], campaign["allowed_end"]
        if start is None or end is None or start >= end:
            continue
        for call in evidence.sent_of_campaign.get(campaign["id"], ()):
            rings_at = call["dialed_at"]
            if rings_at is None:
                continue
            local = (rings_at - AFTER_STOP).astimezone(ZoneInfo(campaign["time_zone"]))
            if not start <= local.time() < end:
                yield f"I6: {call['to']} was dialed at {rings_at}, outside {start} to {end}"


def nothing_after_a_stop(evidence: Evidence) -> Iterator[str]:
    """I7: no call within a second's grace after a suppression, a pause or a cancel."""
    closed = {row["number"]: row["created_at"] for row in evidence.suppressions}
    halts = halts_of(evidence)
    for entry in evidence.sent:
        if entry["to"] in closed and entry["accepted_at"] > closed[entry["to"]] + AFTER_STOP:
            yield f"I7: {entry['to']} was contacted after it was suppressed"
        attempt = evidence.attempts.get(entry["attempt_id"])
        for since, until in halts.get(attempt["campaign_id"], ()) if attempt else ():
            if since + AFTER_STOP < entry["accepted_at"] < until:
                yield f"I7: {entry['to']} was contacted while its campaign was halted since {since}"


def halts_of(evidence: Evidence) -> dict[int, list[tuple[datetime, datetime]]]:
    """Return when each campaign was paused or cancelled, from its acknowledgement (if we know it) and until."""
    halts: dict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
    changes: dict[int, list[Row]] = defaultdict(list)
    for row in evidence.campaign_transitions:
        changes[row["campaign_id"]].append(row)
    for campaign_id, rows in changes.items():
        for row, following in pairwise([*rows, {"at": evidence.now}]):
            if row["new"] in {"paused", "cancelled"}:
                known = (at for at in evidence.stops.get(campaign_id, ()) if at >= row["at"])
                halts[campaign_id].append((min(known, default=row["at"]), following["at"]))
    return halts
