"""The carrier accounts we dial through."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.models import CarrierAccount
from app.providers.base import CarrierAccount as ConfiguredAccount

CALLS_PER_SECOND: Final = 1
"""What Twilio gives a new account; more is asked for in its console."""
SIMULATED_CALLS_PER_SECOND: Final = 50


@dataclass(frozen=True, slots=True)
class CarrierIdentity:
    """Which carrier account this installation is configured for."""

    kind: str
    account_sid: str
    api_url: str
    simulated: bool


def identity_of(account: ConfiguredAccount, *, kind: str = "twilio") -> CarrierIdentity:
    """Return the identity of the account this process is configured with."""
    return CarrierIdentity(
        kind=kind, account_sid=account.account_sid, api_url=account.api_url, simulated=account.simulated
    )


async def ensure_carrier_account(
    session: AsyncSession, identity: CarrierIdentity, *, now: datetime
) -> CarrierAccount:
    """Return the row of that account, created on first sight. Its rate is then the operator's to change."""
    rate = SIMULATED_CALLS_PER_SECOND if identity.simulated else CALLS_PER_SECOND
    values = {
        "kind": identity.kind,
        "account_sid": identity.account_sid,
        "api_url": identity.api_url,
        "simulated": identity.simulated,
        "calls_per_second": rate,
        "created_at": now,
    }
    await session.execute(insert(CarrierAccount).values(values).on_conflict_do_nothing())
    statement = select(CarrierAccount).where(
        col(CarrierAccount.kind) == identity.kind,
        col(CarrierAccount.account_sid) == identity.account_sid,
        col(CarrierAccount.api_url) == identity.api_url,
    )
    return (await session.execute(statement)).scalar_one()
