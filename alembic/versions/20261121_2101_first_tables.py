"""first tables.

Revision: 486f41cbd7fd; follows: ; created 2026-11-21 21:01:41.314062.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "486f41cbd7fd"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "app_user",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_app_user")),
        sa.UniqueConstraint("email", name=op.f("uq_app_user_email")),
    )
    op.create_table(
        "carrier_account",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("account_sid", sa.String(), nullable=False),
        sa.Column("api_url", sa.String(), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("calls_per_second", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carrier_account")),
        sa.UniqueConstraint(
            "kind",
            "account_sid",
            "api_url",
            name=op.f("uq_carrier_account_kind_account_sid_api_url"),
        ),
    )
    op.create_table(
        "organization",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(length=63), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("outbound_limit", sa.Integer(), nullable=False),
        sa.Column("default_region", sa.String(length=2), nullable=False),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("strict_numbers", sa.Boolean(), nullable=False),
        sa.Column("default_phone_number_id", sa.BigInteger(), nullable=True),
        sa.Column("dialing_stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dialing_stopped_by", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organization")),
        sa.UniqueConstraint("public_id", name=op.f("uq_organization_public_id")),
        sa.UniqueConstraint("slug", name=op.f("uq_organization_slug")),
    )
    op.create_table(
        "setup_link",
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_setup_link")),
    )
    op.create_table(
        "sign_in_failure",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_failure")),
    )
    op.create_index(
        "ix_sign_in_failure_address_at",
        "sign_in_failure",
        ["address", "at"],
        unique=False,
    )
    op.create_index("ix_sign_in_failure_email_at", "sign_in_failure", ["email", "at"], unique=False)
    op.create_table(
        "worker_heartbeat",
        sa.Column("worker", sa.String(length=100), nullable=False),
        sa.Column("queue", sa.String(length=20), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("worker", name=op.f("pk_worker_heartbeat")),
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("prefix", sa.String(length=16), nullable=False),
        sa.Column("key_hash", sa.String(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "role IN ('owner', 'manager', 'operator', 'viewer')",
            name=op.f("ck_api_key_role"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_api_key_organization_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_api_key_key_hash")),
    )
    op.create_index(
        "ix_api_key_live",
        "api_key",
        ["organization_id"],
        unique=False,
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.create_table(
        "contact",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("first_name", sa.String(length=100), nullable=False),
        sa.Column("last_name", sa.String(length=100), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("company", sa.String(length=200), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("state", sa.String(length=50), nullable=False),
        sa.Column("notes", sa.String(length=4000), nullable=False),
        sa.Column("tags", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("fields", postgresql.JSONB(astext_type=sa.String()), nullable=False),
        sa.Column("source", sa.String(length=50), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_contact_organization_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact")),
        sa.UniqueConstraint("organization_id", "number", name=op.f("uq_contact_organization_id_number")),
    )
    op.create_index(
        "ix_contact_name",
        "contact",
        ["organization_id", sa.literal_column('lower(name COLLATE "C")'), "id"],
        unique=False,
    )
    op.create_index(
        "ix_contact_newest",
        "contact",
        ["organization_id", sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_table(
        "idempotency_key",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("request_hash", sa.String(), nullable=False),
        sa.Column("status_code", sa.Integer(), nullable=True),
        sa.Column("body", postgresql.JSONB(astext_type=sa.String()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_idempotency_key_organization_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idempotency_key")),
        sa.UniqueConstraint(
            "organization_id",
            "key",
            name=op.f("uq_idempotency_key_organization_id_key"),
        ),
    )
    op.create_table(
        "member",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "role IN ('owner', 'manager', 'operator', 'viewer')",
            name=op.f("ck_member_role"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_member_organization_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["app_user.id"],
            name=op.f("fk_member_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member")),
        sa.UniqueConstraint("organization_id", "user_id", name=op.f("uq_member_organization_id_user_id")),
    )
    op.create_index(op.f("ix_member_user_id"), "member", ["user_id"], unique=False)
    op.create_table(
        "phone_number",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("carrier_account_id", sa.BigInteger(), nullable=True),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("voice", sa.Boolean(), nullable=False),
        sa.Column("sms", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("inbound_problem", sa.String(length=500), nullable=False),
        sa.Column("inbound_checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["carrier_account_id"],
            ["carrier_account.id"],
            name=op.f("fk_phone_number_carrier_account_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_phone_number_organization_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phone_number")),
        sa.UniqueConstraint(
            "organization_id",
            "number",
            name=op.f("uq_phone_number_organization_id_number"),
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_phone_number_public_id")),
    )
    op.create_table(
        "sign_in_ticket",
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("next_path", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["app_user.id"],
            name=op.f("fk_sign_in_ticket_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sign_in_ticket")),
    )
    op.create_index(op.f("ix_sign_in_ticket_user_id"), "sign_in_ticket", ["user_id"], unique=False)
    op.create_table(
        "suppression",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("scope", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_by", sa.String(length=200), nullable=True),
        sa.Column("lift_reason", sa.String(length=500), nullable=True),
        sa.CheckConstraint("scope IN ('all', 'voice', 'sms')", name=op.f("ck_suppression_scope")),
        sa.CheckConstraint(
            "source IN ('keypress', 'spoken', 'stop_message', 'manual', 'import', 'carrier', 'api')",
            name=op.f("ck_suppression_source"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_suppression_organization_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppression")),
    )
    op.create_index(
        "uq_suppression_standing",
        "suppression",
        ["organization_id", "number", "scope"],
        unique=True,
        postgresql_where=sa.text("lifted_at IS NULL"),
    )
    op.create_table(
        "user_session",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("user_agent", sa.String(length=400), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["app_user.id"],
            name=op.f("fk_user_session_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_user_session_token_hash")),
    )
    op.create_index(op.f("ix_user_session_user_id"), "user_session", ["user_id"], unique=False)
    op.create_table(
        "agent",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("description", sa.String(length=2000), nullable=False),
        sa.Column("voice", sa.String(length=100), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("greeting", sa.String(length=4000), nullable=False),
        sa.Column("prompt", sa.String(length=10000), nullable=False),
        sa.Column("max_concurrent_calls", sa.Integer(), nullable=False),
        sa.Column("default_phone_number_id", sa.BigInteger(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["default_phone_number_id"],
            ["phone_number.id"],
            name=op.f("fk_agent_default_phone_number_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_agent_organization_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent")),
        sa.UniqueConstraint("public_id", name=op.f("uq_agent_public_id")),
    )
    op.create_index(op.f("ix_agent_organization_id"), "agent", ["organization_id"], unique=False)
    op.create_table(
        "campaign",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("description", sa.String(length=2000), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("status_reason", sa.String(length=1000), nullable=False),
        sa.Column("agent_id", sa.BigInteger(), nullable=True),
        sa.Column("phone_number_id", sa.BigInteger(), nullable=True),
        sa.Column("carrier_account_id", sa.BigInteger(), nullable=True),
        sa.Column("fallback_values", postgresql.JSONB(astext_type=sa.String()), nullable=False),
        sa.Column(
            "variable_mappings",
            postgresql.JSONB(astext_type=sa.String()),
            nullable=False,
        ),
        sa.Column("missing", sa.String(length=20), nullable=False),
        sa.Column("company_meaning", sa.String(length=20), nullable=False),
        sa.Column("schedule_type", sa.String(length=20), nullable=False),
        sa.Column("scheduled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("allowed_start", sa.Time(), nullable=True),
        sa.Column("allowed_end", sa.Time(), nullable=True),
        sa.Column("allowed_days", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("concurrent_limit", sa.Integer(), nullable=False),
        sa.Column("rate_limit_per_minute", sa.Integer(), nullable=False),
        sa.Column("throttle_delay_ms", sa.Integer(), nullable=False),
        sa.Column("messages_per_second", sa.Integer(), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("retry_delay_minutes", sa.Integer(), nullable=False),
        sa.Column("retry_on", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("ring_timeout_seconds", sa.Integer(), nullable=False),
        sa.Column("time_limit_seconds", sa.Integer(), nullable=False),
        sa.Column("enable_voicemail_detection", sa.Boolean(), nullable=False),
        sa.Column("gate_rule", sa.String(length=50), nullable=True),
        sa.Column("gate_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("gate_why", sa.String(length=500), nullable=True),
        sa.Column("next_position", sa.Integer(), nullable=False),
        sa.Column("pool_cursor", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("channel IN ('call', 'sms', 'mixed')", name=op.f("ck_campaign_channel")),
        sa.CheckConstraint(
            "company_meaning IN ('organization', 'contact')",
            name=op.f("ck_campaign_company_meaning"),
        ),
        sa.CheckConstraint(
            "missing IN ('fallback', 'keep', 'blank', 'skip')",
            name=op.f("ck_campaign_missing"),
        ),
        sa.CheckConstraint(
            "schedule_type IN ('immediate', 'scheduled')",
            name=op.f("ck_campaign_schedule_type"),
        ),
        sa.CheckConstraint(
            "status IN ('draft', 'scheduled', 'queued', 'running', 'paused', 'completed', 'cancelled', 'failed')",
            name=op.f("ck_campaign_status"),
        ),
        sa.CheckConstraint(
            "concurrent_limit BETWEEN 1 AND 100000",
            name=op.f("ck_campaign_concurrent_limit"),
        ),
        sa.CheckConstraint("max_attempts BETWEEN 1 AND 20", name=op.f("ck_campaign_max_attempts")),
        sa.CheckConstraint(
            "rate_limit_per_minute BETWEEN 0 AND 100000",
            name=op.f("ck_campaign_rate_limit"),
        ),
        sa.ForeignKeyConstraint(
            ["agent_id"],
            ["agent.id"],
            name=op.f("fk_campaign_agent_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["carrier_account_id"],
            ["carrier_account.id"],
            name=op.f("fk_campaign_carrier_account_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_campaign_organization_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["phone_number_id"],
            ["phone_number.id"],
            name=op.f("fk_campaign_phone_number_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign")),
        sa.UniqueConstraint("public_id", name=op.f("uq_campaign_public_id")),
    )
    op.create_index(op.f("ix_campaign_agent_id"), "campaign", ["agent_id"], unique=False)
    op.create_index(
        op.f("ix_campaign_carrier_account_id"),
        "campaign",
        ["carrier_account_id"],
        unique=False,
    )
    op.create_index(
        "ix_campaign_dialing",
        "campaign",
        ["status"],
        unique=False,
        postgresql_where=sa.text("status IN ('scheduled','queued','running')"),
    )
    op.create_index(
        "ix_campaign_list",
        "campaign",
        ["organization_id", sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        op.f("ix_campaign_phone_number_id"),
        "campaign",
        ["phone_number_id"],
        unique=False,
    )
    op.create_table(
        "campaign_number",
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("phone_number_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["campaign.id"],
            name=op.f("fk_campaign_number_campaign_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["phone_number_id"],
            ["phone_number.id"],
            name=op.f("fk_campaign_number_phone_number_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("campaign_id", "phone_number_id", name=op.f("pk_campaign_number")),
    )
    op.create_table(
        "campaign_transition",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("old", sa.String(), nullable=False),
        sa.Column("new", sa.String(), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["campaign.id"],
            name=op.f("fk_campaign_transition_campaign_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_transition")),
    )
    op.create_index(
        op.f("ix_campaign_transition_campaign_id"),
        "campaign_transition",
        ["campaign_id"],
        unique=False,
    )
    op.create_table(
        "contact_import",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("file_name", sa.String(length=255), nullable=False),
        sa.Column("file_bytes", sa.Integer(), nullable=False),
        sa.Column("format", sa.String(length=10), nullable=False),
        sa.Column("encoding", sa.String(length=20), nullable=False),
        sa.Column("delimiter", sa.String(length=1), nullable=False),
        sa.Column("mapping", postgresql.JSONB(astext_type=sa.String()), nullable=False),
        sa.Column("rows_done", sa.Integer(), nullable=False),
        sa.Column("rows_total", sa.Integer(), nullable=True),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("duplicates", sa.Integer(), nullable=False),
        sa.Column("suppressed", sa.Integer(), nullable=False),
        sa.Column("warnings", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(length=1000), nullable=True),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('uploaded', 'queued', 'running', 'completed', 'failed', 'cancelled')",
            name=op.f("ck_contact_import_status"),
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["campaign.id"],
            name=op.f("fk_contact_import_campaign_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_contact_import_organization_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_import")),
        sa.UniqueConstraint("public_id", name=op.f("uq_contact_import_public_id")),
    )
    op.create_index(
        op.f("ix_contact_import_campaign_id"),
        "contact_import",
        ["campaign_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_contact_import_organization_id"),
        "contact_import",
        ["organization_id"],
        unique=False,
    )
    op.create_table(
        "run",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["campaign.id"],
            name=op.f("fk_run_campaign_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
        sa.UniqueConstraint("campaign_id", "number", name=op.f("uq_run_campaign_id_number")),
    )
    op.create_table(
        "step",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("welcome_message_template", sa.String(length=10000), nullable=False),
        sa.Column("agenda_template", sa.String(length=10000), nullable=False),
        sa.Column("question_template", sa.String(length=10000), nullable=False),
        sa.Column("end_call_message_template", sa.String(length=10000), nullable=False),
        sa.Column("sms_message_template", sa.String(length=10000), nullable=False),
        sa.CheckConstraint("channel IN ('call', 'sms', 'mixed')", name=op.f("ck_step_channel")),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["campaign.id"],
            name=op.f("fk_step_campaign_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_step")),
        sa.UniqueConstraint("campaign_id", "position", name=op.f("uq_step_campaign_id_position")),
    )
    op.create_table(
        "import_chunk",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("import_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"],
            ["contact_import.id"],
            name=op.f("fk_import_chunk_import_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_chunk")),
        sa.UniqueConstraint("import_id", "position", name=op.f("uq_import_chunk_import_id_position")),
    )
    op.create_table(
        "import_issue",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("import_id", sa.BigInteger(), nullable=False),
        sa.Column("row_number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("row", postgresql.JSONB(astext_type=sa.String()), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"],
            ["contact_import.id"],
            name=op.f("fk_import_issue_import_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_issue")),
    )
    op.create_index(op.f("ix_import_issue_import_id"), "import_issue", ["import_id"], unique=False)
    op.create_table(
        "recipient",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("step_id", sa.BigInteger(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("attempts_made", sa.Integer(), nullable=False),
        sa.Column("attempts_allowed", sa.Integer(), nullable=True),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("blocked_by", sa.String(length=50), nullable=True),
        sa.Column("blocked_why", sa.String(length=500), nullable=True),
        sa.Column("last_disposition", sa.String(length=20), nullable=True),
        sa.Column("last_attempt_id", sa.Uuid(), nullable=True),
        sa.Column("last_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.String(length=500), nullable=True),
        sa.Column("variables", postgresql.JSONB(astext_type=sa.String()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "last_disposition IN ('answered', 'voicemail', 'no_answer', 'busy', 'rejected', 'invalid_number', 'carrier_error', 'delivered', 'undelivered', 'opted_out', 'cancelled')",
            name=op.f("ck_recipient_last_disposition"),
        ),
        sa.CheckConstraint(
            "status IN ('pending', 'in_progress', 'completed', 'failed', 'no_answer', 'busy', 'voicemail', 'skipped', 'cancelled')",
            name=op.f("ck_recipient_status"),
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["campaign.id"],
            name=op.f("fk_recipient_campaign_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"],
            ["contact.id"],
            name=op.f("fk_recipient_contact_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_recipient_organization_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_recipient_run_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["step_id"],
            ["step.id"],
            name=op.f("fk_recipient_step_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recipient")),
        sa.UniqueConstraint("run_id", "contact_id", name=op.f("uq_recipient_run_id_contact_id")),
    )
    op.create_index("ix_recipient_contact", "recipient", ["contact_id"], unique=False)
    op.create_index(
        "ix_recipient_due",
        "recipient",
        ["campaign_id", "not_before", "position"],
        unique=False,
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_index("ix_recipient_list", "recipient", ["campaign_id", "position"], unique=False)
    op.create_index(
        "ix_recipient_status",
        "recipient",
        ["campaign_id", "status", "position"],
        unique=False,
    )
    op.create_table(
        "attempt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("step_id", sa.BigInteger(), nullable=False),
        sa.Column("recipient_id", sa.BigInteger(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("agent_id", sa.BigInteger(), nullable=True),
        sa.Column("carrier_account_id", sa.BigInteger(), nullable=False),
        sa.Column("phone_number_id", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("number_from", sa.String(length=16), nullable=False),
        sa.Column("number_to", sa.String(length=16), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("rendered", postgresql.JSONB(astext_type=sa.String()), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("disposition", sa.String(length=20), nullable=True),
        sa.Column("provider_id", sa.String(length=64), nullable=True),
        sa.Column("reserved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reserved_by", sa.String(length=100), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ringing_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_event_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deadline_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_as", sa.String(length=20), nullable=True),
        sa.Column("answered_by", sa.String(length=20), nullable=True),
        sa.Column("duration_seconds", sa.Integer(), nullable=True),
        sa.Column("sip_code", sa.Integer(), nullable=True),
        sa.Column("error_code", sa.Integer(), nullable=True),
        sa.Column("error_message", sa.String(length=1000), nullable=True),
        sa.Column("failure", sa.String(length=20), nullable=True),
        sa.Column("reply", sa.String(length=1000), nullable=True),
        sa.Column("replied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opted_out", sa.Boolean(), nullable=False),
        sa.Column("conflict", sa.Boolean(), nullable=False),
        sa.Column("price", sa.Numeric(precision=12, scale=5), nullable=True),
        sa.Column("price_unit", sa.String(length=3), nullable=True),
        sa.Column("price_asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "answered_by IN ('human', 'machine', 'fax', 'unknown')",
            name=op.f("ck_attempt_answered_by"),
        ),
        sa.CheckConstraint("channel IN ('call', 'sms', 'mixed')", name=op.f("ck_attempt_channel")),
        sa.CheckConstraint(
            "disposition IN ('answered', 'voicemail', 'no_answer', 'busy', 'rejected', 'invalid_number', 'carrier_error', 'delivered', 'undelivered', 'opted_out', 'cancelled')",
            name=op.f("ck_attempt_disposition"),
        ),
        sa.CheckConstraint(
            "ended_as IN ('queued', 'initiated', 'ringing', 'answered', 'completed', 'busy', 'no_answer', 'failed', 'cancelled', 'sending', 'sent', 'delivered', 'undelivered', 'replied', 'opted_out', 'unknown')",
            name=op.f("ck_attempt_ended_as"),
        ),
        sa.CheckConstraint(
            "failure IN ('bad_number', 'opted_out', 'rejected', 'misconfigured', 'content', 'transient', 'throttled', 'sender_health')",
            name=op.f("ck_attempt_failure"),
        ),
        sa.CheckConstraint(
            "status IN ('placing', 'unknown', 'not_placed', 'review', 'queued', 'ringing', 'in_progress', 'sent', 'completed', 'delivered', 'undelivered', 'failed')",
            name=op.f("ck_attempt_status"),
        ),
        sa.ForeignKeyConstraint(
            ["agent_id"],
            ["agent.id"],
            name=op.f("fk_attempt_agent_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["campaign.id"],
            name=op.f("fk_attempt_campaign_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["carrier_account_id"],
            ["carrier_account.id"],
            name=op.f("fk_attempt_carrier_account_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"],
            ["contact.id"],
            name=op.f("fk_attempt_contact_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_attempt_organization_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["phone_number_id"],
            ["phone_number.id"],
            name=op.f("fk_attempt_phone_number_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["recipient_id"],
            ["recipient.id"],
            name=op.f("fk_attempt_recipient_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_attempt_run_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["step_id"],
            ["step.id"],
            name=op.f("fk_attempt_step_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt")),
        sa.UniqueConstraint("recipient_id", "ordinal", name=op.f("uq_attempt_recipient_id_ordinal")),
    )
    op.create_index(
        "ix_attempt_campaign_reserved",
        "attempt",
        ["campaign_id", "reserved_at"],
        unique=False,
    )
    op.create_index(
        "ix_attempt_carrier_reserved",
        "attempt",
        ["carrier_account_id", "reserved_at"],
        unique=False,
    )
    op.create_index(
        "ix_attempt_deadline",
        "attempt",
        ["deadline_at"],
        unique=False,
        postgresql_where=sa.text("deadline_at IS NOT NULL"),
    )
    op.create_index(
        "ix_attempt_live_agent",
        "attempt",
        ["agent_id"],
        unique=False,
        postgresql_where=sa.text(
            "status IN ('in_progress', 'placing', 'queued', 'review', 'ringing', 'unknown')"
        ),
    )
    op.create_index(
        "ix_attempt_live_campaign",
        "attempt",
        ["campaign_id"],
        unique=False,
        postgresql_where=sa.text(
            "status IN ('in_progress', 'placing', 'queued', 'review', 'ringing', 'unknown')"
        ),
    )
    op.create_index(
        "ix_attempt_live_organization",
        "attempt",
        ["organization_id"],
        unique=False,
        postgresql_where=sa.text(
            "status IN ('in_progress', 'placing', 'queued', 'review', 'ringing', 'unknown')"
        ),
    )
    op.create_index(
        "ix_attempt_number_reserved",
        "attempt",
        ["organization_id", "number_to", "reserved_at"],
        unique=False,
    )
    op.create_index(
        "ix_attempt_phone_number", "attempt", ["phone_number_id", "channel", "status"], unique=False
    )
    op.create_index("ix_attempt_recipient", "attempt", ["recipient_id", "ordinal"], unique=False)
    op.create_index(
        "ix_attempt_unpriced",
        "attempt",
        ["carrier_account_id", sa.literal_column("coalesce(ended_at, placed_at)")],
        unique=False,
        postgresql_where=sa.text(
            "price IS NULL AND provider_id IS NOT NULL AND status IN ('completed', 'sent', 'delivered', 'undelivered')"
        ),
    )
    op.create_index(
        "uq_attempt_live_number",
        "attempt",
        ["carrier_account_id", "number_to"],
        unique=True,
        postgresql_where=sa.text(
            "status IN ('in_progress', 'placing', 'queued', 'review', 'ringing', 'unknown')"
        ),
    )
    op.create_index(
        "uq_attempt_provider_id",
        "attempt",
        ["carrier_account_id", "provider_id"],
        unique=True,
        postgresql_where=sa.text("provider_id IS NOT NULL"),
    )
    op.create_table(
        "recipient_transition",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("recipient_id", sa.BigInteger(), nullable=False),
        sa.Column("old", sa.String(), nullable=False),
        sa.Column("new", sa.String(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("attempt_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["recipient_id"],
            ["recipient.id"],
            name=op.f("fk_recipient_transition_recipient_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recipient_transition")),
    )
    op.create_index(
        "ix_recipient_transition_recipient",
        "recipient_transition",
        ["recipient_id", "id"],
        unique=False,
    )
    op.create_table(
        "attempt_turn",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("dedupe_key", sa.String(length=100), nullable=False),
        sa.Column("speaker", sa.String(length=20), nullable=False),
        sa.Column("text", sa.String(length=10000), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["attempt_id"],
            ["attempt.id"],
            name=op.f("fk_attempt_turn_attempt_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt_turn")),
        sa.UniqueConstraint(
            "attempt_id",
            "dedupe_key",
            name=op.f("uq_attempt_turn_attempt_id_dedupe_key"),
        ),
    )
    op.create_index(op.f("ix_attempt_turn_attempt_id"), "attempt_turn", ["attempt_id"], unique=False)
    op.create_table(
        "provider_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("carrier_account_id", sa.BigInteger(), nullable=False),
        sa.Column("attempt_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("dedupe_key", sa.String(length=200), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.String()), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["attempt_id"],
            ["attempt.id"],
            name=op.f("fk_provider_event_attempt_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["carrier_account_id"],
            ["carrier_account.id"],
            name=op.f("fk_provider_event_carrier_account_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_event")),
        sa.UniqueConstraint(
            "carrier_account_id",
            "dedupe_key",
            name=op.f("uq_provider_event_carrier_account_id_dedupe_key"),
        ),
    )
    op.create_index(
        "ix_provider_event_attempt",
        "provider_event",
        ["attempt_id", "id"],
        unique=False,
    )


def downgrade() -> None:
    """Take back."""
    op.drop_index("ix_provider_event_attempt", table_name="provider_event")
    op.drop_table("provider_event")
    op.drop_index(op.f("ix_attempt_turn_attempt_id"), table_name="attempt_turn")
    op.drop_table("attempt_turn")
    op.drop_index("ix_recipient_transition_recipient", table_name="recipient_transition")
    op.drop_table("recipient_transition")
    op.drop_index(
        "uq_attempt_provider_id",
        table_name="attempt",
        postgresql_where=sa.text("provider_id IS NOT NULL"),
    )
    op.drop_index(
        "uq_attempt_live_number",
        table_name="attempt",
        postgresql_where=sa.text(
            "status IN ('in_progress', 'placing', 'queued', 'review', 'ringing', 'unknown')"
        ),
    )
    op.drop_index(
        "ix_attempt_unpriced",
        table_name="attempt",
        postgresql_where=sa.text(
            "price IS NULL AND provider_id IS NOT NULL AND status IN ('completed', 'sent', 'delivered', 'undelivered')"
        ),
    )
    op.drop_index("ix_attempt_recipient", table_name="attempt")
    op.drop_index("ix_attempt_phone_number", table_name="attempt")
    op.drop_index("ix_attempt_number_reserved", table_name="attempt")
    op.drop_index(
        "ix_attempt_live_organization",
        table_name="attempt",
        postgresql_where=sa.text(
            "status IN ('in_progress', 'placing', 'queued', 'review', 'ringing', 'unknown')"
        ),
    )
    op.drop_index(
        "ix_attempt_live_campaign",
        table_name="attempt",
        postgresql_where=sa.text(
            "status IN ('in_progress', 'placing', 'queued', 'review', 'ringing', 'unknown')"
        ),
    )
    op.drop_index(
        "ix_attempt_live_agent",
        table_name="attempt",
        postgresql_where=sa.text(
            "status IN ('in_progress', 'placing', 'queued', 'review', 'ringing', 'unknown')"
        ),
    )
    op.drop_index(
        "ix_attempt_deadline",
        table_name="attempt",
        postgresql_where=sa.text("deadline_at IS NOT NULL"),
    )
    op.drop_index("ix_attempt_carrier_reserved", table_name="attempt")
    op.drop_index("ix_attempt_campaign_reserved", table_name="attempt")
    op.drop_table("attempt")
    op.drop_index("ix_recipient_status", table_name="recipient")
    op.drop_index("ix_recipient_list", table_name="recipient")
    op.drop_index(
        "ix_recipient_due",
        table_name="recipient",
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.drop_index("ix_recipient_contact", table_name="recipient")
    op.drop_table("recipient")
    op.drop_index(op.f("ix_import_issue_import_id"), table_name="import_issue")
    op.drop_table("import_issue")
    op.drop_table("import_chunk")
    op.drop_table("step")
    op.drop_table("run")
    op.drop_index(op.f("ix_contact_import_organization_id"), table_name="contact_import")
    op.drop_index(op.f("ix_contact_import_campaign_id"), table_name="contact_import")
    op.drop_table("contact_import")
    op.drop_index(op.f("ix_campaign_transition_campaign_id"), table_name="campaign_transition")
    op.drop_table("campaign_transition")
    op.drop_table("campaign_number")
    op.drop_index(op.f("ix_campaign_phone_number_id"), table_name="campaign")
    op.drop_index("ix_campaign_list", table_name="campaign")
    op.drop_index(
        "ix_campaign_dialing",
        table_name="campaign",
        postgresql_where=sa.text("status IN ('scheduled','queued','running')"),
    )
    op.drop_index(op.f("ix_campaign_carrier_account_id"), table_name="campaign")
    op.drop_index(op.f("ix_campaign_agent_id"), table_name="campaign")
    op.drop_table("campaign")
    op.drop_index(op.f("ix_agent_organization_id"), table_name="agent")
    op.drop_table("agent")
    op.drop_index(op.f("ix_user_session_user_id"), table_name="user_session")
    op.drop_table("user_session")
    op.drop_index(
        "uq_suppression_standing",
        table_name="suppression",
        postgresql_where=sa.text("lifted_at IS NULL"),
    )
    op.drop_table("suppression")
    op.drop_index(op.f("ix_sign_in_ticket_user_id"), table_name="sign_in_ticket")
    op.drop_table("sign_in_ticket")
    op.drop_table("phone_number")
    op.drop_index(op.f("ix_member_user_id"), table_name="member")
    op.drop_table("member")
    op.drop_table("idempotency_key")
    op.drop_index("ix_contact_newest", table_name="contact")
    op.drop_index("ix_contact_name", table_name="contact")
    op.drop_table("contact")
    op.drop_index(
        "ix_api_key_live",
        table_name="api_key",
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.drop_table("api_key")
    op.drop_table("worker_heartbeat")
    op.drop_index("ix_sign_in_failure_email_at", table_name="sign_in_failure")
    op.drop_index("ix_sign_in_failure_address_at", table_name="sign_in_failure")
    op.drop_table("sign_in_failure")
    op.drop_table("setup_link")
    op.drop_table("organization")
    op.drop_table("carrier_account")
    op.drop_table("app_user")
