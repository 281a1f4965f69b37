"""Every command on a home that does not exist yet: it makes what it needs, or says in one line what is missing."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
import typer

from app.cli import app
from app.installation import shared_secret
from app.installation.home import Secrets
from app.installation.process_commands import answers
from app.installation.processes import wait_until
from app.installation.reachability import forget_worker_health, worker_is_ready
from app.runtime.migrations import PROJECT, current_revision, newest_revision
from tests.support.servers import connect, create_database, empty_all_tables, temporary_home

pytestmark = pytest.mark.timeout(300)  # the first `web` builds the front-end

Command = tuple[str, ...]

PASSWORD: Final = "correct horse battery staple"
_START_SECONDS: Final = 280
_STOP_SECONDS: Final = 20

_MISSING: Final[Mapping[str, tuple[str, ...]]] = {
    "nothing is said": ("DATABASE_URL is not set", "nothing runs in"),
    "only the database is said": ("REDIS_URL is not set", "nothing runs in"),
    "no secret is said": ("CALLSHEET_SECRET is not set", "secrets.json"),
    "the database is away": ("DATABASE_URL", "127.0.0.1:1", "cannot be reached"),
    "the database is none of ours": ("DATABASE_URL must be a postgresql:// URL",),
    "the queue is away": ("REDIS_URL", "127.0.0.1:1", "cannot be reached"),
    "the database is empty": ("schema is at nothing", "run `uv run callsheet migrate`"),
    "the database is newer": ("schema is at 0123456789ab", "update this one"),
    "the secret is another": ("CALLSHEET_SECRET is not the one", "migrate --replace-secret"),
    "half an account is said": ("TWILIO_AUTH_TOKEN is not set",),
    "a proxy is no network": ("CALLSHEET_TRUSTED_PROXIES", "“proxy” is no network", "such as 127.0.0.1"),
    "the port is taken": ("cannot be used", "set CALLSHEET_PORT"),
    "the simulator's port is taken": ("cannot be used", "set SIMULATOR_PORT"),
    "the home cannot be made": ("Cannot write to", "Not a directory"),
    "nothing is said, and the home cannot be made": ("Cannot write to", "Not a directory"),
}
"""What is wrong -> what the one line says of it."""


def _of(*situations: str) -> dict[str, tuple[str, ...]]:
    return {situation: _MISSING[situation] for situation in situations}


_SERVERS: Final = _of(
    "the secret is another",
    "nothing is said",
    "only the database is said",
    "no secret is said",
    "the database is away",
    "the database is none of ours",
    "the database is empty",
    "the database is newer",
    "half an account is said",
)
_DATABASE: Final = _of(
    "the database is away",
    "the database is none of ours",
    "the database is newer",
    "half an account is said",
    "nothing is said, and the home cannot be made",
)
DOCTOR: Final = (
    _SERVERS
    | _of("the queue is away")
    | {"nothing is said": ("nothing runs in", "start with `uv run callsheet up`")}
)

REFUSALS: Final[Mapping[Command, Mapping[str, tuple[str, ...]]]] = {
    ("up",): _of(
        "the database is away",
        "the queue is away",
        "the database is newer",
        "the secret is another",
        "the port is taken",
        "the simulator's port is taken",
        "the home cannot be made",
    ),
    ("status",): _of("half an account is said"),
    ("down",): _of("half an account is said"),
    ("worker",): _SERVERS,
    ("worker", "--queue", "bulk"): _of("nothing is said"),
    ("web",): _SERVERS | _of("a proxy is no network") | _of("the port is taken", "the home cannot be made"),
    ("web", "--api-only"): _of("no secret is said", "the database is empty", "the port is taken"),
    ("simulate",): _of(
        "half an account is said",
        "nothing is said, and the home cannot be made",
        "the simulator's port is taken",
    ),
    ("migrate",): _DATABASE,
    ("key", "create", "--organization", "Acme"): _DATABASE,
    ("user", "create", "ann@example.com", "--organization", "Acme"): _of("the database is away"),
    **{
        ("user", verb, "nobody@example.com"): _of("the database is away")
        | {"all is said": ("email: Nobody has this e-mail.",)}
        for verb in ("link", "password")
    },
    ("bench", "no-such"): {"nothing is said": ("there is no benchmark no-such", "there are: dial")},
}
OTHERS: Final = {("doctor",), ("demo",)}
"""The one has a line for each check; the other takes nothing from the environment."""


@dataclass(frozen=True)
class Machine:
    """A home that does not exist yet, and what is there for the commands to find."""

    folder: Path
    database: str
    empty: str
    newer: str
    redis: str
    ports: tuple[int, int]
    taken: int

    def environment(self, situation: str) -> dict[str, str]:
        """Return the variables that make the situation."""
        whole = {
            "CALLSHEET_HOME": str(self.folder / "home"),
            "CALLSHEET_PORT": str(self.ports[0]),
            "SIMULATOR_PORT": str(self.ports[1]),
            "DATABASE_URL": self.database,
            "REDIS_URL": self.redis,
            "CALLSHEET_SECRET": "said",
        }
        no_home: dict[str, str | None] = {"CALLSHEET_HOME": str(self.folder / "file" / "home")}
        changes: dict[str, dict[str, str | None]] = {
            "all is said": {},
            "nothing is said": {"DATABASE_URL": None, "REDIS_URL": None, "CALLSHEET_SECRET": None},
            "only the database is said": {"REDIS_URL": None},
            "no secret is said": {"CALLSHEET_SECRET": None},
            "the database is away": {"DATABASE_URL": "postgresql://ann:hidden@127.0.0.1:1/nowhere"},
            "the database is none of ours": {"DATABASE_URL": "mysql://ann:hidden@127.0.0.1/ours"},
            "the queue is away": {"REDIS_URL": "redis://:hidden@127.0.0.1:1"},
            "the database is empty": {"DATABASE_URL": self.empty},
            "the database is newer": {"DATABASE_URL": self.newer},
            "the secret is another": {"CALLSHEET_SECRET": "another"},
            "half an account is said": {"TWILIO_ACCOUNT_SID": "AC" + "0" * 32},
            "a proxy is no network": {"CALLSHEET_TRUSTED_PROXIES": "10.0.0.0/8,proxy"},
            "the port is taken": {"CALLSHEET_PORT": str(self.taken)},
            "the simulator's port is taken": {"SIMULATOR_PORT": str(self.taken)},
            "the home cannot be made": {**no_home},
        }
        changes["nothing is said, and the home cannot be made"] = changes["nothing is said"] | no_home
        wanted = {**os.environ, **whole, **changes[situation]}
        return {name: value for name, value in wanted.items() if value is not None}

    def run(self, command: Command, situation: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "app.cli", *command],
            cwd=PROJECT,
            env=self.environment(situation),
            input=f"{PASSWORD}\n",
            capture_output=True,
            text=True,
            timeout=_START_SECONDS,
            check=False,
        )

    @contextmanager
    def running(self, command: Command, situation: str = "all is said") -> Iterator[subprocess.Popen[bytes]]:
        """Run a command that stays, and end it afterwards as a container's end does."""
        log = self.folder / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "app.cli", *command],
                cwd=PROJECT,
                env=self.environment(situation),
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(_STOP_SECONDS)
        assert "Traceback" not in log.read_text()


