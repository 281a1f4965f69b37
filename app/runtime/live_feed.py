"""The live feed: after a commit, changes are published to pages and the dialer. A note may be lost."""

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
    """This campaign changed; without one, something of the organization."""

    organization_id: int
    campaign_id: int | None = None
    work: bool = False
    """There may be something to dial: this wakes the dialer."""


def announce(
    session: AsyncSession,
    *,
    organization_id: int,
    campaign_id: int | None = None,
    work: bool = False,
) -> None:
    """Publish a note after this session's transaction has committed, and only then."""
    notes: list[LiveNote] = session.info.setdefault("notes", [])
    notes.append(LiveNote(organization_id, campaign_id, work))


class LiveFeed:
    """Publishes and receives notes by Redis pub/sub. Without Redis, changes are only seen later."""

    def __init__(self, redis_url: str) -> None:
        self._redis_url = redis_url
        self._publisher: Redis | None = None
        self._away_until = 0.0

    async def publish(self, notes: Sequence[LiveNote]) -> None:
        """Send each note once. If Redis is away, that is only logged."""
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
            # Do not wait for Redis: until it is back, pages and dialers poll.
            self._away_until = time.monotonic() + _RECONNECT_SECONDS
            log.warning("live.publish_failed", extra={"error": str(error)})

    async def listen(self) -> AsyncIterator[LiveNote]:
        """Yield notes without end; reconnect when Redis is back."""
        while True:
            connection = Redis.from_url(self._redis_url)
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


def _read(data: bytes) -> LiveNote | None:
    """Return the note; None if another version of Callsheet sent something else."""
    try:
        return LiveNote(**json.loads(data))
    except (TypeError, ValueError):
        log.warning("live.strange_note")
        return None
