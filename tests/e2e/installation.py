"""A whole installation of its own, started by `callsheet up`: servers, simulator, workers, web, front-end."""

import asyncio
import json
import os
import re
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from twilio.request_validator import RequestValidator

from app.installation.frontend_build import PROJECT
from app.installation.home import Home, RunRecord
from app.installation.process_commands import Urls, child_environment
from app.installation.processes import spawn, stop, wait_until
from app.runtime.config import Settings
from app.runtime.context import AppContext, build_context
from tests.support.chromium import OTHER_NAME
from tests.support.servers import temporary_home

SPEED: Final = 60.0
"""How much faster than life the simulated carrier lives: a call takes about a second."""

_START_SECONDS: Final = 280
"""A first start builds the front-end."""
_STOP_SECONDS: Final = 15
_RESTART_SECONDS: Final = 20
_OURS: Final = ("CALLSHEET_", "SIMULATOR_", "TWILIO_")

Result = TypeVar("Result")


class Carrier:
    """The simulated carrier's control side."""

    def __init__(self, url: str, *, account_sid: str, auth_token: str) -> None:
        self._account_sid = account_sid
        self._auth_token = auth_token
        self._client = httpx.Client(base_url=f"{url}/_simulator", trust_env=False, timeout=10)

    def person(self, number: str, persona: str) -> None:
        """Fix what happens when this number is called."""
        self._post("/personas", number=number, persona=persona)

    def own(self, number: str, *, sms: bool = True) -> str:
        """Let the account have this number, to text with as well; gives the number back."""
        self._post("/numbers", number=number, sms=sms)
        return number

    def everyone(self, persona: str) -> None:
        """Let everybody who is not fixed behave alike."""
        self._post("/personas", default_mix={persona: 1})

    def speed(self, speed: float) -> None:
        """Change how much faster than life people act."""
        self._post("/speed", speed=speed)

    def faults(self, **menu: object) -> None:
        """Let these of the carrier's faults strike from now on, and no others."""
        self._post("/faults", **menu)

    def calls_to(self, number: str) -> int:
        """How many calls the carrier has accepted to this number."""
        return sum(entry["to"] == number for entry in self._ledger())

    def calls_to_all(self, numbers: Collection[str]) -> int:
        """How many calls the carrier has accepted to these numbers."""
        return sum(entry["to"] in numbers for entry in self._ledger())

    def tells(self, number: str, call_status: str, **more: str) -> None:
        """Send the signed webhook that the last call to this number has come so far."""
        call = [entry for entry in self._ledger() if entry["to"] == number][-1]
        url = str(call["parameters"]["StatusCallback"]).partition("#")[0]
        form = {
            "AccountSid": self._account_sid,
            "CallSid": call["sid"],
            "CallStatus": call_status,
            "To": number,
            "From": call["from"],
            **more,
        }
        signature = RequestValidator(self._auth_token).compute_signature(url, form)
        headers = {"X-Twilio-Signature": signature}
        httpx.post(url, data=form, headers=headers, trust_env=False).raise_for_status()

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _ledger(self) -> list[dict[str, Any]]:
        lines = self._client.get("/ledger").raise_for_status().text.splitlines()
        return [json.loads(line) for line in lines]

    def _post(self, path: str, **body: Any) -> None:
        self._client.post(path, json=body).raise_for_status()


@dataclass
class Services:
    """The product's own services, for what a journey finds in place; each call is one transaction."""

    context: AppContext
    _loop: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))
    _runner: asyncio.Runner = field(default_factory=asyncio.Runner)

    def do(self, operation: Callable[[AsyncSession], Awaitable[Result]]) -> Result:
        """Run one operation and commit."""

        async def run() -> Result:
            async with self.context.database.transaction() as session:
                return await operation(session)

        # In a thread of its own: Playwright's occupies this one's event loop.
        return self._loop.submit(lambda: self._runner.run(run())).result()

    def close(self) -> None:
        """Close every connection."""
        self._loop.submit(lambda: self._runner.run(self.context.close())).result()
        self._loop.submit(self._runner.close).result()
        self._loop.shutdown()


