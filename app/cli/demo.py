"""`callsheet demo`: a whole campaign without user action, on its own servers and simulated carrier.

It ignores all servers and carriers in the environment, and checks its result against the carrier's ledger.
"""

from __future__ import annotations

import asyncio
import contextlib
import csv
import io
import itertools
import json
import shutil
import socket
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.installation.embedded import EmbeddedPostgres
from app.installation.frontend_build import PROJECT
from app.installation.home import Home
from app.installation.process_commands import Urls, child_environment
from app.installation.stack import Stack
from app.models import sql
from app.providers.base import NumberDirectory
from app.providers.registry import configured_account, make_carrier
from app.runtime.config import Settings
from app.runtime.context import AppContext, build_context
from app.runtime.jobs import RUN_IMPORT
from app.services.access.legal_policies import DEMO_POLICY
from app.services.access.organizations import console_principal, create_organization, update_organization
from app.services.access.principal import Principal
from app.services.agents.operations import create_agent
from app.services.campaigns.lifecycle import start_campaign
from app.services.campaigns.operations import create_campaign
from app.services.imports.operations import queue_import, store_import
from app.services.numbers.adding import add_carrier_numbers
from app.services.numbers.carriers import identity_of
from app.simulator.settings import DEFAULT_NUMBERS

SPEED: Final = 60.0
MOST_SECONDS: Final = 300.0
_AREAS: Final = (
    "201",
    "202",
    "212",
    "213",
    "305",
    "312",
    "404",
    "415",
    "512",
    "602",
    "617",
    "702",
    "718",
    "804",
    "916",
)
_POLL_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True)
class DemoResult:
    """The result. `carrier_accepted`, `dialed_twice` and `lost` are counted from the carrier's ledger."""

    total: int
    by_status: dict[str, int]
    attempts: int
    carrier_accepted: int
    dialed_twice: int
    lost: int
    seconds: float

    @property
    def accounted_for(self) -> bool:
        """Whether every contact ended, no attempt was dialed twice, and both ledgers agree."""
        ended = {status for status in self.by_status if status not in {"pending", "in_progress"}}
        return (
            self.lost == self.dialed_twice == 0
            and self.carrier_accepted == self.attempts
            and sum(self.by_status.values()) == self.total == sum(self.by_status[status] for status in ended)
        )

    def as_json(self) -> str:
        """Return the result as one line of JSON."""
        return json.dumps(asdict(self))


class DemoTooSlow(Exception):
    """The campaign did not complete in time."""


def run_demo(
    contacts: int, *, say: Callable[[str], None], progress: Callable[[int, int], None], speed: float = SPEED
) -> DemoResult:
    """Run the demo and return its result. It removes everything that it made.

    `progress` receives how many contacts have ended, and how many there are. Raises `DemoTooSlow`.
    """
    folder = Path(tempfile.mkdtemp(prefix="callsheet-demo-"))
    folder.chmod(0o711)
    try:
        settings = _settings(folder / "home", speed)
        home = Home(settings.home)
        home.create()
        with home.held():
            stack = Stack(settings, home, say=say, with_browser=False)
            with stack.supervisor.signals_handled(), stack.started() as run:
                urls = Urls(run.database_url or "", run.redis_url or "")
                environment = child_environment(settings, home, urls)
                return asyncio.run(_run(_explicit(environment), contacts, say, progress))
    finally:
        EmbeddedPostgres(folder / "home").purge()  # if root runs it, its data is not in the folder
        shutil.rmtree(folder, ignore_errors=True)


def _settings(home: Path, speed: float) -> Settings:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(2)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        port, simulator_port = (each.getsockname()[1] for each in sockets)
    return _explicit(
        {
            "CALLSHEET_HOME": home,
            "CALLSHEET_PORT": port,
            "CALLSHEET_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "SIMULATOR_PORT": simulator_port,
            "SIMULATOR_SPEED": speed,
            "SIMULATOR_SEED": 1,
        }
    )


def _explicit(given: Mapping[str, Any]) -> Settings:
    """Return settings with these values alone; others have their defaults, whatever the environment says."""
    fields = {str(field.validation_alias): field for field in Settings.model_fields.values()}
    values: dict[str, Any] = {name: given.get(name, field.default) for name, field in fields.items()}
    return Settings(**values)


async def _run(
    settings: Settings, contacts: int, say: Callable[[str], None], progress: Callable[[int, int], None]
) -> DemoResult:
    context = build_context(settings)
    began = time.monotonic()
    try:
        principal = await _prepare(context)
        say(f"Importing {contacts} contacts")
        campaign_id = await _campaign(context, principal, contacts, settings)
        say("Calling everyone")
        await _until_done(context, campaign_id, contacts, progress)
        return await _count(context, settings, campaign_id, contacts, time.monotonic() - began)
    finally:
        await context.close()


async def _prepare(context: AppContext) -> Principal:
    now, account = context.clock.now(), configured_account(context.settings)
    identity = identity_of(account)
    carrier = make_carrier(account)
    try:
        numbers = await carrier.owned_numbers() if isinstance(carrier, NumberDirectory) else []
    finally:
        await carrier.aclose()

    async def work(session: AsyncSession) -> Principal:
        organization = await create_organization(session, name="Demo", now=now)
        organization.outbound_limit = 100
        principal = console_principal(organization)
        if identity.simulated:
            await update_organization(session, principal=principal, changes=DEMO_POLICY, now=now)
        await add_carrier_numbers(session, principal=principal, identity=identity, numbers=numbers, now=now)
        return principal

    return await context.database.write(work)


