"""Rates: 429, what every answer says of them, and that nobody's mistakes keep another out."""

import contextlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.exc import OperationalError

from app.api import live
from app.api.main import create_api
from app.api.middleware import with_middleware
from app.api.v1 import campaign_actions
from app.api.webhooks import get_intake
from app.domain.rights import Role
from app.runtime.context import AppContext, get_context
from app.runtime.database import Database
from app.services.access.sessions import SESSION_COOKIE
from tests.api.conftest import ApiWorld, problem_of
from tests.api.test_doors import ticket_for
from tests.api.test_progress_socket import api, connected
from tests.api.test_rights import TABLE
from tests.web.seams import page_seams

__all__ = ["api"]

FEW = 3
PROXY = "10.0.0.7"
WRONG = {"Authorization": "Bearer cs_wrong"}


@pytest.fixture
async def context(context: AppContext) -> AppContext:
    """An installation where a key may ask three times a minute."""
    return replace(context, settings=context.settings.model_copy(update={"api_requests_per_minute": FEW}))


@asynccontextmanager
async def many(context: AppContext) -> AsyncIterator[httpx.AsyncClient]:
    """A client behind a trusted proxy: it may come from anywhere."""
    application = create_api()
    settings = context.settings.model_copy(update={"trusted_proxies": (ip_network("10.0.0.0/8"),)})
    application.dependency_overrides[get_context] = lambda: context
    behind = with_middleware(application, settings)
    transport = httpx.ASGITransport(behind, client=(PROXY, 1), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:4500") as client:
        yield client


def told(answer: httpx.Response) -> tuple[str, int, int]:
    """Return which quota an answer tells of, what is left of it, and in how many seconds there is more."""
    policy, limit = answer.headers["RateLimit-Policy"], answer.headers["RateLimit"]
    of, now = (
        re.fullmatch(r'"([a-z-]+)";q=(\d+);w=(\d+)', policy),
        re.fullmatch(r'"([a-z-]+)";r=(\d+);t=(\d+)', limit),
    )
    assert of is not None, policy
    assert now is not None, limit
    assert of[1] == now[1]
    assert int(now[2]) <= int(of[2])
    return now[1], int(now[2]), int(now[3])


async def test_a_key_is_told_what_is_left_and_then_to_wait(world: ApiWorld) -> None:
    seen = [await world.get("/campaigns") for _ in range(FEW)]
    assert [told(answer) for answer in seen] == [("per-key", left, 20) for left in (2, 1, 0)]
    refused = await world.get("/campaigns")
    problem = problem_of(refused)
    assert (problem["status"], refused.headers["Retry-After"]) == (429, "20")
    assert "20 seconds" in problem["detail"]
    assert problem["violated-policies"] == ["per-key"]
    assert told(refused) == ("per-key", 0, 20)
    world.clock.advance(seconds=20)
    assert (await world.get("/campaigns")).status_code == 200
    assert (await world.get("/campaigns")).status_code == 429


async def test_what_is_answered_with_429_is_not_done(world: ApiWorld) -> None:
    for _ in range(FEW):
        await world.get("/campaigns")
    refused = await world.post("/keys", {"name": "x", "role": "viewer"}, headers={"Idempotency-Key": "1"})
    assert refused.status_code == 429
    world.clock.advance(minutes=1)
    done = await world.post("/keys", {"name": "x", "role": "viewer"}, headers={"Idempotency-Key": "1"})
    assert (done.status_code, "idempotent-replayed" in done.headers) == (201, False)


async def test_one_key_does_not_use_up_anothers(world: ApiWorld) -> None:
    for _ in range(FEW + 1):
        await world.get("/campaigns", role=Role.OWNER)
    assert (await world.get("/campaigns", role=Role.VIEWER)).status_code == 200


async def test_there_need_be_no_limit(world: ApiWorld) -> None:
    unlimited = replace(
        world.context, settings=world.context.settings.model_copy(update={"api_requests_per_minute": 0})
    )
    async with many(unlimited) as client:
        headers = {"Authorization": f"Bearer {world.keys[Role.OWNER]}"}
        answers = [await client.get("/api/v1/campaigns", headers=headers) for _ in range(FEW + 2)]
    assert {answer.status_code for answer in answers} == {200}
    assert "ratelimit" not in answers[-1].headers


async def test_a_good_key_works_beside_a_storm_of_wrong_ones(world: ApiWorld) -> None:
    statuses = [
        (await world.call("GET", "/campaigns", key=f"cs_wrong{number}")).status_code for number in range(25)
    ]
    assert statuses == [401] * 20 + [429] * 5
    assert (await world.get("/campaigns")).status_code == 200
    refused = await world.get("/campaigns", role=None)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "3")
    assert told(refused) == ("wrong-keys", 0, 3)
    world.clock.advance(seconds=3)
    assert (await world.get("/campaigns", role=None)).status_code == 401


