"""Lists the second calls: a carrier made two calls for one attempt. It should never happen; people see it here."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.rights import Right
from app.models import Attempt, Contact, SecondCall
from app.services.access.principal import Principal, authorize
from app.services.campaigns.rows import load_campaign
from app.services.refs import Ref

_MOST: Final = 50


@dataclass(frozen=True, slots=True)
class SecondCallRow:
    """A second call or message for an attempt."""

    attempt_id: UUID
    contact_name: str
    number_to: str
    provider_id: str
    """Its id in the carrier's console."""
    found_at: datetime
    ended_at: datetime | None
    """When the carrier said that it has ended; None: we are still asking."""


async def list_second_calls(
    session: AsyncSession, *, principal: Principal, campaign_ref: Ref
) -> list[SecondCallRow]:
    """Return the campaign's latest second calls, the newest first. Raises `NotFound`."""
    authorize(principal, Right.VIEW)
    campaign = await load_campaign(session, principal, campaign_ref)
    statement = (
        select(SecondCall, col(Attempt.number_to), col(Contact.name))
        .join(Attempt, col(Attempt.id) == col(SecondCall.attempt_id))
        .join(Contact, col(Contact.id) == col(Attempt.contact_id))
        .where(col(SecondCall.campaign_id) == campaign.id)
        .order_by(col(SecondCall.id).desc())
        .limit(_MOST)
    )
    return [
        SecondCallRow(
            attempt_id=second.attempt_id,
            contact_name=name,
            number_to=number_to,
            provider_id=second.provider_id,
            found_at=second.found_at,
            ended_at=second.ended_at,
        )
        for second, number_to, name in await session.execute(statement)
    ]
