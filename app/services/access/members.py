"""The people of an organization."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.rights import Right, Role
from app.models import Member, Organization, User
from app.services.access.organizations import get_or_create_organization
from app.services.access.passwords import hash_password, password_problem
from app.services.access.principal import Principal, authorize
from app.services.access.set_up_links import lock_set_up
from app.services.access.sign_in import normal_email
from app.services.errors import FieldErrors
from app.services.field_readers import cleaned

_EMAIL: Final = re.compile(r"[^\s@]+@[^\s@.]+(\.[^\s@.]+)+")
_LONGEST_EMAIL: Final = 320
_LONGEST_NAME: Final = 200
TAKEN: Final = "There is already an account with this e-mail."


@dataclass(frozen=True, slots=True)
class MemberView:
    """A member of the organization."""

    user_id: int
    email: str
    name: str
    role: Role
    created_at: datetime


async def list_members(session: AsyncSession, *, principal: Principal) -> list[MemberView]:
    """Return the organization's members, by e-mail."""
    authorize(principal, Right.VIEW)
    statement = (
        select(col(User.id), col(User.email), col(User.name), col(Member.role), col(Member.created_at))
        .join(Member, col(Member.user_id) == col(User.id))
        .where(col(Member.organization_id) == principal.organization_id)
        .order_by(col(User.email))
    )
    return [MemberView(*row) for row in await session.execute(statement)]


async def create_user(
    session: AsyncSession,
    *,
    email: str,
    password: str,
    name: str,
    organization_name: str,
    role: Role,
    now: datetime,
) -> User:
    """Create a person as a member of the organization of that name, which is created if there is none.

    For the server's command line: there is no principal. Raises `FieldErrors`.
    """
    check_person(email=email, password=password, name=name)
    password_hash = await hash_password(password)
    await lock_set_up(session)
    organization = await get_or_create_organization(session, name=organization_name, now=now)
    return await add_person(
        session,
        person=User(
            email=normal_email(email), name=cleaned(name), password_hash=password_hash, created_at=now
        ),
        organization=organization,
        role=role,
    )


def check_person(*, email: str, password: str, name: str) -> None:
    """Check the fields of a new person. Raises `FieldErrors`."""
    known_as = normal_email(email)
    is_email = len(known_as) <= _LONGEST_EMAIL and _EMAIL.fullmatch(known_as)
    problems = {
        "email": None if is_email else "This is not an e-mail address. It looks like ann@example.com.",
        "password": password_problem(password),
        "name": None if len(cleaned(name)) <= _LONGEST_NAME else f"Use at most {_LONGEST_NAME} characters.",
    }
    if errors := {field: problem for field, problem in problems.items() if problem}:
        raise FieldErrors(errors)


async def add_person(session: AsyncSession, *, person: User, organization: Organization, role: Role) -> User:
    """Store a new person and their membership. Raises `FieldErrors` if the e-mail has an account."""
    values = person.model_dump(exclude={"id"})
    statement = insert(User).values(values).on_conflict_do_nothing().returning(User)
    added = (await session.execute(statement)).scalar_one_or_none()
    if added is None:
        raise FieldErrors({"email": TAKEN})
    session.add(
        Member(organization_id=organization.id, user_id=added.id, role=role, created_at=person.created_at)
    )
    await session.flush()
    return added
