"""What commands start from: the settings, completed with the servers that run for this home."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import ValidationError

from app.cli.console import err
from app.cli.errors import ConfigurationError
from app.installation.embedded import EmbeddedPostgres
from app.installation.home import Home, Secrets
from app.installation.process_commands import Urls, child_environment
from app.runtime.config import Settings, get_settings


def settings() -> Settings:
    """Return the settings of the environment. Raises ConfigurationError, which names the variable."""
    try:
        return get_settings()
    except ValidationError as error:
        raise ConfigurationError(_first_line(error)) from error


def home() -> Home:
    """Return the home that the environment names."""
    return Home(settings().home)


def servers() -> Settings:
    """Return the settings; missing servers are those of a running `up`. Raises ConfigurationError if there are none."""
    given, run = settings(), home().current_run()
    filled = {
        "database_url": given.database_url or (run and run.database_url),
        "redis_url": given.redis_url or (run and run.redis_url),
    }
    for name, url in filled.items():
        if not url:
            raise ConfigurationError(f"{name.upper()} is not set, and nothing runs in {home().path}")
    return given.model_copy(update=filled)


def secrets() -> Secrets:
    """Return the secrets of this installation. Raises ConfigurationError if they are neither given nor made yet."""
    given = settings().secret
    if not given and not home().has_secrets():
        raise ConfigurationError(
            "CALLSHEET_SECRET is not set: the processes of one installation share one. "
            "The first `uv run callsheet up` makes it, in secrets.json of its home"
        )
    return home().secrets(given)


def environment() -> dict[str, str]:
    """Return the whole environment of a process of this home. Raises ConfigurationError."""
    complete = servers()
    secrets()
    return child_environment(complete, home(), Urls(complete.database_url or "", complete.redis_url or ""))


def working_environment() -> dict[str, str]:
    """Return the environment, after checks that the database, its schema and the secret are right.

    Calls work without Redis: if it is away, that is only a warning. Raises OperatorError for the first problem.
    """
    from app.installation import shared_secret as installation
    from app.installation.reachability import UnreachableError, check_database, check_redis
    from app.runtime.clock import SystemClock
    from app.runtime.migrations import check_schema

    complete = environment()
    check_database(complete["DATABASE_URL"])
    check_schema(complete["DATABASE_URL"])
    installation.claim(complete["DATABASE_URL"], secrets(), now=SystemClock().now())
    try:
        check_redis(complete["REDIS_URL"])
    except UnreachableError as error:
        err.print(f"{error}. Calls and texts go on without it; imports wait until it is back.")
    return complete


@contextmanager
def database_url() -> Iterator[str]:
    """Yield the database's URL: the environment's, that of a running `up`, or the embedded one, started for this."""
    given, run = settings().database_url, home().current_run()
    if given:
        from app.installation.reachability import check_database

        check_database(given)
        yield given
    elif run and run.database_url:
        yield run.database_url
    else:
        server = EmbeddedPostgres(home().path)
        try:
            yield server.start()
        finally:
            server.stop()


def _first_line(error: ValidationError) -> str:
    first = error.errors()[0]
    message = first["msg"].removeprefix("Value error, ")
    name = ".".join(str(part) for part in first["loc"])
    return message if not name or name in message else f"{name}: {message}"
