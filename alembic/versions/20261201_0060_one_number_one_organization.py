"""one number, one organization.

Revision: 7e4b90d2c6a1; follows: 5d1c0f7a93be; created 2026-12-01 01:00:00.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "7e4b90d2c6a1"
down_revision: str | None = "5d1c0f7a93be"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Whoever had it first is the likelier to own it; whose campaigns need one that is switched off here, they are told.
_SWITCH_OFF_DUPLICATES = """
    UPDATE phone_number later SET active = false, inactive_why =
        'Another organization of this installation had this number first, and a number belongs to one alone. '
        'Use another number, or ask the administrator of the installation.'
    WHERE later.active AND EXISTS (
        SELECT 1 FROM phone_number first
        WHERE first.number = later.number AND first.active
          AND (first.created_at, first.id) < (later.created_at, later.id))
"""


def upgrade() -> None:
    """Apply. Of a number that several organizations have active, the one that has had it longest keeps it."""
    op.add_column(
        "phone_number", sa.Column("inactive_why", sa.String(length=500), server_default="", nullable=False)
    )
    op.alter_column("phone_number", "inactive_why", server_default=None)
    op.execute(_SWITCH_OFF_DUPLICATES)
    op.create_index(
        "uq_phone_number_active",
        "phone_number",
        ["number"],
        unique=True,
        postgresql_where=sa.text("active"),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_index("uq_phone_number_active", table_name="phone_number", postgresql_where=sa.text("active"))
    op.drop_column("phone_number", "inactive_why")
