"""The seventh step: accounts, links and items of calendars elsewhere, busy times from there, and consents under way."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"

TABLES = (
    """
    CREATE TABLE account (
        company TEXT NOT NULL,
        id TEXT NOT NULL,
        staff TEXT NOT NULL,
        provider TEXT NOT NULL,
        login TEXT NOT NULL,
        subject TEXT NOT NULL,
        scopes TEXT NOT NULL,
        access TEXT NOT NULL,
        trouble TEXT NOT NULL,
        since BIGINT,
        probed BIGINT,
        created BIGINT NOT NULL,
        switched SMALLINT NOT NULL,
        sealed BLOB NOT NULL,
        version BIGINT NOT NULL,
        fence BIGINT NOT NULL,
        leased_until BIGINT NOT NULL,
        CONSTRAINT pk_account PRIMARY KEY (company, id),
        CONSTRAINT uq_account_company_staff_provider_subject UNIQUE (company, staff, provider, subject),
        CONSTRAINT fk_account_company_staff FOREIGN KEY(company, staff) REFERENCES staff (company, id),
        CONSTRAINT fk_account_company FOREIGN KEY(company) REFERENCES company (id)
    )
    """,
    """
    CREATE TABLE link (
        company TEXT NOT NULL,
        id TEXT NOT NULL,
        account TEXT NOT NULL,
        staff TEXT NOT NULL,
        elsewhere TEXT NOT NULL,
        title TEXT NOT NULL,
        own SMALLINT NOT NULL,
        direction TEXT NOT NULL,
        level TEXT NOT NULL,
        on_delete TEXT NOT NULL,
        standing TEXT NOT NULL,
        trouble TEXT NOT NULL,
        since BIGINT,
        seen BIGINT NOT NULL,
        cursor TEXT,
        due BIGINT NOT NULL,
        woken BIGINT,
        pulled BIGINT,
        listed BIGINT,
        failures BIGINT NOT NULL,
        allowed BIGINT,
        created BIGINT NOT NULL,
        CONSTRAINT pk_link PRIMARY KEY (company, id),
        CONSTRAINT fk_link_company_account FOREIGN KEY(company, account) REFERENCES account (company, id),
        CONSTRAINT fk_link_company_staff FOREIGN KEY(company, staff) REFERENCES staff (company, id),
        CONSTRAINT fk_link_company FOREIGN KEY(company) REFERENCES company (id)
    )
    """,
    "CREATE INDEX ix_link_company_account ON link (company, account)",
    "CREATE INDEX ix_link_company_staff ON link (company, staff)",
    "CREATE INDEX ix_link_due ON link (due) WHERE standing IN ('active', 'guard', 'ending')",
    "CREATE INDEX ix_link_woken ON link (woken) WHERE woken IS NOT NULL",
    """
    CREATE TABLE item (
        company TEXT NOT NULL,
        link TEXT NOT NULL,
        entry TEXT NOT NULL,
        at BIGINT NOT NULL,
        generation BIGINT NOT NULL,
        remote TEXT NOT NULL,
        etag TEXT NOT NULL,
        base TEXT,
        apart SMALLINT NOT NULL,
        todo TEXT NOT NULL,
        draft TEXT,
        attempts BIGINT NOT NULL,
        due BIGINT,
        condition TEXT NOT NULL,
        trouble TEXT NOT NULL,
        written BIGINT NOT NULL,
        CONSTRAINT pk_item PRIMARY KEY (company, link, entry, at, generation),
        CONSTRAINT fk_item_company_link FOREIGN KEY(company, link) REFERENCES link (company, id) ON DELETE CASCADE,
        CONSTRAINT fk_item_company FOREIGN KEY(company) REFERENCES company (id)
    )
    """,
    "CREATE INDEX ix_item_condition ON item (condition) WHERE condition NOT IN ('synced', 'gone')",
    "CREATE INDEX ix_item_remote ON item (company, link, remote) WHERE remote <> ''",
    "CREATE INDEX ix_item_todo ON item (company, link) WHERE todo <> ''",
    """
    CREATE TABLE happening (
        company TEXT NOT NULL,
        link TEXT NOT NULL,
        number BIGINT NOT NULL,
        at BIGINT NOT NULL,
        kind TEXT NOT NULL,
        sentence TEXT NOT NULL,
        entry TEXT,
        CONSTRAINT pk_happening PRIMARY KEY (company, link, number),
        CONSTRAINT fk_happening_company_link FOREIGN KEY(company, link) REFERENCES link (company, id) ON DELETE CASCADE,
        CONSTRAINT fk_happening_company FOREIGN KEY(company) REFERENCES company (id)
    )
    """,
    """
    CREATE TABLE channel (
        company TEXT NOT NULL,
        link TEXT NOT NULL,
        id TEXT NOT NULL,
        resource TEXT NOT NULL,
        digest BLOB NOT NULL,
        made BIGINT NOT NULL,
        expires BIGINT NOT NULL,
        CONSTRAINT pk_channel PRIMARY KEY (company, link, id),
        CONSTRAINT fk_channel_company_link FOREIGN KEY(company, link) REFERENCES link (company, id) ON DELETE CASCADE,
        CONSTRAINT fk_channel_company FOREIGN KEY(company) REFERENCES company (id)
    )
    """,
    "CREATE INDEX ix_channel_id ON channel (id)",
    """
    CREATE TABLE source (
        company TEXT NOT NULL,
        staff TEXT NOT NULL,
        sealed BLOB NOT NULL,
        etag TEXT NOT NULL,
        modified TEXT NOT NULL,
        digest TEXT NOT NULL,
        due BIGINT NOT NULL,
        fetched BIGINT,
        failing BIGINT,
        trouble TEXT NOT NULL,
        warnings TEXT NOT NULL,
        zone TEXT NOT NULL,
        events BIGINT NOT NULL,
        shrunk BIGINT,
        CONSTRAINT pk_source PRIMARY KEY (company, staff),
        CONSTRAINT fk_source_company_staff FOREIGN KEY(company, staff) REFERENCES staff (company, id),
        CONSTRAINT fk_source_company FOREIGN KEY(company) REFERENCES company (id)
    )
    """,
    "CREATE INDEX ix_source_due ON source (due)",
    """
    CREATE TABLE origin (
        company TEXT NOT NULL,
        staff TEXT NOT NULL,
        origin TEXT NOT NULL,
        confirmed BIGINT NOT NULL,
        CONSTRAINT pk_origin PRIMARY KEY (company, staff, origin),
        CONSTRAINT fk_origin_company_staff FOREIGN KEY(company, staff) REFERENCES staff (company, id),
        CONSTRAINT fk_origin_company FOREIGN KEY(company) REFERENCES company (id)
    )
    """,
    """
    CREATE TABLE foreign_busy (
        company TEXT NOT NULL,
        staff TEXT NOT NULL,
        origin TEXT NOT NULL,
        number BIGINT NOT NULL,
        lengthy SMALLINT NOT NULL,
        starts BIGINT NOT NULL,
        ends BIGINT NOT NULL,
        CONSTRAINT pk_foreign_busy PRIMARY KEY (company, staff, origin, number),
        CONSTRAINT fk_foreign_busy_company_staff_origin FOREIGN KEY(company, staff, origin)
            REFERENCES origin (company, staff, origin) ON DELETE CASCADE,
        CONSTRAINT fk_foreign_busy_company FOREIGN KEY(company) REFERENCES company (id)
    )
    """,
    "CREATE INDEX ix_foreign_busy_span ON foreign_busy (company, staff, lengthy, starts, ends)",
    """
    CREATE TABLE consent (
        company TEXT NOT NULL,
        digest BLOB NOT NULL,
        staff TEXT NOT NULL,
        provider TEXT NOT NULL,
        sealed BLOB NOT NULL,
        main SMALLINT NOT NULL,
        back TEXT NOT NULL,
        expires BIGINT NOT NULL,
        CONSTRAINT pk_consent PRIMARY KEY (company, digest),
        CONSTRAINT uq_consent_digest UNIQUE (digest),
        CONSTRAINT fk_consent_company_staff FOREIGN KEY(company, staff) REFERENCES staff (company, id),
        CONSTRAINT fk_consent_company FOREIGN KEY(company) REFERENCES company (id)
    )
    """,
)


def upgrade() -> None:
    connection = op.get_bind()
    for statement in TABLES:
        if connection.dialect.name == "postgresql":
            statement = statement.replace(" TEXT", ' TEXT COLLATE "C"').replace(" BLOB", " BYTEA")
        connection.exec_driver_sql(statement)
