"""What the people of a campaign wait for: how many for which reason, and the condition for a list of them.

Reasons about one person are stored with it. Closed calling hours are not: a person waits for them if its place is
closed, and a campaign has a few hundred places at most. So nobody is looked at one by one.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, or_, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.campaign import DIALING, CampaignStatus
from app.domain.gate import Rule
from app.domain.opening import Opening
from app.domain.recipient import RecipientStatus
from app.domain.waiting import STORED_REASONS, SkipReason, WaitReason, zone_to_tell
from app.models import Campaign, Recipient
from app.services.campaigns.views import WaitingCount, WaitingNow
from app.services.places.hours import HoursRules, readable_rules, rules_of_campaign
from app.services.places.openings import (
    WaitingPlace,
    closed_everywhere,
    next_opening,
    waiting_places,
)

REASONS: Final = frozenset({*WaitReason, *SkipReason})
"""The words that `reason_matches` understands."""

COUNTED_FOR: Final = timedelta(seconds=5)
"""How long a count of many people is kept."""

MANY: Final = 50_000
"""From so many waiting people on, they are not counted anew at every look."""

_MOST_KEPT: Final = 200
"""Campaigns whose counts are kept."""

# Who is due in a closed place is counted by the index alone; whose next time is ahead is read for its reason. Everybody
# else who waits is due where the hours are open: those are not counted.
_COUNT: Final = text(
    """
    SELECT place_id, NULL AS reason, count(*) AS people, CAST(NULL AS timestamptz) AS first_at FROM recipient
    WHERE campaign_id = :campaign_id AND status = 'pending' AND not_before <= :now
      AND place_id = ANY(CAST(:closed AS bigint[]))
    GROUP BY place_id
    UNION ALL
    SELECT place_id, coalesce(blocked_by, 'retry'), count(*), min(not_before) FROM recipient
    WHERE campaign_id = :campaign_id AND status = 'pending' AND not_before > :now
    GROUP BY place_id, coalesce(blocked_by, 'retry')
    """
)


@dataclass(frozen=True, slots=True)
class _Later:
    """People of one place whose next time is ahead."""

    place_id: int | None
    people: int
    first_at: datetime


@dataclass(frozen=True, slots=True)
class _WaitingCounted:
    """The waiting people of a campaign, counted at one moment."""

    at: datetime
    shut: frozenset[int]
    """The closed places in which somebody was due."""
    closed: Mapping[int, int]
    """Closed place -> how many are due there."""
    later: Mapping[WaitReason, tuple[_Later, ...]]
    """By reason: for whom the next time is ahead."""


_kept: OrderedDict[int, _WaitingCounted] = OrderedDict()


async def waiting_now(
    session: AsyncSession, campaign: Mapping[Any, Any], *, pending: int, now: datetime
) -> WaitingNow:
    """Return what the waiting people of a campaign wait for. For callers that have checked the right to see it.

    `campaign`: its columns, with those of its organization that `hours_of_organization` names. `pending`: how many
    wait; many are counted no more often than every few seconds.
    """
    rules = readable_rules(campaign)
    places = await waiting_places(session, {campaign["id"]: rules}, now=now) if rules is not None else []
    closed = [each for each in places if each.due_at <= now and not each.is_open(now)]
    counted = await _counted(session, campaign["id"], closed, pending=pending, now=now)
    reasons = [
        *_due(counted, pending),
        *_for_hours(counted, closed, rules, now=now),
        *_later(counted, places),
    ]
    hours = closed_everywhere(rules, places, now=now) if rules is not None else None
    return WaitingNow(
        counts=tuple(sorted(reasons, key=lambda each: list(WaitReason).index(each.reason))),
        next_at=_next_at(campaign, places, now=now),
        first_due_at=min((each.due_at for each in places), default=None),
        hours=hours,
    )


async def _counted(
    session: AsyncSession, campaign_id: int, closed: Sequence[WaitingPlace], *, pending: int, now: datetime
) -> _WaitingCounted:
    kept, shut = _kept.get(campaign_id), {each.place_id for each in closed}
    if kept is not None and pending >= MANY and kept.at <= now < kept.at + COUNTED_FOR and kept.shut == shut:
        return kept
    given = {"campaign_id": campaign_id, "closed": sorted(shut), "now": now}
    rows = (await session.execute(_COUNT, given)).all()
    later: dict[WaitReason, tuple[_Later, ...]] = {}
    for row in rows:
        if row.reason is not None:
            reason = _reason_of(row.reason)
            later[reason] = (*later.get(reason, ()), _Later(row.place_id, row.people, row.first_at))
    people_in = {row.place_id: row.people for row in rows if row.reason is None}
    counted = _WaitingCounted(now, frozenset(shut), people_in, later)
    _kept[campaign_id] = counted
    _kept.move_to_end(campaign_id)
    while len(_kept) > _MOST_KEPT:
        _kept.popitem(last=False)
    return counted


def _reason_of(stored: str) -> WaitReason:
    return WaitReason(stored) if stored in _LATER else WaitReason.RETRY


_LATER: Final = STORED_REASONS | {WaitReason.CALLING_HOURS}
"""Reasons that may stand with a person whose next time is ahead. One that the carrier kept too long waits for hours."""


def _due(counted: _WaitingCounted, pending: int) -> Iterable[WaitingCount]:
    later = sum(each.people for there in counted.later.values() for each in there)
    people = pending - later - sum(counted.closed.values())
    if people > 0:
        yield WaitingCount(reason=WaitReason.DUE, people=people)


def _for_hours(
    counted: _WaitingCounted, closed: Sequence[WaitingPlace], rules: HoursRules | None, *, now: datetime
) -> Iterable[WaitingCount]:
    people = sum(counted.closed.get(each.place_id, 0) for each in closed)
    later = sum(each.people for each in counted.later.get(WaitReason.CALLING_HOURS, ()))
    if not people + later or rules is None:
        return
    opens = [(at, each) for each in closed if (at := each.next_at(now)) is not None]
    if not opens:
        yield WaitingCount(reason=WaitReason.CALLING_HOURS, people=people + later)
        return
    first_at, first = min(opens, key=lambda each: each[0])
    zone, clock = zone_to_tell(first.place, rules.campaign_zone)
    yield WaitingCount(
        reason=WaitReason.CALLING_HOURS,
        people=people + later,
        until=first_at,
        time_zone=zone,
        clock=clock,
        several=later > 0 or len({at for at, _ in opens}) > 1 or len(opens) < len(closed),
    )


def _later(counted: _WaitingCounted, places: Sequence[WaitingPlace]) -> Iterable[WaitingCount]:
    openings = {each.place_id: each.opening for each in places}
    for reason, there in counted.later.items():
        people = sum(each.people for each in there)
        # A time that falls into closed hours is told from the opening on.
        times = [_from(openings.get(each.place_id or 0), each.first_at) for each in there]
        if reason is not WaitReason.CALLING_HOURS:
            yield WaitingCount(reason=reason, people=people, until=min(times), several=people > 1)


def _from(opening: Opening | None, at: datetime) -> datetime:
    opens_at = opening.at(at).opens_at if opening is not None else None
    return max(at, opens_at) if opens_at is not None else at


def _next_at(
    campaign: Mapping[Any, Any], places: Sequence[WaitingPlace], *, now: datetime
) -> datetime | None:
    """Return when somebody can be contacted next; None: at once, or no time is awaited."""
    if campaign["status"] == CampaignStatus.SCHEDULED:
        at: datetime | None = campaign["scheduled_at"]
        return at
    if campaign["status"] not in DIALING or campaign["dialing_stopped_at"] is not None:
        return None
    at = next_opening(places, campaign["id"], now=now)
    gate_until = campaign["gate_until"] if campaign["gate_rule"] != Rule.CALLING_HOURS else None
    times = [each for each in (at, gate_until) if each is not None]
    return max(times) if at is not None and max(times) > now else None


@dataclass(frozen=True, slots=True)
class Because:
    """A filter of a campaign's people: who waits, or was skipped, for a reason at a time."""

    reason: str
    """A `WaitReason` or `SkipReason`; another word filters nothing."""
    at: datetime


