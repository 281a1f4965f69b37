"""The address book through the API: filters, pages, history, many at once, and files."""

import csv
import io
import json
from typing import Any

import pytest

from app.domain.bulk_change import BulkStatus
from app.domain.campaign import CampaignStatus
from app.domain.recipient import RecipientStatus
from app.domain.rights import Role
from app.models import Contact
from app.services.contacts.bulk import advance_bulk_change
from tests.api.conftest import ApiWorld, fields_of
from tests.support.builders import (
    NOON,
    make_attempt,
    make_campaign,
    make_carrier_account,
    make_contact,
    make_recipient,
)


async def add(world: ApiWorld, **values: Any) -> int:
    async with world.database.transaction() as session:
        return (await make_contact(session, world.organization, **values)).id


def filtered(field: str, op: str, value: Any = None) -> str:
    return json.dumps({"conditions": [{"field": field, "op": op, "value": value}]})


async def test_a_card_holds_what_was_said_of_consent(world: ApiWorld) -> None:
    said = {
        "phone_number": "+12025550111", "consent": "granted", "consent_source": "web form",
        "consent_wording": "Yes.", "consent_evidence": "https://example.com/1",
        "consent_at": "2026-03-01T09:00:00+01:00",
    }  # fmt: skip
    card = (await world.post("/contacts", said)).json()
    assert {name: card[name] for name in said} == said | {"consent_at": "2026-03-01T08:00:00Z"}
    withdrawn = (await world.patch(f"/contacts/{card['id']}", {"consent": "withdrawn"})).json()
    assert (withdrawn["consent"], withdrawn["consent_at"]) == ("withdrawn", "2026-03-10T16:00:00Z")
    wrong = {"consent": "granted", "consent_at": "yesterday"}
    assert fields_of(await world.patch(f"/contacts/{card['id']}", wrong)) == {"consent_at"}


async def test_pages_are_turned_forward_and_back(world: ApiWorld) -> None:
    for place in range(5):
        await add(world, name=f"c{place}")
    first = (await world.get("/contacts?sort=name&limit=2")).json()
    assert (first["total"], first["more_than_total"], first["previous_cursor"]) == (5, False, None)
    second = (await world.get("/contacts", params={"limit": 2, "cursor": first["next_cursor"]})).json()
    third = (await world.get("/contacts", params={"limit": 2, "cursor": second["next_cursor"]})).json()
    back = (await world.get("/contacts", params={"limit": 2, "cursor": third["previous_cursor"]})).json()
    names = [[one["name"] for one in page["items"]] for page in (first, second, third, back)]
    assert names == [["c0", "c1"], ["c2", "c3"], ["c4"], ["c2", "c3"]]
    assert third["next_cursor"] is None
    home = (await world.get("/contacts", params={"limit": 2, "cursor": back["previous_cursor"]})).json()
    assert [one["name"] for one in home["items"]] == ["c0", "c1"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"cursor": "x"}, "cursor"),
        ({"cursor": "WzFd"}, "cursor"),
        ({"filter": "{"}, "filter"),
        ({"filter": "[" * 15_000}, "filter"),
        ({"filter": "[]"}, "filter"),
        ({"filter": filtered("shoe_size", "is", 1)}, "filter.conditions.0.field"),
        ({"filter": filtered("name", "within_days", 1)}, "filter.conditions.0.op"),
        ({"filter": filtered("tags", "is", [])}, "filter.conditions.0.value"),
        ({"sort": "shoe_size"}, "sort"),
    ],
)
async def test_what_cannot_be_listed_by_is_named(world: ApiWorld, query: dict[str, str], field: str) -> None:
    for path in ("/contacts", "/contacts/export.csv"):
        if "cursor" not in query or path == "/contacts":
            assert fields_of(await world.get(path, params=query)) == {field}


@pytest.mark.parametrize(
    "path",
    [
        *("/contacts?serach=ann", "/contacts?state=NY", "/contacts/export.csv?limit=3", "/contacts/bulk?x=1"),
        *("/segments?sort=name", "/segments/1/contacts?search=ann", "/imports?status=failed"),
        *("/imports/1/issues?type=rejected", "/suppressions?cursor=x", "/suppressions/export.csv?after=3"),
    ],
)
async def test_a_parameter_that_is_not_known_is_refused_by_its_name(world: ApiWorld, path: str) -> None:
    name = path.partition("?")[2].partition("=")[0]
    answer = await world.get(path)
    assert fields_of(answer) == {name}
    assert "There is no such parameter" in answer.json()["errors"][0]["message"]


