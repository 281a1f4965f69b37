"""Posts prepared requests over some kept-alive connections, one at a time on each, as fast as they are answered."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

_HEAD_END = b"\r\n\r\n"


@dataclass(slots=True)
class Hammered:
    """What came of it."""

    seconds: float = 0.0
    milliseconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.milliseconds) / self.seconds


class _Connection(asyncio.Protocol):
    """Sends the next request when the last is answered; the answers have no body."""

    def __init__(self, requests: Iterator[bytes], result: Hammered, done: "asyncio.Future[None]") -> None:
        self._requests, self._result, self._done = requests, result, done
        self._began = 0.0
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._received.endswith(_HEAD_END):
            return
        self._result.milliseconds.append((time.perf_counter() - self._began) * 1000)
        self._result.statuses[int(self._received[9:12])] += 1
        self._received = b""
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(exc or ConnectionError("the server hung up"))

    def _send(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self._done.set_result(None)
            self._transport.close()
            return
        self._began = time.perf_counter()
        self._transport.write(request)


async def hammer(port: int, requests: Sequence[bytes], *, connections: int) -> Hammered:
    """Post them all to that port of this machine; return how long each took and what was answered."""
    loop, result, left = asyncio.get_running_loop(), Hammered(), iter(requests)
    futures = [loop.create_future() for _ in range(connections)]
    began = time.perf_counter()
    for done in futures:

        def connection(done: "asyncio.Future[None]" = done) -> _Connection:
            return _Connection(left, result, done)

        await loop.create_connection(connection, "127.0.0.1", port)
    await asyncio.gather(*futures)
    result.seconds = time.perf_counter() - began
    return result


def post(path: str, *, host: str, body: bytes, headers: Sequence[tuple[str, str]] = ()) -> bytes:
    """Return a whole POST of a form."""
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: {host}",
        "Content-Type: application/x-www-form-urlencoded; charset=UTF-8",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body
