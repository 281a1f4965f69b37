"""Contacts of a campaign, imports, agents, numbers, the address book, suppressions, settings."""

import json
from typing import Any

import pytest
from redis.asyncio import Redis

from app.api.v1 import import_data
from app.domain.attempt import AttemptStatus, Disposition
from app.domain.campaign import CampaignStatus
from app.domain.recipient import RecipientStatus
from app.domain.rights import Role
from app.models import Campaign
from app.runtime.jobs import QueueName
from app.services.dialing.settle.hang_up import note_second_calls
from tests.api.conftest import ApiWorld, fields_of, problem_of
from tests.support.builders import make_attempt, make_carrier_account, make_recipient

SEED_CSV = """phone_number,name,company,appointment_date
+15551234567,John Smith,Acme Corp,2024-02-15
+15559876543,Jane Doe,Tech Inc,2024-02-16
"""


async def upload(
    world: ApiWorld, campaign_id: int, content: str, *, name: str = "people.csv", **more: Any
) -> Any:
    headers = more.pop("headers", {})
    return await world.call(
        "POST",
        f"/campaigns/{campaign_id}/import-data",
        files={"file": (name, content.encode(), "text/csv")},
        data=more,
        headers=headers,
    )


async def test_the_csv_of_seed_000_is_imported_and_gives_variables(world: ApiWorld) -> None:
    campaign = await world.make_campaign()
    done = await upload(world, campaign["id"], SEED_CSV)
    assert done.status_code == 200, done.text
    assert (done.json()["status"], done.json()["accepted"], done.json()["rejected"]) == ("completed", 2, 0)
    shown = (await world.get(f"/campaigns/{campaign['id']}")).json()
    assert shown["total_contacts"] == 2
    assert "appointment_date" in shown["available_variables"]
    listed = (await world.get(f"/campaigns/{campaign['id']}/contacts?status=pending&search=jane")).json()
    assert [(item["name"], item["phone_number"]) for item in listed["items"]] == [
        ("Jane Doe", "+15559876543")
    ]
    detail = (await world.get(f"/campaigns/{campaign['id']}/contacts/{listed['items'][0]['id']}")).json()
    assert detail["variables"]["appointment_date"] == "2024-02-16"


async def test_json_comes_as_an_array_as_an_object_and_as_a_file(world: ApiWorld) -> None:
    campaign = await world.make_campaign()
    path = f"/campaigns/{campaign['id']}/import-data"
    people = [{"phone_number": "+15551234567", "name": "John Smith", "appointment_date": "2024-02-15"}]
    assert (await world.post(path, people)).json()["accepted"] == 1
    again = (await world.post(path, {"contacts": people})).json()
    assert (again["accepted"], again["duplicates"]) == (0, 1)
    other = json.dumps([{"mobile": "+15559876543"}])
    assert (await upload(world, campaign["id"], other, name="people.json")).json()["accepted"] == 1


async def test_a_mapping_says_which_column_is_what(world: ApiWorld) -> None:
    campaign = await world.make_campaign()
    table = "who,reach\nJo,+12025550111\n"
    refused = await upload(world, campaign["id"], table)
    assert refused.status_code == 422
    assert fields_of(refused) == {"file"}
    done = await upload(
        world, campaign["id"], table, mapping=json.dumps({"reach": "phone_number", "who": "name"})
    )
    assert done.json()["accepted"] == 1
    assert fields_of(await upload(world, campaign["id"], table, mapping="{")) == {"mapping"}


WITH_ZONES = "phone,timezone\n+12025550111,Pacific Time\n+12025550112,\n+12025550113,EST\n"


async def test_the_words_of_a_time_zone_column_mean_what_the_request_says(world: ApiWorld) -> None:
    campaign = await world.make_campaign()
    words = json.dumps({"pacific time": "America/Los_Angeles"})
    done = (await upload(world, campaign["id"], WITH_ZONES, time_zone_words=words)).json()
    assert (done["accepted"], done["warnings"]) == (3, 1)
    assert done["zones"] == [
        {"zones": ["America/New_York"], "people": 2},
        {"zones": ["America/Los_Angeles"], "people": 1},
    ]
    assert (await world.get(f"/imports/{done['import_id']}")).json()["zones"] == done["zones"]
    bad = await upload(world, campaign["id"], WITH_ZONES, time_zone_words='{"Pacific Time": "PST"}')
    assert fields_of(bad) == {"time_zone_words.Pacific Time"}
    bad = await upload(world, campaign["id"], WITH_ZONES, time_zone_words="Pacific")
    assert fields_of(bad) == {"time_zone_words"}
    sent = {"contacts": [{"phone": "+12025550114", "timezone": "Eastern"}], "time_zone_words": words}
    assert (await world.post(f"/campaigns/{campaign['id']}/import-data", sent)).status_code == 200


