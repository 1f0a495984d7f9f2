"""The eighth step: what customers hold of their appointments."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"

TABLES = (
    """
    CREATE TABLE attendance (
        company TEXT NOT NULL,
        entry TEXT NOT NULL,
        digest BLOB NOT NULL,
        sealed BLOB NOT NULL,
        partstat TEXT NOT NULL,
        version BIGINT NOT NULL,
        answered BIGINT,
        CONSTRAINT pk_attendance PRIMARY KEY (company, entry),
        CONSTRAINT uq_attendance_digest UNIQUE (digest),
        CONSTRAINT fk_attendance_company_entry FOREIGN KEY(company, entry) REFERENCES entry (company, id) ON DELETE CASCADE,
        CONSTRAINT fk_attendance_company FOREIGN KEY(company) REFERENCES company (id)
    )
    """,
)


def upgrade() -> None:
    connection = op.get_bind()
    for statement in TABLES:
        if connection.dialect.name == "postgresql":
            statement = statement.replace(" TEXT", ' TEXT COLLATE "C"').replace(" BLOB", " BYTEA")
        connection.exec_driver_sql(statement)
