"""when the carrier answered.

Revision: 5b1d2c7e9a04; follows: a22225011de1; created 2026-12-01 00:40:00.000000.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "5b1d2c7e9a04"
down_revision: str | None = "a22225011de1"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply. Attempts from before have no time: they count as answered 8 s after they began, which is long ago."""
    op.add_column("attempt", sa.Column("responded_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Take back."""
    op.drop_column("attempt", "responded_at")
