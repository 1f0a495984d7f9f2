"""The twelfth step with data in the tables: every instance is kept, and what may be tentative is looked at."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from gateway.model import CompanyId, Policy, Span, StaffId
from gateway.store import Store
from gateway.store.codec import micros, policy_json
from gateway.store.migration import FOLDER, TABLE
from tests.databases import Database
from tests.store.house import HOUR, NOW, span

ROWS = (
    f"INSERT INTO company VALUES ('c', 'c', 'C', 'UTC', 'en', '{policy_json(Policy())}', 3, 0)",
    "INSERT INTO installation VALUES (1, 'abcdef12')",
    "INSERT INTO staff VALUES ('c', 's', 'john', 'john', 'John', 'john@example.com', 'UTC', 'en', 1, 0)",
    "INSERT INTO calendar VALUES ('c', 'k', 's', 'own', 'personal', 'VEVENT', 3, 0)",
)
TEXTS = ("STATUS:CONFIRMED", "STATUS:TENTATIVE", "status:tentative")


def filled(database: Database, step: str) -> None:
    """The tables as they were after that step, with an entry of each text, an hour apart."""
    engine = create_engine(database.url, poolclass=NullPool)
    with engine.connect() as connection:
        config = Config(attributes={"connection": connection, "table": TABLE})
        config.set_main_option("script_location", str(FOLDER))
        command.upgrade(config, step)
        for row in ROWS:
            connection.exec_driver_sql(row)
        for number, text in enumerate(TEXTS):
            starts = micros(NOW + number * HOUR)
            times = f"{starts}, {starts + micros(NOW + HOUR) - micros(NOW)}"
            for row in (
                "INSERT INTO entry (company, id, calendar, name, uid, component, appointment, shown, team, busy, undated, revision, floor,"
                f" ceil) VALUES ('c', 'e{number}', 'k', 'e{number}.ics', 'u{number}', 'VEVENT', 0, 1, 0, 1, 0, {number + 1}, {times})",
                f"INSERT INTO content (company, entry, body, text, team_text) VALUES ('c', 'e{number}', '{{}}', '{text}', '')",
                f"INSERT INTO instance VALUES ('c', 'e{number}', 0, 'k', {starts}, 0, {times}, 1, 0, {times})",
            ):
                connection.exec_driver_sql(row)
        connection.commit()


def test_instances_are_kept_and_doubtful_ones_are_looked_at(empty_database: Database) -> None:
    filled(empty_database, "0011")
    store = Store(empty_database.url)
    try:
        store.migrate()
        with store.read(CompanyId("c")) as snapshot:
            collection = snapshot.collection(StaffId("s"), "own")
            assert collection is not None
            window = Span(NOW, NOW + 9 * HOUR)
            assert [row.name for row in snapshot.rows_within(collection, (NOW, NOW + 9 * HOUR))] == ["e0.ics", "e1.ics", "e2.ics"]
            found = snapshot.busy_within(collection, window, limit=10)
            assert (found.busy, found.tentative, found.unsure) == ([span(NOW, HOUR)], [], {"e1", "e2"})
    finally:
        store.close()
