"""The queue's own tables: made once, brought up to date, refused when too new; and what a dead worker leaves in them is cleared away."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from gateway import queue
from gateway.errors import Misconfigured, Unavailable
from gateway.links import AccountId
from gateway.queue import schema
from gateway.store import Store
from tests.bridge.runner.conftest import queueing
from tests.bridge.runner.house import SOON, Rig, Work, furnished
from tests.databases import Database, Postgres


@pytest.fixture
def bare(postgres: Postgres) -> Iterator[Database]:
    with queueing(postgres, queued=False) as database:
        yield database


@pytest.fixture
def rig(postgres: Postgres) -> Iterator[Rig]:
    with queueing(postgres) as database, closing(Store(database.url)) as store:
        yield furnished("procrastinate", database.url, store)


def asked(database: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(database.replace("+psycopg", ""), autocommit=True) as connection:
        cursor = connection.execute(f"SET search_path = gateway_queue; {statement}")
        while cursor.nextset():
            pass
        return cursor.fetchall() if cursor.description else []


def test_the_tables_are_made_once_also_by_several_at_once(bare: Database) -> None:
    troubles: list[Exception] = []

    def make() -> None:
        try:
            queue.migrate(bare.url)
        except Exception as error:
            troubles.append(error)

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert troubles == []
    queue.must_be_ready(bare.url)
    queue.migrate(bare.url)
    assert {
        name for (name,) in bare.ask("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename LIKE 'procrastinate%'")
    } == set()


def test_without_its_tables_the_queue_says_what_to_do(bare: Database) -> None:
    with pytest.raises(Unavailable, match="gateway migrate"):
        queue.must_be_ready(bare.url)


def test_steps_that_are_missing_are_taken(bare: Database) -> None:
    queue.migrate(bare.url)
    newest = asked(bare.url, "SELECT obj_description('gateway_queue'::regnamespace)")
    asked(bare.url, "COMMENT ON SCHEMA gateway_queue IS '03.04.00_01_pre_add_retry_failed_job_procedure'")
    with pytest.raises(Unavailable, match="gateway migrate"):
        queue.must_be_ready(bare.url)
    queue.migrate(bare.url)
    queue.must_be_ready(bare.url)
    assert asked(bare.url, "SELECT obj_description('gateway_queue'::regnamespace)") == newest


def test_a_newer_queue_is_left_alone(bare: Database) -> None:
    queue.migrate(bare.url)
    asked(bare.url, "COMMENT ON SCHEMA gateway_queue IS '99.00.00_01_from_the_future'")
    for attempt in (queue.migrate, queue.must_be_ready):
        with pytest.raises(Misconfigured, match="newer"):
            attempt(bare.url)


def test_a_server_that_is_away_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "PATIENCE", 0.2)
    with pytest.raises(Unavailable, match=r"database\.url"):
        queue.must_be_ready("postgresql+psycopg://nobody@127.0.0.1:1/nothing")


def test_nothing_is_left_in_the_queue_when_everybody_has_had_a_turn(rig: Rig) -> None:
    accounts = rig.connect(5)
    work = Work(rig.store)
    with rig.carried(work):
        work.until(lambda: work.counts(accounts, 1))
    assert asked(rig.url, "SELECT COUNT(*) FROM procrastinate_jobs WHERE task_name = 'turn'") == [(0,)]
    assert asked(rig.url, "SELECT COUNT(*) FROM procrastinate_workers") == [(0,)]


def test_what_a_dead_worker_had_in_hand_is_done_by_another(rig: Rig) -> None:
    """As a kill leaves it: a job that is being done by a worker that gives no sign of life, and a claim whose lease runs out."""
    [account] = rig.connect(1)
    _in_hand_of_the_dead(rig, account)
    work = Work(rig.store)
    with rig.carried(work):
        work.until(lambda: work.done == [account])


def test_a_job_that_stalled_while_its_account_waits_again_is_cleared_away(rig: Rig) -> None:
    [account] = rig.connect(1)
    _in_hand_of_the_dead(rig, account)
    asked(
        rig.url,
        "INSERT INTO procrastinate_jobs (queue_name, task_name, lock, queueing_lock, args)"
        " SELECT queue_name, task_name, lock, queueing_lock, args FROM procrastinate_jobs",
    )
    work = Work(rig.store)
    with rig.carried(work):
        work.until(lambda: work.done == [account])
    assert asked(rig.url, "SELECT COUNT(*) FROM procrastinate_jobs WHERE task_name = 'turn'") == [(0,)]


def test_after_the_server_has_thrown_everybody_out_the_workers_come_back(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.queue.carrier.PAUSE", 0.2)
    first, second = rig.connect(2, ahead=timedelta(hours=2))
    work = Work(rig.store)
    with rig.carried(work) as carrier:
        rig.wake(first)
        carrier.wake()
        work.until(lambda: work.done == [first])
        asked(
            rig.url,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND application_name = 'calendar-gateway-queue'",
        )
        rig.wake(second)
        carrier.wake()
        work.until(lambda: second in work.done, SOON)
        assert carrier.troubles() == []


def _in_hand_of_the_dead(rig: Rig, account: AccountId) -> None:
    asked(
        rig.url,
        "WITH dead AS (INSERT INTO procrastinate_workers (last_heartbeat) VALUES (NOW() - INTERVAL '1 minute') RETURNING id)"
        " INSERT INTO procrastinate_jobs (queue_name, task_name, lock, queueing_lock, args, status, worker_id)"
        f" SELECT 'turns', 'turn', 'demo/{account}', 'demo/{account}', '{{\"company\": \"demo\", \"account\": \"{account}\"}}', 'doing', id"
        " FROM dead",
    )
