"""What the API tells of a campaign's guards, and of the times its breaker tripped."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from app.domain.attempt import AttemptStatus, Disposition
from app.domain.campaign import CampaignStatus
from app.models import BreakerTrip, Campaign
from tests.api.conftest import ApiWorld
from tests.support.builders import NOON, make_attempt, make_campaign, make_recipient


async def _campaign(
    world: ApiWorld, *, tried: int = 0, live: int = 0, people: int = 10, **values: Any
) -> int:
    """Make a campaign of which so many people were called, a minute each, and others are on the line."""
    async with world.database.transaction() as session:
        made = await make_campaign(
            session, world.organization, agent=world.agent, number=world.number, **values
        )
        for place in range(people):
            called, on_the_line = place < tried, tried <= place < tried + live
            person = await make_recipient(session, made, attempts_made=int(called or on_the_line))
            if called:
                await make_attempt(
                    session,
                    person,
                    number=world.number,
                    placed_at=NOON,
                    ended_at=NOON,
                    duration_seconds=50,
                    disposition=Disposition.ANSWERED,
                )
            elif on_the_line:
                await make_attempt(
                    session, person, number=world.number, status=AttemptStatus.RINGING, placed_at=NOON
                )
        return made.id


async def _progress(world: ApiWorld, campaign_id: int) -> dict[str, Any]:
    answer = await world.get(f"/campaigns/{campaign_id}/progress")
    assert answer.status_code == 200, answer.text
    progress: dict[str, Any] = answer.json()
    return progress


async def test_a_campaign_without_guards_tells_of_none(world: ApiWorld) -> None:
    progress = await _progress(world, await _campaign(world))
    assert (progress["pilot"], progress["ramp"], progress["budget"]) == (None, None, None)


async def test_progress_tells_how_far_the_pilot_is(world: ApiWorld) -> None:
    running = await _campaign(world, tried=2, pilot_size=4, status=CampaignStatus.RUNNING)
    assert (await _progress(world, running))["pilot"] == {
        "size": 4,
        "reached": 2,
        "waits": False,
        "passed": False,
    }
    done = await _campaign(
        world, tried=4, pilot_size=4, status=CampaignStatus.PAUSED, gate_rule="pilot", gate_why="done"
    )
    assert (await _progress(world, done))["pilot"]["waits"]
    passed = await _campaign(
        world, tried=6, pilot_size=4, status=CampaignStatus.RUNNING, pilot_passed_at=NOON
    )
    assert (await _progress(world, passed))["pilot"] == {
        "size": 4,
        "reached": 4,
        "waits": False,
        "passed": True,
    }


async def test_progress_tells_the_step_of_the_ramp(world: ApiWorld) -> None:
    campaign_id = await _campaign(
        world, tried=6, ramp=True, ramp_step=1, breaker={"minimum": 5}, status=CampaignStatus.RUNNING
    )
    assert (await _progress(world, campaign_id))["ramp"] == {
        "step": 2,
        "steps": 4,
        "percent": 10,
        "reached": 6,
        "limit": 10,
        "total": 10,
    }


async def test_progress_tells_the_budget_with_calls_in_flight(world: ApiWorld) -> None:
    campaign_id = await _campaign(
        world,
        tried=3,
        live=2,
        budget_cap=Decimal("1.00"),
        time_limit_seconds=120,
        status=CampaignStatus.RUNNING,
    )
    assert (await _progress(world, campaign_id))["budget"] == {
        "cap": 1.0,
        "spent": 0.042,
        "in_flight": 0.056,
        "left": 0.902,
        "used_up": False,
        "unit": "USD",
    }


async def test_trips_name_the_attempts_that_tripped_it(world: ApiWorld) -> None:
    campaign_id = await _campaign(world)
    async with world.database.transaction() as session:
        made = await session.get_one(Campaign, campaign_id)
        person = await make_recipient(session, made)
        failed = await make_attempt(
            session,
            person,
            number=world.number,
            status=AttemptStatus.FAILED,
            disposition=Disposition.CARRIER_ERROR,
            error_code=30008,
            error_message="Unknown error",
        )
        for hours, window in ((1, 20), (2, 50)):
            session.add(
                BreakerTrip(
                    campaign_id=campaign_id,
                    sign="failures",
                    measured=54.0,
                    threshold=50.0,
                    window=window,
                    attempt_ids=[failed.id],
                    at=NOON + timedelta(hours=hours),
                )
            )
    answer = await world.get(f"/campaigns/{campaign_id}/trips")
    assert answer.status_code == 200, answer.text
    newest, oldest = answer.json()
    assert (newest["window"], oldest["window"]) == (50, 20)
    assert newest["reason"] == "54% of the last 50 attempts failed (limit 50%)"
    (attempt,) = newest["attempts"]
    assert (attempt["id"], attempt["error_code"], attempt["outcome"]) == (
        str(failed.id),
        30008,
        "carrier_error",
    )


async def test_a_campaign_that_never_tripped_has_no_trips(world: ApiWorld) -> None:
    assert (await world.get(f"/campaigns/{await _campaign(world)}/trips")).json() == []
