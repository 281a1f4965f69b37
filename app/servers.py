"""First contact with PostgreSQL and Redis or Valkey, whoever runs them: one clear line when there is none."""

from collections.abc import Iterable

import psycopg
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import make_url

from app.queue import QueueName

_SECONDS = 5


class UnreachableError(Exception):
    """A server named in the environment does not answer. One line, without its password."""


def check_database(url: str) -> None:
    """Connect once. Raises UnreachableError."""
    where = make_url(url)
    plain = where.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        psycopg.connect(plain, connect_timeout=_SECONDS).close()
    except psycopg.OperationalError as error:
        shown = where.set(drivername="postgresql").render_as_string(hide_password=True)
        raise UnreachableError(f"DATABASE_URL {shown} cannot be reached: {_one_line(error)}") from error


def check_redis(url: str) -> None:
    """Connect once. Raises UnreachableError."""
    try:
        with _client(url) as client:
            client.ping()
    except (RedisError, ValueError) as error:
        shown = make_url(url).render_as_string(hide_password=True)
        raise UnreachableError(f"REDIS_URL {shown} cannot be reached: {_one_line(error)}") from error


def forget_worker_health(redis_url: str, queues: Iterable[QueueName]) -> None:
    """Remove what workers of an earlier run said of their health (arq keeps it past their death)."""
    with _client(redis_url) as client:
        client.delete(*(f"{queue}:health-check" for queue in queues))


def worker_is_ready(redis_url: str, queue: QueueName) -> bool:
    """Whether a worker of this queue has started to read it."""
    try:
        with _client(redis_url) as client:
            return bool(client.exists(f"{queue}:health-check"))
    except RedisError:
        return False


def _client(url: str) -> Redis:
    return Redis.from_url(url, socket_connect_timeout=_SECONDS, socket_timeout=_SECONDS)


def _one_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
