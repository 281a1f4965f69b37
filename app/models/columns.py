"""Helpers for columns: UTC times, enums with a CHECK, JSON, identity keys."""

import re
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Enum,
    ForeignKey,
    Identity,
    Integer,
    MetaData,
    String,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import declared_attr
from sqlmodel import Field, SQLModel

from app.models.sql import listed

SQLModel.metadata.naming_convention = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
).naming_convention


class Row(SQLModel):
    """Base of every table. The table's name is the class's name in snake case."""

    @declared_attr.directive
    @classmethod
    def __tablename__(cls) -> str:
        """Return e.g. `campaign_transition` for `CampaignTransition`."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()


def identity() -> Any:
    """Return a bigint primary key that the database numbers."""
    return Field(
        default=None,
        sa_type=BigInteger,
        primary_key=True,
        sa_column_args=[Identity(always=False)],
    )


def reference(
    target: str,
    *,
    nullable: bool = False,
    on_delete: str = "CASCADE",
    index: bool = False,
) -> Any:
    """Return a bigint foreign key, e.g. to `campaign.id`."""
    return Field(
        default=None if nullable else ...,
        nullable=nullable,
        index=index,
        sa_type=BigInteger,
        sa_column_args=[ForeignKey(target, ondelete=on_delete)],
    )


def moment(*, nullable: bool = False) -> Any:
    """Return a UTC time column."""
    return Field(
        default=None if nullable else ...,
        nullable=nullable,
        sa_type=DateTime(timezone=True),
    )


def word(words: type[StrEnum], *, default: StrEnum | None = None, nullable: bool = False) -> Any:
    """Return a text column that holds an enum's values; pair it with `one_of` in the table's arguments."""
    return Field(
        default=default if default is not None or nullable else ...,
        nullable=nullable,
        sa_type=Enum(
            words,
            native_enum=False,
            create_constraint=False,
            length=20,
            values_callable=_values,
        ),
    )


def _values(words: type[StrEnum]) -> list[str]:
    return [str(word) for word in words]


def one_of(column: str, words: type[StrEnum]) -> CheckConstraint:
    """Return the CHECK that a column holds a member of the enum."""
    return CheckConstraint(f"{column} IN {listed(list(words))}", name=column)


def json_object() -> Any:
    """Return a JSONB column that starts as an empty object."""
    return Field(default_factory=dict, nullable=False, sa_type=JSONB)


def json_list() -> Any:
    """Return a JSONB column that starts as an empty list."""
    return Field(default_factory=list, nullable=False, sa_type=JSONB)


def list_of(kind: type[int | str]) -> Any:
    """Return an array column, integer[] or text[], that starts empty."""
    return Field(default_factory=list, nullable=False, sa_type=ARRAY(Integer if kind is int else String))


__all__ = [
    "Row",
    "identity",
    "json_list",
    "json_object",
    "list_of",
    "moment",
    "one_of",
    "reference",
    "word",
]