async def test_a_preview_asks_about_the_words_of_a_time_zone_column(world: ApiWorld) -> None:
    sent = await world.call("POST", "/imports", files={"file": ("a.csv", WITH_ZONES.encode(), "text/csv")})
    path = f"/imports/{sent.json()['id']}"
    [pacific, est] = (await world.get(f"{path}/preview")).json()["unclear_zones"]
    assert (pacific["word"], pacific["people"], pacific["suggestion"], pacific["confirmed"]) == (
        "Pacific Time",
        1,
        "America/Los_Angeles",
        None,
    )
    assert (est["word"], est["suggestion"]) == ("EST", None)
    assert "abbreviation" in est["message"]
    confirmed = await world.call(
        "PUT", f"{path}/time-zone-words", json={"Pacific Time": pacific["suggestion"]}
    )
    assert confirmed.status_code == 200, confirmed.text
    preview = (await world.get(f"{path}/preview")).json()
    assert preview["unclear_zones"][0]["confirmed"] == "America/Los_Angeles"
    assert preview["zones"][0] == {"zones": ["America/New_York"], "people": 2}


async def test_rejected_rows_are_told_with_their_reasons(world: ApiWorld) -> None:
    campaign = await world.make_campaign()
    done = (await upload(world, campaign["id"], "phone,name\n12,Jo\n+12025550111,Al\n")).json()
    assert (done["accepted"], done["rejected"]) == (1, 1)
    assert done["issues"][0]["kind"] == "rejected"
    issues = (await world.get(f"/imports/{done['import_id']}/issues?kind=rejected")).json()
    assert issues["items"][0]["cells"] == ["12", "Jo"]
    assert (await world.get(f"/imports/{done['import_id']}")).json()["rows_done"] == 2
    assert (await world.get(f"/imports?campaign_id={campaign['public_id']}")).json()["total"] == 1
    assert (await world.get(f"/imports/{done['import_id']}/preview")).status_code == 409  # the file is gone


@pytest.mark.parametrize(
    ("content", "name"), [("", "empty.csv"), ("\x00\x01\x02", "photo.csv"), ("phone\n", "header.csv")]
)
async def test_a_file_that_is_no_table_of_people_is_refused_whole(
    world: ApiWorld, content: str, name: str
) -> None:
    campaign = await world.make_campaign()
    refused = await upload(world, campaign["id"], content, name=name)
    assert refused.status_code == 422
    assert fields_of(refused) == {"file"}
    assert (await world.get("/imports")).json()["total"] == 0


@pytest.mark.parametrize(
    ("body", "field"), [({}, "contacts"), ([], "contacts"), ([1], "contacts.0"), ("x", "contacts")]
)
async def test_json_without_people_is_refused_at_its_place(world: ApiWorld, body: Any, field: str) -> None:
    campaign = await world.make_campaign()
    assert fields_of(await world.post(f"/campaigns/{campaign['id']}/import-data", body)) == {field}


async def test_nobody_is_imported_into_a_campaign_under_way(world: ApiWorld) -> None:
    campaign = await world.make_ready_campaign()
    await world.post(f"/campaigns/{campaign['id']}/start")
    refused = await upload(world, campaign["id"], SEED_CSV)
    assert refused.status_code == 409
    assert "Pause" in problem_of(refused)["detail"]


@pytest.mark.filterwarnings("ignore:.*retry_on_timeout:DeprecationWarning")  # arq's, of redis
async def test_a_large_file_is_queued_for_a_worker(
    world: ApiWorld, monkeypatch: pytest.MonkeyPatch, redis: Redis
) -> None:
    monkeypatch.setattr(import_data, "AT_ONCE", 10)
    campaign = await world.make_campaign()
    taken = await upload(world, campaign["id"], SEED_CSV, headers={"Idempotency-Key": "file-1"})
    assert (taken.status_code, taken.json()["status"]) == (202, "queued")
    assert await redis.zrange(QueueName.BULK.value, 0, -1) == [f"import:{taken.json()['import_id']}".encode()]
    again = await upload(world, campaign["id"], SEED_CSV, headers={"Idempotency-Key": "file-1"})
    assert again.json() == taken.json()
    other = await upload(
        world, campaign["id"], SEED_CSV + "+12025550111,Al,,\n", headers={"Idempotency-Key": "file-1"}
    )
    assert other.status_code == 422
    cancelled = await world.post(f"/imports/{taken.json()['import_id']}/cancel")
    assert cancelled.json()["status"] == "cancelled"


