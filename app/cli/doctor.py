"""`doctor`: check this installation. One line per check; exit code 1 if any fails."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeVar

import typer

from app.cli import context
from app.cli.console import err, out
from app.cli.errors import CommandError, ConfigurationError
from app.installation.home import Home
from app.installation.process_commands import QUEUES, answers
from app.runtime.config import Settings
from app.runtime.errors import OperatorError

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from app.providers.base import ConfiguredAccount

_Found = TypeVar("_Found")


class Check(NamedTuple):
    """One check. `ask` returns the message if all is well, else it raises `OperatorError`.

    A check runs only if all checks that it `needs` passed: the output shows the cause, not its consequences.
    """

    name: str
    ask: Callable[[], str]
    needs: frozenset[str] = frozenset()


def doctor(
    *,
    deep: Annotated[
        bool,
        typer.Option(
            help="Recount every contact from the rows and the carrier's ledger, campaign by campaign."
        ),
    ] = False,
    days: Annotated[
        int, typer.Option(min=1, help="How many days back the carrier's ledger is compared, with --deep.")
    ] = 30,
) -> None:
    """Check configuration, servers, carrier, numbers, conservation, campaigns. Exit code 1 with the failing line."""
    failed: set[str] = set()
    for check in _checks():
        if check.needs & failed:
            failed.add(check.name)
            continue
        try:
            out.print(f"ok    {check.name}: {check.ask()}", markup=False)
        except OperatorError as error:
            failed.add(check.name)
            err.print(f"fail  {check.name}: {error}", markup=False, style="red")
    if failed or (deep and _recounted(days)):
        raise typer.Exit(1)


def _recounted(days: int) -> int:
    """Print for each campaign whether all contacts are accounted for; return how many have problems."""
    import asyncio

    from app.cli.deep import recounted

    failures = 0
    verdicts = asyncio.run(recounted(context.servers(), context.environment(), days=days))
    for name, well, problems in verdicts:
        if not problems:
            out.print(f"ok    {name}: {well}", markup=False)
        for problem in problems:
            err.print(f"fail  {name}: {problem}", markup=False, style="red")
        failures += bool(problems)
    return failures


def _checks() -> Iterator[Check]:
    yield Check("configuration", _configuration)
    try:
        settings, home = context.settings(), context.home()
    except ConfigurationError:
        return  # the first check has reported it
    yield Check("processes", lambda: _processes(settings, home))
    if not (settings.database_url and settings.redis_url) and not home.current_run():
        return
    servers = context.servers()
    yield Check("database", lambda: _database(servers))
    yield Check("migrations", lambda: _migrations(servers), frozenset({"database"}))
    yield Check("secret", lambda: _secret(servers), frozenset({"migrations"}))
    yield Check("queue", lambda: _queue(servers))
    yield Check("carrier", lambda: _carrier(context.environment()))
    yield Check(
        "numbers", lambda: _numbers(servers, context.environment()), frozenset({"migrations", "carrier"})
    )
    yield Check("web", lambda: _web(settings))
    yield Check("calling hours", _calling_hours)
    yield Check("conservation", lambda: _conservation(servers), frozenset({"migrations"}))
    yield Check("campaigns", lambda: _campaigns(servers), frozenset({"migrations"}))


def _configuration() -> str:
    context.settings()
    return "complete"


def _calling_hours() -> str:
    """Return the versions of what calling hours go by."""
    from app.domain.legal_hours import LegalHoursInvalid
    from app.runtime.legal_hours import get_legal_hours

    context.settings()
    try:
        table = get_legal_hours()
    except LegalHoursInvalid as error:
        raise CommandError(f"CALLSHEET_LEGAL_HOURS: {error}") from error
    packages = ", ".join(f"{name} {version(name)}" for name in ("tzdata", "phonenumbers", "holidays"))
    return f"{packages}, legal hours {table.version}"


def _processes(settings: Settings, home: Home) -> str:
    run = home.current_run()
    if not run and not settings.database_url and not settings.redis_url:
        raise CommandError(f"nothing runs in {home.path}: start with `uv run callsheet up`")
    context.servers()
    if not run:
        return f"nothing runs in {home.path}; checking what the environment names"
    dead = [process.name for process in run.processes if not process.is_alive()]
    if dead:
        raise CommandError(f"not running: {', '.join(dead)}; see {home.logs}")
    return f"{len(run.processes)} running"


def _database(settings: Settings) -> str:
    from app.installation.reachability import check_database

    check_database(settings.database_url or "")
    return "answers"


def _migrations(settings: Settings) -> str:
    from app.runtime.migrations import check_schema, newest_revision

    check_schema(settings.database_url or "")
    return f"at {newest_revision()}, the newest"


def _secret(settings: Settings) -> str:
    from app.installation.shared_secret import check

    check(settings.database_url or "", context.secrets())
    return "the one of this database's processes"


def _queue(settings: Settings) -> str:
    from app.installation.reachability import check_redis, worker_is_ready

    url = settings.redis_url or ""
    check_redis(url)
    without = [queue for queue in QUEUES if not worker_is_ready(url, queue)]
    if without:
        raise CommandError(f"no worker has started on: {', '.join(without)}")
    return "answers, and every queue has a worker"


def _carrier(environment: dict[str, str]) -> str:
    import asyncio

    from app.providers.base import LookupFailed
    from app.providers.registry import configured_account

    account = configured_account(Settings(**dict[str, Any](environment)))
    try:
        refusal = asyncio.run(_refusal(account))
    except LookupFailed as error:
        raise CommandError(f"{account.api_url}: {error}") from error
    if refusal:
        raise CommandError(f"{account.api_url}: {refusal}")
    if account.simulated:
        return "the simulator accepts the account; nobody is really called"
    return f"{account.api_url} accepts the account"


async def _refusal(account: ConfiguredAccount) -> str | None:
    """Return why the carrier refuses the account; None if it does not, or cannot tell. Raises `LookupFailed`."""
    from app.providers.base import AccountCheck
    from app.providers.registry import make_carrier

    async with aclosing(make_carrier(account)) as carrier:
        return await carrier.refuses() if isinstance(carrier, AccountCheck) else None


def _numbers(settings: Settings, environment: dict[str, str]) -> str:
    import asyncio

    from app.providers.base import LookupFailed
    from app.providers.registry import configured_account
    from app.services.numbers.ownership import ask_about
    from app.services.numbers.queries import all_active_numbers

    account = configured_account(Settings(**dict[str, Any](environment)))
    active = _read(settings, partial(all_active_numbers, account_sid=account.account_sid))
    try:
        known = asyncio.run(ask_about(account, [each.number for each in active]))
    except LookupFailed as error:
        raise CommandError(f"the carrier could not be asked: {error}") from error
    lost = [each for each in active if each.number in known and known[each.number] is None]
    if lost:
        named = ", ".join(f"{each.number} of {each.organization}" for each in lost)
        raise CommandError(f"the carrier account does not have {named}: buy them there, or deactivate them")
    return f"the carrier account has all {len(active)} that are active"


def _web(settings: Settings) -> str:
    if not answers(settings.port):
        raise CommandError(f"port {settings.port} does not answer")
    return f"answers on port {settings.port}"


def _conservation(settings: Settings) -> str:
    from app.services.dialing.audit.ledger import accounted, unaccounted

    problems = _read(settings, unaccounted)
    if problems:
        raise CommandError("; ".join(problems))
    contacts, attempts = _read(settings, accounted)
    return f"{contacts} contacts and {attempts} attempts are accounted for"


def _campaigns(settings: Settings) -> str:
    from app.services.campaigns.failed import failed_campaigns

    failed = _read(settings, failed_campaigns)
    if failed:
        raise CommandError(
            "; ".join(f"“{each.name}” of {each.organization} failed: {each.reason}" for each in failed)
        )
    return "none has failed"


def _read(settings: Settings, query: Callable[[AsyncSession], Awaitable[_Found]]) -> _Found:
    """Run a query of the services on a new connection, and return its result."""
    import asyncio

    from app.runtime.database import Database

    async def read() -> _Found:
        database = Database(settings.database_url or "")
        try:
            async with database.session() as session:
                return await query(session)
        finally:
            await database.dispose()

    return asyncio.run(read())
