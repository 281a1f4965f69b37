"""Which numbers are closed to us, and why."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.phone import pretty
from app.domain.rights import Right
from app.models import Attempt, Campaign, Suppression, SuppressionScope, SuppressionSource
from app.services.access.principal import Principal, authorize
from app.services.contacts.searching import number_starts_with
from app.services.paging import Page, offset_of

_ATTEMPT: Final = "attempt:"
"""How the actor of a suppression begins that came of an attempt."""

_COVERS: Final = {
    SuppressionScope.ALL: frozenset(SuppressionScope),
    SuppressionScope.VOICE: frozenset({SuppressionScope.VOICE}),
    SuppressionScope.SMS: frozenset({SuppressionScope.SMS}),
}
"""What each scope closes: `all` is every channel."""


@dataclass(frozen=True, slots=True)
class SuppressionView:
    """A number never to contact; with `lifted_at`, one that was."""

    id: int
    number: str
    pretty: str
    scope: SuppressionScope
    reason: str
    source: SuppressionSource
    actor: str
    created_at: datetime
    lifted_at: datetime | None
    lifted_by: str | None
    lift_reason: str | None
    campaign: str | None = None
    """The campaign in whose attempt the person said so, where it was one."""


async def suppressed_scopes(
    session: AsyncSession, *, organization_id: int, numbers: Collection[str]
) -> dict[str, frozenset[SuppressionScope]]:
    """Return what is closed for each number that has a standing suppression; others are left out.

    `ALL` in the answer comes with `VOICE` and `SMS`, so that asking for a channel's scope is enough.
    """
    statement = select(col(Suppression.number), col(Suppression.scope)).where(
        col(Suppression.organization_id) == organization_id,
        col(Suppression.number).in_(numbers),
        col(Suppression.lifted_at).is_(None),
    )
    found: dict[str, frozenset[SuppressionScope]] = defaultdict(frozenset)
    for number, scope in await session.execute(statement):
        found[number] |= _COVERS[scope]
    return dict(found)


async def list_suppressions(
    session: AsyncSession,
    *,
    principal: Principal,
    search: str = "",
    lifted: bool = False,
    page: int = 1,
    page_size: int = 50,
) -> Page[SuppressionView]:
    """Return standing suppressions (`lifted`: those lifted), newest first; search by a number's start."""
    authorize(principal, Right.VIEW)
    standing = col(Suppression.lifted_at).is_(None)
    wanted = [
        col(Suppression.organization_id) == principal.organization_id,
        ~standing if lifted else standing,
        *([number_starts_with(col(Suppression.number), search)] if search.strip() else []),
    ]
    offset, limit = offset_of(page, page_size)
    total = await session.scalar(select(func.count()).select_from(Suppression).where(*wanted)) or 0
    statement = select(Suppression).where(*wanted).order_by(col(Suppression.id).desc())
    rows = (await session.execute(statement.offset(offset).limit(limit))).scalars()
    return Page([view_of(row) for row in rows], total, max(1, page), limit)


async def suppressions_of(
    session: AsyncSession, *, principal: Principal, number: str
) -> list[SuppressionView]:
    """Return every suppression there is or was of a number, newest first."""
    authorize(principal, Right.VIEW)
    statement = (
        select(Suppression)
        .where(
            col(Suppression.organization_id) == principal.organization_id,
            col(Suppression.number) == number,
        )
        .order_by(col(Suppression.id).desc())
    )
    views = [view_of(row) for row in (await session.execute(statement)).scalars()]
    campaigns = await _campaigns_of(session, principal, [view.actor for view in views])
    return [replace(view, campaign=campaigns.get(view.actor)) for view in views]


async def _campaigns_of(
    session: AsyncSession, principal: Principal, actors: Collection[str]
) -> dict[str, str]:
    """Return the campaign's name for each actor that is an attempt (`attempt:<id>`)."""
    attempts = {UUID(actor.removeprefix(_ATTEMPT)) for actor in actors if actor.startswith(_ATTEMPT)}
    if not attempts:
        return {}
    statement = (
        select(col(Attempt.id), col(Campaign.name))
        .join(Campaign, col(Campaign.id) == col(Attempt.campaign_id))
        .where(col(Attempt.id).in_(attempts), col(Attempt.organization_id) == principal.organization_id)
    )
    return {f"{_ATTEMPT}{attempt}": name for attempt, name in await session.execute(statement)}


def view_of(row: Suppression) -> SuppressionView:
    """Return the row as it is shown."""
    return SuppressionView(
        id=row.id,
        number=row.number,
        pretty=pretty(row.number),
        scope=row.scope,
        reason=row.reason,
        source=row.source,
        actor=row.actor,
        created_at=row.created_at,
        lifted_at=row.lifted_at,
        lifted_by=row.lifted_by,
        lift_reason=row.lift_reason,
    )
