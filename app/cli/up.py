"""`up`, `down` and `status`: a whole installation on one machine."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import psutil
import typer

from app.cli import context
from app.cli.console import out, phases, table
from app.cli.errors import CommandError
from app.installation.home import SIMULATOR, AlreadyRunningError, Home, RunRecord
from app.installation.processes import wait_until
from app.installation.supervisor import StopRequested

_START_SECONDS = 600  # a first start may have to fetch packages
_STOP_SECONDS = 20


def up(
    *,
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Run in the background; return when healthy.")
    ] = False,
    silent: Annotated[
        bool, typer.Option(hidden=True, help="Print no set-up link: `--detach` does that.")
    ] = False,
) -> None:
    """Start everything: servers, migrations, carrier, workers, web."""
    home = context.home()
    home.create()
    try:
        _up_in_background(home) if detach else _up(home, silent=silent)
    except AlreadyRunningError as error:
        out.print(str(error), markup=False)


def down() -> None:
    """Stop what `up` started."""
    home = context.home()
    run = home.current_run()
    if not run:
        out.print(f"Nothing runs in {home.path}", markup=False)
        return
    psutil.Process(run.pid).send_signal(signal.SIGTERM)
    if not wait_until(lambda: not home.is_held(), seconds=_STOP_SECONDS, interval=0.05):
        raise CommandError(f"Process {run.pid} does not stop: see {home.logs / 'up.log'}")
    out.print("Callsheet has stopped")


def status() -> None:
    """Show what runs where. Exit code 1 if nothing runs."""
    home = context.home()
    run = home.current_run()
    if not run:
        out.print(f"Nothing runs in {home.path}", markup=False)
        raise typer.Exit(1)
    carrier = "simulated: nobody is really called" if run.carrier == SIMULATOR else run.carrier.capitalize()
    rows = [["url", run.url], ["state", run.phase], ["carrier", carrier], ["home", str(home.path)]]
    rows += [["database", _database(home)]]
    rows += [["supervisor", _process(run.pid)]]
    rows += [[process.name, _process(process.pid)] for process in run.processes]
    table("what", "where", rows=rows)


def _up(home: Home, *, silent: bool) -> None:
    from app.installation.stack import Stack

    with home.held(), phases() as show:
        stack = Stack(context.settings(), home, say=show)
        try:
            with stack.supervisor.signals_handled(), stack.started() as run:
                show("Running")
                if not silent:
                    _announce(run)
                stack.watch()
        except StopRequested:
            pass
    out.print("Callsheet has stopped")


def _landing_url(run: RunRecord) -> str:
    """Return the public URL; while the installation has no owner, a new one-time set-up link.

    Print it on the terminal only: in a log file, others could find it.
    """
    from app.installation.reachability import has_owner

    public_url = context.settings().public_url
    assert run.database_url, "it has started"
    if has_owner(run.database_url):
        return public_url
    token = asyncio.run(_issue_set_up_link(run.database_url))
    return public_url if token is None else f"{public_url}/setup/?token={token}"


async def _issue_set_up_link(database_url: str) -> str | None:
    from app.runtime.clock import SystemClock
    from app.runtime.database import Database
    from app.services.access.set_up_links import issue_setup_link

    database = Database(database_url)
    try:
        return await database.write(lambda session: issue_setup_link(session, now=SystemClock().now()))
    finally:
        await database.dispose()


def _announce(run: RunRecord) -> None:
    if run.carrier == SIMULATOR:
        out.print("The carrier is simulated: nobody is really called.", style="yellow")
    out.print(f"Callsheet runs at {_landing_url(run)}", markup=False)


def _up_in_background(home: Home) -> None:
    if home.is_held():
        raise AlreadyRunningError(home.last_run())
    log = home.logs / "up.log"
    log.unlink(missing_ok=True)
    with log.open("ab") as output:  # appending, because `log_files` may truncate it
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "up", "--silent"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    with phases() as show:
        run = _wait_until_ready(home, process, log, show)
    _announce(run)


def _wait_until_ready(
    home: Home, process: subprocess.Popen[bytes], log: Path, show: Callable[[str], None]
) -> RunRecord:
    shown = ""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        run = home.last_run()
        if process.poll() is not None:
            lines = log.read_text(errors="replace").strip().splitlines()
            no_reason = f"Callsheet did not start: see {log}"
            raise CommandError(lines[-1].removeprefix("callsheet: ") if lines else no_reason)
        if run and run.pid == process.pid:
            if run.ready:
                return run
            if run.phase != shown:
                shown = run.phase
                show(shown)
        time.sleep(0.05)
    process.terminate()
    raise CommandError(f"Callsheet did not start in time: see {log}")


def _database(home: Home) -> str:
    """Return where the data is. If root runs the embedded server, it is not in the home (see `embedded`)."""
    if context.settings().database_url:
        return "the server that DATABASE_URL names"
    return str((home.path / "postgres").resolve())


def _process(pid: int) -> str:
    try:
        process = psutil.Process(pid)
        minutes, seconds = divmod(int(time.time() - process.create_time()), 60)
    except psutil.NoSuchProcess:
        return f"process {pid}, ended"
    return f"process {pid}, up {minutes} min {seconds} s"
