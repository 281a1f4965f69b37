"""A campaign's rows, loaded for one organization, read or locked."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ScalarSelect, Select, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.models import Campaign, CampaignNumber, Run, Step
from app.services.access.principal import Principal
from app.services.campaigns.setting_rows import settings_of
from app.services.campaigns.settings import CampaignSettings
from app.services.errors import NotFound
from app.services.refs import Ref, load, select_ref

SHOWN_FIRST: Final = (col(Run.started_at).is_(None), col(Run.number).desc())
"""The order of a campaign's runs in which the one that is shown comes first."""


@dataclass(slots=True)
class CampaignRows:
    """A campaign, its only step (until sequences come) and its number pool in order."""

    campaign: Campaign
    step: Step
    pool: tuple[int, ...]

    @property
    def settings(self) -> CampaignSettings:
        """The campaign's settings."""
        return settings_of(self.campaign, self.step, self.pool)


async def load_campaign(
    session: AsyncSession, principal: Principal, ref: Ref, *, lock: bool = False
) -> Campaign:
    """Return the organization's campaign. Raises `NotFound`.

    `lock` locks the row. Other transactions may still insert attempts and recipients of the campaign.
    """
    if not lock:
        return await load(session, Campaign, ref, organization_id=principal.organization_id)
    statement = select_ref(Campaign, ref, organization_id=principal.organization_id)
    found = None
    if statement is not None:
        locked = statement.with_for_update(key_share=True).execution_options(populate_existing=True)
        found = (await session.execute(locked)).scalar_one_or_none()
    if found is None:
        raise NotFound("campaign", ref)
    return found


async def load_rows(
    session: AsyncSession, principal: Principal, ref: Ref, *, lock: bool = False
) -> CampaignRows:
    """Return the campaign with its step and pool. Raises `NotFound`."""
    campaign = await load_campaign(session, principal, ref, lock=lock)
    return CampaignRows(campaign, await first_step(session, campaign.id), await pool_of(session, campaign.id))


async def first_step(session: AsyncSession, campaign_id: int) -> Step:
    """Return the campaign's first step, which is its only one."""
    found = select(Step).where(col(Step.campaign_id) == campaign_id).order_by(col(Step.position)).limit(1)
    return (await session.execute(found)).scalar_one()


async def latest_run(session: AsyncSession, campaign_id: int) -> Run:
    """Return the latest run, to which new recipients are added."""
    found = select(Run).where(col(Run.campaign_id) == campaign_id).order_by(col(Run.number).desc()).limit(1)
    return (await session.execute(found)).scalar_one()


async def shown_run(session: AsyncSession, campaign_id: int, number: int | None = None) -> Run:
    """Return the run of that number; without one the newest that has started, else the newest. Raises `NotFound`."""
    runs = select(Run).where(col(Run.campaign_id) == campaign_id)
    if number is not None:
        runs = runs.where(col(Run.number) == number)
    found = (await session.execute(runs.order_by(*SHOWN_FIRST).limit(1))).scalar_one_or_none()
    if found is None:
        raise NotFound("run", number or 0)
    return found


def shown_run_id() -> ScalarSelect[int]:
    """Return the id of the run shown of a campaign, for a query of `Campaign`."""
    mine = select(col(Run.id)).where(col(Run.campaign_id) == col(Campaign.id)).correlate(Campaign)
    return mine.order_by(*SHOWN_FIRST).limit(1).scalar_subquery()


def shown_runs(campaign_ids: Collection[int]) -> Select[int]:
    """Return the query of the ids of the runs that are shown of these campaigns."""
    first = distinct_on(col(Run.campaign_id))
    theirs = select(col(Run.id)).where(col(Run.campaign_id).in_(campaign_ids)).ext(first)
    return theirs.order_by(col(Run.campaign_id), *SHOWN_FIRST)


async def pool_of(session: AsyncSession, campaign_id: int) -> tuple[int, ...]:
    """Return the ids of the number pool, in its order."""
    found = (
        select(col(CampaignNumber.phone_number_id))
        .where(col(CampaignNumber.campaign_id) == campaign_id)
        .order_by(col(CampaignNumber.position))
    )
    return tuple((await session.execute(found)).scalars())


def write_pool(session: AsyncSession, campaign_id: int, pool: Sequence[int]) -> None:
    """Insert the rows of a number pool. The campaign must have none yet."""
    session.add_all(
        CampaignNumber(campaign_id=campaign_id, phone_number_id=number, position=position)
        for position, number in enumerate(pool)
    )
