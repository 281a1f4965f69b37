"""`key create` and `user create`: the first ways in, without a browser."""

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

Organization = Annotated[str, typer.Option(help="The organization's name; it is made if there is none.")]


def register(app: typer.Typer) -> None:
    """Add this group's verbs."""
    key, user = typer.Typer(no_args_is_help=True), typer.Typer(no_args_is_help=True)
    key.command("create")(create_key)
    user.command("create")(create_user)
    app.add_typer(key, name="key", help="API keys.")
    app.add_typer(user, name="user", help="People.")
    # A group of one command must still be named: `callsheet key create`.
    key.callback()(_group)
    user.callback()(_group)


def _group() -> None:
    """Nothing to do for the group itself."""


def create_key(*, organization: Organization, role: Role = Role.MANAGER, name: str = "command line") -> None:
    """Print a new API key, alone, on standard output. It is shown this once."""
    from app.clock import SystemClock
    from app.services.access import operations as access

    async def make(session: AsyncSession) -> str:
        now = SystemClock().now()
        row = await access.get_or_create_organization(session, name=organization, now=now)
        principal = access.console_principal(row)
        return (await access.create_key(session, principal=principal, name=name, role=role, now=now)).key

    out.print(_in_a_transaction(make), markup=False)


def create_user(email: str, *, organization: Organization, role: Role = Role.OWNER, name: str = "") -> None:
    """Create a person who signs in with the password read from standard input, or prompted for."""
    from app.clock import SystemClock
    from app.services.access import operations as access

    password = _read_password()

    async def make(session: AsyncSession) -> object:
        return await access.create_user(
            session,
            email=email,
            password=password,
            name=name,
            organization_name=organization,
            role=role,
            now=SystemClock().now(),
        )

    _in_a_transaction(make)
    err.print(f"{email} may sign in to {organization} as {role}", markup=False)


def _read_password() -> str:
    if sys.stdin.isatty():
        password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
        return password
    return sys.stdin.readline().rstrip("\r\n")


def _in_a_transaction(make: Callable[[AsyncSession], Awaitable[Made]]) -> Made:
    """Do it in one transaction on this installation's database. Raises CommandError, the fields named."""
    from app.db import Database
    from app.migrations import upgrade
    from app.services.errors import CallsheetError

    async def run(url: str) -> Made:
        database = Database(url)
        try:
            async with database.transaction() as session:
                return await make(session)
        finally:
            await database.dispose()

    with context.database_url() as url:
        upgrade(url)
        try:
            return asyncio.run(run(url))
        except CallsheetError as error:
            raise CommandError(str(error)) from error
