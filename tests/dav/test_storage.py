"""The plugins as a stock Radicale drives them, and the faults that Radicale's own tests do not catch (radicale.md §7)."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from radicale import config
from radicale.app import Application
from radicale.item import Item
from radicale.storage import BaseCollection

from gateway.errors import Reason
from gateway.model import Appointment
from plugins.shelf import Shelf
from plugins.storage import Storage
from tests.dav.house import HERE, NOW, Client, House, event, raw

START = NOW + timedelta(days=2, hours=2)
ROOT = Path(__file__).parents[2]


@pytest.fixture
def storage(house: House) -> Storage:
    return Storage(config.load(), store=house.store, clock=house.clock)


def shelf(storage: Storage, path: str = "/john-smith/appointments/") -> Shelf:
    found = next(iter(storage.discover(path)))
    assert isinstance(found, Shelf)
    return found


def item(text: str) -> Item:
    return Item(collection_path="john-smith/appointments", text=text)


class TestLock:
    def test_one_etag_has_one_winner(self, house: House, john: Client) -> None:
        etag = john.put(HERE + "one.ics", event("one@example.com")).etag
        for _ in range(5):
            statuses: list[int] = []
            barrier = threading.Barrier(6)

            def write(number: int, known: str | None = etag, seen: list[int] = statuses, start: threading.Barrier = barrier) -> None:
                start.wait()
                seen.append(john.put(HERE + "one.ics", event("one@example.com", summary=f"{known} {number}"), If_Match=known).status)

            threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert sorted(statuses) == [204] + [412] * 5
            etag = john.get(HERE + "one.ics").etag

    def test_one_uid_is_born_once(self, house: House, john: Client) -> None:
        statuses: list[int] = []
        threads = [
            threading.Thread(target=lambda name=name: statuses.append(john.put(f"{HERE}{name}.ics", event("one@example.com")).status))
            for name in "abcdef"
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(statuses) == [201] + [403] * 5
        assert len(john.sync().responses) == 1

    def test_a_read_lock_opens_nothing_before_somebody_looks(self, storage: Storage) -> None:
        with storage.acquire_lock("r", "john-smith"):
            home = next(iter(storage.discover("/john-smith/", depth="1")))
            assert isinstance(home, BaseCollection)
            assert storage._work.snapshot is None

    def test_an_exception_rolls_everything_back(self, house: House, storage: Storage) -> None:
        revision = house.revision()

        def upload_and_fail() -> None:
            with storage.acquire_lock("w", "john-smith", path="/x", request="PUT", actor="john-smith"):
                shelf(storage).upload("one.ics", item(event("one@example.com")))
                raise LookupError

        with pytest.raises(LookupError):
            upload_and_fail()
        assert house.revision() == revision

    def test_an_error_that_radicale_swallows_rolls_everything_back(self, house: House, john: Client, storage: Storage) -> None:
        """Radicale catches ValueError inside its lock and leaves it as if all were well: a half-done move must not be kept."""
        john.ask("MKCALENDAR", "/dav/john-smith/private/")
        for path, uid in (
            (HERE + "one.ics", "one"),
            ("/dav/john-smith/private/one.ics", "one"),
            ("/dav/john-smith/private/two.ics", "two"),
        ):
            assert john.put(path, event(f"{uid}@example.com")).status == 201
        revision = house.revision()
        with storage.acquire_lock("w", "john-smith", path="/x", request="MOVE", actor="john-smith"):
            moved = next(iter(storage.discover("/john-smith/appointments/one.ics")))
            assert isinstance(moved, Item)
            with pytest.raises(ValueError, match="UID"):
                storage.move(moved, shelf(storage, "/john-smith/private/"), "two.ics")
        assert house.revision() == revision
        assert john.get(HERE + "one.ics")
        assert "two@example.com" in john.get("/dav/john-smith/private/two.ics").text


class TestCollections:
    def test_an_upload_answers_what_was_there_before(self, john: Client, storage: Storage) -> None:
        john.put(HERE + "one.ics", event("one@example.com", summary="Before"))
        with storage.acquire_lock("w", "john-smith"):
            new, old = shelf(storage).upload("one.ics", item(event("one@example.com", summary="After")))
            assert old is not None
            assert ("Before" in old.serialize(), "After" in new.serialize()) == (True, True)
            assert shelf(storage).upload("two.ics", item(event("two@example.com")))[1] is None

    def test_ctag_and_token_move_with_looks_too(self, john: Client, storage: Storage) -> None:
        john.put(HERE + "one.ics", event("one@example.com"))
        before = shelf(storage)
        with storage.acquire_lock("w", "john-smith"):
            shelf(storage).set_meta({**shelf(storage).get_meta(), "D:displayname": "Mine"})
        after = shelf(storage)
        assert after.get_meta("D:displayname") == "Mine"
        assert after.etag != before.etag
        assert list(after.sync(before.sync()[0])[1]) == []
        with pytest.raises(ValueError, match="token"):
            after.sync("http://radicale.org/ns/sync/abc")

    def test_a_calendar_stays_a_calendar(self, house: House, storage: Storage) -> None:
        revision = house.revision()
        with storage.acquire_lock("w", "john-smith"):
            for props in ({}, {"tag": "VADDRESSBOOK"}, {"tag": "VCALENDAR", "C:supported-calendar-component-set": "VTODO"}):
                with pytest.raises(ValueError, match="cannot be changed"):
                    shelf(storage).set_meta(props)
            with pytest.raises(ValueError, match="overwritten"):
                storage.create_collection("/john-smith/appointments/", items=[item(event("x"))], props={"tag": "VCALENDAR"})
            with pytest.raises(ValueError, match="platform"):
                shelf(storage).delete()
        assert house.revision() == revision

    def test_missing_names_are_answered_with_none(self, john: Client, storage: Storage) -> None:
        john.put(HERE + "one.ics", event("one@example.com"))
        found = dict(shelf(storage).get_multi(name for name in ("one.ics", "two.ics")))
        assert found["one.ics"] is not None
        assert found["two.ics"] is None
        assert shelf(storage).has_uid("one@example.com")
        assert not shelf(storage).has_uid("two@example.com")


@pytest.fixture
def stock(house: House, tmp_path: Path) -> Iterator[int]:
    """A stock `radicale` with the project's radicale.conf, on the same database; its port."""
    url = house.store.url if hasattr(house.store, "url") else f"sqlite:///{tmp_path}/gateway.db"
    text = (ROOT / "radicale.conf").read_text().replace("sqlite:///data/gateway.sqlite", url)
    conf = tmp_path / "radicale.conf"
    conf.write_text(text)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    command = [sys.executable, "-m", "radicale", "--config", str(conf), "--server-hosts", f"127.0.0.1:{port}"]
    with (tmp_path / "radicale.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
        try:
            _wait(process, port)
            yield port
        finally:
            process.terminate()
            process.wait(20)


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except ConnectionRefusedError:
            assert process.poll() is None, "radicale does not start"
            threading.Event().wait(0.05)
        else:
            return
    raise AssertionError("radicale does not listen")


def test_a_stock_radicale_serves_the_same_calendars_and_moves_an_appointment(house: House, john: Client, stock: int) -> None:
    name = house.book(START)
    path = f"/john-smith/appointments/{name}"
    login = {"Authorization": john.credentials}
    assert raw(stock, "PROPFIND", "/john-smith/", headers={**login, "Depth": "1"}).status == 207
    held = raw(stock, "GET", path, headers=login)
    assert held.status == 200
    assert held.etag == john.get(HERE + name).etag
    text = held.text.replace("T110000", "T140000").replace("T113000", "T143000")
    kind = {"Content-Type": "text/calendar; charset=utf-8"}

    assert raw(stock, "PUT", path, text, {**login, **kind, "If-Match": held.etag or ""}).status == 204

    entry = house.entry(name)
    assert isinstance(entry, Appointment)
    assert entry.span.start == START + timedelta(hours=3)
    assert raw(stock, "PUT", path, text, {**login, **kind, "If-Match": held.etag or ""}).status == 412

    house.set_policy(two_way=False)
    now = raw(stock, "GET", path, headers=login)
    assert raw(stock, "PUT", path, held.text, {**login, **kind, "If-Match": now.etag or ""}).status == 403
    assert raw(stock, "GET", path, headers=login).etag != now.etag
    assert house.changes()[-1].reason is Reason.TWO_WAY_OFF

    assert raw(stock, "PUT", "/john-smith/appointments/", text, {**login, **kind}).status in (400, 403, 409)
    assert raw(stock, "DELETE", "/john-smith/appointments/", headers=login).status == 403
    assert raw(stock, "PROPFIND", "/emma-morris/", headers=login).status == 403
    assert raw(stock, "PROPFIND", "/john-smith/").status == 401


def test_the_plugins_refuse_to_start_without_a_database() -> None:
    configuration = config.load()
    configuration.update({"auth": {"type": "plugins.auth"}, "storage": {"type": "plugins.storage"}}, "test")
    with pytest.raises(RuntimeError, match="database_url"):
        Application(configuration)
