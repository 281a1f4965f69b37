"""Sample data: a small campaign, ready to start on the simulated carrier."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.campaign import Channel
from app.domain.rights import Right
from app.models import Contact, PhoneNumber
from app.services.access.legal_policies import DEMO_POLICY
from app.services.access.organizations import update_organization
from app.services.access.principal import Principal, authorize
from app.services.agents.operations import create_agent
from app.services.campaigns.adding import add_contacts
from app.services.campaigns.operations import create_campaign
from app.services.campaigns.settings import WORKING_HOURS
from app.services.contacts.operations import create_contact
from app.services.numbers.adding import add_carrier_numbers

SIMULATED_NUMBERS: Final = ("+12015550123", "+12025550143", "+14155550100")
"""Caller IDs of the sample data: numbers that the simulated carrier always owns."""

_AGENT: Final[Mapping[str, Any]] = {
    "name": "Ava",
    "description": "Friendly and brief. Calls about proposals and appointments.",
    "greeting": "Hi {{name|title_case}}, this is {{assistant_name}} calling from {{company}}.",
}

# The companies are in the notes: as a field, they would make {{company}} in the greeting ambiguous.
_CONTACTS: Final[Sequence[Mapping[str, Any]]] = (
    {
        "number": "+15551234567",
        "name": "John Doe",
        "email": "john@example.com",
        "notes": "Acme Corp. VIP customer",
        "fields": {"deal_stage": "proposal"},
    },
    {
        "number": "+15559876543",
        "name": "Jane Smith",
        "email": "jane@example.com",
        "notes": "Beta Inc. Follow up on quote",
        "fields": {"deal_stage": "discovery"},
    },
    {
        "number": "+15555550100",
        "name": "Bob Wilson",
        "notes": "Gamma LLC. New lead from website",
        "fields": {"deal_stage": "lead"},
    },
)

_CAMPAIGN: Final[Mapping[str, Any]] = {
    "name": "Sample: a word about your deal",
    "description": "Three contacts, up to three tries each, and a question answered by voice or by key.",
    "channel": Channel.CALL,
    "welcome_message_template": _AGENT["greeting"],
    "agenda_template": "I'm calling about your {{deal_stage}} with us.",
    "question_template": "Do you have a minute to chat?",
    "end_call_message_template": "Thank you for your time, {{name}}. Have a great day!",
    "fallback_values": {"name": "there", "deal_stage": "request"},
}


async def load_sample_data(
    session: AsyncSession,
    *,
    principal: Principal,
    now: datetime,
    carrier_numbers: Sequence[str] = SIMULATED_NUMBERS,
) -> None:
    """Create an agent, our numbers and a draft campaign with three contacts, or use existing ones.

    `carrier_numbers` are E.164 numbers of the simulated carrier. The first that no other organization has is the
    campaign's caller ID, the campaign may call at any hour, and legal hours are off: no real person is called. Without
    them, on a real carrier, the campaign has the calling hours of a campaign that is created in the browser.
    """
    authorize(principal, Right.EDIT_CAMPAIGNS)
    if carrier_numbers:
        await update_organization(session, principal=principal, changes=DEMO_POLICY, now=now)
    number_id = await _caller_id(session, principal, carrier_numbers, now)
    agent = {**_AGENT, "default_phone_number_id": number_id}
    agent_id = await create_agent(session, principal=principal, changes=agent, now=now)
    hours = {} if carrier_numbers else WORKING_HOURS
    campaign = {**_CAMPAIGN, **hours, "agent_id": agent_id, "phone_number_id": number_id}
    campaign_id = await create_campaign(session, principal=principal, changes=campaign, now=now)
    contact_ids = [await _contact_id(session, principal, contact, now) for contact in _CONTACTS]
    await add_contacts(
        session, principal=principal, campaign_ref=campaign_id, contact_ids=contact_ids, now=now
    )


async def _caller_id(
    session: AsyncSession, principal: Principal, numbers: Sequence[str], now: datetime
) -> int | None:
    await add_carrier_numbers(session, principal=principal, identity=None, numbers=numbers, now=now)
    statement = select(PhoneNumber).where(
        col(PhoneNumber.organization_id) == principal.organization_id,
        col(PhoneNumber.number).in_(numbers),
        col(PhoneNumber.active),
    )
    ours = {number.number: number.id for number in (await session.execute(statement)).scalars()}
    return next((ours[number] for number in numbers if number in ours), None)


async def _contact_id(
    session: AsyncSession, principal: Principal, contact: Mapping[str, Any], now: datetime
) -> int:
    statement = select(col(Contact.id)).where(
        col(Contact.organization_id) == principal.organization_id, col(Contact.number) == contact["number"]
    )
    found = await session.scalar(statement)
    return found or await create_contact(
        session, principal=principal, changes=contact, now=now, source="sample"
    )