async def test_contacts_are_added_by_number_and_from_the_address_book(world: ApiWorld) -> None:
    campaign = await world.make_campaign()
    path = f"/campaigns/{campaign['id']}/contacts"
    person = (await world.post("/contacts", {"phone_number": "+12025550112", "name": "Al"})).json()
    added = await world.post(path, {"phone_number": "(202) 555-0111", "variables": {"Deal Stage": "lead"}})
    assert (added.status_code, added.json()["added"]) == (201, 1)
    chosen = (await world.post(path, {"contact_ids": [person["id"], person["id"]]})).json()
    assert (chosen["added"], chosen["duplicates"]) == (1, 1)
    assert fields_of(await world.post(path, {"phone_number": "12"})) == {"phone_number"}
    assert (await world.post(path, {"contact_ids": [999_999_999]})).status_code == 404
    assert fields_of(await world.post(path, {"contact_ids": [1], "phone_number": "+12025550111"})) == {
        "contact_ids"
    }


async def test_contacts_are_skipped_retried_and_removed(world: ApiWorld) -> None:
    campaign = await world.make_ready_campaign()
    path = f"/campaigns/{campaign['id']}/contacts"
    [contact] = (await world.get(path)).json()["items"]
    one = f"{path}/{contact['id']}"
    assert (await world.post(f"{one}/skip")).json()["status"] == "skipped"
    refused = await world.post(f"{one}/skip")
    assert refused.status_code == 409
    assert "already skipped" in problem_of(refused)["detail"]
    assert (await world.post(f"{one}/retry")).json()["status"] == "pending"
    assert (await world.post(f"{path}/skip", {"statuses": ["pending"]})).json() == {"done": 1, "refused": {}}
    assert (await world.post(f"{path}/retry", {"ids": [contact["id"]]})).json()["done"] == 1
    assert (await world.call("DELETE", one)).status_code == 204
    assert (await world.call("DELETE", one)).status_code == 404
    assert (await world.get(one)).status_code == 404


async def test_a_retry_that_would_go_on_at_another_carrier_needs_a_confirmation(world: ApiWorld) -> None:
    made = await world.make_campaign()
    async with world.database.transaction() as session:
        campaign = await session.get_one(Campaign, made["id"])
        campaign.status = CampaignStatus.COMPLETED
        campaign.carrier_account_id = (await make_carrier_account(session)).id
        missed = await make_recipient(session, campaign, status=RecipientStatus.BUSY, attempts_made=1)
    path = f"/campaigns/{made['id']}/contacts/{missed.id}/retry"
    asked = await world.post(path)
    assert problem_of(asked)["status"] == 409
    assert (await world.post(path, {"confirm_carrier": True})).json()["status"] == "pending"


async def test_a_review_is_settled_and_the_contact_goes_on(world: ApiWorld) -> None:
    made = await world.make_campaign()
    async with world.database.transaction() as session:
        campaign = await session.get_one(Campaign, made["id"])
        recipient = await make_recipient(
            session, campaign, status=RecipientStatus.IN_PROGRESS, attempts_made=1
        )
        attempt = await make_attempt(session, recipient, number=world.number, status=AttemptStatus.REVIEW)
        recipient.last_attempt_id = attempt.id
    path = f"/attempts/{attempt.id}/settle"
    assert fields_of(await world.post(path, {})) == {"placed"}
    assert (await world.post(path, {"placed": False})).json()["status"] == "not_placed"
    shown = (await world.get(f"/campaigns/{made['id']}/contacts/{recipient.id}")).json()
    assert (shown["status"], shown["attempts_made"]) == ("pending", 0)
    assert (await world.post(path, {"placed": True})).status_code == 409


async def test_second_calls_are_listed(world: ApiWorld) -> None:
    made = await world.make_campaign()
    async with world.database.transaction() as session:
        campaign = await session.get_one(Campaign, made["id"])
        recipient = await make_recipient(session, campaign)
        attempt = await make_attempt(session, recipient, number=world.number)
        await note_second_calls(session, [(attempt.id, "CAsecond")], now=world.clock.now())
    (second,) = (await world.get(f"/campaigns/{made['id']}/second-calls")).json()["items"]
    assert (second["attempt_id"], second["provider_id"], second["ended_at"]) == (
        str(attempt.id),
        "CAsecond",
        None,
    )


