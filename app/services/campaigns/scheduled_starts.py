"""Starts the scheduled campaigns whose time has come, with the same check as a start by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.campaign import CampaignStatus
from app.models import Campaign
from app.runtime.clock import Clock
from app.runtime.database import Database
from app.runtime.fault_points import fault
from app.runtime.live_feed import announce
from app.services.campaigns.carrier_check import numbers_of, said_of
from app.services.campaigns.readiness import what_to_mend
from app.services.campaigns.rows import CampaignRows, first_step, latest_run, pool_of
from app.services.campaigns.runs import due_run, move_run
from app.services.campaigns.schedules import plan_of
from app.services.campaigns.transitions import move_campaign
from app.services.numbers.ownership import Known
from app.services.recipients.transitions import cancel_waiting


@dataclass(frozen=True, slots=True)
class _DueCampaign:
    """A campaign whose time has come, and the numbers to ask the carrier about."""

    id: int
    numbers: Sequence[str]


async def launch_scheduled(
    database: Database, carrier: object, *, carrier_account_id: int, clock: Clock
) -> list[int]:
    """Queue the scheduled campaigns whose time has come and return them. Called every few seconds.

    If a campaign is not ready any more, it fails with what to correct, and a person resumes it: it must not call people
    with an incomplete text when no person watches. The carrier is asked about all numbers at once, before any lock.
    """
    async with database.session() as session:
        due = await _due(session, carrier_account_id=carrier_account_id, now=clock.now())
    known = await said_of(carrier, sorted({number for each in due for number in each.numbers}))
    launched = []
    for each in due:
        heard = known if each.numbers else {}
        work = partial(launch, campaign_id=each.id, now=clock.now(), known=heard)
        if await database.write(work):
            launched.append(each.id)
        fault("after_launch_commit")
    return launched


async def launch(session: AsyncSession, *, campaign_id: int, now: datetime, known: Known) -> bool:
    """Queue a scheduled campaign whose time has come, or fail it; return whether it is queued.

    A campaign that is locked by another transaction is skipped until the next call.
    """
    due = (
        select(Campaign)
        .where(
            col(Campaign.id) == campaign_id,
            col(Campaign.status) == CampaignStatus.SCHEDULED,
            col(Campaign.scheduled_at) <= now,
        )
        .with_for_update(key_share=True, skip_locked=True)
    )
    campaign = (await session.execute(due)).scalar_one_or_none()
    if campaign is None or not await _takes_its_turn(session, campaign, now):
        return False
    rows = await _rows(session, campaign)
    problems = await what_to_mend(
        session, rows, now=now, carrier_account_id=campaign.carrier_account_id, known=known
    )
    if not problems:
        target, reason = CampaignStatus.QUEUED, "its time has come"
    else:
        target = CampaignStatus.FAILED
        reason = f"It could not start at its time. {' '.join(dict.fromkeys(problems.values()))}"
    await move_campaign(session, campaign, target, actor="system", reason=reason, now=now)
    fault("before_launch_commit")
    return not problems


async def _takes_its_turn(session: AsyncSession, campaign: Campaign, now: datetime) -> bool:
    """Tell whether the campaign starts now. A run of a schedule whose time was missed may go to a later time.

    If there is none, the campaign is over: the run does not take place.
    """
    plan, run = plan_of(campaign), await latest_run(session, campaign.id)
    if plan is None or run.started_at is not None:
        return True
    at = due_run(plan, run, now)
    if at is None:
        why = "its last time was missed, and is not caught up"
        await move_campaign(session, campaign, CampaignStatus.COMPLETED, actor="system", reason=why, now=now)
        await cancel_waiting(session, campaign_id=campaign.id, now=now)
        return False
    if at != run.occurrence_at:
        move_run(campaign, run, at)
        await session.flush()
        announce(session, organization_id=campaign.organization_id, campaign_id=campaign.id)
    return at <= now


async def _due(session: AsyncSession, *, carrier_account_id: int, now: datetime) -> list[_DueCampaign]:
    """Return the campaigns whose time has come, without those of another carrier account."""
    statement = (
        select(Campaign)
        .where(col(Campaign.status) == CampaignStatus.SCHEDULED, col(Campaign.scheduled_at) <= now)
        .order_by(col(Campaign.id))
    )
    found = []
    for campaign in (await session.execute(statement)).scalars().all():
        ours = campaign.carrier_account_id == carrier_account_id
        numbers = await numbers_of(session, await _rows(session, campaign)) if ours else []
        found.append(_DueCampaign(campaign.id, numbers))
    return found


async def _rows(session: AsyncSession, campaign: Campaign) -> CampaignRows:
    return CampaignRows(campaign, await first_step(session, campaign.id), await pool_of(session, campaign.id))
