"""The fifth step: people who sign in to the pages, the browsers they have signed in with, and invitations to connect a calendar."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"

TABLES = (
    """
    CREATE TABLE person (
        company TEXT NOT NULL,
        id TEXT NOT NULL,
        role TEXT NOT NULL,
        name TEXT NOT NULL,
        email TEXT NOT NULL,
        email_key TEXT NOT NULL,
        locale TEXT NOT NULL,
        staff TEXT,
        active SMALLINT NOT NULL,
        secret TEXT NOT NULL,
        secret_since BIGINT,
        CONSTRAINT pk_person PRIMARY KEY (company, id),
        CONSTRAINT uq_person_company_email_key UNIQUE (company, email_key),
        CONSTRAINT uq_person_company_staff UNIQUE (company, staff),
        CONSTRAINT fk_person_company_staff FOREIGN KEY(company, staff) REFERENCES staff (company, id),
        CONSTRAINT fk_person_company FOREIGN KEY(company) REFERENCES company (id)
    )
    """,
    "CREATE INDEX ix_person_email_key ON person (email_key)",
    """
    CREATE TABLE session (
        company TEXT NOT NULL,
        digest BLOB NOT NULL,
        person TEXT NOT NULL,
        begun BIGINT NOT NULL,
        seen BIGINT NOT NULL,
        until BIGINT NOT NULL,
        agent TEXT NOT NULL,
        network TEXT NOT NULL,
        CONSTRAINT pk_session PRIMARY KEY (company, digest),
        CONSTRAINT uq_session_digest UNIQUE (digest),
        CONSTRAINT fk_session_company_person FOREIGN KEY(company, person) REFERENCES person (company, id) ON DELETE CASCADE,
        CONSTRAINT fk_session_company FOREIGN KEY(company) REFERENCES company (id)
    )
    """,
    "CREATE INDEX ix_session_company_person ON session (company, person)",
    "CREATE INDEX ix_session_until ON session (until)",
    """
    CREATE TABLE reset (
        company TEXT NOT NULL,
        digest BLOB NOT NULL,
        person TEXT NOT NULL,
        until BIGINT NOT NULL,
        CONSTRAINT pk_reset PRIMARY KEY (company, digest),
        CONSTRAINT uq_reset_digest UNIQUE (digest),
        CONSTRAINT fk_reset_company_person FOREIGN KEY(company, person) REFERENCES person (company, id) ON DELETE CASCADE,
        CONSTRAINT fk_reset_company FOREIGN KEY(company) REFERENCES company (id)
    )
    """,
    """
    CREATE TABLE invitation (
        company TEXT NOT NULL,
        id TEXT NOT NULL,
        staff TEXT NOT NULL,
        digest BLOB NOT NULL,
        recipient TEXT NOT NULL,
        subject TEXT NOT NULL,
        letter TEXT NOT NULL,
        sent BIGINT NOT NULL,
        until BIGINT NOT NULL,
        opened BIGINT,
        connected BIGINT,
        failed BIGINT,
        revoked BIGINT,
        CONSTRAINT pk_invitation PRIMARY KEY (company, id),
        CONSTRAINT uq_invitation_digest UNIQUE (digest),
        CONSTRAINT fk_invitation_company_staff FOREIGN KEY(company, staff) REFERENCES staff (company, id),
        CONSTRAINT fk_invitation_company FOREIGN KEY(company) REFERENCES company (id)
    )
    """,
    "CREATE INDEX ix_invitation_company_staff_sent ON invitation (company, staff, sent)",
)


def upgrade() -> None:
    connection = op.get_bind()
    for statement in TABLES:
        if connection.dialect.name == "postgresql":
            statement = statement.replace(" TEXT", ' TEXT COLLATE "C"').replace(" BLOB", " BYTEA")
        connection.exec_driver_sql(statement)
