"""What every route has in common: keys, problem details, sizes, repeated requests, sign-in, health."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import col, select

from app.api import body_limits, health
from app.api.main import create_api
from app.api.v1 import campaign_actions
from app.domain.rights import Role
from app.models import IdempotencyKey, KnownBrowser
from app.runtime.context import AppContext, get_context
from app.runtime.database import Database
from app.services.access.known_browsers import BROWSER_COOKIE
from app.services.access.sessions import SESSION_COOKIE, resolve_session
from app.services.access.tickets import issue_ticket
from app.services.access.tokens import token_hash
from app.services.campaigns.operations import duplicate_campaign
from tests.api.conftest import ApiWorld, fields_of, problem_of, settings_for
from tests.support.builders import NOON, make_member

CAMPAIGN = {"name": "Spring", "campaign_type": "call"}


async def test_health_tells_of_database_schema_and_redis(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/health")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "database": "ok", "migrations": "ok", "redis": "ok"}


async def test_every_answer_forbids_framing_and_guessing(client: httpx.AsyncClient) -> None:
    for path in ("/api/health", "/api/v1/campaigns", "/nothing"):
        answer = await client.get(path)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


async def test_health_fails_with_a_schema_that_is_not_ours(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_newest", lambda: "another")
    answer = await client.get("/api/health")
    assert (answer.status_code, answer.json()["migrations"]) == (503, "behind")


async def test_without_redis_the_api_is_degraded_and_without_a_database_unavailable(
    context: AppContext, redis_url: str
) -> None:
    away = replace(context, settings=settings_for(context.database, "redis://127.0.0.1:1"))
    async for client in client_of(away):
        answer = await client.get("/api/health")
        assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    nowhere = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
    async for client in client_of(replace(context, database=nowhere)):
        answer = await client.get("/api/health")
        assert (answer.status_code, answer.json()["database"]) == (503, "unreachable")
        asked = await client.get("/api/v1/campaigns", headers={"Authorization": "Bearer cs_x"})
        assert problem_of(asked)["status"] == 503


async def client_of(context: AppContext) -> AsyncIterator[httpx.AsyncClient]:
    api = create_api()
    api.dependency_overrides[get_context] = lambda: context
    transport = httpx.ASGITransport(api, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:4500") as client:
        yield client


async def test_the_documentation_names_routes_and_problems(client: httpx.AsyncClient) -> None:
    described = (await client.get("/api/openapi.json")).json()
    assert "/v1/campaigns" in described["paths"]
    assert described["servers"] == [{"url": "/api"}]
    assert {"Problem", "FieldProblem"} <= described["components"]["schemas"].keys()


async def test_the_documentation_loads_nothing_from_elsewhere(client: httpx.AsyncClient) -> None:
    page = await client.get("/api/docs")
    assert page.status_code == 200
    assert "://" not in page.text
    loaded = re.findall(r"""(?:src|href)="([^"]+)\"""", page.text)
    assert {Path(address).name for address in loaded} == {
        "favicon.svg",
        "swagger-ui.css",
        "swagger-ui-bundle.js",
    }
    for address in loaded:
        assert (await client.get(address)).status_code == 200, address


@pytest.mark.parametrize("key", [None, "cs_unknown", "nonsense", "é"])
async def test_without_a_good_key_nothing_is_told(world: ApiWorld, key: str | None) -> None:
    headers = {b"Authorization": f"Bearer {key}".encode()} if key else {}
    refused = await world.client.post("/api/v1/campaigns", content=b"{not json", headers=headers)
    assert problem_of(refused)["status"] == 401
    assert refused.headers["www-authenticate"].startswith("Bearer")


async def test_a_revoked_key_opens_nothing_from_that_moment(world: ApiWorld) -> None:
    keys = (await world.get("/keys")).json()["items"]
    viewer = next(key for key in keys if key["role"] == "viewer")
    assert (await world.get("/campaigns", role=Role.VIEWER)).status_code == 200
    assert (await world.call("DELETE", f"/keys/{viewer['id']}")).status_code == 204
    assert (await world.get("/campaigns", role=Role.VIEWER)).status_code == 401


async def test_a_browsers_cookie_is_no_key(world: ApiWorld) -> None:
    token = await sign_in(world)
    world.client.cookies.set(SESSION_COOKIE, token)
    assert (await world.get("/campaigns", role=None)).status_code == 401


async def test_every_kind_of_error_is_problem_details(world: ApiWorld) -> None:
    assert problem_of(await world.client.get("/api/nothing"))["status"] == 404
    assert problem_of(await world.get("/campaigns/999999999"))["status"] == 404
    assert problem_of(await world.get("/campaigns/no-such-thing"))["status"] == 404
    wrong_method = await world.call("DELETE", "/campaigns")
    assert problem_of(wrong_method)["status"] == 405
    assert wrong_method.headers["allow"]
    wrong_type = await world.call(
        "POST", "/campaigns", content=b"name=x", headers={"Content-Type": "text/plain"}
    )
    assert problem_of(wrong_type)["status"] == 415
    not_json = await world.call(
        "POST", "/campaigns", content=b"{", headers={"Content-Type": "application/json"}
    )
    assert problem_of(not_json)["status"] == 422
    not_an_object = await world.post("/campaigns", [1])
    assert problem_of(not_an_object)["status"] == 422


async def test_half_a_character_is_quoted_without_a_stumble(world: ApiWorld) -> None:
    half = b'{"name": "x", "campaign_type": "call", "assistant_id": "\\ud800"}'
    refused = await world.call(
        "POST", "/campaigns", content=half, headers={"Content-Type": "application/json"}
    )
    assert fields_of(refused) == {"assistant_id"}


async def test_a_surprise_is_answered_with_a_reference_and_no_more(
    world: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("a secret")

    campaign = await world.make_campaign()
    monkeypatch.setattr(campaign_actions, "pause_campaign", broken)
    failed = await world.post(f"/campaigns/{campaign['id']}/pause")
    assert failed.status_code == 500
    assert problem_of(failed)["reference"] in problem_of(failed)["detail"]
    assert "secret" not in failed.text


async def test_a_body_is_refused_as_soon_as_it_is_too_large(world: ApiWorld) -> None:
    announced = await world.call(
        "POST",
        "/campaigns",
        content=b"x" * (body_limits.LARGEST_BODY + 1),
        headers={"Content-Type": "application/json"},
    )
    assert problem_of(announced)["status"] == 413

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 65_536

    streamed = await world.call(
        "POST", "/campaigns", content=endless(), headers={"Content-Type": "application/json"}
    )
    assert problem_of(streamed)["status"] == 413


async def test_other_sites_are_told_nothing(world: ApiWorld) -> None:
    asked = await world.get("/campaigns", headers={"Origin": "https://evil.example"})
    assert not [name for name in asked.headers if name.startswith("access-control")]
    preflight = await world.client.options(
        "/api/v1/campaigns",
        headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"},
    )
    assert preflight.status_code == 405


# Repeated requests


async def test_a_repeated_request_is_answered_and_not_done_again(world: ApiWorld) -> None:
    body = CAMPAIGN | {"assistant_id": world.agent.id}
    headers = {"Idempotency-Key": "order-7"}
    first = await world.post("/campaigns", body, headers=headers)
    again = await world.post("/campaigns", body, headers=headers)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotent-replayed"] == "true"
    assert (await world.get("/campaigns")).json()["total"] == 1


async def test_a_start_is_repeated_without_a_conflict(world: ApiWorld) -> None:
    campaign = await world.make_ready_campaign()
    headers = {"Idempotency-Key": "go"}
    first = await world.post(f"/campaigns/{campaign['id']}/start", headers=headers)
    again = await world.post(f"/campaigns/{campaign['id']}/start", headers=headers)
    assert first.json()["status"] == "queued"
    assert (again.status_code, again.json()) == (200, first.json())


async def test_the_same_key_with_another_request_is_refused(world: ApiWorld) -> None:
    headers = {"Idempotency-Key": "order-7"}
    body = CAMPAIGN | {"assistant_id": world.agent.id}
    await world.post("/campaigns", body, headers=headers)
    refused = await world.post("/campaigns", body | {"name": "Other"}, headers=headers)
    assert refused.status_code == 422
    assert fields_of(refused) == {"Idempotency-Key"}
    by_another = await world.post("/campaigns", body, headers=headers, role=Role.MANAGER)
    assert by_another.status_code == 422


async def test_a_request_that_failed_may_be_mended_and_sent_with_the_same_key(world: ApiWorld) -> None:
    headers = {"Idempotency-Key": "order-7"}
    refused = await world.post("/campaigns", CAMPAIGN, headers=headers)
    assert refused.status_code == 422
    made = await world.post("/campaigns", CAMPAIGN | {"assistant_id": world.agent.id}, headers=headers)
    assert made.status_code == 201


async def test_of_two_at_once_one_works_and_the_other_is_told_to_wait(
    world: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = await world.make_ready_campaign()
    entered, go_on = asyncio.Event(), asyncio.Event()
    real = duplicate_campaign

    async def slow(*args: Any, **named: Any) -> int:
        entered.set()
        await go_on.wait()
        return await real(*args, **named)

    monkeypatch.setattr(campaign_actions, "duplicate_campaign", slow)
    path, headers = f"/campaigns/{campaign['id']}/duplicate", {"Idempotency-Key": "copy"}
    first = asyncio.create_task(world.post(path, headers=headers))
    await entered.wait()
    second = await world.post(path, headers=headers)
    assert problem_of(second)["status"] == 409
    go_on.set()
    assert (await first).status_code == 201
    third = await world.post(path, headers=headers)
    assert third.json() == (await first).json()


async def test_a_process_that_dies_at_work_leaves_nothing_behind(
    world: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    async def killed(*_: Any, **__: Any) -> None:
        raise Killed

    campaign = await world.make_ready_campaign()
    with monkeypatch.context() as patched:
        patched.setattr("app.api.idempotency.remember", killed)
        with pytest.raises(Killed):
            await world.post(f"/campaigns/{campaign['id']}/start", headers={"Idempotency-Key": "go"})
    assert (await world.get(f"/campaigns/{campaign['id']}")).json()["status"] == "draft"
    started = await world.post(f"/campaigns/{campaign['id']}/start", headers={"Idempotency-Key": "go"})
    assert started.json()["status"] == "queued"


async def test_a_key_may_be_used_anew_after_a_day(world: ApiWorld) -> None:
    headers = {"Idempotency-Key": "daily"}
    body = CAMPAIGN | {"assistant_id": world.agent.id}
    first = await world.post("/campaigns", body, headers=headers)
    world.clock.advance(hours=25)
    later = await world.post("/campaigns", body, headers=headers)
    assert later.json()["id"] != first.json()["id"]


async def test_a_new_api_key_is_shown_once_and_never_kept(world: ApiWorld) -> None:
    headers = {"Idempotency-Key": "hire"}
    made = await world.post("/keys", {"name": "CRM", "role": "operator"}, headers=headers)
    assert (await world.get("/campaigns", key=made.json()["key"])).status_code == 200
    again = await world.post("/keys", {"name": "CRM", "role": "operator"}, headers=headers)
    assert again.json() == made.json() | {"key": None}
    async with world.database.session() as session:
        kept = (await session.execute(select(col(IdempotencyKey.body)))).scalar_one()
    assert made.json()["key"] not in str(kept)


@pytest.mark.parametrize("key", ["", "x" * 256, "with space"])
async def test_an_idempotency_key_is_a_short_printable_text(world: ApiWorld, key: str) -> None:
    refused = await world.post("/campaigns", CAMPAIGN, headers={"Idempotency-Key": key})
    assert "idempotency-key" in {field.lower() for field in fields_of(refused)}


# The browser's way in


async def sign_in(world: ApiWorld) -> str:
    """Sign a member in by a ticket and return their session's token."""
    answer = await world.client.get(
        "/auth/complete", params={"ticket": await ticket_for(world, "/acme/campaigns")}
    )
    token = answer.cookies[SESSION_COOKIE]
    world.client.cookies.clear()
    return token


