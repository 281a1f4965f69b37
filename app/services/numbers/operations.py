"""Adding, changing and switching off our numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.campaign import Channel
from app.domain.phone import NumberRejected, pretty
from app.domain.rights import Right
from app.live import announce
from app.models import Organization, PhoneNumber
from app.providers.base import OwnedNumber
from app.services.access.principal import Principal, authorize
from app.services.errors import Conflict, FieldErrors
from app.services.fields import ChangeReader, cleaned
from app.services.numbers.carriers import CarrierIdentity, ensure_carrier_account
from app.services.numbers.ownership import CarrierSilent, NumbersAtCarrier, e164, gained, granted
from app.services.numbers.reopening import ask_again, hold_dialing
from app.services.numbers.use import campaigns_left_without, campaigns_on_default
from app.services.refs import Ref, load

MOST_CALLS: Final = 100_000
A_DAY_OF_MINUTES: Final = 1_440
"""Caps look no further back."""
_LONGEST_LABEL: Final = 200
_ELSEWHERE: Final = (
    "This number already belongs to another organization of this installation. "
    "Ask its administrator to deactivate it there first."
)
_CHANNELS: Final[Mapping[str, frozenset[Channel]]] = {
    "voice": frozenset(Channel) - {Channel.SMS},
    "sms": frozenset({Channel.SMS}),
}
"""What a number may be good for -> the campaigns that need it for that."""


@dataclass(frozen=True, slots=True)
class Added:
    """What became of the carrier account's numbers."""

    new: int
    elsewhere: int
    """Those that another organization of this installation has."""


