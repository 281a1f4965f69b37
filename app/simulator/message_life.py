"""One message from the queue to the handset, as a task."""

from datetime import datetime

from app.simulator import wire
from app.simulator.call_life import Network
from app.simulator.fields import message_status_fields
from app.simulator.personas import ERROR_WORDS, SmsFate
from app.simulator.state import Message

_QUEUED_SECONDS = 0.3
_SENDING_SECONDS = 0.7
_CARRIER_SECONDS = 2.5
_PRICE_PER_SEGMENT = 0.0079


class MessageLife:
    """Runs one outgoing message."""

    def __init__(
        self, *, message: Message, fate: SmsFate, sender: str, send_at: datetime | None, network: Network
    ) -> None:
        self._message = message
        self._fate = fate
        self._sender = sender
        self._send_at = send_at
        self._clock = network.clock
        self._webhooks = network.webhooks
        self._account_sid = network.account_sid

    async def run(self) -> bool:
        """Run the message to its final status; return whether it reached the handset."""
        if self._send_at is not None:
            await self._clock.sleep((self._send_at - self._clock.now()).total_seconds())
        await self._clock.sleep(_QUEUED_SECONDS)
        if self._message.status == "canceled":
            return False
        self._message.from_ = self._sender
        self._become("sending")
        await self._clock.sleep(_SENDING_SECONDS)
        self._message.sent_at = self._clock.now()
        self._become("sent")
        await self._clock.sleep(_CARRIER_SECONDS)
        self._finish()
        return self._message.status == "delivered"

    def _finish(self) -> None:
        message, code = self._message, self._fate.error_code
        if code is not None:
            message.error_code, message.error_message = code, ERROR_WORDS[code]
        message.price = wire.price(_PRICE_PER_SEGMENT * wire.segments(message.body))
        self._become(self._fate.status)

    def _become(self, status: str) -> None:
        self._message.status = status
        self._message.updated_at = self._clock.now()
        url = self._message.parameters.get("StatusCallback")
        if url:
            fields = message_status_fields(self._message, self._account_sid, self._clock.now())
            self._webhooks.report(url, fields)
