"""baseline: every table of the schema.

Revision: b5a3e0c41d97; follows: ; created 2026-12-01 10:10:00.

It makes the schema that six earlier revisions made, down to the names of constraints; only the columns are in the
order of the models. Some columns have a default that no model declares: statements that do not name them rely on it.
A database at the last of the six counts as one at this revision (see `app.runtime.migrations`).
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision: str = "b5a3e0c41d97"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_TABLES = (
    "organization",
    "app_user member api_key",
    "user_session sign_in_ticket known_browser sign_in_failure setup_link",
    "idempotency_key worker_heartbeat installation",
    "carrier_account phone_number",
    "agent",
    "contact",
    "segment bulk_change",
    "suppression suppression_import",
    "campaign",
    "campaign_number run step campaign_transition breaker_trip",
    "audience",
    "contact_import",
    "import_chunk import_batch import_change import_mapping import_issue",
    "recipient recipient_transition",
    "attempt",
    "attempt_turn provider_event second_call",
)
"""In the order in which `upgrade` makes them."""

_ROLES = "owner manager operator viewer"
_CHANNELS = "call sms mixed"
_DISPOSITIONS = (
    "answered voicemail no_answer busy rejected invalid_number carrier_error "
    "delivered undelivered opted_out cancelled"
)
_LIVE = "status IN ('in_progress', 'placing', 'queued', 'review', 'ringing', 'unknown')"
_PARTS = """
    CASE WHEN channel <> 'sms' THEN 0
    WHEN octet_length(rendered ->> 'body') = length(rendered ->> 'body')
        THEN CASE WHEN length(rendered ->> 'body') <= 160 THEN 1
            ELSE (length(rendered ->> 'body') + 152) / 153 END
    WHEN length(rendered ->> 'body') <= 70 THEN 1
    ELSE coalesce((length(rendered ->> 'body') + 66) / 67, 1) END