async def ticket_for(world: ApiWorld, next_path: str) -> str:
    async with world.database.transaction() as session:
        member = await make_member(session, world.organization)
        return await issue_ticket(session, user_id=member.id, next_path=next_path, now=NOON)


async def test_a_ticket_becomes_a_cookie_once(world: ApiWorld) -> None:
    ticket = await ticket_for(world, "/acme/campaigns")
    entered = await world.client.get("/auth/complete", params={"ticket": ticket})
    assert (entered.status_code, entered.headers["location"]) == (303, "/acme/campaigns")
    cookie = entered.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "secure" not in cookie
    async with world.database.session() as session:
        person = await resolve_session(session, tokens=[entered.cookies[SESSION_COOKIE]], now=NOON)
    assert person is not None
    world.client.cookies.clear()
    again = await world.client.get("/auth/complete", params={"ticket": ticket})
    assert again.headers["location"] == "/sign-in/?expired=1"
    assert "set-cookie" not in again.headers


async def test_the_browser_is_known_by_a_cookie_of_its_own_that_outlives_the_session(world: ApiWorld) -> None:
    entered = await world.client.get("/auth/complete", params={"ticket": await ticket_for(world, "/")})
    [cookie] = [each for each in entered.headers.get_list("set-cookie") if each.startswith(BROWSER_COOKIE)]
    assert {part.strip().lower() for part in cookie.split(";")[1:]} == {
        "httponly",
        "samesite=lax",
        "path=/",
        f"max-age={180 * 24 * 3600}",
    }
    first = entered.cookies[BROWSER_COOKIE]
    left = await world.client.post("/auth/sign-out")
    assert BROWSER_COOKIE not in left.headers["set-cookie"]
    again = await world.client.get("/auth/complete", params={"ticket": await ticket_for(world, "/")})
    async with world.database.session() as session:
        hashes = set((await session.execute(select(col(KnownBrowser.token_hash)))).scalars())
    assert hashes == {token_hash(again.cookies[BROWSER_COOKIE])}, "one browser, with a new token each time"
    assert first != again.cookies[BROWSER_COOKIE]


