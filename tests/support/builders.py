"""Rows with sane defaults: a test names what matters to it and nothing else."""

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final, TypeVar
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.attempt import AttemptStatus
from app.domain.audience import AudienceMode, AudienceStatus
from app.domain.bulk_change import BulkAction
from app.domain.campaign import CampaignStatus, Channel
from app.domain.recipient import RecipientStatus
from app.domain.rights import Role
from app.models import (
    Agent,
    Attempt,
    Audience,
    BulkChange,
    Campaign,
    CampaignNumber,
    CarrierAccount,
    Contact,
    Member,
    Organization,
    PhoneNumber,
    Recipient,
    Run,
    Segment,
    Step,
    User,
)
from app.models.columns import Row
from app.services.access.principal import Principal
from app.services.places.store import place_ids, place_of_contact
from tests.support.numbers import new_number

NOON: Final = datetime(2026, 3, 10, 16, 0, tzinfo=UTC)
"""The usual time of a test: a Tuesday, noon in New York."""

AnyRow = TypeVar("AnyRow", bound=Row)

_serial = count(1)


async def make_organization(session: AsyncSession, **values: Any) -> Organization:
    """An organization in New York."""
    serial = next(_serial)
    defaults: dict[str, Any] = {"slug": f"acme-{serial}", "name": "Acme Corp", "created_at": NOON}
    return await _stored(session, Organization(**defaults | values))


async def make_member(
    session: AsyncSession, organization: Organization, *, role: Role = Role.OWNER, **values: Any
) -> User:
    """A person who is a member of the organization; they have no password unless a hash is given."""
    defaults: dict[str, Any] = {
        "email": f"ann{next(_serial)}@example.com",
        "password_hash": "!",
        "created_at": NOON,
    }
    user = await _stored(session, User(**defaults | values))
    await _stored(
        session, Member(organization_id=organization.id, user_id=user.id, role=role, created_at=NOON)
    )
    return user


def principal(organization: Organization, role: Role = Role.OWNER, **values: Any) -> Principal:
    """Somebody with that role in the organization."""
    defaults: dict[str, Any] = {
        "organization_id": organization.id,
        "organization_slug": organization.slug,
        "organization_name": organization.name,
        "role": role,
        "actor": f"{role}@example.com",
        "time_zone": organization.time_zone,
    }
    return Principal(**defaults | values)


async def make_agent(session: AsyncSession, organization: Organization, **values: Any) -> Agent:
    """An active agent, Ava."""
    defaults: dict[str, Any] = {
        "organization_id": organization.id,
        "name": "Ava",
        "greeting": "Hello {{name}}.",
        "created_at": NOON,
        "updated_at": NOON,
    }
    return await _stored(session, Agent(**defaults | values))


async def make_carrier_account(session: AsyncSession, **values: Any) -> CarrierAccount:
    """A simulated carrier's account."""
    defaults: dict[str, Any] = {
        "kind": "twilio",
        "account_sid": f"AC{next(_serial):032x}",
        "api_url": "http://localhost:3001",
        "simulated": True,
        "calls_per_second": 50,
        "created_at": NOON,
    }
    return await _stored(session, CarrierAccount(**defaults | values))


async def make_number(session: AsyncSession, organization: Organization, **values: Any) -> PhoneNumber:
    """An active number that calls and texts."""
    defaults: dict[str, Any] = {
        "organization_id": organization.id,
        "number": new_number(area=201),
        "created_at": NOON,
        "updated_at": NOON,
    }
    return await _stored(session, PhoneNumber(**defaults | values))


async def make_contact(session: AsyncSession, organization: Organization, **values: Any) -> Contact:
    """A contact with a name and a number of their own."""
    serial = next(_serial)
    defaults: dict[str, Any] = {
        "organization_id": organization.id,
        "number": new_number(),
        "name": f"Contact {serial}",
        "created_at": NOON,
        "updated_at": NOON,
    }
    contact = Contact(**defaults | values)
    found = place_of_contact(vars(contact))
    contact.place_id = (await place_ids(session, [found.place]))[found.place]
    contact.zone_source = found.source
    return await _stored(session, contact)


async def make_segment(session: AsyncSession, organization: Organization, **values: Any) -> Segment:
    """A segment of everybody, under a name of its own."""
    defaults: dict[str, Any] = {
        "organization_id": organization.id,
        "name": f"Segment {next(_serial)}",
        "created_at": NOON,
        "updated_at": NOON,
    }
    return await _stored(session, Segment(**defaults | values))


async def make_bulk_change(session: AsyncSession, organization: Organization, **values: Any) -> BulkChange:
    """A bulk change of everybody that waits for its job."""
    defaults: dict[str, Any] = {
        "organization_id": organization.id,
        "action": BulkAction.TAG,
        "arguments": {"tags": ["vip"]},
        "until_id": 2**62,
        "created_at": NOON,
        "next_at": NOON,
    }
    return await _stored(session, BulkChange(**defaults | values))