"""


def upgrade() -> None:
    """Apply."""
    _organizations()
    _users()
    _signing_in()
    _operations()
    _carriers_and_numbers()
    _agents()
    _contacts()
    _segments_and_bulk_changes()
    _suppressions()
    _campaigns()
    _parts_of_campaigns()
    _audiences()
    _imports()
    _parts_of_imports()
    _recipients()
    _attempts()
    _indexes_of_attempts()
    _events_of_attempts()


def downgrade() -> None:
    """Take back."""
    for tables in reversed(_TABLES):
        for table in reversed(tables.split()):
            op.drop_table(table)


def _organizations() -> None:
    op.create_table(
        "organization",
        _id(),
        _public_id(),
        _column("slug", sa.String(63)),
        _column("name", sa.String(200)),
        _column("outbound_limit", sa.Integer()),
        _column("frequency_cap", sa.Integer(), default="3"),
        _column("frequency_cap_hours", sa.Integer(), default="24"),
        _column("default_region", sa.String(2)),
        _column("time_zone", sa.String()),
        _column("strict_numbers", sa.Boolean()),
        *_keys("default_phone_number_id", nullable=True),
        *_moments("dialing_stopped_at", nullable=True),
        _column("dialing_stopped_by", sa.String(), nullable=True),
        *_moments("created_at"),
        _primary_key("organization", "id"),
        _unique("organization", "public_id"),
        _unique("organization", "slug"),
    )


def _users() -> None:
    op.create_table(
        "app_user",
        _id(),
        _column("email", sa.String(320)),
        _column("name", sa.String(200)),
        _column("password_hash", sa.String()),
        *_moments("created_at"),
        _primary_key("app_user", "id"),
        _unique("app_user", "email"),
    )
    op.create_table(
        "member",
        _id(),
        *_keys("organization_id", "user_id"),
        _column("role", sa.String(20)),
        *_moments("created_at"),
        _primary_key("member", "id"),
        _reference("member", "organization_id", "organization"),
        _reference("member", "user_id", "app_user"),
        _unique("member", "organization_id", "user_id"),
        _one_of("member", "role", _ROLES),
    )
    _index("ix_member_user_id", "member", "user_id")
    op.create_table(
        "api_key",
        _id(),
        *_keys("organization_id"),
        _column("name", sa.String(200)),
        _column("prefix", sa.String(16)),
        _column("key_hash", sa.String()),
        _column("role", sa.String(20)),
        *_moments("created_at"),
        *_moments("last_used_at", "revoked_at", nullable=True),
        _primary_key("api_key", "id"),
        _reference("api_key", "organization_id", "organization"),
        _unique("api_key", "key_hash"),
        _one_of("api_key", "role", _ROLES),
    )
    _index("ix_api_key_live", "api_key", "organization_id", where="revoked_at IS NULL")


def _signing_in() -> None:
    op.create_table(
        "user_session",
        _id(),
        _column("token_hash", sa.String()),
        *_keys("user_id"),
        *_moments("created_at", "expires_at"),
        *_moments("revoked_at", nullable=True),
        _column("user_agent", sa.String(400)),
        _primary_key("user_session", "id"),
        _reference("user_session", "user_id", "app_user"),
        _unique("user_session", "token_hash"),
    )
    _index("ix_user_session_user_id", "user_session", "user_id")
    op.create_table(
        "sign_in_ticket",
        _column("token_hash", sa.String()),
        *_keys("user_id"),
        _column("next_path", sa.String()),
        *_moments("expires_at"),
        *_moments("used_at", nullable=True),
        _primary_key("sign_in_ticket", "token_hash"),
        _reference("sign_in_ticket", "user_id", "app_user"),
    )
    _index("ix_sign_in_ticket_user_id", "sign_in_ticket", "user_id")
    op.create_table(
        "known_browser",
        _id(),
        _column("token_hash", sa.String()),
        *_keys("user_id"),
        *_moments("expires_at"),
        _primary_key("known_browser", "id"),
        _reference("known_browser", "user_id", "app_user"),
        _unique("known_browser", "token_hash", "user_id"),
    )
    _index("ix_known_browser_user_id", "known_browser", "user_id")
    op.create_table(
        "sign_in_failure",
        _id(),
        _column("email", sa.String(320)),
        _column("address", sa.String(64)),
        *_keys("browser_id", nullable=True),
        *_moments("at"),
        _primary_key("sign_in_failure", "id"),
        _reference("sign_in_failure", "browser_id", "known_browser"),
    )
    _index("ix_sign_in_failure_address_at", "sign_in_failure", "address, at")
    _index("ix_sign_in_failure_browser_at", "sign_in_failure", "browser_id, at")
    _index("ix_sign_in_failure_email_at", "sign_in_failure", "email, at")
    op.create_table(
        "setup_link",
        _column("token_hash", sa.String()),
        *_moments("created_at", "expires_at"),
        *_moments("used_at", nullable=True),
        _primary_key("setup_link", "token_hash"),
    )


def _operations() -> None:
    op.create_table(
        "idempotency_key",
        _id(),
        *_keys("organization_id"),
        _column("key", sa.String(255)),
        _column("request_hash", sa.String()),
        _column("status_code", sa.Integer(), nullable=True),
        _json("body", nullable=True),
        *_moments("created_at"),
        _primary_key("idempotency_key", "id"),
        _reference("idempotency_key", "organization_id", "organization"),
        _unique("idempotency_key", "organization_id", "key"),
    )
    op.create_table(
        "worker_heartbeat",
        _column("worker", sa.String(100)),
        _column("queue", sa.String(20)),
        *_moments("started_at", "seen_at"),
        _primary_key("worker_heartbeat", "worker"),
    )
    op.create_table(
        "installation",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        _column("secret_digest", sa.String(64)),
        *_moments("secret_since"),
        _primary_key("installation", "id"),
        _check("installation", "only_one", "id = 1"),
    )


def _carriers_and_numbers() -> None:
    op.create_table(
        "carrier_account",
        _id(),
        _column("kind", sa.String()),
        _column("account_sid", sa.String()),
        _column("api_url", sa.String()),
        _column("simulated", sa.Boolean()),
        _column("calls_per_second", sa.Integer()),
        *_moments("created_at"),
        _primary_key("carrier_account", "id"),
        _unique("carrier_account", "kind", "account_sid", "api_url"),
    )
    op.create_table(
        "phone_number",
        _id(),
        _public_id(),
        *_keys("organization_id"),
        *_keys("carrier_account_id", nullable=True),
        _column("number", sa.String(16)),
        _column("label", sa.String(200)),
        _column("voice", sa.Boolean()),
        _column("sms", sa.Boolean()),
        _column("active", sa.Boolean()),
        _column("inactive_why", sa.String(500)),
        _column("daily_cap", sa.Integer(), default="0"),
        _column("burst_cap", sa.Integer(), default="0"),
        _column("burst_minutes", sa.Integer(), default="10"),
        _column("cool_down_minutes", sa.Integer(), default="30"),
        _column("rest", sa.String(20), nullable=True),
        _column("rest_why", sa.String(500), default=""),
        *_moments("rested_at", "resting_until", nullable=True),
        _column("inbound_problem", sa.String(500)),
        *_moments("inbound_checked_at", nullable=True),
        *_moments("created_at", "updated_at"),
        _primary_key("phone_number", "id"),
        _reference("phone_number", "organization_id", "organization"),
        _reference("phone_number", "carrier_account_id", "carrier_account", on_delete="SET NULL"),
        _unique("phone_number", "public_id"),
        _unique("phone_number", "organization_id", "number"),
        _one_of("phone_number", "rest", "flagged low_answer_rate manual"),
    )
    _index("uq_phone_number_active", "phone_number", "number", unique=True, where="active")


def _agents() -> None:
    op.create_table(
        "agent",
        _id(),
        _public_id(),
        *_keys("organization_id"),
        _column("name", sa.String(200)),
        _column("description", sa.String(2000)),
        _column("voice", sa.String(100)),
        _column("language", sa.String(20)),
        _column("greeting", sa.String(4000)),
        _column("prompt", sa.String(10000)),
        _column("max_concurrent_calls", sa.Integer()),
        *_keys("default_phone_number_id", nullable=True),
        _column("active", sa.Boolean()),
        *_moments("created_at", "updated_at"),
        _primary_key("agent", "id"),
        _reference("agent", "organization_id", "organization"),
        _reference("agent", "default_phone_number_id", "phone_number", on_delete="SET NULL"),
        _unique("agent", "public_id"),
    )
    _index("ix_agent_organization_id", "agent", "organization_id")


def _contacts() -> None:
    op.create_table(
        "contact",
        _id(),
        *_keys("organization_id"),
        _column("number", sa.String(16)),
        _column("name", sa.String(200)),
        _column("first_name", sa.String(100)),
        _column("last_name", sa.String(100)),
        _column("email", sa.String(320)),
        _column("company", sa.String(200)),
        _column("time_zone", sa.String(64)),
        _column("language", sa.String(20)),
        _column("country", sa.String(2)),
        _column("state", sa.String(50)),
        _column("notes", sa.String(4000)),
        _column("tags", sa.ARRAY(sa.String())),
        _json("fields"),
        _column("consent", sa.String(20), default="unknown"),
        _column("consent_source", sa.String(200), default=""),
        _column("consent_wording", sa.String(2000), default=""),
        _column("consent_evidence", sa.String(2000), default=""),
        *_moments("consent_at", nullable=True),
        _column("last_outcome", sa.String(20), nullable=True),
        *_moments("last_contacted_at", nullable=True),
        _column("source", sa.String(50)),
        *_keys("import_id", nullable=True),
        *_moments("created_at", "updated_at"),
        _primary_key("contact", "id"),
        _reference("contact", "organization_id", "organization"),
        _unique("contact", "organization_id", "number"),
        _one_of("contact", "consent", "unknown granted denied withdrawn"),
        _one_of("contact", "last_outcome", _DISPOSITIONS),
    )
    _index(
        "ix_contact_import",
        "contact",
        "import_id DESC, created_at DESC, id DESC",
        where="import_id IS NOT NULL",
    )
    _index(
        "ix_contact_last_contacted",
        "contact",
        "organization_id, coalesce(last_contacted_at, '-infinity') DESC, id DESC",
    )
    _index(
        "ix_contact_last_outcome", "contact", "organization_id, last_outcome DESC, created_at DESC, id DESC"
    )
    _index(
        "ix_contact_last_word",
        "contact",
        "organization_id, lower(split_part(name, ' ', -1)) COLLATE \"C\", id",
        where="strpos(name, ' ') > 0",
    )
    _index("ix_contact_name", "contact", 'organization_id, lower(name) COLLATE "C", id')
    _index("ix_contact_newest", "contact", "organization_id, created_at DESC, id DESC")
    _index("ix_contact_tags", "contact", "tags", using="gin")


def _segments_and_bulk_changes() -> None:
    op.create_table(
        "segment",
        _id(),
        _public_id(),
        *_keys("organization_id"),
        _column("name", sa.String(200)),
        _json("rule"),
        _column("created_by", sa.String(200)),
        *_moments("created_at", "updated_at"),
        _primary_key("segment", "id"),
        _reference("segment", "organization_id", "organization"),
        _unique("segment", "public_id"),
    )
    _index("uq_segment_name", "segment", "organization_id, lower(name)", unique=True)
    op.create_table(
        "bulk_change",
        _id(),
        _public_id(),
        *_keys("organization_id"),
        _column("action", sa.String(20)),
        _json("arguments"),
        _json("rule"),
        _column("status", sa.String(20)),
        *_keys("cursor_id", "until_id"),
        _column("matched", sa.Integer()),
        _column("changed", sa.Integer()),
        _column("refused", sa.Integer()),
        _json("refusals"),
        _column("created_by", sa.String(200)),
        *_moments("created_at"),
        *_moments("next_at", "ended_at", nullable=True),
        _primary_key("bulk_change", "id"),
        _reference("bulk_change", "organization_id", "organization"),
        _unique("bulk_change", "public_id"),
        _one_of("bulk_change", "action", "tag untag delete suppress consent"),
        _one_of("bulk_change", "status", "running completed cancelled"),
    )
    _index("ix_bulk_change_due", "bulk_change", "next_at", where="next_at IS NOT NULL")
    _index("ix_bulk_change_organization_id", "bulk_change", "organization_id")


def _suppressions() -> None:
    op.create_table(
        "suppression",
        _id(),
        *_keys("organization_id"),
        _column("number", sa.String(16)),
        _column("scope", sa.String(20)),
        _column("reason", sa.String(500)),
        _column("source", sa.String(20)),
        _column("actor", sa.String(200)),
        *_moments("created_at"),
        *_moments("lifted_at", nullable=True),
        _column("lifted_by", sa.String(200), nullable=True),
        _column("lift_reason", sa.String(500), nullable=True),
        _primary_key("suppression", "id"),
        _reference("suppression", "organization_id", "organization"),
        _one_of("suppression", "scope", "all voice sms"),
        _one_of("suppression", "source", "keypress spoken stop_message manual import carrier api"),
    )
    _index("ix_suppression_newest", "suppression", "organization_id, id DESC")
    _index("ix_suppression_number", "suppression", "organization_id, number, id")
    _index(
        "uq_suppression_standing",
        "suppression",
        "organization_id, number, scope",
        unique=True,
        where="lifted_at IS NULL",
    )
    op.create_table(
        "suppression_import",
        _id(),
        *_keys("organization_id"),
        _column("file_name", sa.String(255)),
        _column("added", sa.Integer()),
        _column("known", sa.Integer()),
        _column("rejected", sa.Integer()),
        _json("issues"),
        _column("created_by", sa.String(200)),
        *_moments("created_at"),
        _primary_key("suppression_import", "id"),
        _reference("suppression_import", "organization_id", "organization"),
    )
    _index("ix_suppression_import_organization_id", "suppression_import", "organization_id")


def _campaigns() -> None:
    op.create_table(
        "campaign",
        _id(),
        _public_id(),
        *_keys("organization_id"),
        _column("name", sa.String(200)),
        _column("description", sa.String(2000)),
        _column("channel", sa.String(20)),
        _column("status", sa.String(20)),
        _column("status_reason", sa.String(1000)),
        *_keys("agent_id", "phone_number_id", "carrier_account_id", nullable=True),
        _json("fallback_values"),
        _json("variable_mappings"),
        _column("missing", sa.String(20)),
        _column("company_meaning", sa.String(20)),
        _column("schedule_type", sa.String(20)),
        *_moments("scheduled_at", nullable=True),
        _column("time_zone", sa.String(64)),
        _column("allowed_start", sa.Time(), nullable=True),
        _column("allowed_end", sa.Time(), nullable=True),
        _column("allowed_days", sa.ARRAY(sa.String())),
        *_how_a_campaign_dials(),
        _column("gate_rule", sa.String(50), nullable=True),
        *_moments("gate_until", nullable=True),
        _column("gate_why", sa.String(500), nullable=True),
        _column("next_position", sa.Integer()),
        _column("pool_cursor", sa.Integer()),
        _column("created_by", sa.String(200)),
        *_moments("created_at", "updated_at"),
        *_moments("started_at", "ended_at", nullable=True),
        _primary_key("campaign", "id"),
        _reference("campaign", "organization_id", "organization"),
        _reference("campaign", "agent_id", "agent", on_delete="RESTRICT"),
        _reference("campaign", "phone_number_id", "phone_number", on_delete="RESTRICT"),
        _reference("campaign", "carrier_account_id", "carrier_account", on_delete="RESTRICT"),
        _unique("campaign", "public_id"),
        _one_of("campaign", "channel", _CHANNELS),
        _one_of("campaign", "status", "draft scheduled queued running paused completed cancelled failed"),
        _one_of("campaign", "missing", "fallback keep blank skip"),
        _one_of("campaign", "company_meaning", "organization contact"),
        _one_of("campaign", "schedule_type", "immediate scheduled"),
        _check("campaign", "concurrent_limit", "concurrent_limit BETWEEN 1 AND 100000"),
        _check("campaign", "max_attempts", "max_attempts BETWEEN 1 AND 20"),
        _one_of("campaign", "number_strategy", "round_robin least_used sticky local_presence"),
        _check("campaign", "weight", "weight BETWEEN 1 AND 100"),
        _check("campaign", "rate_limit", "rate_limit_per_minute BETWEEN 0 AND 100000"),
    )
    _index("ix_campaign_agent_id", "campaign", "agent_id")
    _index("ix_campaign_carrier_account_id", "campaign", "carrier_account_id")
    _index("ix_campaign_dialing", "campaign", "status", where="status IN ('scheduled', 'queued', 'running')")
    _index("ix_campaign_list", "campaign", "organization_id, id DESC")
    _index("ix_campaign_phone_number_id", "campaign", "phone_number_id")


def _how_a_campaign_dials() -> list[sa.Column[Any]]:
    return [
        _column("concurrent_limit", sa.Integer()),
        _column("rate_limit_per_minute", sa.Integer()),
        _column("throttle_delay_ms", sa.Integer()),
        _column("messages_per_second", sa.Integer()),
        _column("max_attempts", sa.Integer()),
        _column("retry_delay_minutes", sa.Integer()),
        _column("retry_on", sa.ARRAY(sa.String())),
        _column("retry_delays", sa.ARRAY(sa.Integer()), default="{}"),
        _json("retry_delays_by_outcome", default="{}"),
        _column("retry_back_off", sa.Boolean(), default="false"),
        _column("retry_other_number", sa.Boolean(), default="false"),
        _column("number_strategy", sa.String(20), default="round_robin"),
        _column("weight", sa.Integer(), default="1"),
        _json("breaker", default="{}"),
        *_moments("breaker_since", nullable=True),
        _column("pilot_size", sa.Integer(), default="0"),
        *_moments("pilot_passed_at", nullable=True),
        _column("ramp", sa.Boolean(), default="false"),
        _column("ramp_step", sa.Integer(), default="0"),
        _column("budget_cap", sa.Numeric(12, 2), nullable=True),
        _column("room_left", sa.Integer(), nullable=True),
        *_moments("room_at", nullable=True),
        _column("ring_timeout_seconds", sa.Integer()),
        _column("time_limit_seconds", sa.Integer()),
        _column("enable_voicemail_detection", sa.Boolean()),
    ]


def _parts_of_campaigns() -> None:
    op.create_table(
        "campaign_number",
        *_keys("campaign_id", "phone_number_id"),
        _column("position", sa.Integer()),
        _primary_key("campaign_number", "campaign_id", "phone_number_id"),
        _reference("campaign_number", "campaign_id", "campaign"),
        _reference("campaign_number", "phone_number_id", "phone_number"),
    )
    op.create_table(
        "run",
        _id(),
        *_keys("campaign_id"),
        _column("number", sa.Integer()),
        *_moments("created_at"),
        *_moments("started_at", "ended_at", nullable=True),
        _primary_key("run", "id"),
        _reference("run", "campaign_id", "campaign"),
        _unique("run", "campaign_id", "number"),
    )
    op.create_table(
        "step",
        _id(),
        *_keys("campaign_id"),
        _column("position", sa.Integer()),
        _column("channel", sa.String(20)),
        _column("welcome_message_template", sa.String(10000)),
        _column("agenda_template", sa.String(10000)),
        _column("question_template", sa.String(10000)),
        _column("end_call_message_template", sa.String(10000)),
        _column("sms_message_template", sa.String(10000)),
        _primary_key("step", "id"),
        _reference("step", "campaign_id", "campaign"),
        _unique("step", "campaign_id", "position"),
        _one_of("step", "channel", _CHANNELS),
    )
    op.create_table(
        "campaign_transition",
        _id(),
        *_keys("campaign_id"),
        _column("old", sa.String()),
        _column("new", sa.String()),
        _column("actor", sa.String(200)),
        _column("reason", sa.String(1000)),
        *_moments("at"),
        _primary_key("campaign_transition", "id"),
        _reference("campaign_transition", "campaign_id", "campaign"),
    )
    _index("ix_campaign_transition_campaign_id", "campaign_transition", "campaign_id")
    op.create_table(
        "breaker_trip",
        _id(),
        *_keys("campaign_id"),
        _column("sign", sa.String(30)),
        _column("measured", sa.Float()),
        _column("threshold", sa.Float()),
        _column("window", sa.Integer()),
        _column("attempt_ids", sa.ARRAY(sa.Uuid())),
        *_moments("at"),
        _primary_key("breaker_trip", "id"),
        _reference("breaker_trip", "campaign_id", "campaign"),
    )
    _index("ix_breaker_trip_campaign_id", "breaker_trip", "campaign_id")


def _audiences() -> None:
    op.create_table(
        "audience",
        _id(),
        _public_id(),
        *_keys("organization_id", "campaign_id"),
        _column("mode", sa.String(20)),
        _column("status", sa.String(20)),
        *_keys("segment_id", nullable=True),
        _json("rule"),
        _json("exclude"),
        *_keys("cursor_id", "until_id"),
        _column("added", sa.Integer()),
        _column("already_in", sa.Integer()),
        _column("suppressed", sa.Integer()),
        *_moments("last_at", "next_at", nullable=True),
        _column("created_by", sa.String(200)),
        *_moments("created_at"),
        _primary_key("audience", "id"),
        _reference("audience", "organization_id", "organization"),
        _reference("audience", "campaign_id", "campaign"),
        _reference("audience", "segment_id", "segment", on_delete="RESTRICT"),
        _unique("audience", "public_id"),
        _one_of("audience", "mode", "snapshot standing"),
        _one_of("audience", "status", "adding standing done ended"),
    )
    _index("ix_audience_campaign_id", "audience", "campaign_id")
    _index("ix_audience_due", "audience", "next_at", where="next_at IS NOT NULL")
    _index("ix_audience_segment_id", "audience", "segment_id")


def _imports() -> None:
    op.create_table(
        "contact_import",
        _id(),
        _public_id(),
        *_keys("organization_id"),
        *_keys("campaign_id", nullable=True),
        _column("status", sa.String(20)),
        _column("file_name", sa.String(255)),
        _column("file_bytes", sa.Integer()),
        _column("format", sa.String(10)),
        _column("encoding", sa.String(20)),
        _column("delimiter", sa.String(1)),
        _column("sheet", sa.String(100), default=""),
        _column("sheets", sa.ARRAY(sa.String()), default="{}"),
        _json("head", default="{}"),
        _json("mapping"),
        _column("start_when_read", sa.Boolean(), default="false"),
        _column("rows_done", sa.Integer()),
        _column("rows_total", sa.Integer(), nullable=True),
        _column("accepted", sa.Integer()),
        _column("rejected", sa.Integer()),
        _column("duplicates", sa.Integer()),
        _column("suppressed", sa.Integer()),
        _column("warnings", sa.Integer()),
        _column("in_campaign", sa.Integer(), default="0"),
        _column("known", sa.Integer(), default="0"),
        _column("opted_out", sa.Integer(), default="0"),
        _column("rows_per_second", sa.Float(), default="0"),
        _column("created", sa.Integer(), default="0"),
        _column("updated", sa.Integer(), default="0"),
        _column("recipients_added", sa.Integer(), default="0"),
        *_moments("undone_at", nullable=True),
        _column("undone_by", sa.String(200), nullable=True),
        _json("undo", default="{}"),
        _column("error", sa.String(1000), nullable=True),
        _column("created_by", sa.String(200)),
        *_moments("created_at"),
        *_moments("started_at", "ended_at", nullable=True),
        _primary_key("contact_import", "id"),
        _reference("contact_import", "organization_id", "organization"),
        _reference("contact_import", "campaign_id", "campaign"),
        _unique("contact_import", "public_id"),
        _one_of(
            "contact_import",
            "status",
            "reading uploaded queued running completed failed cancelled undoing undone",
        ),
    )
    _index("ix_contact_import_campaign_id", "contact_import", "campaign_id")
    _index("ix_contact_import_organization_id", "contact_import", "organization_id")


def _parts_of_imports() -> None:
    op.create_table(
        "import_chunk",
        _id(),
        *_keys("import_id"),
        _column("raw", sa.Boolean(), default="false"),
        _column("position", sa.Integer()),
        _column("data", sa.LargeBinary()),
        _primary_key("import_chunk", "id"),
        _reference("import_chunk", "import_id", "contact_import"),
        _unique("import_chunk", "import_id", "raw", "position"),
    )
    op.create_table(
        "import_batch",
        _id(),
        *_keys("import_id"),
        _column("position", sa.Integer()),
        _column("numbers", sa.LargeBinary()),
        _json("place"),
        _primary_key("import_batch", "id"),
        _reference("import_batch", "import_id", "contact_import"),
        _unique("import_batch", "import_id", "position"),
    )
    op.create_table(
        "import_change",
        _id(),
        *_keys("import_id", "contact_id"),
        _json("before"),
        _json("after"),
        _primary_key("import_change", "id"),
        _reference("import_change", "import_id", "contact_import"),
        _reference("import_change", "contact_id", "contact"),
        _unique("import_change", "import_id", "contact_id"),
    )
    _index("ix_import_change_contact_id", "import_change", "contact_id")
    op.create_table(
        "import_mapping",
        _id(),
        *_keys("organization_id"),
        _column("headers_hash", sa.String(64)),
        _json("mapping"),
        *_moments("used_at"),
        _primary_key("import_mapping", "id"),
        _reference("import_mapping", "organization_id", "organization"),
        _unique("import_mapping", "organization_id", "headers_hash"),
    )
    op.create_table(
        "import_issue",
        _id(),
        *_keys("import_id"),
        _column("row_number", sa.Integer()),
        _column("kind", sa.String(20)),
        _column("reason", sa.String(500)),
        _json("row"),
        _primary_key("import_issue", "id"),
        _reference("import_issue", "import_id", "contact_import"),
    )
    _index("ix_import_issue_import_id", "import_issue", "import_id")


def _recipients() -> None:
    op.create_table(
        "recipient",
        _id(),
        *_keys("organization_id", "campaign_id", "step_id", "run_id", "contact_id"),
        _column("position", sa.Integer()),
        _column("status", sa.String(20)),
        _column("attempts_made", sa.Integer()),
        _column("attempts_allowed", sa.Integer(), nullable=True),
        *_moments("not_before"),
        _column("blocked_by", sa.String(50), nullable=True),
        _column("blocked_why", sa.String(500), nullable=True),
        _column("last_disposition", sa.String(20), nullable=True),
        _column("last_attempt_id", sa.Uuid(), nullable=True),
        *_moments("last_attempt_at", nullable=True),
        _column("last_error", sa.String(500), nullable=True),
        *_keys("import_id", "audience_id", nullable=True),
        _json("variables"),
        *_moments("created_at", "updated_at"),
        _primary_key("recipient", "id"),
        _reference("recipient", "run_id", "run"),
        _reference("recipient", "contact_id", "contact", on_delete="RESTRICT"),
        _unique("recipient", "run_id", "contact_id"),
        _one_of(
            "recipient",
            "status",
            "pending in_progress completed failed no_answer busy voicemail skipped cancelled",
        ),
        _one_of("recipient", "last_disposition", _DISPOSITIONS),
    )
    _index("ix_recipient_contact", "recipient", "contact_id")
    _index("ix_recipient_due", "recipient", "campaign_id, not_before, position", where="status = 'pending'")
    _index(
        "ix_recipient_held",
        "recipient",
        "campaign_id, not_before, position",
        where="status = 'pending' AND blocked_by = 'number_in_use'",
    )
    _index("ix_recipient_import", "recipient", "import_id", where="import_id IS NOT NULL")
    _index("ix_recipient_list", "recipient", "campaign_id, position")
    _index("ix_recipient_status", "recipient", "campaign_id, status, position")
    op.create_table(
        "recipient_transition",
        _id(),
        *_keys("recipient_id"),
        _column("old", sa.String()),
        _column("new", sa.String()),
        _column("reason", sa.String(200)),
        _column("attempt_id", sa.Uuid(), nullable=True),
        *_moments("at"),
        _primary_key("recipient_transition", "id"),
        _reference("recipient_transition", "recipient_id", "recipient"),
    )
    _index("ix_recipient_transition_recipient", "recipient_transition", "recipient_id, id")


def _attempts() -> None:
    op.create_table(
        "attempt",
        _column("id", sa.Uuid()),
        *_keys("organization_id", "campaign_id", "run_id", "step_id", "contact_id", "recipient_id"),
        *_keys("agent_id", nullable=True),
        *_keys("carrier_account_id", "phone_number_id"),
        _column("channel", sa.String(20)),
        _column("number_from", sa.String(16)),
        _column("number_to", sa.String(16)),
        _column("ordinal", sa.Integer()),
        _json("rendered"),
        _column("status", sa.String(20)),
        _column("disposition", sa.String(20), nullable=True),
        _column("provider_id", sa.String(64), nullable=True),
        *_moments("reserved_at"),
        _column("reserved_by", sa.String(100)),
        *_moments("placed_at", "responded_at", "ringing_at", "answered_at", nullable=True),
        *_moments("ended_at", "last_event_at", "deadline_at", "closes_at", nullable=True),
        _column("queued_for_ms", sa.Integer(), nullable=True),
        *_moments("hang_up_at", nullable=True),
        _column("hang_up_why", sa.String(200), default=""),
        _column("looks", sa.Integer()),
        *_moments("looked_at", nullable=True),
        *_how_an_attempt_ended(),
        _primary_key("attempt", "id"),
        _reference("attempt", "recipient_id", "recipient"),
        _reference("attempt", "agent_id", "agent", on_delete="RESTRICT"),
        _reference("attempt", "carrier_account_id", "carrier_account", on_delete="RESTRICT"),
        _reference("attempt", "phone_number_id", "phone_number", on_delete="RESTRICT"),
        _unique("attempt", "recipient_id", "ordinal"),
        _one_of("attempt", "channel", _CHANNELS),
        _one_of(
            "attempt",
            "status",
            "placing unknown not_placed review queued ringing in_progress "
            "sent completed delivered undelivered failed",
        ),
        _one_of("attempt", "disposition", _DISPOSITIONS),
        _one_of(
            "attempt",
            "ended_as",
            "queued initiated ringing answered completed busy no_answer failed cancelled "
            "sending sent delivered undelivered replied opted_out unknown",
        ),
        _one_of("attempt", "answered_by", "human machine fax unknown"),
        _one_of(
            "attempt",
            "failure",
            "bad_number opted_out rejected misconfigured content unrecognized tomorrow "
            "transient throttled sender_health",
        ),
    )


def _how_an_attempt_ended() -> list[sa.Column[Any]]:
    return [
        _column("ended_as", sa.String(20), nullable=True),
        _column("answered_by", sa.String(20), nullable=True),
        _column("duration_seconds", sa.Integer(), nullable=True),
        _column("sip_code", sa.Integer(), nullable=True),
        _column("error_code", sa.Integer(), nullable=True),
        _column("error_message", sa.String(1000), nullable=True),
        _column("failure", sa.String(20), nullable=True),
        _column("reply", sa.String(1000), nullable=True),
        *_moments("replied_at", nullable=True),
        _column("opted_out", sa.Boolean()),
        _column("conflict", sa.Boolean()),
        sa.Column("parts", sa.SmallInteger(), sa.Computed(_PARTS, persisted=True), nullable=False),
        _column("price", sa.Numeric(12, 5), nullable=True),
        _column("price_unit", sa.String(3), nullable=True),
        *_moments("price_asked_at", nullable=True),
    ]


def _indexes_of_attempts() -> None:
    _index("ix_attempt_campaign_reserved", "attempt", "campaign_id, reserved_at")
    _index("ix_attempt_carrier_reserved", "attempt", "carrier_account_id, reserved_at")
    _index("ix_attempt_closes", "attempt", "closes_at", where="status = 'queued'")
    _index("ix_attempt_contact", "attempt", "contact_id, reserved_at")
    _index("ix_attempt_deadline", "attempt", "deadline_at", where="deadline_at IS NOT NULL")
    _index("ix_attempt_hang_up", "attempt", "hang_up_at", where="hang_up_at IS NOT NULL")
    _index("ix_attempt_live_campaign", "attempt", "campaign_id", where=_LIVE)
    _index("ix_attempt_live_organization", "attempt", "organization_id", where=_LIVE)
    _index("ix_attempt_number_reserved", "attempt", "organization_id, number_to, reserved_at")
    _index("ix_attempt_phone_number", "attempt", "phone_number_id, channel, status")
    _index("ix_attempt_phone_number_reserved", "attempt", "phone_number_id, reserved_at")
    _index("ix_attempt_settled", "attempt", "campaign_id, ended_at DESC", where="disposition IS NOT NULL")
    _index(
        "ix_attempt_unpriced",
        "attempt",
        "carrier_account_id, coalesce(ended_at, placed_at)",
        where="price IS NULL AND provider_id IS NOT NULL"
        " AND status IN ('completed', 'sent', 'delivered', 'undelivered')",
    )
    _index("uq_attempt_live_number", "attempt", "carrier_account_id, number_to", unique=True, where=_LIVE)
    _index(
        "uq_attempt_provider_id",
        "attempt",
        "carrier_account_id, provider_id",
        unique=True,
        where="provider_id IS NOT NULL",
    )


def _events_of_attempts() -> None:
    op.create_table(
        "attempt_turn",
        _id(),
        _column("attempt_id", sa.Uuid()),
        _column("dedupe_key", sa.String(100)),
        _column("speaker", sa.String(20)),
        _column("text", sa.String(10000)),
        *_moments("at"),
        _primary_key("attempt_turn", "id"),
        _reference("attempt_turn", "attempt_id", "attempt"),
        _unique("attempt_turn", "attempt_id", "dedupe_key"),
    )
    _index("ix_attempt_turn_attempt_id", "attempt_turn", "attempt_id")
    op.create_table(
        "provider_event",
        _id(),
        *_keys("carrier_account_id"),
        _column("attempt_id", sa.Uuid(), nullable=True),
        _column("kind", sa.String(40)),
        _column("dedupe_key", sa.String(200)),
        _json("payload"),
        *_moments("received_at"),
        _primary_key("provider_event", "id"),
        _reference("provider_event", "carrier_account_id", "carrier_account"),
        _reference("provider_event", "attempt_id", "attempt"),
        _unique("provider_event", "carrier_account_id", "dedupe_key"),
    )
    _index("ix_provider_event_attempt", "provider_event", "attempt_id, id")
    op.create_table(
        "second_call",
        _id(),
        *_keys("organization_id", "campaign_id"),
        _column("attempt_id", sa.Uuid()),
        *_keys("carrier_account_id"),
        _column("provider_id", sa.String(64)),
        *_moments("found_at"),
        *_moments("hang_up_at", "ended_at", nullable=True),
        _primary_key("second_call", "id"),
        _reference("second_call", "organization_id", "organization"),
        _reference("second_call", "campaign_id", "campaign"),
        _reference("second_call", "attempt_id", "attempt"),
        _reference("second_call", "carrier_account_id", "carrier_account"),
        _unique("second_call", "carrier_account_id", "provider_id"),
    )
    _index("ix_second_call_campaign_id", "second_call", "campaign_id")
    _index("ix_second_call_hang_up", "second_call", "hang_up_at", where="hang_up_at IS NOT NULL")


def _id() -> sa.Column[Any]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False)


def _public_id() -> sa.Column[Any]:
    return sa.Column("public_id", sa.Uuid(), nullable=False)


def _keys(*names: str, nullable: bool = False) -> list[sa.Column[Any]]:
    """Columns for the ids of other rows."""
    return [sa.Column(name, sa.BigInteger(), nullable=nullable) for name in names]


def _moments(*names: str, nullable: bool = False) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.DateTime(timezone=True), nullable=nullable) for name in names]


def _json(name: str, *, nullable: bool = False, default: str | None = None) -> sa.Column[Any]:
    return sa.Column(name, JSONB(), nullable=nullable, server_default=default)


def _column(
    name: str, kind: sa.types.TypeEngine[Any], *, nullable: bool = False, default: str | None = None
) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=nullable, server_default=default)


def _primary_key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=f"pk_{table}")


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=f"uq_{table}_{'_'.join(columns)}")


def _reference(
    table: str, column: str, target: str, *, on_delete: str = "CASCADE"
) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{target}.id"], name=f"fk_{table}_{column}", ondelete=on_delete
    )


def _one_of(table: str, column: str, words: str) -> sa.CheckConstraint:
    """A check that a column has one of some words, which stand here between spaces."""
    return _check(
        table, column, "{} IN ({})".format(column, ", ".join(f"'{word}'" for word in words.split()))
    )


def _check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def _index(
    name: str,
    table: str,
    columns: str,
    *,
    where: str | None = None,
    unique: bool = False,
    using: str = "btree",
) -> None:
    """Make an index; `columns`, which may be expressions, and `where` stand as in SQL."""
    op.create_index(
        name,
        table,
        [sa.text(columns)],
        unique=unique,
        postgresql_where=None if where is None else sa.text(where),
        postgresql_using=using,
    )
