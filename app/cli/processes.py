"""The single processes, for containers and for `up` itself: `worker`, `web`, `simulate`, `migrate`."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

import typer

from app.cli import context
from app.cli.console import out
from app.config import Settings
from app.frontend import PROJECT, build, serving_environment


class Queue(StrEnum):
    """What an arq worker reads: dialing, or imports and other long work."""

    dial = "dial"
    bulk = "bulk"


def register(app: typer.Typer) -> None:
    """Add this group's verbs."""
    app.command()(worker)
    app.command()(web)
    app.command()(simulate)
    app.command()(migrate)


def worker(
    *,
    queue: Annotated[
        Queue, typer.Option(help="dial: places calls. bulk: imports and other long work.")
    ] = Queue.dial,
) -> None:
    """Run one worker in the foreground."""
    environment = {**context.environment(), "CALLSHEET_QUEUE": queue.value}
    _become([sys.executable, "-m", "arq", f"worker.settings.{queue.value.title()}Worker"], environment)


def web(
    *,
    api_only: Annotated[bool, typer.Option("--api-only", help="API and webhooks without the UI.")] = False,
) -> None:
    """Run the web process in the foreground."""
    environment, port = context.environment(), context.settings().port
    if not api_only:
        home = context.home()
        home.create()
        build(log=home.logs / "frontend.log")
        environment |= serving_environment(home.path)
    target = "app.api.server:app" if api_only else "app.app:app"
    os.chdir(PROJECT)  # where Reflex looks for rxconfig.py
    _become(_granian(target, port), environment)


def simulate() -> None:
    """Run the carrier simulator in the foreground."""
    from app.simulator.server import run

    settings = context.settings()
    account = _simulated_account(settings)
    run(
        port=settings.simulator_port,
        speed=settings.simulator_speed,
        seed=settings.simulator_seed,
        account_sid=account[0],
        auth_token=account[1],
    )


def migrate() -> None:
    """Bring the database to the newest schema. Safe to run from several machines at once."""
    from app.migrations import upgrade

    with context.database_url() as url:
        upgrade(url)
    out.print("The database is up to date")


def _simulated_account(settings: Settings) -> tuple[str, str]:
    if settings.twilio_account_sid and settings.twilio_auth_token:
        return settings.twilio_account_sid, settings.twilio_auth_token.get_secret_value()
    home = context.home()
    home.create()
    secrets = home.secrets()
    return secrets.simulator_account_sid, secrets.simulator_auth_token


def _granian(target: str, port: int) -> list[str]:
    return [
        *(sys.executable, "-m", "granian", target, "--factory"),
        *("--interface", "asgi", "--host", "0.0.0.0", "--port", str(port)),  # noqa: S104 (behind a proxy, in a container)
        # An open websocket never ends by itself; SIGTERM may not wait for it.
        *("--workers", "1", "--workers-kill-timeout", "5"),
    ]


def _become(command: list[str], environment: Mapping[str, str]) -> None:
    """Replace this process, keeping its pid and its place under a supervisor."""
    sys.stdout.flush()
    os.execve(command[0], command, {**os.environ, **environment})  # noqa: S606 (our own interpreter)
