"""The thirteenth step: calendars of accounts elsewhere whose busy times block their staff members."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"

STATEMENTS = (
    """
    CREATE TABLE blocking (
        company TEXT NOT NULL,
        account TEXT NOT NULL,
        calendar TEXT NOT NULL,
        title TEXT NOT NULL,
        due BIGINT NOT NULL,
        digest TEXT NOT NULL,
        whole BIGINT,
        failing BIGINT,
        trouble TEXT NOT NULL,
        CONSTRAINT pk_blocking PRIMARY KEY (company, account, calendar),
        CONSTRAINT fk_blocking_company_account FOREIGN KEY(company, account) REFERENCES account (company, id) ON DELETE CASCADE,
        CONSTRAINT fk_blocking_company FOREIGN KEY(company) REFERENCES company (id)
    )
    """,
    "CREATE INDEX ix_blocking_due ON blocking (due)",
)


def upgrade() -> None:
    connection = op.get_bind()
    for statement in STATEMENTS:
        if connection.dialect.name == "postgresql":
            statement = statement.replace(" TEXT", ' TEXT COLLATE "C"')
        connection.exec_driver_sql(statement)