async def test_attempts_are_listed_and_told_in_full(world: ApiWorld) -> None:
    made = await world.make_campaign()
    async with world.database.transaction() as session:
        campaign = await session.get_one(Campaign, made["id"])
        recipient = await make_recipient(session, campaign, status=RecipientStatus.COMPLETED, attempts_made=1)
        attempt = await make_attempt(
            session,
            recipient,
            number=world.number,
            disposition=Disposition.ANSWERED,
            duration_seconds=12,
            rendered={"welcome": "Hi Jo."},
        )
    listed = (await world.get(f"/campaigns/{made['id']}/attempts?outcome=answered")).json()
    assert [(item["id"], item["from"]) for item in listed["items"]] == [
        (str(attempt.id), world.number.number)
    ]
    detail = (await world.get(f"/attempts/{attempt.id}")).json()
    assert (detail["rendered"], detail["duration_seconds"]) == ({"welcome": "Hi Jo."}, 12)
    assert fields_of(await world.get("/attempts/nonsense")) == {"attempt_id"}
    shown = (await world.get(f"/campaigns/{made['id']}/contacts/{recipient.id}")).json()
    assert shown["attempts"][0]["from"] == world.number.number


@pytest.mark.parametrize("word", ["agents", "assistants"])
async def test_agents_are_made_changed_and_switched_off(world: ApiWorld, word: str) -> None:
    made = await world.post(
        f"/{word}", {"name": "Max", "default_phone_number_id": str(world.number.public_id)}
    )
    assert made.status_code == 201, made.text
    agent = made.json()
    assert (agent["active"], agent["default_phone_number_id"]) == (True, world.number.id)
    changed = await world.patch(f"/{word}/{agent['public_id']}", {"max_concurrent_calls": 3, "active": False})
    assert (changed.json()["max_concurrent_calls"], changed.json()["active"]) == (3, False)
    assert fields_of(await world.patch(f"/{word}/{agent['id']}", {"language": "?", "greeting": "{{"})) == {
        "language",
        "greeting",
    }
    assert (await world.get(f"/{word}?active_only=true")).json()["total"] == 1
    assert (await world.call("DELETE", f"/{word}/{world.agent.id}")).status_code == 204
    assert (await world.get(f"/{word}?active_only=true")).json()["total"] == 0


async def test_numbers_are_added_changed_and_switched_off(world: ApiWorld) -> None:
    made = await world.post("/numbers", {"phone_number": "+1 202 555 0143", "label": "Sales", "sms": False})
    assert made.status_code == 201, made.text
    number = made.json()
    assert (number["phone_number"], number["sms"], number["active"]) == ("+12025550143", False, True)
    assert fields_of(await world.post("/numbers", {"phone_number": "+12025550143"})) == {"phone_number"}
    assert fields_of(await world.patch(f"/numbers/{number['id']}", {"phone_number": "+1"})) == {
        "phone_number"
    }
    assert (await world.patch(f"/numbers/{number['public_id']}", {"sms": True})).json()["sms"] is True
    assert (await world.call("DELETE", f"/numbers/{number['id']}")).status_code == 204
    assert (await world.get("/numbers?active_only=true")).json()["total"] == 1


async def test_the_address_book_is_kept(world: ApiWorld) -> None:
    made = await world.post(
        "/contacts",
        {"phone_number": "+12025550111", "first_name": "Jo", "fields": {"deal": "1"}, "tags": ["vip"]},
    )
    assert made.status_code == 201, made.text
    person = made.json()
    assert (person["name"], person["fields"], person["tags"]) == ("Jo", {"deal": "1"}, ["vip"])
    changed = await world.patch(
        f"/contacts/{person['id']}", {"name": "Joanna", "phone_number": "+12025550112"}
    )
    assert (changed.json()["name"], changed.json()["phone_number"]) == ("Joanna", "+12025550112")
    assert fields_of(await world.post("/contacts", {"phone_number": "+12025550112"})) == {"phone_number"}
    assert (await world.get("/contacts?search=joa&sort=name")).json()["items"][0]["id"] == person["id"]
    assert fields_of(await world.get("/contacts?search=%00")) == {"search"}
    assert (await world.get(f"/contacts/{2**63}")).status_code == 422


async def test_a_number_is_suppressed_and_opened_again_with_a_reason(world: ApiWorld) -> None:
    made = await world.post("/suppressions", {"phone_number": "(202) 555-0111", "reason": "asked"})
    assert made.status_code == 201, made.text
    suppression = made.json()
    assert (suppression["phone_number"], suppression["scope"], suppression["source"]) == (
        "+12025550111",
        "all",
        "api",
    )
    assert (await world.get("/suppressions")).json()["total"] == 1
    path = f"/suppressions/{suppression['id']}/lift"
    assert fields_of(await world.post(path, {"reason": " "})) == {"reason"}
    assert (await world.post(path, {"reason": "wrong number"})).json()["lifted"] is True
    assert (await world.post(path, {"reason": "again"})).status_code == 409
    assert (await world.get("/suppressions?state=lifted")).json()["total"] == 1


