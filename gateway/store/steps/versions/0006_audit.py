"""The sixth step: the record of what people changed that is no calendar entry."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"

TABLES = (
    """
    CREATE TABLE audit (
        company TEXT NOT NULL,
        number BIGINT NOT NULL,
        at BIGINT NOT NULL,
        who TEXT NOT NULL,
        door TEXT NOT NULL,
        what TEXT NOT NULL,
        subject TEXT NOT NULL,
        before TEXT NOT NULL,
        after TEXT NOT NULL,
        CONSTRAINT pk_audit PRIMARY KEY (company, number),
        CONSTRAINT fk_audit_company FOREIGN KEY(company) REFERENCES company (id)
    )
    """,
    "CREATE INDEX ix_audit_at ON audit (company, at)",
)


def upgrade() -> None:
    connection = op.get_bind()
    for statement in TABLES:
        if connection.dialect.name == "postgresql":
            statement = statement.replace(" TEXT", ' TEXT COLLATE "C"').replace(" BLOB", " BYTEA")
        connection.exec_driver_sql(statement)