async def test_a_ticket_leads_to_our_own_pages_only(world: ApiWorld) -> None:
    ticket = await ticket_for(world, "//evil.example/x")
    entered = await world.client.get("/auth/complete", params={"ticket": ticket})
    assert entered.headers["location"] == "/"


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_no_other_site_signs_anybody_in_or_out(world: ApiWorld, site: str) -> None:
    elsewhere = {"Sec-Fetch-Site": site}
    ticket = await ticket_for(world, "/")
    entered = await world.client.get("/auth/complete", params={"ticket": ticket}, headers=elsewhere)
    assert "set-cookie" not in entered.headers
    token = await sign_in(world)
    kept = await world.client.post(
        "/auth/sign-out", headers=elsewhere | {"Cookie": f"{SESSION_COOKIE}={token}"}
    )
    assert "set-cookie" not in kept.headers
    followed = await world.client.get("/auth/sign-out", headers={"Cookie": f"{SESSION_COOKIE}={token}"})
    assert (followed.status_code, "set-cookie" in followed.headers) == (405, False), "a link signs nobody out"
    async with world.database.session() as session:
        assert await resolve_session(session, tokens=[token], now=NOON + timedelta(seconds=1)) is not None


@pytest.mark.parametrize("site", ["same-origin", "none"])
async def test_our_own_page_and_a_link_that_was_typed_sign_in(world: ApiWorld, site: str) -> None:
    ticket = await ticket_for(world, "/acme")
    entered = await world.client.get(
        "/auth/complete", params={"ticket": ticket}, headers={"Sec-Fetch-Site": site}
    )
    assert (entered.headers["location"], "set-cookie" in entered.headers) == ("/acme", True)


