"""Webhook intake (checked, stored and applied before 204) beside a route that does nothing on the same server."""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import uvloop
from pydantic import SecretStr
from sqlalchemy import text

from app.installation.frontend_build import PROJECT
from app.installation.process_commands import answers
from app.models import Attempt
from app.providers.base import ConfiguredAccount
from app.providers.twilio.signature import sign
from app.providers.twilio.urls import CallbackPurpose, callback_url
from app.runtime.database import Database
from app.simulator.fields import party_fields
from tests.bench.hammer import Hammered, hammer, post
from tests.bench.measuring import Figures, figures, median, percentile
from tests.bench.staging import NO_LIMITS, SID, database_at, durable_postgres, empty, stage_of
from tests.faults.ports import free_ports
from tests.support.servers import running_valkey
from tests.support.waiting import until

CONNECTIONS: Final = 32
CALLS: Final = 1_000
"""Each tells of ringing, the answer and its end."""
ROUNDS: Final = 5
GOAL: Final = 0.25
MOST_P99_MS: Final = 100.0
_TOKEN: Final = "0" * 32
_SECRET: Final = "s" * 32
_PUBLIC_URL: Final = "https://calls.example.com"
_TELLS: Final = (("ringing", 1), ("in-progress", 2), ("completed", 3))
_ACCOUNT: Final = ConfiguredAccount(
    kind="twilio",
    account_sid=SID,
    auth_token=SecretStr(_TOKEN),
    api_url="http://127.0.0.1:9",
    public_url=_PUBLIC_URL,
    callback_secret=SecretStr(_SECRET),
    simulated=True,
)


def run() -> Figures:
    """Measure, interleaved, and return the medians over the rounds."""
    with durable_postgres() as database_url, _server(database_url) as port:
        rounds = uvloop.run(_rounds(database_url, port))
    ratio = median([intake.rate / nothing.rate for intake, nothing in rounds])
    p99 = median([percentile(intake.milliseconds, 99) for intake, _ in rounds])
    return figures(
        "webhooks",
        ratio=ratio,
        product=median([intake.rate for intake, _ in rounds]),
        yardstick=median([nothing.rate for _, nothing in rounds]),
        unit="requests/s",
        goal=f">= {GOAL} of a no-op route, p99 <= {MOST_P99_MS:g} ms at {CONNECTIONS} connections",
        met=ratio >= GOAL and p99 <= MOST_P99_MS,
        p99_ms=round(p99, 1),
        p99_nothing_ms=round(median([percentile(nothing.milliseconds, 99) for _, nothing in rounds]), 1),
        rounds=[[round(intake.rate, 1), round(nothing.rate, 1)] for intake, nothing in rounds],
    )


@contextmanager
def _server(database_url: str) -> Iterator[int]:
    """The product's web process with the route that does nothing; gives its port."""
    (port,) = free_ports(1)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="callsheet-bench-")))
        redis_url = stack.enter_context(running_valkey(folder))
        log = stack.enter_context((folder / "web.log").open("wb"))
        environment = _environment(database_url, redis_url)
        process = subprocess.Popen(_command(port), cwd=PROJECT, env=environment, stdout=log, stderr=log)
        try:
            asyncio.run(until(_answering(port), seconds=60))
            yield port
        finally:
            process.terminate()
            process.wait()


def _command(port: int) -> list[str]:
    """As `app.installation.process_commands.web_launch` starts it."""
    return [
        *(
            sys.executable,
            "-m",
            "granian",
            "tests.bench.intake_server:app",
            "--factory",
            "--interface",
            "asgi",
        ),
        *("--workers", "1", "--host", "127.0.0.1", "--port", str(port)),
    ]


def _environment(database_url: str, redis_url: str) -> dict[str, str]:
    return {
        **os.environ,
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "TWILIO_ACCOUNT_SID": SID,
        "TWILIO_AUTH_TOKEN": _TOKEN,
        "TWILIO_API_URL": _ACCOUNT.api_url,
        "CALLSHEET_SECRET": _SECRET,
        "CALLSHEET_PUBLIC_URL": _PUBLIC_URL,
        "CALLSHEET_CARRIER_SIMULATED": "true",
    }


async def _rounds(database_url: str, port: int) -> list[tuple[Hammered, Hammered]]:
    rounds = []
    async with database_at(database_url) as database:
        for _ in range(ROUNDS + 1):
            requests = await _callbacks(database)
            body = requests[0].partition(b"\r\n\r\n")[2]
            nothing = post("/bench/nothing", host="calls.example.com", body=body)
            yardstick = await hammer(port, [nothing] * len(requests), connections=CONNECTIONS)
            intake = await hammer(port, requests, connections=CONNECTIONS)
            assert intake.statuses == {HTTPStatus.NO_CONTENT: len(requests)}, intake.statuses
            rounds.append((intake, yardstick))
    return rounds[1:]  # the first warms everything up


def _answering(port: int) -> Callable[[], Awaitable[bool]]:
    async def ask() -> bool:
        return await asyncio.to_thread(answers, port)

    return ask


async def _callbacks(database: Database) -> Sequence[bytes]:
    """Place some calls, and return what the carrier tells of them, signed: each call's news in order."""
    await empty(database)
    stage = await stage_of(database, CALLS, **NO_LIMITS)
    async with database.transaction() as session:
        await session.execute(
            text("UPDATE carrier_account SET account_sid = :sid, api_url = :url"), _IDENTITY
        )
    placed = 0
    while placed < CALLS:
        placed += len(await stage.dial(100))
    attempts = await stage.attempts()
    return [_callback(attempt, status, number) for status, number in _TELLS for attempt in attempts]


_IDENTITY: Final = {"sid": SID, "url": _ACCOUNT.api_url}


def _callback(attempt: Attempt, status: str, number: int) -> bytes:
    """Return one status callback as Twilio sends it."""
    url = callback_url(_ACCOUNT, CallbackPurpose.STATUS, attempt.id)
    fields = _fields(attempt, status, number)
    return post(
        url.removeprefix(_PUBLIC_URL),
        host="calls.example.com",
        body=urlencode(fields).encode(),
        headers=[("X-Twilio-Signature", sign(_TOKEN, url, fields)), ("User-Agent", "TwilioProxy/1.1")],
    )


def _fields(attempt: Attempt, status: str, number: int) -> list[tuple[str, str]]:
    ending = [("CallDuration", "21"), ("Duration", "1"), ("SipResponseCode", "200")]
    return [
        ("AccountSid", SID),
        ("ApiVersion", "2010-04-01"),
        ("CallSid", str(attempt.provider_id)),
        ("CallStatus", status),
        ("Direction", "outbound-api"),
        *party_fields("To", attempt.number_to),
        *party_fields("Called", attempt.number_to),
        *party_fields("From", attempt.number_from),
        *party_fields("Caller", attempt.number_from),
        ("Timestamp", "Tue, 31 Mar 2026 20:36:28 +0000"),
        ("CallbackSource", "call-progress-events"),
        ("SequenceNumber", str(number)),
        *(ending if status == "completed" else []),
    ]
