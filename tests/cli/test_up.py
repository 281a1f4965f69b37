"""`up`, `down`, `status` and `doctor` as a stranger uses them: by the command, on a home of their own."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

from app.installation.embedded import _server_account
from app.installation.home import Home, RunRecord
from app.installation.processes import wait_until
from app.runtime.errors import ServerError
from app.runtime.migrations import PROJECT
from tests.support.servers import temporary_home

pytestmark = pytest.mark.timeout(300)  # a first start builds the front-end


@dataclass(frozen=True)
class Callsheet:
    """The command on one home, with ports of its own."""

    home: Path
    environment: dict[str, str]

    def __call__(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run one command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "app.cli", *arguments],
            cwd=PROJECT,
            env={**self.environment, **variables},
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def run(self) -> RunRecord:
        """What runs on this home now."""
        run = Home(self.home).current_run()
        assert run, "nothing runs"
        return run


@pytest.fixture(scope="module")
def callsheet() -> Iterator[Callsheet]:
    with _own_home() as command:
        yield command


@contextmanager
def _own_home() -> Iterator[Callsheet]:
    with temporary_home() as home:
        port, simulator_port = _free_ports()
        ours = {
            "CALLSHEET_HOME": str(home),
            "CALLSHEET_PORT": str(port),
            "SIMULATOR_PORT": str(simulator_port),
        }
        command = Callsheet(home, {**os.environ, **ours})
        yield command
        command("down")


@pytest.fixture
def running(callsheet: Callsheet) -> Callsheet:
    if not Home(callsheet.home).current_run():
        started = callsheet("up", "--detach")
        assert started.returncode == 0, started.stdout + started.stderr
    return callsheet


def test_up_prints_one_url_where_it_answers(running: Callsheet) -> None:
    assert httpx.get(running.run.url).status_code == 200


def test_status_says_what_runs_where(running: Callsheet) -> None:
    told = running("status")
    assert told.returncode == 0
    data = str((running.home / "postgres").resolve())
    for name in (
        "postgres",
        "valkey",
        "simulator",
        "worker-dial",
        "worker-bulk",
        "web",
        running.run.url,
        data,
    ):
        assert name in told.stdout


def test_a_second_up_says_that_it_already_runs_and_where(running: Callsheet) -> None:
    told = running("up")
    assert "already runs" in told.stdout
    assert running.run.url in told.stdout


def test_doctor_is_green(running: Callsheet) -> None:
    told = running("doctor")
    assert told.returncode == 0, told.stderr
    assert told.stderr == ""


def test_all_that_is_written_is_readable_by_its_owner_alone(running: Callsheet) -> None:
    found = [path for path in running.home.rglob("*") if not path.is_symlink()]
    names = {path.relative_to(running.home).as_posix() for path in found}
    assert {"secrets.json", "run.json", "logs/web.log", "logs/up.log", "uploads"} <= names
    assert [str(path) for path in found if path.lstat().st_mode & 0o077 and not path.is_socket()] == []


def test_the_set_up_link_is_told_and_kept_nowhere() -> None:
    with _own_home() as callsheet:
        started = callsheet("up", "--detach")
        told = "".join(started.stdout.split())
        [token] = re.findall(r"/setup/\?token=([\w-]+)", told)
        for path in callsheet.home.rglob("*"):
            if path.is_file() and "postgres" not in path.relative_to(callsheet.home).parts:
                assert token.encode() not in path.read_bytes(), path


def test_nothing_is_left_in_the_checkout(running: Callsheet) -> None:
    assert running.run.ready
    assert not (PROJECT / "uploaded_files").exists()


def test_a_process_that_dies_is_started_again(running: Callsheet) -> None:
    dead = _pid(running.run, "worker-bulk")
    assert dead
    os.kill(dead, signal.SIGKILL)
    assert wait_until(lambda: _pid(running.run, "worker-bulk") not in {None, dead}, seconds=20)


def test_killing_the_parent_leaves_no_orphan_after_the_next_up(running: Callsheet) -> None:
    before = running.run
    os.kill(before.pid, signal.SIGKILL)
    assert wait_until(lambda: not Home(running.home).is_held(), seconds=10)
    assert running("up", "--detach").returncode == 0
    assert not [process.name for process in before.processes if process.is_alive()]


@pytest.mark.parametrize("request_", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
def test_a_request_to_stop_ends_every_child_within_12_seconds(
    running: Callsheet, request_: signal.Signals
) -> None:
    run = running.run
    family = psutil.Process(run.pid).children(recursive=True)
    asked = time.monotonic()
    os.kill(run.pid, request_)
    assert wait_until(lambda: not any(_lives(process) for process in family), seconds=12)
    assert wait_until(lambda: not Home(running.home).is_held(), seconds=12 - (time.monotonic() - asked))


def test_doctor_says_how_to_start_what_does_not_run(tmp_path: Path, callsheet: Callsheet) -> None:
    told = callsheet("doctor", CALLSHEET_HOME=str(tmp_path))
    _assert_one_line(told, "fail  processes", "start with `uv run callsheet up`")
    assert told.stdout == "ok    configuration: complete\n"


def test_down_on_a_home_where_nothing_runs_says_so(tmp_path: Path, callsheet: Callsheet) -> None:
    told = callsheet("down", CALLSHEET_HOME=str(tmp_path))
    assert (told.returncode, told.stderr) == (0, "")
    assert "Nothing runs" in told.stdout


def test_a_taken_port_is_one_clear_line(tmp_path: Path, callsheet: Callsheet) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        told = callsheet("up", CALLSHEET_HOME=str(tmp_path), CALLSHEET_PORT=port)
    _assert_one_line(told, f"Port {port}", "CALLSHEET_PORT")


def test_an_unreachable_database_is_one_clear_line_without_its_password(
    tmp_path: Path, callsheet: Callsheet
) -> None:
    ports = dict(zip(("CALLSHEET_PORT", "SIMULATOR_PORT"), map(str, _free_ports()), strict=True))
    url = "postgresql://someone:secret@127.0.0.1:1/nowhere"
    told = callsheet("up", CALLSHEET_HOME=str(tmp_path), DATABASE_URL=url, **ports)
    _assert_one_line(told, "DATABASE_URL", "127.0.0.1:1")
    assert "secret" not in told.stdout + told.stderr


def test_a_home_that_cannot_be_written_is_one_clear_line(tmp_path: Path, callsheet: Callsheet) -> None:
    (tmp_path / "file").touch()
    _assert_one_line(callsheet("up", CALLSHEET_HOME=str(tmp_path / "file" / "home")), "Cannot write to")


@pytest.mark.skipif(os.geteuid() != 0, reason="root is needed to become someone without the permission")
def test_a_missing_write_permission_is_told(tmp_path: Path) -> None:
    child = os.fork()
    if child == 0:
        os._exit(_told_permission_denied(tmp_path / "home"))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_half_an_account_is_an_error_and_nothing_starts(tmp_path: Path, callsheet: Callsheet) -> None:
    told = callsheet("up", CALLSHEET_HOME=str(tmp_path), TWILIO_ACCOUNT_SID="AC" + "0" * 32)
    _assert_one_line(told, "TWILIO_AUTH_TOKEN is not set")
    assert not list(tmp_path.iterdir())


def _told_permission_denied(home: Path) -> int:
    user = _server_account().pw_uid
    os.setgroups([])
    os.setresuid(user, user, user)
    try:
        Home(home).create()
    except ServerError as error:
        return 0 if str(error).endswith("Permission denied") else 1
    return 2


def _assert_one_line(told: subprocess.CompletedProcess[str], *expected: str) -> None:
    assert told.returncode == 1, told.stdout
    (line,) = told.stderr.strip().splitlines()
    for part in expected:
        assert part in line


def _pid(run: RunRecord, name: str) -> int | None:
    return next((process.pid for process in run.processes if process.name == name), None)


def _lives(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        for each in (one, other):
            each.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]
