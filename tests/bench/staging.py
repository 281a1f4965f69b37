"""Campaigns to very many people, made by SQL alone; and dialers on them."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from typing import Any, Final

from pydantic import SecretStr
from sqlalchemy import inspect, text

from app.installation.embedded import EmbeddedPostgres
from app.models import Campaign, Contact, Recipient
from app.models.columns import Row
from app.providers.base import Carrier, ConfiguredAccount
from app.providers.twilio.client import TwilioCarrier
from app.providers.twilio.http import CONNECTION_LIMIT
from app.runtime.clock import Clock, SystemClock
from app.runtime.database import Database
from app.runtime.migrations import upgrade
from tests.support.builders import make_recipient
from tests.support.servers import temporary_home
from tests.support.stage import DialingStage, set_stage
from worker.dialer import Dialer
from worker.runtime import dialing_database

SID: Final = "AC" + "0" * 32
NO_LIMITS: Final[dict[str, Any]] = {
    "rate_limit_per_minute": 0,
    "concurrent_limit": 100_000,
    "organization": {"outbound_limit": 10_000_000},
}
_FIRST_NUMBER: Final = 2_120_000_000
_LONG_AGO: Final = datetime(2020, 1, 1, tzinfo=UTC)


@contextmanager
def durable_postgres() -> Iterator[str]:
    """A PostgreSQL of its own that loses nothing when it is killed, migrated; gives its URL."""
    with temporary_home() as home:
        server = EmbeddedPostgres(home, durable=True)
        try:
            url = server.start()
            upgrade(url)
            yield url
        finally:
            server.purge()


@asynccontextmanager
async def database_at(url: str) -> AsyncIterator[Database]:
    """The database as the dialer uses it."""
    database = dialing_database(url)
    try:
        yield database
    finally:
        await database.dispose()


async def empty(database: Database) -> None:
    """Take every organization and carrier account away, with all that is theirs."""
    async with database.transaction() as session:
        await session.execute(text("TRUNCATE organization, carrier_account, app_user CASCADE"))


async def stage_of(database: Database, people: int, **settings: Any) -> DialingStage:
    """Return a started campaign to that many people, all due since long, with no legal hours and no limit of pace."""
    stage = await set_stage(database, contacts=0, **settings)
    async with database.transaction() as session:
        await session.execute(text("UPDATE carrier_account SET calls_per_second = 1000000"))
        await session.execute(text("UPDATE organization SET frequency_cap = 0, legal_policy = 'off'"))
    await add_people(database, stage.campaign_id, people)
    await analyze(database)
    return stage


async def add_people(
    database: Database, campaign_id: int, people: int, *, first: int = _FIRST_NUMBER
) -> None:
    """Add so many new people, due since long, with the numbers that follow `first`."""
    async with database.transaction() as session:
        campaign = await session.get_one(Campaign, campaign_id)
        one = await make_recipient(session, campaign, not_before=_LONG_AGO)
        given = {"contact_id": one.contact_id, "recipient_id": one.id, "people": people - 1, "first": first}
        await session.execute(_MORE, given)


_OTHER_CONTACT: Final = {"number": "'+1' || (CAST(:first AS bigint) + n)", "name": "'Person ' || n"}
_OTHER_RECIPIENT: Final = {"contact_id": "made.id", "position": "one.position + made.nth"}


def copied(model: type[Row], others: Mapping[str, str]) -> tuple[str, str]:
    """Return the columns of a table, and where each comes from when the row `one` is copied; a key only if given."""
    columns = inspect(model).local_table.columns
    names = [each.name for each in columns if each.computed is None and (each.name != "id" or "id" in others)]
    return ", ".join(names), ", ".join(others.get(name, f"one.{name}") for name in names)


def _more() -> str:
    contact, copied_contact = copied(Contact, _OTHER_CONTACT)
    recipient, copied_recipient = copied(Recipient, _OTHER_RECIPIENT)
    return f"""
        WITH people AS (
            INSERT INTO contact ({contact})
            SELECT {copied_contact} FROM contact one, generate_series(1, CAST(:people AS integer)) n
            WHERE one.id = :contact_id
            RETURNING id
        ), made AS (
            SELECT id, CAST(row_number() OVER (ORDER BY id) AS integer) AS nth FROM people
        )
        INSERT INTO recipient ({recipient})
        SELECT {copied_recipient} FROM recipient one, made WHERE one.id = :recipient_id
        """


_MORE: Final = text(_more())


async def analyze(database: Database) -> None:
    """Let the planner know what there is, as autovacuum would."""
    async with database.session() as session:
        await (await session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})).execute(
            text("ANALYZE")
        )


def account_at(url: str) -> ConfiguredAccount:
    """The account of the fixed stub at that URL."""
    return ConfiguredAccount(
        kind="twilio",
        account_sid=SID,
        auth_token=SecretStr("token"),
        api_url=url,
        public_url="https://calls.example.com",
        callback_secret=SecretStr("secret"),
        simulated=True,
    )


def carrier_at(url: str, *, connections: int = CONNECTION_LIMIT) -> Carrier:
    """The official SDK, pointed at that URL."""
    return TwilioCarrier(account_at(url), connection_limit=connections)


def dialer_of(
    stage: DialingStage, carrier: Carrier, *, worker: str = "bench", clock: Clock | None = None, **more: Any
) -> Dialer:
    """A dialer on the stage's account, without a wake-up from the queue."""
    return Dialer(
        database=stage.database,
        feed=None,
        carrier=carrier,
        clock=clock or SystemClock(),
        worker=worker,
        carrier_account_id=stage.account.id,
        **more,
    )
