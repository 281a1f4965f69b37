"""Campaigns: create, list, show, change, delete, and their progress."""

from enum import StrEnum
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Response
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.caller import Caller, Keyed, KeyedRoute, Repeatable
from app.api.v1.campaign_answers import CampaignAnswer, CampaignItem, campaign_answer, campaign_item
from app.api.v1.campaign_bodies import CampaignBody, NewCampaign, ScheduleBody, SentCampaign
from app.api.v1.fields import Listing, PageNumber, PageSize, Ref, RunNumber, Search, listing
from app.api.v1.progress_answers import (
    ProgressAnswer,
    RunAnswer,
    StatsAnswer,
    progress_answer,
    run_answer,
    stats_answer,
)
from app.domain.campaign import CampaignStatus, Channel
from app.services.agents.queries import get_agent
from app.services.campaigns.brief import campaign_brief, recipient_counts
from app.services.campaigns.detail import detail_of, get_campaign
from app.services.campaigns.lists import list_campaigns
from app.services.campaigns.operations import create_campaign, delete_campaign, update_campaign
from app.services.campaigns.progress import campaign_snapshot
from app.services.campaigns.readiness import recipient_variable_names
from app.services.campaigns.run_list import list_runs
from app.services.campaigns.schedules import PLAN
from app.services.campaigns.views import CampaignDetail, CampaignSnapshot
from app.services.errors import FieldErrors

router = APIRouter(prefix="/campaigns", tags=["campaigns"], route_class=KeyedRoute)


class CampaignSort(StrEnum):
    """What the list may be sorted by."""

    NAME = "name"
    STATUS = "status"
    CREATED = "created"
    PROGRESS = "progress"


class Order(StrEnum):
    """The direction of a list."""

    ASCENDING = "asc"
    DESCENDING = "desc"


@router.post("", status_code=HTTPStatus.CREATED, response_model=CampaignAnswer)
async def create(body: NewCampaign, caller: Repeatable) -> Response:
    """Create a draft. It is started separately."""
    sent = SentCampaign(body)
    sent.require("agent_id")

    async def work(session: AsyncSession) -> CampaignAnswer:
        try:
            campaign_id = await create_campaign(
                session, principal=caller.principal, changes=sent.changes, now=caller.now
            )
        except FieldErrors as error:
            raise sent.explain(error) from error
        return await shown(session, caller, campaign_id)

    return await caller.once(work)


@router.get("")
async def index(  # noqa: PLR0913  # one argument for each parameter of the query
    caller: Keyed,
    *,
    status: Annotated[list[CampaignStatus] | None, Query()] = None,
    campaign_type: Channel | None = None,
    assistant_id: Annotated[str | None, Query(max_length=64)] = None,
    search: Search = "",
    sort: CampaignSort = CampaignSort.CREATED,
    order: Order | None = None,
    page: PageNumber = 1,
    page_size: PageSize = 25,
) -> Listing[CampaignItem]:
    """List campaigns, the newest first unless `sort` and `order` say otherwise."""
    descending = order is Order.DESCENDING if order else sort in {CampaignSort.CREATED, CampaignSort.PROGRESS}
    async with caller.reading() as session:
        agent = (
            await get_agent(session, principal=caller.principal, agent_ref=assistant_id)
            if assistant_id
            else None
        )
        found = await list_campaigns(
            session,
            principal=caller.principal,
            search=search,
            statuses=status or (),
            channel=campaign_type,
            agent_id=agent.id if agent else None,
            sort=sort,
            descending=descending,
            page=page,
            page_size=page_size,
        )
    return listing(found, campaign_item)


@router.get("/{campaign_id}")
async def show(campaign_id: Ref, caller: Keyed) -> CampaignAnswer:
    """Return one campaign with its settings."""
    async with caller.reading() as session:
        return await shown(session, caller, campaign_id)


@router.patch("/{campaign_id}", response_model=CampaignAnswer)
@router.put("/{campaign_id}", response_model=CampaignAnswer)
async def change(campaign_id: Ref, body: CampaignBody, caller: Repeatable) -> Response:
    """Change settings of a draft, paused or failed campaign; those not sent stay as they are."""
    return await _update_and_answer(campaign_id, SentCampaign(body), caller)


