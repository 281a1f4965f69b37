"""`doctor --deep`: recount every contact from the rows, and compare every attempt with the carrier's ledger."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from app.cli.errors import CommandError

if TYPE_CHECKING:
    from uuid import UUID

    from app.providers.base import Carrier, ConfiguredAccount
    from app.runtime.config import Settings
    from app.runtime.database import Database
    from app.services.dialing.audit.carrier import Made
    from app.services.dialing.audit.recount import Recount

Verdict = tuple[str, str, list[str]]
"""What was checked, the message if it is well, and the problems."""

_SECONDS: Final = 60
_CLOCKS_DIFFER: Final = timedelta(minutes=1)


async def recounted(settings: Settings, environment: Mapping[str, str], *, days: int) -> list[Verdict]:
    """Return a verdict for each campaign, and one for the carrier account. Raises `CommandError`."""
    from app.providers.base import LookupFailed
    from app.runtime.database import Database
    from app.services.dialing.audit.carrier import by_campaign

    database = Database(settings.database_url or "")
    try:
        recounts = await _recounts(database)
        looked_at, found = await _compared_with_carrier(database, environment, days)
    except LookupFailed as error:
        raise CommandError(str(error)) from error
    finally:
        await database.dispose()
    at_carrier = by_campaign(found)
    verdicts = [_verdict(each, at_carrier.pop(each.campaign_id, [])) for each in recounts]
    strange = [problem for problems in at_carrier.values() for problem in problems]
    return [*verdicts, ("carrier ledger", looked_at, strange)]


def _verdict(recount: Recount, at_carrier: list[str]) -> Verdict:
    name = f"campaign {recount.campaign_id} ({recount.name})"
    well = f"{recount.contacts} contacts and {recount.attempts} attempts are accounted for"
    return name, well, [*recount.problems, *at_carrier]


async def _recounts(database: Database) -> list[Recount]:
    from sqlalchemy import text

    from app.services.dialing.audit.recount import recount

    async with database.session() as session:
        campaign_ids = (await session.scalars(text("SELECT id FROM campaign ORDER BY id"))).all()
    found = []
    for campaign_id in campaign_ids:
        # All queries of a campaign see the same moment: it may be dialing.
        async with database.session() as session:
            await session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
            found.append(await recount(session, campaign_id=campaign_id, now=datetime.now(UTC)))
    return found


async def _compared_with_carrier(
    database: Database, environment: Mapping[str, str], days: int
) -> tuple[str, list[Any]]:
    """Compare our attempts with the carrier's ledger.

    Returns what was compared, and the discrepancies. Raises `LookupFailed`.
    """
    from app.providers.registry import configured_account, make_carrier
    from app.runtime.config import Settings
    from app.services.dialing.audit.carrier import made_and_not_ours, oldest_attempt, ours_and_not_made
    from app.services.numbers.carriers import ensure_carrier_account, identity_of

    account = configured_account(Settings(**dict[str, Any](environment)))
    identity = identity_of(account)
    row = await database.write(
        lambda session: ensure_carrier_account(session, identity, now=datetime.now(UTC))
    )
    async with database.session() as session:
        oldest = await oldest_attempt(session, carrier_account_id=row.id)
    if oldest is None:
        return "no attempt was ever made on this account", []
    since = max(oldest, datetime.now(UTC) - timedelta(days=days)) - _CLOCKS_DIFFER
    async with aclosing(make_carrier(account)) as carrier, database.session() as session:
        since, made = await _made(carrier, account, since)
        given = {"carrier_account_id": row.id}
        found = await made_and_not_ours(session, made, owner=carrier.attempt_of, **given)
        found += await ours_and_not_made(session, made, since=since, fetch=carrier.fetch, **given)
    return f"{len(made)} calls and messages since {since:%Y-%m-%d %H:%M} UTC are accounted for", found


async def _made(carrier: Carrier, account: ConfiguredAccount, since: datetime) -> tuple[datetime, list[Made]]:
    """Return what the carrier made, and since when: the simulator knows nothing from before its start."""
    from app.domain.campaign import Channel
    from app.providers.base import Ledger
    from app.services.dialing.audit.carrier import Made

    if account.simulated:
        return await _simulated(account, since)
    if not isinstance(carrier, Ledger):
        raise CommandError("this carrier cannot list what it made")
    return since, [
        Made(channel, remote.provider_id, remote.to)
        for channel in (Channel.CALL, Channel.SMS)
        for remote in await carrier.made(channel, since=since)
    ]


async def _simulated(account: ConfiguredAccount, since: datetime) -> tuple[datetime, list[Made]]:
    import httpx

    async with httpx.AsyncClient(base_url=account.api_url, trust_env=False, timeout=_SECONDS) as client:
        try:
            health = (await client.get("/_simulator/health")).raise_for_status().json()
            ledger = (await client.get("/_simulator/ledger")).raise_for_status().text
        except httpx.HTTPError as error:
            raise CommandError(f"the simulator's ledger cannot be read: {error}") from error
    entries = [json.loads(line) for line in ledger.splitlines() if line]
    ours = [entry for entry in entries if entry["direction"] == "outbound-api"]
    return max(since, datetime.fromisoformat(health["started_at"])), [
        _entry(entry, account) for entry in ours
    ]


def _entry(entry: Mapping[str, Any], account: ConfiguredAccount) -> Made:
    from app.domain.campaign import Channel
    from app.services.dialing.audit.carrier import Made

    channel = Channel.CALL if entry["kind"] == "call" else Channel.SMS
    address = str(entry["parameters"].get("StatusCallback", ""))
    return Made(channel, entry["sid"], entry["to"], _attempt_at(address, account))


def _attempt_at(address: str, account: ConfiguredAccount) -> UUID | None:
    """Return the attempt of a callback address; None if it is not one of ours."""
    from app.providers.base import WebhookRejected
    from app.providers.registry import make_intake

    try:
        path = make_intake(account).read_path(urlsplit(address).path)
    except WebhookRejected:
        return None
    return path.attempt_id if path is not None else None
