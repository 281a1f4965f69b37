"""The world of a fault test: real servers, a carrier and its people, workers and a web process that may be killed.

Everything is its own: a home, ports and servers that are gone afterwards; nothing of the environment is used.
"""

import asyncio
import json
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from sqlalchemy import text

from app.config import Settings
from app.context import AppContext, build_context
from app.home import Home
from app.launch import Launch, Urls, child_environment, simulator_launch, web_launch, worker_launch
from app.local import EmbeddedPostgres, EmbeddedValkey
from app.migrations import upgrade
from app.processes import spawn
from app.providers.registry import configured_account
from app.services.access.operations import console_principal, create_organization
from app.services.access.principal import Principal
from app.services.agents.operations import create_agent
from app.services.campaigns.lifecycle import start_campaign
from app.services.campaigns.operations import create_campaign
from app.services.imports.operations import import_file
from app.services.numbers.carriers import CarrierIdentity, identity_of
from app.services.numbers.operations import add_carrier_numbers
from app.simulator.settings import DEFAULT_NUMBERS
from tests.faults.ports import free_ports
from tests.faults.relay import Relay
from tests.support.servers import temporary_home

PROJECT: Final = Path(__file__).parents[2]
LIMIT: Final = 25
"""Calls at once: what two busy cores carry without queues that outlast the carrier's patience."""
SPEED: Final = 200.0
"""Carrier seconds in a real one."""
READY_SECONDS: Final = 40.0
_POLL_SECONDS: Final = 0.05
_AREAS: Final = ("201", "202", "212", "213", "305", "312", "404", "415", "512", "602", "617", "702", "718")


class TookTooLong(AssertionError):
    """Something that has to happen did not."""


@dataclass(slots=True)
class Worker:
    """One of our processes, which may be killed and started again."""

    name: str
    launch: Launch
    environment: Mapping[str, str]
    log: Path
    is_ready: Callable[[], Awaitable[bool]]
    starts: int = 0
    process: subprocess.Popen[bytes] | None = None

    @property
    def alive(self) -> bool:
        """Whether it runs (a suspended one does)."""
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self.process is not None
        return self.process.pid

    def start(self, *, fault: str | None = None) -> None:
        """Start it, perhaps to kill itself at a fault point: `point:N`."""
        assert not self.alive
        extra = {"CALLSHEET_FAULT": fault} if fault else {}
        self.starts += 1
        with self.log.open("ab") as log:
            self.process = spawn(
                self.launch.command,
                log=log,
                environment={**self.environment, **self.launch.environment, **extra},
                directory=PROJECT,
            )

    def send(self, number: signal.Signals) -> None:
        """Send a signal to it and its children."""
        os.killpg(self.pid, number)

    def kill(self) -> None:
        """SIGKILL, without any chance to tidy up."""
        if self.alive:
            self.send(signal.SIGKILL)
            assert self.process is not None
            self.process.wait()

    async def ended(self, *, seconds: float) -> int:
        """Wait until it has ended by itself, and return its status (negative: the signal)."""
        await until(lambda: _answer(not self.alive), seconds=seconds, what=f"{self.name} to end")
        assert self.process is not None
        return int(self.process.returncode)

    async def ready(self) -> None:
        """Wait until it works."""
        try:
            await until(self.is_ready, seconds=READY_SECONDS, what=f"{self.name} to be ready")
        except TookTooLong as error:
            raise TookTooLong(f"{error}; its log ends: {self.log.read_text()[-500:]}") from None


