"""Shares an organization's slots among its campaigns: which of them may dial now, and how many attempts each.

The plan is read without locks; the reservation counts again under locks. So if another dialer is faster, the shares
are less fair for a moment, but no limit is passed.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.campaign import Channel
from app.domain.gate import Rule
from app.domain.pacing import MINUTE, MOST_AT_ONCE, Contender, fair_rooms, guarded, neediest_first
from app.models import sql
from app.services.places.hours import RULES, readable_rules
from app.services.places.openings import WaitingPlace, WaitingPlaces, next_opening, waiting_places


@dataclass(frozen=True, slots=True)
class Turn:
    """A campaign that may start calls or messages now."""

    campaign_id: int
    most: int
    """Its fair share of the free slots, at most one pass."""
    waiting: WaitingPlaces | None = None
    """Where its people wait, as read for the plan."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The turns of one round."""

    turns: tuple[Turn, ...] = ()
    """The campaign that started least for its weight comes first."""
    next_at: datetime | None = None
    """When a campaign that was left out because of its calls per minute may start one more."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Where people are due."""

    open: tuple[WaitingPlace, ...]
    """The places where the calling hours are open."""
    by_campaign: Mapping[int, WaitingPlaces]
    to_look_at: tuple[int, ...]
    """Campaigns to look at under lock, though no one can be contacted: to store that they wait for calling hours, to
    find out where people are, or because their hours cannot be read."""


_DIALING: Final = text(
    f"""
    SELECT c.gate_rule, c.gate_until, {RULES},
           EXISTS (SELECT 1 FROM recipient r
                   WHERE r.campaign_id = c.id AND r.status = 'pending' AND r.place_id IS NULL) AS unresolved
    FROM campaign c JOIN organization o ON o.id = c.organization_id
    WHERE c.status IN {sql.DIALING} AND c.carrier_account_id = :carrier_account_id
      AND o.dialing_stopped_at IS NULL
    ORDER BY c.id
    """  # noqa: S608 - constants are put in, nothing a caller gives
)
_DUE: Final = text(
    f"""
    SELECT c.id, c.organization_id, c.channel, c.weight, c.concurrent_limit, o.outbound_limit, c.gate_rule,
           c.agent_id, g.max_concurrent_calls AS agent_limit, due.people,
           (SELECT count(*) FROM (SELECT 1 FROM attempt a
                                  WHERE a.campaign_id = c.id AND a.reserved_at > :minute_ago
                                  LIMIT 1000) recent) AS recent,
           CASE WHEN c.rate_limit_per_minute > 0 AND c.channel <> 'sms' THEN
               (SELECT a.reserved_at FROM attempt a WHERE a.campaign_id = c.id AND a.reserved_at > :minute_ago
                ORDER BY a.reserved_at DESC OFFSET greatest(c.rate_limit_per_minute - 1, 0) LIMIT 1)
               END AS full_since
    FROM campaign c
    JOIN organization o ON o.id = c.organization_id
    LEFT JOIN agent g ON g.id = c.agent_id
    CROSS JOIN LATERAL (SELECT count(*) AS people FROM (
        SELECT 1 FROM recipient r
        WHERE r.campaign_id = c.id AND r.status = 'pending' AND r.not_before <= :now
          AND r.place_id = ANY(ARRAY(
              SELECT open.place_id
              FROM unnest(CAST(:campaigns AS bigint[]), CAST(:places AS bigint[])) AS open (campaign_id, place_id)
              WHERE open.campaign_id = c.id))
        LIMIT CASE WHEN c.channel = 'sms' THEN CAST(:most AS integer)
                   ELSE least(CAST(:most AS integer), c.concurrent_limit) END) r) due
    WHERE c.status IN {sql.DIALING} AND c.carrier_account_id = :carrier_account_id
      AND o.dialing_stopped_at IS NULL
      -- Calling hours are looked at anew: people in another place may have been added.
      AND (c.gate_until IS NULL OR c.gate_until <= :now OR c.gate_rule = 'calling_hours')
      AND due.people > 0
    ORDER BY c.organization_id, c.id
    """  # noqa: S608 - a constant is put in, nothing a caller gives
)
_LIVE: Final = text(
    f"""
    SELECT a.organization_id, a.campaign_id, a.agent_id, a.channel, count(*) AS live FROM attempt a
    WHERE a.status IN {sql.LIVE}
      AND a.carrier_account_id = :carrier_account_id
    GROUP BY a.organization_id, a.campaign_id, a.agent_id, a.channel
    """  # noqa: S608 - a constant is put in, nothing a caller gives
)


@dataclass(frozen=True, slots=True)
class _Live:
    """Live attempts on the account. For campaigns all of them, for organizations and agents only the calls."""

    campaigns: Counter[int]
    organizations: Counter[int]
    agents: Counter[int]


