"""Before the reservation, outside any transaction: who is next, and what each would be told."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.attempt import LIVE
from app.domain.campaign import Channel
from app.domain.recipient import RecipientStatus
from app.domain.templates import MissingVariable, TemplateInvalid
from app.models import Agent, Attempt, Campaign, Contact, Organization, Recipient, Step
from app.services.campaigns.rendering import render_attempt_texts

_SPARE: Final = 10
"""Looked at beyond the free lines: some may be skipped, and their turn is the next one's."""


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
    is_full: bool
    """There may be more people due than were looked at."""


async def prepare_batch(
    session: AsyncSession, *, campaign_id: int, most: int, at_most: int, now: datetime
) -> Batch | None:
    """Look at the next due recipients, in dialing order, and render what they would be told. Locks nothing.

    `most` may be reserved: some more are looked at, `at_most` in all.
    """
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
    most = min(await _worth_rendering(session, campaign, most + _SPARE), at_most)
    if most == 0:
        return None
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
    return Batch(campaign, agent, prepared, is_full=len(prepared) == most)


async def _worth_rendering(session: AsyncSession, campaign: Campaign, most: int) -> int:
    """Return how many to look at: a campaign with its lines full has nobody's text to render.

    Nor has one for more people than its minute holds. An estimate without locks; what may really be reserved is
    counted under them.
    """
    if campaign.channel is Channel.SMS:
        return most
    if campaign.rate_limit_per_minute:
        most = min(most, campaign.rate_limit_per_minute + _SPARE)
    live = (
        await session.execute(
            select(func.count())
            .select_from(Attempt)
            .where(
                col(Attempt.campaign_id) == campaign.id,
                col(Attempt.status).in_(LIVE),
                # What is left of an account used before takes no line of this one.
                col(Attempt.carrier_account_id) == campaign.carrier_account_id,
            )
        )
    ).scalar_one()
    free = campaign.concurrent_limit - live
    return 0 if free <= 0 else min(most, free + _SPARE)


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
