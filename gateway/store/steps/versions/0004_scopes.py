"""The fourth step: app passwords for one calendar, and by which program and from where they were used last."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"

COLUMNS = ("calendar", "last_client", "last_network")


def upgrade() -> None:
    connection = op.get_bind()
    ordered = "" if connection.dialect.name == "sqlite" else ' COLLATE "C"'
    for column in COLUMNS:
        connection.exec_driver_sql(f"ALTER TABLE app_password ADD COLUMN {column} TEXT{ordered}")