@pytest.fixture(scope="module")
def databases(database_url: str) -> tuple[str, str]:
    """An empty one, and one that a newer version has migrated."""
    empty, newer = (create_database(database_url, name) for name in ("fresh_home_empty", "fresh_home_newer"))
    with connect(newer) as connection:
        connection.execute("CREATE TABLE alembic_version AS SELECT '0123456789ab' AS version_num")
    return empty, newer


@pytest.fixture
def machine(database_url: str, redis_url: str, databases: tuple[str, str]) -> Iterator[Machine]:
    empty_all_tables(database_url)
    shared_secret.claim(database_url, Secrets.of("said"), now=datetime.now(UTC))
    with temporary_home() as folder, ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(3)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        *free, taken = sockets
        ports = [each.getsockname()[1] for each in free]
        for each in free:
            each.close()
        taken.listen()
        (folder / "file").touch()
        yield Machine(
            folder, database_url, *databases, redis_url, (ports[0], ports[1]), taken.getsockname()[1]
        )


@pytest.mark.parametrize(
    ("command", "situation"),
    [
        pytest.param(command, situation, id=f"{' '.join(command)}: {situation}")
        for command, situations in REFUSALS.items()
        for situation in situations
    ],
)
def test_a_command_says_in_one_line_what_is_missing(
    machine: Machine, command: Command, situation: str
) -> None:
    told = machine.run(command, situation)
    assert told.returncode == 1, told.stdout
    (line,) = told.stderr.strip().splitlines()
    for part in REFUSALS[command][situation]:
        assert part in line
    assert "hidden" not in told.stdout + told.stderr


@pytest.mark.parametrize(
    ("command", "situation"),
    [
        *((("doctor",), situation) for situation in DOCTOR),
        (("doctor", "--deep"), "nothing is said"),
        (("doctor", "--deep"), "the database is empty"),
    ],
)
def test_doctor_has_one_line_for_each_check(machine: Machine, command: Command, situation: str) -> None:
    told = machine.run(command, situation)
    assert told.returncode == 1, told.stdout
    assert all(line.startswith("ok    ") for line in told.stdout.splitlines())
    failed = told.stderr.splitlines()
    assert all(line.startswith("fail  ") for line in failed)
    assert [line for line in failed if all(part in line for part in DOCTOR[situation])], failed
    assert "hidden" not in told.stdout + told.stderr


