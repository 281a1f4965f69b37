"""The campaigns page: the cards and the list."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, SQLColumnExpression, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped
from sqlmodel import col

from app.domain.attempt import AttemptStatus, Disposition
from app.domain.campaign import DIALING, NOT_BEGUN, CampaignStatus, Channel, allowed_actions, status_of_run
from app.domain.metrics import PROCESSED, StatusCounts, percent, standing
from app.domain.recipient import ENDED
from app.domain.rights import Right
from app.models import Agent, Attempt, Campaign, CarrierAccount, Recipient
from app.services.access.principal import Principal, authorize
from app.services.campaigns.brief import recipient_counts_of_each
from app.services.campaigns.recipients import contains
from app.services.campaigns.rows import shown_run_id, shown_runs
from app.services.campaigns.views import CampaignCards, CampaignRow, Counts
from app.services.paging import Page, offset_of

_NOT_MADE = (AttemptStatus.PLACING, AttemptStatus.UNKNOWN, AttemptStatus.REVIEW, AttemptStatus.NOT_PLACED)


async def campaign_cards(
    session: AsyncSession, *, principal: Principal, since: datetime | None = None
) -> CampaignCards:
    """Return the cards: campaigns and calls made since then, or since the beginning."""
    authorize(principal, Right.VIEW)
    campaigns = select(
        func.count().filter(_since(col(Campaign.created_at), since)),
        func.count().filter(col(Campaign.status).in_(DIALING)),
    ).where(col(Campaign.organization_id) == principal.organization_id)
    opted_out_on_call = (col(Attempt.disposition) == Disposition.OPTED_OUT) & col(Attempt.answered_at).is_not(
        None
    )
    answered_by_person = (col(Attempt.disposition) == Disposition.ANSWERED) | opted_out_on_call
    calls = select(func.count(), func.count().filter(answered_by_person)).where(
        col(Attempt.organization_id) == principal.organization_id,
        col(Attempt.channel) == Channel.CALL,
        col(Attempt.disposition).is_not(None),
        _since(col(Attempt.reserved_at), since),
    )
    total, running = (await session.execute(campaigns)).one()
    finished, answered = (await session.execute(calls)).one()
    return CampaignCards(
        total=total,
        running_now=running,
        calls_completed=finished,
        success_rate=percent(answered, finished),
    )


async def list_campaigns(  # noqa: PLR0913 - each filter of the page by its name
    session: AsyncSession,
    *,
    principal: Principal,
    search: str = "",
    statuses: Collection[CampaignStatus] = (),
    channel: Channel | None = None,
    agent_id: int | None = None,
    sort: str = "created",
    descending: bool = True,
    page: int = 1,
    page_size: int = 25,
) -> Page[CampaignRow]:
    """Return a page of the organization's campaigns. `sort` is name, status, created or progress."""
    authorize(principal, Right.VIEW)
    wanted = [col(Campaign.organization_id) == principal.organization_id]
    if words := search.strip():
        like = contains(words)
        wanted.append(col(Campaign.name).ilike(like) | col(Campaign.description).ilike(like))
    if statuses:
        wanted.append(col(Campaign.status).in_(statuses))
    if channel is not None:
        wanted.append(col(Campaign.channel) == channel)
    if agent_id is not None:
        wanted.append(col(Campaign.agent_id) == agent_id)
    offset, limit = offset_of(page, page_size)
    total = (await session.execute(select(func.count()).select_from(Campaign).where(*wanted))).scalar_one()
    key = _sort_key(sort, principal.organization_id)
    order = key.desc() if descending else key.asc()
    rows = await session.execute(
        _listed().where(*wanted).order_by(order, col(Campaign.id).desc()).offset(offset).limit(limit)
    )
    return Page(await _campaign_rows(session, rows.all()), total, max(1, page), limit)


def _listed() -> Select[Campaign, str, bool]:
    return (
        select(Campaign, col(Agent.name), col(CarrierAccount.simulated))
        .outerjoin(Agent, col(Agent.id) == col(Campaign.agent_id))
        .outerjoin(CarrierAccount, col(CarrierAccount.id) == col(Campaign.carrier_account_id))
    )