async def test_an_invalid_value_of_a_parameter_is_refused_by_its_name(world: ApiWorld) -> None:
    for path in (
        *("/contacts?sort=odd", "/contacts?limit=0", "/contacts?descending=2", "/segments?page=0"),
        *("/imports?page_size=0", "/imports/1/preview?limit=0", "/suppressions?state=odd"),
        *("/suppressions?scope=odd", "/suppressions?source=odd", "/suppressions?after=0"),
    ):
        assert fields_of(await world.get(path)) == {path.partition("?")[2].partition("=")[0]}


async def test_a_filter_and_a_search_go_together(world: ApiWorld) -> None:
    ann = await add(world, name="Ann Doe", tags=["vip"])
    await add(world, name="Bob Doe")
    wanted = {"search": "doe", "filter": filtered("tags", "any_of", ["vip"])}
    found = (await world.get("/contacts", params=wanted)).json()
    assert ([one["id"] for one in found["items"]], found["sort"]) == ([ann], "match")


async def test_the_history_tells_everything_newest_first(world: ApiWorld) -> None:
    async with world.database.transaction() as session:
        contact = await make_contact(session, world.organization, source="import:3")
        campaign = await make_campaign(session, world.organization, agent=world.agent, name="Spring")
        recipient = await make_recipient(session, campaign, contact, status=RecipientStatus.COMPLETED)
        await make_attempt(session, recipient, number=world.number, reply="yes please")
    never = await world.post(f"/contacts/{contact.id}/suppress", {"scope": "voice", "reason": "asked"})
    [suppression] = never.json()["suppressions"]
    await world.post(f"/suppressions/{suppression['id']}/lift", {"reason": "asked again"})
    path, cursor = f"/contacts/{contact.id}/history", None
    kinds: list[tuple[str, str, str]] = []
    while cursor or not kinds:
        page = (await world.get(path, params={"limit": 2} | ({"cursor": cursor} if cursor else {}))).json()
        kinds += [(one["kind"], one["campaign_name"], one["detail"]) for one in page["items"]]
        cursor = page["next_cursor"]
    assert sorted(kinds) == [
        ("added_to_campaign", "Spring", ""),
        ("attempt", "Spring", "yes please"),
        ("created", "", "import:3"),
        ("suppressed", "", "asked"),
        ("suppression_lifted", "", "asked again"),
    ]
    assert fields_of(await world.get(path, params={"cursor": "x"})) == {"cursor"}


async def test_who_was_in_a_campaign_is_not_deleted(world: ApiWorld) -> None:
    async with world.database.transaction() as session:
        campaign = await make_campaign(session, world.organization, name="Spring")
        recipient = await make_recipient(session, campaign)
    refused = await world.call("DELETE", f"/contacts/{recipient.contact_id}")
    assert (refused.status_code, "“Spring”" in refused.json()["detail"]) == (409, True)
    free = await add(world)
    assert (await world.call("DELETE", f"/contacts/{free}")).status_code == 204
    assert (await world.get(f"/contacts/{free}")).status_code == 404


async def test_many_are_added_and_changed_by_number(world: ApiWorld) -> None:
    sent = {
        "contacts": [
            {"phone_number": "+12025550111", "name": "Ann"},
            {"phone_number": "12", "name": "Bob"},
            {"phone_number": "+12025550112", "shoe_size": 4},
        ]
    }
    first = (await world.post("/contacts/upsert", sent)).json()
    assert {name: first[name] for name in ("created", "updated", "unchanged", "rejected")} == {
        "created": 1, "updated": 0, "unchanged": 0, "rejected": 2,
    }  # fmt: skip
    assert first["contacts"][1]["errors"].keys() == {"phone_number"}
    assert first["contacts"][2]["errors"].keys() == {"shoe_size"}
    again = (await world.post("/contacts/upsert", sent)).json()
    assert (again["unchanged"], again["contacts"][0]["id"]) == (1, first["contacts"][0]["id"])