@dataclass
class World:
    """Servers, processes and the verbs of fault tests. Use `open_world`."""

    home: Home
    settings: Settings
    context: AppContext
    relay: Relay
    valkey: EmbeddedValkey
    environment: Mapping[str, str]
    simulator: Worker
    web: Worker
    workers: list[Worker]
    principal: Principal
    carrier_identity: CarrierIdentity
    http: httpx.AsyncClient
    caller_ids: list[int]
    agent_id: int
    dialed_before: int = 0
    """Numbers given out so far: every campaign calls people of its own."""

    async def start_campaign(self, contacts: int, **changes: Any) -> int:
        """Create and start a campaign to that many new people; return its id."""
        now = self.context.clock.now()
        async with self.context.database.transaction() as session:
            campaign_id = await create_campaign(
                session,
                principal=self.principal,
                changes={**CAMPAIGN, "agent_id": self.agent_id, "number_pool": tuple(self.caller_ids)}
                | changes,
                now=now,
            )
            await import_file(
                session,
                principal=self.principal,
                campaign_ref=campaign_id,
                file_name="people.csv",
                data=self._people(contacts),
                now=now,
            )
        async with self.context.database.transaction() as session:
            await start_campaign(
                session,
                principal=self.principal,
                campaign_ref=campaign_id,
                carrier=self.carrier_identity,
                now=self.context.clock.now(),
            )
        return campaign_id

    def _people(self, contacts: int) -> bytes:
        first, self.dialed_before = self.dialed_before, self.dialed_before + contacts
        rows = [f"Person {n},{number_of(n)}" for n in range(first, first + contacts)]
        return "\n".join(["name,phone_number", *rows]).encode()

    async def set_faults(self, **menu: Any) -> None:
        """Let these of the carrier's faults strike from now on, and no others."""
        (await self.http.post("/_simulator/faults", json=menu)).raise_for_status()

    async def struck(self) -> dict[str, int]:
        """Return how often each fault of the current menu struck."""
        menu = (await self.http.get("/_simulator/faults")).raise_for_status().json()
        return {name: fault["struck"] for name, fault in menu.items()}

    async def set_mix(self, **weights: float) -> None:
        """Set who answers."""
        body = {"default_mix": weights}
        (await self.http.post("/_simulator/personas", json=body)).raise_for_status()

    async def ledger(self) -> list[dict[str, Any]]:
        """Return everything the carrier accepted."""
        answer = (await self.http.get("/_simulator/ledger")).raise_for_status()
        return [json.loads(line) for line in answer.text.splitlines() if line]

    async def ended_share(self, campaign_id: int) -> float:
        """Return which part of the campaign's people are accounted for."""
        rows = await self.rows(
            "SELECT count(*) FILTER (WHERE status NOT IN ('pending', 'in_progress')) AS ended, count(*) AS total"
            " FROM recipient WHERE campaign_id = :id",
            id=campaign_id,
        )
        return float(rows[0]["ended"] / max(rows[0]["total"], 1))

    async def completed(self, campaign_id: int, *, seconds: float = 120.0) -> None:
        """Wait until the campaign is completed and its carrier has nothing going on."""

        async def is_done() -> bool:
            rows = await self.rows("SELECT status FROM campaign WHERE id = :id", id=campaign_id)
            return bool(rows[0]["status"] == "completed")

        await until(is_done, seconds=seconds, what=f"campaign {campaign_id} to complete")
        await self.quiet()

    async def quiet(self) -> None:
        """Wait until no call goes on at the carrier and no callback is under way."""

        async def is_quiet() -> bool:
            health = (await self.http.get("/_simulator/health")).raise_for_status().json()
            return bool(health["live_calls"] == 0)

        await until(is_quiet, seconds=30, what="the carrier to be quiet")
        await until(self._is_silent, seconds=30, what="the last callback")

    async def _is_silent(self) -> bool:
        """Tell whether no callback came for half a second."""
        before = self.relay.answers.total()
        await asyncio.sleep(0.5)
        return self.relay.answers.total() == before

    async def rows(self, query: str, **parameters: Any) -> Sequence[Mapping[str, Any]]:
        """Return the rows of a query."""
        async with self.context.database.session() as session:
            result = await session.execute(text(query), parameters)
            return [dict(row) for row in result.mappings()]

    async def start_workers(self, count: int, *, ready: bool = True) -> list[Worker]:
        """Start so many dial workers (those there are first), and wait until they work."""
        while len(self.workers) < count:
            self.workers.append(self._worker(len(self.workers)))
        chosen = self.workers[:count]
        for worker in chosen:
            if not worker.alive:
                worker.start()
        if ready:
            await asyncio.gather(*(worker.ready() for worker in chosen))
        return chosen

    def stop_workers(self) -> None:
        """Kill every dial worker: what it holds is found by the next one."""
        for worker in self.workers:
            if worker.alive:
                worker.send(signal.SIGCONT)
                worker.kill()

    def _worker(self, number: int) -> Worker:
        worker = Worker(
            name=f"worker-{number}",
            launch=worker_launch("dial"),
            environment=self.environment,
            log=self.home.logs / f"worker-{number}.log",
            is_ready=lambda: self._beats(worker),
        )
        return worker

    async def _beats(self, worker: Worker) -> bool:
        pattern = f"%:{worker.pid}:%"
        return bool(await self.rows("SELECT 1 FROM worker_heartbeat WHERE worker LIKE :w", w=pattern))


CAMPAIGN: Final[Mapping[str, Any]] = {
    "name": "Faults",
    "channel": "call",
    "welcome_message_template": "Hi {{name}}, this is {{assistant_name}}.",
    "question_template": "Press 1 to confirm, press 2 to decline.",
    "end_call_message_template": "Thank you. Have a great day!",
    "concurrent_limit": LIMIT,
    "rate_limit_per_minute": 10_000,
    "max_attempts": 2,
    "retry_delay_minutes": 0,
}


def number_of(person: int) -> str:
    """The number of one person: of exchange 555, nobody's, and none of our own."""
    line, area = divmod(person, len(_AREAS))
    return f"+1{_AREAS[area]}555{2000 + line:04}"


