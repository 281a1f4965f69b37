"""Recurring campaigns by `/api/v1`: the schedule as seed 000 prints it, the runs, and what is counted by run."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.domain.campaign import CampaignStatus
from app.models import Campaign
from app.services.campaigns.scheduled_starts import launch_scheduled
from app.services.dialing.completion import complete_campaign
from tests.api.conftest import ApiWorld, fields_of, problem_of

AS_PRINTED: dict[str, Any] = {
    "schedule_type": "recurring",
    "recurring_config": {
        "frequency": "weekly",
        "interval": 1,
        "days_of_week": [1, 2, 3, 4, 5],
        "time": "09:00",
        "time_zone": "America/New_York",
        "end_date": "2024-12-31",
    },
}
DAILY = {"frequency": "daily", "time": "09:00", "time_zone": "America/New_York"}


async def test_the_example_of_seed_000_is_taken_as_printed(world: ApiWorld) -> None:
    world.clock.at = datetime(2024, 2, 1, 16, tzinfo=UTC)
    campaign = await world.make_ready_campaign(**AS_PRINTED)
    added = {"start_date": None, "count": None, "people": "same", "segment_id": None, "missed": "catch_up"}
    assert campaign["recurring_config"] == AS_PRINTED["recurring_config"] | added
    assert (campaign["schedule_type"], campaign["timezone"]) == ("recurring", "America/New_York")
    started = (await world.post(f"/campaigns/{campaign['id']}/start")).json()
    assert (started["status"], started["scheduled_at"]) == ("scheduled", "2024-02-02T14:00:00Z")
    assert started["recurring_config"]["start_date"] == "2024-02-02"


async def test_an_end_date_in_the_past_is_named_at_its_field(world: ApiWorld) -> None:
    campaign = await world.make_campaign()
    refused = await world.patch(f"/campaigns/{campaign['id']}", AS_PRINTED)
    assert (refused.status_code, fields_of(refused)) == (422, {"recurring_config.end_date"})
    assert "has passed" in problem_of(refused)["detail"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"frequency": "hourly"}, "frequency"),
        ({"days_of_week": [1]}, "days_of_week"),
        ({"frequency": "weekly"}, "days_of_week"),
        ({"frequency": "weekly", "days_of_week": []}, "days_of_week"),
        ({"interval": 0}, "interval"),
        ({"time": "noon"}, "time"),
        ({"time_zone": "EST"}, "time_zone"),
        ({"end_date": "tomorrow"}, "end_date"),
        ({"days": [1]}, "days"),
        ({"people": "segment"}, "segment_id"),
        ({"people": "segment", "segment_id": 99}, "segment_id"),
        ({"missed": "twice"}, "missed"),
    ],
)
async def test_a_wrong_schedule_is_named_by_its_field(
    world: ApiWorld, wrong: dict[str, Any], field: str
) -> None:
    campaign = await world.make_campaign()
    body = {"schedule_type": "recurring", "recurring_config": DAILY | wrong}
    refused = await world.post(f"/campaigns/{campaign['id']}/schedule", body)
    assert (refused.status_code, fields_of(refused)) == (422, {f"recurring_config.{field}"})


async def test_a_schedule_is_set_by_its_object_alone(world: ApiWorld) -> None:
    campaign = await world.make_campaign()
    path = f"/campaigns/{campaign['id']}/schedule"
    scheduled = await world.post(path, {"recurring_config": DAILY})
    assert scheduled.json()["schedule_type"] == "recurring"
    missing = await world.post(
        f"/campaigns/{(await world.make_campaign())['id']}/schedule", {"schedule_type": "recurring"}
    )
    assert fields_of(missing) == {"recurring_config"}
    both = await world.post(path, {"recurring_config": DAILY, "scheduled_at": "2030-01-01T00:00:00Z"})
    assert fields_of(both) == {"scheduled_at"}


async def test_the_answer_of_a_recurring_campaign_may_be_sent_back(world: ApiWorld) -> None:
    campaign = await _started(world)
    paused = (await world.post(f"/campaigns/{campaign['id']}/pause")).json()
    again = await world.call("PUT", f"/campaigns/{campaign['id']}", json=paused)
    assert again.status_code == 200, again.text
    assert again.json()["scheduled_at"] == paused["scheduled_at"]


async def test_runs_are_listed_and_counted_each_by_itself(world: ApiWorld) -> None:
    campaign = await _started(world)
    path = f"/campaigns/{campaign['id']}"
    await _run(world, campaign["id"])
    listed = (await world.get(f"{path}/runs")).json()
    assert [run["run"] for run in listed["items"]] == [2, 1]
    assert [run["total_contacts"] for run in listed["items"]] == [0, 1]
    assert listed["items"][1]["progress"]["failed"] == 1
    assert [run["ended_at"] is None for run in listed["items"]] == [True, False]
    stats = (await world.get(f"{path}/stats")).json()
    assert (stats["run"], stats["total_contacts"]) == (1, 1)
    progress = (await world.get(f"{path}/progress")).json()
    assert (progress["run"], progress["next_run_at"]) == (1, listed["items"][0]["occurrence_at"])
    for counted, people in ((1, 1), (2, 0)):
        assert (await world.get(f"{path}/contacts?run={counted}")).json()["total"] == people
        assert (await world.get(f"{path}/stats?run={counted}")).json()["total_contacts"] == people
    for lacking in ("stats", "progress", "contacts", "attempts"):
        assert (await world.get(f"{path}/{lacking}?run=7")).status_code == 404


async def _started(world: ApiWorld) -> dict[str, Any]:
    campaign = await world.make_ready_campaign(schedule_type="recurring", recurring_config=DAILY)
    started: dict[str, Any] = (await world.post(f"/campaigns/{campaign['id']}/start")).json()
    assert started["status"] == CampaignStatus.SCHEDULED, started
    return started


async def _run(world: ApiWorld, campaign_id: int) -> None:
    """Let the first run take place: everybody in it is skipped."""
    world.clock.advance(days=1)
    row = (await world.get(f"/campaigns/{campaign_id}/contacts")).json()["items"][0]
    async with world.database.session() as session:
        account = (await session.get_one(Campaign, campaign_id)).carrier_account_id
    assert await launch_scheduled(
        world.database, world.carrier, carrier_account_id=account or 0, clock=world.clock
    )
    await world.post(f"/campaigns/{campaign_id}/contacts/{row['id']}/skip")
    async with world.database.transaction() as session:
        assert await complete_campaign(session, campaign_id=campaign_id, now=world.clock.now())