@pytest.mark.parametrize("body", [{}, {"ids": [1], "filter": {}}, {"ids": []}])
async def test_a_bulk_change_says_whom(world: ApiWorld, body: dict[str, Any]) -> None:
    refused = await world.post("/contacts/bulk", {"action": "tag", "tags": ["x"]} | body)
    assert fields_of(refused) <= {"filter", "ids"}


async def test_all_that_match_are_changed_and_the_rest_is_named(world: ApiWorld) -> None:
    ann, bob = await add(world, tags=["old"]), await add(world)
    tagged = {"action": "tag", "tags": ["new"], "filter": json.loads(filtered("tags", "is", "old"))}
    done = await world.post("/contacts/bulk", tagged)
    assert (done.status_code, done.json()["status"], done.json()["changed"]) == (202, "completed", 1)
    assert (await world.get(f"/contacts/{ann}")).json()["tags"] == ["old", "new"]
    async with world.database.transaction() as session:
        campaign = await make_campaign(session, world.organization, name="Spring")
        recipient = await make_recipient(session, campaign)
    deleted = (
        await world.post("/contacts/bulk", {"action": "delete", "ids": [bob, recipient.contact_id]})
    ).json()
    assert (deleted["changed"], [one["contact_id"] for one in deleted["refusals"]]) == (
        1,
        [recipient.contact_id],
    )
    shown = (await world.get(f"/contacts/bulk/{deleted['uuid']}")).json()
    assert shown == deleted
    assert deleted["arguments"] == {}
    newest = (await world.get("/contacts/bulk?page_size=1")).json()
    assert (newest["items"], newest["total"]) == ([deleted], 2)


