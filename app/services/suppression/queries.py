"""Reading suppressions: which numbers must not be contacted, and why."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.phone import pretty
from app.domain.rights import Right
from app.domain.suppression import SuppressionScope, SuppressionSource
from app.models import Attempt, Campaign, Contact, Suppression
from app.services.access.principal import Principal, authorize
from app.services.errors import NotFound
from app.services.field_readers import row_id
from app.services.paging import MAX_PAGE_SIZE
from app.services.prefix_search import name_starts_with, number_starts_with

_ATTEMPT: Final = "attempt:"
"""The actor of a suppression begins with this if it came from an attempt."""

_COVERS: Final = {
    SuppressionScope.ALL: frozenset(SuppressionScope),
    SuppressionScope.VOICE: frozenset({SuppressionScope.VOICE}),
    SuppressionScope.SMS: frozenset({SuppressionScope.SMS}),
}
"""The channels of each scope: `all` is every channel."""


@dataclass(frozen=True, slots=True)
class SuppressionView:
    """A suppressed number; with `lifted_at`, one that may be contacted again."""

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
    """The campaign of the attempt in which the person said so, if any; only set for one number at a time."""
    name: str = ""
    """The contact's name, if the address book has one; only set in lists."""


@dataclass(frozen=True, slots=True)
class SuppressionFilter:
    """A filter of suppressions."""

    search: str = ""
    """The start of a number or of a contact's name."""
    lifted: bool | None = False
    """Lifted ones, standing ones, or (None) both: the history."""
    scope: SuppressionScope | None = None
    source: SuppressionSource | None = None


EVERY_STANDING: Final = SuppressionFilter()

_STATES: Final[Mapping[str, bool | None]] = {"standing": False, "lifted": True, "all": None}


def filter_of(*, state: str, scope: str, source: str, search: str) -> SuppressionFilter:
    """Return the filter from the words of a page or a link. An unknown word filters nothing."""
    return SuppressionFilter(
        search=search,
        lifted=_STATES.get(state, False),
        scope=SuppressionScope(scope) if scope in set(SuppressionScope) else None,
        source=SuppressionSource(source) if source in set(SuppressionSource) else None,
    )


MOST_COUNTED: Final = 10_000
"""Above this number, a list says only that there are more."""


@dataclass(frozen=True, slots=True)
class SuppressionPage:
    """A page of the list. `next_after`: pass it as `after` for the next page; None at the end."""

    items: list[SuppressionView]
    total: int
    total_is_more: bool
    next_after: int | None


async def suppressed_scopes(
    session: AsyncSession, *, organization_id: int, numbers: Collection[str]
) -> dict[str, frozenset[SuppressionScope]]:
    """Return the suppressed scopes of each number that has a standing suppression; other numbers are left out.

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
    wanted: SuppressionFilter = EVERY_STANDING,
    after: int | None = None,
    limit: int = 50,
) -> SuppressionPage:
    """Return suppressions, the newest first; with `after`, only those older than that one."""
    authorize(principal, Right.VIEW)
    size = max(1, min(limit, MAX_PAGE_SIZE))
    matching = matches(wanted, principal.organization_id)
    statement = select(Suppression).where(*matching).order_by(col(Suppression.id).desc()).limit(size + 1)
    if after is not None:
        statement = statement.where(col(Suppression.id) < row_id(after))
    rows = list((await session.execute(statement)).scalars())
    shown = rows[:size]
    names = await _names_of(session, principal, {row.number for row in shown})
    counted = select(literal(1)).select_from(Suppression).where(*matching).limit(MOST_COUNTED + 1).subquery()
    total = await session.scalar(select(func.count()).select_from(counted)) or 0
    return SuppressionPage(
        items=[replace(view_of(row), name=names.get(row.number, "")) for row in shown],
        total=min(total, MOST_COUNTED),
        total_is_more=total > MOST_COUNTED,
        next_after=shown[-1].id if len(rows) > size else None,
    )


def matches(wanted: SuppressionFilter, organization_id: int) -> list[ColumnElement[bool]]:
    """Return the conditions of the filter, for a list or an export."""
    conditions: list[ColumnElement[bool]] = [col(Suppression.organization_id) == organization_id]
    if wanted.lifted is not None:
        standing = col(Suppression.lifted_at).is_(None)
        conditions.append(~standing if wanted.lifted else standing)
    if wanted.scope is not None:
        conditions.append(col(Suppression.scope) == wanted.scope)
    if wanted.source is not None:
        conditions.append(col(Suppression.source) == wanted.source)
    if words := wanted.search.strip():
        named = select(col(Contact.number)).where(
            col(Contact.organization_id) == organization_id, name_starts_with(words)
        )
        by_number = number_starts_with(col(Suppression.number), words)
        conditions.append(or_(by_number, col(Suppression.number).in_(named)))
    return conditions


async def get_suppression(
    session: AsyncSession, *, principal: Principal, suppression_id: int
) -> SuppressionView:
    """Return one suppression, standing or lifted. Raises `NotFound`."""
    authorize(principal, Right.VIEW)
    statement = select(Suppression).where(
        col(Suppression.id) == row_id(suppression_id),
        col(Suppression.organization_id) == principal.organization_id,
    )
    row = (await session.execute(statement)).scalar_one_or_none()
    if row is None:
        raise NotFound("suppression", suppression_id)
    return view_of(row)


async def suppressions_of(
    session: AsyncSession, *, principal: Principal, number: str
) -> list[SuppressionView]:
    """Return all suppressions of a number, lifted ones too, newest first."""
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


async def _names_of(session: AsyncSession, principal: Principal, numbers: Collection[str]) -> dict[str, str]:
    statement = select(col(Contact.number), col(Contact.name)).where(
        col(Contact.organization_id) == principal.organization_id, col(Contact.number).in_(numbers)
    )
    return {row.number: row.name for row in await session.execute(statement)}


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
    """Return the row as a view."""
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
