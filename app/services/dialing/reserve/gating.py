"""The gate's facts, read under lock in one fixed order, and what its verdicts do to campaigns and recipients."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.calling_hours import CallingHours
from app.domain.campaign import CampaignStatus, Channel
from app.domain.consent import REFUSED_BECAUSE, Consent
from app.domain.gate import Blocked, GateFacts, Rule, Verdict, decide
from app.domain.number_health import NumberRest
from app.domain.pacing import (
    ANSWERED_WITHIN,
    SECOND,
    PacingCounts,
    PacingLimits,
    guarded,
    left_out,
    seen_by_carrier,
)
from app.domain.pool import DAY, NumberCaps, NumberStarts, NumberStrategy, NumberUse, Pool, number_use
from app.domain.recipient import RecipientStatus
from app.domain.suppression import scope_of
from app.models import sql
from app.runtime.live_feed import announce
from app.services.campaigns.transitions import run_by_system
from app.services.dialing.reserve.safeguard_settings import Guards
from app.services.recipients.gate_facts import STANDING_SUPPRESSION

_EVERY_DAY: Final = frozenset(range(1, 8))
_MIDNIGHT: Final = time(0, 0)
LATE_FORGIVEN: Final = timedelta(milliseconds=15)
"""A request that left no later than this after its date counts from its date: the guard margin covers it."""

_LATEST_START: Final = timedelta(seconds=5)
"""A request that left later than this after its date was given up, or is dated by when it was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A campaign with what limits it, locked against every other dialer."""

    campaign_id: int
    organization_id: int
    agent_id: int | None
    carrier_account_id: int
    status: CampaignStatus
    channel: Channel
    updated_at: datetime
    dialing_stopped: bool
    limits: PacingLimits
    max_attempts: int
    hours: CallingHours
    zone_name: str
    pool: Pool
    """Our numbers that may be shown, and how much each may call; in one pass the choices count."""
    retry_other_number: bool
    frequency_cap: int
    frequency_hours: int
    guards: Guards
    gate_rule: str | None
    gate_until: datetime | None
    gate_why: str | None
    ring_timeout_seconds: int
    time_limit_seconds: int
    detect_machine: bool
    language: str
    voice: str


_ACCOUNT: Final = text(
    """
    SELECT a.id, a.calls_per_second FROM carrier_account a
    WHERE a.id = (SELECT carrier_account_id FROM campaign WHERE id = :campaign_id)
    FOR NO KEY UPDATE
    """
)
_ORGANIZATION: Final = text(
    """
    SELECT o.id, o.outbound_limit, o.dialing_stopped_at, o.default_phone_number_id, o.frequency_cap,
           o.frequency_cap_hours
    FROM organization o
    WHERE o.id = (SELECT organization_id FROM campaign WHERE id = :campaign_id)
    FOR NO KEY UPDATE
    """
)
_AGENT: Final = text(
    """
    SELECT g.id, g.max_concurrent_calls, g.default_phone_number_id, g.language, g.voice FROM agent g
    WHERE g.id = (SELECT agent_id FROM campaign WHERE id = :campaign_id)
    FOR NO KEY UPDATE
    """
)
# A campaign that is being cancelled or filled is passed by: waiting for it would hold up the whole account.
_CAMPAIGN: Final = text("SELECT * FROM campaign WHERE id = :campaign_id FOR NO KEY UPDATE SKIP LOCKED")
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

    Everyone takes these locks in this order, so dialers wait for each other and never deadlock. None: the campaign
    is gone, or no carrier was ever chosen for it.
    """
    given = {"campaign_id": campaign_id}
    account = (await session.execute(_ACCOUNT, given)).one_or_none()
    organization = (await session.execute(_ORGANIZATION, given)).one_or_none()
    agent = (await session.execute(_AGENT, given)).one_or_none()
    campaign = (await session.execute(_CAMPAIGN, given)).mappings().one_or_none()
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
    """Return how much a number may start. Caps and answer rates are a caller ID's: they hold no text back."""
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
        max_attempts=campaign["max_attempts"],
        hours=_hours(campaign),
        zone_name=campaign["time_zone"],
        pool=pool,
        retry_other_number=campaign["retry_other_number"],
        frequency_cap=organization.frequency_cap,
        frequency_hours=organization.frequency_cap_hours,
        guards=Guards.of(campaign),
        gate_rule=campaign["gate_rule"],
        gate_until=campaign["gate_until"],
        gate_why=campaign["gate_why"],
        ring_timeout_seconds=campaign["ring_timeout_seconds"],
        time_limit_seconds=campaign["time_limit_seconds"],
        detect_machine=campaign["enable_voicemail_detection"],
        language=agent.language if agent is not None else "",
        voice=agent.voice if agent is not None else "",
    )


