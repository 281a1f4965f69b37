"""Single processes, for containers and for `up`: `worker`, `web`, `simulate`, `migrate`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

import typer

from app.cli import context
from app.cli.console import err, out
from app.installation.frontend_build import PROJECT, build, is_built
from app.installation.home import Home
from app.installation.process_commands import Launch, refuse_taken, web_launch, worker_launch
from app.runtime.config import Settings


class Queue(StrEnum):
    """The queue of an arq worker: dialing, or imports and other long work."""

    dial = "dial"
    bulk = "bulk"


def worker(
    *,
    queue: Annotated[
        Queue, typer.Option(help="dial: places calls. bulk: imports and other long work.")
    ] = Queue.dial,
) -> None:
    """Run one worker in the foreground."""
    _become(worker_launch(queue.value), context.working_environment())


def web(
    *, api_only: Annotated[bool, typer.Option("--api-only", help="API and webhooks without the UI.")] = False
) -> None:
    """Run the web process in the foreground."""
    environment, home, port = context.working_environment(), context.home(), context.settings().port
    refuse_taken(port, "CALLSHEET_PORT")
    if not api_only:
        _build_front_end(home)
    _become(web_launch(port, home.path, with_browser=not api_only), environment)


def simulate() -> None:
    """Run the carrier simulator in the foreground."""
    from app.simulator.server import run

    settings = context.settings()
    account = _simulated_account(settings)
    refuse_taken(settings.simulator_port, "SIMULATOR_PORT")
    run(
        port=settings.simulator_port,
        speed=settings.simulator_speed,
        seed=settings.simulator_seed,
        account_sid=account[0],
        auth_token=account[1],
    )


def migrate(
    *,
    replace_secret: Annotated[
        bool,
        typer.Option(
            "--replace-secret",
            help="Make CALLSHEET_SECRET the one of this database. Stop all processes before; what becomes of calls "
            "under way is then asked of the carrier.",
        ),
    ] = False,
) -> None:
    """Bring the database to the newest schema. Safe to run from several machines at once."""
    from app.installation import shared_secret as installation
    from app.runtime.clock import SystemClock
    from app.runtime.migrations import upgrade

    secrets = context.secrets() if replace_secret else None
    with context.database_url() as url:
        upgrade(url)
        if secrets:
            installation.replace(url, secrets, now=SystemClock().now())
    out.print("The database is up to date")


def _simulated_account(settings: Settings) -> tuple[str, str]:
    if settings.twilio_account_sid and settings.twilio_auth_token:
        return settings.twilio_account_sid, settings.twilio_auth_token.get_secret_value()
    secrets = context.home().secrets(settings.secret)
    return secrets.simulator_account_sid, secrets.simulator_auth_token


def _build_front_end(home: Home) -> None:
    home.create()
    if not is_built():
        err.print("Building the front-end (once per version)")
        build(log=home.logs / "frontend.log")


def _become(launch: Launch, environment: Mapping[str, str]) -> None:
    """Replace this process with the launched one; the pid stays the same."""
    os.chdir(PROJECT)  # where Reflex looks for rxconfig.py
    os.execve(launch.command[0], list(launch.command), {**environment, **launch.environment})  # noqa: S606
