"""The live feed: after a commit, what changed is published; pages and the dialer listen. Every note is a hint."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy.ext.asyncio import AsyncSession

CHANNEL: Final = "callsheet:live"
_RECONNECT_SECONDS: Final = 1.0
_PATIENCE_SECONDS: Final = 0.5

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LiveNote:
    """Something of this campaign (or, without one, of the organization) changed."""

    organization_id: int
    campaign_id: int | None = None
    work: bool = False
    """There may be something to dial: rings the dialer's doorbell."""


def announce(
    session: AsyncSession,
    *,
    organization_id: int,
    campaign_id: int | None = None,
    work: bool = False,
) -> None:
    """Publish a note when, and only when, this session's transaction has committed."""
    notes: list[LiveNote] = session.info.setdefault("notes", [])
    notes.append(LiveNote(organization_id, campaign_id, work))


class LiveFeed:
    """Publishes and receives notes by Redis pub/sub. Without Redis nothing is lost but promptness."""

    def __init__(self, redis_url: str) -> None:
        self._redis_url = redis_url
        self._publisher: Redis | None = None
        self._away_until = 0.0

    async def publish(self, notes: Sequence[LiveNote]) -> None:
        """Send the notes, each once. A Redis that is away is logged and otherwise ignored."""
        if time.monotonic() < self._away_until:
            return
        if self._publisher is None:
            self._publisher = Redis.from_url(
                self._redis_url, socket_timeout=_PATIENCE_SECONDS, socket_connect_timeout=_PATIENCE_SECONDS
            )
        try:
            async with self._publisher.pipeline(transaction=False) as pipeline:
                for note in dict.fromkeys(notes):
                    pipeline.publish(CHANNEL, json.dumps(asdict(note)))
                await pipeline.execute()
        except (RedisError, OSError) as error:
            # Nobody may wait for a hint: until it is back, pages and dialers go by their ticks.
            self._away_until = time.monotonic() + _RECONNECT_SECONDS
            log.warning("live.publish_failed", extra={"error": str(error)})

    async def listen(self) -> AsyncIterator[LiveNote]:
        """Yield notes for ever, reconnecting when Redis comes back."""
        while True:
            connection = self._connect()
            try:
                async with connection.pubsub() as channel:
                    await channel.subscribe(CHANNEL)
                    async for message in channel.listen():
                        if message["type"] == "message" and (note := _read(message["data"])) is not None:
                            yield note
            except (RedisError, OSError) as error:
                log.warning("live.listen_failed", extra={"error": str(error)})
                await asyncio.sleep(_RECONNECT_SECONDS)
            finally:
                with suppress(RedisError, OSError):
                    await connection.aclose()

    async def close(self) -> None:
        """Close the publishing connection."""
        if self._publisher is not None:
            await self._publisher.aclose()
            self._publisher = None

    def _connect(self) -> Redis:
        return Redis.from_url(self._redis_url)


def _read(data: bytes) -> LiveNote | None:
    """Return the note; None for what a newer or older version of us may have sent."""
    try:
        return LiveNote(**json.loads(data))
    except (TypeError, ValueError):
        log.warning("live.strange_note")
        return None
