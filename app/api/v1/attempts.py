"""The call log."""

from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.caller import Keyed, KeyedRoute, Repeatable
from app.api.v1.attempt_answers import (
    AttemptAnswer,
    AttemptDetailAnswer,
    SecondCallAnswer,
    attempt_answer,
    attempt_detail_answer,
    second_call_answer,
)
from app.api.v1.fields import Body, Listing, PageNumber, PageSize, Ref, RunNumber, Search, listing
from app.domain.attempt import AttemptStatus, Disposition
from app.services.campaigns.call_log import get_attempt, list_attempts
from app.services.dialing.reconcile.overdue_attempts import settle_review
from app.services.dialing.settle.second_calls import list_second_calls

router = APIRouter(tags=["attempts"], route_class=KeyedRoute)


class SettleBody(Body):
    """What a user found out about an attempt in review."""

    placed: bool = Field(description="Whether it was placed. If not, its contact goes back to the queue.")


class SecondCalls(BaseModel):
    """A campaign's second calls, newest first."""

    items: list[SecondCallAnswer]


@router.get("/campaigns/{campaign_id}/attempts")
async def index(  # one argument for each parameter of the query
    campaign_id: Ref,
    caller: Keyed,
    outcome: Disposition | None = None,
    status: AttemptStatus | None = None,
    search: Search = "",
    run: RunNumber = None,
    page: PageNumber = 1,
    page_size: PageSize = 25,
) -> Listing[AttemptAnswer]:
    """List a campaign's calls and messages, newest first."""
    async with caller.reading() as session:
        found = await list_attempts(
            session,
            principal=caller.principal,
            campaign_ref=campaign_id,
            disposition=outcome,
            status=status,
            search=search,
            run=run,
            page=page,
            page_size=page_size,
        )
    return listing(found, attempt_answer)


@router.get("/attempts/{attempt_id}")
async def show(attempt_id: UUID, caller: Keyed) -> AttemptDetailAnswer:
    """Return one call or message with its text, transcript and events."""
    async with caller.reading() as session:
        detail = await get_attempt(session, principal=caller.principal, attempt_id=attempt_id)
    return attempt_detail_answer(detail)


@router.post("/attempts/{attempt_id}/settle", response_model=AttemptDetailAnswer)
async def settle(attempt_id: UUID, body: SettleBody, caller: Repeatable) -> Response:
    """Set whether an attempt in `review` was placed: the carrier could not tell.

    If placed, it counts as not answered; if not, it does not count as an attempt. 409 if it is not in review.
    """

    async def work(session: AsyncSession) -> AttemptDetailAnswer:
        await settle_review(
            session,
            principal=caller.principal,
            attempt_id=attempt_id,
            placed=body.placed,
            now=caller.now,
        )
        detail = await get_attempt(session, principal=caller.principal, attempt_id=attempt_id)
        return attempt_detail_answer(detail)

    return await caller.once(work, status=HTTPStatus.OK)


@router.get("/campaigns/{campaign_id}/second-calls")
async def second_calls(campaign_id: Ref, caller: Keyed) -> SecondCalls:
    """List the second calls: the carrier made more than one call for an attempt. They are hung up."""
    async with caller.reading() as session:
        rows = await list_second_calls(session, principal=caller.principal, campaign_ref=campaign_id)
    return SecondCalls(items=[second_call_answer(row) for row in rows])
