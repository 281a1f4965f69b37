"""Suppressing a number, and lifting a suppression."""

from datetime import datetime
from typing import NoReturn

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.phone import NumberRejected, normalize
from app.domain.rights import Right
from app.domain.suppression import SuppressionScope, SuppressionSource
from app.models import Organization, Suppression
from app.runtime.live_feed import announce
from app.services.access.principal import Principal, authorize
from app.services.errors import Conflict, FieldErrors, NotFound
from app.services.field_readers import cleaned, row_id
from app.services.suppression.closing import LONGEST_ACTOR, LONGEST_REASON, Closing, close_numbers


async def suppress(
    session: AsyncSession,
    *,
    organization_id: int,
    number: str,
    scope: SuppressionScope,
    reason: str,
    source: SuppressionSource,
    actor: str,
    now: datetime,
) -> bool:
    """Suppress this E.164 number on the channels of `scope`. For the engine: there is no principal.

    Returns False if it was suppressed already. Recipients that wait on those channels are skipped.
    """
    closed = await close_numbers(
        session,
        organization_id=organization_id,
        closings=[Closing(number, scope, reason)],
        source=source,
        actor=actor,
        now=now,
    )
    return bool(closed)


async def suppress_contact(
    session: AsyncSession,
    *,
    principal: Principal,
    number: str,
    scope: SuppressionScope,
    reason: str,
    now: datetime,
) -> bool:
    """Suppress this number at a person's request; it need not be in the address book.

    Returns False if it was suppressed already. Raises `FieldErrors` for `number` and `reason`.
    """
    authorize(principal, Right.EDIT_CONTACTS)
    _check_reason(reason)
    by_key = principal.key_id is not None
    return await suppress(
        session,
        organization_id=principal.organization_id,
        number=await _e164(session, principal, number),
        scope=scope,
        reason=reason,
        source=SuppressionSource.API if by_key else SuppressionSource.MANUAL,
        actor=principal.actor,
        now=now,
    )


async def lift(
    session: AsyncSession, *, principal: Principal, suppression_id: int, reason: str, now: datetime
) -> None:
    """Lift this suppression: its channels may be used again. The row stays as evidence.

    Recipients that it skipped stay skipped until a person retries them in their campaign: a lift dials no one.
    Raises `FieldErrors` without a reason, `NotFound`, and `Conflict` if it has been lifted already.
    """
    authorize(principal, Right.EDIT_CONTACTS)
    _check_reason(reason, required=True)
    statement = (
        update(Suppression)
        .where(
            col(Suppression.id) == row_id(suppression_id),
            col(Suppression.organization_id) == principal.organization_id,
            col(Suppression.lifted_at).is_(None),
        )
        .values(lifted_at=now, lifted_by=principal.actor[:LONGEST_ACTOR], lift_reason=cleaned(reason))
        .returning(col(Suppression.number))
    )
    if (await session.execute(statement)).scalar_one_or_none() is None:
        await _refuse_to_lift(session, principal, suppression_id)
    announce(session, organization_id=principal.organization_id)


async def lift_stop_message(
    session: AsyncSession, *, organization_id: int, number: str, reason: str, actor: str, now: datetime
) -> bool:
    """Lift the suppression of a person's own STOP, at their own START, and no other. For the engine: no principal.

    Returns False if there was none.
    """
    statement = (
        update(Suppression)
        .where(
            col(Suppression.organization_id) == organization_id,
            col(Suppression.number) == number,
            col(Suppression.source) == SuppressionSource.STOP_MESSAGE,
            col(Suppression.lifted_at).is_(None),
        )
        .values(lifted_at=now, lifted_by=actor[:LONGEST_ACTOR], lift_reason=cleaned(reason)[:LONGEST_REASON])
        .returning(col(Suppression.id))
    )
    lifted = (await session.execute(statement)).scalars().all()
    if lifted:
        announce(session, organization_id=organization_id)
    return bool(lifted)


async def _refuse_to_lift(session: AsyncSession, principal: Principal, suppression_id: int) -> NoReturn:
    statement = select(Suppression).where(
        col(Suppression.id) == row_id(suppression_id),
        col(Suppression.organization_id) == principal.organization_id,
    )
    row = (await session.execute(statement)).scalar_one_or_none()
    if row is None:
        raise NotFound("suppression", suppression_id)
    raise Conflict(f"The suppression of {row.number} has been lifted already, by {row.lifted_by}.")


def _check_reason(reason: str, *, required: bool = False) -> None:
    if len(cleaned(reason)) > LONGEST_REASON:
        raise FieldErrors({"reason": f"Use at most {LONGEST_REASON} characters."})
    if required and not cleaned(reason):
        raise FieldErrors({"reason": "Say why this number may be contacted again."})


async def _e164(session: AsyncSession, principal: Principal, number: str) -> str:
    organization = await session.get_one(Organization, principal.organization_id)
    try:
        return normalize(number, region=organization.default_region).e164
    except NumberRejected as rejection:
        raise FieldErrors({"number": str(rejection)}) from rejection
