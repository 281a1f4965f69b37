"""Compares our attempts with the carrier's own list: both must have the same calls and messages."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.campaign import Channel
from app.providers.base import RemoteAttempt

Fetch = Callable[[Channel, str], Awaitable[RemoteAttempt | None]]
"""Asks the carrier for one of its calls or messages. Raises `LookupFailed`."""
Owner = Callable[[Channel, str], Awaitable[UUID | None]]
"""Asks the carrier which attempt a call was made for; None: it cannot tell. Raises `LookupFailed`."""


@dataclass(frozen=True, slots=True)
class Made:
    """A call or message that the carrier says it made for us."""

    channel: Channel
    provider_id: str
    to: str
    attempt_id: UUID | None = None
    """The attempt named in its callback address; None: the list does not tell."""


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """A call or message that only one side has."""

    campaign_id: int | None
    """None: it belongs to no campaign of ours."""
    sentence: str


_BOUND: Final = text(
    """
    SELECT provider_id FROM attempt
    WHERE carrier_account_id = :carrier_account_id AND provider_id IS NOT NULL AND status <> 'not_placed'
    UNION ALL
    SELECT provider_id FROM second_call WHERE carrier_account_id = :carrier_account_id
    """
)
_ATTEMPTS: Final = text(
    "SELECT id, campaign_id, recipient_id, status, provider_id FROM attempt WHERE id = ANY(CAST(:ids AS uuid[]))"
)
_UNPROVEN: Final = frozenset({"placing", "unknown", "review"})


async def made_and_not_ours(
    session: AsyncSession, made: Iterable[Made], *, carrier_account_id: int, owner: Owner
) -> list[Discrepancy]:
    """Return the calls and messages that the carrier made and that belong to no attempt of ours.

    Those that name no attempt are left out: other systems may use the same account. Those of an attempt that is still
    looked up (placing, unknown, review) are no discrepancy. Raises `LookupFailed`.
    """
    given = {"carrier_account_id": carrier_account_id}
    bound = set((await session.execute(_BOUND, given)).scalars())
    unbound = [each for each in made if each.provider_id not in bound]
    owners = {each: each.attempt_id or await owner(each.channel, each.provider_id) for each in unbound}
    rows = await session.execute(_ATTEMPTS, {"ids": [id_ for id_ in owners.values() if id_ is not None]})
    attempts = {row.id: row for row in rows}
    told = (_told(each, attempts.get(id_)) for each, id_ in owners.items() if id_ is not None)
    return [each for each in told if each is not None]


def _told(made: Made, attempt: Any | None) -> Discrepancy | None:
    if attempt is None:
        what = f"the carrier made {made.provider_id} for an attempt that is not in our ledger"
        return Discrepancy(None, what)
    if attempt.status in _UNPROVEN:
        return None
    bound = f"bound to {attempt.provider_id}" if attempt.provider_id else "bound to nothing"
    what = f"contact {attempt.recipient_id}: the carrier made {made.provider_id} for an attempt that is"
    return Discrepancy(attempt.campaign_id, f"{what} {attempt.status} and {bound}")


_PLACED: Final = text(
    """
    SELECT campaign_id, recipient_id, channel, provider_id FROM attempt
    WHERE carrier_account_id = :carrier_account_id AND provider_id IS NOT NULL AND placed_at >= :since
    ORDER BY campaign_id, recipient_id, ordinal
    """
)


async def ours_and_not_made(
    session: AsyncSession, made: Iterable[Made], *, carrier_account_id: int, since: datetime, fetch: Fetch
) -> list[Discrepancy]:
    """Return our placed attempts since then that the carrier does not have.

    If one is missing from the list, the carrier is first asked for it by its id. Raises `LookupFailed`.
    """
    known = {each.provider_id for each in made}
    rows = await session.execute(_PLACED, {"carrier_account_id": carrier_account_id, "since": since})
    found = []
    for row in rows.all():
        if row.provider_id in known or await fetch(Channel(row.channel), row.provider_id) is not None:
            continue
        what = f"contact {row.recipient_id} is bound to {row.provider_id}, which the carrier does not know"
        found.append(Discrepancy(row.campaign_id, what))
    return found


_OLDEST: Final = text("SELECT min(reserved_at) FROM attempt WHERE carrier_account_id = :carrier_account_id")


async def oldest_attempt(session: AsyncSession, *, carrier_account_id: int) -> datetime | None:
    """Return when the account's first attempt was reserved; None if there is none."""
    row = await session.execute(_OLDEST, {"carrier_account_id": carrier_account_id})
    oldest: datetime | None = row.scalar_one()
    return oldest


def by_campaign(found: Sequence[Discrepancy]) -> dict[int | None, list[str]]:
    """Return the sentences by campaign."""
    told: dict[int | None, list[str]] = {}
    for each in found:
        told.setdefault(each.campaign_id, []).append(each.sentence)
    return told
