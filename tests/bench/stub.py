"""A fixed minimal stand-in for the carrier's "create call": so little work that it can flatter nobody."""

import asyncio
import itertools
import json
import sys
from typing import Final

_SERIAL: Final = itertools.count()
_BODY: Final = {
    "sid": "CA%032x",
    "status": "queued",
    "queue_time": "0",
    "to": "+12025550100",
    "from": "+12015550123",
    "direction": "outbound-api",
    "date_created": "Tue, 31 Aug 2010 20:36:28 +0000",
}
_TEMPLATE: Final = json.dumps(_BODY)


class Stub(asyncio.Protocol):
    """Answers every complete POST on a kept-alive connection with 201 and a fresh call id."""

    def __init__(self) -> None:
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer once the head and the body named by Content-Length are here."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            mark = head.find(b"content-length:")
            length = int(head[mark + 15 :].split(b"\r\n", 1)[0]) if mark >= 0 else 0
            if len(self._buffer) < end + 4 + length:
                return
            self._buffer = self._buffer[end + 4 + length :]
            body = (_TEMPLATE % next(_SERIAL)).encode()
            self._transport.write(
                b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
                % (len(body), body)
            )


async def serve(port: int) -> None:
    """Serve for ever; say `ready` when listening."""
    server = await asyncio.get_running_loop().create_server(Stub, "127.0.0.1", port)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
