"""F11 and F12 over HTTP: a storm of webhooks while dialing goes on, and forged ones."""

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from io import BytesIO
from itertools import count
from typing import Final
from urllib.parse import parse_qsl, urlencode

import aiohttp

from app.providers.registry import configured_account
from app.providers.twilio.signature import sign
from app.providers.twilio.urls import CallbackPurpose, callback_url
from tests.faults.forging import disagreements
from tests.faults.harness import World
from tests.faults.menu.base import Outcome, p95, patience, wait_for_share

CONNECTIONS: Final = 32
P99_SECONDS: Final = 1.0
DIALS_ON: Final = 0.8
_FORM: Final = "application/x-www-form-urlencoded"
_MEASURED_SECONDS: Final = 5.0


async def webhook_storm(world: World, outcome: Outcome, *, events: int = 400, timed: bool = False) -> None:
    """F11: thousands of genuine webhooks come at once, from as many connections as a carrier opens.

    `timed`: a slow acknowledgement is a violation too, for a machine that has nothing else to do.
    """
    await world.start_workers(2)
    campaign_id = await world.start_campaign(outcome.contacts)
    await wait_for_share(world, campaign_id, 0.1, seconds=patience(outcome))
    usual = await _calls_per_second(world, _MEASURED_SECONDS)
    before, began = len(await world.ledger()), time.monotonic()
    took = await _storm(world, await _ended_calls(world), events)
    seconds = time.monotonic() - began
    made = (len(await world.ledger()) - before) / seconds
    outcome.count("webhooks", events)
    outcome.measured["storm"] = f"{events / seconds:.0f} webhooks/s"
    outcome.measured["acknowledged within, p95"] = f"{p95(took):.3f} s"
    p99 = sorted(took)[int(len(took) * 0.99)]
    outcome.measured["acknowledged within, p99"] = f"{p99:.3f} s (goal {P99_SECONDS:g})"
    outcome.measured["calls a second, storm over usual"] = f"{made:.1f} / {usual:.1f} (goal {DIALS_ON:g})"
    if timed and p99 > P99_SECONDS:
        outcome.violations.append(f"F11: a webhook of a hundred took {p99:.1f} s")
    await world.completed(campaign_id, seconds=patience(outcome))


async def _calls_per_second(world: World, seconds: float) -> float:
    before = len(await world.ledger())
    await asyncio.sleep(seconds)
    return (len(await world.ledger()) - before) / seconds


async def _ended_calls(world: World) -> Sequence[Mapping[str, object]]:
    return await world.rows("SELECT id, provider_id FROM attempt WHERE status IN ('completed', 'failed')")


async def _storm(world: World, calls: Sequence[Mapping[str, object]], events: int) -> list[float]:
    """Send each webhook until it is acknowledged, as the carrier does; return how long each took at its last try."""
    serial, took = count(), list[float]()
    account = configured_account(world.settings)

    async def send_some(client: aiohttp.ClientSession) -> None:
        while (number := next(serial)) < events:
            call = calls[number % len(calls)]
            url = callback_url(account, CallbackPurpose.STATUS, call["id"])  # type: ignore[arg-type]
            fields = [
                ("AccountSid", account.account_sid),
                ("CallSid", str(call["provider_id"])),
                ("CallStatus", "initiated"),
                ("SequenceNumber", str(1_000 + number)),
            ]
            signature = sign(account.auth_token.get_secret_value(), url, fields)
            took.append(await _until_acknowledged(client, url, fields, signature))

    async with aiohttp.ClientSession() as client:
        await asyncio.gather(*(send_some(client) for _ in range(CONNECTIONS)))
    return took


async def _until_acknowledged(
    client: aiohttp.ClientSession, url: str, fields: list[tuple[str, str]], signature: str
) -> float:
    while True:
        began = time.monotonic()
        headers = {"X-Twilio-Signature": signature, "Content-Type": _FORM}
        async with client.post(url, data=urlencode(fields), headers=headers) as answer:
            if answer.status == HTTPStatus.NO_CONTENT:
                return time.monotonic() - began


async def forged_webhooks(
    world: World, outcome: Outcome, *, requests: int = 200, judged: int = 2_000
) -> None:
    """F12: nothing forged is stored or answered with an error of ours; the genuine again changes nothing."""
    await world.start_workers(1)
    campaign_id = await world.start_campaign(outcome.contacts)
    await world.completed(campaign_id, seconds=patience(outcome))
    world.stop_workers()  # they would go on asking for prices
    before, logged = await _state(world), world.web.log.read_text().count("Traceback")
    chance, answers = random.Random(1), dict[str, int]()
    kept = list(world.relay.kept)
    async with aiohttp.ClientSession(auto_decompress=False) as client:
        for number in range(requests):
            name, status = await _forge(client, chance, chance.choice(kept), number)
            answers[name] = answers.get(name, 0) + 1
            if name != "again" and not HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
                outcome.violations.append(f"F12: a request with {name} was answered {status}")
            if name == "again" and not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
                outcome.violations.append(f"F12: a genuine request sent again was answered {status}")
    outcome.done = answers
    if await _state(world) != before:
        outcome.violations.append("F12: a forged or repeated webhook changed something")
    if world.web.log.read_text().count("Traceback") != logged:
        outcome.violations.append("F12: a forged webhook left a traceback in the log")
    believed, differing = await asyncio.to_thread(disagreements, judged, seed=1)
    outcome.measured["verdicts equal to Twilio's validator"] = (
        f"{judged - len(differing)} of {judged}, {believed} of them genuine"
    )
    outcome.violations += differing


async def _state(world: World) -> Mapping[str, object]:
    tables = ("attempt", "provider_event", "recipient", "recipient_transition", "suppression", "attempt_turn")
    counted = ", ".join(
        f"(SELECT (count(*), coalesce(sum(hashtextextended(t::text, 0)), 0))::text FROM {each} t) AS {each}"
        for each in tables
    )
    return dict((await world.rows(f"SELECT {counted}"))[0])


Kept = tuple[str, bytes, str]
"""Address, body and signature of a genuine webhook."""


async def _forge(
    client: aiohttp.ClientSession, chance: random.Random, kept: Kept, number: int
) -> tuple[str, int]:
    url, body, signature = kept
    fields = parse_qsl(body.decode(), keep_blank_values=True)
    forgeries: dict[str, tuple[str, bytes, str | None]] = {
        "a wrong key": (url, body, sign("0" * 32, url, fields)),
        "an altered body": (url, body.replace(b"CallStatus=", b"CallStatus=x"), signature),
        "a field more": (url, body + b"&CallStatus=forged", signature),
        "another address": (url.replace("/status/", "/amd/"), body, signature),
        "another attempt": (url[:-41] + f"{number:08d}" + url[-33:], body, signature),
        "no signature": (url, body, None),
        "an oversized body": (url, body + b"&x=" + b"y" * 10_000_000, signature),
        "bad bytes": (url, b"\xff\xfe=%zz&" + body, signature),
        "no form": (url, b"{" * 1000, signature),
        "again": (url, body, signature),
    }
    name = chance.choice(list(forgeries))
    target, content, signed = forgeries[name]
    headers = {"Content-Type": "application/json" if name == "no form" else _FORM}
    if signed is not None:
        headers["X-Twilio-Signature"] = signed
    try:
        async with client.post(target, data=BytesIO(content), headers=headers) as answer:
            return name, answer.status
    except aiohttp.ClientError:  # an oversized body may be cut off before it is answered
        return name, HTTPStatus.REQUEST_ENTITY_TOO_LARGE
