"""Before the reservation, outside any transaction: who is next, and what each would be told."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import Row, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.pacing import PacingLimits
from app.domain.templates import TemplateInvalid, Untellable
from app.models import Agent, Campaign, Organization, Step
from app.services.campaigns.rendering import Card, broken_templates, render_attempt_texts
from app.services.campaigns.setting_rows import unreadable

_SPARE: Final = 10
"""Looked at beyond the free lines: some may be skipped, and their turn is the next one's."""


class SettingsUnreadable(Exception):
    """The campaign cannot be dialed by what is stored of its settings. The text says what to mend."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(" ".join(problems.values()))


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
class CandidateBatch:
    """The next recipients of a campaign, as of one look."""

    campaign: Campaign
    agent: Agent | None
    prepared: tuple[Prepared, ...]
    is_full: bool
    """There may be more people due than were looked at."""


async def prepare_batch(
    session: AsyncSession, *, campaign_id: int, most: int, at_most: int, now: datetime
) -> CandidateBatch | None:
    """Look at the next due recipients, in dialing order, and render what they would be told. Locks nothing.

    `most` may be reserved: some more are looked at, `at_most` in all. Raises `SettingsUnreadable`.
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
    if problems := unreadable(campaign):
        raise SettingsUnreadable(problems)
    most = _worth_rendering(campaign, most, at_most)
    due = (await session.execute(_DUE, {"campaign_id": campaign_id, "now": now, "most": most})).all()
    steps = await _steps(session, {row.step_id for row in due})
    prepared = tuple(_render(row, steps[row.step_id], campaign, agent, organization_name) for row in due)
    return CandidateBatch(campaign, agent, prepared, is_full=len(prepared) == most)


# Columns, not objects: to make three objects a person takes longer than to render what it is told.
_DUE: Final = text(
    """
    SELECT r.id, r.updated_at, r.step_id, r.variables, contact.updated_at AS contact_version,
           contact.number, contact.name, contact.first_name, contact.last_name, contact.email, contact.company,
           contact.notes
    FROM (
        -- Who was at the head of the line when somebody else talked to their number is there again afterwards.
        (SELECT r.*, 1 AS turn FROM recipient r
         WHERE r.campaign_id = :campaign_id AND r.status = 'pending' AND r.not_before <= :now
           AND r.blocked_by = 'number_in_use'
         ORDER BY r.not_before, r.position LIMIT :most)
        UNION ALL
        (SELECT r.*, 2 AS turn FROM recipient r
         WHERE r.campaign_id = :campaign_id AND r.status = 'pending' AND r.not_before <= :now
           AND r.blocked_by IS DISTINCT FROM 'number_in_use'
         ORDER BY r.not_before, r.position LIMIT :most)
    ) r JOIN contact ON contact.id = r.contact_id
    ORDER BY r.turn, r.not_before, r.position
    LIMIT :most
    """
)


async def _steps(session: AsyncSession, step_ids: set[int]) -> dict[int, Step]:
    if not step_ids:
        return {}
    steps = await session.execute(select(Step).where(col(Step.id).in_(step_ids)))
    return {step.id: step for step in steps.scalars()}


def _worth_rendering(campaign: Campaign, most: int, at_most: int) -> int:
    """Return how many to look at: nobody has a text rendered for more people than a campaign's minute holds.

    An estimate without locks; what may really be reserved is counted under them.
    """
    most = min(most, PacingLimits.of(vars(campaign)).calls_per_minute or most)
    return min(most + _SPARE, at_most)


def _render(
    row: Row[Any], step: Step, campaign: Campaign, agent: Agent | None, organization_name: str
) -> Prepared:
    texts: dict[str, str] | None = None
    problem: str | None = None
    try:
        texts = render_attempt_texts(step, campaign, agent, organization_name, cast(Card, row), row.variables)
    except (Untellable, TemplateInvalid) as error:
        if broken := broken_templates(step, agent):
            raise SettingsUnreadable(broken) from error  # Nobody is skipped for it.
        problem = str(error)
    return Prepared(row.id, row.updated_at, row.contact_version, row.number, texts, problem)
