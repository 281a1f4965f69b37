"""The command and environment of each process, for `up` and for single processes."""

from __future__ import annotations

import http.client
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from app.installation.frontend_build import serving_environment
from app.installation.home import Home
from app.runtime.config import Settings
from app.runtime.errors import OperatorError

QUEUES: Final = ("dial", "bulk")
"""The queues of the arq workers. The same as in `app.runtime.jobs`, which is slow to import."""


class PortTakenError(OperatorError):
    """Another process uses a port that we need."""


@dataclass(frozen=True)
class Urls:
    """The URLs of the servers."""

    database: str
    redis: str


@dataclass(frozen=True)
class Launch:
    """A command, and the environment that its process needs beside `child_environment`."""

    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


def worker_launch(queue: str) -> Launch:
    """Return the launch of an arq worker for one of QUEUES."""
    return Launch([sys.executable, "-m", "worker", queue])


def web_launch(port: int, home: Path, *, with_browser: bool) -> Launch:
    """Return the launch of the web process. `with_browser=False`: API and webhooks only, which need no build."""
    command = [
        *(sys.executable, "-m", "granian", "app.app:served" if with_browser else "app.api.server:app"),
        *("--factory", "--interface", "asgi", "--workers", "1"),
        *("--host", "0.0.0.0", "--port", str(port)),  # noqa: S104 (behind a proxy, in a container)
        # An open websocket never ends by itself: SIGTERM must not wait for it.
        *("--workers-kill-timeout", "5"),
    ]
    return Launch(command, serving_environment(home) if with_browser else {})


def simulator_launch() -> Launch:
    """Return the launch of the carrier simulator."""
    return Launch([sys.executable, "-m", "app.cli", "simulate"])


def child_environment(settings: Settings, home: Home, urls: Urls) -> dict[str, str]:
    """Return the environment of our processes. It sets everything, so that no default can differ between them."""
    secrets = home.secrets(settings.secret)
    ours = {
        "CALLSHEET_HOME": str(home.path),
        "CALLSHEET_PORT": str(settings.port),
        "CALLSHEET_PUBLIC_URL": settings.public_url,
        "CALLSHEET_CARRIER": settings.carrier,
        "CALLSHEET_SECRET": secrets.callsheet_secret,
        "DATABASE_URL": urls.database,
        "REDIS_URL": urls.redis,
        "SIMULATOR_PORT": str(settings.simulator_port),
        "SIMULATOR_SPEED": str(settings.simulator_speed),
        "SIMULATOR_SEED": str(settings.simulator_seed),
        "CALLSHEET_CARRIER_SIMULATED": str(settings.carrier_simulated).lower(),
        "PYTHONUNBUFFERED": "1",
    }
    for name, file in (
        ("CALLSHEET_LEGAL_HOURS", settings.legal_hours_file),
        ("CALLSHEET_REHEARSAL_CLOCK", settings.rehearsal_clock_file),
    ):
        ours |= {name: str(file)} if file is not None else {}
    if not settings.has_carrier:
        ours |= {
            "CALLSHEET_CARRIER_SIMULATED": "true",
            "TWILIO_ACCOUNT_SID": secrets.simulator_account_sid,
            "TWILIO_AUTH_TOKEN": secrets.simulator_auth_token,
            "TWILIO_API_URL": f"http://127.0.0.1:{settings.simulator_port}",
        }
    elif settings.twilio_account_sid and settings.twilio_auth_token:
        ours |= {
            "TWILIO_ACCOUNT_SID": settings.twilio_account_sid,
            "TWILIO_AUTH_TOKEN": settings.twilio_auth_token.get_secret_value(),
            "TWILIO_API_URL": settings.carrier_api_url,
        }
    return {**os.environ, **ours}


def refuse_taken(port: int, variable: str) -> None:
    """Raise PortTakenError, naming the variable to change, if nothing can listen on `port`."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))  # noqa: S104 (where the web process will listen)
        except OSError as error:
            raise PortTakenError(f"Port {port} cannot be used ({error.strerror}): set {variable}") from error


def answers(port: int) -> bool:
    """Tell whether the web process on this machine reports that it is healthy."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/api/health")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
