"""The tenth step: questions know where an appointment was wished to; what became of an invitation's letter is told by the letter alone."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"

STATEMENTS = (
    "ALTER TABLE question ADD COLUMN wish_start BIGINT",
    "ALTER TABLE question ADD COLUMN wish_end BIGINT",
    "ALTER TABLE invitation DROP COLUMN failed",
    "CREATE INDEX ix_question_open ON question (company, staff, asked) WHERE answered IS NULL",
)


def upgrade() -> None:
    connection = op.get_bind()
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement)
