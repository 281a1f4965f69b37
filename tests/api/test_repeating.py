"""Every route that writes may be repeated with an `Idempotency-Key`: done once, answered again."""

import asyncio
from typing import Any, Final

import httpx
import pytest
from sqlalchemy import func, select
from sqlmodel import col

from app.models import Contact, ContactImport, IdempotencyKey, Suppression, SuppressionImport
from app.services.idempotency import _lock_of
from app.services.suppression import importing
from tests.api.conftest import ApiWorld, fields_of, problem_of
from tests.api.test_bodies import SCHEMA
from tests.api.test_rights import OWNER, TABLE, filled, things
from tests.support.builders import principal

_READS: Final = {("post", "/campaigns/{campaign_id}/audiences/preview")}
"""It is a POST for the size of what it asks."""
WRITES: Final = sorted(route for route in TABLE if route[0] != "get" and route not in _READS)
_FORMS: Final = ("/campaigns/{campaign_id}/import-data", "/imports", "/suppressions/import-data")


async def _send(
    world: ApiWorld, route: tuple[str, str], named: dict[str, Any], **more: Any
) -> httpx.Response:
    method, path = route
    body = more.pop("body", filled(TABLE[route].body, named))
    if body is not None:
        more["json"] = body
    headers = {"Idempotency-Key": "once"}
    return await world.call(
        method.upper(), path.format(**named), role=None, key=world.keys[OWNER], headers=headers, **more
    )


@pytest.mark.parametrize("route", WRITES, ids=" ".join)
def test_every_route_that_writes_documents_the_key(route: tuple[str, str]) -> None:
    method, path = route
    headers = [
        each["name"] for each in SCHEMA["paths"][f"/v1{path}"][method]["parameters"] if each["in"] == "header"
    ]
    assert [name.lower() for name in headers] == ["idempotency-key"]


@pytest.mark.parametrize("route", WRITES, ids=" ".join)
async def test_a_repeated_request_is_answered_again_and_not_done_again(
    world: ApiWorld, route: tuple[str, str]
) -> None:
    named = await things(world, route)
    first = await _send(world, route, named)
    assert first.status_code == TABLE[route].success, first.text
    again = await _send(world, route, named)
    assert again.status_code == first.status_code
    if first.status_code >= 400:
        assert "idempotent-replayed" not in again.headers  # it changed nothing, and may be tried again
        return
    assert (first.headers.get("idempotent-replayed"), again.headers.get("idempotent-replayed")) == (
        None,
        "true",
    )
    if route != ("post", "/keys"):  # whose secret is told once
        assert _told(again) == _told(first)
    other = await world.post("/agents", {"name": "Somebody else"}, headers={"Idempotency-Key": "once"})
    assert (other.status_code, fields_of(other)) == (422, {"Idempotency-Key"})
    if isinstance(TABLE[route].body, dict) and TABLE[route].body:
        changed = await _send(
            world, route, named, body={**filled(TABLE[route].body, named)} | _another(route)
        )
        assert changed.status_code == 422, changed.text
        assert fields_of(changed) == {"Idempotency-Key"}


def _told(answer: httpx.Response) -> Any:
    return answer.json() if answer.content else None


def _another(route: tuple[str, str]) -> dict[str, Any]:
    """Return fields that make the body another one that is good too."""
    name, given = next(iter(TABLE[route].body.items()))
    others: dict[str, dict[str, Any]] = {
        "name": {"name": "another"},
        "phone_number": {"phone_number": "+12025550187"},
        "reason": {"reason": "another"},
        "label": {"label": "another"},
        "outbound_limit": {"outbound_limit": 6},
        "contacts": {"contacts": [{}, {}]},
        "text": {"text": "+12025550188"},
        "sheet": {"sheet": "Another"},
        "schedule_type": {"schedule_type": "scheduled", "scheduled_at": "2030-01-01T00:00:00Z"},
        "filter": {"filter": {"search": "another"}},
        "action": {"filter": {"search": "another"}},
        "placed": {"placed": not given},
        "everyone": (
            {"everyone": False, "search": "another"}
            if "contacts" in route[1]
            else {"everyone": True, "not_contacted_for_days": 3}
        ),
        "phone": {"phone": "ignore"},
        "until": {"until": "2027-06-12"},
    }
    return others[name]


