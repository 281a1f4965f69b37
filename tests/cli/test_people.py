"""`key` and `user`: which organization they mean, who becomes what, and the ways back in."""

import asyncio
import os
import subprocess
import sys

import pytest
from sqlmodel import col, select

from app.models import Member, Organization, User
from app.runtime.clock import SystemClock
from app.runtime.database import Database
from app.runtime.migrations import PROJECT
from app.services.access.passwords import password_matches
from app.services.access.tickets import redeem_ticket

PASSWORD = "correct horse battery staple"


async def _callsheet(
    database_url: str, *arguments: str, typed: str = PASSWORD
) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "app.cli", *arguments],
        cwd=PROJECT,
        env={**os.environ, "DATABASE_URL": database_url},
        input=typed,
        capture_output=True,
        text=True,
        check=False,
    )


async def _names(database: Database) -> list[str]:
    async with database.session() as session:
        return list(
            (await session.execute(select(Organization.name).order_by(col(Organization.id)))).scalars()
        )


async def test_the_first_key_makes_the_first_organization_and_is_printed_alone(
    database: Database, database_url: str
) -> None:
    told = await _callsheet(database_url, "key", "create", "--organization", "Acme")
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith("cs_")
    assert len(told.stdout.split()) == 1
    assert await _names(database) == ["Acme"]


@pytest.mark.parametrize(
    "verb", [("key", "create"), ("user", "create", "bob@example.com")], ids=["key", "user"]
)
async def test_a_mistyped_organization_is_refused_with_the_known_ones(
    database: Database, database_url: str, verb: tuple[str, ...]
) -> None:
    await _callsheet(database_url, "key", "create", "--organization", "Acme")
    told = await _callsheet(database_url, *verb, "--organization", "Acne")
    assert (told.returncode, told.stdout) == (1, "")
    for part in ("Acne", "there are: Acme", "--new"):
        assert part in told.stderr
    assert await _names(database) == ["Acme"]


async def test_a_known_organization_is_found_and_another_is_made_when_asked(
    database: Database, database_url: str
) -> None:
    for arguments in (["Acme"], ["acme"], ["Beta", "--new"], ["beta", "--new"]):
        told = await _callsheet(database_url, "key", "create", "--organization", *arguments)
        assert told.returncode == 0, told.stderr
    assert await _names(database) == ["Acme", "Beta"]


async def test_the_first_person_owns_the_organization_and_later_ones_are_given_a_role(
    database: Database, database_url: str
) -> None:
    async def create(email: str, *more: str) -> subprocess.CompletedProcess[str]:
        return await _callsheet(database_url, "user", "create", email, "--organization", "Acme", *more)

    assert (await create("ann@example.com")).returncode == 0
    refused = await create("bob@example.com")
    assert refused.returncode == 1
    assert "--role" in refused.stderr
    assert "manager" in refused.stderr
    assert (await create("bob@example.com", "--role", "viewer")).returncode == 0
    async with database.session() as session:
        rows = await session.execute(
            select(User.email, Member.role).join(Member, col(Member.user_id) == col(User.id))
        )
        assert {tuple(row) for row in rows} == {("ann@example.com", "owner"), ("bob@example.com", "viewer")}


async def test_who_is_locked_out_is_given_a_link_that_signs_in_once(
    database: Database, database_url: str
) -> None:
    await _callsheet(database_url, "user", "create", "ann@example.com", "--organization", "Acme")
    told = await _callsheet(database_url, "user", "link", "Ann@Example.com")
    assert told.returncode == 0, told.stderr
    address, ticket = told.stdout.strip().split("?ticket=")
    assert address == "http://localhost:3000/auth/complete"
    async with database.transaction() as session:
        now = SystemClock().now()
        assert await redeem_ticket(session, ticket=ticket, user_agent="", now=now) is not None
        assert await redeem_ticket(session, ticket=ticket, user_agent="", now=now) is None


async def test_a_forgotten_password_is_replaced(database: Database, database_url: str) -> None:
    await _callsheet(database_url, "user", "create", "ann@example.com", "--organization", "Acme")
    told = await _callsheet(
        database_url, "user", "password", "ann@example.com", typed="another long password"
    )
    assert told.returncode == 0, told.stderr
    async with database.session() as session:
        stored = (await session.execute(select(col(User.password_hash)))).scalar_one()
    assert await password_matches(stored, "another long password")
    refused = await _callsheet(database_url, "user", "password", "ann@example.com", typed="short")
    assert (refused.returncode, "at least 10" in refused.stderr) == (1, True)


@pytest.mark.parametrize("verb", ["link", "password"])
async def test_nobody_is_made_up(database: Database, database_url: str, verb: str) -> None:
    told = await _callsheet(database_url, "user", verb, "bob@example.com")
    assert (told.returncode, told.stdout) == (1, "")
    assert "Nobody has this e-mail" in told.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("key", "create", "--organization", "Ac\udcffme"),
        ("key", "create", "--organization", "Acme", "--name", "a\udcff"),
        ("user", "create", "bob\udcff@example.com", "--organization", "Acme"),
    ],
)
async def test_what_is_no_text_is_refused_in_one_line(
    database: Database, database_url: str, arguments: tuple[str, ...]
) -> None:
    told = await _callsheet(database_url, *arguments)
    assert (told.returncode, told.stdout) == (1, "")
    assert "is not UTF-8" in told.stderr
    assert "Traceback" not in told.stderr
    assert await _names(database) == []
