"""engine and contacts.

Revision: a22225011de1; follows: 486f41cbd7fd; created 2026-11-21 23:53:01.063467.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "a22225011de1"
down_revision: str | None = "486f41cbd7fd"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply. The defaults stay: bulk statements name only the columns they fill."""
    op.create_table(
        "import_mapping",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("headers_hash", sa.String(length=64), nullable=False),
        sa.Column("mapping", postgresql.JSONB(astext_type=sa.String()), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_import_mapping_organization_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_mapping")),
        sa.UniqueConstraint(
            "organization_id", "headers_hash", name=op.f("uq_import_mapping_organization_id_headers_hash")
        ),
    )
    op.create_table(
        "suppression_import",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("file_name", sa.String(length=255), nullable=False),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("known", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("issues", postgresql.JSONB(astext_type=sa.String()), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_suppression_import_organization_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppression_import")),
    )
    op.create_index(
        op.f("ix_suppression_import_organization_id"), "suppression_import", ["organization_id"], unique=False
    )
    op.create_index(
        "ix_suppression_newest",
        "suppression",
        ["organization_id", sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index("ix_suppression_number", "suppression", ["organization_id", "number", "id"], unique=False)
    op.create_table(
        "segment",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("rule", postgresql.JSONB(astext_type=sa.String()), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_segment_organization_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_segment")),
        sa.UniqueConstraint("public_id", name=op.f("uq_segment_public_id")),
    )
    op.create_index(
        "uq_segment_name", "segment", ["organization_id", sa.literal_column("lower(name)")], unique=True
    )
    op.create_table(
        "audience",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("mode", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("segment_id", sa.BigInteger(), nullable=True),
        sa.Column("rule", postgresql.JSONB(astext_type=sa.String()), nullable=False),
        sa.Column("exclude", postgresql.JSONB(astext_type=sa.String()), nullable=False),
        sa.Column("cursor_id", sa.BigInteger(), nullable=False),
        sa.Column("until_id", sa.BigInteger(), nullable=False),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("already_in", sa.Integer(), nullable=False),
        sa.Column("suppressed", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("mode IN ('snapshot', 'standing')", name=op.f("ck_audience_mode")),
        sa.CheckConstraint(
            "status IN ('adding', 'standing', 'done', 'ended')", name=op.f("ck_audience_status")
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_audience_campaign_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_audience_organization_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["segment_id"], ["segment.id"], name=op.f("fk_audience_segment_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audience")),
        sa.UniqueConstraint("public_id", name=op.f("uq_audience_public_id")),
    )
    op.create_index(op.f("ix_audience_campaign_id"), "audience", ["campaign_id"], unique=False)
    op.create_index(
        "ix_audience_due",
        "audience",
        ["next_at"],
        unique=False,
        postgresql_where=sa.text("next_at IS NOT NULL"),
    )
    op.create_index(op.f("ix_audience_segment_id"), "audience", ["segment_id"], unique=False)
    op.create_table(
        "breaker_trip",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("sign", sa.String(length=30), nullable=False),
        sa.Column("measured", sa.Float(), nullable=False),
        sa.Column("threshold", sa.Float(), nullable=False),
        sa.Column("window", sa.Integer(), nullable=False),
        sa.Column("attempt_ids", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_breaker_trip_campaign_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_breaker_trip")),
    )
    op.create_index(op.f("ix_breaker_trip_campaign_id"), "breaker_trip", ["campaign_id"], unique=False)
    op.create_table(
        "bulk_change",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.String(length=20), nullable=False),
        sa.Column("arguments", postgresql.JSONB(astext_type=sa.String()), nullable=False),
        sa.Column("rule", postgresql.JSONB(astext_type=sa.String()), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("cursor_id", sa.BigInteger(), nullable=False),
        sa.Column("until_id", sa.BigInteger(), nullable=False),
        sa.Column("matched", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("refusals", postgresql.JSONB(astext_type=sa.String()), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "action IN ('tag', 'untag', 'delete', 'suppress', 'consent')", name=op.f("ck_bulk_change_action")
        ),
        sa.CheckConstraint(
            "status IN ('running', 'completed', 'cancelled')", name=op.f("ck_bulk_change_status")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_bulk_change_organization_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_change")),
        sa.UniqueConstraint("public_id", name=op.f("uq_bulk_change_public_id")),
    )
    op.create_index(
        "ix_bulk_change_due",
        "bulk_change",
        ["next_at"],
        unique=False,
        postgresql_where=sa.text("next_at IS NOT NULL"),
    )
    op.create_index(op.f("ix_bulk_change_organization_id"), "bulk_change", ["organization_id"], unique=False)
    op.create_table(
        "import_change",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("import_id", sa.BigInteger(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.String()), nullable=False),
        sa.Column("after", postgresql.JSONB(astext_type=sa.String()), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_import_change_contact_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["import_id"], ["contact_import.id"], name=op.f("fk_import_change_import_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_change")),
        sa.UniqueConstraint("import_id", "contact_id", name=op.f("uq_import_change_import_id_contact_id")),
    )
    op.create_index(op.f("ix_import_change_contact_id"), "import_change", ["contact_id"], unique=False)
    op.create_table(
        "second_call",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("carrier_account_id", sa.BigInteger(), nullable=False),
        sa.Column("provider_id", sa.String(length=64), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hang_up_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["attempt_id"], ["attempt.id"], name=op.f("fk_second_call_attempt_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_second_call_campaign_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["carrier_account_id"],
            ["carrier_account.id"],
            name=op.f("fk_second_call_carrier_account_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_second_call_organization_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_second_call")),
        sa.UniqueConstraint(
            "carrier_account_id",
            "provider_id",
            name=op.f("uq_second_call_carrier_account_id_provider_id"),
        ),
    )
    op.create_index(op.f("ix_second_call_campaign_id"), "second_call", ["campaign_id"], unique=False)
    op.create_index(
        "ix_second_call_hang_up",
        "second_call",
        ["hang_up_at"],
        unique=False,
        postgresql_where=sa.text("hang_up_at IS NOT NULL"),
    )
    op.add_column("attempt", sa.Column("closes_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("attempt", sa.Column("queued_for_ms", sa.Integer(), nullable=True))
    op.add_column("attempt", sa.Column("hang_up_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "attempt", sa.Column("hang_up_why", sa.String(length=200), nullable=False, server_default="")
    )
    op.create_index(
        "ix_attempt_closes",
        "attempt",
        ["closes_at"],
        unique=False,
        postgresql_where=sa.text("status = 'queued'"),
    )
    op.create_index("ix_attempt_contact", "attempt", ["contact_id", "reserved_at"], unique=False)
    op.create_index(
        "ix_attempt_hang_up",
        "attempt",
        ["hang_up_at"],
        unique=False,
        postgresql_where=sa.text("hang_up_at IS NOT NULL"),
    )
    op.create_index(
        "ix_attempt_phone_number_reserved", "attempt", ["phone_number_id", "reserved_at"], unique=False
    )
    op.add_column(
        "attempt",
        sa.Column(
            "parts",
            sa.SmallInteger(),
            sa.Computed(
                "CASE WHEN channel <> 'sms' THEN 0"
                " WHEN octet_length(rendered ->> 'body') = length(rendered ->> 'body')"
                " THEN CASE WHEN length(rendered ->> 'body') <= 160 THEN 1"
                " ELSE (length(rendered ->> 'body') + 152) / 153 END"
                " WHEN length(rendered ->> 'body') <= 70 THEN 1"
                " ELSE coalesce((length(rendered ->> 'body') + 66) / 67, 1) END",
                persisted=True,
            ),
            nullable=False,
        ),
    )
    op.create_index(
        "ix_attempt_settled",
        "attempt",
        ["campaign_id", sa.literal_column("ended_at DESC")],
        unique=False,
        postgresql_where=sa.text("disposition IS NOT NULL"),
    )
    op.add_column(
        "campaign",
        sa.Column("retry_delays", postgresql.ARRAY(sa.Integer()), nullable=False, server_default="{}"),
    )
    op.add_column(
        "campaign",
        sa.Column(
            "retry_delays_by_outcome",
            postgresql.JSONB(astext_type=sa.String()),
            nullable=False,
            server_default="{}",
        ),
    )
    op.add_column(
        "campaign", sa.Column("retry_back_off", sa.Boolean(), nullable=False, server_default="false")
    )
    op.add_column(
        "campaign", sa.Column("retry_other_number", sa.Boolean(), nullable=False, server_default="false")
    )
    op.add_column(
        "campaign",
        sa.Column("number_strategy", sa.String(length=20), nullable=False, server_default="round_robin"),
    )
    op.add_column("campaign", sa.Column("weight", sa.Integer(), nullable=False, server_default="1"))
    op.add_column(
        "campaign",
        sa.Column("breaker", postgresql.JSONB(astext_type=sa.String()), nullable=False, server_default="{}"),
    )
    op.add_column("campaign", sa.Column("breaker_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("campaign", sa.Column("pilot_size", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("campaign", sa.Column("pilot_passed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("campaign", sa.Column("ramp", sa.Boolean(), nullable=False, server_default="false"))
    op.add_column("campaign", sa.Column("ramp_step", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("campaign", sa.Column("budget_cap", sa.Numeric(precision=12, scale=2), nullable=True))
    op.add_column("campaign", sa.Column("room_left", sa.Integer(), nullable=True))
    op.add_column("campaign", sa.Column("room_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "contact", sa.Column("consent", sa.String(length=20), nullable=False, server_default="unknown")
    )
    op.add_column(
        "contact", sa.Column("consent_source", sa.String(length=200), nullable=False, server_default="")
    )
    op.add_column(
        "contact", sa.Column("consent_wording", sa.String(length=2000), nullable=False, server_default="")
    )
    op.add_column(
        "contact", sa.Column("consent_evidence", sa.String(length=2000), nullable=False, server_default="")
    )
    op.add_column("contact", sa.Column("consent_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("contact", sa.Column("last_outcome", sa.String(length=20), nullable=True))
    op.add_column("contact", sa.Column("last_contacted_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("contact", sa.Column("import_id", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_contact_import",
        "contact",
        [
            sa.literal_column("import_id DESC"),
            sa.literal_column("created_at DESC"),
            sa.literal_column("id DESC"),
        ],
        unique=False,
        postgresql_where=sa.text("import_id IS NOT NULL"),
    )
    op.create_index(
        "ix_contact_last_contacted",
        "contact",
        [
            "organization_id",
            sa.literal_column("coalesce(last_contacted_at, '-infinity') DESC"),
            sa.literal_column("id DESC"),
        ],
        unique=False,
    )
    op.create_index(
        "ix_contact_last_outcome",
        "contact",
        [
            "organization_id",
            sa.literal_column("last_outcome DESC"),
            sa.literal_column("created_at DESC"),
            sa.literal_column("id DESC"),
        ],
        unique=False,
    )
    op.create_index(
        "ix_contact_last_word",
        "contact",
        [
            "organization_id",
            sa.literal_column("(lower(split_part(name, ' ', -1)) COLLATE \"C\")"),
            "id",
        ],
        unique=False,
        postgresql_where=sa.text("strpos(name, ' ') > 0"),
    )
    op.drop_index("ix_contact_name", table_name="contact")
    op.create_index(
        "ix_contact_name",
        "contact",
        ["organization_id", sa.literal_column('(lower(name) COLLATE "C")'), "id"],
        unique=False,
    )
    op.drop_index("ix_contact_newest", table_name="contact")
    op.create_index(
        "ix_contact_newest",
        "contact",
        ["organization_id", sa.literal_column("created_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index("ix_contact_tags", "contact", ["tags"], unique=False, postgresql_using="gin")
    op.add_column("contact_import", sa.Column("created", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("contact_import", sa.Column("updated", sa.Integer(), nullable=False, server_default="0"))
    op.add_column(
        "contact_import", sa.Column("recipients_added", sa.Integer(), nullable=False, server_default="0")
    )
    op.add_column("contact_import", sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("contact_import", sa.Column("undone_by", sa.String(length=200), nullable=True))
    op.add_column(
        "contact_import",
        sa.Column("undo", postgresql.JSONB(astext_type=sa.String()), nullable=False, server_default="{}"),
    )
    op.add_column(
        "organization", sa.Column("frequency_cap", sa.Integer(), nullable=False, server_default="3")
    )
    op.add_column(
        "organization", sa.Column("frequency_cap_hours", sa.Integer(), nullable=False, server_default="24")
    )
    op.add_column("phone_number", sa.Column("daily_cap", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("phone_number", sa.Column("burst_cap", sa.Integer(), nullable=False, server_default="0"))
    op.add_column(
        "phone_number", sa.Column("burst_minutes", sa.Integer(), nullable=False, server_default="10")
    )
    op.add_column(
        "phone_number", sa.Column("cool_down_minutes", sa.Integer(), nullable=False, server_default="30")
    )
    op.add_column("phone_number", sa.Column("rest", sa.String(length=20), nullable=True))
    op.add_column(
        "phone_number", sa.Column("rest_why", sa.String(length=500), nullable=False, server_default="")
    )
    op.add_column("phone_number", sa.Column("rested_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("phone_number", sa.Column("resting_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("recipient", sa.Column("import_id", sa.BigInteger(), nullable=True))
    op.add_column("recipient", sa.Column("audience_id", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_recipient_import",
        "recipient",
        ["import_id"],
        unique=False,
        postgresql_where=sa.text("import_id IS NOT NULL"),
    )
    op.create_check_constraint(
        op.f("ck_campaign_number_strategy"),
        "campaign",
        "number_strategy IN ('round_robin', 'least_used', 'sticky', 'local_presence')",
    )
    op.create_check_constraint(op.f("ck_campaign_weight"), "campaign", "weight BETWEEN 1 AND 100")
    op.create_check_constraint(
        op.f("ck_contact_consent"), "contact", "consent IN ('unknown', 'granted', 'denied', 'withdrawn')"
    )
    op.create_check_constraint(
        op.f("ck_contact_last_outcome"),
        "contact",
        "last_outcome IN ('answered', 'voicemail', 'no_answer', 'busy', 'rejected', 'invalid_number', 'carrier_error', 'delivered', 'undelivered', 'opted_out', 'cancelled')",
    )
    op.drop_constraint(op.f("ck_attempt_failure"), "attempt", type_="check")
    op.create_check_constraint(
        op.f("ck_attempt_failure"),
        "attempt",
        "failure IN ('bad_number', 'opted_out', 'rejected', 'misconfigured', 'content', 'unrecognized', 'tomorrow', 'transient', 'throttled', 'sender_health')",
    )
    op.create_check_constraint(
        op.f("ck_phone_number_rest"), "phone_number", "rest IN ('flagged', 'low_answer_rate', 'manual')"
    )
    op.create_table(
        "import_batch",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("import_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("numbers", sa.LargeBinary(), nullable=False),
        sa.Column("place", postgresql.JSONB(astext_type=sa.String()), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"], ["contact_import.id"], name=op.f("fk_import_batch_import_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_batch")),
        sa.UniqueConstraint("import_id", "position", name=op.f("uq_import_batch_import_id_position")),
    )
    op.add_column("import_chunk", sa.Column("raw", sa.Boolean(), nullable=False, server_default="false"))
    op.drop_constraint(op.f("uq_import_chunk_import_id_position"), "import_chunk", type_="unique")
    op.create_unique_constraint(
        op.f("uq_import_chunk_import_id_raw_position"), "import_chunk", ["import_id", "raw", "position"]
    )
    op.add_column(
        "contact_import", sa.Column("sheet", sa.String(length=100), nullable=False, server_default="")
    )
    op.add_column(
        "contact_import",
        sa.Column("sheets", postgresql.ARRAY(sa.String()), nullable=False, server_default="{}"),
    )
    op.add_column(
        "contact_import", sa.Column("start_when_read", sa.Boolean(), nullable=False, server_default="false")
    )
    op.add_column(
        "contact_import",
        sa.Column("head", postgresql.JSONB(astext_type=sa.String()), nullable=False, server_default="{}"),
    )
    for counter in ("in_campaign", "known", "opted_out"):
        op.add_column("contact_import", sa.Column(counter, sa.Integer(), nullable=False, server_default="0"))
    op.add_column(
        "contact_import", sa.Column("rows_per_second", sa.Float(), nullable=False, server_default="0")
    )
    op.drop_constraint(op.f("ck_contact_import_status"), "contact_import", type_="check")
    op.create_check_constraint(
        op.f("ck_contact_import_status"),
        "contact_import",
        "status IN ('reading', 'uploaded', 'queued', 'running', 'completed', 'failed', 'cancelled', "
        "'undoing', 'undone')",
    )
    for implied in ("organization", "campaign", "step"):
        op.drop_constraint(op.f(f"fk_recipient_{implied}_id"), "recipient", type_="foreignkey")
    for implied in ("organization", "campaign", "run", "step", "contact"):
        op.drop_constraint(op.f(f"fk_attempt_{implied}_id"), "attempt", type_="foreignkey")
    op.drop_index("ix_attempt_recipient", table_name="attempt")  # the unique constraint is the same
    op.create_index(
        "ix_recipient_held",
        "recipient",
        ["campaign_id", "not_before", "position"],
        unique=False,
        postgresql_where=sa.text("status = 'pending' AND blocked_by = 'number_in_use'"),
    )
    op.drop_index("ix_attempt_live_agent", table_name="attempt")  # an agent's calls are its organization's


def downgrade() -> None:
    """Take back."""
    op.drop_index("ix_recipient_held", table_name="recipient")
    op.create_index(
        "ix_attempt_live_agent",
        "attempt",
        ["agent_id"],
        unique=False,
        postgresql_where=sa.text(
            "status IN ('in_progress', 'placing', 'queued', 'review', 'ringing', 'unknown')"
        ),
    )
    op.create_index("ix_attempt_recipient", "attempt", ["recipient_id", "ordinal"], unique=False)
    for implied in ("organization", "campaign", "run", "step", "contact"):
        op.create_foreign_key(
            op.f(f"fk_attempt_{implied}_id"),
            "attempt",
            implied,
            [f"{implied}_id"],
            ["id"],
            ondelete="RESTRICT" if implied == "contact" else "CASCADE",
        )
    for implied in ("organization", "campaign", "step"):
        op.create_foreign_key(
            op.f(f"fk_recipient_{implied}_id"),
            "recipient",
            implied,
            [f"{implied}_id"],
            ["id"],
            ondelete="CASCADE",
        )
    op.drop_constraint(op.f("ck_contact_import_status"), "contact_import", type_="check")
    op.create_check_constraint(
        op.f("ck_contact_import_status"),
        "contact_import",
        "status IN ('uploaded', 'queued', 'running', 'completed', 'failed', 'cancelled')",
    )
    for column in (
        *("rows_per_second", "opted_out", "known", "in_campaign"),
        *("start_when_read", "sheets", "sheet", "head"),
    ):
        op.drop_column("contact_import", column)
    op.drop_constraint(op.f("uq_import_chunk_import_id_raw_position"), "import_chunk", type_="unique")
    op.drop_column("import_chunk", "raw")
    op.create_unique_constraint(
        op.f("uq_import_chunk_import_id_position"), "import_chunk", ["import_id", "position"]
    )
    op.drop_table("import_batch")
    op.drop_index(
        "ix_recipient_import", table_name="recipient", postgresql_where=sa.text("import_id IS NOT NULL")
    )
    op.drop_column("recipient", "audience_id")
    op.drop_column("recipient", "import_id")
    op.drop_column("phone_number", "resting_until")
    op.drop_column("phone_number", "rested_at")
    op.drop_column("phone_number", "rest_why")
    op.drop_column("phone_number", "rest")
    op.drop_column("phone_number", "cool_down_minutes")
    op.drop_column("phone_number", "burst_minutes")
    op.drop_column("phone_number", "burst_cap")
    op.drop_column("phone_number", "daily_cap")
    op.drop_column("organization", "frequency_cap_hours")
    op.drop_column("organization", "frequency_cap")
    op.drop_column("contact_import", "undo")
    op.drop_column("contact_import", "undone_by")
    op.drop_column("contact_import", "undone_at")
    op.drop_column("contact_import", "recipients_added")
    op.drop_column("contact_import", "updated")
    op.drop_column("contact_import", "created")
    op.drop_index("ix_contact_tags", table_name="contact", postgresql_using="gin")
    op.drop_index("ix_contact_newest", table_name="contact")
    op.create_index(
        "ix_contact_newest",
        "contact",
        ["organization_id", sa.literal_column("id DESC")],
        unique=False,
    )
    op.drop_index("ix_contact_name", table_name="contact")
    op.create_index(
        "ix_contact_name",
        "contact",
        ["organization_id", sa.literal_column('lower(name COLLATE "C")'), "id"],
        unique=False,
    )
    op.drop_index(
        "ix_contact_last_word", table_name="contact", postgresql_where=sa.text("strpos(name, ' ') > 0")
    )
    op.drop_index("ix_contact_last_outcome", table_name="contact")
    op.drop_index("ix_contact_last_contacted", table_name="contact")
    op.drop_index(
        "ix_contact_import", table_name="contact", postgresql_where=sa.text("import_id IS NOT NULL")
    )
    op.drop_column("contact", "import_id")
    op.drop_column("contact", "last_contacted_at")
    op.drop_column("contact", "last_outcome")
    op.drop_column("contact", "consent_at")
    op.drop_column("contact", "consent_evidence")
    op.drop_column("contact", "consent_wording")
    op.drop_column("contact", "consent_source")
    op.drop_column("contact", "consent")
    op.drop_column("campaign", "room_at")
    op.drop_column("campaign", "room_left")
    op.drop_column("campaign", "budget_cap")
    op.drop_column("campaign", "ramp_step")
    op.drop_column("campaign", "ramp")
    op.drop_column("campaign", "pilot_passed_at")
    op.drop_column("campaign", "pilot_size")
    op.drop_column("campaign", "breaker_since")
    op.drop_column("campaign", "breaker")
    op.drop_column("campaign", "weight")
    op.drop_column("campaign", "number_strategy")
    op.drop_column("campaign", "retry_other_number")
    op.drop_column("campaign", "retry_back_off")
    op.drop_column("campaign", "retry_delays_by_outcome")
    op.drop_column("campaign", "retry_delays")
    op.drop_index(
        "ix_attempt_settled", table_name="attempt", postgresql_where=sa.text("disposition IS NOT NULL")
    )
    op.drop_column("attempt", "parts")
    op.drop_index("ix_attempt_phone_number_reserved", table_name="attempt")
    op.drop_index(
        "ix_attempt_hang_up", table_name="attempt", postgresql_where=sa.text("hang_up_at IS NOT NULL")
    )
    op.drop_index("ix_attempt_contact", table_name="attempt")
    op.drop_index("ix_attempt_closes", table_name="attempt", postgresql_where=sa.text("status = 'queued'"))
    op.drop_column("attempt", "hang_up_why")
    op.drop_column("attempt", "hang_up_at")
    op.drop_column("attempt", "queued_for_ms")
    op.drop_column("attempt", "closes_at")
    op.drop_index(
        "ix_second_call_hang_up", table_name="second_call", postgresql_where=sa.text("hang_up_at IS NOT NULL")
    )
    op.drop_index(op.f("ix_second_call_campaign_id"), table_name="second_call")
    op.drop_table("second_call")
    op.drop_constraint(op.f("ck_attempt_failure"), "attempt", type_="check")
    op.create_check_constraint(
        op.f("ck_attempt_failure"),
        "attempt",
        "failure IN ('bad_number', 'opted_out', 'rejected', 'misconfigured', 'content', 'transient', 'throttled', 'sender_health')",
    )
    op.drop_index(op.f("ix_import_change_contact_id"), table_name="import_change")
    op.drop_table("import_change")
    op.drop_index(op.f("ix_bulk_change_organization_id"), table_name="bulk_change")
    op.drop_index(
        "ix_bulk_change_due", table_name="bulk_change", postgresql_where=sa.text("next_at IS NOT NULL")
    )
    op.drop_table("bulk_change")
    op.drop_index(op.f("ix_breaker_trip_campaign_id"), table_name="breaker_trip")
    op.drop_table("breaker_trip")
    op.drop_index(op.f("ix_audience_segment_id"), table_name="audience")
    op.drop_index("ix_audience_due", table_name="audience", postgresql_where=sa.text("next_at IS NOT NULL"))
    op.drop_index(op.f("ix_audience_campaign_id"), table_name="audience")
    op.drop_table("audience")
    op.drop_index("uq_segment_name", table_name="segment")
    op.drop_table("segment")
    op.drop_index("ix_suppression_number", table_name="suppression")
    op.drop_index("ix_suppression_newest", table_name="suppression")
    op.drop_table("suppression_import")
    op.drop_table("import_mapping")
