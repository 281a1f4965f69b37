"""Closing a number to us, and opening it again."""

from datetime import datetime
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.phone import NumberRejected, normalize
from app.domain.recipient import RecipientStatus
from app.domain.rights import Right
from app.live import announce
from app.models import Contact, Organization, Recipient, Suppression, SuppressionScope, SuppressionSource
from app.services.access.principal import Principal, authorize
from app.services.errors import Conflict, FieldErrors, NotFound
from app.services.fields import cleaned, row_id
from app.services.suppression.queries import suppressed_scopes

_LONGEST_REASON: Final = 500
_LONGEST_ACTOR: Final = 200


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
    """Never contact this E.164 number again by the channels of `scope`: the engine's way, with no principal.

    Returns False if it was closed already. Pending recipients are left alone: the gate skips them when due.
    """
    known = await suppressed_scopes(session, organization_id=organization_id, numbers=[number])
    if scope in known.get(number, frozenset()):
        return False
    values = {
        "organization_id": organization_id,
        "number": number,
        "scope": scope,
        "reason": cleaned(reason)[:_LONGEST_REASON],
        "source": source,
        "actor": cleaned(actor)[:_LONGEST_ACTOR],
        "created_at": now,
    }
    statement = insert(Suppression).values(values).on_conflict_do_nothing().returning(col(Suppression.id))
    added = (await session.execute(statement)).scalar_one_or_none()
    if added is not None:
        await _announce(session, organization_id, number)
    return added is not None


async def suppress_contact(
    session: AsyncSession,
    *,
    principal: Principal,
    number: str,
    scope: SuppressionScope,
    reason: str,
    now: datetime,
) -> bool:
    """Never contact this number again, at a person's word; it need not be in the address book.

    Returns False if it was closed already. Raises `FieldErrors` for `number` and `reason`.
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
    """Open the number again, by the channels of this suppression. The row stays: history is evidence.

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
        .values(lifted_at=now, lifted_by=principal.actor[:_LONGEST_ACTOR], lift_reason=cleaned(reason))
        .returning(col(Suppression.number))
    )
    number = (await session.execute(statement)).scalar_one_or_none()
    if number is None:
        await _refuse_to_lift(session, principal, suppression_id)
        return
    await _announce(session, principal.organization_id, number)


async def lift_stop_message(
    session: AsyncSession, *, organization_id: int, number: str, reason: str, actor: str, now: datetime
) -> bool:
    """Open what the person's own STOP closed, at their own START: no other suppression. The engine's way.

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
        .values(
            lifted_at=now, lifted_by=actor[:_LONGEST_ACTOR], lift_reason=cleaned(reason)[:_LONGEST_REASON]
        )
        .returning(col(Suppression.id))
    )
    lifted = (await session.execute(statement)).scalars().all()
    if lifted:
        await _announce(session, organization_id, number)
    return bool(lifted)


async def _refuse_to_lift(session: AsyncSession, principal: Principal, suppression_id: int) -> None:
    statement = select(Suppression).where(
        col(Suppression.id) == row_id(suppression_id),
        col(Suppression.organization_id) == principal.organization_id,
    )
    row = (await session.execute(statement)).scalar_one_or_none()
    if row is None:
        raise NotFound("suppression", suppression_id)
    raise Conflict(f"The suppression of {row.number} has been lifted already, by {row.lifted_by}.")


def _check_reason(reason: str, *, required: bool = False) -> None:
    if len(cleaned(reason)) > _LONGEST_REASON:
        raise FieldErrors({"reason": f"Use at most {_LONGEST_REASON} characters."})
    if required and not cleaned(reason):
        raise FieldErrors({"reason": "Say why this number may be contacted again."})


async def _e164(session: AsyncSession, principal: Principal, number: str) -> str:
    organization = await session.get_one(Organization, principal.organization_id)
    try:
        return normalize(number, region=organization.default_region).e164
    except NumberRejected as rejection:
        raise FieldErrors({"number": str(rejection)}) from rejection


async def _announce(session: AsyncSession, organization_id: int, number: str) -> None:
    """Tell the organization's pages, and those of every campaign that was going to contact the number."""
    announce(session, organization_id=organization_id)
    statement = (
        select(col(Recipient.campaign_id))
        .join(Contact, col(Contact.id) == col(Recipient.contact_id))
        .where(
            col(Contact.organization_id) == organization_id,
            col(Contact.number) == number,
            col(Recipient.status) == RecipientStatus.PENDING,
        )
        .distinct()
    )
    for campaign_id in (await session.execute(statement)).scalars():
        announce(session, organization_id=organization_id, campaign_id=campaign_id)
