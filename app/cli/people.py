"""`key create` and `user create`, `link`, `password`: access without a browser."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from app.cli import context
from app.cli.console import err, out
from app.cli.errors import CommandError
from app.domain.rights import Role

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

Made = TypeVar("Made")

Organization = Annotated[str, typer.Option(help="Its name; the first organization is made by that.")]
New = Annotated[bool, typer.Option("--new", help="Make the organization beside those there are.")]


def register(app: typer.Typer) -> None:
    """Add the groups `key` and `user` to the command line."""
    key, user = typer.Typer(no_args_is_help=True), typer.Typer(no_args_is_help=True)
    key.command("create")(create_key)
    user.command("create")(create_user)
    user.command("link")(print_link)
    user.command("password")(replace_password)
    app.add_typer(key, name="key", help="API keys.")
    app.add_typer(user, name="user", help="People.")
    # Without a callback Typer would merge a group of one command into `callsheet key`.
    key.callback()(_group)


def _group() -> None:
    """Do nothing: the group itself has no options."""


def create_key(
    *,
    organization: Organization,
    role: Role = Role.MANAGER,
    name: str = "command line",
    new: New = False,
) -> None:
    """Print a new API key, alone, on standard output. It is shown this once."""
    from app.runtime.clock import SystemClock
    from app.services.access import keys, organizations

    async def make(session: AsyncSession) -> str:
        now = SystemClock().now()
        await _check_organization(session, organization, new=new)
        row = await organizations.get_or_create_organization(session, name=organization, now=now)
        principal = organizations.console_principal(row)
        return (await keys.create_key(session, principal=principal, name=name, role=role, now=now)).key

    out.print(_in_a_transaction(make), markup=False)


def create_user(
    email: str,
    *,
    organization: Organization,
    role: Annotated[
        Role | None, typer.Option(help="Needed, but for an organization's first person: the owner.")
    ] = None,
    name: str = "",
    new: New = False,
) -> None:
    """Create a person who signs in with the password read from standard input, or prompted for."""
    from app.runtime.clock import SystemClock
    from app.services.access import members

    password = _read_password()

    async def make(session: AsyncSession) -> Role:
        await _check_organization(session, organization, new=new)
        given = role or await _first_role(session, organization)
        await members.create_user(
            session,
            email=email,
            password=password,
            name=name,
            organization_name=organization,
            role=given,
            now=SystemClock().now(),
        )
        return given

    given = _in_a_transaction(make)
    err.print(f"{email} may sign in to {organization} as {given}", markup=False)


def print_link(email: str) -> None:
    """Print a one-time sign-in link, valid for ten minutes, for a person who cannot sign in."""
    from app.runtime.clock import SystemClock
    from app.services.access.recovery import issue_link_ticket

    async def make(session: AsyncSession) -> str:
        return await issue_link_ticket(session, email=email, now=SystemClock().now())

    ticket = _in_a_transaction(make)
    out.print(f"{context.settings().public_url}/auth/complete?ticket={ticket}", markup=False, soft_wrap=True)


def replace_password(email: str) -> None:
    """Give a person the password read from standard input, or prompted for; sign them out everywhere."""
    from app.runtime.clock import SystemClock
    from app.services.access.recovery import change_password

    password = _read_password()

    async def change(session: AsyncSession) -> None:
        await change_password(session, email=email, password=password, now=SystemClock().now())

    _in_a_transaction(change)
    err.print(f"{email} signs in with the new password, and is signed out everywhere", markup=False)


async def _check_organization(session: AsyncSession, name: str, *, new: bool) -> None:
    """Raise CommandError if there are organizations, but none of this name, and `new` is not given."""
    from app.services.access.organizations import find_organization, organization_names

    if new or await find_organization(session, name=name):
        return
    if known := await organization_names(session):
        raise CommandError(
            f"there is no organization “{name}”; there are: {', '.join(known)}. Add --new to make another"
        )


async def _first_role(session: AsyncSession, organization: str) -> Role:
    """Return owner, the role of an organization's first member. Raises CommandError if it has members."""
    from app.services.access.members import list_members
    from app.services.access.organizations import console_principal, find_organization

    found = await find_organization(session, name=organization)
    if found and await list_members(session, principal=console_principal(found)):
        raise CommandError(f"say which --role {found.name}'s new member has: {', '.join(Role)}")
    return Role.OWNER


def _read_password() -> str:
    if sys.stdin.isatty():
        password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
        return password
    return sys.stdin.readline().rstrip("\r\n")


def _in_a_transaction(make: Callable[[AsyncSession], Awaitable[Made]]) -> Made:
    """Run `make` in one transaction on this installation's database. Raises CommandError, which names wrong fields."""
    from app.runtime.database import Database
    from app.runtime.migrations import upgrade
    from app.services.errors import CallsheetError

    async def run(url: str) -> Made:
        database = Database(url)
        try:
            return await database.write(make)
        finally:
            await database.dispose()

    with context.database_url() as url:
        upgrade(url)
        try:
            return asyncio.run(run(url))
        except CallsheetError as error:
            raise CommandError(str(error)) from error
