"""Whose a number is at the carrier: asked outside any transaction, and heeded in the one that follows."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.phone import NumberRejected, normalize, pretty
from app.domain.rights import Right
from app.models import Organization, PhoneNumber
from app.providers.base import CarrierAccount, LookupFailed, Numbers, OwnedNumber
from app.providers.registry import make_carrier
from app.runtime.database import Database
from app.services.access.principal import Principal, authorize
from app.services.errors import CallsheetError, FieldErrors
from app.services.numbers.carriers import CarrierIdentity, carrier_name, identity_of
from app.services.refs import Ref, load

Known = Mapping[str, OwnedNumber | None]
"""What the carrier said of numbers: what each is good for, None: the account does not have it. Others: unknown."""

_CANNOT: Final[Mapping[str, str]] = {"voice": "calls", "sms": "texts"}


class CarrierSilent(CallsheetError):
    """The carrier could not be asked, and without its word nothing is done."""

    code = "carrier_silent"


@dataclass(frozen=True, slots=True, kw_only=True)
class NumbersAtCarrier:
    """What a carrier account said just now of some numbers."""

    carrier: CarrierIdentity
    known: Known = field(default_factory=dict)
    silent: str = ""
    """Why it could not be asked; empty: it was."""
    cannot_tell: bool = False
    """This kind of carrier does not say which numbers an account has."""


async def known_numbers(carrier: object, numbers: Collection[str]) -> Known:
    """Return what a carrier says of these numbers; nothing if it cannot tell. Raises `LookupFailed`."""
    if not numbers or not isinstance(carrier, Numbers):
        return {}
    found = await carrier.find_numbers(numbers)
    return {number: found.get(number) for number in numbers}


async def ask_about_new(
    database: Database, *, principal: Principal, given: object, account: CarrierAccount
) -> NumbersAtCarrier:
    """Ask the carrier about a number as somebody wrote it, before `create_number`.

    What is no number at all is not asked about: that is for `create_number` to refuse.
    """
    authorize(principal, Right.EDIT_NUMBERS)
    async with database.session() as session:
        organization = await session.get_one(Organization, principal.organization_id)
    try:
        number = e164(given, region=organization.default_region)
    except NumberRejected:
        return NumbersAtCarrier(carrier=identity_of(account))
    return await _ask(account, number)


async def ask_about_change(
    database: Database,
    *,
    principal: Principal,
    number_ref: Ref,
    changes: Mapping[str, Any],
    account: Callable[[], CarrierAccount],
) -> NumbersAtCarrier | None:
    """Ask the carrier about a number that is to call or text from now on, before `update_number`.

    None: nothing of the kind is asked for, and no account is needed. Raises `NotFound`, and what `account` raises.
    """
    authorize(principal, Right.EDIT_NUMBERS)
    async with database.session() as session:
        number = await _load(session, principal, number_ref)
    return await _ask(account(), number.number) if gained(number, changes) else None


def gained(number: PhoneNumber, changes: Mapping[str, Any]) -> dict[str, bool]:
    """Return which of `voice` and `sms` the changes switch on."""
    return {name: True for name in _CANNOT if changes.get(name) is True and not getattr(number, name)}


def granted(said: NumbersAtCarrier, number: str, wanted: Mapping[str, Any]) -> dict[str, bool]:
    """Return what the number is good for (`voice`, `sms`): as wanted, else all that the carrier lets it do.

    Raises `FieldErrors` for what the account does not have or cannot do, and `CarrierSilent`.
    """
    if said.cannot_tell:
        return {}
    if said.silent or number not in said.known:
        why = said.silent or "it was asked about another number"
        raise CarrierSilent(
            f"The carrier could not be asked about {pretty(number)}: {why}. Nothing was changed; try again in a moment."
        )
    owned = said.known[number]
    if owned is None:
        raise FieldErrors({"number": _not_there(said.carrier, number)})
    can = {"voice": owned.voice, "sms": owned.sms}
    if not any(can.values()):
        raise FieldErrors(
            {"number": f"The carrier lets {pretty(number)} neither call nor text. Choose another."}
        )
    refused = [name for name in can if wanted.get(name) and not can[name]]
    if refused:
        raise FieldErrors({name: _cannot(number, name) for name in refused})
    return can | {name: bool(wanted[name]) for name in can if name in wanted}


def e164(given: object, *, region: str) -> str:
    """Return a number in E.164 as somebody of that region wrote it. Raises `NumberRejected`."""
    text = str(given) if isinstance(given, str | int) and not isinstance(given, bool) else ""
    return normalize(text, region=region).e164


async def ask_about(account: CarrierAccount, numbers: Collection[str]) -> Known:
    """Return what the carrier account says of these numbers; nothing if it cannot tell. Raises `LookupFailed`."""
    carrier = make_carrier(account)
    try:
        return await known_numbers(carrier, numbers)
    finally:
        await carrier.aclose()


async def _ask(account: CarrierAccount, number: str) -> NumbersAtCarrier:
    identity = identity_of(account)
    try:
        known = await ask_about(account, [number])
    except LookupFailed as error:
        return NumbersAtCarrier(carrier=identity, silent=str(error))
    return NumbersAtCarrier(carrier=identity, known=known, cannot_tell=not known)


async def _load(session: AsyncSession, principal: Principal, ref: Ref) -> PhoneNumber:
    return await load(session, PhoneNumber, ref, organization_id=principal.organization_id)


def _not_there(carrier: CarrierIdentity, number: str) -> str:
    buy = "" if carrier.simulated else "Buy it there, or verify it there to call from it, or "
    choose = f"{buy}choose one of its numbers: the Numbers page can add all of them."
    name = carrier_name(carrier)
    return f"{name[0].upper()}{name[1:]} does not have {pretty(number)}. {choose[0].upper()}{choose[1:]}"


def _cannot(number: str, name: str) -> str:
    able = next(words for other, words in _CANNOT.items() if other != name)
    return f"The carrier says that {pretty(number)} is for {able} only. Add it for {able} alone, or choose another."
