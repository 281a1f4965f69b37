"""One of our processes, which may be killed, suspended and started again."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.installation.process_commands import Launch
from app.installation.processes import spawn
from tests.faults.hatchery import Hatched, hatch

PROJECT: Final = Path(__file__).parents[2]
READY_SECONDS: Final = 40.0
_POLL_SECONDS: Final = 0.02


class TookTooLong(AssertionError):
    """Something that has to happen did not."""


@dataclass(slots=True)
class Process:
    """A process by name: how it starts, and how one knows that it works."""

    name: str
    environment: Mapping[str, str]
    log: Path
    is_ready: Callable[[], Awaitable[bool]]
    launch: Launch
    """How it starts from cold, as in production."""
    hatched_as: str | None = None
    """What the hatchery calls it; None: it only starts from cold."""
    starts: int = 0
    process: subprocess.Popen[bytes] | Hatched | None = None

    @property
    def alive(self) -> bool:
        """Whether it runs (a suspended one does)."""
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self.process is not None
        return self.process.pid

    def start(self, *, fault: str | None = None, cold: bool = False) -> None:
        """Start it, perhaps to kill itself at a fault point: `point:N`."""
        assert not self.alive
        extra = {"CALLSHEET_FAULT": fault} if fault else {}
        environment = {**self.environment, **self.launch.environment, **extra}
        self.starts += 1
        if self.hatched_as is not None and not cold:
            self.process = hatch(self.hatched_as, environment=environment, log=self.log)
            return
        with self.log.open("ab") as log:
            self.process = spawn(self.launch.command, log=log, environment=environment, directory=PROJECT)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to it and its children."""
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:  # it was only just forked, and leads no group yet
            os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL, without any chance to tidy up."""
        if self.alive:
            self.send(signal.SIGKILL)
            assert self.process is not None
            self.process.wait()

    async def ended(self, *, seconds: float) -> int:
        """Wait until it has ended by itself, and return its status (negative: the signal)."""

        async def has_ended() -> bool:
            return not self.alive

        await until(has_ended, seconds=seconds, what=f"{self.name} to end")
        assert self.process is not None
        status = self.process.returncode
        assert status is not None
        return status

    async def ready(self) -> None:
        """Wait until it works."""
        try:
            await until(self.is_ready, seconds=READY_SECONDS, what=f"{self.name} to be ready")
        except TookTooLong as error:
            raise TookTooLong(f"{error}; its log ends: {self.log.read_text()[-500:]}") from None


async def until(
    condition: Callable[[], Awaitable[bool]], *, seconds: float, what: str, poll: float = _POLL_SECONDS
) -> None:
    """Return as soon as the condition holds. Raises `TookTooLong`."""
    deadline = time.monotonic() + seconds
    while not await condition():
        if time.monotonic() > deadline:
            raise TookTooLong(f"waited {seconds:g} s for {what}")
        await asyncio.sleep(poll)