def _limits(campaign: Mapping[Any, Any], organization: Any, agent: Any | None, account: Any) -> PacingLimits:
    """Return the limits. A message holds no line: it is paced per second, and counted against nothing else."""
    if campaign["channel"] == Channel.SMS:
        return PacingLimits(
            campaign_concurrency=0,
            organization_concurrency=0,
            messages_per_second=campaign["messages_per_second"],
        )
    return PacingLimits(
        campaign_concurrency=campaign["concurrent_limit"],
        organization_concurrency=organization.outbound_limit,
        agent_concurrency=agent.max_concurrent_calls if agent is not None else 0,
        calls_per_minute=campaign["rate_limit_per_minute"],
        throttle_delay_ms=campaign["throttle_delay_ms"],
        account_per_second=account.calls_per_second,
    )


def _hours(campaign: Mapping[Any, Any]) -> CallingHours:
    return CallingHours(
        start=campaign["allowed_start"] or _MIDNIGHT,
        end=campaign["allowed_end"] or _MIDNIGHT,
        days=frozenset(map(int, campaign["allowed_days"])) or _EVERY_DAY,
    )


_OURS: Final = "carrier_account_id = :carrier_account_id"
"""What an account used before may still have going on takes no slot of this one."""
# What left later than it was dated counts from then: the next one keeps its distance from that.
_STARTED_AT: Final = (
    "greatest(reserved_at, least(coalesce(placed_at, reserved_at), reserved_at + interval '5 seconds')"
    f" - interval '{LATE_FORGIVEN.microseconds} microseconds')"
)
# What was not placed was never taken.
_TAKEN_BY: Final = f"coalesce(responded_at, reserved_at + interval '{ANSWERED_WITHIN.seconds} seconds')"
_COUNT: Final = text(
    f"""
    SELECT
      (SELECT count(*) FROM attempt WHERE campaign_id = :campaign_id AND status IN {sql.LIVE} AND {_OURS})
          AS live_campaign,
      live.organization AS live_organization, live.agent AS live_agent,
      ARRAY(SELECT {_STARTED_AT} FROM attempt
            WHERE campaign_id = :campaign_id AND reserved_at > :campaign_since
            ORDER BY reserved_at DESC OFFSET :campaign_left_out LIMIT :campaign_most) AS recent,
      (SELECT {_STARTED_AT} FROM attempt
       WHERE campaign_id = :campaign_id AND reserved_at > :campaign_since
       ORDER BY reserved_at DESC LIMIT 1) AS latest,
      ARRAY(SELECT {_STARTED_AT} FROM attempt
            WHERE {_OURS} AND reserved_at > :account_since AND channel = 'call'
            ORDER BY reserved_at DESC OFFSET :account_left_out LIMIT :account_most) AS recent_account,
      ARRAY(SELECT {_TAKEN_BY} FROM attempt
            WHERE campaign_id = :campaign_id AND reserved_at > :campaign_taken_since AND status <> 'not_placed'
            ORDER BY 1 DESC OFFSET :campaign_taken_left_out LIMIT :campaign_taken_most) AS taken_by,
      ARRAY(SELECT {_TAKEN_BY} FROM attempt
            WHERE {_OURS} AND reserved_at > :account_taken_since AND channel = 'call' AND status <> 'not_placed'
            ORDER BY 1 DESC OFFSET :account_taken_left_out LIMIT :account_taken_most) AS taken_by_account
    FROM (SELECT count(*) AS organization, count(*) FILTER (WHERE agent_id = :agent_id) AS agent FROM attempt
          WHERE organization_id = :organization_id AND status IN {sql.LIVE} AND {_OURS} AND channel = 'call') live
    """  # noqa: S608 - a constant is put in, nothing a caller gives
)


