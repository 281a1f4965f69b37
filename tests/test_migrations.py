"""Migrations of a database that holds what later versions no longer let in."""

from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from alembic import command
from sqlalchemy import create_engine

from app.runtime.migrations import alembic_config, upgrade
from tests.support.servers import connect, create_database

BEFORE_ONE_OWNER = "5d1c0f7a93be"


@pytest.fixture
def old_database(database_url: str) -> Iterator[str]:
    """A database as it was before a number belonged to one organization."""
    url = create_database(database_url, f"old_{uuid4().hex}")
    engine = create_engine(url)
    with engine.connect() as connection:
        command.upgrade(alembic_config(connection), BEFORE_ONE_OWNER)
        connection.commit()
    yield url
    engine.dispose()


def test_of_a_number_in_several_organizations_the_oldest_active_one_stays(old_database: str) -> None:
    with connect(old_database) as connection:
        for name in ("first", "second", "third"):
            _organization(connection, name)
        for organization, number, day, active in (
            ("second", "+12015550123", 2, True),
            ("first", "+12015550123", 1, False),
            ("third", "+12015550123", 3, True),
            ("third", "+12025550143", 4, True),
            ("first", "+12025550143", 4, True),
            ("first", "+14155550100", 5, True),
        ):
            _number(connection, organization, number, day=day, active=active)
    upgrade(old_database)
    with connect(old_database) as connection:
        rows = connection.execute(
            "SELECT o.slug, n.number, n.active, n.inactive_why FROM phone_number n"
            " JOIN organization o ON o.id = n.organization_id ORDER BY n.number, n.created_at, n.id"
        ).fetchall()
        assert [row[:3] for row in rows] == [
            ("first", "+12015550123", False),
            ("second", "+12015550123", True),
            ("third", "+12015550123", False),
            ("third", "+12025550143", True),
            ("first", "+12025550143", False),
            ("first", "+14155550100", True),
        ]
        whys = [str(row[3]) for row in rows]
        assert [bool(why) for why in whys] == [False, False, True, False, True, False]
        assert whys[2].startswith("Another organization of this installation had this number first")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("UPDATE phone_number SET active = true")


def test_the_migration_to_one_owner_can_be_taken_back(old_database: str) -> None:
    upgrade(old_database)
    engine = create_engine(old_database)
    with engine.connect() as connection:
        command.downgrade(alembic_config(connection), BEFORE_ONE_OWNER)
        connection.commit()
    engine.dispose()
    upgrade(old_database)


def _organization(connection: psycopg.Connection[tuple[object, ...]], slug: str) -> None:
    _insert(
        connection,
        "organization",
        {
            "public_id": uuid4(),
            "slug": slug,
            "name": slug,
            "outbound_limit": 10,
            "frequency_cap": 3,
            "frequency_cap_hours": 24,
            "default_region": "US",
            "time_zone": "UTC",
            "strict_numbers": False,
            "created_at": "2026-01-01T00:00:00Z",
        },
    )


def _number(
    connection: psycopg.Connection[tuple[object, ...]],
    organization: str,
    number: str,
    *,
    day: int,
    active: bool,
) -> None:
    found = connection.execute("SELECT id FROM organization WHERE slug = %s", [organization]).fetchone()
    assert found
    at = f"2026-01-{day:02}T00:00:00Z"
    _insert(
        connection,
        "phone_number",
        {
            "public_id": uuid4(),
            "organization_id": found[0],
            "number": number,
            "label": "",
            "voice": True,
            "sms": True,
            "active": active,
            "daily_cap": 0,
            "burst_cap": 0,
            "burst_minutes": 10,
            "cool_down_minutes": 30,
            "rest_why": "",
            "inbound_problem": "",
            "created_at": at,
            "updated_at": at,
        },
    )


def _insert(
    connection: psycopg.Connection[tuple[object, ...]], table: str, values: dict[str, object]
) -> None:
    statement = psycopg.sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        psycopg.sql.Identifier(table),
        psycopg.sql.SQL(", ").join(map(psycopg.sql.Identifier, values)),
        psycopg.sql.SQL(", ").join(psycopg.sql.Placeholder() * len(values)),
    )
    connection.execute(statement, list(values.values()))
