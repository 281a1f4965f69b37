"""The first run: from a set-up link to an owner who is signed in."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.rights import Role
from app.models import Organization, User
from app.services import sample_data
from app.services.access.members import add_person, check_person
from app.services.access.organizations import LONGEST_NAME, get_or_create_organization
from app.services.access.passwords import hash_password
from app.services.access.principal import Principal
from app.services.access.set_up_links import SetupLinkInvalid, setup_link_is_valid, use_setup_link
from app.services.access.sign_in import normal_email
from app.services.access.tickets import issue_ticket
from app.services.errors import FieldErrors
from app.services.field_readers import cleaned


async def complete_setup(  # noqa: PLR0913  # one argument a field of the form
    session: AsyncSession,
    *,
    token: str,
    email: str,
    password: str,
    name: str,
    organization_name: str,
    load_sample_data: bool,
    now: datetime,
    carrier_numbers: Sequence[str] = sample_data.SIMULATED_NUMBERS,
) -> str:
    """Create the owner and their organization, and return a sign-in ticket for them.

    If the command line has made an organization of that name, the owner joins it. `carrier_numbers` are
    the caller IDs of the sample data. Raises `SetupLinkInvalid`, and `FieldErrors` with the link left unused.
    """
    if not await setup_link_is_valid(session, token=token, now=now):
        raise SetupLinkInvalid
    _check_form(email=email, password=password, name=name, organization_name=organization_name)
    password_hash = await hash_password(password)
    await use_setup_link(session, token=token, now=now)
    organization = await get_or_create_organization(session, name=organization_name, now=now)
    owner = await add_person(
        session,
        person=User(
            email=normal_email(email), name=cleaned(name), password_hash=password_hash, created_at=now
        ),
        organization=organization,
        role=Role.OWNER,
    )
    if load_sample_data:
        await sample_data.load_sample_data(
            session, principal=_as_owner(owner, organization), now=now, carrier_numbers=carrier_numbers
        )
    return await issue_ticket(session, user_id=owner.id, next_path="/", now=now)


def _check_form(*, email: str, password: str, name: str, organization_name: str) -> None:
    """Raise `FieldErrors` for all fields at once."""
    errors: dict[str, str] = {}
    try:
        check_person(email=email, password=password, name=name)
    except FieldErrors as problems:
        errors.update(problems.errors)
    if not cleaned(organization_name):
        errors["organization_name"] = "The organization's name is required."
    elif len(cleaned(organization_name)) > LONGEST_NAME:
        errors["organization_name"] = f"Use at most {LONGEST_NAME} characters."
    if errors:
        raise FieldErrors(errors)


def _as_owner(owner: User, organization: Organization) -> Principal:
    return Principal(
        organization_id=organization.id,
        organization_slug=organization.slug,
        organization_name=organization.name,
        role=Role.OWNER,
        actor=owner.email,
        time_zone=organization.time_zone,
        user_id=owner.id,
    )
