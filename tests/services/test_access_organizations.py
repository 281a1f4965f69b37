"""Organizations, their settings, their members and their API keys."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.rights import Right, Role, has_right
from app.models import ApiKey, Organization
from app.services.access.keys import create_key, list_keys, resolve_key, revoke_key
from app.services.access.members import list_members
from app.services.access.organizations import (
    RESERVED_SLUGS,
    console_principal,
    create_organization,
    organization_settings,
    slug_of,
    update_organization,
)
from app.services.errors import FieldErrors, NotAllowed, NotFound
from tests.support.builders import NOON, make_member, make_number, make_organization, principal

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Acme Corp", "acme-corp"),
        ("Café Zürich GmbH & Co.", "cafe-zurich-gmbh-co"),
        ("株式会社", "organization"),
        ("--", "organization"),
        ("x" * 200, "x" * 50),
    ],
)
def test_a_slug_is_made_from_the_name(name: str, slug: str) -> None:
    assert slug_of(name) == slug


async def test_a_slug_that_is_taken_gets_a_number(session: AsyncSession) -> None:
    slugs = [(await create_organization(session, name="Acme", now=NOON)).slug for _ in range(3)]
    assert slugs == ["acme", "acme-2", "acme-3"]


@pytest.mark.parametrize("name", sorted(RESERVED_SLUGS))
async def test_no_organization_hides_an_address_of_ours(session: AsyncSession, name: str) -> None:
    assert (await create_organization(session, name=name, now=NOON)).slug not in RESERVED_SLUGS


def test_every_address_of_the_browser_ui_is_reserved() -> None:
    from app.web import routes

    constants = {name: value for name, value in vars(routes).items() if name.isupper()}
    addresses = [value for value in constants.values() if isinstance(value, str) and value.startswith("/")]
    first_segments = {address.split("/")[1] for address in addresses} - {"", "[org]"}
    assert first_segments
    assert first_segments <= RESERVED_SLUGS


async def test_an_organization_needs_a_name(session: AsyncSession) -> None:
    with pytest.raises(FieldErrors):
        await create_organization(session, name=" \x00 ", now=NOON)


async def test_settings_are_changed_by_an_owner(session: AsyncSession) -> None:
    organization = await make_organization(session)
    owner = principal(organization)
    number = await make_number(session, organization)
    changes = {
        "name": "Acme Inc",
        "time_zone": "Europe/Zurich",
        "default_region": "ch",
        "strict_numbers": True,
        "outbound_limit": 20,
        "default_phone_number_id": str(number.public_id),
    }
    await update_organization(session, principal=owner, changes=changes, now=NOON)
    view = await organization_settings(session, principal=owner)
    assert (view.name, view.time_zone, view.default_region) == ("Acme Inc", "Europe/Zurich", "CH")
    assert (view.strict_numbers, view.outbound_limit, view.default_phone_number_id) == (True, 20, number.id)
    assert view.slug == organization.slug


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", 7),
        ("time_zone", "Mars/Olympus"),
        ("time_zone", ""),
        ("default_region", "XX"),
        ("default_region", "USA"),
        ("outbound_limit", 0),
        ("outbound_limit", True),
        ("outbound_limit", "many"),
        ("strict_numbers", "yes"),
        ("default_phone_number_id", 10**30),
        ("default_phone_number_id", [1]),
        ("slug", "other"),
    ],
)
async def test_a_setting_that_will_not_do_is_named(session: AsyncSession, field: str, value: Any) -> None:
    organization = await make_organization(session)
    with pytest.raises(FieldErrors) as problem:
        await update_organization(
            session, principal=principal(organization), changes={field: value}, now=NOON
        )
    assert list(problem.value.errors) == [field]


async def test_a_number_of_another_organization_cannot_be_the_default(session: AsyncSession) -> None:
    organization, other = await make_organization(session), await make_organization(session)
    number = await make_number(session, other)
    with pytest.raises(FieldErrors):
        await update_organization(
            session,
            principal=principal(organization),
            changes={"default_phone_number_id": number.id},
            now=NOON,
        )


@pytest.mark.parametrize("role", list(Role))
async def test_settings_and_keys_are_the_owners_to_change(session: AsyncSession, role: Role) -> None:
    organization = await make_organization(session)
    someone = principal(organization, role)
    for right, act in [
        (Right.MANAGE_SETTINGS, update_organization(session, principal=someone, changes={}, now=NOON)),
        (Right.MANAGE_KEYS, create_key(session, principal=someone, name="CRM", role=Role.VIEWER, now=NOON)),
    ]:
        if has_right(role, right):
            await act
        else:
            with pytest.raises(NotAllowed):
                await act


async def test_a_key_is_shown_once_and_opens_its_organization_with_its_role(session: AsyncSession) -> None:
    organization = await make_organization(session)
    new = await create_key(
        session, principal=console_principal(organization), name="CRM", role=Role.MANAGER, now=NOON
    )
    assert new.key.startswith("cs_")
    assert new.key.startswith(new.prefix)
    assert (await session.execute(select(col(ApiKey.key_hash)))).scalar_one() != new.key
    found = await resolve_key(session, key=new.key, now=NOON)
    assert found is not None
    assert (found.organization_id, found.role, found.actor, found.key_id) == (
        organization.id,
        Role.MANAGER,
        "key:CRM",
        new.id,
    )


@pytest.mark.parametrize("key", ["", "cs_", "cs_made-up", "Bearer cs_x", "cs_\ud800"])
async def test_a_made_up_key_opens_nothing(session: AsyncSession, key: str) -> None:
    assert await resolve_key(session, key=key, now=NOON) is None


async def test_a_revoked_key_opens_nothing_and_stays_listed(session: AsyncSession) -> None:
    owner = principal(await make_organization(session))
    new = await create_key(session, principal=owner, name="CRM", role=Role.MANAGER, now=NOON)
    await revoke_key(session, principal=owner, key_id=new.id, now=NOON)
    await revoke_key(session, principal=owner, key_id=new.id, now=NOON + MINUTE)
    assert await resolve_key(session, key=new.key, now=NOON) is None
    assert [key.revoked_at for key in await list_keys(session, principal=owner)] == [NOON]


async def test_a_key_of_another_organization_is_not_there(session: AsyncSession) -> None:
    owner = principal(await make_organization(session))
    stranger = principal(await make_organization(session))
    new = await create_key(session, principal=owner, name="CRM", role=Role.MANAGER, now=NOON)
    with pytest.raises(NotFound):
        await revoke_key(session, principal=stranger, key_id=new.id, now=NOON)
    assert await list_keys(session, principal=stranger) == []


async def test_the_last_use_of_a_key_is_noted_at_most_once_a_minute(session: AsyncSession) -> None:
    owner = principal(await make_organization(session))
    new = await create_key(session, principal=owner, name="CRM", role=Role.MANAGER, now=NOON)
    noted = []
    for seconds in (0, 59, 60):
        await resolve_key(session, key=new.key, now=NOON + timedelta(seconds=seconds))
        session.expire_all()
        noted.append((await list_keys(session, principal=owner))[0].last_used_at)
    assert noted == [NOON, NOON, NOON + MINUTE]


async def test_members_are_listed_for_their_organization_alone(session: AsyncSession) -> None:
    organization, other = await make_organization(session), await make_organization(session)
    await make_member(session, organization, role=Role.VIEWER, email="v@example.com")
    await make_member(session, other)
    members = await list_members(session, principal=principal(organization, Role.VIEWER))
    assert [(member.email, member.role) for member in members] == [("v@example.com", Role.VIEWER)]


async def test_the_slug_stays_when_the_name_changes(session: AsyncSession) -> None:
    organization = await create_organization(session, name="Acme", now=NOON)
    await update_organization(session, principal=principal(organization), changes={"name": "Beta"}, now=NOON)
    stored = (await session.execute(select(Organization))).scalar_one()
    assert (stored.name, stored.slug) == ("Beta", "acme")
