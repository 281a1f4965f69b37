"""known browsers.

Revision: 7c1e4a9d52f0; follows: 7e4b90d2c6a1; created 2026-12-01 01:10:00.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "7c1e4a9d52f0"
down_revision: str | None = "7e4b90d2c6a1"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "known_browser",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_known_browser_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_known_browser")),
        sa.UniqueConstraint("token_hash", "user_id", name=op.f("uq_known_browser_token_hash_user_id")),
    )
    op.create_index(op.f("ix_known_browser_user_id"), "known_browser", ["user_id"])
    op.add_column("sign_in_failure", sa.Column("browser_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_sign_in_failure_browser_id"),
        "sign_in_failure",
        "known_browser",
        ["browser_id"],
        ["id"],
        ondelete="CASCADE",
    )
    op.create_index("ix_sign_in_failure_browser_at", "sign_in_failure", ["browser_id", "at"])


def downgrade() -> None:
    """Take back."""
    op.drop_index("ix_sign_in_failure_browser_at", table_name="sign_in_failure")
    op.drop_constraint(op.f("fk_sign_in_failure_browser_id"), "sign_in_failure", type_="foreignkey")
    op.drop_column("sign_in_failure", "browser_id")
    op.drop_index(op.f("ix_known_browser_user_id"), table_name="known_browser")
    op.drop_table("known_browser")
