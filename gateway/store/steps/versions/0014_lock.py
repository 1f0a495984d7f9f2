"""The fourteenth step: since when nothing goes out, because a backup was restored."""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.get_bind().exec_driver_sql("ALTER TABLE installation ADD COLUMN locked BIGINT")
