"""Numbers that the carrier account does not have, or another organization has, by `/api/v1`."""

from typing import Any

import pytest

from app.domain.campaign import CampaignStatus
from app.domain.recipient import RecipientStatus
from app.domain.rights import Role
from app.models import Campaign
from app.providers.registry import configured_account
from app.services.numbers.carriers import ensure_carrier_account, identity_of
from tests.api.conftest import ApiWorld, fields_of, make_world, problem_of
from tests.support.builders import make_recipient

NUMBER = "+12025550143"


async def test_a_number_the_account_does_not_have_is_refused_and_not_stored(world: ApiWorld) -> None:
    world.carrier.lacks.add(NUMBER)
    refused = await world.post("/numbers", {"phone_number": "(202) 555-0143"})
    assert (refused.status_code, fields_of(refused)) == (422, {"phone_number"})
    assert "does not have +1 202-555-0143. Choose one of its numbers" in problem_of(refused)["detail"]
    assert (await world.get("/numbers")).json()["total"] == 1
    world.carrier.lacks.clear()
    made = await world.post("/numbers", {"phone_number": NUMBER})
    assert (made.status_code, made.json()["carrier"]) == (201, "Simulated carrier")


async def test_a_number_that_cannot_text_is_refused_as_one_that_does(world: ApiWorld) -> None:
    world.carrier.only_calls.add(NUMBER)
    refused = await world.post("/numbers", {"phone_number": NUMBER, "sms": True})
    assert (refused.status_code, fields_of(refused)) == (422, {"sms"})
    made = (await world.post("/numbers", {"phone_number": NUMBER})).json()
    assert (made["voice"], made["sms"]) == (True, False)
    changed = await world.patch(f"/numbers/{made['id']}", {"sms": True})
    assert (changed.status_code, fields_of(changed)) == (422, {"sms"})


async def test_nothing_is_added_while_the_carrier_cannot_be_asked(world: ApiWorld) -> None:
    world.carrier.is_away = True
    silent = await world.post("/numbers", {"phone_number": NUMBER})
    assert (silent.status_code, silent.headers["retry-after"]) == (503, "2")
    assert problem_of(silent)["detail"] == (
        "The carrier could not be asked about +1 202-555-0143: no route. Nothing was changed; try again in a moment."
    )
    assert (await world.get("/numbers")).json()["total"] == 1


async def test_a_repeated_request_is_answered_although_the_carrier_is_away(world: ApiWorld) -> None:
    headers = {"Idempotency-Key": "once"}
    made = await world.post("/numbers", {"phone_number": NUMBER}, headers=headers)
    world.carrier.is_away = True
    again = await world.post("/numbers", {"phone_number": NUMBER}, headers=headers)
    assert (again.status_code, again.json()) == (201, made.json())


async def test_the_carrier_is_asked_neither_for_who_may_not_nor_about_what_is_no_number(
    world: ApiWorld,
) -> None:
    assert (await world.post("/numbers", {"phone_number": NUMBER}, role=Role.OPERATOR)).status_code == 403
    assert fields_of(await world.post("/numbers", {"phone_number": "12"})) == {"phone_number"}
    assert world.carrier.asked == []


async def test_a_number_of_another_organization_is_refused_without_its_name(world: ApiWorld) -> None:
    assert (await world.post("/numbers", {"phone_number": NUMBER})).status_code == 201
    other = await make_world(world.context, world.client, world.carrier)
    refused = await other.post("/numbers", {"phone_number": NUMBER})
    assert (refused.status_code, fields_of(refused)) == (422, {"phone_number"})
    detail = problem_of(refused)["detail"]
    assert "already belongs to another organization of this installation" in detail
    assert world.organization.name not in detail


# --- what lets a campaign go ---


async def test_a_campaign_is_not_started_from_a_number_the_account_has_lost(world: ApiWorld) -> None:
    campaign = await world.make_ready_campaign()
    world.carrier.lacks.add(world.number.number)
    refused = await world.post(f"/campaigns/{campaign['id']}/start")
    assert (refused.status_code, fields_of(refused)) == (422, {"phone_number_id"})
    assert "Buy it at the carrier, or choose another number." in problem_of(refused)["detail"]
    assert (await world.get(f"/campaigns/{campaign['id']}")).json()["status"] == "draft"
    world.carrier.lacks.clear()
    assert (await world.post(f"/campaigns/{campaign['id']}/start")).json()["status"] == "queued"


async def test_a_start_does_not_wait_for_a_carrier_that_is_away(world: ApiWorld) -> None:
    campaign = await world.make_ready_campaign()
    world.carrier.is_away = True
    assert (await world.post(f"/campaigns/{campaign['id']}/start")).json()["status"] == "queued"
    assert world.carrier.asked == [world.number.number]


async def _completed(world: ApiWorld) -> tuple[dict[str, Any], int]:
    """Return a completed campaign and the one contact in it, who was not reached."""
    campaign = await world.make_ready_campaign()
    async with world.database.transaction() as session:
        row = await session.get_one(Campaign, campaign["id"])
        account = await ensure_carrier_account(
            session, identity_of(configured_account(world.context.settings)), now=world.clock.at
        )
        row.status, row.carrier_account_id = CampaignStatus.COMPLETED, account.id
        failed = await make_recipient(session, row, status=RecipientStatus.FAILED, attempts_made=1)
    return campaign, failed.id


@pytest.mark.parametrize("way", ["retry-failed", "contacts/retry", "contacts/{id}/retry"])
async def test_a_completed_campaign_is_not_taken_up_again_from_a_lost_number(
    world: ApiWorld, way: str
) -> None:
    campaign, recipient_id = await _completed(world)
    world.carrier.lacks.add(world.number.number)
    path = f"/campaigns/{campaign['id']}/{way.format(id=recipient_id)}"
    body = {"ids": [recipient_id]} if way == "contacts/retry" else None
    refused = await world.post(path, body)
    assert refused.status_code == 409, refused.text
    assert "does not belong to the carrier account" in problem_of(refused)["detail"]
    world.carrier.lacks.clear()
    assert (await world.post(path, body)).status_code == 200
    assert (await world.get(f"/campaigns/{campaign['id']}")).json()["status"] == "running"


async def test_a_paused_campaign_is_not_resumed_from_a_number_the_account_has_lost(world: ApiWorld) -> None:
    campaign = await world.make_ready_campaign()
    path = f"/campaigns/{campaign['id']}"
    for action in ("start", "pause"):
        assert (await world.post(f"{path}/{action}")).status_code == 200
    world.carrier.lacks.add(world.number.number)
    refused = await world.post(f"{path}/resume")
    assert refused.status_code == 409
    assert "does not belong to the carrier account" in problem_of(refused)["detail"]
    world.carrier.lacks.clear()
    assert (await world.post(f"{path}/resume")).json()["status"] == "queued"
