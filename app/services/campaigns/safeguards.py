"""The safeguards of a campaign for people: the state of pilot, ramp and budget, and when the breaker tripped."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain import ramp
from app.domain.breaker import BreakerPolicy, Sign, Trip, describe
from app.domain.call_options import CallOptions
from app.domain.campaign import CampaignStatus, Channel
from app.domain.gate import Rule
from app.domain.rights import Right
from app.models import BreakerTrip
from app.services.access.principal import Principal, authorize
from app.services.campaigns.call_log import attempts_by_id
from app.services.campaigns.costs import spending_of
from app.services.campaigns.rows import load_campaign
from app.services.campaigns.safeguard_settings import Safeguards
from app.services.campaigns.views import BudgetView, PilotView, RampView, SafeguardsView, TripRow
from app.services.refs import Ref

MOST_TRIPS: Final = 20
MOST_ATTEMPTS: Final = 100
"""Most attempts listed for each trip; `window` has the number of all."""


def safeguards_of(
    campaign: RowMapping, attempts: Sequence[RowMapping], *, reached: int, total: int
) -> SafeguardsView:
    """Return the present state of pilot, ramp and budget.

    `attempts`: a query's rows with `costs.COLUMNS`; `reached`: people tried at least once, of `total`.
    """
    safeguards = Safeguards.of(campaign, read_breaker=BreakerPolicy.or_defaults)
    return SafeguardsView(
        pilot=_pilot(campaign, safeguards, reached) if safeguards.pilot else None,
        ramp=_ramp(safeguards, reached, total) if safeguards.ramp else None,
        budget=_budget(campaign, safeguards.budget, attempts) if safeguards.budget is not None else None,
    )


async def list_trips(session: AsyncSession, *, principal: Principal, campaign_ref: Ref) -> list[TripRow]:
    """Return when and why the campaign's breaker tripped, the newest first. Raises `NotFound`."""
    authorize(principal, Right.VIEW)
    campaign = await load_campaign(session, principal, campaign_ref)
    statement = (
        select(BreakerTrip)
        .where(col(BreakerTrip.campaign_id) == campaign.id)
        .order_by(col(BreakerTrip.id).desc())
        .limit(MOST_TRIPS)
    )
    trips = (await session.execute(statement)).scalars().all()
    named = {attempt_id for trip in trips for attempt_id in trip.attempt_ids[:MOST_ATTEMPTS]}
    attempts = await attempts_by_id(session, campaign.id, named)
    return [_trip_row(trip, [attempts[each] for each in _told(trip) if each in attempts]) for trip in trips]


def _told(trip: BreakerTrip) -> list[UUID]:
    return trip.attempt_ids[:MOST_ATTEMPTS]


def _trip_row(trip: BreakerTrip, attempts: list[Any]) -> TripRow:
    seen = Trip(
        sign=Sign(trip.sign),
        measured=trip.measured,
        threshold=trip.threshold,
        window=trip.window,
        attempt_ids=tuple(trip.attempt_ids),
    )
    return TripRow(
        id=trip.id,
        sign=seen.sign,
        measured=trip.measured,
        threshold=trip.threshold,
        window=trip.window,
        sentence=describe(seen),
        at=trip.at,
        attempt_count=len(trip.attempt_ids),
        attempts=attempts,
    )


def _paused_by(campaign: RowMapping, rule: Rule) -> bool:
    paused: bool = campaign["status"] == CampaignStatus.PAUSED
    return paused and campaign["gate_rule"] == rule


def _pilot(campaign: RowMapping, safeguards: Safeguards, reached: int) -> PilotView:
    return PilotView(
        size=safeguards.pilot,
        reached=min(reached, safeguards.pilot),
        waits=_paused_by(campaign, Rule.PILOT),
        passed=safeguards.pilot_passed,
    )


def _ramp(safeguards: Safeguards, reached: int, total: int) -> RampView:
    step = min(safeguards.ramp_step, ramp.LAST)
    return RampView(
        step=step + 1,
        steps=len(ramp.STEPS),
        percent=ramp.STEPS[step],
        reached=reached,
        limit=ramp.people(step, total=total, least=safeguards.breaker.minimum),
        total=total,
    )


def _budget(campaign: RowMapping, cap: Decimal, attempts: Sequence[RowMapping]) -> BudgetView:
    longest = CallOptions.of(campaign).longest_seconds
    spending = spending_of(attempts, Channel(campaign["channel"]), longest_seconds=longest)
    return BudgetView(
        cap=float(cap),
        spent=float(spending.ended),
        in_flight=float(spending.in_flight),
        left=float(max(cap - spending.committed, Decimal(0))),
        used_up=_paused_by(campaign, Rule.BUDGET),
        unit=spending.unit,
    )