@asynccontextmanager
async def open_world(*, speed: float = SPEED, seed: int = 1) -> AsyncIterator[World]:
    """Start servers, carrier and web process; no worker yet. All of it ends with the block."""
    with temporary_home() as folder:
        home = Home(folder / "home")
        home.create()
        home.path.chmod(0o711)
        postgres, valkey = (
            EmbeddedPostgres(home.path, durable=False),
            EmbeddedValkey(home.path, persist=False),
        )
        try:
            urls = Urls(postgres.start(), valkey.start())
            upgrade(urls.database)
            async with _processes(home, urls, valkey, speed=speed, seed=seed) as world:
                yield world
        finally:
            valkey.stop()
            postgres.purge()


@asynccontextmanager
async def _processes(
    home: Home, urls: Urls, valkey: EmbeddedValkey, *, speed: float, seed: int
) -> AsyncIterator[World]:
    web_port, simulator_port, public_port = free_ports(3)
    settings = _explicit(
        CALLSHEET_HOME=home.path,
        CALLSHEET_PORT=web_port,
        CALLSHEET_PUBLIC_URL=f"http://127.0.0.1:{public_port}",
        SIMULATOR_PORT=simulator_port,
        SIMULATOR_SPEED=speed,
        SIMULATOR_SEED=seed,
    )
    environment = child_environment(settings, home, urls) | {"CALLSHEET_RECONCILE_SPEED": str(speed)}
    ours = _explicit(**{name: environment[name] for name in _NAMES if name in environment})
    context = build_context(ours)
    relay = Relay(public_port, web_port)
    http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{simulator_port}", trust_env=False, timeout=30)
    simulator = _process(
        "simulator", simulator_launch(), environment, home, _answers(http, "/_simulator/health")
    )
    probe = httpx.AsyncClient(base_url=f"http://127.0.0.1:{web_port}", trust_env=False, timeout=5)
    web = _process(
        "web",
        web_launch(web_port, home.path, with_browser=False),
        environment,
        home,
        _answers(probe, "/api/health"),
    )
    started = [simulator, web]
    world: World | None = None
    try:
        await relay.start()
        for process in started:
            process.start()
        await asyncio.gather(*(process.ready() for process in started))
        (await http.post("/_simulator/pace", json={"calls_per_second": 1000})).raise_for_status()
        identity = identity_of(configured_account(ours))
        principal, agent_id, caller_ids = await _tenant(context, identity)
        world = World(
            home, ours, context, relay, valkey, environment, simulator, web, [], principal, identity, http,
            caller_ids, agent_id,
        )  # fmt: skip
        yield world
    finally:
        for process in [*(world.workers if world is not None else []), *started]:
            if process.alive:
                process.send(signal.SIGCONT)
                process.kill()
        await http.aclose()
        await probe.aclose()
        await relay.stop()
        await context.close()


def _process(
    name: str,
    launch: Launch,
    environment: Mapping[str, str],
    home: Home,
    is_ready: Callable[[], Awaitable[bool]],
) -> Worker:
    return Worker(name, launch, environment, home.logs / f"{name}.log", is_ready)


def _answers(client: httpx.AsyncClient, path: str) -> Callable[[], Awaitable[bool]]:
    async def ask() -> bool:
        try:
            return (await client.get(path)).is_success
        except httpx.HTTPError:
            return False

    return ask


async def _tenant(context: AppContext, identity: CarrierIdentity) -> tuple[Principal, int, list[int]]:
    """An organization whose own limits are above any campaign's, with an agent and numbers."""
    now = context.clock.now()
    async with context.database.transaction() as session:
        organization = await create_organization(session, name="Faults", now=now)
        organization.outbound_limit = 1000
        principal = console_principal(organization)
        await add_carrier_numbers(
            session, principal=principal, identity=identity, numbers=DEFAULT_NUMBERS, now=now
        )
        agent_id = await create_agent(session, principal=principal, changes={"name": "Ava"}, now=now)
        numbers = await session.execute(text("SELECT id FROM phone_number ORDER BY id"))
        await session.execute(text("UPDATE carrier_account SET calls_per_second = 1000"))
        return principal, agent_id, list(numbers.scalars())


_NAMES: Final = tuple(str(each.validation_alias) for each in Settings.model_fields.values())


def _explicit(**values: Any) -> Settings:
    """Settings that take nothing from the environment."""
    nothing: dict[str, Any] = {
        str(each.validation_alias): each.default for each in Settings.model_fields.values()
    }
    return Settings(**nothing | values)


async def until(condition: Callable[[], Awaitable[bool]], *, seconds: float, what: str) -> None:
    """Return as soon as the condition holds. Raises `TookTooLong`."""
    deadline = time.monotonic() + seconds
    while not await condition():
        if time.monotonic() > deadline:
            raise TookTooLong(f"waited {seconds:g} s for {what}")
        await asyncio.sleep(_POLL_SECONDS)


async def _answer(value: bool) -> bool:  # noqa: FBT001 - what it returns
    return value