async def because_condition(
    session: AsyncSession, campaign: Campaign, because: Because | None
) -> ColumnElement[bool] | None:
    """Return the filter's condition on `recipient`; None if it filters nothing.

    In a campaign that waits as a whole, paused or stopped, people are found by what their own rows and places say.
    """
    if because is None or because.reason not in REASONS:
        return None
    if because.reason in set(SkipReason):
        stored = None if because.reason == SkipReason.CARRIER else because.reason
        skipped = col(Recipient.status) == RecipientStatus.SKIPPED
        return skipped & col(Recipient.blocked_by).is_not_distinct_from(stored)
    waits = col(Recipient.status) == RecipientStatus.PENDING
    return waits & await _waits_for(session, campaign, WaitReason(because.reason), now=because.at)


async def _waits_for(
    session: AsyncSession, campaign: Campaign, reason: WaitReason, *, now: datetime
) -> ColumnElement[bool]:
    is_due, later = col(Recipient.not_before) <= now, col(Recipient.not_before) > now
    place_id, stored = col(Recipient.place_id), col(Recipient.blocked_by)
    match reason:
        case WaitReason.RETRY:
            return later & or_(stored.is_(None), stored.not_in(sorted(_LATER)))
        case WaitReason.DUE:
            closed = await _closed_places(session, campaign, now=now)
            return is_due & or_(place_id.is_(None), place_id.not_in(closed))
        case WaitReason.CALLING_HOURS:
            closed = await _closed_places(session, campaign, now=now)
            return or_(is_due & place_id.in_(closed), later & (stored == reason))
        case _:
            return later & (stored == reason)


async def _closed_places(session: AsyncSession, campaign: Campaign, *, now: datetime) -> list[int]:
    rules = await rules_of_campaign(session, campaign)
    if rules is None:
        return []
    places = await waiting_places(session, {campaign.id: rules}, now=now)
    return [each.place_id for each in places if each.due_at <= now and not each.is_open(now)]
