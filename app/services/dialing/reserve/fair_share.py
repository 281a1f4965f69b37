"""Shares an organization's slots among its campaigns: which of them may dial now, and how many attempts each.

The plan is read without locks; the reservation counts again under locks. So if another dialer is faster, the shares
are less fair for a moment, but no limit is passed.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.campaign import Channel
from app.domain.pacing import MINUTE, MOST_AT_ONCE, Contender, fair_rooms, guarded, neediest_first
from app.models import sql


@dataclass(frozen=True, slots=True)
class Turn:
    """A campaign that may start calls or messages now."""

    campaign_id: int
    most: int
    """Its fair share of the free slots, at most one pass."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The turns of one round."""

    turns: tuple[Turn, ...] = ()
    """The campaign that started least for its weight comes first."""
    next_at: datetime | None = None
    """When a campaign that was left out because of its calls per minute may start one more."""


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
        LIMIT CASE WHEN c.channel = 'sms' THEN CAST(:most AS integer)
                   ELSE least(CAST(:most AS integer), c.concurrent_limit) END) r) due
    WHERE c.status IN {sql.DIALING} AND c.carrier_account_id = :carrier_account_id
      AND o.dialing_stopped_at IS NULL
      AND (c.gate_until IS NULL OR c.gate_until <= :now)
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
    due = (
        await session.execute(_DUE, given | {"now": now, "minute_ago": minute_ago, "most": MOST_AT_ONCE})
    ).all()
    if not due:
        return Plan()
    live = _count_live((await session.execute(_LIVE, given)).all())
    waits = [row.full_since + guarded(MINUTE) for row in due if row.full_since is not None]
    callers = [row for row in due if row.channel != Channel.SMS and row.full_since is None]
    rooms = {row.id: MOST_AT_ONCE for row in due if row.channel == Channel.SMS}
    for _, rows in groupby(callers, key=lambda row: row.organization_id):
        rooms |= _share(list(rows), live)
    turns = tuple(
        Turn(each.campaign_id, min(rooms[each.campaign_id], MOST_AT_ONCE))
        for each in neediest_first([_contender(row, live) for row in due])
        if rooms.get(each.campaign_id)
    )
    return Plan(turns, min(waits, default=None))


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