async def create_number(
    session: AsyncSession,
    *,
    principal: Principal,
    changes: Mapping[str, Any],
    said: NumbersAtCarrier,
    now: datetime,
) -> int:
    """Add an active number that the carrier account has, and return its id.

    `said`: what `ask_about_new` heard just before. `number` is needed; `label`, `voice`, `sms` and the caps are
    welcome. One of ours that another account had is taken to this one. Raises `FieldErrors`, also for a number that is
    there already or is another organization's, and `CarrierSilent`.
    """
    authorize(principal, Right.EDIT_NUMBERS)
    organization = await session.get_one(Organization, principal.organization_id)
    reader = ChangeReader({"number": None, **changes})
    _read_number(reader, region=organization.default_region)
    values = _read_rest(reader)
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
) -> Added:
    """Add the numbers (alone in E.164) that the carrier says the account owns, and those of ours it did not have.

    Without an identity it is left open whose they are.
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
    return Added(len(added), len(owned) - len((await session.execute(ours)).all()))


async def update_number(
    session: AsyncSession,
    *,
    principal: Principal,
    number_ref: Ref,
    changes: Mapping[str, Any],
    said: NumbersAtCarrier | None,
    now: datetime,
) -> None:
    """Change `label`, `voice`, `sms` or the caps. The number itself stays: attempts were made from it.

    `said`: what `ask_about_change` heard just before. Raises `NotFound`, `CarrierSilent`, and `FieldErrors`, also for
    what the carrier does not let it do, and for what a campaign under way needs it for.
    """
    authorize(principal, Right.EDIT_NUMBERS)
    await hold_dialing(session, principal.organization_id)
    number = await _load_locked(session, principal, number_ref)
    values = _read_rest(ChangeReader(changes))
    if wanted := gained(number, values):
        _require_capable(said, number.number, wanted)
    await _refuse_if_needed(session, number, values)
    for field, value in values.items():
        setattr(number, field, value)
    number.updated_at = now
    await session.flush()
    await ask_again(session, principal.organization_id)
    announce(session, organization_id=principal.organization_id, work=True)


async def set_number_active(
    session: AsyncSession, *, principal: Principal, number_ref: Ref, active: bool, now: datetime
) -> None:
    """Switch a number on or off. Nothing is placed from one that is off, and it is nobody's default.

    Raises `NotFound`, and `Conflict` when a campaign that runs, is queued or scheduled has no other number, and when
    another organization has it active by now.
    """
    authorize(principal, Right.EDIT_NUMBERS)
    await hold_dialing(session, principal.organization_id)
    number = await _load_locked(session, principal, number_ref)
    if not active and (campaign := next(iter(await campaigns_left_without(session, number)), None)):
        raise Conflict(
            f"“{campaign}” is under way and has no other number than {number.number}. "
            "Pause or cancel that campaign, or give it another number, first."
        )
    if active:
        await _activate(session, number)
    number.active = active
    number.updated_at = now
    await session.flush()
    await ask_again(session, principal.organization_id)
    announce(session, organization_id=principal.organization_id, work=active)


async def set_default_number(
    session: AsyncSession, *, principal: Principal, number_ref: Ref | None, now: datetime
) -> None:
    """Make an active number the organization's caller ID for campaigns and agents without one; None for none.

    Raises `NotFound`, and `Conflict` if the number is off, or a campaign under way has none but the default.
    """
    authorize(principal, Right.EDIT_NUMBERS)
    organization = await session.get_one(
        Organization, principal.organization_id, with_for_update={"key_share": True}
    )
    number = None if number_ref is None else await _load_locked(session, principal, number_ref)
    if number is not None and not number.active:
        raise Conflict(f"{number.number} is not active. Activate it first.")
    if number is None and (
        campaign := next(iter(await campaigns_on_default(session, organization.id)), None)
    ):
        raise Conflict(
            f"“{campaign}” is under way and calls from the default. Pause or cancel that campaign, give it a number of "
            "its own, or make another number the default."
        )
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


def _require_capable(said: NumbersAtCarrier | None, number: str, wanted: Mapping[str, bool]) -> None:
    """Let the number do what it could not do before if the carrier lets it. Raises `FieldErrors`, `CarrierSilent`."""
    if said is None:
        raise CarrierSilent(f"{pretty(number)} was changed by somebody else just now. Try again.")
    try:
        granted(said, number, wanted)
    except FieldErrors as refused:
        raise FieldErrors(dict.fromkeys(wanted, " ".join(refused.errors.values()))) from refused


async def _refuse_if_needed(session: AsyncSession, number: PhoneNumber, values: Mapping[str, Any]) -> None:
    """Let it stop calling or texting only if no campaign under way has nothing else for that. Raises `FieldErrors`."""
    errors: dict[str, str] = {}
    for field, channels in _CHANNELS.items():
        if getattr(number, field) and values.get(field) is False:
            needing = await campaigns_left_without(session, number, channels=channels)
            if needing:
                errors[field] = (
                    f"“{needing[0]}” is under way and has no other number than {number.number}. "
                    "Pause or cancel that campaign first."
                )
    if errors:
        raise FieldErrors(errors)


async def _activate(session: AsyncSession, number: PhoneNumber) -> None:
    """Switch it on, unless another organization has it. Raises `Conflict`."""
    try:
        async with session.begin_nested():
            await session.execute(
                update(PhoneNumber)
                .where(col(PhoneNumber.id) == number.id)
                .values(active=True, inactive_why="")
                .execution_options(synchronize_session=False)
            )
    except IntegrityError as error:  # whoever adds it at the same moment has been waited for
        raise Conflict(_ELSEWHERE) from error
    await session.refresh(number)


async def _why_not_added(session: AsyncSession, organization_id: int, number: str) -> str:
    ours = select(col(PhoneNumber.active)).where(
        col(PhoneNumber.organization_id) == organization_id, col(PhoneNumber.number) == number
    )
    active = await session.scalar(ours)
    if active is None:
        return _ELSEWHERE
    return f"{number} is among your numbers already{'' if active else ': activate it'}."


async def _take_to(
    session: AsyncSession, organization_id: int, numbers: Sequence[str], account_id: int, now: datetime
) -> list[int]:
    """Take those of our numbers to an account that has them which another one had; return their ids."""
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
    """Store numbers that are neither ours yet nor active elsewhere; return the new ids."""
    common: dict[str, Any] = {"organization_id": organization_id, "created_at": now, "updated_at": now}
    whole = [PhoneNumber(**common, **row).model_dump(exclude={"id"}) for row in rows]
    statement = insert(PhoneNumber).values(whole).on_conflict_do_nothing().returning(col(PhoneNumber.id))
    return list((await session.execute(statement)).scalars())


def _read_number(reader: ChangeReader, *, region: str) -> None:
    try:
        reader.values["number"] = e164(reader.take("number"), region=region)
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
