"""The API on a real database, at noon on a day in March, as its callers see it."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from app.api.main import create_api
from app.api.middleware import with_middleware
from app.domain.rights import Role
from app.models import Agent, Organization, PhoneNumber
from app.providers import registry
from app.providers.base import Carrier
from app.runtime.config import Settings
from app.runtime.context import AppContext, build_context, get_context
from app.runtime.database import Database
from app.runtime.live_feed import LiveFeed
from app.services.access.keys import create_key
from tests.support.builders import NOON, make_agent, make_number, make_organization, principal
from tests.support.carrier import AccountBook
from tests.support.clock import VirtualClock

ACCOUNT_SID = "AC" + "0" * 32


@dataclass
class ApiWorld:
    """An organization with an agent, a number and a key for each role; and the API it calls."""

    context: AppContext
    clock: VirtualClock
    client: httpx.AsyncClient
    organization: Organization
    agent: Agent
    number: PhoneNumber
    carrier: AccountBook
    keys: dict[Role, str] = field(default_factory=dict)

    @property
    def database(self) -> Database:
        return self.context.database

    async def call(
        self, method: str, path: str, *, role: Role | None = Role.OWNER, key: str | None = None, **more: Any
    ) -> httpx.Response:
        """Call `/api/v1` as a role of the organization, with a key, or (role None) as nobody."""
        key = key or (self.keys[role] if role else None)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        headers |= more.pop("headers", {})
        return await self.client.request(method, f"/api/v1{path}", headers=headers, **more)

    async def get(self, path: str, **more: Any) -> httpx.Response:
        return await self.call("GET", path, **more)

    async def post(self, path: str, body: Any = None, **more: Any) -> httpx.Response:
        return await self.call("POST", path, **({"json": body} if body is not None else {}), **more)

    async def patch(self, path: str, body: Any, **more: Any) -> httpx.Response:
        return await self.call("PATCH", path, json=body, **more)

    async def make_campaign(self, **body: Any) -> dict[str, Any]:
        """Create a campaign that lacks nothing but contacts."""
        full = {
            "name": "March reminders",
            "campaign_type": "call",
            "assistant_id": self.agent.id,
            "phone_number_id": self.number.id,
            "welcome_message_template": "Hi {{name}}.",
        }
        made = await self.post("/campaigns", full | body)
        assert made.status_code == 201, made.text
        campaign: dict[str, Any] = made.json()
        return campaign

    async def make_ready_campaign(self, **body: Any) -> dict[str, Any]:
        """Create a campaign with one contact, ready to start."""
        campaign = await self.make_campaign(**body)
        added = await self.post(
            f"/campaigns/{campaign['id']}/contacts", {"phone_number": "+12025550111", "name": "Jo"}
        )
        assert added.status_code == 201, added.text
        return campaign


def settings_for(database: Database, redis_url: str) -> Settings:
    return Settings(
        database_url=database.url,
        redis_url=redis_url,
        secret=SecretStr("a secret"),
        twilio_account_sid=ACCOUNT_SID,
        twilio_auth_token=SecretStr("token"),
        twilio_api_url="http://carrier.invalid",
        carrier_simulated=True,
        public_url_setting="http://localhost:4500",
    )


@pytest.fixture
async def context(database: Database, redis_url: str) -> AsyncIterator[AppContext]:
    """The seams of the process: what is committed is published."""
    settings = settings_for(database, redis_url)
    feed = LiveFeed(redis_url)
    telling = Database(database.url, on_commit=feed.publish)
    seams = build_context(settings, clock=VirtualClock(at=NOON))
    context = replace(seams, database=telling, feed=feed)
    yield context
    await context.close()


@pytest.fixture(scope="session")
def application() -> FastAPI:
    """The API, made once: it keeps nothing of a request."""
    return create_api()


@pytest.fixture
async def client(application: FastAPI, context: AppContext) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API; an error it does not foresee is answered, as a server would."""
    application.dependency_overrides[get_context] = lambda: context
    transport = httpx.ASGITransport(
        with_middleware(application, context.settings), raise_app_exceptions=False
    )
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:4500") as client:
        yield client
    application.dependency_overrides.clear()


@pytest.fixture(autouse=True)
def carrier(monkeypatch: pytest.MonkeyPatch) -> AccountBook:
    """The carrier that the API asks about numbers."""
    book = AccountBook()
    twilio = replace(registry.PROVIDERS["twilio"], make=lambda _account: cast("Carrier", book))
    monkeypatch.setitem(registry.PROVIDERS, "twilio", twilio)
    return book


@pytest.fixture
async def world(context: AppContext, client: httpx.AsyncClient, carrier: AccountBook) -> ApiWorld:
    """An organization that calls the API."""
    return await make_world(context, client, carrier)


async def make_world(context: AppContext, client: httpx.AsyncClient, carrier: AccountBook) -> ApiWorld:
    async with context.database.transaction() as session:
        organization = await make_organization(session)
        agent = await make_agent(session, organization)
        number = await make_number(session, organization)
        owner = principal(organization)
        keys = {
            role: (await create_key(session, principal=owner, name=role.value, role=role, now=NOON)).key
            for role in Role
        }
    clock = context.clock
    assert isinstance(clock, VirtualClock)
    return ApiWorld(context, clock, client, organization, agent, number, carrier, keys)


def problem_of(response: httpx.Response) -> dict[str, Any]:
    """Return the problem details of an answer, having checked that they are some."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    body: dict[str, Any] = json.loads(response.content)
    assert body.keys() >= {"type", "title", "status", "detail", "errors"}
    assert body["status"] == response.status_code
    assert "Traceback" not in response.text
    return body


def fields_of(response: httpx.Response) -> set[str]:
    """Return the fields that a problem names."""
    return {error["field"] for error in problem_of(response)["errors"]}
