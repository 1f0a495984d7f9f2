"""The third step: devices that are told of changes, changes that some of them asked not to be told of, and the key we sign with."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

TABLES = (
    """
    CREATE TABLE vapid (
        one SMALLINT NOT NULL,
        sealed BLOB NOT NULL,
        CONSTRAINT pk_vapid PRIMARY KEY (one),
        CONSTRAINT ck_vapid_one CHECK (one = 1)
    )
    """,
    """
    CREATE TABLE registration (
        company TEXT NOT NULL,
        id TEXT NOT NULL,
        staff TEXT NOT NULL,
        credential TEXT NOT NULL,
        owner TEXT NOT NULL,
        slug TEXT NOT NULL,
        calendar TEXT,
        topic TEXT NOT NULL,
        resource BLOB NOT NULL,
        sealed BLOB NOT NULL,
        contents SMALLINT NOT NULL,
        properties SMALLINT NOT NULL,
        expires BIGINT NOT NULL,
        told BIGINT NOT NULL,
        contents_at BIGINT,
        properties_at BIGINT,
        due BIGINT,
        rests_until BIGINT NOT NULL,
        fence BIGINT NOT NULL,
        attempts BIGINT NOT NULL,
        failing BIGINT,
        refused BIGINT NOT NULL,
        CONSTRAINT pk_registration PRIMARY KEY (company, id),
        CONSTRAINT uq_registration_company_staff_owner_slug_resource UNIQUE (company, staff, owner, slug, resource),
        CONSTRAINT fk_registration_company_staff FOREIGN KEY(company, staff) REFERENCES staff (company, id),
        CONSTRAINT fk_registration_company_owner FOREIGN KEY(company, owner) REFERENCES staff (company, id),
        CONSTRAINT fk_registration_company FOREIGN KEY(company) REFERENCES company (id)
    )
    """,
    "CREATE INDEX ix_registration_due ON registration (due) WHERE due IS NOT NULL",
    "CREATE INDEX ix_registration_expires ON registration (expires)",
    """
    CREATE TABLE unheard (
        company TEXT NOT NULL,
        revision BIGINT NOT NULL,
        registration TEXT NOT NULL,
        CONSTRAINT pk_unheard PRIMARY KEY (company, revision, registration),
        CONSTRAINT fk_unheard_company FOREIGN KEY(company) REFERENCES company (id)
    )
    """,
)


def upgrade() -> None:
    connection = op.get_bind()
    for statement in TABLES:
        if connection.dialect.name == "postgresql":
            statement = statement.replace(" TEXT", ' TEXT COLLATE "C"').replace(" BLOB", " BYTEA")
        connection.exec_driver_sql(statement)
