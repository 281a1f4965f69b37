"""A body takes its own fields alone: what belongs to another route is refused by name, and nothing is changed."""

from collections.abc import Mapping
from typing import Any, Final

import pytest
from fastapi import FastAPI
from starlette.routing import Mount

from app.api.main import create_api
from app.api.v1.campaign_bodies import ANSWERED_ONLY
from tests.api.conftest import World, fields_of
from tests.api.test_rights import OWNER, TABLE, filled, things

_BY_NAME: Final = {("put", "/imports/{import_id}/mapping")}
"""Its fields are the file's columns."""


def _schema() -> dict[str, Any]:
    [rest] = [route.app for route in create_api().routes if isinstance(route, Mount) and route.path == "/api"]
    assert isinstance(rest, FastAPI)
    return rest.openapi()


SCHEMA: Final = _schema()


def _fields(route: tuple[str, str]) -> frozenset[str]:
    """The names that the route's body may have, by the documentation; none without a body of named fields."""
    method, path = route
    body = SCHEMA["paths"][f"/v1{path}"][method].get("requestBody", {}).get("content", {})
    return frozenset(_names(body.get("application/json", {}).get("schema", {})))


def _names(schema: Mapping[str, Any]) -> set[str]:
    if reference := schema.get("$ref"):
        return _names(SCHEMA["components"]["schemas"][reference.rsplit("/", 1)[-1]])
    found = set(schema.get("properties", {}))
    for part in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        found |= _names(part)
    return found


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
async def test_what_is_another_routes_is_refused_by_name(world: World, route: tuple[str, str]) -> None:
    method, path = route
    named = await things(world, route)
    foreign = EVERY_FIELD - _fields(route) - (ANSWERED_ONLY if path.startswith("/campaigns") else set())
    body = dict.fromkeys(sorted(foreign), "x") | filled(TABLE[route].body, named)
    answer = await world.call(
        method.upper(), path.format(**named), role=None, key=world.keys[OWNER], json=body
    )
    assert answer.status_code == 422, answer.text
    assert foreign - set(TABLE[route].body) <= fields_of(answer)


@pytest.mark.parametrize(
    "path", ["/campaigns/{campaign_id}/import-data", "/imports", "/suppressions/import-data"]
)
async def test_a_form_takes_its_own_fields_alone(world: World, path: str) -> None:
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
