"""The database itself: schema steps, what it says when it is not ready, its timeline, and that it comes and goes cleanly."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from gateway.errors import Unavailable
from gateway.store import Store
from gateway.store.migration import TABLE
from gateway.store.schema import METADATA
from tests.databases import Database
from tests.store.house import COMPANY, DEMO, SETUP, Place

MIGRATE = "import sys; from gateway.store import Store; store = Store(sys.argv[1]); store.migrate(); store.close()"


class TestSteps:
    def test_the_steps_lead_to_the_tables_that_are_described(self, database: Database) -> None:
        engine = create_engine(database.url, poolclass=NullPool)
        with engine.connect() as connection:
            found = compare_metadata(MigrationContext.configure(connection), METADATA)
        known = [each for each in found if getattr(each[1], "name", None) != TABLE]  # where the steps themselves are counted
        assert known == []

    def test_migrating_twice_changes_nothing(self, place: Place) -> None:
        place.book()
        epoch, log = place.store.epoch, place.log()
        place.store.migrate()
        assert (place.store.epoch, place.log()) == (epoch, log)

    def test_threads_may_migrate_at_once(self, empty_database: Database) -> None:
        failures: list[BaseException] = []
        start = threading.Barrier(4)

        def migrate() -> None:
            store = Store(empty_database.url)
            try:
                start.wait()
                store.migrate()
                store.found(COMPANY) if threading.current_thread().name == "founder" else store.companies()
            except BaseException as problem:
                failures.append(problem)
            finally:
                store.close()

        threads = [threading.Thread(target=migrate, name="founder" if number == 0 else None) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        store = Store(empty_database.url)
        try:
            assert list(store.companies()) == [COMPANY]
        finally:
            store.close()

    def test_machines_may_migrate_at_once(self, empty_database: Database) -> None:
        running = [
            subprocess.Popen([sys.executable, "-W", "error", "-c", MIGRATE, empty_database.url], stderr=subprocess.PIPE) for _ in range(3)
        ]
        ends = [(process.communicate()[1].decode(), process.returncode) for process in running]
        assert ends == [("", 0)] * 3
        store = Store(empty_database.url)
        try:
            assert list(store.companies()) == []
            assert len(store.epoch) == 8
        finally:
            store.close()

    def test_a_database_that_is_not_migrated_says_so_in_a_sentence(self, empty_database: Database) -> None:
        store = Store(empty_database.url)
        try:
            for ask in (store.companies, store.revisions, lambda: store.epoch, lambda: store.find_handle("x"), lambda: opened(store)):
                with pytest.raises(Unavailable, match="Run: gateway migrate"):
                    ask()
        finally:
            store.close()


class TestReach:
    @pytest.mark.parametrize("url", ["postgresql+psycopg://nobody@127.0.0.1:1/none", "sqlite:////nowhere/at/all/gateway.db"])
    def test_a_database_that_is_away_may_be_asked_again_later(self, url: str) -> None:
        store = Store(url)
        try:
            for ask in (store.ping, store.companies, lambda: opened(store)):
                with pytest.raises(Unavailable) as caught:
                    ask()
                assert caught.value.retry_after > 0
                assert "nobody" not in str(caught.value)
        finally:
            store.close()

    def test_a_password_in_the_address_is_never_told(self) -> None:
        store = Store("postgresql+psycopg://gateway:canary-pass@127.0.0.1:1/none")
        try:
            with pytest.raises(Unavailable) as caught:
                store.ping()
            assert "canary-pass" not in f"{caught.value} {caught.value!r} {store!r}"
        finally:
            store.close()

    def test_a_ping_says_what_kind_it_is(self, store: Store, database: Database) -> None:
        sentence = store.ping()
        assert database.kind.replace("postgresql", "postgres") in sentence.lower()
        assert len(sentence) < 200

    def test_a_store_may_be_closed_twice_and_other_stores_go_on(self, database: Database, store: Store) -> None:
        second = Store(database.url)
        second.found(COMPANY)
        second.close()
        second.close()
        assert list(store.companies()) == [COMPANY]

    def test_readers_and_writers_of_a_file_do_not_wait_for_each_other(self, database: Database, store: Store) -> None:
        if database.kind == "sqlite":
            assert database.ask("PRAGMA journal_mode") == [("wal",)]

    def test_what_is_committed_is_there_in_another_process(self, place: Place, database: Database) -> None:
        booked = place.book()
        ask = (
            "import sys; from gateway.store import Store; store = Store(sys.argv[1])\n"
            "with store.read('demo') as snapshot: print(snapshot.held_by_id(sys.argv[2]).entry.uid)\n"
            "store.close()"
        )
        end = subprocess.run([sys.executable, "-c", ask, database.url, booked.id], capture_output=True, text=True, check=True)
        assert end.stdout.strip() == booked.uid


class TestEpoch:
    def test_the_timeline_has_an_id_that_stays(self, place: Place, database: Database) -> None:
        epoch = place.store.epoch
        assert len(epoch) == 8
        assert int(epoch, 16) >= 0
        with place.store.read(DEMO) as snapshot:
            assert snapshot.epoch == epoch
        second = Store(database.url)
        try:
            assert second.epoch == epoch
        finally:
            second.close()

    def test_a_restore_begins_a_new_timeline_for_everybody_at_once(self, place: Place, database: Database) -> None:
        second = Store(database.url)
        try:
            old = second.epoch
            new = place.store.renew_epoch()
            assert new != old
            assert len(new) == 8
            assert (place.store.epoch, second.epoch) == (new, new)
            for store in (place.store, second):
                with store.read(DEMO) as snapshot:
                    assert snapshot.epoch == new
                with store.write(DEMO, SETUP) as tx:
                    assert tx.epoch == new
        finally:
            second.close()

    def test_two_databases_have_different_timelines(self, tmp_path: Path) -> None:
        epochs = set()
        for name in "ab":
            store = Store(f"sqlite:///{tmp_path}/{name}.db")
            store.migrate()
            epochs.add(store.epoch)
            store.close()
        assert len(epochs) == 2


def opened(store: Store) -> None:
    with store.read(DEMO):
        pass
