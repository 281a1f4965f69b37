"""Locks a campaign with everything that limits it, in one fixed order; or only looks at it, for the pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.call_options import CallOptions
from app.domain.campaign import CampaignStatus, Channel, Purpose
from app.domain.number_health import NumberRest
from app.domain.pacing import PacingLimits
from app.domain.pool import DAY, NumberCaps, NumberStarts, NumberStrategy, NumberUse, Pool, number_use
from app.domain.retry import attempts_allowed_in
from app.services.campaigns.safeguard_settings import Safeguards
from app.services.places.hours import HoursRules, hours_of_organization, rules_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A campaign with its limits; from `lock`, locked against every other dialer."""

    campaign_id: int
    organization_id: int
    agent_id: int | None
    carrier_account_id: int
    status: CampaignStatus
    channel: Channel
    updated_at: datetime
    dialing_stopped: bool
    limits: PacingLimits
    attempts_allowed: int
    """Attempts that a recipient has, unless it was given its own."""
    hours: HoursRules
    """What the calling hours are made of, apart from the person's place."""
    purpose: Purpose
    pool: Pool
    """Our numbers that may be shown, and how many calls each may start. Each choice of this pass is counted."""
    retry_other_number: bool
    frequency_cap: int
    frequency_hours: int
    safeguards: Safeguards
    gate_rule: str | None
    gate_until: datetime | None
    gate_why: str | None
    call_options: CallOptions
    language: str
    voice: str


_ACCOUNT: Final = """
    SELECT a.id, a.calls_per_second FROM carrier_account a
    WHERE a.id = (SELECT carrier_account_id FROM campaign WHERE id = :campaign_id)
"""
_ORGANIZATION: Final = """
    SELECT o.id, o.outbound_limit, o.dialing_stopped_at, o.default_phone_number_id, o.frequency_cap,
           o.frequency_cap_hours, o.legal_policy, o.zone_trust, o.blackout_dates
    FROM organization o
    WHERE o.id = (SELECT organization_id FROM campaign WHERE id = :campaign_id)
"""
_AGENT: Final = """
    SELECT g.id, g.max_concurrent_calls, g.default_phone_number_id, g.language, g.voice FROM agent g
    WHERE g.id = (SELECT agent_id FROM campaign WHERE id = :campaign_id)
"""
_CAMPAIGN: Final = "SELECT * FROM campaign WHERE id = :campaign_id"

_LOOKING: Final = tuple(map(text, (_ACCOUNT, _ORGANIZATION, _AGENT, _CAMPAIGN)))
_LOCKING: Final = (
    *(text(f"{read} FOR NO KEY UPDATE") for read in (_ACCOUNT, _ORGANIZATION, _AGENT)),
    # Skip a campaign that another transaction changes: waiting for it would stop the whole account.
    text(f"{_CAMPAIGN} FOR NO KEY UPDATE SKIP LOCKED"),
)

_COUNTED: Final = (
    "a.phone_number_id = n.id AND a.channel = CAST(:channel AS varchar) AND a.status <> 'not_placed'"
)
_POOL: Final = text(
    f"""
    SELECT n.id, n.number, n.daily_cap, n.burst_cap, n.burst_minutes, n.cool_down_minutes,
           n.rest, n.resting_until,
           CASE WHEN n.daily_cap > 0 OR CAST(:by_use AS boolean)
                THEN (SELECT count(*) FROM attempt a WHERE {_COUNTED} AND a.reserved_at > :day_ago)
                ELSE 0 END AS in_a_day,
           CASE WHEN n.daily_cap > 0
                THEN (SELECT a.reserved_at FROM attempt a WHERE {_COUNTED} AND a.reserved_at > :day_ago
                      ORDER BY a.reserved_at DESC OFFSET greatest(n.daily_cap - 1, 0) LIMIT 1) END AS day_full_since,
           CASE WHEN n.burst_cap > 0
                THEN ARRAY(SELECT a.reserved_at FROM attempt a WHERE {_COUNTED} AND a.reserved_at > :day_ago
                           ORDER BY a.reserved_at DESC LIMIT n.burst_cap) END AS newest
    FROM phone_number n
    LEFT JOIN campaign_number pool ON pool.phone_number_id = n.id AND pool.campaign_id = :campaign_id
    WHERE n.organization_id = :organization_id AND n.active
      AND CASE CAST(:channel AS varchar) WHEN 'sms' THEN n.sms ELSE n.voice END
      AND (n.carrier_account_id IS NULL OR n.carrier_account_id = :carrier_account_id)
      AND (pool.campaign_id IS NOT NULL
           OR n.id = CAST(:single AS bigint)
              AND NOT EXISTS (SELECT 1 FROM campaign_number p WHERE p.campaign_id = :campaign_id))
    ORDER BY pool.position, n.id
    """  # noqa: S608 - a constant is put in, nothing a caller gives
)


