"""The call log."""

from uuid import UUID

from fastapi import APIRouter

from app.api.caller import Keyed, KeyedRoute
from app.api.v1.attempt_answers import (
    AttemptAnswer,
    AttemptDetailAnswer,
    attempt_answer,
    attempt_detail_answer,
)
from app.api.v1.fields import Listing, PageNumber, PageSize, Ref, Search, listing
from app.domain.attempt import AttemptStatus, Disposition
from app.services.campaigns.queries import get_attempt, list_attempts

router = APIRouter(tags=["attempts"], route_class=KeyedRoute)


@router.get("/campaigns/{campaign_id}/attempts")
async def index(
    campaign_id: Ref,
    caller: Keyed,
    outcome: Disposition | None = None,
    status: AttemptStatus | None = None,
    search: Search = "",
    page: PageNumber = 1,
    page_size: PageSize = 25,
) -> Listing[AttemptAnswer]:
    """List a campaign's calls and messages, the newest first."""
    async with caller.reading() as session:
        found = await list_attempts(
            session,
            principal=caller.principal,
            campaign_ref=campaign_id,
            disposition=outcome,
            status=status,
            search=search,
            page=page,
            page_size=page_size,
        )
    return listing(found, attempt_answer)


@router.get("/attempts/{attempt_id}")
async def show(attempt_id: UUID, caller: Keyed) -> AttemptDetailAnswer:
    """Return one call or message with its transcript, its events and what was said."""
    async with caller.reading() as session:
        detail = await get_attempt(session, principal=caller.principal, attempt_id=attempt_id)
    return attempt_detail_answer(detail)
