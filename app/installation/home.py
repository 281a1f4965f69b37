"""The home of an installation, which is its data directory: its lock, secrets, and the record of the run."""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

import psutil
from pydantic import BaseModel, SecretStr

from app.installation.embedded import make_private
from app.runtime.errors import OperatorError


class AlreadyRunningError(OperatorError):
    """Another `up` runs on this home."""

    def __init__(self, run: RunRecord | None) -> None:
        """`run` is the record of that process, if it has written one."""
        self.run = run
        where = f": {run.url} (process {run.pid})" if run else ""
        super().__init__(f"Callsheet already runs here{where}")


class Secrets(BaseModel):
    """The secrets that the processes of one installation share."""

    callsheet_secret: str
    simulator_account_sid: str
    simulator_auth_token: str

    @classmethod
    def of(cls, secret: str) -> Self:
        """Derive all from CALLSHEET_SECRET, so that machines with the same one have the same secrets."""
        return cls(
            callsheet_secret=secret,
            simulator_account_sid=f"AC{_derived(secret, 'simulator account')}",
            simulator_auth_token=_derived(secret, "simulator token"),
        )

    @property
    def digest(self) -> str:
        """A hash that identifies this secret without revealing it."""
        return _derived(self.callsheet_secret, "installation")


class ProcessRecord(BaseModel):
    """A process. `created` (Unix time) distinguishes it from a later process with the same pid."""

    name: str
    pid: int
    created: float

    def is_alive(self) -> bool:
        """Tell whether this process still runs."""
        try:
            process = psutil.Process(self.pid)
            return self.is_ours(process) and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def is_ours(self, process: psutil.Process) -> bool:
        """Tell whether `process` is the recorded one, not a later one with the same pid."""
        return abs(process.create_time() - self.created) < 1


SIMULATOR: Final = "simulator"


class RunRecord(BaseModel):
    """The record of one run of `up`, for `status`, `down` and the next `up`."""

    pid: int
    phase: str = "starting"
    ready: bool = False
    url: str
    port: int
    carrier: str
    """`SIMULATOR`, or the kind of a real carrier."""
    database_url: str | None = None
    redis_url: str | None = None
    processes: list[ProcessRecord] = []


class Home:
    """A data directory. Only its owner can read the content."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    def create(self) -> None:
        """Create the directory if needed, and check that it is writable. Raises ServerError."""
        make_private(self.path)
        self.logs.mkdir(mode=0o700, exist_ok=True)

    @property
    def logs(self) -> Path:
        """The folder with one log file per process."""
        return self.path / "logs"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock of this home; the kernel releases it when the process ends. Raises AlreadyRunningError."""
        with (self.path / "up.lock").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise AlreadyRunningError(self.last_run()) from error
            yield

    def is_held(self) -> bool:
        """Tell whether an `up` runs on this home."""
        lock = self.path / "up.lock"
        if not lock.exists():
            return False
        with lock.open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return True
        return False

    def current_run(self) -> RunRecord | None:
        """Return the record of the present run, if any."""
        return self.last_run() if self.is_held() else None

    def last_run(self) -> RunRecord | None:
        """Return the record of the newest run, whether it still runs or was killed."""
        file = self.path / "run.json"
        return RunRecord.model_validate_json(file.read_text()) if file.exists() else None

    def record(self, run: RunRecord | None) -> None:
        """Write the record of the run in one step; remove it if the run has ended (None)."""
        if run is None:
            (self.path / "run.json").unlink(missing_ok=True)
        else:
            self._write("run.json", run.model_dump_json(indent=1))

    def has_secrets(self) -> bool:
        """Tell whether this home has secrets."""
        return (self.path / "secrets.json").exists()

    def secrets(self, given: SecretStr | None = None) -> Secrets:
        """Return the secrets: from the given CALLSHEET_SECRET, else this home's own, made on first use.

        Several processes may call this at once. Raises ServerError if the home is not writable.
        """
        if given:
            return Secrets.of(given.get_secret_value())
        file = self.path / "secrets.json"
        if not file.exists():
            self.create()
            with (self.path / "secrets.lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if not file.exists():
                    made = Secrets.of(secrets.token_urlsafe(32))
                    self._write(file.name, made.model_dump_json(indent=1))
        return Secrets.model_validate_json(file.read_text())

    def _write(self, name: str, text: str) -> None:
        unfinished = self.path / f"{name}.{os.getpid()}"
        unfinished.touch(mode=0o600)
        unfinished.write_text(text)
        unfinished.replace(self.path / name)


def _derived(secret: str, purpose: str) -> str:
    """Return 32 hexadecimal digits that do not reveal the secret."""
    return hmac.new(secret.encode(), purpose.encode(), hashlib.sha256).hexdigest()[:32]
