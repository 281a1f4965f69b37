"""Texts from people to our numbers: STOP suppresses the person's number, START lifts that."""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.phone import NumberRejected, mask, normalize
from app.domain.suppression import SuppressionScope, SuppressionSource
from app.models import PhoneNumber, ProviderEvent
from app.providers.base import InboundMessage, Keyword
from app.runtime.database import Database
from app.services.numbers.carriers import CarrierIdentity, ensure_carrier_account
from app.services.suppression.operations import lift_stop_message, suppress

log = logging.getLogger(__name__)

_KIND: Final = "inbound_message"
_NO_REGION: Final = "ZZ"
"""The carrier writes numbers in E.164. Other senders (short codes, names) are no person's phone."""

_QUOTED: Final = 200
"""Characters of the text that are stored with a suppression, as evidence."""


async def handle_inbound_message(
    database: Database,
    *,
    carrier: CarrierIdentity,
    message: InboundMessage,
    raw: Mapping[str, str],
    now: datetime,
) -> None:
    """Store a person's text and do what it asks: STOP suppresses their number, START lifts what STOP suppressed.

    It concerns only the organization of the number they wrote to, on this carrier account. The same text again changes
    nothing. A text to a number that no organization has is not stored.
    """

    async def work(session: AsyncSession) -> None:
        account = await ensure_carrier_account(session, carrier, now=now)
        owner = await _owner(session, number=message.to, carrier_account_id=account.id)
        if owner is None or not await _store(session, account.id, message, raw=raw, now=now):
            return
        person = _number_of(message.from_)
        if person is None:
            log.warning("inbound.no_number", extra={"provider_id": message.provider_id})
            return
        await _obey(session, message, organization_id=owner, person=person, now=now)

    await database.write(work)


async def _owner(session: AsyncSession, *, number: str, carrier_account_id: int) -> int | None:
    """Return the organization that has this number, or had it last: people may answer old texts.

    For some of our numbers the carrier account is not known.
    """
    statement = (
        select(col(PhoneNumber.organization_id))
        .where(
            col(PhoneNumber.number) == number,
            or_(
                col(PhoneNumber.carrier_account_id) == carrier_account_id,
                col(PhoneNumber.carrier_account_id).is_(None),
            ),
        )
        .order_by(
            col(PhoneNumber.active).desc(), col(PhoneNumber.updated_at).desc(), col(PhoneNumber.id).desc()
        )
        .limit(1)
    )
    return await session.scalar(statement)


async def _store(
    session: AsyncSession,
    carrier_account_id: int,
    message: InboundMessage,
    *,
    raw: Mapping[str, str],
    now: datetime,
) -> bool:
    """Store the webhook as it came; False if it came before."""
    values = {
        "carrier_account_id": carrier_account_id,
        "kind": _KIND,
        "dedupe_key": f"inbound:{message.provider_id}"[:200],
        "payload": dict(raw),
        "received_at": now,
    }
    statement = insert(ProviderEvent).values(values).on_conflict_do_nothing().returning(col(ProviderEvent.id))
    return (await session.execute(statement)).scalar_one_or_none() is not None


def _number_of(sender: str) -> str | None:
    try:
        return normalize(sender, region=_NO_REGION).e164
    except NumberRejected:
        return None


async def _obey(
    session: AsyncSession, message: InboundMessage, *, organization_id: int, person: str, now: datetime
) -> None:
    actor, quoted = f"message:{message.provider_id}", message.body.strip()[:_QUOTED]
    if message.keyword is Keyword.STOP:
        await suppress(
            session,
            organization_id=organization_id,
            number=person,
            scope=SuppressionScope.ALL,
            reason=f"The person texted “{quoted}” to {message.to}.",
            source=SuppressionSource.STOP_MESSAGE,
            actor=actor,
            now=now,
        )
        log.info("inbound.stop", extra={"number": mask(person), "organization_id": organization_id})
    elif message.keyword is Keyword.START:
        await lift_stop_message(
            session,
            organization_id=organization_id,
            number=person,
            reason=f"The person texted “{quoted}” to {message.to}.",
            actor=actor,
            now=now,
        )
