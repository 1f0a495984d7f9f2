"""The first step: every table and index, and the triggers that keep the log as it was written."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None

# As SQLite takes it; PostgreSQL has its own word for octets, and orders text by code points only when it is told to.
TABLES = (
    """
    CREATE TABLE company (
        id TEXT NOT NULL,
        slug TEXT NOT NULL,
        name TEXT NOT NULL,
        zone TEXT NOT NULL,
        locale TEXT NOT NULL,
        policy TEXT NOT NULL,
        revision BIGINT NOT NULL,
        view_since BIGINT NOT NULL,
        CONSTRAINT pk_company PRIMARY KEY (id),
        CONSTRAINT uq_company_slug UNIQUE (slug)
    )
    """,
    """
    CREATE TABLE installation (
        one SMALLINT NOT NULL,
        epoch TEXT NOT NULL,
        CONSTRAINT pk_installation PRIMARY KEY (one),
        CONSTRAINT ck_installation_one CHECK (one = 1)
    )
    """,
    """
    CREATE TABLE api_key (
        company TEXT NOT NULL,
        id TEXT NOT NULL,
        label TEXT NOT NULL,
        digest BLOB NOT NULL,
        read_only SMALLINT NOT NULL,
        created BIGINT NOT NULL,
        last_used BIGINT,
        revoked BIGINT,
        CONSTRAINT pk_api_key PRIMARY KEY (company, id),
        CONSTRAINT uq_api_key_digest UNIQUE (digest),
        CONSTRAINT fk_api_key_company FOREIGN KEY(company) REFERENCES company (id)
    )
    """,
    """
    CREATE TABLE change (
        company TEXT NOT NULL,
        revision BIGINT NOT NULL,
        calendar TEXT NOT NULL,
        entry TEXT,
        name TEXT,
        gone SMALLINT NOT NULL,
        appointment SMALLINT NOT NULL,
        version BIGINT,
        "before" TEXT,
        "after" TEXT,
        who TEXT NOT NULL,
        door TEXT NOT NULL,
        at BIGINT NOT NULL,
        reason TEXT,
        detail TEXT NOT NULL,
        proposal TEXT NOT NULL,
        CONSTRAINT pk_change PRIMARY KEY (company, revision),
        CONSTRAINT fk_change_company FOREIGN KEY(company) REFERENCES company (id)
    )
    """,
    "CREATE INDEX ix_change_entry ON change (company, entry, revision)",
    "CREATE INDEX ix_change_gone ON change (company, calendar, revision) WHERE gone = 1",
    """
    CREATE TABLE customer (
        company TEXT NOT NULL,
        id TEXT NOT NULL,
        name TEXT NOT NULL,
        email TEXT NOT NULL,
        locale TEXT NOT NULL,
        zone TEXT NOT NULL,
        phone TEXT NOT NULL,
        CONSTRAINT pk_customer PRIMARY KEY (company, id),
        CONSTRAINT fk_customer_company FOREIGN KEY(company) REFERENCES company (id)
    )
    """,
    """
    CREATE TABLE feed (
        company TEXT NOT NULL,
        id TEXT NOT NULL,
        scope TEXT NOT NULL,
        "of" TEXT,
        label TEXT NOT NULL,
        level TEXT NOT NULL,
        past_days BIGINT NOT NULL,
        future_days BIGINT NOT NULL,
        alarm_minutes BIGINT,
        digest BLOB NOT NULL,
        sealed BLOB NOT NULL,
        created BIGINT NOT NULL,
        revoked BIGINT,
        last_fetched BIGINT,
        last_agent TEXT NOT NULL,
        CONSTRAINT pk_feed PRIMARY KEY (company, id),
        CONSTRAINT uq_feed_digest UNIQUE (digest),
        CONSTRAINT fk_feed_company FOREIGN KEY(company) REFERENCES company (id)
    )
    """,
    """
    CREATE TABLE letter (
        company TEXT NOT NULL,
        number BIGINT NOT NULL,
        id TEXT NOT NULL,
        "key" TEXT NOT NULL,
        kind TEXT NOT NULL,
        recipient TEXT NOT NULL,
        message BLOB NOT NULL,
        entry TEXT,
        queued BIGINT NOT NULL,
        due BIGINT NOT NULL,
        fence BIGINT NOT NULL,
        attempts BIGINT NOT NULL,
        sent BIGINT,
        failed BIGINT,
        failure TEXT NOT NULL,
        CONSTRAINT pk_letter PRIMARY KEY (company, number),
        CONSTRAINT uq_letter_company_id UNIQUE (company, id),
        CONSTRAINT uq_letter_company_key UNIQUE (company, "key"),
        CONSTRAINT fk_letter_company FOREIGN KEY(company) REFERENCES company (id)
    )
    """,
    "CREATE INDEX ix_letter_entry ON letter (company, entry, number)",
    "CREATE INDEX ix_letter_waiting ON letter (due) WHERE sent IS NULL AND failed IS NULL",
    """
    CREATE TABLE notice (
        company TEXT NOT NULL,
        entry TEXT NOT NULL,
        base TEXT,
        due BIGINT NOT NULL,
        CONSTRAINT pk_notice PRIMARY KEY (company, entry),
        CONSTRAINT fk_notice_company FOREIGN KEY(company) REFERENCES company (id)
    )
    """,
    "CREATE INDEX ix_notice_due ON notice (due)",
    """
    CREATE TABLE question (
        company TEXT NOT NULL,
        id TEXT NOT NULL,
        entry TEXT NOT NULL,
        at BIGINT,
        staff TEXT NOT NULL,
        digest BLOB NOT NULL,
        asked BIGINT NOT NULL,
        answered BIGINT,
        answer TEXT NOT NULL,
        CONSTRAINT pk_question PRIMARY KEY (company, id),
        CONSTRAINT uq_question_digest UNIQUE (digest),
        CONSTRAINT fk_question_company FOREIGN KEY(company) REFERENCES company (id)
    )
    """,
    """
    CREATE TABLE reader (
        company TEXT NOT NULL,
        name TEXT NOT NULL,
        revision BIGINT NOT NULL,
        CONSTRAINT pk_reader PRIMARY KEY (company, name),
        CONSTRAINT fk_reader_company FOREIGN KEY(company) REFERENCES company (id)
    )
    """,
    """
    CREATE TABLE reply (
        company TEXT NOT NULL,
        "key" TEXT NOT NULL,
        digest TEXT NOT NULL,
        status BIGINT NOT NULL,
        body TEXT NOT NULL,
        at BIGINT NOT NULL,
        CONSTRAINT pk_reply PRIMARY KEY (company, "key"),
        CONSTRAINT fk_reply_company FOREIGN KEY(company) REFERENCES company (id)
    )
    """,
    "CREATE INDEX ix_reply_company_at ON reply (company, at)",
    """
    CREATE TABLE service (
        company TEXT NOT NULL,
        id TEXT NOT NULL,
        name TEXT NOT NULL,
        duration BIGINT NOT NULL,
        buffer_before BIGINT NOT NULL,
        buffer_after BIGINT NOT NULL,
        CONSTRAINT pk_service PRIMARY KEY (company, id),
        CONSTRAINT fk_service_company FOREIGN KEY(company) REFERENCES company (id)
    )
    """,
    """
    CREATE TABLE staff (
        company TEXT NOT NULL,
        id TEXT NOT NULL,
        handle TEXT NOT NULL,
        handle_key TEXT NOT NULL,
        name TEXT NOT NULL,
        email TEXT NOT NULL,
        zone TEXT NOT NULL,
        locale TEXT NOT NULL,
        active SMALLINT NOT NULL,
        since BIGINT NOT NULL,
        CONSTRAINT pk_staff PRIMARY KEY (company, id),
        CONSTRAINT uq_staff_handle_key UNIQUE (handle_key),
        CONSTRAINT fk_staff_company FOREIGN KEY(company) REFERENCES company (id)
    )
    """,
    """
    CREATE TABLE team (
        company TEXT NOT NULL,
        id TEXT NOT NULL,
        slug TEXT NOT NULL,
        name TEXT NOT NULL,
        since BIGINT NOT NULL,
        CONSTRAINT pk_team PRIMARY KEY (company, id),
        CONSTRAINT uq_team_company_slug UNIQUE (company, slug),
        CONSTRAINT fk_team_company FOREIGN KEY(company) REFERENCES company (id)
    )
    """,
    """
    CREATE TABLE app_password (
        company TEXT NOT NULL,
        id TEXT NOT NULL,
        staff TEXT NOT NULL,
        label TEXT NOT NULL,
        digest BLOB NOT NULL,
        read_only SMALLINT NOT NULL,
        created BIGINT NOT NULL,
        last_used BIGINT,
        revoked BIGINT,
        CONSTRAINT pk_app_password PRIMARY KEY (company, id),
        CONSTRAINT fk_app_password_company_staff FOREIGN KEY(company, staff) REFERENCES staff (company, id),
        CONSTRAINT fk_app_password_company FOREIGN KEY(company) REFERENCES company (id)
    )
    """,
    "CREATE INDEX ix_app_password_digest ON app_password (digest)",
    """
    CREATE TABLE calendar (
        company TEXT NOT NULL,
        id TEXT NOT NULL,
        staff TEXT NOT NULL,
        slug TEXT NOT NULL,
        kind TEXT NOT NULL,
        components TEXT NOT NULL,
        last BIGINT NOT NULL,
        created BIGINT NOT NULL,
        CONSTRAINT pk_calendar PRIMARY KEY (company, id),
        CONSTRAINT uq_calendar_company_staff_slug UNIQUE (company, staff, slug),
        CONSTRAINT fk_calendar_company_staff FOREIGN KEY(company, staff) REFERENCES staff (company, id),
        CONSTRAINT fk_calendar_company FOREIGN KEY(company) REFERENCES company (id)
    )
    """,
    """
    CREATE TABLE looks (
        company TEXT NOT NULL,
        viewer TEXT NOT NULL,
        slug TEXT NOT NULL,
        properties TEXT NOT NULL,
        last BIGINT NOT NULL,
        CONSTRAINT pk_looks PRIMARY KEY (company, viewer, slug),
        CONSTRAINT fk_looks_company_viewer FOREIGN KEY(company, viewer) REFERENCES staff (company, id),
        CONSTRAINT fk_looks_company FOREIGN KEY(company) REFERENCES company (id)
    )
    """,
    """
    CREATE TABLE member (
        company TEXT NOT NULL,
        team TEXT NOT NULL,
        staff TEXT NOT NULL,
        position SMALLINT NOT NULL,
        CONSTRAINT pk_member PRIMARY KEY (company, team, staff),
        CONSTRAINT fk_member_company_team FOREIGN KEY(company, team) REFERENCES team (company, id),
        CONSTRAINT fk_member_company_staff FOREIGN KEY(company, staff) REFERENCES staff (company, id),
        CONSTRAINT fk_member_company FOREIGN KEY(company) REFERENCES company (id)
    )
    """,
    "CREATE INDEX ix_member_company_staff ON member (company, staff)",
    """
    CREATE TABLE working_hours (
        company TEXT NOT NULL,
        staff TEXT NOT NULL,
        hours TEXT NOT NULL,
        CONSTRAINT pk_working_hours PRIMARY KEY (company, staff),
        CONSTRAINT fk_working_hours_company_staff FOREIGN KEY(company, staff) REFERENCES staff (company, id),
        CONSTRAINT fk_working_hours_company FOREIGN KEY(company) REFERENCES company (id)
    )
    """,
    """
    CREATE TABLE entry (
        company TEXT NOT NULL,
        id TEXT NOT NULL,
        calendar TEXT NOT NULL,
        name TEXT NOT NULL,
        uid TEXT NOT NULL,
        component TEXT NOT NULL,
        appointment SMALLINT NOT NULL,
        shown SMALLINT NOT NULL,
        team SMALLINT NOT NULL,
        busy SMALLINT NOT NULL,
        undated SMALLINT NOT NULL,
        revision BIGINT NOT NULL,
        indexed_until BIGINT,
        floor BIGINT,
        ceil BIGINT,
        CONSTRAINT pk_entry PRIMARY KEY (company, id),
        CONSTRAINT uq_entry_company_calendar_name UNIQUE (company, calendar, name),
        CONSTRAINT uq_entry_company_calendar_uid UNIQUE (company, calendar, uid),
        CONSTRAINT fk_entry_company_calendar FOREIGN KEY(company, calendar) REFERENCES calendar (company, id),
        CONSTRAINT fk_entry_company FOREIGN KEY(company) REFERENCES company (id)
    )
    """,
    "CREATE INDEX ix_entry_beyond ON entry (company, calendar, indexed_until) WHERE indexed_until IS NOT NULL",
    "CREATE INDEX ix_entry_revision ON entry (company, calendar, revision)",
    "CREATE INDEX ix_entry_undated ON entry (company, calendar) WHERE undated = 1",
    """
    CREATE TABLE content (
        company TEXT NOT NULL,
        entry TEXT NOT NULL,
        body TEXT NOT NULL,
        text TEXT NOT NULL,
        team_text TEXT NOT NULL,
        CONSTRAINT pk_content PRIMARY KEY (company, entry),
        CONSTRAINT fk_content_company_entry FOREIGN KEY(company, entry) REFERENCES entry (company, id) ON DELETE CASCADE,
        CONSTRAINT fk_content_company FOREIGN KEY(company) REFERENCES company (id)
    )
    """,
    """
    CREATE TABLE instance (
        company TEXT NOT NULL,
        entry TEXT NOT NULL,
        number BIGINT NOT NULL,
        calendar TEXT NOT NULL,
        at BIGINT NOT NULL,
        lengthy SMALLINT NOT NULL,
        starts BIGINT NOT NULL,
        ends BIGINT NOT NULL,
        busy SMALLINT NOT NULL,
        occupied_lengthy SMALLINT NOT NULL,
        occupied_from BIGINT NOT NULL,
        occupied_to BIGINT NOT NULL,
        CONSTRAINT pk_instance PRIMARY KEY (company, entry, number),
        CONSTRAINT fk_instance_company_entry FOREIGN KEY(company, entry) REFERENCES entry (company, id) ON DELETE CASCADE,
        CONSTRAINT fk_instance_company FOREIGN KEY(company) REFERENCES company (id)
    )
    """,
    """
    CREATE INDEX ix_instance_occupied ON instance (company, calendar, occupied_lengthy, occupied_from, occupied_to) WHERE busy = 1
    """,
    "CREATE INDEX ix_instance_span ON instance (company, calendar, lengthy, starts, ends, entry)",
)

LOG_ON_SQLITE = (
    """
    CREATE TRIGGER change_is_never_changed BEFORE UPDATE ON change
    BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END
    """,
    """
    CREATE TRIGGER change_is_never_removed BEFORE DELETE ON change
    BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END
    """,
)

LOG_ON_POSTGRESQL = (
    """
    CREATE FUNCTION log_is_append_only() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION 'the log is append-only'; END $$
    """,
    """
    CREATE TRIGGER change_is_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON change
    FOR EACH STATEMENT EXECUTE FUNCTION log_is_append_only()
    """,
)


def upgrade() -> None:
    connection = op.get_bind()
    postgresql = connection.dialect.name == "postgresql"
    for statement in TABLES:
        if postgresql:
            statement = statement.replace(" TEXT", ' TEXT COLLATE "C"').replace(" BLOB", " BYTEA")
        connection.exec_driver_sql(statement)
    for statement in LOG_ON_POSTGRESQL if postgresql else LOG_ON_SQLITE:
        connection.exec_driver_sql(statement)
