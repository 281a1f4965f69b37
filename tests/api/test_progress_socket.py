"""The progress WebSocket of seed 000, in the process, with real notes by a real Valkey."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest
from fastapi import FastAPI
from redis.asyncio import Redis

from app.api import live
from app.api.main import create_api
from app.domain.rights import Role
from app.models import Campaign
from app.runtime.context import AppContext, get_context
from app.runtime.live_feed import CHANNEL
from app.services import live_hub as hub_module
from app.services.access.keys import list_keys, revoke_key
from app.services.campaigns.progress import campaign_snapshot
from app.services.campaigns.transitions import fail_by_system
from tests.api.conftest import ApiWorld, make_world
from tests.support.builders import NOON, make_recipient, principal
from tests.support.waiting import until

PATIENCE = 10.0


@dataclass
class Socket:
    """One end of a WebSocket to the application."""

    inbox: "asyncio.Queue[dict[str, Any]]" = field(default_factory=asyncio.Queue)
    outbox: "asyncio.Queue[dict[str, Any]]" = field(default_factory=asyncio.Queue)

    async def sent(self) -> dict[str, Any]:
        """Return the next thing the application sends."""
        async with asyncio.timeout(PATIENCE):
            return await self.outbox.get()

    async def message(self) -> dict[str, Any]:
        """Return the next message, read as JSON."""
        sent = await self.sent()
        assert sent["type"] == "websocket.send", sent
        message: dict[str, Any] = json.loads(sent["text"])
        return message

    async def close_code(self) -> int:
        """Return the code that the application closes with; messages before it are passed over."""
        while (sent := await self.sent())["type"] != "websocket.close":
            pass
        code: int = sent["code"]
        return code

    def leave(self) -> None:
        """Close from this end."""
        self.inbox.put_nowait({"type": "websocket.disconnect", "code": 1000})


Connect = Callable[..., Any]


@pytest.fixture
async def api(context: AppContext, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FastAPI]:
    """The application with its live hub at work."""
    monkeypatch.setattr(hub_module, "get_context", lambda: context)
    api = create_api()
    api.dependency_overrides[get_context] = lambda: context
    async with hub_module.live_hub():
        yield api


@asynccontextmanager
async def connected(
    api: FastAPI, path: str, *, token: str = "", run: int = 0, headers: dict[str, str] | None = None
) -> AsyncIterator[Socket]:
    socket = Socket()
    socket.inbox.put_nowait({"type": "websocket.connect"})
    scope = {
        "type": "websocket",
        "asgi": {"version": "3.0"},
        "scheme": "ws",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": urlencode(
            {name: value for name, value in (("token", token), ("run", run)) if value}
        ).encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()],
        "subprotocols": [],
    }
    task = asyncio.create_task(api(scope, socket.inbox.get, socket.outbox.put))  # type: ignore[arg-type]  # plain dicts
    try:
        assert (await socket.sent())["type"] == "websocket.accept"
        yield socket
    finally:
        socket.leave()
        async with asyncio.timeout(PATIENCE):
            await task


async def subscribed(redis: Redis) -> bool:
    return bool((await redis.pubsub_numsub(CHANNEL))[0][1])


async def test_the_present_progress_comes_at_once_in_the_seeds_shape(world: ApiWorld, api: FastAPI) -> None:
    campaign = await world.make_ready_campaign()
    path = f"/ws/campaigns/{campaign['public_id']}/progress"
    async with connected(api, path, token=world.keys[Role.VIEWER]) as socket:
        message = await socket.message()
    assert message["type"] == "progress_update"
    assert message["data"]["progress"] == {
        "total_contacts": 1,
        "completed": 0,
        "failed": 0,
        "pending": 1,
        "processing": 0,
    }
    assert (message["data"]["campaign_id"], message["data"]["status"]) == (campaign["id"], "draft")


async def test_what_another_process_changes_arrives_within_a_second(
    world: ApiWorld, api: FastAPI, redis: Redis
) -> None:
    campaign = await world.make_ready_campaign()
    headers = {"Authorization": f"Bearer {world.keys[Role.VIEWER]}"}
    async with connected(api, f"/ws/campaigns/{campaign['id']}/progress", headers=headers) as socket:
        await socket.message()
        await until(lambda: subscribed(redis))
        async with world.database.transaction() as session:
            await make_recipient(session, await session.get_one(Campaign, campaign["id"]))
        begun = asyncio.get_running_loop().time()
        note = {"organization_id": world.organization.id, "campaign_id": campaign["id"], "work": False}
        await redis.publish(CHANNEL, json.dumps(note))
        message = await socket.message()
        assert asyncio.get_running_loop().time() - begun < 1.0
    assert message["data"]["progress"]["total_contacts"] == 2


async def test_that_a_campaign_failed_arrives_with_the_reason(
    world: ApiWorld, api: FastAPI, redis: Redis
) -> None:
    campaign = await world.make_ready_campaign()
    assert (await world.post(f"/campaigns/{campaign['id']}/start")).status_code == 200
    path = f"/ws/campaigns/{campaign['id']}/progress"
    async with connected(api, path, token=world.keys[Role.VIEWER]) as socket:
        while (await socket.message())["data"]["status"] != "queued":
            pass
        await until(lambda: subscribed(redis))
        async with world.database.transaction() as session:
            await fail_by_system(
                session, campaign_id=campaign["id"], reason="No number is left.", now=world.clock.now()
            )
        while (message := await socket.message())["data"]["status"] == "queued":
            pass
    assert (message["data"]["status"], message["data"]["status_reason"]) == ("failed", "No number is left.")


async def test_many_sockets_on_one_campaign_are_one_query(
    world: ApiWorld, api: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    real = campaign_snapshot

    async def counted(*args: Any, **named: Any) -> Any:
        asked.append(named["campaign_id"])
        return await real(*args, **named)

    monkeypatch.setattr(live, "campaign_snapshot", counted)
    campaign = await world.make_ready_campaign()
    path = f"/ws/campaigns/{campaign['id']}/progress"
    async with contextlib.AsyncExitStack() as stack:
        sockets = [
            await stack.enter_async_context(connected(api, path, token=world.keys[Role.VIEWER]))
            for _ in range(5)
        ]
        for socket in sockets:
            await socket.message()
        assert len(asked) == 1


@pytest.mark.parametrize("token", ["", "cs_unknown"])
async def test_without_a_good_key_it_closes_with_4401(world: ApiWorld, api: FastAPI, token: str) -> None:
    campaign = await world.make_campaign()
    async with connected(api, f"/ws/campaigns/{campaign['id']}/progress", token=token) as socket:
        assert await socket.close_code() == 4401


@pytest.mark.parametrize("ref", ["999999999", "nonsense"])
async def test_without_such_a_campaign_it_closes_with_4404(world: ApiWorld, api: FastAPI, ref: str) -> None:
    async with connected(api, f"/ws/campaigns/{ref}/progress", token=world.keys[Role.OWNER]) as socket:
        assert await socket.close_code() == 4404


async def test_a_run_is_asked_for_by_its_number(world: ApiWorld, api: FastAPI) -> None:
    campaign = await world.make_ready_campaign()
    path, token = f"/ws/campaigns/{campaign['id']}/progress", world.keys[Role.VIEWER]
    async with connected(api, path, token=token, run=1) as socket:
        message = await socket.message()
        assert (message["data"]["run"], message["data"]["progress"]["total_contacts"]) == (1, 1)
    async with connected(api, path, token=token, run=2) as socket:
        assert await socket.close_code() == live.NO_CAMPAIGN


async def test_another_organizations_campaign_is_not_there(world: ApiWorld, api: FastAPI) -> None:
    campaign = await world.make_campaign()
    other = await make_world(world.context, world.client, world.carrier)
    path = f"/ws/campaigns/{campaign['id']}/progress"
    async with connected(api, path, token=other.keys[Role.OWNER]) as socket:
        assert await socket.close_code() == 4404


async def test_it_closes_when_the_campaign_is_deleted(world: ApiWorld, api: FastAPI, redis: Redis) -> None:
    campaign = await world.make_campaign()
    path = f"/ws/campaigns/{campaign['id']}/progress"
    async with connected(api, path, token=world.keys[Role.OWNER]) as socket:
        await socket.message()
        await until(lambda: subscribed(redis))
        assert (await world.call("DELETE", f"/campaigns/{campaign['id']}")).status_code == 204
        assert await socket.close_code() == 4404


async def test_it_closes_once_the_key_is_revoked(
    world: ApiWorld, api: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "RECHECK_SECONDS", 0.01)
    campaign = await world.make_campaign()
    owner = principal(world.organization)
    path = f"/ws/campaigns/{campaign['id']}/progress"
    async with connected(api, path, token=world.keys[Role.VIEWER]) as socket:
        await socket.message()
        async with world.database.transaction() as session:
            viewer = next(key for key in await list_keys(session, principal=owner) if key.role is Role.VIEWER)
            await revoke_key(session, principal=owner, key_id=viewer.id, now=NOON)
        assert await socket.close_code() == 4401


async def test_a_quiet_campaign_is_pinged(
    world: ApiWorld, api: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "PING_SECONDS", 0.01)
    campaign = await world.make_campaign()
    path = f"/ws/campaigns/{campaign['id']}/progress"
    async with connected(api, path, token=world.keys[Role.VIEWER]) as socket:
        types = {(await socket.message())["type"] for _ in range(3)}
    assert types == {"progress_update", "ping"}


@pytest.mark.parametrize("frame", [{"bytes": b"\x00\xff"}, {"text": "[" * 5_000}, {"text": "\ud800"}])
async def test_what_the_other_side_says_is_ignored_in_whatever_frames(
    world: ApiWorld, api: FastAPI, frame: dict[str, Any]
) -> None:
    campaign = await world.make_ready_campaign()
    path = f"/ws/campaigns/{campaign['id']}/progress"
    async with connected(api, path, token=world.keys[Role.VIEWER]) as socket:
        await socket.message()
        socket.inbox.put_nowait({"type": "websocket.receive", **frame})
        socket.inbox.put_nowait({"type": "websocket.receive", **frame})
        await until(lambda: asyncio.sleep(0, socket.inbox.empty()))
        assert socket.outbox.empty()
