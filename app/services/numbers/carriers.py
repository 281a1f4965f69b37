"""The carrier accounts we dial through."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.models import CarrierAccount
from app.providers.base import ConfiguredAccount
from app.providers.registry import provider

SIMULATED_CALLS_PER_SECOND: Final = 50


@dataclass(frozen=True, slots=True)
class CarrierIdentity:
    """The carrier account that this installation is configured for."""

    kind: str
    account_sid: str
    api_url: str
    simulated: bool


def identity_of(account: ConfiguredAccount) -> CarrierIdentity:
    """Return the identity of the account this process is configured with."""
    return CarrierIdentity(
        kind=account.kind,
        account_sid=account.account_sid,
        api_url=account.api_url,
        simulated=account.simulated,
    )


async def ensure_carrier_account(
    session: AsyncSession, identity: CarrierIdentity, *, now: datetime
) -> CarrierAccount:
    """Return the row of that account; create it if there is none. The operator may then change its rate."""
    rate = SIMULATED_CALLS_PER_SECOND if identity.simulated else provider(identity.kind).calls_per_second
    values = {
        "kind": identity.kind,
        "account_sid": identity.account_sid,
        "api_url": identity.api_url,
        "simulated": identity.simulated,
        "calls_per_second": rate,
        "created_at": now,
    }
    await session.execute(insert(CarrierAccount).values(values).on_conflict_do_nothing())
    return (await session.execute(_of(identity))).scalar_one()


async def carrier_account_id(session: AsyncSession, identity: CarrierIdentity) -> int | None:
    """Return the id of that account's row; None if nothing was placed on it and no number was found there yet."""
    account = (await session.execute(_of(identity))).scalar_one_or_none()
    return account.id if account is not None else None


def carrier_name(account: CarrierIdentity | CarrierAccount) -> str:
    """Return a name of the account for sentences, without its full id."""
    kind = "the simulated carrier" if account.simulated else f"the {account.kind.capitalize()} account"
    return f"{kind} {account.account_sid[:6]}…{account.account_sid[-4:]}"


def _of(identity: CarrierIdentity) -> Select[CarrierAccount]:
    return select(CarrierAccount).where(
        col(CarrierAccount.kind) == identity.kind,
        col(CarrierAccount.account_sid) == identity.account_sid,
        col(CarrierAccount.api_url) == identity.api_url,
    )
