"""Names of the campaigns and imports that filters mention, and of those to choose from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.contact_filter import Condition, ContactFilter
from app.services.access.principal import Principal
from app.services.campaigns.names import campaign_names, newest_campaigns
from app.services.imports.names import import_names, newest_imports
from app.web.options import Option
from app.web.words import moment

IN_CAMPAIGNS: Final = frozenset({"campaign_id", "campaign_status"})
MOST_OFFERED: Final = 200


@dataclass(frozen=True, slots=True)
class Names:
    """Id -> name; a missing id was deleted."""

    campaigns: Mapping[int, str] = field(default_factory=dict)
    imports: Mapping[int, str] = field(default_factory=dict)


def values_of(condition: Condition) -> tuple[str | int, ...]:
    """Return what a condition compares with, as a list."""
    value = condition.value
    if value is None:
        return ()
    return value if isinstance(value, tuple) else (value,)


async def names_in(
    session: AsyncSession,
    filters: Iterable[ContactFilter],
    *,
    principal: Principal,
    campaigns: Iterable[int] = (),
) -> Names:
    """Return the names of the campaigns and imports in the filters, and of the given campaigns."""
    asked = list(filters)
    named, files = _ids(asked, IN_CAMPAIGNS) | set(campaigns), _ids(asked, frozenset({"import_id"}))
    return Names(
        await campaign_names(session, principal=principal, ids=named) if named else {},
        await import_names(session, principal=principal, ids=files) if files else {},
    )


async def offered(session: AsyncSession, *, principal: Principal, now: datetime) -> dict[str, list[Option]]:
    """Return the choices of the fields about campaigns and imports, newest first."""
    campaigns = [
        Option(str(each), name)
        for each, name in await newest_campaigns(session, principal=principal, most=MOST_OFFERED)
    ]
    zone = principal.time_zone
    imports = [
        Option(str(each.id), f"{each.file_name}, {moment(each.created_at, zone, now=now).text}")
        for each in await newest_imports(session, principal=principal, most=MOST_OFFERED)
    ]
    return {"campaign_id": campaigns, "campaign_status": campaigns, "import_id": imports}


def _ids(filters: Iterable[ContactFilter], fields: frozenset[str]) -> set[int]:
    return {
        int(str(value).partition(":")[0])
        for wanted in filters
        for condition in wanted.conditions
        if condition.field in fields
        for value in values_of(condition)
    }
