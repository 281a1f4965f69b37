"""Adding numbers: one by one, or all numbers of the carrier account."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.phone import NumberRejected
from app.domain.rights import Right
from app.models import Organization, PhoneNumber
from app.providers.base import OwnedNumber
from app.runtime.live_feed import announce
from app.services.access.principal import Principal, authorize
from app.services.errors import FieldErrors
from app.services.field_readers import ChangeReader, cleaned
from app.services.numbers.carriers import CarrierIdentity, ensure_carrier_account
from app.services.numbers.operations import ELSEWHERE, LONGEST_LABEL, read_rest
from app.services.numbers.ownership import NumbersAtCarrier, e164, granted


@dataclass(frozen=True, slots=True)
class NumbersAdded:
    """The result of adding the carrier account's numbers."""

    new: int
    elsewhere: int
    """Numbers that another organization of this installation has."""


async def create_number(
    session: AsyncSession,
    *,
    principal: Principal,
    changes: Mapping[str, Any],
    said: NumbersAtCarrier,
    now: datetime,
) -> int:
    """Add an active number that the carrier account has, and return its id.

    `said`: the result of `ask_about_new` just before. `number` is required; `label`, `voice`, `sms` and the caps are
    optional. If it is our number on another account, it moves to this one. Raises `FieldErrors`, also for a number
    that exists already or belongs to another organization, and `CarrierSilent`.
    """
    authorize(principal, Right.EDIT_NUMBERS)
    organization = await session.get_one(Organization, principal.organization_id)
    reader = ChangeReader({"number": None, **changes})
    _read_number(reader, region=organization.default_region)
    values = read_rest(reader)
    number = values["number"]
    values |= granted(said, number, values)
    account = await ensure_carrier_account(session, said.carrier, now=now)
    row = values | {"carrier_account_id": account.id}
    added = await _insert(session, organization.id, [row], now) or await _take_to(
        session, organization.id, [number], account.id, now
    )
    if not added:
        raise FieldErrors({"number": await _why_not_added(session, organization.id, number)})
    announce(session, organization_id=organization.id)
    return added[0]


async def add_carrier_numbers(
    session: AsyncSession,
    *,
    principal: Principal,
    identity: CarrierIdentity | None,
    numbers: Sequence[str | OwnedNumber],
    now: datetime,
) -> NumbersAdded:
    """Add the numbers in E.164 that the carrier says the account owns. Our numbers on other accounts move to it.

    Without an identity the numbers belong to no account yet.
    """
    authorize(principal, Right.EDIT_NUMBERS)
    account = await ensure_carrier_account(session, identity, now=now) if identity else None
    account_id = account.id if account else None
    owned = {row["number"]: row | {"carrier_account_id": account_id} for row in map(_owned_row, numbers)}
    rows = list(owned.values())
    organization_id = principal.organization_id
    added = await _insert(session, organization_id, rows, now) if rows else []
    if account_id is not None:
        added += await _take_to(session, organization_id, list(owned), account_id, now)
    ours = select(col(PhoneNumber.number)).where(
        col(PhoneNumber.organization_id) == organization_id, col(PhoneNumber.number).in_(list(owned))
    )
    announce(session, organization_id=organization_id)
    return NumbersAdded(len(added), len(owned) - len((await session.execute(ours)).all()))


async def _why_not_added(session: AsyncSession, organization_id: int, number: str) -> str:
    ours = select(col(PhoneNumber.active)).where(
        col(PhoneNumber.organization_id) == organization_id, col(PhoneNumber.number) == number
    )
    active = await session.scalar(ours)
    if active is None:
        return ELSEWHERE
    return f"{number} is among your numbers already{'' if active else ': activate it'}."


async def _take_to(
    session: AsyncSession, organization_id: int, numbers: Sequence[str], account_id: int, now: datetime
) -> list[int]:
    """Move our numbers that this account has from another account to it; return their ids."""
    moved = await session.execute(
        update(PhoneNumber)
        .where(
            col(PhoneNumber.organization_id) == organization_id,
            col(PhoneNumber.number).in_(numbers),
            col(PhoneNumber.carrier_account_id) != account_id,
        )
        .values(carrier_account_id=account_id, updated_at=now)
        .returning(col(PhoneNumber.id))
    )
    return list(moved.scalars())


async def _insert(
    session: AsyncSession, organization_id: int, rows: Sequence[Mapping[str, Any]], now: datetime
) -> list[int]:
    """Store numbers that are not ours yet and not active elsewhere; return the new ids."""
    common: dict[str, Any] = {"organization_id": organization_id, "created_at": now, "updated_at": now}
    whole = [PhoneNumber(**common, **row).model_dump(exclude={"id"}) for row in rows]
    statement = insert(PhoneNumber).values(whole).on_conflict_do_nothing().returning(col(PhoneNumber.id))
    return list((await session.execute(statement)).scalars())


def _owned_row(owned: str | OwnedNumber) -> dict[str, Any]:
    if isinstance(owned, str):
        return {"number": owned}
    label = cleaned(owned.label)[:LONGEST_LABEL]
    return {"number": owned.number, "label": label, "voice": owned.voice, "sms": owned.sms}


def _read_number(reader: ChangeReader, *, region: str) -> None:
    try:
        reader.values["number"] = e164(reader.take("number"), region=region)
    except NumberRejected as rejection:
        reader.refuse("number", str(rejection))
