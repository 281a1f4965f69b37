"""Users, their memberships, and their secrets (all stored hashed)."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, text

from app.domain.rights import Role
from app.models.columns import Row, identity, moment, one_of, reference, word


class User(Row, table=True):
    """A person. The e-mail is stored lower-cased."""

    __tablename__ = "app_user"

    id: int = identity()
    email: str = Field(unique=True, max_length=320)
    name: str = Field(default="", max_length=200)
    password_hash: str
    """argon2id."""
    created_at: datetime = moment()


class Member(Row, table=True):
    """A user in an organization, with a role."""

    __table_args__ = (
        UniqueConstraint("organization_id", "user_id"),
        one_of("role", Role),
    )

    id: int = identity()
    organization_id: int = reference("organization.id")
    user_id: int = reference("app_user.id", index=True)
    role: Role = word(Role)
    created_at: datetime = moment()


class UserSession(Row, table=True):
    """A signed-in browser. The cookie holds the token; we hold its SHA-256."""

    id: int = identity()
    token_hash: str = Field(unique=True)
    user_id: int = reference("app_user.id", index=True)
    created_at: datetime = moment()
    expires_at: datetime = moment()
    revoked_at: datetime | None = moment(nullable=True)
    user_agent: str = Field(default="", max_length=400)


class SignInTicket(Row, table=True):
    """A single-use ticket, valid for a minute: after the password check the browser exchanges it for a cookie."""

    token_hash: str = Field(primary_key=True)
    user_id: int = reference("app_user.id", index=True)
    next_path: str = Field(default="/")
    expires_at: datetime = moment()
    used_at: datetime | None = moment(nullable=True)


class KnownBrowser(Row, table=True):
    """A browser in which a user has signed in. Its cookie has one token for all users of that browser."""

    __table_args__ = (UniqueConstraint("token_hash", "user_id"),)

    id: int = identity()
    token_hash: str
    user_id: int = reference("app_user.id", index=True)
    expires_at: datetime = moment()


class SignInFailure(Row, table=True):
    """A wrong password, kept for an hour to slow down guessing: by known browser, or by e-mail and IP address."""

    __table_args__ = (
        Index("ix_sign_in_failure_browser_at", "browser_id", "at"),
        Index("ix_sign_in_failure_email_at", "email", "at"),
        Index("ix_sign_in_failure_address_at", "address", "at"),
    )

    id: int = identity()
    email: str = Field(max_length=320)
    address: str = Field(max_length=64)
    """The key by `domain.addresses.counted_as`."""
    browser_id: int | None = reference("known_browser.id", nullable=True)
    """The browser, if this user has signed in with it before."""
    at: datetime = moment()


class SetupLink(Row, table=True):
    """The one-time set-up link of an installation without an owner."""

    token_hash: str = Field(primary_key=True)
    created_at: datetime = moment()
    expires_at: datetime = moment()
    used_at: datetime | None = moment(nullable=True)


class ApiKey(Row, table=True):
    """An API key with a role. It is shown once and stored hashed."""

    __table_args__ = (
        one_of("role", Role),
        Index(
            "ix_api_key_live",
            "organization_id",
            postgresql_where=text("revoked_at IS NULL"),
        ),
    )

    id: int = identity()
    organization_id: int = reference("organization.id")
    name: str = Field(max_length=200)
    prefix: str = Field(max_length=16)
    """The first characters, to distinguish keys in a list."""
    key_hash: str = Field(unique=True)
    role: Role = word(Role)
    created_at: datetime = moment()
    last_used_at: datetime | None = moment(nullable=True)
    revoked_at: datetime | None = moment(nullable=True)