async def test_wrong_keys_are_counted_by_who_came_through_the_proxy(world: ApiWorld) -> None:
    async with many(world.context) as client:

        async def ask(forwarded: str) -> int:
            headers = WRONG | {"X-Forwarded-For": forwarded}
            return (await client.get("/api/v1/campaigns", headers=headers)).status_code

        spoofed = [await ask(f"192.0.2.{number}, 203.0.113.9") for number in range(21)]
        assert spoofed == [401] * 20 + [429]
        assert await ask("203.0.113.10") == 401
        neighbours = [await ask(f"2001:db8:1:2::{number:x}") for number in range(21)]
        assert neighbours == [401] * 20 + [429]
        assert await ask("2001:db8:1:3::1") == 401


async def test_every_answer_of_every_route_tells_where_the_key_stands(world: ApiWorld) -> None:
    for method, path in sorted(TABLE):
        world.clock.advance(minutes=1)
        address = re.sub(r"{[a-z_]+}", "999999999", path)
        nobody = await world.call(method.upper(), address, role=None)
        assert (nobody.status_code, told(nobody)) == (401, ("wrong-keys", 19, 3)), (method, path)
        for number, query in enumerate(("", "?no_such=1")):
            answer = await world.call(method.upper(), address + query, role=Role.VIEWER)
            assert told(answer) == ("per-key", FEW - 1 - number, 20), (method, path, answer.text)


