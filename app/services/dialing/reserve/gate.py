"""Asks the gate about a campaign and its recipients under lock, and stores its answers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.campaign import Channel
from app.domain.consent import Consent
from app.domain.gate import Blocked, GateFacts, Rule, Verdict, decide
from app.domain.opening import Opening
from app.domain.pacing import Allowance
from app.domain.pool import Pool
from app.domain.recipient import RecipientStatus
from app.domain.suppression import scope_of
from app.runtime.live_feed import announce
from app.services.dialing.reserve.claim import Claimed
from app.services.dialing.reserve.held import Held
from app.services.places.hours import legal_cap, opening_at
from app.services.recipients.gate_facts import STANDING_SUPPRESSION


def recipient_verdict(  # noqa: PLR0913 - each fact of one person by its name
    held: Held,
    *,
    suppressed: str | None,
    attempts_made: int,
    attempts_allowed: int,
    now: datetime,
    number_in_use: bool = False,
    consent: Consent = Consent.GRANTED,
    opening: Opening | None = None,
    held_until: datetime | None = None,
    held_because: str = "",
    capped_since: datetime | None = None,
    legal_cap: int = 0,
    legally_capped_since: datetime | None = None,
    text_problem: str | None = None,
    not_before: datetime | None = None,
    sign: Blocked | None = None,
    allowance: Allowance | None = None,
) -> Verdict:
    """Return the gate's answer for one recipient. The reservation leaves out `sign` and pacing: it asks them before."""
    facts = GateFacts(
        dialing_stopped=held.dialing_stopped,
        campaign_status=held.status,
        recipient_status=RecipientStatus.PENDING,
        not_before=not_before,
        suppressed_because=suppressed,
        consent=consent,
        purpose=held.purpose,
        attempts_made=attempts_made,
        attempts_allowed=attempts_allowed,
        text_problem=text_problem,
        number_in_use=number_in_use,
        held_until=held_until,
        held_because=held_because,
        opening=opening or Opening.find((), now),
        frequency_cap=held.frequency_cap,
        frequency_hours=held.frequency_hours,
        capped_since=capped_since,
        legal_cap=legal_cap,
        legally_capped_since=legally_capped_since,
        sign=sign,
        has_caller_id=held.pool.free,
        caller_id_free_at=held.pool.free_at,
        caller_id_why=_numbers_why(held.pool),
        allowance=allowance,
    )
    return decide(facts, now=now)


def verdict_of(
    held: Held,
    claimed: Claimed,
    suppressed: str | None,
    *,
    now: datetime,
    sign: Blocked | None = None,
    allowance: Allowance | None = None,
) -> Verdict:
    """Return the gate's answer for a recipient with its facts. `suppressed`: why its number must not be contacted."""
    return recipient_verdict(
        held,
        suppressed=suppressed,
        attempts_made=claimed.attempts_made,
        attempts_allowed=claimed.attempts_allowed,
        number_in_use=claimed.number_in_use,
        consent=claimed.consent,
        opening=opening_at(held.hours, claimed.place, now=now),
        held_until=claimed.held_until,
        held_because=claimed.held_reason,
        capped_since=claimed.capped_since,
        legal_cap=legal_cap(held.hours, claimed.place) or 0,
        legally_capped_since=claimed.legally_capped_since,
        text_problem=claimed.prepared.problem,
        not_before=claimed.not_before,
        sign=sign,
        allowance=allowance,
        now=now,
    )


def turned_away(held: Held, *, now: datetime) -> Blocked | None:
    """Return that the carrier has turned us away, and until when; None: it has not, or that is over."""
    if held.gate_rule != Rule.PACING or held.gate_until is None or held.gate_until <= now:
        return None
    return Blocked(Rule.PACING, held.gate_until, held.gate_why or "")


def why_no_number(held: Held) -> str:
    """Return what a person must do if none of the campaign's numbers can be used any more."""
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
    """Store what holds the campaign, until when and why, unless it is stored already. The page shows it."""
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
    """Let a recipient wait until then. No attempt is spent."""
    await session.execute(
        _SNOOZE,
        {"recipient_id": recipient_id, "until": until, "rule": rule.value, "why": why[:500], "now": now},
    )