async def _campaign(context: AppContext, principal: Principal, contacts: int, settings: Settings) -> int:
    now = context.clock.now()

    async def draft(session: AsyncSession) -> tuple[int, int]:
        agent_id = await create_agent(session, principal=principal, changes={"name": "Ava"}, now=now)
        numbers = await session.execute(text("SELECT id FROM phone_number ORDER BY id"))
        changes: dict[str, Any] = json.loads((PROJECT / "demo" / "campaign.json").read_text(encoding="utf-8"))
        changes |= {"agent_id": agent_id, "number_pool": tuple(numbers.scalars())}
        campaign_id = await create_campaign(session, principal=principal, changes=changes, now=now)
        import_id, _ = await store_import(
            session,
            principal=principal,
            campaign_ref=campaign_id,
            file_name="demo.csv",
            data=demo_csv(contacts).encode(),
            now=now,
        )
        await queue_import(session, principal=principal, import_ref=import_id, now=now)
        return campaign_id, import_id

    campaign_id, import_id = await context.database.write(draft)
    await context.queue.enqueue(RUN_IMPORT, import_id)
    await _until_imported(context, import_id)
    await context.database.write(
        lambda session: start_campaign(
            session,
            principal=principal,
            campaign_ref=campaign_id,
            carrier=identity_of(configured_account(settings)),
            now=context.clock.now(),
        )
    )
    return campaign_id


def demo_csv(contacts: int) -> str:
    """Return the bundled example file, repeated to that many rows, each with a different phone number."""
    with (PROJECT / "assets" / "example-contacts.csv").open(encoding="utf-8", newline="") as file:
        people = list(csv.DictReader(file))
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(people[0]))
    writer.writeheader()
    for number, person in zip(itertools.islice(_numbers(), contacts), itertools.cycle(people), strict=False):
        writer.writerow(person | {"phone_number": number})
    return out.getvalue()


def _numbers() -> Iterator[str]:
    """Yield different US numbers of exchange 555: unassigned, and none of our own."""
    numbers = (f"+1{area}555{line:04}" for line, area in itertools.product(range(10_000), _AREAS))
    return (number for number in numbers if number not in DEFAULT_NUMBERS)


async def _until_imported(context: AppContext, import_id: int) -> None:
    deadline = time.monotonic() + MOST_SECONDS
    statement = text("SELECT status, error FROM contact_import WHERE id = :id")
    while True:
        async with context.database.session() as session:
            row = (await session.execute(statement, {"id": import_id})).one()
        if row.status == "completed":
            return
        if row.status == "failed" or time.monotonic() > deadline:
            raise DemoTooSlow(f"the import is {row.status}: {row.error or 'no progress'}")
        await asyncio.sleep(_POLL_SECONDS)


async def _until_done(
    context: AppContext, campaign_id: int, contacts: int, progress: Callable[[int, int], None]
) -> None:
    deadline = time.monotonic() + MOST_SECONDS
    statement = text(
        "SELECT c.status, (SELECT count(*) FROM recipient r WHERE r.campaign_id = c.id"  # noqa: S608 - a constant is put in, nothing a caller gives
        f" AND r.status NOT IN {sql.OPEN}) AS ended FROM campaign c WHERE c.id = :id"
    )
    while True:
        async with context.database.session() as session:
            row = (await session.execute(statement, {"id": campaign_id})).one()
        progress(row.ended, contacts)
        if row.status == "completed":
            return
        if row.status not in {"queued", "running"} or time.monotonic() > deadline:
            raise DemoTooSlow(f"the campaign is {row.status}, {row.ended} of {contacts} contacts have ended")
        await asyncio.sleep(_POLL_SECONDS)


async def _count(
    context: AppContext, settings: Settings, campaign_id: int, contacts: int, seconds: float
) -> DemoResult:
    async with context.database.session() as session:
        statuses = await session.execute(
            text("SELECT status, count(*) AS n FROM recipient WHERE campaign_id = :id GROUP BY status"),
            {"id": campaign_id},
        )
        by_status = {row.status: row.n for row in statuses}
        attempts = await session.execute(
            text("SELECT count(*) FROM attempt WHERE campaign_id = :id AND status <> 'not_placed'"),
            {"id": campaign_id},
        )
        placed = int(attempts.scalar_one())
    ledger = await _ledger(settings)
    called = Counter(str(entry["to"]) for entry in ledger)
    per_attempt = Counter(str(entry["parameters"].get("StatusCallback", entry["sid"])) for entry in ledger)
    skipped = by_status.get("skipped", 0)
    return DemoResult(
        total=contacts,
        by_status=dict(sorted(by_status.items())),
        attempts=placed,
        carrier_accepted=len(ledger),
        dialed_twice=sum(times > 1 for times in per_attempt.values()),
        lost=max(0, contacts - skipped - len(called)),
        seconds=round(seconds, 1),
    )


async def _ledger(settings: Settings) -> list[dict[str, Any]]:
    url = f"http://127.0.0.1:{settings.simulator_port}/_simulator/ledger"
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        answer = await client.get(url)
        answer.raise_for_status()
    return [json.loads(line) for line in answer.text.splitlines() if line]