async def test_suppressions_come_as_a_file_and_go_as_one(world: ApiWorld) -> None:
    table = "number,channel,reason\n+12025550111,call,asked\n12,,\n(202) 555-0112,,\n+12025550111,voice,\n"
    done = await world.call(
        "POST",
        "/suppressions/import-data",
        files={"file": ("dnc.csv", table.encode(), "text/csv")},
        data={"scope": "sms", "reason": "Bought list"},
    )
    result = done.json()
    assert done.status_code == 200, done.text
    assert (result["total"], result["added"], result["known"], result["rejected"]) == (4, 2, 1, 1)
    assert result["first_rejected"][0]["row"] == 3
    bad = await world.get(f"/suppressions/imports/{result['import_id']}/rejected.csv")
    assert "12,," in bad.text
    assert bad.headers["content-disposition"] == 'attachment; filename="rejected.csv"'
    listed = (await world.get("/suppressions?scope=sms&source=import")).json()
    assert [(one["phone_number"], one["reason"]) for one in listed["items"]] == [
        ("+12025550112", "Bought list")
    ]
    file = (await world.get("/suppressions/export.csv")).text
    assert file.splitlines()[1].startswith("+12025550112,sms,Bought list,import,")
    again = await world.call(
        "POST", "/suppressions/import-data", files={"file": ("again.csv", file.encode(), "text/csv")}
    )
    assert (again.json()["added"], again.json()["known"]) == (0, 2)


async def test_the_suppression_list_is_turned_by_its_cursor(world: ApiWorld) -> None:
    await world.post("/suppressions/import-data", [{"phone": f"+120255501{n:02}"} for n in range(5)])
    first = (await world.get("/suppressions?limit=3")).json()
    rest = (await world.get(f"/suppressions?limit=3&after={first['next_after']}")).json()
    assert (first["total"], len(first["items"]), len(rest["items"]), rest["next_after"]) == (5, 3, 2, None)
    assert {one["id"] for one in first["items"]}.isdisjoint(one["id"] for one in rest["items"])


async def test_settings_change_and_all_dialing_is_stopped_and_resumed(world: ApiWorld) -> None:
    changed = await world.patch("/organization", {"outbound_limit": 20, "time_zone": "Europe/Berlin"})
    assert (changed.json()["outbound_limit"], changed.json()["time_zone"]) == (20, "Europe/Berlin")
    assert fields_of(await world.patch("/organization", {"time_zone": "Mars", "slug": "x"})) >= {"slug"}
    stopped = (await world.post("/dialing/stop")).json()
    assert (stopped["dialing_stopped_at"], stopped["dialing_stopped_by"]) == (
        "2026-03-10T16:00:00Z",
        "key:owner",
    )
    assert (await world.post("/dialing/resume")).json()["dialing_stopped_at"] is None


async def test_the_policy_on_legal_hours_is_changed_with_a_reason_that_is_shown(world: ApiWorld) -> None:
    refused = await world.patch("/organization", {"legal_policy": "off"}, role=Role.OWNER)
    assert fields_of(refused) == {"legal_policy_reason"}
    sent = {
        "legal_policy": "off",
        "legal_policy_reason": "Only our own staff.",
        "zone_trust": "both",
        "blackout_dates": [{"from": "2026-12-24", "name": "Holidays"}],
    }
    shown = (await world.patch("/organization", sent, role=Role.OWNER)).json()
    assert (shown["legal_policy"], shown["zone_trust"]) == ("off", "both")
    assert shown["blackout_dates"] == [{"from": "2026-12-24", "until": "2026-12-24", "name": "Holidays"}]
    [change] = (await world.get("/organization/legal-policy-changes")).json()
    assert (change["old"], change["new"], change["reason"]) == ("law", "off", "Only our own staff.")
    wrong = {"blackout_dates": [{"from": "2026-12-24", "until": "2026-12-01"}]}
    again = await world.patch("/organization", wrong, role=Role.OWNER)
    assert fields_of(again) == {"blackout_dates.0.until"}


async def test_the_legal_hours_are_read_with_their_version(world: ApiWorld) -> None:
    table = (await world.get("/legal-hours")).json()
    assert table["version"] == "2026-12-01"
    assert {"US", "US-FL", "GB", "*"} <= {rule["law"] for rule in table["rules"]}
