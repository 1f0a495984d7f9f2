"""The twelfth step: the index of instances says itself what is tentative, and on SQLite it is one tree less.

Whether an instance is tentative stands in its text, which no step reads: where the text has the word, 2 says that somebody has to look.
"""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"

ON_SQLITE = (
    """
    CREATE TABLE instance_anew (
        company TEXT NOT NULL,
        entry TEXT NOT NULL,
        number BIGINT NOT NULL,
        calendar TEXT NOT NULL,
        at BIGINT NOT NULL,
        lengthy SMALLINT NOT NULL,
        starts BIGINT NOT NULL,
        ends BIGINT NOT NULL,
        busy SMALLINT NOT NULL,
        tentative SMALLINT NOT NULL,
        occupied_lengthy SMALLINT NOT NULL,
        occupied_from BIGINT NOT NULL,
        occupied_to BIGINT NOT NULL,
        CONSTRAINT pk_instance PRIMARY KEY (company, entry, number),
        CONSTRAINT fk_instance_company_entry FOREIGN KEY(company, entry) REFERENCES entry (company, id) ON DELETE CASCADE,
        CONSTRAINT fk_instance_company FOREIGN KEY(company) REFERENCES company (id)
    ) WITHOUT ROWID
    """,
    """
    INSERT INTO instance_anew (company, entry, number, calendar, at, lengthy, starts, ends, busy, tentative, occupied_lengthy,
        occupied_from, occupied_to)
    SELECT i.company, i.entry, i.number, i.calendar, i.at, i.lengthy, i.starts, i.ends, i.busy,
        CASE WHEN t.text LIKE '%TENTATIVE%' THEN 2 ELSE 0 END, i.occupied_lengthy, i.occupied_from, i.occupied_to
    FROM instance i JOIN content t ON t.company = i.company AND t.entry = i.entry
    """,
    "DROP TABLE instance",
    "ALTER TABLE instance_anew RENAME TO instance",
    "CREATE INDEX ix_instance_occupied ON instance (company, calendar, occupied_lengthy, occupied_from, occupied_to) WHERE busy = 1",
)

ON_POSTGRESQL = (
    "ALTER TABLE instance ADD COLUMN tentative SMALLINT NOT NULL DEFAULT 0",
    "ALTER TABLE instance ALTER COLUMN tentative DROP DEFAULT",
    """
    UPDATE instance SET tentative = 2 FROM content t
    WHERE t.company = instance.company AND t.entry = instance.entry AND UPPER(t.text) LIKE '%%TENTATIVE%%'
    """,
    "DROP INDEX ix_instance_span",
)

ON_BOTH = ("CREATE INDEX ix_instance_span ON instance (company, calendar, lengthy, starts, ends, entry, busy, tentative)",)


def upgrade() -> None:
    connection = op.get_bind()
    own = ON_POSTGRESQL if connection.dialect.name == "postgresql" else ON_SQLITE
    for statement in (*own, *ON_BOTH):
        connection.exec_driver_sql(statement)