async def plan(session: AsyncSession, *, carrier_account_id: int, now: datetime) -> Plan:
    """Return the account's campaigns that may dial now, with a share for each, by the rules that need no lock."""
    given = {"carrier_account_id": carrier_account_id}
    minute_ago = now - guarded(MINUTE)
    waiting = await _waiting(session, given, now=now)
    looks = tuple(
        Turn(campaign_id, 1, waiting.by_campaign.get(campaign_id)) for campaign_id in waiting.to_look_at
    )
    looked_for = {
        "now": now,
        "minute_ago": minute_ago,
        "most": MOST_AT_ONCE,
        "campaigns": [each.campaign_id for each in waiting.open],
        "places": [each.place_id for each in waiting.open],
    }
    due = (await session.execute(_DUE, given | looked_for)).all() if waiting.open else []
    if not due:
        return Plan(looks)
    live = _count_live((await session.execute(_LIVE, given)).all())
    waits = [row.full_since + guarded(MINUTE) for row in due if row.full_since is not None]
    callers = [row for row in due if row.channel != Channel.SMS and row.full_since is None]
    rooms = {row.id: MOST_AT_ONCE for row in due if row.channel == Channel.SMS}
    for _, rows in groupby(callers, key=lambda row: row.organization_id):
        rooms |= _share(list(rows), live)
    turns = tuple(
        Turn(
            each.campaign_id,
            min(rooms[each.campaign_id], MOST_AT_ONCE),
            waiting.by_campaign.get(each.campaign_id),
        )
        for each in neediest_first([_contender(row, live) for row in due])
        if rooms.get(each.campaign_id)
    )
    dialed = {turn.campaign_id for turn in turns}
    others = tuple(turn for turn in looks if turn.campaign_id not in dialed)
    return Plan(turns + others, min(waits, default=None))


async def _waiting(session: AsyncSession, given: Mapping[str, Any], *, now: datetime) -> _Waiting:
    """Read who waits where, and look at the calling hours there."""
    dialing = {row["campaign_id"]: row for row in (await session.execute(_DIALING, given)).mappings()}
    rules = {
        campaign_id: found
        for campaign_id, row in dialing.items()
        if (found := readable_rules(row)) is not None
    }
    places = await waiting_places(session, rules, now=now)
    due = [each for each in places if each.due_at <= now]
    open_places = tuple(each for each in due if each.is_open(now))
    closed = {each.campaign_id for each in due} - {each.campaign_id for each in open_places}
    untold = {
        campaign_id
        for campaign_id in closed
        if dialing[campaign_id]["gate_rule"] != Rule.CALLING_HOURS
        or dialing[campaign_id]["gate_until"] != next_opening(places, campaign_id, now=now)
    }
    unresolved = {campaign_id for campaign_id, row in dialing.items() if row["unresolved"]}
    by_campaign: dict[int, list[WaitingPlace]] = {campaign_id: [] for campaign_id in rules}
    for each in places:
        by_campaign[each.campaign_id].append(each)
    return _Waiting(
        open_places,
        {
            campaign_id: WaitingPlaces(tuple(found), campaign_id in unresolved)
            for campaign_id, found in by_campaign.items()
        },
        tuple(sorted(untold | unresolved | (dialing.keys() - rules.keys()))),
    )


def _count_live(rows: Iterable[Row[Any]]) -> _Live:
    live = _Live(Counter(), Counter(), Counter())
    for row in rows:
        live.campaigns[row.campaign_id] += row.live
        if row.channel != Channel.SMS:
            live.organizations[row.organization_id] += row.live
            live.agents[row.agent_id] += row.live
    return live


def _share(rows: list[Row[Any]], live: _Live) -> dict[int, int]:
    """Return how many slots each may use. The organization's campaigns that are not due keep theirs."""
    contenders = _within_agents(rows, live)
    others = live.organizations[rows[0].organization_id] - sum(each.live for each in contenders)
    return fair_rooms(max(0, rows[0].outbound_limit - others), contenders)


def _within_agents(rows: list[Row[Any]], live: _Live) -> list[Contender]:
    """Return the contenders. None wants more than its share of its agent's limit, so no slot is kept in vain."""
    contenders = [_contender(row, live) for row in rows]
    of_agents: dict[int, list[Contender]] = {}
    for row, contender in zip(rows, contenders, strict=True):
        if row.agent_limit:
            of_agents.setdefault(row.agent_id, []).append(contender)
    limits = {row.agent_id: row.agent_limit for row in rows}
    rooms: dict[int, int] = {}
    for agent_id, group in of_agents.items():
        others = live.agents[agent_id] - sum(each.live for each in group)
        rooms |= fair_rooms(max(0, limits[agent_id] - others), group)
    return [replace(each, wanting=rooms.get(each.campaign_id, each.wanting)) for each in contenders]


def _contender(row: Row[Any], live: _Live) -> Contender:
    now_live = live.campaigns[row.id]
    free = [row.people, row.concurrent_limit - now_live]
    # A campaign that a rule held last time is asked again, with one slot: the others go to other campaigns.
    free += [1] if row.gate_rule is not None else []
    return Contender(
        campaign_id=row.id,
        weight=row.weight,
        live=now_live,
        wanting=max(0, min(free)),
        recent=row.recent,
    )
