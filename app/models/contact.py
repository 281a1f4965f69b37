"""The address book and the suppression list."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, Index, UniqueConstraint, column, func, literal_column
from sqlmodel import Field, text

from app.domain.attempt import Disposition
from app.domain.consent import Consent
from app.domain.suppression import SuppressionScope, SuppressionSource
from app.models.columns import (
    Row,
    identity,
    json_object,
    list_of,
    moment,
    one_of,
    reference,
    word,
)

_BY_CODES: Final = {"folded": 'COLLATE "C"'}
"""An index by the codes of the characters, so that prefix searches can use it, whatever the locale."""


class Contact(Row, table=True):
    """A person: one row per E.164 number in an organization."""

    __table_args__ = (
        UniqueConstraint("organization_id", "number"),
        # Each index serves one sort or filter: see services/contacts/index_scans.py. Every imported row must update all
        # of them.
        Index(
            "ix_contact_name",
            "organization_id",
            func.lower(column("name")).label("folded"),
            "id",
            postgresql_ops=_BY_CODES,
        ),
        Index(
            "ix_contact_last_word",
            "organization_id",
            func.lower(func.split_part(column("name"), literal_column("' '"), literal_column("-1"))).label(
                "folded"
            ),
            "id",
            postgresql_ops=_BY_CODES,
            postgresql_where=text("strpos(name, ' ') > 0"),
        ),
        Index("ix_contact_newest", "organization_id", text("created_at DESC"), text("id DESC")),
        Index(
            "ix_contact_last_outcome",
            "organization_id",
            text("last_outcome DESC"),
            text("created_at DESC"),
            text("id DESC"),
        ),
        Index(
            "ix_contact_last_contacted",
            "organization_id",
            text("coalesce(last_contacted_at, '-infinity') DESC"),
            text("id DESC"),
        ),
        Index("ix_contact_tags", "tags", postgresql_using="gin"),
        Index(
            "ix_contact_import",
            text("import_id DESC"),
            text("created_at DESC"),
            text("id DESC"),
            postgresql_where=text("import_id IS NOT NULL"),
        ),
        # Contacts from before places were kept, until a job has resolved them.
        Index("ix_contact_unresolved", "id", postgresql_where=text("place_id IS NULL")),
        one_of("consent", Consent),
        one_of("last_outcome", Disposition),
    )

    id: int = identity()
    organization_id: int = reference("organization.id")
    number: str = Field(max_length=16)
    """E.164."""
    name: str = Field(default="", max_length=200)
    first_name: str = Field(default="", max_length=100)
    last_name: str = Field(default="", max_length=100)
    email: str = Field(default="", max_length=320)
    company: str = Field(default="", max_length=200)
    time_zone: str = Field(default="", max_length=64)
    language: str = Field(default="", max_length=20)
    country: str = Field(default="", max_length=2)
    state: str = Field(default="", max_length=50)
    notes: str = Field(default="", max_length=4000)
    tags: list[str] = list_of(str)
    fields: dict[str, Any] = json_object()
    consent: Consent = word(Consent, default=Consent.UNKNOWN)
    consent_scope: str = Field(default="", max_length=20)
    """The channel that a granted consent is for (`domain.consent.ConsentScope`); empty: every channel."""
    consent_source: str = Field(default="", max_length=200)
    """Where consent was given: a form, a call, a contract."""
    consent_wording: str = Field(default="", max_length=2000)
    """The exact wording that the person agreed to."""
    consent_evidence: str = Field(default="", max_length=2000)
    """Where the proof is: a link, a file, the id of a recording."""
    consent_at: datetime | None = moment(nullable=True)
    last_outcome: Disposition | None = word(Disposition, nullable=True)
    """The outcome of the newest settled attempt in all campaigns. Writing it does not change `version`."""
    last_contacted_at: datetime | None = moment(nullable=True)
    """When the newest attempt that reached the carrier was reserved."""
    place_id: int | None = Field(default=None, sa_type=BigInteger)
    """Where the person may be (`Place`); None: not resolved yet, and not contacted until then.

    Places are never deleted, so a foreign key would only make an import slower.
    """
    zone_source: str = Field(default="", max_length=20)
    """What tells the place (`domain.places.ZoneSource`); empty while it is not resolved."""
    held_until: datetime | None = moment(nullable=True)
    """A hold: no campaign contacts this person before then."""
    held_reason: str = Field(default="", max_length=500)
    held_by: str = Field(default="", max_length=200)
    held_at: datetime | None = moment(nullable=True)
    source: str = Field(default="manual", max_length=50)
    import_id: int | None = Field(default=None, sa_type=BigInteger)
    """The import that created it."""
    created_at: datetime = moment()
    updated_at: datetime = moment()


class Place(Row, table=True):
    """Where a person may be. One row for each distinct value, shared by all organizations; never changed or deleted."""

    __table_args__ = (UniqueConstraint("zones", "number_zones", "laws"),)

    id: int = identity()
    zones: list[str] = list_of(str)
    """IANA names, sorted; the calling hours must hold in all. Empty: unknown, the campaign's zone is assumed."""
    number_zones: list[str] = list_of(str)
    """What the phone number alone says."""
    laws: list[str] = list_of(str)
    """Whose legal hours apply: codes such as `US`, `US-FL`, `GB`. All must hold."""


class Segment(Row, table=True):
    """A named filter of the address book."""

    __table_args__ = (Index("uq_segment_name", "organization_id", text("lower(name)"), unique=True),)

    id: int = identity()
    public_id: UUID = Field(default_factory=uuid4, unique=True)
    organization_id: int = reference("organization.id")
    name: str = Field(max_length=200)
    rule: dict[str, Any] = json_object()
    """The filter (`domain.contact_filter.ContactFilter`) as JSON."""
    created_by: str = Field(default="", max_length=200)
    created_at: datetime = moment()
    updated_at: datetime = moment()


class Suppression(Row, table=True):
    """A number that must not be contacted. A lifted suppression keeps its row as evidence."""

    __table_args__ = (
        one_of("scope", SuppressionScope),
        one_of("source", SuppressionSource),
        Index(
            "uq_suppression_standing",
            "organization_id",
            "number",
            "scope",
            unique=True,
            postgresql_where=text("lifted_at IS NULL"),
        ),
        Index("ix_suppression_newest", "organization_id", text("id DESC")),
        Index("ix_suppression_number", "organization_id", "number", "id"),
    )

    id: int = identity()
    organization_id: int = reference("organization.id")
    number: str = Field(max_length=16)
    scope: SuppressionScope = word(SuppressionScope, default=SuppressionScope.ALL)
    reason: str = Field(default="", max_length=500)
    source: SuppressionSource = word(SuppressionSource)
    actor: str = Field(default="", max_length=200)
    created_at: datetime = moment()
    lifted_at: datetime | None = moment(nullable=True)
    lifted_by: str | None = Field(default=None, max_length=200)
    lift_reason: str | None = Field(default=None, max_length=500)


class SuppressionImport(Row, table=True):
    """One imported file of suppressions, and its rows that could not be read."""

    id: int = identity()
    organization_id: int = reference("organization.id", index=True)
    file_name: str = Field(max_length=255)
    added: int = Field(default=0)
    known: int = Field(default=0)
    """Already suppressed, or repeated in the file."""
    rejected: int = Field(default=0)
    issues: dict[str, Any] = json_object()
    """`headers` of the file, and `rows` that could not be read: row number, reason and cells."""
    created_by: str = Field(default="", max_length=200)
    created_at: datetime = moment()