def _sort_key(sort: str, organization_id: int) -> SQLColumnExpression[Any]:
    match sort:
        case "name":
            return func.lower(Campaign.name)
        case "status":
            order = {status.value: place for place, status in enumerate(CampaignStatus)}
            return case(order, value=col(Campaign.status))
        case "progress":
            return _progress_of(organization_id)
        case _:
            return col(Campaign.created_at)


def _progress_of(organization_id: int) -> ColumnElement[Any]:
    """Return the completion rate of each campaign as in `metrics.standing`, to sort by it."""
    processed = func.count().filter(col(Recipient.status).in_(PROCESSED))
    share = (
        select(processed * 1.0 / func.greatest(func.count(), 1))
        .where(
            col(Recipient.campaign_id) == col(Campaign.id),
            col(Recipient.run_id) == shown_run_id(),
            col(Recipient.organization_id) == organization_id,
        )
        .correlate(Campaign)
    )
    not_begun = col(Campaign.status).in_(NOT_BEGUN) & col(Campaign.started_at).is_(None)
    return case((not_begun, 0.0), else_=share.scalar_subquery())


async def _campaign_rows(
    session: AsyncSession, rows: Sequence[Row[Campaign, str, bool]]
) -> list[CampaignRow]:
    ids = [campaign.id for campaign, _, _ in rows]
    counts = await recipient_counts_of_each(session, ids)
    attempted = await _ended_attempted(session, ids)
    made = await _calls_made(session, ids)
    return [
        _campaign_row(
            campaign,
            agent_name,
            simulated,
            counts[campaign.id],
            attempted.get(campaign.id, 0),
            made.get(campaign.id, 0),
        )
        for campaign, agent_name, simulated in rows
    ]


def _campaign_row(
    campaign: Campaign,
    agent_name: str | None,
    simulated: bool | None,  # noqa: FBT001 - a column of the row it shows
    counts: Counts,
    ended_attempted: int,
    calls_made: int,
) -> CampaignRow:
    people = StatusCounts.of(counts)
    run_status = status_of_run(campaign.status, started=campaign.started_at is not None)
    return CampaignRow(
        id=campaign.id,
        public_id=campaign.public_id,
        name=campaign.name,
        description=campaign.description,
        status=campaign.status,
        status_reason=campaign.status_reason,
        channel=campaign.channel,
        agent_id=campaign.agent_id,
        agent_name=agent_name,
        counts=counts,
        run_status=run_status,
        standing=standing(people, run_status),
        success_rate=percent(people.completed, ended_attempted),
        calls_made=calls_made,
        scheduled_at=campaign.scheduled_at,
        created_at=campaign.created_at,
        updated_at=campaign.updated_at,
        actions=allowed_actions(campaign.status),
        simulated=simulated,
    )


async def _ended_attempted(session: AsyncSession, ids: Collection[int]) -> dict[int, int]:
    rows = await session.execute(
        select(col(Recipient.campaign_id), func.count())
        .where(
            col(Recipient.campaign_id).in_(ids),
            col(Recipient.run_id).in_(shown_runs(ids)),
            col(Recipient.status).in_(ENDED),
            col(Recipient.attempts_made) > 0,
        )
        .group_by(col(Recipient.campaign_id))
    )
    return dict(rows.all())


async def _calls_made(session: AsyncSession, ids: Collection[int]) -> dict[int, int]:
    rows = await session.execute(
        select(col(Attempt.campaign_id), func.count())
        .where(
            col(Attempt.campaign_id).in_(ids),
            col(Attempt.run_id).in_(shown_runs(ids)),
            col(Attempt.status).not_in(_NOT_MADE),
        )
        .group_by(col(Attempt.campaign_id))
    )
    return dict(rows.all())


def _since(at: Mapped[datetime], since: datetime | None) -> ColumnElement[bool]:
    return at >= since if since is not None else at.is_not(None)