@router.post("/{campaign_id}/schedule", response_model=CampaignAnswer)
async def schedule(campaign_id: Ref, body: ScheduleBody, caller: Repeatable) -> Response:
    """Set when a campaign begins once it is started: at once, at `scheduled_at`, or again and again."""
    sent = SentCampaign(body)
    if sent.changes.get(PLAN) is not None:
        sent.changes.setdefault("schedule_type", "recurring")
    elif sent.changes.get("schedule_type") == "recurring":
        sent.require(PLAN)
    if sent.changes.get("scheduled_at") is not None:
        sent.changes.setdefault("schedule_type", "scheduled")
    elif sent.changes.get("schedule_type") == "scheduled":
        sent.require("scheduled_at")
    elif "schedule_type" not in sent.changes:
        sent.require("schedule_type")
    return await _update_and_answer(campaign_id, sent, caller)


@router.delete("/{campaign_id}", status_code=HTTPStatus.NO_CONTENT)
async def delete(campaign_id: Ref, caller: Repeatable) -> Response:
    """Delete a draft and its list of contacts; they stay in the address book."""
    return await caller.gone_once(
        lambda session: delete_campaign(
            session, principal=caller.principal, campaign_ref=campaign_id, now=caller.now
        )
    )


@router.get("/{campaign_id}/progress")
async def progress(campaign_id: Ref, caller: Keyed, *, run: RunNumber = None) -> ProgressAnswer:
    """Return the progress, as the WebSocket `/ws/campaigns/{campaign_id}/progress` sends it."""
    return progress_answer(await _snapshot(campaign_id, caller, run))


@router.get("/{campaign_id}/stats")
async def stats(campaign_id: Ref, caller: Keyed, *, run: RunNumber = None) -> StatsAnswer:
    """Return the campaign's metrics and counts."""
    return stats_answer(await _snapshot(campaign_id, caller, run))


@router.get("/{campaign_id}/runs")
async def runs(
    campaign_id: Ref, caller: Keyed, *, page: PageNumber = 1, page_size: PageSize = 25
) -> Listing[RunAnswer]:
    """List the campaign's runs, the newest first: one, or one for each occurrence of its schedule."""
    async with caller.reading() as session:
        found = await list_runs(
            session, principal=caller.principal, campaign_ref=campaign_id, page=page, page_size=page_size
        )
    return listing(found, run_answer)


async def shown(session: AsyncSession, caller: Caller, campaign_ref: int | str) -> CampaignAnswer:
    """Return the answer for a campaign. Raises `NotFound`."""
    return await _answer(
        session, await get_campaign(session, principal=caller.principal, campaign_ref=campaign_ref)
    )


async def _answer(session: AsyncSession, detail: CampaignDetail) -> CampaignAnswer:
    return campaign_answer(
        detail,
        counts=await recipient_counts(session, detail.id),
        variables=await recipient_variable_names(session, detail.id),
    )


async def _update_and_answer(campaign_ref: str, sent: SentCampaign, caller: Caller) -> Response:
    async def work(session: AsyncSession) -> CampaignAnswer:
        try:
            rows = await update_campaign(
                session,
                principal=caller.principal,
                campaign_ref=campaign_ref,
                changes=sent.changes,
                now=caller.now,
            )
        except FieldErrors as error:
            raise sent.explain(error) from error
        return await _answer(session, await detail_of(session, rows))

    return await caller.once(work, status=HTTPStatus.OK)


async def _snapshot(campaign_ref: str, caller: Caller, run: int | None) -> CampaignSnapshot:
    principal = caller.principal
    async with caller.reading() as session:
        campaign = await campaign_brief(session, principal=principal, campaign_ref=campaign_ref)
        return await campaign_snapshot(
            session,
            organization_id=principal.organization_id,
            campaign_id=campaign.id,
            now=caller.now,
            run=run,
        )
