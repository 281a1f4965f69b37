"""The tenant: its name and address, and the settings that hold for all of its campaigns."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.legal_policy import LegalPolicy, ZoneTrust
from app.domain.phone import is_region
from app.domain.rights import Right, Role
from app.models import Organization, sql
from app.runtime.live_feed import announce
from app.services.access.legal_policies import keep_policy, read_blackouts, read_policy
from app.services.access.principal import Principal, authorize
from app.services.errors import FieldErrors, NotFound
from app.services.field_readers import ChangeReader, Unacceptable, cleaned, word
from app.services.number_field import read_active_number

RESERVED_SLUGS: Final = frozenset(
    {
        "404", "api", "app", "assets", "auth", "campaigns", "docs", "download", "favicon", "fonts", "health", "healthz",
        "login", "logout", "openapi", "ping", "set-up", "setup", "sign-in", "sign-out", "static", "twilio",
        "webhooks", "ws",
    }
)  # fmt: skip
"""First segments of our addresses that are not an organization's slug."""

LONGEST_NAME: Final = 200
MOST_ATTEMPTS_TO_ONE: Final = 100
A_MONTH_OF_HOURS: Final = 720
_LONGEST_BASE: Final = 50
"""Leaves space for the number that makes a slug unique: the column holds 63."""
_ORGANIZATIONS_LOCK: Final = 0x6F726773  # "orgs"


@dataclass(frozen=True, slots=True)
class OrganizationView:
    """An organization's settings."""

    name: str
    slug: str
    time_zone: str
    default_region: str
    strict_numbers: bool
    outbound_limit: int
    frequency_cap: int
    """Most attempts to one phone number within `frequency_cap_hours`, over all campaigns; 0 is no cap."""
    frequency_cap_hours: int
    default_phone_number_id: int | None
    dialing_stopped_at: datetime | None
    dialing_stopped_by: str | None
    zone_trust: ZoneTrust
    legal_policy: LegalPolicy
    blackout_dates: list[dict[str, str]]
    """Dates without any attempt, by the calendar where people are: `from`, `until` (included) and `name`."""


async def create_organization(session: AsyncSession, *, name: str, now: datetime) -> Organization:
    """Create an organization with a slug of its own, made from the name. Raises `FieldErrors` for `name`."""
    reader = ChangeReader({"name": name})
    reader.text("name", label="The organization's name", most=LONGEST_NAME, required=True)
    name = reader.finish()["name"]
    await _lock_organizations(session)
    organization = Organization(name=name, slug=await _free_slug(session, name), created_at=now)
    session.add(organization)
    await session.flush()
    return organization


async def get_or_create_organization(session: AsyncSession, *, name: str, now: datetime) -> Organization:
    """Return the oldest organization of that name (in any case) or slug, else a new one.

    Raises `FieldErrors` for `name`.
    """
    await _lock_organizations(session)
    return await find_organization(session, name=name) or await create_organization(
        session, name=name, now=now
    )


