"""Places, calling hours by the contact's clock, legal hours, recurring schedules, holds.

Revision: 6d0f2c7e91ab; follows: b5a3e0c41d97; created 2026-12-01 14:00:00.

Contacts and waiting recipients get their place afterwards, from a job: to read a phone number's time zones needs the
application. Until then they wait. The defaults stay: they make the new columns without rewriting a table.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision: str = "6d0f2c7e91ab"
down_revision: str | None = "b5a3e0c41d97"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_WAITING = "status = 'pending'"
_COLUMNS: dict[str, tuple[tuple[str, Any, str | None], ...]] = {
    "contact": (
        ("place_id", sa.BigInteger(), None),
        ("zone_source", sa.String(20), "''"),
        ("held_until", sa.DateTime(timezone=True), None),
        ("held_reason", sa.String(500), "''"),
        ("held_by", sa.String(200), "''"),
        ("held_at", sa.DateTime(timezone=True), None),
        ("consent_scope", sa.String(20), "''"),
    ),
    "recipient": (("place_id", sa.BigInteger(), None),),
    "attempt": (("place_id", sa.BigInteger(), None), ("legal_hours", sa.String(60), "''")),
    "campaign": (
        ("calling_windows", JSONB(), "'[]'"),
        ("calling_clock", sa.String(20), "'campaign'"),
        ("purpose", sa.String(20), "'informational'"),
        ("recurring_config", JSONB(), "'{}'"),
    ),
    "run": (
        ("occurrence_at", sa.DateTime(timezone=True), None),
        ("fill_cursor", sa.BigInteger(), "0"),
        ("filled_at", sa.DateTime(timezone=True), None),
    ),
    "organization": (
        ("zone_trust", sa.String(20), "'own'"),
        ("legal_policy", sa.String(20), "'law'"),
        ("blackout_dates", JSONB(), "'[]'"),
    ),
    "worker_heartbeat": (("problem", sa.String(500), "''"),),
    "contact_import": (("zone_words", JSONB(), "'{}'"), ("zone_counts", JSONB(), "'{}'")),
}
"""Table -> its new columns: name, type, default; without a default it may be null."""
_WORDS = {
    ("campaign", "calling_clock"): "'campaign', 'contact'",
    ("campaign", "purpose"): "'informational', 'marketing'",
    ("organization", "zone_trust"): "'own', 'both'",
    ("organization", "legal_policy"): "'law', 'strict', 'off'",
}


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "place",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("zones", sa.ARRAY(sa.String()), nullable=False),
        sa.Column("number_zones", sa.ARRAY(sa.String()), nullable=False),
        sa.Column("laws", sa.ARRAY(sa.String()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_place")),
        sa.UniqueConstraint("zones", "number_zones", "laws", name=op.f("uq_place_zones_number_zones_laws")),
    )
    op.create_table(
        "legal_policy_change",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("old", sa.String(20), nullable=False),
        sa.Column("new", sa.String(20), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("actor", sa.String(200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_policy_change")),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_legal_policy_change_organization_id"),
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_legal_policy_change_organization_id", "legal_policy_change", ["organization_id"])
    for table, columns in _COLUMNS.items():
        for name, kind, default in columns:
            given = sa.text(default) if default is not None else None
            op.add_column(table, sa.Column(name, kind, nullable=default is None, server_default=given))
    for (table, name), words in _WORDS.items():
        op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, f"{name} IN ({words})")
    _choose_schedule_types("'immediate', 'scheduled', 'recurring'")
    op.create_unique_constraint(
        op.f("uq_run_campaign_id_occurrence_at"), "run", ["campaign_id", "occurrence_at"]
    )
    op.execute("UPDATE run SET filled_at = created_at")
    op.create_index("ix_contact_unresolved", "contact", ["id"], postgresql_where=sa.text("place_id IS NULL"))
    _index_people("run_id, position", "campaign_id, run_id, status, position")
    op.drop_index("ix_recipient_due", "recipient")
    op.create_index(
        "ix_recipient_place",
        "recipient",
        ["campaign_id", "place_id", "not_before", "position"],
        postgresql_where=sa.text(_WAITING),
    )


def downgrade() -> None:
    """Take back. Recurring campaigns become scheduled ones."""
    _index_people("campaign_id, position", "campaign_id, status, position")
    op.drop_index("ix_recipient_place", "recipient")
    op.create_index(
        "ix_recipient_due",
        "recipient",
        ["campaign_id", "not_before", "position"],
        postgresql_where=sa.text(_WAITING),
    )
    op.execute("UPDATE campaign SET schedule_type = 'scheduled' WHERE schedule_type = 'recurring'")
    _choose_schedule_types("'immediate', 'scheduled'")
    for table, columns in _COLUMNS.items():
        for name, _, _ in columns:
            op.drop_column(table, name)
    op.drop_table("legal_policy_change")
    op.drop_table("place")


def _index_people(in_order: str, by_status: str) -> None:
    for name, columns in (("ix_recipient_list", in_order), ("ix_recipient_status", by_status)):
        op.drop_index(name, "recipient")
        op.create_index(name, "recipient", columns.split(", "))


def _choose_schedule_types(words: str) -> None:
    op.drop_constraint("ck_campaign_schedule_type", "campaign")
    op.create_check_constraint(op.f("ck_campaign_schedule_type"), "campaign", f"schedule_type IN ({words})")
