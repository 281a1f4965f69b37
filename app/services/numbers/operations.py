"""Adding, changing and switching off our numbers."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.phone import NumberRejected, normalize
from app.domain.rights import Right
from app.live import announce
from app.models import Organization, PhoneNumber
from app.providers.base import OwnedNumber
from app.services.access.principal import Principal, authorize
from app.services.errors import Conflict, FieldErrors
from app.services.fields import ChangeReader, cleaned
from app.services.numbers.carriers import CarrierIdentity, ensure_carrier_account
from app.services.numbers.reopening import ask_again, hold_dialing
from app.services.numbers.use import campaigns_left_without
from app.services.refs import Ref, load

MOST_CALLS: Final = 100_000
A_DAY_OF_MINUTES: Final = 1_440
"""Caps look no further back."""
_LONGEST_LABEL: Final = 200


async def create_number(
    session: AsyncSession, *, principal: Principal, changes: Mapping[str, Any], now: datetime
) -> int:
    """Add an active number and return its id.

    `number` is needed; `label`, `voice`, `sms` and the caps are welcome. Raises `FieldErrors`, also for a number
    that is there already.
    """
    authorize(principal, Right.EDIT_NUMBERS)
    organization = await session.get_one(Organization, principal.organization_id)
    reader = ChangeReader({"number": None, **changes})
    _read_number(reader, region=organization.default_region)
    values = _read_rest(reader)
    added = await _insert(session, organization.id, [values], now)
    if not added:
        raise FieldErrors({"number": f"{values['number']} is among your numbers already."})
    announce(session, organization_id=organization.id)
    return added[0]


async def add_carrier_numbers(
    session: AsyncSession,
    *,
    principal: Principal,
    identity: CarrierIdentity | None,
    numbers: Sequence[str | OwnedNumber],
    now: datetime,
) -> int:
    """Add the numbers (alone in E.164) that the carrier says the account owns; return how many were new.

    Without an identity it is left open whose they are.
    """
    authorize(principal, Right.EDIT_NUMBERS)
    account = await ensure_carrier_account(session, identity, now=now) if identity else None
    account_id = account.id if account else None
    owned = {row["number"]: row | {"carrier_account_id": account_id} for row in map(_owned_row, numbers)}
    rows = list(owned.values())
    added = await _insert(session, principal.organization_id, rows, now) if rows else []
    announce(session, organization_id=principal.organization_id)
    return len(added)


async def update_number(
    session: AsyncSession, *, principal: Principal, number_ref: Ref, changes: Mapping[str, Any], now: datetime
) -> None:
    """Change `label`, `voice`, `sms` or the caps. The number itself stays: attempts were made from it.

    Raises `NotFound` and `FieldErrors`.
    """
    authorize(principal, Right.EDIT_NUMBERS)
    await hold_dialing(session, principal.organization_id)
    number = await _load_locked(session, principal, number_ref)
    for field, value in _read_rest(ChangeReader(changes)).items():
        setattr(number, field, value)
    number.updated_at = now
    await session.flush()
    await ask_again(session, principal.organization_id)
    announce(session, organization_id=principal.organization_id, work=True)


async def set_number_active(
    session: AsyncSession, *, principal: Principal, number_ref: Ref, active: bool, now: datetime
) -> None:
    """Switch a number on or off. Nothing is placed from one that is off, and it is nobody's default.

    Raises `NotFound`, and `Conflict` when a campaign that runs, is queued or scheduled has no other number.
    """
    authorize(principal, Right.EDIT_NUMBERS)
    await hold_dialing(session, principal.organization_id)
    number = await _load_locked(session, principal, number_ref)
    if not active and (campaign := next(iter(await campaigns_left_without(session, number)), None)):
        raise Conflict(
            f"“{campaign}” is under way and has no other number than {number.number}. "
            "Pause or cancel that campaign, or give it another number, first."
        )
    number.active = active
    number.updated_at = now
    await session.flush()
    await ask_again(session, principal.organization_id)
    announce(session, organization_id=principal.organization_id, work=active)


async def set_default_number(
    session: AsyncSession, *, principal: Principal, number_ref: Ref | None, now: datetime
) -> None:
    """Make an active number the organization's caller ID for campaigns and agents without one; None for none.

    Raises `NotFound`, and `Conflict` if the number is off.
    """
    authorize(principal, Right.EDIT_NUMBERS)
    organization = await session.get_one(
        Organization, principal.organization_id, with_for_update={"key_share": True}
    )
    number = None if number_ref is None else await _load_locked(session, principal, number_ref)
    if number is not None and not number.active:
        raise Conflict(f"{number.number} is not active. Activate it first.")
    organization.default_phone_number_id = number.id if number else None
    if number is not None:
        number.updated_at = now
    await session.flush()
    await ask_again(session, principal.organization_id)
    announce(session, organization_id=principal.organization_id, work=True)


def _owned_row(owned: str | OwnedNumber) -> dict[str, Any]:
    if isinstance(owned, str):
        return {"number": owned}
    label = cleaned(owned.label)[:_LONGEST_LABEL]
    return {"number": owned.number, "label": label, "voice": owned.voice, "sms": owned.sms}


async def _load_locked(session: AsyncSession, principal: Principal, ref: Ref) -> PhoneNumber:
    return await load(session, PhoneNumber, ref, organization_id=principal.organization_id, lock=True)


async def _insert(
    session: AsyncSession, organization_id: int, rows: Sequence[Mapping[str, Any]], now: datetime
) -> list[int]:
    """Store numbers that are not there yet; return the new ids."""
    common: dict[str, Any] = {"organization_id": organization_id, "created_at": now, "updated_at": now}
    whole = [PhoneNumber(**common, **row).model_dump(exclude={"id"}) for row in rows]
    statement = insert(PhoneNumber).values(whole).on_conflict_do_nothing().returning(col(PhoneNumber.id))
    return list((await session.execute(statement)).scalars())


def _read_number(reader: ChangeReader, *, region: str) -> None:
    given = reader.take("number")
    try:
        text = str(given) if isinstance(given, str | int) and not isinstance(given, bool) else ""
        reader.values["number"] = normalize(text, region=region).e164
    except NumberRejected as rejection:
        reader.refuse("number", str(rejection))


def _read_rest(reader: ChangeReader) -> dict[str, Any]:
    reader.text("label", label="The label", most=_LONGEST_LABEL)
    reader.flag("voice", label="Voice")
    reader.flag("sms", label="Texts")
    reader.whole("daily_cap", label="The daily cap", least=0, most=MOST_CALLS)
    reader.whole("burst_cap", label="The burst cap", least=0, most=MOST_CALLS)
    reader.whole("burst_minutes", label="The minutes of a burst", least=1, most=A_DAY_OF_MINUTES)
    reader.whole("cool_down_minutes", label="The cool-down", least=0, most=A_DAY_OF_MINUTES)
    return reader.finish()
