"""What a person sees of a campaign's guards: pilot, ramp and budget as they stand, and when the breaker tripped."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain import ramp
from app.domain.breaker import BreakerPolicy, Sign, Trip, describe
from app.domain.campaign import CampaignStatus, Channel
from app.domain.gate import Rule
from app.domain.rights import Right
from app.models import BreakerTrip
from app.services.access.principal import Principal, authorize
from app.services.campaigns.call_log import attempts_by_id
from app.services.campaigns.costs import spending_of
from app.services.campaigns.rows import load_campaign
from app.services.campaigns.views import BudgetView, PilotView, RampView, SignsView, TripRow
from app.services.refs import Ref

MOST_TRIPS: Final = 20
MOST_ATTEMPTS: Final = 100
"""Attempts told of each trip; `window` says of how many it speaks."""


def signs_of(campaign: RowMapping, attempts: Sequence[RowMapping], *, reached: int, total: int) -> SignsView:
    """Return pilot, ramp and budget as they stand.

    `attempts`: a query's rows with `costs.COLUMNS`; `reached`: people tried at least once, of `total`.
    """
    return SignsView(
        pilot=_pilot(campaign, reached) if campaign["pilot_size"] else None,
        ramp=_ramp(campaign, reached, total) if campaign["ramp"] else None,
        budget=_budget(campaign, attempts) if campaign["budget_cap"] is not None else None,
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


def _pilot(campaign: RowMapping, reached: int) -> PilotView:
    waits = _paused_by(campaign, Rule.PILOT)
    passed = campaign["pilot_passed_at"] is not None
    size: int = campaign["pilot_size"]
    return PilotView(size=size, reached=min(reached, size), waits=waits, passed=passed)


def _ramp(campaign: RowMapping, reached: int, total: int) -> RampView:
    step: int = min(campaign["ramp_step"], ramp.LAST)
    least = BreakerPolicy.or_defaults(campaign["breaker"]).minimum
    return RampView(
        step=step + 1,
        steps=len(ramp.STEPS),
        percent=ramp.STEPS[step],
        reached=reached,
        limit=ramp.people(step, total=total, least=least),
        total=total,
    )


def _budget(campaign: RowMapping, attempts: Sequence[RowMapping]) -> BudgetView:
    spending = spending_of(
        attempts, Channel(campaign["channel"]), time_limit_seconds=campaign["time_limit_seconds"]
    )
    cap: Decimal = campaign["budget_cap"]
    return BudgetView(
        cap=float(cap),
        spent=float(spending.ended),
        in_flight=float(spending.in_flight),
        left=float(max(cap - spending.committed, Decimal(0))),
        used_up=_paused_by(campaign, Rule.BUDGET),
        unit=spending.unit,
    )
