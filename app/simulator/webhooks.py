"""Requests to the customer: signed, retried as the URL's fragment asks, and subject to injected faults."""

import asyncio
import uuid
from collections.abc import Coroutine
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qs, urldefrag

import aiohttp
from yarl import URL

from app.simulator.clock import SimulatedClock
from app.simulator.faults import FaultName, Faults
from app.simulator.signature import Fields, encode, sign

_CONNECTIONS = 500
_KEEP_ALIVE = 2.0
"""Shorter than any server's: otherwise a POST could use a connection that the server is just closing."""
_LARGEST_ANSWER = 64 * 1024
_FORGED_TOKEN = "f0" * 16
_FOREIGN_ACCOUNT = "AC" + "0bad" * 8


@dataclass(frozen=True, slots=True)
class CustomerAnswer:
    """What the customer's server answered."""

    status: int
    content_type: str
    text: str

    @property
    def is_success(self) -> bool:
        """Whether the status is a 2xx."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES


class NoAnswer(Exception):
    """The webhook got no answer: not connected, timed out, cut off or too long."""


@dataclass(frozen=True, slots=True)
class Overrides:
    """Twilio's connection overrides, from a URL fragment as `#rc=2&rp=ct,rt,5xx`. Real seconds."""

    connect_timeout: float = 5.0
    read_timeout: float = 15.0
    total_timeout: float = 15.0
    retries: int = 1
    failures_retried: frozenset[str] = frozenset({"ct"})

    @classmethod
    def parse(cls, fragment: str) -> "Overrides":
        """Read the fragment; what is missing or malformed keeps Twilio's default."""
        default = cls()
        given = {key: values[-1] for key, values in parse_qs(fragment).items()}
        policies = given.get("rp")
        return cls(
            connect_timeout=_milliseconds(given.get("ct"), 10_000, default.connect_timeout),
            read_timeout=_milliseconds(given.get("rt"), 15_000, default.read_timeout),
            total_timeout=_milliseconds(given.get("tt"), 15_000, default.total_timeout),
            retries=min(int(given["rc"]), 5) if given.get("rc", "").isdecimal() else default.retries,
            failures_retried=frozenset(policies.split(",")) if policies else default.failures_retried,
        )

    @property
    def timeout(self) -> aiohttp.ClientTimeout:
        """The same for aiohttp."""
        return aiohttp.ClientTimeout(
            total=self.total_timeout, sock_connect=self.connect_timeout, sock_read=self.read_timeout
        )

    def retries_after(self, failure: str) -> bool:
        """Tell whether to retry after this failure (`ct`, `rt`, `4xx`, `5xx`)."""
        return failure in self.failures_retried or "all" in self.failures_retried


def _milliseconds(text: str | None, limit: int, default: float) -> float:
    return min(max(int(text), 100), limit) / 1000 if text and text.isdecimal() else default


class Webhooks:
    """Sends webhooks. One session for all of them, opened at the first."""

    def __init__(self, *, account_sid: str, auth_token: str, clock: SimulatedClock, faults: Faults) -> None:
        self._account_sid = account_sid
        self._auth_token = auth_token
        self._clock = clock
        self._faults = faults
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[object, object, None]) -> None:
        """Run it as a background task. The reference is kept until the task ends."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Cancel all background tasks and close the connections."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def fetch(self, url: str, fields: Fields, *, method: str = "POST") -> CustomerAnswer:
        """Ask the customer what to do next (TwiML). Raises `NoAnswer` after the retries that the fragment allows."""
        return await self._deliver(url, fields, method, self._auth_token)

    def report(self, url: str, fields: Fields, *, method: str = "POST") -> None:
        """Send a status callback in the background. Faults may delay, spoil, repeat or lose it."""
        if self._faults.strike(FaultName.LOSE_CALLBACK):
            return
        delays = [
            fault
            for name in (FaultName.DELAY_CALLBACK, FaultName.REORDER_CALLBACK)
            if (fault := self._faults.strike(name))
        ]
        wait = sum(self._faults.chance.uniform(0.0, fault.seconds) for fault in delays)
        token = _FORGED_TOKEN if self._faults.strike(FaultName.BAD_SIGNATURE) else self._auth_token
        if self._faults.strike(FaultName.WRONG_ACCOUNT_SID):
            fields = [(key, _FOREIGN_ACCOUNT if key == "AccountSid" else value) for key, value in fields]
        duplicate = self._faults.strike(FaultName.DUPLICATE_CALLBACK)
        copies = self._faults.chance.randint(1, max(1, duplicate.copies)) if duplicate else 0
        for _ in range(1 + copies):
            self.spawn(self._report(url, fields, method, token, wait))

    async def _report(self, url: str, fields: Fields, method: str, token: str, wait: float) -> None:
        if wait:
            await self._clock.sleep(wait)
        try:
            await self._deliver(url, fields, method, token)
        except NoAnswer:
            return

    async def _deliver(self, url: str, fields: Fields, method: str, token: str) -> CustomerAnswer:
        address, fragment = urldefrag(url)
        overrides = Overrides.parse(fragment)
        if method.upper() == "GET":
            query = f"{'&' if '?' in address else '?'}{encode(fields)}" if fields else ""
            address, fields = address + query, []
        headers = {
            "X-Twilio-Signature": sign(token, address, fields),
            "I-Twilio-Idempotency-Token": str(uuid.uuid4()),
            "User-Agent": "TwilioProxy/1.1",
            "Accept": "*/*",
        }
        for _ in range(overrides.retries):
            try:
                answer = await self._send(method, address, fields, headers, overrides)
            except NoAnswer as failure:
                if not overrides.retries_after(str(failure)):
                    raise
            else:
                if answer.is_success or not overrides.retries_after(f"{answer.status // 100}xx"):
                    return answer
        return await self._send(method, address, fields, headers, overrides)

    async def _send(
        self, method: str, address: str, fields: Fields, headers: dict[str, str], overrides: Overrides
    ) -> CustomerAnswer:
        body = encode(fields).encode() if method.upper() != "GET" else None
        if body is not None:
            headers = headers | {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}
        try:
            url = URL(address, encoded=True)
            async with self._open_session().request(
                method, url, data=body, headers=headers, timeout=overrides.timeout
            ) as response:
                payload = await _whole(response)
                return CustomerAnswer(
                    response.status, response.content_type, payload.decode(errors="replace")
                )
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, ValueError) as error:
            raise NoAnswer("ct") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise NoAnswer("rt") from error

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=_CONNECTIONS, keepalive_timeout=_KEEP_ALIVE),
                skip_auto_headers=["Content-Type"],
            )
        return self._session


async def _whole(response: aiohttp.ClientResponse) -> bytes:
    payload = bytearray()
    async for chunk in response.content.iter_any():
        payload += chunk
        if len(payload) > _LARGEST_ANSWER:
            raise NoAnswer("rt")
    return bytes(payload)
