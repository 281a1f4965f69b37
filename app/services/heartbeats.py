"""Which workers are alive: each writes a heartbeat row."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.models import WorkerHeartbeat

ALIVE_WITHIN: Final = timedelta(seconds=15)
_KEPT: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class WorkerHealth:
    """The workers that dial."""

    dial_workers: int
    last_seen: datetime | None


async def beat(
    session: AsyncSession, *, worker: str, queue: str, started_at: datetime, now: datetime, problem: str = ""
) -> None:
    """Record that this worker is alive, and delete the rows of workers that ended long ago.

    `problem`: why it does nothing at present, as a sentence for users.
    """
    row = {"worker": worker, "queue": queue, "started_at": started_at, "seen_at": now, "problem": problem}
    statement = insert(WorkerHeartbeat).values(row)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["worker"],
            set_={"seen_at": statement.excluded.seen_at, "problem": statement.excluded.problem},
        )
    )
    await session.execute(delete(WorkerHeartbeat).where(col(WorkerHeartbeat.seen_at) < now - _KEPT))


async def worker_health(session: AsyncSession, *, now: datetime) -> WorkerHealth:
    """Return how many dialing workers are alive, and the time of the last heartbeat."""
    alive = func.count().filter(col(WorkerHeartbeat.seen_at) > now - ALIVE_WITHIN)
    row = (
        await session.execute(
            select(alive, func.max(WorkerHeartbeat.seen_at)).where(col(WorkerHeartbeat.queue) == "dial")
        )
    ).one()
    return WorkerHealth(dial_workers=row[0], last_seen=row[1])
