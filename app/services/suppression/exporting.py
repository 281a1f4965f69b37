"""Exports the suppression list as CSV, with the filter of its page. The file can be imported again."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.rights import Right
from app.models import Suppression
from app.services.access.principal import Principal, authorize
from app.services.suppression.queries import EVERY_STANDING, SuppressionFilter, matches
from app.services.tabular.csv_text import BYTE_ORDER_MARK, csv_rows

HEADERS: Final = (
    "phone_number",
    "scope",
    "reason",
    "source",
    "added_by",
    "added_at",
    "lifted_at",
    "lifted_by",
    "lift_reason",
)
_PAGE: Final = 1_000


async def suppressions_csv(
    session: AsyncSession, *, principal: Principal, wanted: SuppressionFilter = EVERY_STANDING
) -> AsyncIterator[str]:
    """Return the suppressions, the newest first. Times are in the organization's zone.

    The session may be committed between two pieces: no lock or cursor is held.
    """
    authorize(principal, Right.EXPORT)
    conditions = matches(wanted, principal.organization_id)
    return _pieces(session, conditions, ZoneInfo(principal.time_zone))


async def _pieces(
    session: AsyncSession, conditions: list[ColumnElement[bool]], zone: ZoneInfo
) -> AsyncIterator[str]:
    yield BYTE_ORDER_MARK + csv_rows([HEADERS])
    query = select(Suppression).where(*conditions).order_by(col(Suppression.id).desc()).limit(_PAGE)
    page = (await session.execute(query)).scalars().all()
    while page:
        yield csv_rows(_cells(row, zone) for row in page)
        last = page[-1].id
        page = (await session.execute(query.where(col(Suppression.id) < last))).scalars().all()


def _cells(row: Suppression, zone: ZoneInfo) -> list[str]:
    return [
        row.number,
        row.scope,
        row.reason,
        row.source,
        row.actor,
        _time(row.created_at, zone),
        _time(row.lifted_at, zone),
        row.lifted_by or "",
        row.lift_reason or "",
    ]


def _time(at: datetime | None, zone: ZoneInfo) -> str:
    return "" if at is None else at.astimezone(zone).isoformat(timespec="seconds")
