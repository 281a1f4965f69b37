"""The carrier as a process."""

import signal
import socket
import subprocess
import sys

import httpx

from tests.simulator.support import free_port, until

_RUN = """
from app.simulator.server import run
from app.simulator.settings import DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN
run(port={port}, speed=10, seed=3, account_sid=DEFAULT_ACCOUNT_SID, auth_token=DEFAULT_AUTH_TOKEN)
"""


def start(port: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _RUN.format(port=port)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def health(port: int) -> dict[str, object]:
    try:
        return dict(httpx.get(f"http://127.0.0.1:{port}/_simulator/health", trust_env=False).json())
    except httpx.TransportError:
        return {}


def test_it_serves_until_sigterm_and_leaves_cleanly() -> None:
    port = free_port()
    with start(port) as process:
        answer = until(lambda: health(port))
        assert (answer["status"], answer["speed"], answer["seed"]) == ("ok", 10, 3)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_it_does_not_start_on_a_taken_port() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with start(taken.getsockname()[1]) as process:
            assert process.wait(10) != 0
            assert process.stderr is not None
            assert "in use" in process.stderr.read()
