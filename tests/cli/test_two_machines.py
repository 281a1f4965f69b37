"""Two machines on one outside PostgreSQL and Valkey, as "To scale out" in README.md promises.

Each has a home of its own; what they share is what README.md names, and nothing else.
"""

import csv
import io
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from app.api.v1.import_data import AT_ONCE
from app.installation.process_commands import answers
from app.installation.processes import wait_until
from app.installation.reachability import forget_worker_health, worker_is_ready
from app.runtime.migrations import PROJECT
from app.simulator.settings import DEFAULT_NUMBERS
from tests.support.servers import connect, empty_all_tables, temporary_home

pytestmark = pytest.mark.timeout(180)

_START_SECONDS = 60
_STOP_SECONDS = 20
_CAMPAIGN_SECONDS = 90
_PEOPLE = 30


@dataclass(frozen=True)
class Machine:
    """One home, its port, and what it shares with the others."""

    home: Path
    port: int
    shared: dict[str, str]
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def run(self, *command: str) -> str:
        """Run a command to its end; gives what it prints."""
        done = subprocess.run(
            self._command(command),
            cwd=PROJECT,
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    @contextmanager
    def started(self, *command: str, until: Callable[[], bool]) -> Iterator[subprocess.Popen[bytes]]:
        """Run a process of its own, and end it afterwards."""
        log = self.home.with_name(f"{self.home.name}-{'-'.join(command)}.log")
        with log.open("wb") as output:
            process = subprocess.Popen(
                self._command(command),
                cwd=PROJECT,
                env=self._environment(),
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            ready = wait_until(lambda: process.poll() is not None or until(), seconds=_START_SECONDS)
            assert ready, log.read_text()
            assert process.poll() is None, log.read_text()
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(_STOP_SECONDS)

    def _environment(self) -> dict[str, str]:
        ours = {"CALLSHEET_HOME": str(self.home), "CALLSHEET_PORT": str(self.port)}
        return {**os.environ, **self.shared, **ours}

    @staticmethod
    def _command(command: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "app.cli", *command]


@pytest.fixture
def machines(database_url: str, redis_url: str) -> Iterator[tuple[Machine, Machine]]:
    empty_all_tables(database_url)
    forget_worker_health(redis_url, ["dial", "bulk"])
    first, second, simulator = _free_ports(3)
    shared = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "CALLSHEET_SECRET": "the same on both",
        # Callbacks go to the second machine, whoever has placed the call.
        "CALLSHEET_PUBLIC_URL": f"http://127.0.0.1:{second}",
        "SIMULATOR_PORT": str(simulator),
        "SIMULATOR_SPEED": "60",
    }
    with temporary_home() as folder:
        yield Machine(folder / "first", first, shared), Machine(folder / "second", second, shared)


def test_two_machines_run_one_campaign(
    machines: tuple[Machine, Machine], database_url: str, redis_url: str
) -> None:
    first, second = machines
    first.run("migrate")
    key = second.run("key", "create", "--organization", "Acme")
    with ExitStack() as stack:
        start = stack.enter_context
        at_first, at_second = start(_client(first, key)), start(_client(second, key))
        start(first.started("simulate", until=lambda: _listens(int(first.shared["SIMULATOR_PORT"]))))
        start(first.started("web", "--api-only", until=lambda: answers(first.port)))
        start(second.started("web", "--api-only", until=lambda: answers(second.port)))
        start(first.started("worker", "--queue", "bulk", until=lambda: worker_is_ready(redis_url, "bulk")))
        with first.started("worker", until=lambda: worker_is_ready(redis_url, "dial")) as dialer:
            # What one machine is sent, another's worker reads: files lie in the database.
            campaign = _campaign(at_second)
            at_first.post(f"/campaigns/{campaign}/start").raise_for_status()
            assert _dialed_by(database_url, dialer.pid, at_least=5)
        forget_worker_health(redis_url, ["dial"])
        other = start(second.started("worker", until=lambda: worker_is_ready(redis_url, "dial")))
        assert wait_until(
            lambda: at_first.get(f"/campaigns/{campaign}").json()["status"] == "completed",
            seconds=_CAMPAIGN_SECONDS,
            interval=0.2,
        )
        assert _dialed_by(database_url, other.pid, at_least=1)
        called = _called(first)
        assert (len(called), len(set(called))) == (_PEOPLE, _PEOPLE)
    # Each call's end came by a callback that the one web process signed for and the other took.
    with connect(database_url) as connection:
        taken = connection.execute("SELECT count(DISTINCT attempt_id) FROM provider_event").fetchone()
        assert taken == (_PEOPLE,)


def _campaign(client: httpx.Client) -> int:
    number = client.post("/numbers", json={"phone_number": DEFAULT_NUMBERS[0]}).raise_for_status().json()
    agent = client.post("/agents", json={"name": "Ava"}).raise_for_status().json()
    settings = {
        "name": "Reminders",
        "campaign_type": "call",
        "assistant_id": agent["id"],
        "phone_number_id": number["id"],
        "welcome_message_template": "Hi {{name}}.",
        "concurrent_limit": 3,
        "rate_limit_per_minute": 1000,
        "max_attempts": 1,
    }
    campaign = client.post("/campaigns", json=settings).raise_for_status().json()
    answer = client.post(
        f"/campaigns/{campaign['id']}/import-data", files={"file": ("people.csv", _people())}
    )
    assert answer.status_code == 202, answer.text
    imported = answer.json()["import_id"]
    assert wait_until(
        lambda: client.get(f"/imports/{imported}").raise_for_status().json()["status"] == "completed",
        seconds=_CAMPAIGN_SECONDS,
        interval=0.1,
    )
    return int(campaign["id"])


def _people() -> bytes:
    """Return a file that is too large to be read at once."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["name", "phone_number", "note"])
    for line in range(_PEOPLE):
        writer.writerow([f"Person {line}", f"+1212555{line:04}", "x" * (AT_ONCE // _PEOPLE)])
    return out.getvalue().encode()


def _dialed_by(database_url: str, pid: int, *, at_least: int) -> bool:
    with connect(database_url) as connection:

        def enough() -> bool:
            row = connection.execute(
                "SELECT count(*) FROM attempt WHERE split_part(reserved_by, ':', 2) = %s", [str(pid)]
            ).fetchone()
            return bool(row and int(str(row[0])) >= at_least)

        return wait_until(enough, seconds=_CAMPAIGN_SECONDS, interval=0.05)


def _called(machine: Machine) -> list[str]:
    """Return the numbers of all calls that the carrier has accepted."""
    url = f"http://127.0.0.1:{machine.shared['SIMULATOR_PORT']}/_simulator/ledger"
    ledger = httpx.get(url, trust_env=False).raise_for_status().text
    return [json.loads(line)["to"] for line in ledger.splitlines()]


def _client(machine: Machine, key: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.Client(
        base_url=f"http://127.0.0.1:{machine.port}/api/v1", headers=headers, trust_env=False, timeout=30
    )


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]
