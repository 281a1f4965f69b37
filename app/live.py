"""The live feed: after a commit, what changed is published; pages and the dialer listen. Every note is a hint."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy.ext.asyncio import AsyncSession

CHANNEL: Final = "callsheet:live"
_RECONNECT_SECONDS: Final = 1.0

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

    async def publish(self, notes: Sequence[LiveNote]) -> None:
        """Send the notes, each once. A Redis that is away is logged and otherwise ignored."""
        if self._publisher is None:
            self._publisher = self._connect()
        try:
            async with self._publisher.pipeline(transaction=False) as pipeline:
                for note in dict.fromkeys(notes):
                    pipeline.publish(CHANNEL, json.dumps(asdict(note)))
                await pipeline.execute()
        except (RedisError, OSError) as error:
            log.warning("live.publish_failed", extra={"error": str(error)})

    async def listen(self) -> AsyncIterator[LiveNote]:
        """Yield notes for ever, reconnecting when Redis comes back."""
        while True:
            connection = self._connect()
            try:
                async with connection.pubsub() as channel:
                    await channel.subscribe(CHANNEL)
                    async for message in channel.listen():
                        if message["type"] == "message":
                            yield LiveNote(**json.loads(message["data"]))
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
