"""Recipients, which are contacts in a campaign, and the history of their status."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, UniqueConstraint
from sqlmodel import Field, text

from app.domain.attempt import Disposition
from app.domain.recipient import RecipientStatus
from app.models.columns import (
    Row,
    identity,
    json_object,
    moment,
    one_of,
    reference,
    word,
)


class Recipient(Row, table=True):
    """A contact in a campaign, with its own variables: a later import does not change what the campaign says."""

    __table_args__ = (
        UniqueConstraint("run_id", "contact_id"),
        one_of("status", RecipientStatus),
        one_of("last_disposition", Disposition),
        # For reserving: due rows of a campaign's place in dialing order. Places with closed calling hours are not read.
        Index(
            "ix_recipient_place",
            "campaign_id",
            "place_id",
            "not_before",
            "position",
            postgresql_where=text("status = 'pending'"),
        ),
        # Recipients that wait for a number in use; they stay first in the queue.
        Index(
            "ix_recipient_held",
            "campaign_id",
            "not_before",
            "position",
            postgresql_where=text("status = 'pending' AND blocked_by = 'number_in_use'"),
        ),
        Index("ix_recipient_list", "run_id", "position"),
        # The status of a campaign's people in all its runs, which are few, or in one.
        Index("ix_recipient_status", "campaign_id", "run_id", "status", "position"),
        Index("ix_recipient_contact", "contact_id"),
        Index("ix_recipient_import", "import_id", postgresql_where=text("import_id IS NOT NULL")),
    )

    id: int = identity()
    # The run implies all three. A foreign key for each would make an import a sixth slower.
    organization_id: int = Field(sa_type=BigInteger)
    campaign_id: int = Field(sa_type=BigInteger)
    step_id: int = Field(sa_type=BigInteger)
    run_id: int = reference("run.id")
    contact_id: int = reference("contact.id", on_delete="RESTRICT")
    place_id: int | None = Field(default=None, sa_type=BigInteger)
    """The contact's place, for the index of waiting people. The gate itself reads the contact's."""
    position: int
    status: RecipientStatus = word(RecipientStatus, default=RecipientStatus.PENDING)
    attempts_made: int = Field(default=0)
    """How many attempts count: those that reached the carrier.

    A deliberate trade: the attempts have this number too, but the dialer and the pages need it too often to
    count it each time. Only the statements that reserve, settle and give back change it; `dialing.audit` compares it
    with the attempts.
    """
    attempts_allowed: int | None = Field(default=None)
    """Its own limit after a manual retry; None: its campaign's."""
    not_before: datetime = moment()
    blocked_by: str | None = Field(default=None, max_length=50)
    """The gate's rule that last blocked it, with the reason."""
    blocked_why: str | None = Field(default=None, max_length=500)
    last_disposition: Disposition | None = word(Disposition, nullable=True)
    last_attempt_id: UUID | None = Field(default=None)
    last_attempt_at: datetime | None = moment(nullable=True)
    last_error: str | None = Field(default=None, max_length=500)
    import_id: int | None = Field(default=None, sa_type=BigInteger)
    """The import that added it, so that an undo can remove it."""
    audience_id: int | None = Field(default=None, sa_type=BigInteger)
    """The audience that added it."""
    variables: dict[str, Any] = json_object()
    created_at: datetime = moment()
    updated_at: datetime = moment()


class RecipientTransition(Row, table=True):
    """One change of a recipient's status, written in the same transaction."""

    __table_args__ = (Index("ix_recipient_transition_recipient", "recipient_id", "id"),)

    id: int = identity()
    recipient_id: int = reference("recipient.id")
    old: str
    new: str
    reason: str = Field(max_length=200)
    attempt_id: UUID | None = Field(default=None)
    at: datetime = moment()