async def test_answers_of_surprises_and_of_a_database_that_is_away_tell_too(
    world: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    for error, status in ((ZeroDivisionError(), 500), (OperationalError("x", {}, Exception()), 503)):

        async def broken(*_: Any, error: Exception = error, **__: Any) -> None:
            raise error

        monkeypatch.setattr(campaign_actions, "pause_campaign", broken)
        failed = await world.post("/campaigns/1/pause")
        assert (failed.status_code, told(failed)[0]) == (status, "per-key")


async def test_health_and_documentation_have_no_limit(client: httpx.AsyncClient) -> None:
    for path in ("/api/health", "/api/openapi.json"):
        assert {(await client.get(path, headers=WRONG)).status_code for _ in range(25)} == {200}


async def test_the_carrier_has_no_limit(
    database: Database, database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLSHEET_API_REQUESTS_PER_MINUTE", "1")
    get_intake.cache_clear()
    async with page_seams(database_url, redis_url, monkeypatch) as seams, many(seams) as client:
        path = "/webhooks/twilio/inbound"
        assert {(await client.post(path)).status_code for _ in range(100)} == {403}
    get_intake.cache_clear()


async def test_every_operation_documents_429_with_its_headers(client: httpx.AsyncClient) -> None:
    described = (await client.get("/api/openapi.json")).json()
    for path, operations in described["paths"].items():
        if not path.startswith("/v1/"):
            continue
        for method, operation in operations.items():
            answers = operation["responses"]
            assert "401" in answers, (method, path)
            assert answers["429"]["headers"].keys() == {"Retry-After", "RateLimit-Policy", "RateLimit"}
            [content] = answers["429"]["content"].items()
            assert content == (
                "application/problem+json",
                {"schema": {"$ref": "#/components/schemas/Problem"}},
            )


# The browser's doors


async def test_tickets_that_are_good_for_nothing_are_counted_and_a_good_one_opens(world: ApiWorld) -> None:
    async def enter(ticket: str) -> httpx.Response:
        return await world.client.get("/auth/complete", params={"ticket": ticket})

    expired = [await enter(f"made-up-{number}") for number in range(20)]
    assert {(answer.status_code, answer.headers["location"]) for answer in expired} == {
        (303, "/sign-in/?expired=1")
    }
    assert "ratelimit" not in expired[0].headers, "a client might wait before it follows"
    refused = await enter("made-up")
    assert (problem_of(refused)["status"], refused.headers["Retry-After"]) == (429, "3")
    entered = await enter(await ticket_for(world, "/acme"))
    assert entered.headers["location"] == "/acme"


async def test_cookies_that_are_good_for_nothing_are_counted_too(world: ApiWorld) -> None:
    async def knock(path: str, token: str) -> int:
        headers = {"Cookie": f"{SESSION_COOKIE}={token}"}
        return (await world.client.get(path, headers=headers)).status_code

    entered = await world.client.get("/auth/complete", params={"ticket": await ticket_for(world, "/")})
    good = entered.cookies[SESSION_COOKIE]
    world.client.cookies.clear()
    path = f"/download/{world.organization.slug}/contacts.csv"
    for number in range(20):
        assert await knock(path, f"made-up-{number}") == 303
    assert await knock(path, "made-up") == 429
    assert await knock(path, good) == 200
    no_cookie = await world.client.get(path)
    assert no_cookie.status_code == 303, "who never signed in is shown the way"


async def test_a_person_is_shown_the_sign_in_page_however_many_were_wrong(world: ApiWorld) -> None:
    download = f"/download/{world.organization.slug}/contacts.csv"
    for path, told in (("/auth/complete?ticket=made-up", "expired=1"), (download, "ended=1")):
        headers = {"Cookie": f"{SESSION_COOKIE}=dead", "Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
        for _ in range(25):
            answer = await world.client.get(path, headers=headers)
            assert (answer.status_code, answer.headers["location"]) == (303, f"/sign-in/?{told}")
        del headers["Accept"]
        assert (await world.client.get(path, headers=headers)).status_code == 429, "a program is told to wait"


async def test_signing_out_always_clears_the_cookie_and_leads_to_the_sign_in_page(world: ApiWorld) -> None:
    for number in range(45):
        headers = {"Cookie": f"{SESSION_COOKIE}=made-up-{number}"}
        await world.client.get(f"/download/{world.organization.slug}/contacts.csv", headers=headers)
        left = await world.client.post("/auth/sign-out", headers=headers)
        assert (left.status_code, left.headers["location"]) == (303, "/sign-in/")
        assert "max-age=0" in left.headers["set-cookie"].lower()


# The progress socket


async def test_opening_a_socket_is_a_request_of_the_key(world: ApiWorld, api: FastAPI) -> None:
    for _ in range(FEW):
        await world.get("/campaigns", role=Role.VIEWER)
    async with connected(api, "/ws/campaigns/1/progress", token=world.keys[Role.VIEWER]) as socket:
        closed = await closing(socket.sent)
    assert closed == (4429, "Too many requests. Try again in 20 seconds.")


async def test_wrong_keys_of_sockets_and_of_requests_are_counted_together(
    world: ApiWorld, api: FastAPI
) -> None:
    headers = {"Authorization": WRONG["Authorization"]}
    for _ in range(20):
        async with connected(api, "/ws/campaigns/1/progress", headers=headers) as socket:
            assert (await closing(socket.sent))[0] == 4401
    async with connected(api, "/ws/campaigns/1/progress", headers=headers) as socket:
        assert (await closing(socket.sent))[0] == 4429
    async with connected(api, "/ws/campaigns/1/progress", token=world.keys[Role.OWNER]) as socket:
        assert (await closing(socket.sent))[0] == 4404


async def test_a_key_has_so_many_sockets_open_and_no_more(
    world: ApiWorld, api: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MOST_SOCKETS_OF_A_KEY", 2)
    campaign = await world.make_campaign()
    path, viewer = f"/ws/campaigns/{campaign['id']}/progress", world.keys[Role.VIEWER]
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(2):
            socket = await stack.enter_async_context(connected(api, path, token=viewer))
            await socket.message()
        async with connected(api, path, token=viewer) as socket:
            code, reason = await closing(socket.sent)
        assert (code, "2 sockets" in reason) == (4429, True)
        async with connected(api, path, token=world.keys[Role.OWNER]) as socket:
            await socket.message()
    world.clock.advance(minutes=1)
    async with connected(api, path, token=viewer) as socket:
        assert (await socket.message())["type"] == "progress_update"


async def closing(sent: Any) -> tuple[int, str]:
    """Return the code and the reason that the application closes with."""
    message = await sent()
    assert message["type"] == "websocket.close", message
    return message["code"], message["reason"]
