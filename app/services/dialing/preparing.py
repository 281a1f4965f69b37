"""Before the reservation, outside any transaction: who is next, and what each would be told."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.recipient import RecipientStatus
from app.domain.templates import MissingVariable, TemplateInvalid
from app.models import Agent, Campaign, Contact, Organization, Recipient, Step
from app.services.campaigns.rendering import render_attempt_texts


@dataclass(frozen=True, slots=True)
class Prepared:
    """A recipient with its rendered texts, and the versions they were rendered from."""

    recipient_id: int
    recipient_version: datetime
    contact_version: datetime
    number: str
    rendered: dict[str, str] | None
    problem: str | None = None
    """Why it cannot be rendered: the recipient is skipped."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The next recipients of a campaign, as of one look."""

    campaign: Campaign
    agent: Agent | None
    prepared: tuple[Prepared, ...]


async def prepare_batch(session: AsyncSession, *, campaign_id: int, most: int, now: datetime) -> Batch | None:
    """Look at the next due recipients, in dialing order, and render what they would be told. Locks nothing."""
    row = (
        await session.execute(
            select(Campaign, Agent, col(Organization.name))
            .join(Organization, col(Organization.id) == col(Campaign.organization_id))
            .outerjoin(Agent, col(Agent.id) == col(Campaign.agent_id))
            .where(col(Campaign.id) == campaign_id)
        )
    ).one_or_none()
    if row is None:
        return None
    campaign, agent, organization_name = row
    due = await session.execute(
        select(Recipient, Contact, Step)
        .join(Contact, col(Contact.id) == col(Recipient.contact_id))
        .join(Step, col(Step.id) == col(Recipient.step_id))
        .where(
            col(Recipient.campaign_id) == campaign_id,
            col(Recipient.status) == RecipientStatus.PENDING,
            col(Recipient.not_before) <= now,
        )
        .order_by(col(Recipient.not_before), col(Recipient.position))
        .limit(most)
    )
    prepared = tuple(
        _render(recipient, contact, step, campaign, agent, organization_name)
        for recipient, contact, step in due
    )
    return Batch(campaign, agent, prepared)


def _render(
    recipient: Recipient,
    contact: Contact,
    step: Step,
    campaign: Campaign,
    agent: Agent | None,
    organization_name: str,
) -> Prepared:
    texts: dict[str, str] | None = None
    problem: str | None = None
    try:
        texts = render_attempt_texts(step, campaign, agent, organization_name, contact, recipient.variables)
    except (MissingVariable, TemplateInvalid) as error:
        problem = str(error)
    return Prepared(recipient.id, recipient.updated_at, contact.updated_at, contact.number, texts, problem)