async def count(session: AsyncSession, held: Held, *, now: datetime) -> PacingCounts:
    """Count live attempts and recent reservations from the rows: nothing is held, so nothing can leak."""
    limits = held.limits
    of_campaign = max(limits.calls_per_minute, limits.messages_per_second, 1)
    of_account = max(limits.account_per_second, 1)
    seen_of_campaign = seen_by_carrier(limits.calls_per_minute or limits.messages_per_second)
    seen_of_account = seen_by_carrier(limits.account_per_second)
    row = (
        await session.execute(
            _COUNT,
            {
                "campaign_id": held.campaign_id,
                "organization_id": held.organization_id,
                "agent_id": held.agent_id,
                "carrier_account_id": held.carrier_account_id,
                "campaign_since": now - limits.lookback - _LATEST_START,
                "campaign_left_out": left_out(of_campaign),
                "campaign_most": of_campaign - left_out(of_campaign),
                "account_since": now - guarded(SECOND) - _LATEST_START,
                "account_left_out": left_out(of_account),
                "account_most": of_account - left_out(of_account),
                "campaign_taken_since": now - limits.lookback - ANSWERED_WITHIN,
                "campaign_taken_left_out": left_out(seen_of_campaign),
                "campaign_taken_most": seen_of_campaign - left_out(seen_of_campaign),
                "account_taken_since": now - guarded(SECOND) - ANSWERED_WITHIN,
                "account_taken_left_out": left_out(seen_of_account),
                "account_taken_most": seen_of_account - left_out(seen_of_account),
            },
        )
    ).one()
    return PacingCounts(
        live_campaign=row.live_campaign,
        live_organization=row.live_organization,
        live_agent=row.live_agent,
        recent=sorted(row.recent),
        recent_left_out=left_out(of_campaign),
        latest=row.latest,
        recent_account=sorted(row.recent_account),
        account_left_out=left_out(of_account),
        taken_by=sorted(row.taken_by),
        taken_by_account=sorted(row.taken_by_account),
    )


def campaign_verdict(held: Held, *, now: datetime) -> Verdict:
    """Return the gate's answer for anyone at all: what blocks the campaign as a whole."""
    return recipient_verdict(held, suppressed=None, attempts_made=0, max_attempts=1, now=now)


def recipient_verdict(  # noqa: PLR0913 - each fact of one person by its name
    held: Held,
    *,
    suppressed: str | None,
    attempts_made: int,
    max_attempts: int,
    now: datetime,
    number_in_use: bool = False,
    consent: Consent = Consent.UNKNOWN,
    capped_since: datetime | None = None,
    text_problem: str | None = None,
) -> Verdict:
    """Return the gate's answer for one recipient. Pacing was asked before: it decided how many were claimed."""
    facts = GateFacts(
        dialing_stopped=held.dialing_stopped,
        campaign_status=held.status,
        recipient_status=RecipientStatus.PENDING,
        suppressed_because=suppressed,
        consent_refused=REFUSED_BECAUSE.get(consent),
        attempts_made=attempts_made,
        max_attempts=max_attempts,
        text_problem=text_problem,
        number_in_use=number_in_use,
        hours=held.hours,
        zone_names=(held.zone_name,),
        frequency_cap=held.frequency_cap,
        frequency_hours=held.frequency_hours,
        capped_since=capped_since,
        has_caller_id=held.pool.free,
        caller_id_free_at=held.pool.free_at,
        caller_id_why=_numbers_why(held.pool),
        allowance=None,
    )
    return decide(facts, now=now)


