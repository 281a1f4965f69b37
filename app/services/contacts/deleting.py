"""Deletes people from the address book: only those in no campaign, because a campaign's record is evidence."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import case, delete, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.campaign import CampaignStatus
from app.domain.rights import Right
from app.models import Campaign, Contact, Recipient
from app.runtime.live_feed import announce
from app.services.access.principal import Principal, authorize
from app.services.errors import Conflict, NotFound
from app.services.field_readers import row_id

_OVER: Final = (CampaignStatus.COMPLETED, CampaignStatus.CANCELLED)


@dataclass(frozen=True, slots=True)
class KeptContact:
    """A person who was not deleted, and why."""

    contact_id: int
    number: str
    reason: str


class ContactInUse(Conflict):
    """The contact is or was in a campaign."""


async def delete_contact(session: AsyncSession, *, principal: Principal, contact_id: int) -> None:
    """Delete a person who is in no campaign. A suppression of the number stays. Raises `NotFound`, `ContactInUse`."""
    authorize(principal, Right.EDIT_CONTACTS)
    deleted, kept = await delete_contacts(session, principal.organization_id, [row_id(contact_id)])
    if kept:
        raise ContactInUse(kept[0].reason)
    if not deleted:
        raise NotFound("contact", contact_id)


async def delete_contacts(
    session: AsyncSession, organization_id: int, contact_ids: Sequence[int]
) -> tuple[int, list[KeptContact]]:
    """Delete the people who are in no campaign; return how many, and who was kept and why. The caller authorizes."""
    # The lock keeps others from adding them to a campaign between the check and the deletion.
    locked = (
        select(col(Contact.id), col(Contact.number))
        .where(col(Contact.organization_id) == organization_id, col(Contact.id).in_(contact_ids))
        .order_by(col(Contact.number))
        .with_for_update()
    )
    numbers = {row.id: row.number for row in await session.execute(locked)}
    reasons = await _reasons_to_keep(session, list(numbers))
    free = [contact_id for contact_id in numbers if contact_id not in reasons]
    await session.execute(delete(Contact).where(col(Contact.id).in_(free)))
    if free:
        announce(session, organization_id=organization_id)
    return len(free), [
        KeptContact(contact_id, numbers[contact_id], why) for contact_id, why in reasons.items()
    ]


async def _reasons_to_keep(session: AsyncSession, contact_ids: Sequence[int]) -> dict[int, str]:
    """Return why each must stay: a campaign that is not over, else the newest one."""
    is_over = case((col(Campaign.status).in_(_OVER), 1), else_=0)
    statement = (
        select(col(Recipient.contact_id), col(Campaign.name), is_over)
        .join(Campaign, col(Campaign.id) == col(Recipient.campaign_id))
        .where(col(Recipient.contact_id).in_(contact_ids))
        .ext(distinct_on(col(Recipient.contact_id)))
        .order_by(col(Recipient.contact_id), is_over, col(Recipient.id).desc())
    )
    return {
        contact_id: _why_kept(campaign, is_over=bool(over))
        for contact_id, campaign, over in await session.execute(statement)
    }


def _why_kept(campaign: str, *, is_over: bool) -> str:
    if is_over:
        return (
            f"They were in the campaign “{campaign}”: its record says who was contacted, and must stay true. "
            "To contact them no more, suppress the number."
        )
    return f"They are in the campaign “{campaign}”, which is not over. Remove them there first."