@pytest.mark.parametrize("path", _FORMS)
async def test_a_repeated_file_is_known_by_its_content(world: ApiWorld, path: str) -> None:
    named = await things(world, ("get", "/campaigns"))

    async def send(content: bytes, boundary: str, name: str = "people.csv") -> httpx.Response:
        body = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
            + content
            + f"\r\n--{boundary}--\r\n".encode()
        )
        return await world.call(
            "POST",
            path.format(**named),
            content=body,
            headers={
                "Content-Type": f"multipart/form-data; boundary={boundary}",
                "Idempotency-Key": "once",
            },
        )

    content = b"phone\n+12025550143\n"
    first, again = await send(content, "one"), await send(content, "two")
    assert first.status_code < 300, first.text
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert again.headers["idempotent-replayed"] == "true"
    for other in (await send(content + b"+12025550144\n", "one"), await send(content, "one", "others.csv")):
        assert (other.status_code, fields_of(other)) == (422, {"Idempotency-Key"})
    async with world.database.session() as session:
        imports = [
            await session.scalar(select(func.count()).select_from(kind))
            for kind in (ContactImport, SuppressionImport)
        ]
    assert sum(count or 0 for count in imports) == 1


async def test_a_file_of_suppressions_that_broke_off_is_gone_on_with(
    world: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "_BATCH", 1)
    store, broken = importing._store, list[bool]()

    async def breaking(*given: Any, **named: Any) -> int:
        if not broken and named["closings"][0].number == "+12025550144":
            broken.append(True)
            raise ConnectionResetError
        return await store(*given, **named)

    monkeypatch.setattr(importing, "_store", breaking)
    rows = [{"phone_number": "+12025550143"}, {"phone_number": "+12025550144"}]
    headers = {"Idempotency-Key": "once"}
    first = await world.post("/suppressions/import-data", rows, headers=headers)
    assert first.status_code == 500
    second = await world.post("/suppressions/import-data", rows, headers=headers)
    assert (second.status_code, second.json()["added"], second.json()["known"]) == (200, 1, 1)
    third = await world.post("/suppressions/import-data", rows, headers=headers)
    assert (third.json(), third.headers["idempotent-replayed"]) == (second.json(), "true")
    async with world.database.session() as session:
        assert await session.scalar(select(func.count()).select_from(Suppression)) == 2


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/contacts", {"phone_number": "+12025550143"}),
        ("/suppressions/import-data", [{"phone_number": "+12025550143"}]),
    ],
)
async def test_while_the_first_is_at_work_others_are_told_when_to_come_back(
    world: ApiWorld, path: str, body: Any
) -> None:
    who = principal(world.organization)
    headers = {"Idempotency-Key": "once"}
    async with world.database.transaction() as session:
        await session.execute(select(func.pg_advisory_xact_lock(_lock_of(who, "once"))))
        answer = await world.post(path, body, headers=headers)
        assert answer.status_code == 409
        assert "still at work" in problem_of(answer)["detail"]
        assert int(answer.headers["retry-after"]) > 0
    assert (await world.post(path, body, headers=headers)).status_code < 300


async def test_many_files_with_keys_at_once_wait_for_one_another(world: ApiWorld) -> None:
    """More than all connections that hold keys: the work under a key needs further ones."""
    async with asyncio.timeout(60):
        answers = await asyncio.gather(
            *(
                world.post(
                    "/suppressions/import-data",
                    [{"phone_number": f"+1202555{number:04}"}],
                    headers={"Idempotency-Key": f"file-{number}"},
                )
                for number in range(100, 140)
            )
        )
    assert {answer.status_code for answer in answers} == {200}


async def test_a_refused_request_leaves_its_key_free(world: ApiWorld) -> None:
    headers = {"Idempotency-Key": "once"}
    refused = await world.call("PATCH", "/organization", json={"outbound_limit": -1}, headers=headers)
    assert refused.status_code == 422
    good = await world.call("PATCH", "/organization", json={"outbound_limit": 7}, headers=headers)
    assert (good.status_code, good.headers.get("idempotent-replayed")) == (200, None)


async def test_what_an_answer_quotes_may_be_any_text(world: ApiWorld) -> None:
    named = await things(world, ("get", "/campaigns"))
    path = "/campaigns/{campaign_id}/import-data".format(**named)
    content = b'[{"phone": "+12025550143"}, {"ph\\u0000one": "x\\ud800"}, {"phone": "\\ud800\\u0000"}]'
    headers = {"Idempotency-Key": "once", "Content-Type": "application/json"}
    first = await world.call("POST", path, content=content, headers=headers)
    assert first.status_code == 200, first.text
    again = await world.call("POST", path, content=content, headers=headers)
    assert (again.status_code, again.headers["idempotent-replayed"]) == (200, "true")
    async with world.database.session() as session:
        assert await session.scalar(select(func.count()).select_from(IdempotencyKey)) == 1
        assert await session.scalar(select(func.count()).where(col(Contact.number) == "+12025550143")) == 1