async def test_who_signs_in_over_a_session_has_ended_it(world: ApiWorld) -> None:
    before, other, elsewhere = [await sign_in(world) for _ in range(3)]
    cookies = {"Cookie": f"{SESSION_COOKIE}={before}; {SESSION_COOKIE}={other}"}

    async def are_open() -> list[bool]:
        async with world.database.session() as session:
            return [
                await resolve_session(session, tokens=[token], now=NOON) is not None
                for token in (before, other, elsewhere)
            ]

    await world.client.get("/auth/complete", params={"ticket": "made-up"}, headers=cookies)
    assert await are_open() == [True, True, True], "a ticket that is good for nothing ends nothing"
    ticket = await ticket_for(world, "/")
    entered = await world.client.get("/auth/complete", params={"ticket": ticket}, headers=cookies)
    assert await are_open() == [False, False, True]
    async with world.database.session() as session:
        new = [entered.cookies[SESSION_COOKIE]]
        assert await resolve_session(session, tokens=new, now=NOON) is not None


@pytest.mark.parametrize("order", [1, -1])
async def test_a_cookie_planted_beside_the_sessions_keeps_nobody_out_or_in(
    world: ApiWorld, order: int
) -> None:
    entered = await world.client.get("/auth/complete", params={"ticket": await ticket_for(world, "/")})
    token, browser = entered.cookies[SESSION_COOKIE], entered.cookies[BROWSER_COOKIE]
    world.client.cookies.clear()
    sent = [f"{name}={value}" for name in (SESSION_COOKIE, BROWSER_COOKIE) for value in ("planted", "x")]
    sent = [*sent, f"{SESSION_COOKIE}={token}", f"{BROWSER_COOKIE}={browser}"][::order]
    headers = {"Cookie": "; ".join(sent)}
    path = f"/download/{world.organization.slug}/contacts.csv"
    assert (await world.client.get(path, headers=headers)).status_code == 200
    ticket = await ticket_for(world, "/")
    again = await world.client.get("/auth/complete", params={"ticket": ticket}, headers=headers)
    async with world.database.session() as session:
        hashes = set((await session.execute(select(col(KnownBrowser.token_hash)))).scalars())
    assert hashes == {token_hash(again.cookies[BROWSER_COOKIE])}, "the browser that was known is known on"
    token = again.cookies[SESSION_COOKIE]
    world.client.cookies.clear()
    headers = {"Cookie": "; ".join([*sent, f"{SESSION_COOKIE}={token}"][::order])}
    await world.client.post("/auth/sign-out", headers=headers)
    assert (await world.client.get(path, headers=headers)).status_code == 303


