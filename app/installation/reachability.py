"""Check whether PostgreSQL and Redis or Valkey can be reached, with one clear line if not."""

import re
from collections.abc import Iterable

import psycopg
from redis import Redis
from redis.exceptions import RedisError

from app.runtime.errors import OperatorError

_SECONDS = 5


class UnreachableError(OperatorError):
    """A server named in the environment does not answer. The message is one line without the password."""


def check_database(url: str) -> None:
    """Connect once. Raises UnreachableError."""
    plain = url.replace("postgresql+psycopg://", "postgresql://", 1)
    try:
        psycopg.connect(plain, connect_timeout=_SECONDS).close()
    except psycopg.Error as error:
        shown = _without_password(plain)
        raise UnreachableError(f"DATABASE_URL {shown} cannot be reached: {_one_line(error)}") from error


def has_owner(url: str) -> bool:
    """Tell whether the migrated database at `url` has an owner. Faster than importing the services."""
    plain = url.replace("postgresql+psycopg://", "postgresql://", 1)
    with psycopg.connect(plain, connect_timeout=_SECONDS) as connection:
        row = connection.execute("SELECT EXISTS (SELECT 1 FROM member WHERE role = 'owner')").fetchone()
    return bool(row and row[0])


def check_redis(url: str) -> None:
    """Connect once. Raises UnreachableError."""
    try:
        with _client(url) as client:
            client.ping()
    except (RedisError, ValueError) as error:
        shown = _without_password(url)
        raise UnreachableError(f"REDIS_URL {shown} cannot be reached: {_one_line(error)}") from error


def forget_worker_health(redis_url: str, queues: Iterable[str]) -> None:
    """Remove the health records of earlier workers: arq keeps them after a worker has ended."""
    with _client(redis_url) as client:
        client.delete(*(_health_key(queue) for queue in queues))


def worker_is_ready(redis_url: str, queue: str) -> bool:
    """Tell whether a worker has started to read this queue."""
    try:
        with _client(redis_url) as client:
            return bool(client.exists(_health_key(queue)))
    except RedisError:
        return False


def _health_key(queue: str) -> str:
    return f"callsheet:{queue}:health-check"


def _client(url: str) -> Redis:
    return Redis.from_url(url, socket_connect_timeout=_SECONDS, socket_timeout=_SECONDS)


def _without_password(url: str) -> str:
    return re.sub(r"(://[^:/@]*):[^@]*@", r"\1:***@", url)


def _one_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