@pytest.mark.filterwarnings("ignore:.*retry_on_timeout:DeprecationWarning")  # arq's, of redis
async def test_a_segment_is_changed_as_a_whole_by_the_job(
    world: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.services.contacts.bulk.BATCH", 2)
    for _ in range(5):
        await add(world)
    manual = {"conditions": [{"field": "source", "op": "is", "value": "manual"}]}
    segment = (await world.post("/segments", {"name": "By hand", "filter": manual})).json()
    begun = (await world.post("/contacts/bulk", {"action": "suppress", "segment_id": segment["uuid"]})).json()
    assert (begun["status"], begun["matched"]) == ("running", 2)
    await advance_bulk_change(world.database, bulk_id=begun["id"], clock=world.clock)
    done = (await world.get(f"/contacts/bulk/{begun['id']}")).json()
    assert (done["status"], done["changed"]) == (BulkStatus.COMPLETED, 5)
    assert (await world.get("/suppressions")).json()["total"] == 5


async def test_the_file_respects_filter_and_sort_and_is_safe_to_open(world: ApiWorld) -> None:
    await add(world, number="+12025550111", name="=1+1", tags=["vip"], fields={"deal": "won", "name": "@x"})
    await add(world, number="+12025550112", name="Bob", tags=["vip"], last_contacted_at=NOON)
    await add(world, name="Cy")
    answer = await world.get(
        "/contacts/export.csv", params={"filter": filtered("tags", "is", "vip"), "sort": "phone_number"}
    )
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [(row["phone_number"], row["name"]) for row in rows] == [
        ("+12025550111", "'=1+1"),
        ("+12025550112", "Bob"),
    ]
    assert [(row["deal"], row["field.name"]) for row in rows] == [("won", "'@x"), ("", "")]
    assert rows[1]["last_contacted_at"] == "2026-03-10T12:00:00-04:00"
    denied = await world.get("/contacts/export.csv", role=Role.OPERATOR)
    assert denied.status_code == 403


async def test_a_long_file_comes_in_pieces_and_whole(
    world: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.services.contacts.exporting._PAGE", 2)
    for place in range(5):
        await add(world, name=f"Ann {place}")
    for query in ({}, {"search": "ann"}, {"sort": "last_contacted"}, {"sort": "name", "descending": "true"}):
        answer = await world.get("/contacts/export.csv", params=query)
        rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
        assert sorted(row["name"] for row in rows) == [f"Ann {place}" for place in range(5)]


async def test_a_contact_says_where_it_may_be_and_what_tells_it(world: ApiWorld) -> None:
    made = await world.post("/contacts", {"phone_number": "+1 602 555 0143"})
    assert made.json()["where"] == {
        "zones": ["America/Phoenix"],
        "source": "number",
        "confidence": "likely",
        "number_zones": ["America/Phoenix"],
        "laws": ["US", "US-AZ"],
    }
    changed = await world.patch(f"/contacts/{made.json()['id']}", {"time_zone": "asia/calcutta"})
    assert (changed.json()["time_zone"], changed.json()["where"]["source"]) == ("Asia/Kolkata", "own")
    refused = await world.patch(f"/contacts/{made.json()['id']}", {"time_zone": "EST"})
    assert fields_of(refused) == {"time_zone"}


async def test_contacts_are_found_by_what_tells_their_time_zone(world: ApiWorld) -> None:
    await world.post("/contacts", {"phone_number": "+1 602 555 0143"})
    await world.post("/contacts", {"phone_number": "+1 602 555 0144", "time_zone": "America/Denver"})
    wanted = '{"conditions": [{"field": "zone_source", "op": "is", "value": "own"}]}'
    found = (await world.get(f"/contacts?filter={wanted}")).json()
    assert [item["phone_number"] for item in found["items"]] == ["+16025550144"]


async def test_a_hold_is_set_shown_and_lifted(world: ApiWorld) -> None:
    contact_id = await add(world, number="+13035550123")
    path = f"/contacts/{contact_id}/hold"
    assert (await world.get(f"/contacts/{contact_id}")).json()["hold"] is None
    held = (await world.call("PUT", path, json={"until": "2026-05-12", "reason": "on holiday"})).json()[
        "hold"
    ]
    assert (held["until"], held["reason"]) == ("2026-05-12T06:00:00Z", "on holiday")  # Midnight in Denver.
    assert fields_of(await world.call("PUT", path, json={"until": "2026-01-01"})) == {"until"}
    kinds = [one["kind"] for one in (await world.get(f"/contacts/{contact_id}/history")).json()["items"]]
    assert "held" in kinds
    assert (await world.call("DELETE", path)).status_code == 204
    assert (await world.get(f"/contacts/{contact_id}")).json()["hold"] is None
    assert (await world.call("DELETE", path)).status_code == 409


async def test_a_contact_of_a_campaign_says_what_it_waits_for(world: ApiWorld) -> None:
    contact_id = await add(world, number="+18085550123")
    async with world.database.transaction() as session:
        account = await make_carrier_account(session)
        campaign = await make_campaign(
            session, world.organization, status=CampaignStatus.RUNNING, carrier_account_id=account.id
        )
        await make_recipient(session, campaign, await session.get_one(Contact, contact_id))
        await make_recipient(session, campaign, status=RecipientStatus.SKIPPED, blocked_by="consent")
    path = f"/campaigns/{campaign.id}/contacts"
    [waits] = (await world.get(f"{path}?reason=calling_hours")).json()["items"]
    assert waits["waiting_for"] == {
        "rule": "calling_hours",
        "until": "2026-03-10T18:00:00Z",
        "why": waits["why"],
        "clock": "contact",
        "time_zone": "Pacific/Honolulu",
    }
    assert waits["why"].startswith(
        "Waiting: it is 06:00 in Honolulu (Pacific/Honolulu), allowed from 08:00 today, their time"
    )
    assert (await world.get(f"{path}/{waits['id']}")).json()["waiting_for"] == waits["waiting_for"]
    [skipped] = (await world.get(f"{path}?reason=consent")).json()["items"]
    assert skipped["waiting_for"] is None
    assert (await world.get(f"{path}?reason=boredom")).status_code == 422
    progress = (await world.get(f"/campaigns/{campaign.id}/progress")).json()
    assert progress["waiting_for"] == [
        {
            "reason": "calling_hours",
            "contacts": 1,
            "until": "2026-03-10T18:00:00Z",
            "time_zone": "Pacific/Honolulu",
        }
    ]
    assert progress["next_at"] == "2026-03-10T18:00:00Z"
