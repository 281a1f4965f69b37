"""API keys: the bearer tokens of other systems."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.rights import Right, Role
from app.models import ApiKey, Organization
from app.services.access.principal import Principal, authorize
from app.services.access.tokens import new_token, token_hash
from app.services.errors import NotFound
from app.services.field_readers import ChangeReader, row_id

KEY_START: Final = "cs_"
"""Every key begins with this, so that people and scanners for leaked secrets recognize it."""

_SHOWN: Final = 10
_TOUCH_EVERY: Final = timedelta(minutes=1)
"""How exact `last_used_at` is: writing it at every request would make each read a write."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A new key. `key` is shown now and never again."""

    id: int
    key: str
    prefix: str


@dataclass(frozen=True, slots=True)
class KeyView:
    """A key in the list of keys."""

    id: int
    name: str
    prefix: str
    role: Role
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


async def create_key(
    session: AsyncSession, *, principal: Principal, name: str, role: Role, now: datetime
) -> NewKey:
    """Create a key of the principal's organization. Raises `FieldErrors` for `name`.

    The command line passes `console_principal(organization)`.
    """
    authorize(principal, Right.MANAGE_KEYS)
    reader = ChangeReader({"name": name})
    reader.text("name", label="The key's name", most=200, required=True)
    key = KEY_START + new_token()
    row = ApiKey(
        organization_id=principal.organization_id,
        name=reader.finish()["name"],
        prefix=key[:_SHOWN],
        key_hash=token_hash(key),
        role=role,
        created_at=now,
    )
    session.add(row)
    await session.flush()
    return NewKey(id=row.id, key=key, prefix=row.prefix)


async def list_keys(session: AsyncSession, *, principal: Principal) -> list[KeyView]:
    """Return the organization's keys, revoked ones too, newest first.

    Only for people who manage keys: a thief would like to know which systems come in, and when.
    """
    authorize(principal, Right.MANAGE_KEYS)
    statement = (
        select(ApiKey)
        .where(col(ApiKey.organization_id) == principal.organization_id)
        .order_by(col(ApiKey.id).desc())
    )
    return [
        KeyView(
            id=row.id,
            name=row.name,
            prefix=row.prefix,
            role=row.role,
            created_at=row.created_at,
            last_used_at=row.last_used_at,
            revoked_at=row.revoked_at,
        )
        for row in (await session.execute(statement)).scalars()
    ]


async def revoke_key(session: AsyncSession, *, principal: Principal, key_id: int, now: datetime) -> None:
    """End a key for good; a second time changes nothing. Raises `NotFound`."""
    authorize(principal, Right.MANAGE_KEYS)
    statement = (
        select(ApiKey)
        .where(col(ApiKey.id) == row_id(key_id), col(ApiKey.organization_id) == principal.organization_id)
        .with_for_update()
    )
    row = (await session.execute(statement)).scalar_one_or_none()
    if row is None:
        raise NotFound("key", key_id)
    row.revoked_at = row.revoked_at or now
    await session.flush()


async def resolve_key(session: AsyncSession, *, key: str, now: datetime) -> Principal | None:
    """Return the principal of the key, or None if the key is unknown or revoked.

    Stores its use, at most once a minute: call it in a transaction that is committed.
    """
    if not key.startswith(KEY_START):
        return None
    statement = (
        select(ApiKey, Organization)
        .join(Organization, col(Organization.id) == col(ApiKey.organization_id))
        .where(col(ApiKey.key_hash) == token_hash(key), col(ApiKey.revoked_at).is_(None))
    )
    found = (await session.execute(statement)).one_or_none()
    if found is None:
        return None
    row, organization = found
    await _note_use(session, row, now)
    return Principal(
        organization_id=organization.id,
        organization_slug=organization.slug,
        organization_name=organization.name,
        role=row.role,
        actor=f"key:{row.name}",
        time_zone=organization.time_zone,
        key_id=row.id,
    )


async def _note_use(session: AsyncSession, row: ApiKey, now: datetime) -> None:
    if row.last_used_at is not None and row.last_used_at > now - _TOUCH_EVERY:
        return
    untouched = or_(col(ApiKey.last_used_at).is_(None), col(ApiKey.last_used_at) <= now - _TOUCH_EVERY)
    await session.execute(
        update(ApiKey)
        .where(col(ApiKey.id) == row.id, untouched)
        .values(last_used_at=now)
        .execution_options(synchronize_session=False)
    )