async def find_organization(session: AsyncSession, *, name: str) -> Organization | None:
    """Return the oldest organization of that name (in any case) or slug, if there is one."""
    wanted = cleaned(name)
    statement = (
        select(Organization)
        .where(or_(func.lower(col(Organization.name)) == wanted.lower(), col(Organization.slug) == wanted))
        .order_by(col(Organization.id))
        .limit(1)
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def organization_names(session: AsyncSession) -> list[str]:
    """Return the names of all organizations, for the server's command line."""
    return list(
        (await session.execute(select(col(Organization.name)).order_by(col(Organization.id)))).scalars()
    )


def console_principal(organization: Organization) -> Principal:
    """Return the principal of the server's command line: it has the database, so it may do everything."""
    return Principal(
        organization_id=organization.id,
        organization_slug=organization.slug,
        organization_name=organization.name,
        role=Role.OWNER,
        actor="command line",
        time_zone=organization.time_zone,
    )


async def organization_settings(session: AsyncSession, *, principal: Principal) -> OrganizationView:
    """Return the organization's settings."""
    authorize(principal, Right.VIEW)
    row = await _own(session, principal)
    return OrganizationView(
        name=row.name,
        slug=row.slug,
        time_zone=row.time_zone,
        default_region=row.default_region,
        strict_numbers=row.strict_numbers,
        outbound_limit=row.outbound_limit,
        frequency_cap=row.frequency_cap,
        frequency_cap_hours=row.frequency_cap_hours,
        default_phone_number_id=row.default_phone_number_id,
        dialing_stopped_at=row.dialing_stopped_at,
        dialing_stopped_by=row.dialing_stopped_by,
        zone_trust=row.zone_trust,
        legal_policy=row.legal_policy,
        blackout_dates=row.blackout_dates,
    )


async def update_organization(
    session: AsyncSession, *, principal: Principal, changes: Mapping[str, Any], now: datetime
) -> None:
    """Change settings. The slug stays, so that stored addresses go on working.

    A looser `legal_policy` needs a `legal_policy_reason`, which is kept. Raises `FieldErrors`. The dialer is woken: a
    higher `outbound_limit` frees slots, a higher cap frees recipients, and other hours may be open now.
    """
    authorize(principal, Right.MANAGE_SETTINGS)
    organization = await _own(session, principal, lock=True)
    reader = ChangeReader(changes)
    reader.text("name", label="The organization's name", most=LONGEST_NAME, required=True)
    reader.zone("time_zone")
    _read_region(reader)
    reader.flag("strict_numbers", label="Strict numbers")
    reader.whole("outbound_limit", label="The limit of live calls", least=1, most=1000)
    reader.whole("frequency_cap", label="The frequency cap", least=0, most=MOST_ATTEMPTS_TO_ONE)
    reader.whole(
        "frequency_cap_hours", label="The hours of the frequency cap", least=1, most=A_MONTH_OF_HOURS
    )
    await read_active_number(
        session, reader, "default_phone_number_id", organization_id=principal.organization_id
    )
    reader.read("zone_trust", word(ZoneTrust))
    reader.read("blackout_dates", read_blackouts)
    read_policy(reader, organization.legal_policy)
    changed = reader.finish()
    keep_policy(session, organization, changed, principal=principal, now=now)
    for field, value in changed.items():
        setattr(organization, field, value)
    await session.flush()
    if changed.keys() & {"frequency_cap", "frequency_cap_hours", "legal_policy"}:
        await session.execute(_ASK_CAPPED_AGAIN, {"organization_id": organization.id, "now": now})
    announce(session, organization_id=organization.id, work=True)


async def add_blackout(
    session: AsyncSession, *, principal: Principal, blackout: Mapping[str, Any], now: datetime
) -> None:
    """Add dates without any attempt: `from`, `until` (empty: one day) and `name`. Raises `FieldErrors` by these."""
    del now  # every operation takes it
    authorize(principal, Right.MANAGE_SETTINGS)
    organization = await _own(session, principal, lock=True)
    try:
        organization.blackout_dates = read_blackouts([*organization.blackout_dates, blackout])
    except Unacceptable as problem:
        parts = {path.rpartition(".")[2]: why for path, why in problem.parts.items()}
        raise FieldErrors(parts or {"from": str(problem)}) from None
    announce(session, organization_id=organization.id, work=True)


async def remove_blackout(
    session: AsyncSession, *, principal: Principal, blackout: Mapping[str, Any], now: datetime
) -> None:
    """Remove dates without any attempt, named by all three of their values, if they are there still."""
    del now  # every operation takes it
    authorize(principal, Right.MANAGE_SETTINGS)
    organization = await _own(session, principal, lock=True)
    organization.blackout_dates = [each for each in organization.blackout_dates if each != blackout]
    announce(session, organization_id=organization.id, work=True)


_ASK_CAPPED_AGAIN: Final = text(
    f"""
    UPDATE recipient r SET not_before = :now, updated_at = :now
    FROM campaign c
    WHERE c.id = r.campaign_id AND c.organization_id = :organization_id
      AND c.status NOT IN {sql.OVER}
      AND r.status = 'pending' AND r.blocked_by = 'frequency' AND r.not_before > :now
    """  # noqa: S608 - a constant is put in, nothing a caller gives
)
"""Recipients that wait because of an old cap, ours or the law's, are due again: the gate decides by the new one."""


async def _own(session: AsyncSession, principal: Principal, *, lock: bool = False) -> Organization:
    statement = select(Organization).where(col(Organization.id) == principal.organization_id)
    found = (
        await session.execute(statement.with_for_update(key_share=True) if lock else statement)
    ).scalar_one_or_none()
    if found is None:
        raise NotFound("organization", principal.organization_slug)
    return found


def _read_region(reader: ChangeReader) -> None:
    region = reader.text("default_region", label="The country", most=2, required=True)
    if region is None:
        return
    if is_region(region):
        reader.values["default_region"] = region.upper()
    else:
        reader.refuse(
            "default_region", f"“{region}” is no country's code. Use two letters, such as US or GB."
        )


async def _lock_organizations(session: AsyncSession) -> None:
    await session.execute(select(func.pg_advisory_xact_lock(_ORGANIZATIONS_LOCK)))


async def _free_slug(session: AsyncSession, name: str) -> str:
    base = slug_of(name)
    like_it = select(col(Organization.slug)).where(col(Organization.slug).startswith(base, autoescape=True))
    taken = set((await session.execute(like_it)).scalars()) | RESERVED_SLUGS
    candidates = (base if number == 1 else f"{base}-{number}" for number in range(1, len(taken) + 2))
    return next(slug for slug in candidates if slug not in taken)


def slug_of(name: str) -> str:
    """Return the name as part of an address: `Café Zürich GmbH` becomes `cafe-zurich-gmbh`."""
    ascii_only = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_only.lower()).strip("-")[:_LONGEST_BASE].strip("-")
    return slug or "organization"
