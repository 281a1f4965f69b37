"""A body takes its own fields alone, each of its own kind: what is not is refused by name, and nothing is changed."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import httpx
import pytest
from fastapi import FastAPI
from starlette.routing import Mount

from app.api.main import create_api
from app.api.v1.campaign_bodies import ANSWERED_ONLY
from tests.api.conftest import ApiWorld, fields_of
from tests.api.test_rights import OWNER, TABLE, filled, things

_BY_NAME: Final = {("put", "/imports/{import_id}/mapping"), ("put", "/imports/{import_id}/time-zone-words")}
"""Its fields are the file's columns."""


def _schema() -> dict[str, Any]:
    [rest] = [route.app for route in create_api().routes if isinstance(route, Mount) and route.path == "/api"]
    assert isinstance(rest, FastAPI)
    return rest.openapi()


SCHEMA: Final = _schema()


def _fields(route: tuple[str, str]) -> dict[str, frozenset[str]]:
    """The body's fields by the documentation, each with the JSON types it takes; none without named fields."""
    method, path = route
    body = SCHEMA["paths"][f"/v1{path}"][method].get("requestBody", {}).get("content", {})
    return _named(body.get("application/json", {}).get("schema", {}))


def _named(schema: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    found = {name: frozenset(_types(each)) for name, each in schema.get("properties", {}).items()}
    for part in _parts(schema):
        found |= _named(part)
    return found


def _types(schema: Mapping[str, Any]) -> set[str]:
    return {str(schema.get("type", "")), *(kind for part in _parts(schema) for kind in _types(part))} - {""}


def _parts(schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    whole = [SCHEMA["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]] if "$ref" in schema else []
    return [*whole, *schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())]


ROUTES: Final = sorted(
    route
    for route, rule in TABLE.items()
    if isinstance(rule.body, dict) and route not in _BY_NAME and _fields(route)
)
_SECOND_NAMES: Final = frozenset({"agent_id"})
"""Answers call it by the other name: `assistant_id`."""
EVERY_FIELD: Final = frozenset().union(*(_fields(route) for route in ROUTES)) - _SECOND_NAMES | {
    "no_such_field"
}


def test_the_walk_knows_the_routes_that_take_fields() -> None:
    assert len(ROUTES) > 30
    assert ("post", "/campaigns/{campaign_id}/schedule") in ROUTES
    assert {"name", "max_attempts", "outbound_limit", "role"} <= EVERY_FIELD


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
async def test_what_is_another_routes_is_refused_by_name(world: ApiWorld, route: tuple[str, str]) -> None:
    method, path = route
    named = await things(world, route)
    foreign = (
        EVERY_FIELD - _fields(route).keys() - (ANSWERED_ONLY if path.startswith("/campaigns") else set())
    )
    body = dict.fromkeys(sorted(foreign), "x") | filled(TABLE[route].body, named)
    answer = await world.call(
        method.upper(), path.format(**named), role=None, key=world.keys[OWNER], json=body
    )
    assert answer.status_code == 422, answer.text
    assert foreign - set(TABLE[route].body) <= fields_of(answer)


BODILESS: Final = sorted(
    (method, path)
    for method, path in TABLE
    if method != "get" and "requestBody" not in SCHEMA["paths"][f"/v1{path}"][method]
)
"""Routes that write and take no body."""


def test_the_walk_knows_the_routes_that_take_no_body() -> None:
    assert len(BODILESS) > 15
    assert {("post", "/campaigns/{campaign_id}/duplicate"), ("delete", "/keys/{key_id}")} <= {*BODILESS}


@pytest.mark.parametrize("route", BODILESS, ids=" ".join)
async def test_what_takes_no_body_takes_no_fields(world: ApiWorld, route: tuple[str, str]) -> None:
    method, path = route
    named = await things(world, route)

    async def send(body: bytes) -> httpx.Response:
        headers = {"Content-Type": "application/json"} if body else {}
        return await world.call(
            method.upper(),
            path.format(**named),
            role=None,
            key=world.keys[OWNER],
            content=body,
            headers=headers,
        )

    for body, fields in (
        (b'{"name": "Mine", "zzz": 1}', {"name", "zzz"}),
        (b"[1]", {"body"}),
        (b"{", {"body"}),
    ):
        refused = await send(body)
        assert refused.status_code == 422, refused.text
        assert fields_of(refused) == fields
        assert "takes no fields. Send no body, or {}." in refused.text
    done = TABLE[route].success
    for harmless in (b"{}", b""):
        assert (await send(harmless)).status_code == done
        named = await things(world, route)


NAMED: Final = sorted(route for route in ROUTES if "name" in _fields(route))


@pytest.mark.parametrize("blank", ["\u200b", "\ufeff \u2060", "\u00ad", "\u3164"], ids=ascii)
@pytest.mark.parametrize("route", NAMED, ids=" ".join)
async def test_a_name_that_nobody_can_see_is_none(
    world: ApiWorld, route: tuple[str, str], blank: str
) -> None:
    method, path = route
    named = await things(world, route)
    body = filled(TABLE[route].body, named) | {"name": blank}
    answer = await world.call(
        method.upper(), path.format(**named), role=None, key=world.keys[OWNER], json=body
    )
    if "/contacts" in path:  # A person may be without a name.
        assert answer.is_success, answer.text
        listed = await world.get(f"/contacts?search={quote(body.get('phone_number', ''))}")
        named_so = [each["name"] for each in [answer.json(), *listed.json()["items"]] if "name" in each]
        assert "" in named_so
        assert blank not in named_so
    else:
        assert (answer.status_code, fields_of(answer)) == (422, {"name"}), answer.text


@pytest.mark.parametrize(
    "path", ["/campaigns/{campaign_id}/import-data", "/imports", "/suppressions/import-data"]
)
async def test_a_form_takes_its_own_fields_alone(world: ApiWorld, path: str) -> None:
    named = await things(world, ("get", "/campaigns"))
    answer = await world.call(
        "POST",
        path.format(**named),
        role=None,
        key=world.keys[OWNER],
        files={"file": ("people.csv", b"phone\n+12025550143\n")},
        data={"max_attempts": "9"},
    )
    assert answer.status_code == 422, answer.text
    assert fields_of(answer) == {"max_attempts"}


@pytest.mark.parametrize(
    ("mistaken", "kinds", "told"),
    [
        (True, {"integer", "number"}, "Send a number."),
        ("5", {"integer", "number"}, "Send a number."),
        (1, {"boolean"}, "Send true or false."),
        ("yes", {"boolean"}, "Send true or false."),
    ],
)
@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
async def test_a_number_is_a_number_and_a_truth_value_is_one(
    world: ApiWorld, route: tuple[str, str], mistaken: object, kinds: set[str], told: str
) -> None:
    wrong = {name for name, types in _fields(route).items() if types & kinds and types <= kinds | {"null"}}
    if not wrong:
        return
    method, path = route
    named = await things(world, route)
    body = filled(TABLE[route].body, named) | dict.fromkeys(wrong, mistaken)
    answer = await world.call(
        method.upper(), path.format(**named), role=None, key=world.keys[OWNER], json=body
    )
    assert answer.status_code == 422, answer.text
    errors = {each["field"]: each["message"] for each in answer.json()["errors"]}
    assert {field: errors.get(field) for field in wrong} == dict.fromkeys(wrong, told)


@pytest.mark.parametrize(
    "path", ["execution_settings.max_attempts", "execution_settings.ramp", "breaker.window"]
)
async def test_so_it_is_within_an_object(world: ApiWorld, path: str) -> None:
    named = await things(world, ("patch", "/campaigns/{campaign_id}"))
    outer, inner = path.split(".")
    answer = await world.call(
        "PATCH",
        "/campaigns/{campaign_id}".format(**named),
        role=None,
        key=world.keys[OWNER],
        json={outer: {inner: "5"}},
    )
    assert answer.status_code == 422, answer.text
    assert fields_of(answer) == {path}
