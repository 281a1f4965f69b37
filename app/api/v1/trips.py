"""When and why a campaign's circuit breaker paused it."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from app.api.caller import Keyed, KeyedRoute
from app.api.v1.attempt_answers import AttemptAnswer, attempt_answer
from app.api.v1.fields import Moment, Ref
from app.services.campaigns.safeguards import MOST_ATTEMPTS, MOST_TRIPS, list_trips
from app.services.campaigns.views import TripRow

router = APIRouter(prefix="/campaigns/{campaign_id}", tags=["campaigns"], route_class=KeyedRoute)


class TripAnswer(BaseModel):
    """One trip of the breaker, which paused the campaign."""

    id: int
    sign: str = Field(description="failures, refusals, refusals_in_a_row, opt_outs or hang_ups.")
    measured: float = Field(description="Percent of `window`; for refusals in a row, their number.")
    threshold: float
    window: int = Field(description="How many attempts were looked at.")
    reason: str
    at: Moment
    attempt_count: int = Field(description="How many attempts show the sign.")
    attempts: list[AttemptAnswer] = Field(description=f"The newest {MOST_ATTEMPTS} of them.")


@router.get(
    "/trips", description=f"The last {MOST_TRIPS} times the breaker paused the campaign, newest first."
)
async def trips(campaign_id: Ref, caller: Keyed) -> list[TripAnswer]:
    """List when and why the circuit breaker paused the campaign, with the attempts that tripped it."""
    async with caller.reading() as session:
        found = await list_trips(session, principal=caller.principal, campaign_ref=campaign_id)
    return [_trip_answer(each) for each in found]


def _trip_answer(trip: TripRow) -> TripAnswer:
    return TripAnswer(
        id=trip.id,
        sign=trip.sign,
        measured=trip.measured,
        threshold=trip.threshold,
        window=trip.window,
        reason=trip.sentence,
        at=trip.at,
        attempt_count=trip.attempt_count,
        attempts=[attempt_answer(each) for each in trip.attempts],
    )
