"""The runs of a campaign, with the people of each by status."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.rights import Right
from app.models import Run
from app.services.access.principal import Principal, authorize
from app.services.campaigns.brief import recipient_counts_of_runs
from app.services.campaigns.rows import load_campaign
from app.services.campaigns.views import RunTimes, RunView
from app.services.paging import Page, offset_of
from app.services.refs import Ref


async def list_runs(
    session: AsyncSession, *, principal: Principal, campaign_ref: Ref, page: int = 1, page_size: int = 25
) -> Page[RunView]:
    """Return the campaign's runs, the newest first. Raises `NotFound`."""
    authorize(principal, Right.VIEW)
    campaign = await load_campaign(session, principal, campaign_ref)
    mine = col(Run.campaign_id) == campaign.id
    total = await session.scalar(select(func.count()).select_from(Run).where(mine)) or 0
    offset, limit = offset_of(page, page_size)
    newest = select(Run).where(mine).order_by(col(Run.number).desc()).offset(offset).limit(limit)
    runs = (await session.execute(newest)).scalars().all()
    return Page(await _views(session, runs), total, max(1, page), limit)


async def newest_runs(session: AsyncSession, campaign_id: int, *, most: int) -> list[RunTimes]:
    """Return the newest runs of a campaign that the caller has found, the newest first. It counts nobody."""
    newest = select(Run).where(col(Run.campaign_id) == campaign_id).order_by(col(Run.number).desc())
    return [RunTimes(**_times(run)) for run in await session.scalars(newest.limit(most))]


async def _views(session: AsyncSession, runs: Sequence[Run]) -> list[RunView]:
    counts = await recipient_counts_of_runs(session, [run.id for run in runs])
    return [
        RunView(
            **_times(run),
            filled=run.filled_at is not None or run.occurrence_at is None,
            counts=counts[run.id],
        )
        for run in runs
    ]


def _times(run: Run) -> dict[str, Any]:
    return {
        "number": run.number,
        "occurrence_at": run.occurrence_at,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
    }
