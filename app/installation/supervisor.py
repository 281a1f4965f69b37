"""The supervisor keeps the processes of one installation running, and ends them in order."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Final, Protocol

import psutil

from app.installation.home import ProcessRecord
from app.installation.processes import spawn, stop
from app.runtime.errors import OperatorError

CHILD_STOP_SECONDS: Final = 9.0
"""How long a child may take to finish its work. The servers stop after that, all within 12 s."""

_POLL_SECONDS = 0.02
_WATCH_SECONDS = 0.2
_TEND_SECONDS = 1.0
_FIRST_DELAY = 0.5
_LONGEST_DELAY = 30.0
_STEADY_SECONDS = 60.0


class StopRequested(BaseException):
    """This process was asked to stop. Like KeyboardInterrupt, `except Exception` does not catch it."""


class ChildFailedError(OperatorError):
    """A child ended, or did not become ready, during the start."""


class Managed(Protocol):
    """A process that can be supervised: one of our children, or an embedded server."""

    name: str
    process: subprocess.Popen[bytes] | None

    def start(self) -> object:
        """Start it, from the main thread."""

    def stop(self) -> None:
        """Stop it and wait until it is gone."""


@dataclass
class Child:
    """One of our own processes."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    directory: Path
    log: Path
    is_ready: Callable[[], bool] = lambda: True
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; its output is appended to its log."""
        with self.log.open("ab") as log:
            self.process = spawn(
                self.command, log=log, environment=self.environment, directory=self.directory
            )

    def stop(self) -> None:
        """Ask it to end; kill it after CHILD_STOP_SECONDS."""
        if self.process:
            stop(self.process, polite=signal.SIGTERM, seconds=CHILD_STOP_SECONDS)
            self.process = None


@dataclass
class _Health:
    """How many times in a row a process died, and when it may start again (monotonic seconds)."""

    started: float = field(default_factory=time.monotonic)
    deaths: int = 0
    restart_at: float | None = None

    def died(self, now: float) -> float:
        self.deaths = 1 if now - self.started > _STEADY_SECONDS else self.deaths + 1
        delay = min(_FIRST_DELAY * float(2 ** (self.deaths - 1)), _LONGEST_DELAY)
        self.restart_at = now + delay
        return delay


class Supervisor:
    """Starts processes, restarts those that die after a growing delay, and stops children before servers."""

    def __init__(self, say: Callable[[str], None]) -> None:
        """`say` receives one line for the operator about each process that ends."""
        self._say = say
        self._managed: list[Managed] = []
        self._health: dict[str, _Health] = {}
        self._stop_requested = False

    @contextlib.contextmanager
    def signals_handled(self) -> Iterator[None]:
        """Turn Ctrl-C and SIGTERM into StopRequested, raised at the next `check`."""

        def request(_signal: int, _frame: FrameType | None) -> None:
            self._stop_requested = True

        handled = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup: go on after the terminal has closed
            handled.append(signal.SIGHUP)
        before = {number: signal.signal(number, request) for number in handled}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def check(self) -> None:
        """Raise StopRequested if a stop was requested."""
        if self._stop_requested:
            raise StopRequested

    def start(self, managed: Managed) -> object:
        """Start it and supervise it from now on."""
        self.check()
        result = managed.start()
        self._managed.append(managed)
        self._health[managed.name] = _Health()
        return result

    def wait_until_ready(self, children: Iterable[Child], *, seconds: float) -> None:
        """Wait until all are ready. Raises ChildFailedError for the first that ends or is not ready in time."""
        deadline = time.monotonic() + seconds
        for child in children:
            while not child.is_ready():
                self.check()
                if _is_dead(child) or time.monotonic() > deadline:
                    raise ChildFailedError(f"The {child.name} process did not start: see {child.log}")
                time.sleep(_POLL_SECONDS)

    def watch(self, on_change: Callable[[], None], *, tend: Callable[[], None] = lambda: None) -> None:
        """Restart processes that die, until a stop is requested. Raises StopRequested.

        `on_change` is called after every restart, `tend` every second.
        """
        tend_at = 0.0
        while True:
            self.check()
            if time.monotonic() >= tend_at:
                tend()
                tend_at = time.monotonic() + _TEND_SECONDS
            for managed in self._managed:
                if self._look_after(managed):
                    on_change()
            time.sleep(_WATCH_SECONDS)

    def records(self) -> list[ProcessRecord]:
        """Return the records of all running processes."""
        records = []
        for managed in self._managed:
            with contextlib.suppress(LookupError):
                records.append(_record(managed))
        return records

    def stop_all(self) -> None:
        """Stop our own processes, all at once; then the servers that they use."""
        children = [managed for managed in self._managed if isinstance(managed, Child)]
        servers = [managed for managed in self._managed if not isinstance(managed, Child)]
        for group in (children, servers):
            if group:
                with ThreadPoolExecutor(len(group)) as pool:
                    list(pool.map(lambda managed: managed.stop(), group))
        self._managed.clear()

    def _look_after(self, managed: Managed) -> bool:
        """Record that it died, or restart it if it is time; return whether it was restarted."""
        health, now = self._health[managed.name], time.monotonic()
        if health.restart_at is None:
            if _is_dead(managed):
                self._say(
                    f"{managed.name} ended ({_status(managed)}); it starts again in {health.died(now):.1f} s"
                )
            return False
        if now < health.restart_at:
            return False
        return self._start_again(managed, health)

    def _start_again(self, managed: Managed, health: _Health) -> bool:
        managed.stop()
        try:
            managed.start()
        except Exception as error:  # noqa: BLE001 (any error is shown, and the start retried later)
            self._say(
                f"{managed.name} does not start: {error}; next try in {health.died(time.monotonic()):.1f} s"
            )
            return False
        health.started, health.restart_at = time.monotonic(), None
        return True


def _is_dead(managed: Managed) -> bool:
    return managed.process is None or managed.process.poll() is not None


def _status(managed: Managed) -> str:
    code = managed.process.returncode if managed.process else None
    if code is None:
        return "unknown"
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"status {code}"


def _record(managed: Managed) -> ProcessRecord:
    if managed.process is None:
        raise LookupError(managed.name)
    try:
        created = psutil.Process(managed.process.pid).create_time()
    except psutil.NoSuchProcess as error:
        raise LookupError(managed.name) from error
    return ProcessRecord(name=managed.name, pid=managed.process.pid, created=created)