async def lock(session: AsyncSession, campaign_id: int, *, now: datetime) -> Held | None:
    """Lock carrier account, organization, agent and campaign, in that order, and return what limits the campaign.

    All code takes these locks in this order, so dialers wait for each other and never deadlock. None: the campaign
    is gone or locked, or it has no carrier account.
    """
    return await _read(session, _LOCKING, campaign_id, now=now)


async def look(session: AsyncSession, campaign_id: int, *, now: datetime) -> Held | None:
    """Return what limits the campaign without a lock: for a page, and never to reserve by it.

    None: the campaign is gone, or it has no carrier account.
    """
    return await _read(session, _LOOKING, campaign_id, now=now)


async def _read(
    session: AsyncSession, statements: Sequence[TextClause], campaign_id: int, *, now: datetime
) -> Held | None:
    given = {"campaign_id": campaign_id}
    of_account, of_organization, of_agent, of_campaign = statements
    account = (await session.execute(of_account, given)).one_or_none()
    organization = (await session.execute(of_organization, given)).one_or_none()
    agent = (await session.execute(of_agent, given)).one_or_none()
    campaign = (await session.execute(of_campaign, given)).mappings().one_or_none()
    if account is None or organization is None or campaign is None:
        return None
    single = (
        campaign["phone_number_id"]
        or (agent.default_phone_number_id if agent is not None else None)
        or organization.default_phone_number_id
    )
    pool = await _pool(session, campaign, single=single, carrier_account_id=account.id, now=now)
    return _held(campaign, organization, agent, account, pool)


async def _pool(
    session: AsyncSession,
    campaign: Mapping[Any, Any],
    *,
    single: int | None,
    carrier_account_id: int,
    now: datetime,
) -> Pool:
    strategy = NumberStrategy(campaign["number_strategy"])
    rows = await session.execute(
        _POOL,
        {
            "campaign_id": campaign["id"],
            "organization_id": campaign["organization_id"],
            "channel": campaign["channel"],
            "carrier_account_id": carrier_account_id,
            "single": single,
            "by_use": strategy is NumberStrategy.LEAST_USED,
            "day_ago": now - DAY,
        },
    )
    calls = campaign["channel"] != Channel.SMS
    return Pool(strategy, tuple(_use(row, calls=calls, now=now) for row in rows), campaign["pool_cursor"])


def _use(row: Any, *, calls: bool, now: datetime) -> NumberUse:
    """Return how many calls a number may start. Caps and answer rates limit calls only, not texts."""
    caps = NumberCaps(
        daily=row.daily_cap,
        burst=row.burst_cap,
        burst_window=timedelta(minutes=row.burst_minutes),
        cool_down=timedelta(minutes=row.cool_down_minutes),
    )
    return number_use(
        row.id,
        row.number,
        caps=caps if calls else NumberCaps(),
        starts=NumberStarts(
            in_a_day=row.in_a_day, day_full_since=row.day_full_since, newest=tuple(row.newest or ())
        ),
        now=now,
        resting=row.rest is not None and (calls or row.rest != NumberRest.LOW_ANSWER_RATE),
        resting_until=row.resting_until,
        flagged=row.rest == NumberRest.FLAGGED,
    )


def _held(
    campaign: Mapping[Any, Any],
    organization: Any,
    agent: Any | None,
    account: Any,
    pool: Pool,
) -> Held:
    return Held(
        campaign_id=campaign["id"],
        organization_id=organization.id,
        agent_id=agent.id if agent is not None else None,
        carrier_account_id=account.id,
        status=CampaignStatus(campaign["status"]),
        channel=Channel(campaign["channel"]),
        updated_at=campaign["updated_at"],
        dialing_stopped=organization.dialing_stopped_at is not None,
        limits=_limits(campaign, organization, agent, account),
        attempts_allowed=attempts_allowed_in(campaign),
        hours=rules_of(dict(campaign) | hours_of_organization(organization)),
        purpose=Purpose(campaign["purpose"]),
        pool=pool,
        retry_other_number=campaign["retry_other_number"],
        frequency_cap=organization.frequency_cap,
        frequency_hours=organization.frequency_cap_hours,
        safeguards=Safeguards.of(campaign),
        gate_rule=campaign["gate_rule"],
        gate_until=campaign["gate_until"],
        gate_why=campaign["gate_why"],
        call_options=CallOptions.of(campaign),
        language=agent.language if agent is not None else "",
        voice=agent.voice if agent is not None else "",
    )


def _limits(campaign: Mapping[Any, Any], organization: Any, agent: Any | None, account: Any) -> PacingLimits:
    """Return the limits. Messages are limited per second only: they take no line."""
    own = PacingLimits.of(campaign)
    if campaign["channel"] == Channel.SMS:
        return own
    return replace(
        own,
        organization_concurrency=organization.outbound_limit,
        agent_concurrency=agent.max_concurrent_calls if agent is not None else 0,
        account_per_second=account.calls_per_second,
    )
