"""The data directory of one installation: its lock, its secrets, and the record of what runs."""

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
    """Another `up` holds this home."""

    def __init__(self, run: RunRecord | None) -> None:
        """`run` is what that process recorded about itself, if it got that far."""
        self.run = run
        where = f": {run.url} (process {run.pid})" if run else ""
        super().__init__(f"Callsheet already runs here{where}")


class Secrets(BaseModel):
    """What the processes of one installation share and nobody else may know."""

    callsheet_secret: str
    simulator_account_sid: str
    simulator_auth_token: str

    @classmethod
    def of(cls, secret: str) -> Self:
        """Derive the rest from CALLSHEET_SECRET, so that machines that share it share all of it."""
        return cls(
            callsheet_secret=secret,
            simulator_account_sid=f"AC{_derived(secret, 'simulator account')}",
            simulator_auth_token=_derived(secret, "simulator token"),
        )

    @property
    def digest(self) -> str:
        """What tells this secret from another, and nothing of either."""
        return _derived(self.callsheet_secret, "installation")


class ProcessRecord(BaseModel):
    """A process, told apart from a later one of the same pid by when it was created (Unix time)."""

    name: str
    pid: int
    created: float

    def is_alive(self) -> bool:
        """Whether this very process still runs."""
        try:
            process = psutil.Process(self.pid)
            return self.is_ours(process) and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def is_ours(self, process: psutil.Process) -> bool:
        """Whether `process` is the one recorded, and not a later one of its pid."""
        return abs(process.create_time() - self.created) < 1


SIMULATOR: Final = "simulator"


class RunRecord(BaseModel):
    """One run of `up`, as it records itself for `status`, `down` and the next `up`."""

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
    """A data directory. Everything in it is readable by its owner alone."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    def create(self) -> None:
        """Make sure the directory exists and can be written to. Raises ServerError."""
        make_private(self.path)
        self.logs.mkdir(mode=0o700, exist_ok=True)

    @property
    def logs(self) -> Path:
        """One log file a process."""
        return self.path / "logs"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold this home alone; the kernel lets go when the holder dies. Raises AlreadyRunningError."""
        with (self.path / "up.lock").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise AlreadyRunningError(self.last_run()) from error
            yield

    def is_held(self) -> bool:
        """Whether an `up` is alive on this home."""
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
        """The run that holds this home now, if any."""
        return self.last_run() if self.is_held() else None

    def last_run(self) -> RunRecord | None:
        """What the newest run recorded, dead or alive."""
        file = self.path / "run.json"
        return RunRecord.model_validate_json(file.read_text()) if file.exists() else None

    def record(self, run: RunRecord) -> None:
        """Replace the record, whole."""
        self._write("run.json", run.model_dump_json(indent=1))

    def forget_run(self) -> None:
        """Remove the record of a run that has ended."""
        (self.path / "run.json").unlink(missing_ok=True)

    def has_secrets(self) -> bool:
        """Whether secrets have been made for this home."""
        return (self.path / "secrets.json").exists()

    def secrets(self, given: SecretStr | None = None) -> Secrets:
        """The secrets: those of the CALLSHEET_SECRET given, else this home's own, made on first use.

        Several processes may ask at once. Raises ServerError if the home cannot be written to.
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
    """32 hexadecimal digits that tell nothing of the secret."""
    return hmac.new(secret.encode(), purpose.encode(), hashlib.sha256).hexdigest()[:32]


def record_of(name: str, pid: int) -> ProcessRecord:
    """The record of a live process. Raises psutil.NoSuchProcess."""
    return ProcessRecord(name=name, pid=pid, created=psutil.Process(pid).create_time())
