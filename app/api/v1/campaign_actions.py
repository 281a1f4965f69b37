"""The actions on a campaign: start, pause, resume, cancel, duplicate, retry."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.caller import Keyed, KeyedRoute, Repeatable
from app.api.v1.campaign_answers import CampaignAnswer
from app.api.v1.campaigns import shown
from app.api.v1.fields import Body, Ref
from app.domain.recipient import RETRY_FAILED_DEFAULT, RecipientStatus
from app.services.campaigns.lifecycle import (
    cancel_campaign,
    pause_campaign,
    resume_campaign,
    retry_failed,
    start_campaign,
)
from app.services.campaigns.operations import duplicate_campaign

router = APIRouter(prefix="/campaigns/{campaign_id}", tags=["campaigns"], route_class=KeyedRoute)


class StartBody(Body):
    """The body of a start or a resume."""

    confirm_carrier: bool = Field(
        False, description="Go on although the campaign was started on another carrier than the one in use."
    )


class ReasonBody(Body):
    """The body of a pause."""

    reason: str = Field("", max_length=1_000)


class CancelBody(ReasonBody):
    """The body of a cancel."""

    hang_up: bool = Field(
        False, description="Also hang up the calls under way. Otherwise they go on to their end."
    )


class RetryFailedBody(Body):
    """Which contacts are tried again."""

    statuses: list[RecipientStatus] = Field(
        default_factory=lambda: sorted(RETRY_FAILED_DEFAULT),
        description="Some of failed, no_answer and busy.",
    )
    confirm_carrier: bool = False


class Retried(BaseModel):
    """The result of a retry."""

    retried: int = Field(description="Contacts that are tried again.")
    campaign: CampaignAnswer


Act = Callable[[AsyncSession], Awaitable[None]]


@router.post("/start", response_model=CampaignAnswer)
async def start(campaign_id: Ref, caller: Repeatable, body: StartBody | None = None) -> Response:
    """Start a draft, now or at its `scheduled_at`. 422 names everything that is missing."""
    check = await caller.ask_carrier(campaign_id)

    async def act(session: AsyncSession) -> None:
        await start_campaign(
            session,
            principal=caller.principal,
            campaign_ref=campaign_id,
            now=caller.now,
            carrier=caller.carrier(),
            check=check,
            confirm_carrier=bool(body and body.confirm_carrier),
        )

    return await _acted(campaign_id, caller, act)


@router.post("/pause", response_model=CampaignAnswer)
async def pause(campaign_id: Ref, caller: Repeatable, body: ReasonBody | None = None) -> Response:
    """Place no more calls until it is resumed. Calls under way are not cut."""

    async def act(session: AsyncSession) -> None:
        reason = body.reason if body else ""
        await pause_campaign(
            session, principal=caller.principal, campaign_ref=campaign_id, now=caller.now, reason=reason
        )

    return await _acted(campaign_id, caller, act)


@router.post("/resume", response_model=CampaignAnswer)
async def resume(campaign_id: Ref, caller: Repeatable, body: StartBody | None = None) -> Response:
    """Resume a paused or failed campaign. 409 says what must be corrected first."""
    check = await caller.ask_carrier(campaign_id)

    async def act(session: AsyncSession) -> None:
        await resume_campaign(
            session,
            principal=caller.principal,
            campaign_ref=campaign_id,
            now=caller.now,
            carrier=caller.carrier(),
            check=check,
            confirm_carrier=bool(body and body.confirm_carrier),
        )

    return await _acted(campaign_id, caller, act)


@router.post("/cancel", response_model=CampaignAnswer)
async def cancel(campaign_id: Ref, caller: Repeatable, body: CancelBody | None = None) -> Response:
    """End it for good. Waiting contacts are cancelled. Calls under way go on to their end, unless `hang_up` is true."""
    asked = body or CancelBody()

    async def act(session: AsyncSession) -> None:
        await cancel_campaign(
            session,
            principal=caller.principal,
            campaign_ref=campaign_id,
            now=caller.now,
            reason=asked.reason,
            hang_up=asked.hang_up,
        )

    return await _acted(campaign_id, caller, act)


@router.post("/duplicate", status_code=HTTPStatus.CREATED, response_model=CampaignAnswer)
async def duplicate(campaign_id: Ref, caller: Repeatable) -> Response:
    """Copy settings and contacts of a campaign in any status into a new draft."""

    async def work(session: AsyncSession) -> CampaignAnswer:
        copy = await duplicate_campaign(
            session, principal=caller.principal, campaign_ref=campaign_id, now=caller.now
        )
        return await shown(session, caller, copy)

    return await caller.once(work)


@router.post("/retry-failed", response_model=Retried)
async def retry(campaign_id: Ref, caller: Repeatable, body: RetryFailedBody | None = None) -> Response:
    """Reopen a completed campaign for contacts with one of these statuses, with new attempts for each."""
    asked = body or RetryFailedBody()
    check = await caller.ask_carrier(campaign_id)

    async def work(session: AsyncSession) -> Retried:
        retried = await retry_failed(
            session,
            principal=caller.principal,
            campaign_ref=campaign_id,
            now=caller.now,
            statuses=frozenset(asked.statuses),
            carrier=caller.carrier(),
            check=check,
            confirm_carrier=asked.confirm_carrier,
        )
        return Retried(retried=retried, campaign=await shown(session, caller, campaign_id))

    return await caller.once(work, status=HTTPStatus.OK)


async def _acted(campaign_ref: str, caller: Keyed, act: Act) -> Response:
    async def work(session: AsyncSession) -> CampaignAnswer:
        await act(session)
        return await shown(session, caller, campaign_ref)

    return await caller.once(work, status=HTTPStatus.OK)