@dataclass(frozen=True)
class Installation:
    """What runs, and the ways in beside the browser."""

    home: Home
    url: str
    services: Services
    carrier: Carrier

    @property
    def run(self) -> RunRecord:
        """The record of what runs now."""
        run = self.home.current_run()
        assert run, "nothing runs"
        return run

    @property
    def set_up_link(self) -> str:
        """The link that `up` has printed."""
        printed = "".join((self.home.logs / "up.log").read_text().split())
        found = re.search(r"/setup/\?token=[\w-]+", printed)
        assert found, printed
        return f"{self.url}{found.group()}"

    def crash(self, name: str) -> None:
        """End one of the processes at once, and wait until `up` has started it again."""
        dead = self._pid(name)
        assert dead, f"{name} does not run"
        os.kill(dead, signal.SIGKILL)
        assert wait_until(lambda: self._pid(name) not in {None, dead}, seconds=_RESTART_SECONDS)

    @contextmanager
    def at(self, hour: datetime) -> Iterator[Callable[[datetime], None]]:
        """Let the product's clock show that time, and give what sets it to another. Afterwards it is right again."""
        file = self.services.context.settings.rehearsal_clock_file
        assert file is not None

        def show(time: datetime) -> None:
            written = file.with_suffix(".new")
            written.write_text(str((time - datetime.now(UTC)).total_seconds()))
            written.replace(file)

        show(hour)
        try:
            yield show
        finally:
            file.unlink()
            self.services.do(_date_back)

    def log_sizes(self) -> dict[str, int]:
        """How long each log is now; see `logs_since`."""
        return {log.name: log.stat().st_size for log in self.home.logs.glob("*.log")}

    def logs_since(self, sizes: dict[str, int]) -> dict[str, str]:
        """What each process has written since."""
        return {
            log.name: log.read_bytes()[sizes.get(log.name, 0) :].decode(errors="replace")
            for log in sorted(self.home.logs.glob("*.log"))
        }

    def _pid(self, name: str) -> int | None:
        return next((process.pid for process in self.run.processes if process.name == name), None)


@contextmanager
def running_installation(*, speed: float = SPEED) -> Iterator[Installation]:
    """Start everything on free ports and a throw-away home, and leave nothing behind."""
    with temporary_home() as folder:
        port, simulator_port = _free_ports(2)
        ours = {
            "CALLSHEET_HOME": str(folder / "home"),
            "CALLSHEET_PORT": str(port),
            "CALLSHEET_PUBLIC_URL": f"http://localhost:{port}",
            "CALLSHEET_ALLOWED_HOSTS": OTHER_NAME,
            "SIMULATOR_PORT": str(simulator_port),
            "SIMULATOR_SPEED": str(speed),
            "SIMULATOR_SEED": "1",
            "CALLSHEET_REHEARSAL_CLOCK": str(folder / "clock"),
        }
        home = Home(folder / "home")
        home.create()
        with _up(home, ours) as run, _open(home, run, ours) as installation:
            yield installation


@contextmanager
def _up(home: Home, ours: dict[str, str]) -> Iterator[RunRecord]:
    log = home.logs / "up.log"
    with log.open("ab") as output:
        process = spawn(
            [sys.executable, "-m", "app.cli", "up"],
            log=output,
            environment={**_environment(), **ours},
            directory=PROJECT,
        )
    try:
        ended_or_ready = wait_until(
            lambda: process.poll() is not None or _is_ready(home), seconds=_START_SECONDS, interval=0.05
        )
        assert ended_or_ready, f"no start within {_START_SECONDS} s:\n{log.read_text()}"
        assert process.poll() is None, f"it did not start:\n{log.read_text()}"
        run = home.current_run()
        assert run
        yield run
    finally:
        stop(process, polite=signal.SIGTERM, seconds=_STOP_SECONDS)


@contextmanager
def _open(home: Home, run: RunRecord, ours: dict[str, str]) -> Iterator[Installation]:
    settings = _explicit(ours)
    urls = Urls(run.database_url or "", run.redis_url or "")
    complete = _explicit(child_environment(settings, home, urls))
    services = Services(build_context(complete, pool_size=2))
    secrets = home.secrets()
    carrier = Carrier(
        f"http://127.0.0.1:{settings.simulator_port}",
        account_sid=secrets.simulator_account_sid,
        auth_token=secrets.simulator_auth_token,
    )
    try:
        yield Installation(home, run.url, services, carrier)
    finally:
        carrier.close()
        services.close()


async def _date_back(session: AsyncSession) -> None:
    """Date attempts that are dated ahead of now: they would count for the carrier account's rates until then."""
    await session.execute(
        text(
            "UPDATE attempt SET reserved_at = least(reserved_at, now()), placed_at = least(placed_at, now()),"
            " responded_at = least(responded_at, now()) WHERE reserved_at > now()"
        )
    )


def _is_ready(home: Home) -> bool:
    run = home.last_run()
    return run is not None and run.ready


def _environment() -> dict[str, str]:
    """This process's environment without any server or carrier."""
    servers = {"DATABASE_URL", "REDIS_URL"}
    return {
        name: value
        for name, value in os.environ.items()
        if name not in servers and not name.startswith(_OURS)
    }


def _explicit(values: dict[str, str]) -> Settings:
    """Settings that leave nothing to the environment."""
    fields = Settings.model_fields.values()
    given: dict[str, Any] = {str(each.validation_alias): each.default for each in fields}
    return Settings(**given | {name: value for name, value in values.items() if name in given})


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def project_file(path: str) -> Path:
    """A file of the project, for uploads."""
    return PROJECT / path
