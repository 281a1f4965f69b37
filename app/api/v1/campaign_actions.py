"""What a campaign may be told to do: start, pause, resume, cancel, begin again, copy itself."""

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
    """A start, a resume."""

    confirm_carrier: bool = Field(
        False, description="Go on although the campaign was begun on another carrier than the one in use."
    )


class ReasonBody(Body):
    """A pause."""

    reason: str = Field("", max_length=1_000)


class CancelBody(ReasonBody):
    """A cancel."""

    hang_up: bool = Field(
        False, description="Also hang up its calls that are going on. Otherwise they go on to their end."
    )


class RetryFailedBody(Body):
    """Whom to try again."""

    statuses: list[RecipientStatus] = Field(
        default_factory=lambda: sorted(RETRY_FAILED_DEFAULT), description="Of failed, no_answer and busy."
    )
    confirm_carrier: bool = False


class Retried(BaseModel):
    """What became of it."""

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
    """Place nothing more until it is resumed. Calls that go on are not cut."""

    async def act(session: AsyncSession) -> None:
        reason = body.reason if body else ""
        await pause_campaign(
            session, principal=caller.principal, campaign_ref=campaign_id, now=caller.now, reason=reason
        )

    return await _acted(campaign_id, caller, act)


@router.post("/resume", response_model=CampaignAnswer)
async def resume(campaign_id: Ref, caller: Repeatable, body: StartBody | None = None) -> Response:
    """Go on where it was paused or failed. 409 says what of a failed one is still to be mended."""
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
    """End it for good: whoever waits is cancelled. Calls that go on finish by themselves, or are hung up if asked."""
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
    """Take a completed campaign up again for contacts that ended so, with a fresh budget of attempts."""
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
