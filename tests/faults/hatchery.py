"""Processes of ours that start in a fifth of a second: forked from a server that has imported everything already.

Each is a process of its own with an environment of its own, and is killed like any other; only the two seconds of
imports are spared, which a menu of a thousand kills would spend on nothing else.
"""

import asyncio
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from multiprocessing.process import parent_process
from pathlib import Path
from typing import Final

HATCHES: Final = sys.platform == "linux"
"""Elsewhere a process is forked without exec at its own risk, and ours start from cold."""

_PRELOAD: Final = [
    "__main__",
    "tests.faults.hatchery",
    "worker.runtime",
    "worker.jobs.imports",
    "arq",
    "uvloop",
]
_PRELOAD_WEB: Final = ["app.api.server", "granian.server.embed"]


@dataclass(slots=True)
class Hatched:
    """A forked process, with the few methods of `subprocess.Popen` that the harness uses."""

    process: ForkServerProcess

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self.process.pid is not None
        return self.process.pid

    @property
    def returncode(self) -> int | None:
        """How it ended (negative: by which signal); None while it runs."""
        return self.process.exitcode

    def poll(self) -> int | None:
        """As `returncode`."""
        return self.process.exitcode

    def wait(self) -> int:
        """Wait until it has ended."""
        self.process.join()
        assert self.process.exitcode is not None
        return self.process.exitcode


def hatch(what: str, *, environment: Mapping[str, str], log: Path) -> Hatched:
    """Start `dial` (a dial worker) or `web` (API and webhooks, on CALLSHEET_PORT)."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*_PRELOAD, *_PRELOAD_WEB])
    process = context.Process(target=_run, args=(what, dict(environment), str(log)), daemon=True)
    process.start()
    return Hatched(process)


def _run(what: str, environment: dict[str, str], log: str) -> None:
    os.setpgrp()
    _write_to(log)
    _end_with_parent()
    os.environ.clear()
    os.environ.update(environment)
    if what == "dial":
        sys.argv = ["worker", "dial"]
        from worker.__main__ import main

        main()
    else:
        asyncio.run(_serve(int(environment["CALLSHEET_PORT"])))


async def _serve(port: int) -> None:
    from granian.constants import Interfaces
    from granian.server.embed import Server

    from app.api.server import app

    server = Server(app(), address="127.0.0.1", port=port, interface=Interfaces.ASGI, backlog=1024)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.stop)
    await server.serve()


def _write_to(log: str) -> None:
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(file, stream)
    os.close(file)


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None

    def wait_for_its_end() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=wait_for_its_end, daemon=True).start()