async def make_campaign(
    session: AsyncSession,
    organization: Organization,
    *,
    status: CampaignStatus = CampaignStatus.DRAFT,
    channel: Channel = Channel.CALL,
    agent: Agent | None = None,
    number: PhoneNumber | None = None,
    pool: tuple[PhoneNumber, ...] = (),
    step: Mapping[str, Any] | None = None,
    **values: Any,
) -> Campaign:
    """A campaign with its one run and its one step (`step`: that row's own values)."""
    defaults: dict[str, Any] = {
        "organization_id": organization.id,
        "name": "March reminders",
        "status": status,
        "channel": channel,
        "agent_id": agent.id if agent else None,
        "phone_number_id": number.id if number else None,
        "created_at": NOON,
        "updated_at": NOON,
    }
    campaign = await _stored(session, Campaign(**defaults | values))
    await _stored(session, Run(campaign_id=campaign.id, created_at=NOON))
    words = {"welcome_message_template": "Hello {{name}}.", "sms_message_template": "Hello {{name}}."}
    await _stored(session, Step(campaign_id=campaign.id, channel=channel, **words | dict(step or {})))
    for position, pooled in enumerate(pool, start=1):
        row = CampaignNumber(campaign_id=campaign.id, phone_number_id=pooled.id, position=position)
        await _stored(session, row)
    return campaign


async def make_audience(session: AsyncSession, campaign: Campaign, **values: Any) -> Audience:
    """A rule that keeps adding everyone to the campaign, and has added who was there."""
    defaults: dict[str, Any] = {
        "organization_id": campaign.organization_id,
        "campaign_id": campaign.id,
        "mode": AudienceMode.STANDING,
        "status": AudienceStatus.STANDING,
        "exclude": {"not_contacted_for_days": 0, "not_in_campaigns": []},
        "next_at": NOON,
        "created_at": NOON,
    }
    return await _stored(session, Audience(**defaults | values))


async def make_recipient(
    session: AsyncSession,
    campaign: Campaign,
    contact: Contact | None = None,
    *,
    status: RecipientStatus = RecipientStatus.PENDING,
    **values: Any,
) -> Recipient:
    """A contact (a new one, unless given) in the campaign's run, at its next position."""
    if contact is None:
        organization = await session.get_one(Organization, campaign.organization_id)
        contact = await make_contact(session, organization)
    defaults: dict[str, Any] = {
        "organization_id": campaign.organization_id,
        "campaign_id": campaign.id,
        "run_id": await run_id_of(session, campaign),
        "step_id": await step_id_of(session, campaign),
        "contact_id": contact.id,
        "place_id": contact.place_id,
        "position": campaign.next_position,
        "status": status,
        "not_before": NOON,
        "created_at": NOON,
        "updated_at": NOON,
    }
    campaign.next_position += 1
    return await _stored(session, Recipient(**defaults | values))


async def make_attempt(
    session: AsyncSession,
    recipient: Recipient,
    *,
    number: PhoneNumber,
    status: AttemptStatus = AttemptStatus.COMPLETED,
    carrier_account: CarrierAccount | None = None,
    **values: Any,
) -> Attempt:
    """A try to reach the recipient, from one of our numbers."""
    campaign = await session.get_one(Campaign, recipient.campaign_id)
    contact = await session.get_one(Contact, recipient.contact_id)
    defaults: dict[str, Any] = {
        "id": uuid4(),
        "organization_id": recipient.organization_id,
        "campaign_id": recipient.campaign_id,
        "run_id": recipient.run_id,
        "step_id": recipient.step_id,
        "recipient_id": recipient.id,
        "contact_id": contact.id,
        "agent_id": campaign.agent_id,
        "carrier_account_id": (carrier_account or await make_carrier_account(session)).id,
        "phone_number_id": number.id,
        "channel": campaign.channel,
        "number_from": number.number,
        "number_to": contact.number,
        "ordinal": 1,
        "status": status,
        "reserved_at": NOON,
    }
    return await _stored(session, Attempt(**defaults | values))


async def run_id_of(session: AsyncSession, campaign: Campaign) -> int:
    """The id of the campaign's first run."""
    statement = select(col(Run.id)).where(col(Run.campaign_id) == campaign.id).order_by(col(Run.number))
    return (await session.execute(statement.limit(1))).scalar_one()


async def step_id_of(session: AsyncSession, campaign: Campaign) -> int:
    """The id of the campaign's first step."""
    statement = select(col(Step.id)).where(col(Step.campaign_id) == campaign.id).order_by(col(Step.position))
    return (await session.execute(statement.limit(1))).scalar_one()


async def _stored(session: AsyncSession, row: AnyRow) -> AnyRow:
    session.add(row)
    await session.flush()
    return row
