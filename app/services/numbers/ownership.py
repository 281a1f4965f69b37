"""Asks the carrier about numbers: outside any transaction. The next transaction uses the answer."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.phone import NumberRejected, normalize, pretty
from app.domain.rights import Right
from app.models import Organization, PhoneNumber
from app.providers.base import ConfiguredAccount, LookupFailed, NumberDirectory, OwnedNumber
from app.providers.registry import make_carrier
from app.runtime.database import Database
from app.services.access.principal import Principal, authorize
from app.services.errors import CallsheetError, FieldErrors
from app.services.numbers.carriers import CarrierIdentity, carrier_name, identity_of
from app.services.refs import Ref, load

Known = Mapping[str, OwnedNumber | None]
"""The carrier's answer: number -> what it can do, None: the account does not have it. Other numbers: unknown."""

_OTHER: Final[Mapping[str, str]] = {"voice": "texts", "sms": "calls"}
"""Use of a number -> what it is for if it cannot do that."""


class CarrierSilent(CallsheetError):
    """The carrier could not be asked, and without its answer nothing is changed."""

    code = "carrier_silent"


@dataclass(frozen=True, slots=True, kw_only=True)
class NumbersAtCarrier:
    """The answer of a carrier account about some numbers."""

    carrier: CarrierIdentity
    known: Known = field(default_factory=dict)
    silent: str = ""
    """Why it could not be asked; empty: it answered."""
    cannot_tell: bool = False
    """This kind of carrier cannot tell which numbers an account has."""


async def known_numbers(carrier: object, numbers: Collection[str]) -> Known:
    """Return the carrier's answer about these numbers; empty if it cannot tell. Raises `LookupFailed`."""
    if not numbers or not isinstance(carrier, NumberDirectory):
        return {}
    found = await carrier.find_numbers(numbers)
    return {number: found.get(number) for number in numbers}


async def ask_about_new(
    database: Database, *, principal: Principal, given: object, account: ConfiguredAccount
) -> NumbersAtCarrier:
    """Ask the carrier about a number as a person wrote it, before `create_number`.

    If the text is no number, the carrier is not asked: `create_number` will refuse it.
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
    account: Callable[[], ConfiguredAccount],
) -> NumbersAtCarrier | None:
    """Ask the carrier about a number that gets a new use (call or text), before `update_number`.

    None: no new use is asked for, so no account is needed. Raises `NotFound`, and the errors of `account`.
    """
    authorize(principal, Right.EDIT_NUMBERS)
    async with database.session() as session:
        number = await _load(session, principal, number_ref)
    return await _ask(account(), number.number) if gained(number, changes) else None


def gained(number: PhoneNumber, changes: Mapping[str, Any]) -> dict[str, bool]:
    """Return which of `voice` and `sms` the changes switch on."""
    return {name: True for name in _OTHER if changes.get(name) is True and not getattr(number, name)}


def granted(said: NumbersAtCarrier, number: str, wanted: Mapping[str, Any]) -> dict[str, bool]:
    """Return the uses of the number (`voice`, `sms`): as wanted, else all that the carrier allows.

    Raises `FieldErrors` if the account does not have the number or it cannot do that, and `CarrierSilent`.
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
        only = f"The carrier says that {pretty(number)} is for {{0}} only. Add it for {{0}} alone, or choose another."
        raise FieldErrors({name: only.format(_OTHER[name]) for name in refused})
    return can | {name: bool(wanted[name]) for name in can if name in wanted}


def e164(given: object, *, region: str) -> str:
    """Return a number in E.164 that was written as in that region. Raises `NumberRejected`."""
    text = str(given) if isinstance(given, str | int) and not isinstance(given, bool) else ""
    return normalize(text, region=region).e164


async def ask_about(account: ConfiguredAccount, numbers: Collection[str]) -> Known:
    """Return the carrier account's answer about these numbers; empty if it cannot tell. Raises `LookupFailed`."""
    carrier = make_carrier(account)
    try:
        return await known_numbers(carrier, numbers)
    finally:
        await carrier.aclose()


async def _ask(account: ConfiguredAccount, number: str) -> NumbersAtCarrier:
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
