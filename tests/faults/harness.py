"""The world of a fault test, and its verbs. `tests.faults.opening` makes one."""

import asyncio
import json
import signal
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import httpx
from sqlalchemy import text

from app.installation.embedded import EmbeddedPostgres, EmbeddedValkey
from app.installation.home import Home
from app.installation.process_commands import worker_launch
from app.runtime.config import Settings
from app.runtime.context import AppContext
from app.services.access.principal import Principal
from app.services.campaigns.lifecycle import cancel_campaign, start_campaign
from app.services.campaigns.operations import create_campaign
from app.services.imports.operations import import_file
from app.services.numbers.carriers import CarrierIdentity
from tests.faults.hatchery import HATCHES
from tests.faults.line import Line
from tests.faults.processes import Process, TookTooLong, until
from tests.faults.relay import Relay

LIMIT: Final = 25
"""Calls at once: what two busy cores carry without queues that outlast the carrier's patience."""
SPEED: Final = 200.0
"""Carrier seconds in a real one."""
_AREAS: Final = ("201", "202", "212", "213", "305", "312", "404", "415", "512", "602", "617", "702", "718")


@dataclass
class World:
    """Servers, processes and the verbs of fault tests. Use `tests.faults.opening.open_world`."""

    home: Home
    settings: Settings
    context: AppContext
    relay: Relay
    line: Line
    postgres: EmbeddedPostgres
    valkey: EmbeddedValkey
    environment: Mapping[str, str]
    simulator: Process
    web: Process
    principal: Principal
    carrier_identity: CarrierIdentity
    http: httpx.AsyncClient
    caller_ids: list[int]
    agent_id: int
    speed: float
    workers: list[Process] = field(default_factory=list)
    stops: dict[int, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    """Campaign -> when its pauses and cancels were acknowledged: their commit was over by then."""
    dialed_before: int = 0
    """Numbers given out so far: every campaign calls people of its own."""

    async def start_campaign(self, contacts: int, **changes: Any) -> int:
        """Create and start a campaign to that many new people; return its id."""
        campaign_id = await self.draft_campaign(contacts, **changes)
        async with self.context.database.transaction() as session:
            await start_campaign(
                session,
                principal=self.principal,
                campaign_ref=campaign_id,
                carrier=self.carrier_identity,
                now=self.context.clock.now(),
            )
        return campaign_id

    async def draft_campaign(self, contacts: int, **changes: Any) -> int:
        """Create a campaign to that many new people, not started yet; return its id."""
        now = self.context.clock.now()
        pool = {"agent_id": self.agent_id, "number_pool": tuple(self.caller_ids)}
        usual = MESSAGES if changes.get("channel") == "sms" else CALLS
        async with self.context.database.transaction() as session:
            campaign_id = await create_campaign(
                session, principal=self.principal, changes={**usual, **pool, **changes}, now=now
            )
            await import_file(
                session,
                principal=self.principal,
                campaign_ref=campaign_id,
                file_name="people.csv",
                data=self._people(contacts),
                now=now,
            )
        return campaign_id

    async def cancel(self, campaign_id: int, *, hang_up: bool = False) -> None:
        """Cancel a campaign. Raises `Conflict` if it is over."""
        async with self.context.database.transaction() as session:
            await cancel_campaign(
                session,
                principal=self.principal,
                campaign_ref=campaign_id,
                hang_up=hang_up,
                now=self.context.clock.now(),
            )
        self.stops[campaign_id].append(self.context.clock.now())

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

    async def completed(self, *campaign_ids: int, seconds: float = 120.0) -> None:
        """Wait until the campaigns are completed and their carrier has nothing going on."""

        async def are_done() -> bool:
            rows = await self.rows("SELECT status FROM campaign WHERE id = ANY(:ids)", ids=list(campaign_ids))
            return all(row["status"] == "completed" for row in rows)

        try:
            await until(are_done, seconds=seconds, what=f"campaigns {campaign_ids} to complete", poll=0.2)
        except TookTooLong as error:
            raise TookTooLong(f"{error}: {await self._what_is_open(campaign_ids)}") from None
        await self.quiet()

    async def _what_is_open(self, campaign_ids: tuple[int, ...]) -> str:
        found = await self.rows(
            "SELECT c.id, c.status, c.status_reason, c.gate_why, r.status AS contacts, a.status AS attempt,"
            " count(*) AS n FROM campaign c JOIN recipient r ON r.campaign_id = c.id"
            " LEFT JOIN attempt a ON a.id = r.last_attempt_id"
            " WHERE c.id = ANY(:ids) AND c.status <> 'completed' GROUP BY 1, 2, 3, 4, 5, 6",
            ids=list(campaign_ids),
        )
        return "; ".join(str(dict(row)) for row in found)

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

    async def rows_changed(self, statement: str, **parameters: Any) -> None:
        """Run a statement and commit it: what no verb of ours does."""
        async with self.context.database.transaction() as session:
            await session.execute(text(statement), parameters)

    async def start_workers(self, count: int, *, ready: bool = True) -> list[Process]:
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

    def _worker(self, number: int) -> Process:
        worker = Process(
            name=f"worker-{number}",
            launch=worker_launch("dial"),
            hatched_as="dial" if HATCHES else None,
            environment=self.environment,
            log=self.home.logs / f"worker-{number}.log",
            is_ready=lambda: self._beats(worker),
        )
        return worker

    async def _beats(self, worker: Process) -> bool:
        pattern = f"%:{worker.pid}:%"
        return bool(await self.rows("SELECT 1 FROM worker_heartbeat WHERE worker LIKE :w", w=pattern))


CALLS: Final[Mapping[str, Any]] = {
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
MESSAGES: Final[Mapping[str, Any]] = {
    "name": "Faults by text",
    "channel": "sms",
    "sms_message_template": "Hi {{name}}. See you soon.",
    "messages_per_second": 10,
    "max_attempts": 2,
    "retry_delay_minutes": 0,
}


def number_of(person: int) -> str:
    """The number of one person: of exchange 555, nobody's, and none of our own."""
    line, area = divmod(person, len(_AREAS))
    return f"+1{_AREAS[area]}555{2000 + line:04}"