@pytest.mark.parametrize(
    ("command", "is_ready"),
    [
        (("worker",), lambda machine: worker_is_ready(machine.redis, "dial")),
        (("worker", "--queue", "bulk"), lambda machine: worker_is_ready(machine.redis, "bulk")),
        (("web", "--api-only"), lambda machine: answers(machine.ports[0])),
        (("web",), lambda machine: answers(machine.ports[0])),
        (("simulate",), lambda machine: _listens(machine.ports[1])),
    ],
    ids=["worker", "worker bulk", "web --api-only", "web", "simulate"],
)
def test_a_process_of_its_own_runs_where_all_is_said(
    machine: Machine, command: Command, is_ready: Callable[[Machine], bool]
) -> None:
    forget_worker_health(machine.redis, ["dial", "bulk"])
    with machine.running(command) as process:
        assert wait_until(
            lambda: process.poll() is not None or is_ready(machine), seconds=_START_SECONDS, interval=0.05
        )
        assert process.poll() is None, (machine.folder / "log").read_text()
    forget_worker_health(machine.redis, ["dial", "bulk"])


@pytest.mark.parametrize(
    ("command", "is_ready"),
    [
        (("worker",), lambda machine: _beats(machine.database)),
        (("web", "--api-only"), lambda machine: answers(machine.ports[0])),
    ],
    ids=["worker", "web --api-only"],
)
def test_calls_do_not_wait_for_the_queue_to_come_back(
    machine: Machine, command: Command, is_ready: Callable[[Machine], bool]
) -> None:
    with machine.running(command, "the queue is away") as process:
        assert wait_until(
            lambda: process.poll() is not None or is_ready(machine), seconds=_START_SECONDS, interval=0.05
        )
        assert process.poll() is None, (machine.folder / "log").read_text()
    assert "127.0.0.1:1 cannot be reached" in (machine.folder / "log").read_text()
    assert "hidden" not in (machine.folder / "log").read_text()


@pytest.mark.parametrize("situation", ["all is said", "nothing is said", "the database is empty"])
@pytest.mark.parametrize(
    "command",
    [
        ("migrate",),
        ("key", "create", "--organization", "Acme"),
        ("user", "create", "ann@example.com", "--organization", "Acme"),
    ],
    ids=["migrate", "key", "user"],
)
def test_what_needs_a_database_alone_finds_or_makes_it(
    machine: Machine, command: Command, situation: str
) -> None:
    told = machine.run(command, situation)
    assert told.returncode == 0, told.stderr
    if situation == "the database is empty":
        assert current_revision(machine.empty) == newest_revision()
        _empty_again(machine.empty)
    assert (machine.folder / "home").exists() == (situation == "nothing is said")


def test_a_lost_secret_is_replaced_when_asked(machine: Machine) -> None:
    told = machine.run(("migrate", "--replace-secret"), "the secret is another")
    assert told.returncode == 0, told.stderr
    assert machine.run(("worker",), "all is said").stderr.startswith(
        "callsheet: CALLSHEET_SECRET is not the one"
    )
    shared_secret.check(machine.database, Secrets.of("another"))


@pytest.mark.parametrize(("command", "code"), [("status", 1), ("down", 0)])
def test_where_nothing_runs_it_is_said(machine: Machine, command: str, code: int) -> None:
    told = machine.run((command,), "nothing is said")
    assert (told.returncode, told.stderr) == (code, "")
    assert "Nothing runs" in told.stdout


def test_no_command_is_forgotten_here() -> None:
    tried = {_name(command) for command in [*REFUSALS, *OTHERS]}
    assert tried == set(_names(app))


def _names(group: typer.Typer, *before: str) -> Iterator[Command]:
    for command in group.registered_commands:
        assert command.callback
        yield (*before, command.name or command.callback.__name__)
    for each in group.registered_groups:
        assert each.typer_instance
        yield from _names(each.typer_instance, *before, str(each.name))


def _name(command: Command) -> Command:
    """Without arguments: what stands alone, or a group's verb."""
    return command[:2] if command[0] in {"key", "user"} else command[:1]


def _empty_again(url: str) -> None:
    with connect(url) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")


def _beats(database_url: str) -> bool:
    """Whether a worker has told the database that it works."""
    with connect(database_url) as connection:
        return connection.execute("SELECT 1 FROM worker_heartbeat").fetchone() is not None


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
