"""Opens the world of a fault test: servers, carrier and web process; no worker yet.

Everything is its own: a home, ports and servers that are gone afterwards; nothing of the environment is used.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx
from sqlalchemy import text

from app.domain.legal_policy import LegalPolicy
from app.installation.embedded import EmbeddedPostgres, EmbeddedValkey
from app.installation.home import Home
from app.installation.process_commands import Launch, Urls, child_environment, simulator_launch, web_launch
from app.providers.registry import configured_account
from app.runtime.config import Settings
from app.runtime.context import AppContext, build_context
from app.runtime.migrations import upgrade
from app.services.access.organizations import console_principal, create_organization
from app.services.access.principal import Principal
from app.services.agents.operations import create_agent
from app.services.numbers.adding import add_carrier_numbers
from app.services.numbers.carriers import CarrierIdentity, identity_of
from app.simulator.settings import DEFAULT_NUMBERS
from tests.faults.harness import SPEED, World
from tests.faults.hatchery import HATCHES
from tests.faults.line import Line
from tests.faults.ports import free_ports
from tests.faults.processes import Process
from tests.faults.relay import Relay
from tests.support.servers import temporary_home

_CARRIER_PACE: Final = 1000
"""Calls a second the carrier takes at once: our limits are to hold, not its queue."""


@dataclass(frozen=True)
class Wishes:
    """What a scenario's world is to be like."""

    speed: float = SPEED
    """Carrier seconds in a real one."""
    seed: int = 1
    durable: bool = False
    """PostgreSQL loses nothing when it is killed. Needed only where it is."""
    by_line: bool = False
    """The carrier is reached over `World.line`, which can be cut."""


@asynccontextmanager
async def open_world(wishes: Wishes | None = None) -> AsyncIterator[World]:
    """Start everything; all of it ends with the block."""
    wishes = wishes or Wishes()
    with temporary_home() as folder:
        home = Home(folder / "home")
        home.create()
        home.path.chmod(0o711)
        postgres = EmbeddedPostgres(home.path, durable=wishes.durable)
        valkey = EmbeddedValkey(home.path, persist=False)
        try:
            urls = Urls(postgres.start(), valkey.start())
            upgrade(urls.database)
            async with AsyncExitStack() as stack:
                yield await _world(stack, wishes, home, urls, postgres, valkey)
        finally:
            valkey.stop()
            postgres.purge()


async def _world(
    stack: AsyncExitStack,
    wishes: Wishes,
    home: Home,
    urls: Urls,
    postgres: EmbeddedPostgres,
    valkey: EmbeddedValkey,
) -> World:
    web_port, simulator_port, public_port, line_port = free_ports(4)
    environment = _environment(wishes, home, urls, web_port, simulator_port, public_port)
    if wishes.by_line:
        environment["TWILIO_API_URL"] = f"http://127.0.0.1:{line_port}"
    ours = _explicit(**{name: environment[name] for name in _NAMES if name in environment})
    context = build_context(ours, pool_size=20)
    stack.push_async_callback(context.close)
    relay, line = Relay(public_port, web_port), Line(line_port, simulator_port)
    for each in (relay, line):
        await each.start()
        stack.push_async_callback(each.stop)
    http = await stack.enter_async_context(_client(simulator_port, 30))
    probe = await stack.enter_async_context(_client(web_port, 5))
    simulator = _process("simulator", simulator_launch(), environment, home, http, "/_simulator/health")
    launch = web_launch(web_port, home.path, with_browser=False)
    web = _process("web", launch, environment, home, probe, "/api/health")
    web.hatched_as = "web" if HATCHES else None
    for process in (simulator, web):
        process.start()
        stack.callback(_end, process)
    await asyncio.gather(simulator.ready(), web.ready())
    (await http.post("/_simulator/pace", json={"calls_per_second": _CARRIER_PACE})).raise_for_status()
    identity = identity_of(configured_account(ours))
    principal, agent_id, caller_ids = await _tenant(context, identity)
    world = World(
        home=home,
        settings=ours,
        context=context,
        relay=relay,
        line=line,
        postgres=postgres,
        valkey=valkey,
        environment=environment,
        simulator=simulator,
        web=web,
        principal=principal,
        carrier_identity=identity,
        http=http,
        caller_ids=caller_ids,
        agent_id=agent_id,
        speed=wishes.speed,
    )
    stack.callback(world.stop_workers)
    return world


def _environment(
    wishes: Wishes, home: Home, urls: Urls, web_port: int, simulator_port: int, public_port: int
) -> dict[str, str]:
    settings = _explicit(
        CALLSHEET_HOME=home.path,
        CALLSHEET_PORT=web_port,
        CALLSHEET_PUBLIC_URL=f"http://127.0.0.1:{public_port}",
        SIMULATOR_PORT=simulator_port,
        SIMULATOR_SPEED=wishes.speed,
        SIMULATOR_SEED=wishes.seed,
    )
    return child_environment(settings, home, urls) | {"CALLSHEET_RECONCILE_SPEED": str(wishes.speed)}


def _client(port: int, timeout: float) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=timeout)


def _process(
    name: str,
    launch: Launch,
    environment: Mapping[str, str],
    home: Home,
    client: httpx.AsyncClient,
    health: str,
) -> Process:
    return Process(name, environment, home.logs / f"{name}.log", _answers(client, health), launch)


def _answers(client: httpx.AsyncClient, path: str) -> Callable[[], Awaitable[bool]]:
    async def ask() -> bool:
        try:
            return (await client.get(path)).is_success
        except httpx.HTTPError:
            return False

    return ask


def _end(process: Process) -> None:
    if process.alive:
        process.send(signal.SIGCONT)
        process.kill()


async def _tenant(context: AppContext, identity: CarrierIdentity) -> tuple[Principal, int, list[int]]:
    """An organization whose own limits are above any campaign's, with an agent and numbers."""
    now = context.clock.now()
    async with context.database.transaction() as session:
        organization = await create_organization(session, name="Faults", now=now)
        organization.outbound_limit, organization.frequency_cap = 1000, 0
        organization.legal_policy = LegalPolicy.OFF  # Tests run at any hour.
        principal = console_principal(organization)
        await add_carrier_numbers(
            session, principal=principal, identity=identity, numbers=DEFAULT_NUMBERS, now=now
        )
        agent_id = await create_agent(session, principal=principal, changes={"name": "Ava"}, now=now)
        numbers = await session.execute(text("SELECT id FROM phone_number ORDER BY id"))
        await session.execute(
            text("UPDATE carrier_account SET calls_per_second = :pace"), {"pace": _CARRIER_PACE}
        )
        return principal, agent_id, list(numbers.scalars())


_NAMES: Final = tuple(str(each.validation_alias) for each in Settings.model_fields.values())


def _explicit(**values: Any) -> Settings:
    """Settings that take nothing from the environment."""
    nothing: dict[str, Any] = {
        str(each.validation_alias): each.default for each in Settings.model_fields.values()
    }
    return Settings(**nothing | values)
