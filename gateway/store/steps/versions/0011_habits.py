"""The eleventh step: external calendars know who reads them at this moment, and what counts as busy for their staff member."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"

COLUMNS = ("taken BIGINT", "tentative SMALLINT", "elsewhere SMALLINT")


def upgrade() -> None:
    connection = op.get_bind()
    for column in COLUMNS:
        connection.exec_driver_sql(f"ALTER TABLE source ADD COLUMN {column}")
