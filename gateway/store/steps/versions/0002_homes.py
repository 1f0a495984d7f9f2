"""The second step: who may open whose calendars, which calendars are published as a feed, and the version beside each appointment."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"

TABLES = (
    """
    CREATE TABLE delegation (
        company TEXT NOT NULL,
        owner TEXT NOT NULL,
        delegate TEXT NOT NULL,
        may_write SMALLINT NOT NULL,
        since BIGINT NOT NULL,
        CONSTRAINT pk_delegation PRIMARY KEY (company, owner, delegate),
        CONSTRAINT fk_delegation_company_owner FOREIGN KEY(company, owner) REFERENCES staff (company, id),
        CONSTRAINT fk_delegation_company_delegate FOREIGN KEY(company, delegate) REFERENCES staff (company, id),
        CONSTRAINT fk_delegation_company FOREIGN KEY(company) REFERENCES company (id)
    )
    """,
    "CREATE INDEX ix_delegation_company_delegate ON delegation (company, delegate)",
    """
    CREATE TABLE publication (
        company TEXT NOT NULL,
        calendar TEXT NOT NULL,
        feed TEXT NOT NULL,
        CONSTRAINT pk_publication PRIMARY KEY (company, calendar),
        CONSTRAINT fk_publication_company_calendar FOREIGN KEY(company, calendar) REFERENCES calendar (company, id),
        CONSTRAINT fk_publication_company_feed FOREIGN KEY(company, feed) REFERENCES feed (company, id),
        CONSTRAINT fk_publication_company FOREIGN KEY(company) REFERENCES company (id)
    )
    """,
    "ALTER TABLE entry ADD COLUMN version BIGINT",
    """
    UPDATE entry SET version = (SELECT MAX(c.version) FROM change c WHERE c.company = entry.company AND c.entry = entry.id)
    WHERE appointment = 1
    """,
)


def upgrade() -> None:
    connection = op.get_bind()
    for statement in TABLES:
        if connection.dialect.name == "postgresql":
            statement = statement.replace(" TEXT", ' TEXT COLLATE "C"')
        connection.exec_driver_sql(statement)
