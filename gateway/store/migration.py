"""The steps from one schema to the next, and whether a database has taken all of them."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection, text

from gateway.errors import Misconfigured, Unavailable
from gateway.store.engine import Database
from gateway.store.faults import MIGRATE

FOLDER = Path(__file__).with_name("steps")
STEPS = sorted(path.stem.partition("_")[0] for path in (FOLDER / "versions").glob("[0-9]*.py"))
"""The steps this version knows, in order."""

TABLE = "schema_step"
NEWER = "The database was made by a newer version of the gateway. Install that version."
MINUTE = 60.0  # seconds to wait for somebody else who takes steps
_STEP = text("SELECT version_num FROM schema_step")
_BEGIN = text("SELECT 1")
_ALONE = text("SELECT set_config('lock_timeout', '60s', true), pg_advisory_xact_lock(1667329127)")
_EPOCH = text("INSERT INTO installation (one, epoch) VALUES (1, :epoch) ON CONFLICT (one) DO NOTHING")
_SETTINGS = text("""
    SELECT current_setting('server_version_num') AS version, current_setting('synchronous_commit') AS synchronous
""")


def migrate(database: Database) -> None:
    """Take the steps that are missing: all of them or none, in one transaction, one process at a time."""
    if database.file is not None:
        try:
            database.file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Misconfigured("The folder of the database cannot be made; check database.url.") from error
    else:
        must_be_durable(database)
    with database.altering(_ALONE if database.postgresql else _BEGIN, patience=MINUTE) as connection:
        _take_steps(connection)
        connection.execute(_EPOCH, {"epoch": fresh_epoch()})
        connection.commit()


def _take_steps(connection: Connection) -> None:
    from alembic import command  # here, because nobody else has to wait for its import
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config(attributes={"connection": connection, "table": TABLE})
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    try:
        command.upgrade(config, "head")
    except CommandError as error:  # it is at a step that is not known here
        raise Misconfigured(NEWER) from error


def fresh_epoch() -> str:
    return secrets.token_hex(4)


def must_be_ready(database: Database) -> str:
    """The step the database is at, which is the newest. Raises Unavailable when steps are missing, Misconfigured when it is too new
    for this version or cannot be relied on."""
    if database.file is not None and not database.file.exists():
        raise Unavailable(MIGRATE)
    if database.postgresql:
        must_be_durable(database)
    step = next((row.version_num for row in database.ask(_STEP)), None)
    if step in STEPS[:-1] or step is None:
        raise Unavailable(MIGRATE)
    if step != STEPS[-1]:
        raise Misconfigured(NEWER)
    return STEPS[-1]


def must_be_known(steps: Sequence[str]) -> None:
    """Of a copy: it is at a step that this version can go on from. Raises Misconfigured."""
    if len(steps) != 1 or steps[0] not in STEPS:
        raise Misconfigured(NEWER)


def must_be_durable(database: Database) -> None:
    """PostgreSQL 14 or newer, and no commit that is acknowledged before it is on the disk. Raises Misconfigured."""
    [(version, synchronous)] = database.ask(_SETTINGS)
    if int(version) < 140_000:
        raise Misconfigured("The gateway needs PostgreSQL 14 or newer. Upgrade the server that database.url names.")
    if synchronous == "off":
        raise Misconfigured("PostgreSQL runs with synchronous_commit = off, which forgets acknowledged changes. Set it to on.")