async def test_over_https_the_cookies_are_such_as_this_host_alone_can_set(world: ApiWorld) -> None:
    settings = world.context.settings.model_copy(update={"public_url_setting": "https://calls.example.com"})
    async for client in client_of(replace(world.context, settings=settings)):
        entered = await client.get("/auth/complete", params={"ticket": await ticket_for(world, "/")})
        for cookie in entered.headers.get_list("set-cookie"):
            assert cookie.startswith("__Host-callsheet_")
            attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
            assert attributes >= {"secure", "path=/", "httponly", "samesite=lax"}
            assert not [each for each in attributes if each.startswith("domain")]
        client.cookies.clear()
        name, path = f"__Host-{SESSION_COOKIE}", f"/download/{world.organization.slug}/contacts.csv"
        token = re.findall(rf"{name}=([\w-]+)", str(entered.headers))[0]
        planted = await client.get(path, headers={"Cookie": f"{SESSION_COOKIE}={token}"})
        assert planted.status_code == 303
        headers = {"Cookie": f"{name}={token}"}
        assert (await client.get(path, headers=headers)).status_code == 200
        left = await client.post("/auth/sign-out", headers=headers)
        assert left.headers["set-cookie"].startswith(f'{name}="";')
        assert "secure" in left.headers["set-cookie"].lower()
        assert (await client.get(path, headers=headers)).status_code == 303


async def test_a_cookie_that_came_by_https_never_leaves_by_http(world: ApiWorld) -> None:
    ticket = await ticket_for(world, "/")
    entered = await world.client.get(
        "/auth/complete", params={"ticket": ticket}, headers={"X-Forwarded-Proto": "https"}
    )
    assert "secure" in entered.headers["set-cookie"].lower()


async def test_signing_out_ends_the_session_and_clears_the_cookie(world: ApiWorld) -> None:
    token = await sign_in(world)
    left = await world.client.post("/auth/sign-out", headers={"Cookie": f"{SESSION_COOKIE}={token}"})
    assert (left.status_code, left.headers["location"]) == (303, "/sign-in/")
    assert "max-age=0" in left.headers["set-cookie"].lower()
    async with world.database.session() as session:
        assert await resolve_session(session, tokens=[token], now=NOON + timedelta(seconds=1)) is None