def why_no_number(held: Held) -> str:
    """Return what to mend while the campaign's pool is lost, for people."""
    doing = "text" if held.channel is Channel.SMS else "call"
    if not held.pool.numbers:
        return (
            f"No active number of ours is left that the campaign can {doing} from. "
            "Activate one under Numbers, or choose another in the settings."
        )
    flagged = ", ".join(each.number for each in held.pool.numbers)
    return (
        f"No number is left that the campaign can {doing} from: networks flagged {flagged} again. "
        "Put one back to work under Numbers, or choose another in the settings."
    )


def _numbers_why(pool: Pool) -> str:
    if not pool.numbers:
        return "The campaign has no active number of ours to call from."
    if len(pool.numbers) == 1:
        return f"Our number {pool.numbers[0].number} rests or has reached its cap."
    return f"All {len(pool.numbers)} numbers of the pool rest or have reached their caps."


_SUPPRESSED: Final = text(
    f"""
    SELECT number, min(reason) AS reason FROM suppression
    WHERE {STANDING_SUPPRESSION} AND number = ANY(CAST(:numbers AS varchar[]))
    GROUP BY number
    """  # noqa: S608 - a constant is put in, nothing a caller gives
)


async def suppressed(session: AsyncSession, held: Held, numbers: Sequence[str]) -> dict[str, str]:
    """Return which of the numbers must not be contacted on this campaign's channel, and why."""
    if not numbers:
        return {}
    given = {
        "organization_id": held.organization_id,
        "numbers": list(numbers),
        "scope": scope_of(held.channel).value,
    }
    rows = await session.execute(_SUPPRESSED, given)
    return {row.number: row.reason for row in rows}


_STORE: Final = text(
    """
    UPDATE campaign SET gate_rule = CAST(:rule AS varchar), gate_until = :until, gate_why = CAST(:why AS varchar)
    WHERE id = :campaign_id
    """
)


async def store_verdict(session: AsyncSession, held: Held, verdict: Blocked) -> None:
    """Write down what holds the campaign, until when and why, if that is news. The page shows it."""
    if (held.gate_rule, held.gate_until, held.gate_why) == (verdict.rule, verdict.until, verdict.why):
        return
    await session.execute(
        _STORE,
        {
            "rule": verdict.rule.value,
            "until": verdict.until,
            "why": verdict.why[:500],
            "campaign_id": held.campaign_id,
        },
    )
    announce(session, organization_id=held.organization_id, campaign_id=held.campaign_id)


async def started(session: AsyncSession, held: Held, *, reserved: int, now: datetime) -> None:
    """Record that the gate is open and attempts were reserved: a queued campaign is running from now on."""
    await run_by_system(
        session,
        campaign_id=held.campaign_id,
        organization_id=held.organization_id,
        was=held.status,
        reserved=reserved,
        pool_cursor=held.pool.cursor,
        now=now,
    )


_SNOOZE: Final = text(
    """
    UPDATE recipient SET not_before = :until, blocked_by = CAST(:rule AS varchar), blocked_why = CAST(:why AS varchar),
                         updated_at = :now
    WHERE id = :recipient_id AND status = 'pending'
    """
)


async def snooze(
    session: AsyncSession, recipient_id: int, *, until: datetime, rule: Rule, why: str, now: datetime
) -> None:
    """Let a recipient wait: no attempt is spent."""
    await session.execute(
        _SNOOZE,
        {"recipient_id": recipient_id, "until": until, "rule": rule.value, "why": why[:500], "now": now},
    )
