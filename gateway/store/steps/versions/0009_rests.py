"""The ninth step: until when an account elsewhere rests, because its provider has asked for it."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.get_bind().exec_driver_sql("ALTER TABLE account ADD COLUMN rests BIGINT")
