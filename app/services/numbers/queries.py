"""Reading our numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, or_, select, union
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.attempt import AttemptStatus
from app.domain.campaign import Channel
from app.domain.number_health import NumberRest
from app.domain.phone import pretty
from app.domain.pool import DAY
from app.domain.rights import Right
from app.models import Attempt, Campaign, CampaignNumber, CarrierAccount, Organization, PhoneNumber
from app.services.access.principal import Principal, authorize
from app.services.refs import Ref, load

_NEVER_MADE: Final = (AttemptStatus.NOT_PLACED, AttemptStatus.PLACING)
_SIMULATED: Final = "Simulated carrier"


@dataclass(frozen=True, slots=True)
class NumberView:
    """One of our numbers. `carrier` is empty if it was never asked; `is_default`: the organization's."""

    id: int
    public_id: UUID
    number: str
    pretty: str
    label: str
    voice: bool
    sms: bool
    active: bool
    inactive_why: str
    """Why the system switched it off; empty if a person did, or it is active."""
    carrier: str
    campaigns_count: int
    calls_made: int
    is_default: bool
    inbound_problem: str
    """Why texts to it do not reach us; empty: they do, or it was not checked yet."""
    daily_cap: int
    """Most calls in any 24 hours; 0 is no cap."""
    burst_cap: int
    """Most calls within `burst_minutes`; 0 is no cap."""
    burst_minutes: int
    cool_down_minutes: int
    rest: NumberRest | None
    """Why it rests or rested; `is_resting` tells whether it still rests."""
    rest_why: str
    rested_at: datetime | None
    resting_until: datetime | None
    """End of the rest; None with a `rest`: until a person puts it back to work."""
    created_at: datetime

    def is_resting(self, now: datetime) -> bool:
        """Tell whether it makes no calls now."""
        return self.rest is not None and (self.resting_until is None or self.resting_until > now)


async def list_numbers(
    session: AsyncSession, *, principal: Principal, active_only: bool = False
) -> list[NumberView]:
    """Return the organization's numbers: active ones first, then by number."""
    authorize(principal, Right.VIEW)
    wanted = [col(PhoneNumber.organization_id) == principal.organization_id]
    if active_only:
        wanted.append(col(PhoneNumber.active).is_(True))
    order = (col(PhoneNumber.active).desc(), col(PhoneNumber.number))
    rows = (await session.execute(select(PhoneNumber).where(*wanted).order_by(*order))).scalars().all()
    return await _views(session, principal, rows)


async def get_number(session: AsyncSession, *, principal: Principal, number_ref: Ref) -> NumberView:
    """Return a number by its integer id or UUID. Raises `NotFound`."""
    authorize(principal, Right.VIEW)
    row = await load(session, PhoneNumber, number_ref, organization_id=principal.organization_id)
    return (await _views(session, principal, [row]))[0]


@dataclass(frozen=True, slots=True)
class ActiveNumber:
    """An active number and its organization."""

    number: str
    organization: str


async def all_active_numbers(session: AsyncSession, *, account_sid: str) -> list[ActiveNumber]:
    """Return the active numbers of every organization that may be this account's; for `callsheet doctor`."""
    statement = (
        select(col(PhoneNumber.number), col(Organization.name))
        .join(Organization, col(Organization.id) == col(PhoneNumber.organization_id))
        .outerjoin(CarrierAccount, col(CarrierAccount.id) == col(PhoneNumber.carrier_account_id))
        .where(
            col(PhoneNumber.active),
            or_(col(CarrierAccount.id).is_(None), col(CarrierAccount.account_sid) == account_sid),
        )
        .order_by(col(PhoneNumber.id))
    )
    return [ActiveNumber(*row) for row in await session.execute(statement)]


async def calls_in_a_day(session: AsyncSession, *, principal: Principal, now: datetime) -> dict[int, int]:
    """Return id -> calls started in the last 24 hours, as daily caps count them. Numbers without calls are left out."""
    authorize(principal, Right.VIEW)
    statement = (
        select(col(Attempt.phone_number_id), func.count().label("calls"))
        .join(PhoneNumber, col(PhoneNumber.id) == col(Attempt.phone_number_id))
        .where(
            col(PhoneNumber.organization_id) == principal.organization_id,
            col(Attempt.reserved_at) > now - DAY,
            col(Attempt.channel) == Channel.CALL,
            col(Attempt.status) != AttemptStatus.NOT_PLACED,
        )
        .group_by(col(Attempt.phone_number_id))
    )
    return {row.phone_number_id: row.calls for row in await session.execute(statement)}


async def _views(
    session: AsyncSession, principal: Principal, numbers: Sequence[PhoneNumber]
) -> list[NumberView]:
    ids = [number.id for number in numbers]
    organization = await session.get_one(Organization, principal.organization_id, populate_existing=True)
    campaigns = await _count_campaigns(session, ids)
    calls = await _count_calls(session, ids)
    carriers = await _carriers(session, numbers)
    return [
        NumberView(
            id=number.id,
            public_id=number.public_id,
            number=number.number,
            pretty=pretty(number.number),
            label=number.label,
            voice=number.voice,
            sms=number.sms,
            active=number.active,
            inactive_why=number.inactive_why,
            carrier=carriers.get(number.carrier_account_id or 0, ""),
            campaigns_count=campaigns.get(number.id, 0),
            calls_made=calls.get(number.id, 0),
            is_default=number.id == organization.default_phone_number_id,
            inbound_problem=number.inbound_problem,
            daily_cap=number.daily_cap,
            burst_cap=number.burst_cap,
            burst_minutes=number.burst_minutes,
            cool_down_minutes=number.cool_down_minutes,
            rest=number.rest,
            rest_why=number.rest_why,
            rested_at=number.rested_at,
            resting_until=number.resting_until,
            created_at=number.created_at,
        )
        for number in numbers
    ]


async def _count_campaigns(session: AsyncSession, ids: Sequence[int]) -> dict[int, int]:
    """Count the campaigns that use each number, as their own number or in their pool."""
    alone = select(col(Campaign.phone_number_id), col(Campaign.id)).where(
        col(Campaign.phone_number_id).in_(ids)
    )
    pooled = select(col(CampaignNumber.phone_number_id), col(CampaignNumber.campaign_id)).where(
        col(CampaignNumber.phone_number_id).in_(ids)
    )
    used = union(alone, pooled).subquery()
    statement = select(used.c.phone_number_id, func.count().label("campaigns")).group_by(
        used.c.phone_number_id
    )
    return {row.phone_number_id: row.campaigns for row in await session.execute(statement)}


async def _count_calls(session: AsyncSession, ids: Sequence[int]) -> dict[int, int]:
    """Count the calls made from each number. The index `ix_attempt_phone_number` is enough for it."""
    statement = (
        select(col(Attempt.phone_number_id), func.count().label("calls"))
        .where(
            col(Attempt.phone_number_id).in_(ids),
            col(Attempt.channel) == Channel.CALL,
            col(Attempt.status).not_in(_NEVER_MADE),
        )
        .group_by(col(Attempt.phone_number_id))
    )
    return {row.phone_number_id: row.calls for row in await session.execute(statement)}


async def _carriers(session: AsyncSession, numbers: Sequence[PhoneNumber]) -> dict[int, str]:
    ids = {number.carrier_account_id for number in numbers if number.carrier_account_id is not None}
    statement = select(CarrierAccount).where(col(CarrierAccount.id).in_(ids))
    rows = (await session.execute(statement)).scalars()
    return {row.id: _SIMULATED if row.simulated else row.kind.capitalize() for row in rows}
