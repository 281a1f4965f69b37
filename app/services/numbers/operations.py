"""Changing and switching off our numbers."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.campaign import UNDER_WAY, Channel
from app.domain.phone import pretty
from app.domain.rights import Right
from app.models import Organization, PhoneNumber
from app.runtime.live_feed import announce
from app.services.access.principal import Principal, authorize
from app.services.errors import Conflict, FieldErrors
from app.services.field_readers import ChangeReader
from app.services.numbers.ownership import CarrierSilent, NumbersAtCarrier, gained, granted
from app.services.numbers.reopening import ask_again, hold_dialing
from app.services.numbers.use import campaigns_left_without
from app.services.refs import Ref, load

MOST_CALLS: Final = 100_000
A_DAY_OF_MINUTES: Final = 1_440
"""Caps count the calls of this time at most."""
LONGEST_LABEL: Final = 200
ELSEWHERE: Final = (
    "This number already belongs to another organization of this installation. "
    "Ask its administrator to deactivate it there first."
)
"""Why a number cannot be ours. It does not say which organization has it."""
_CHANNELS: Final[Mapping[str, frozenset[Channel]]] = {
    "voice": frozenset(Channel) - {Channel.SMS},
    "sms": frozenset({Channel.SMS}),
}
"""Use of a number -> the channels of the campaigns that need it."""


async def update_number(
    session: AsyncSession,
    *,
    principal: Principal,
    number_ref: Ref,
    changes: Mapping[str, Any],
    said: NumbersAtCarrier | None,
    now: datetime,
) -> None:
    """Change `label`, `voice`, `sms` or the caps. The number itself cannot change: attempts were made from it.

    `said`: the result of `ask_about_change` just before. Raises `NotFound`, `CarrierSilent`, and `FieldErrors`, also
    if the carrier does not allow a use, or a campaign under way needs a use that is switched off.
    """
    authorize(principal, Right.EDIT_NUMBERS)
    await hold_dialing(session, principal.organization_id)
    number = await _load_locked(session, principal, number_ref)
    values = read_rest(ChangeReader(changes))
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
    """Switch a number on or off. Nothing is placed from one that is off, and it is no default any more.

    Raises `NotFound`, and `Conflict` when a campaign that runs, is queued or scheduled has no other number, and when
    another organization has made it active in the meantime.
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


_ON_DEFAULT: Final = text(
    """
    SELECT c.name FROM campaign c
    LEFT JOIN agent a ON a.id = c.agent_id
    WHERE c.organization_id = :organization_id AND c.status = ANY(:statuses)
      AND coalesce(c.phone_number_id, a.default_phone_number_id) IS NULL
      AND NOT EXISTS (SELECT 1 FROM campaign_number p WHERE p.campaign_id = c.id)
    ORDER BY c.id LIMIT 1
    """
)
"""A campaign under way whose caller ID is the organization's default."""


async def set_default_number(
    session: AsyncSession, *, principal: Principal, number_ref: Ref | None, now: datetime
) -> None:
    """Make an active number the organization's caller ID for campaigns and agents without one; None for none.

    Raises `NotFound`, and `Conflict` if the number is off, or `None` would leave a campaign under way without one.
    """
    authorize(principal, Right.EDIT_NUMBERS)
    organization = await session.get_one(
        Organization, principal.organization_id, with_for_update={"key_share": True}
    )
    number = None if number_ref is None else await _load_locked(session, principal, number_ref)
    if number is not None and not number.active:
        raise Conflict(f"{number.number} is not active. Activate it first.")
    uses_default = {"organization_id": organization.id, "statuses": sorted(UNDER_WAY)}
    if number is None and (campaign := await session.scalar(_ON_DEFAULT, uses_default)):
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


async def _load_locked(session: AsyncSession, principal: Principal, ref: Ref) -> PhoneNumber:
    return await load(session, PhoneNumber, ref, organization_id=principal.organization_id, lock=True)


def _require_capable(said: NumbersAtCarrier | None, number: str, wanted: Mapping[str, bool]) -> None:
    """Check with the carrier's answer that the number may get a new use. Raises `FieldErrors`, `CarrierSilent`."""
    if said is None:
        raise CarrierSilent(f"{pretty(number)} was changed by somebody else just now. Try again.")
    try:
        granted(said, number, wanted)
    except FieldErrors as refused:
        raise FieldErrors(dict.fromkeys(wanted, " ".join(refused.errors.values()))) from refused


async def _refuse_if_needed(session: AsyncSession, number: PhoneNumber, values: Mapping[str, Any]) -> None:
    """Check that no campaign under way needs a use that is switched off. Raises `FieldErrors`."""
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
    """Switch it on. Raises `Conflict` if another organization has it."""
    try:
        async with session.begin_nested():
            await session.execute(
                update(PhoneNumber)
                .where(col(PhoneNumber.id) == number.id)
                .values(active=True, inactive_why="")
                .execution_options(synchronize_session=False)
            )
    except IntegrityError as error:  # if another organization added it at the same moment, we waited for that
        raise Conflict(ELSEWHERE) from error
    await session.refresh(number)


def read_rest(reader: ChangeReader) -> dict[str, Any]:
    """Read the changes of a number, without the number itself. Raises `FieldErrors`."""
    reader.text("label", label="The label", most=LONGEST_LABEL)
    reader.flag("voice", label="Voice")
    reader.flag("sms", label="Texts")
    reader.whole("daily_cap", label="The daily cap", least=0, most=MOST_CALLS)
    reader.whole("burst_cap", label="The burst cap", least=0, most=MOST_CALLS)
    reader.whole("burst_minutes", label="The minutes of a burst", least=1, most=A_DAY_OF_MINUTES)
    reader.whole("cool_down_minutes", label="The cool-down", least=0, most=A_DAY_OF_MINUTES)
    return reader.finish()
