"""What a number may call and when it rests, and what one person may be called, by `/api/v1`."""

from datetime import timedelta

import pytest

from app.domain.attempt import AttemptStatus
from app.domain.campaign import Channel
from tests.api.conftest import ApiWorld, fields_of
from tests.support.builders import make_attempt, make_campaign, make_recipient

CAPS = {"daily_cap": 200, "burst_cap": 20, "burst_minutes": 15, "cool_down_minutes": 0}


async def test_a_number_has_no_caps_until_somebody_sets_them(world: ApiWorld) -> None:
    made = (await world.post("/numbers", {"phone_number": "+12025550143"})).json()
    defaults = {"daily_cap": 0, "burst_cap": 0, "burst_minutes": 10, "cool_down_minutes": 30}
    assert {name: made[name] for name in CAPS} == defaults
    changed = (await world.patch(f"/numbers/{made['id']}", CAPS)).json()
    assert {name: changed[name] for name in CAPS} == CAPS
    capped = (await world.post("/numbers", {"phone_number": "+12025550144"} | CAPS)).json()
    assert {name: capped[name] for name in CAPS} == CAPS


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("daily_cap", -1),
        ("daily_cap", 100_001),
        ("burst_cap", -1),
        ("burst_minutes", 0),
        ("burst_minutes", 1_441),
        ("cool_down_minutes", 1_441),
        ("cool_down_minutes", None),
    ],
)
async def test_a_cap_that_cannot_be_is_explained_at_its_field(
    world: ApiWorld, field: str, wrong: int | None
) -> None:
    refused = await world.patch(f"/numbers/{world.number.id}", {field: wrong})
    assert (refused.status_code, fields_of(refused)) == (422, {field})


async def test_the_calls_of_the_last_24_hours_are_counted_as_the_cap_counts_them(world: ApiWorld) -> None:
    now = world.clock.at
    tries = [
        (timedelta(hours=1), AttemptStatus.COMPLETED, Channel.CALL),
        (timedelta(hours=23), AttemptStatus.REVIEW, Channel.CALL),
        (timedelta(hours=2), AttemptStatus.NOT_PLACED, Channel.CALL),
        (timedelta(hours=2), AttemptStatus.DELIVERED, Channel.SMS),
        (timedelta(hours=25), AttemptStatus.COMPLETED, Channel.CALL),
    ]
    async with world.database.transaction() as session:
        campaign = await make_campaign(session, world.organization, agent=world.agent, number=world.number)
        for ago, status, channel in tries:
            recipient = await make_recipient(session, campaign)
            await make_attempt(
                session,
                recipient,
                number=world.number,
                status=status,
                channel=channel,
                reserved_at=now - ago,
            )
    assert (await world.get(f"/numbers/{world.number.id}")).json()["calls_last_24_hours"] == 2
    assert (await world.get("/numbers")).json()["items"][0]["calls_last_24_hours"] == 2


async def test_a_number_is_set_aside_and_put_back_to_work(world: ApiWorld) -> None:
    path = f"/numbers/{world.number.id}"
    assert (await world.get(path)).json()["rest"] is None
    until = world.clock.at + timedelta(hours=4)
    rested = await world.post(f"{path}/rest", {"until": until.isoformat(), "why": "Complaints"})
    assert rested.json()["rest"] == {
        "reason": "manual",
        "why": "Complaints",
        "since": world.clock.at.isoformat().replace("+00:00", "Z"),
        "until": until.isoformat().replace("+00:00", "Z"),
    }
    resumed = await world.post(f"{path}/resume")
    assert (resumed.status_code, resumed.json()["rest"]) == (200, None)
    assert (await world.post(f"{path}/resume")).status_code == 409
    assert (await world.post(f"{path}/rest")).json()["rest"]["until"] is None


async def test_a_rest_that_is_over_is_not_shown(world: ApiWorld) -> None:
    path = f"/numbers/{world.number.id}"
    await world.post(f"{path}/rest", {"until": (world.clock.at + timedelta(hours=4)).isoformat()})
    world.clock.at += timedelta(hours=5)
    assert (await world.get(path)).json()["rest"] is None


@pytest.mark.parametrize("wrong", ["2026-01-01T09:00:00Z", "2030-01-01T09:00:00", "later"])
async def test_a_rest_ends_at_a_moment_that_is_still_to_come(world: ApiWorld, wrong: str) -> None:
    refused = await world.post(f"/numbers/{world.number.id}/rest", {"until": wrong})
    assert (refused.status_code, fields_of(refused)) == (422, {"until"})


async def test_the_frequency_cap_of_everybody_is_three_a_day_until_it_is_changed(world: ApiWorld) -> None:
    shown = (await world.get("/organization")).json()
    assert (shown["frequency_cap"], shown["frequency_cap_hours"]) == (3, 24)
    changed = await world.patch("/organization", {"frequency_cap": 0, "frequency_cap_hours": 168})
    assert (changed.json()["frequency_cap"], changed.json()["frequency_cap_hours"]) == (0, 168)
    wrong = {"frequency_cap": -1, "frequency_cap_hours": 0}
    assert fields_of(await world.patch("/organization", wrong)) == set(wrong)
