"""Six faults of storage plugins that Radicale's own tests do not catch (radicale.md §7): a check for each, and proof that it would.

Every check goes through a door that clients use: our own, and a stock Radicale's on our storage. Then the storage is broken in just
that way, a few lines for each fault, and the check has to fail.
"""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from radicale import types
from radicale.app import Application as StockApplication
from radicale.item import Item

from gateway.errors import GatewayError
from gateway.model import Actor, Personal
from gateway.store import Transaction
from plugins.application import build
from plugins.shelf import Shelf
from plugins.storage import Storage
from tests.databases import Database
from tests.dav.house import HERE, SPACES, Answer, Client, House, event
from tests.dav.tripping import Hook

WRITERS = 4
ONE, TWO = HERE + "one.ics", HERE + "two.ics"


@dataclass(frozen=True)
class StockClient(Client):
    """A client of a stock Radicale, which sees the same addresses as everybody."""

    app: StockApplication

    def ask(self, method: str, path: str, body: str | bytes = b"", /, **headers: str | None) -> Answer:
        octets, head = body.encode() if isinstance(body, str) else body, list[Any]()
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "/dav",
            "PATH_INFO": path.removeprefix("/dav"),
            "CONTENT_LENGTH": str(len(octets)),
            "CONTENT_TYPE": headers.pop("Content_Type", None) or "",
            "HTTP_AUTHORIZATION": self.credentials,
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.input": io.BytesIO(octets),
        }
        setup_testing_defaults(environ)
        environ |= {f"HTTP_{name.upper()}": value for name, value in headers.items() if value is not None}
        answer = b"".join(self.app(environ, lambda *given: head.extend(given)))
        return Answer(int(head[0][:3]), {name.lower(): value for name, value in head[1]}, answer)


class Breakable(Storage):
    """The storage, with calendars of another kind in it."""

    kind: type[Shelf] = Shelf

    def discover(self, *given: Any, **more: Any) -> Iterator[types.CollectionOrItem]:
        for found in super().discover(*given, **more):
            if isinstance(found, Shelf):
                found.__class__ = self.kind
            yield found


def stock(house: House, storage: type[Storage] = Storage) -> StockClient:
    """At a stock Radicale that stores by that plugin, and logs in by ours."""
    configuration = build(house.store, clock=house.clock).configuration.copy()
    plugin = partial(storage, store=house.store, clock=house.clock)
    configuration.update({"storage": {"type": plugin}, "hook": {"type": "tests.dav.tripping"}}, "the test", privileged=True)
    known = house.client()
    return StockClient(house, known.login, known.password, StockApplication(configuration))


@pytest.fixture(params=["ours", "stock"])
def client(request: pytest.FixtureRequest, house: House) -> Client:
    """At each door."""
    return house.client() if request.param == "ours" else stock(house)


@pytest.fixture(autouse=True)
def hook(monkeypatch: pytest.MonkeyPatch) -> type[Hook]:
    monkeypatch.setattr(Hook, "heard", [])
    monkeypatch.setattr(Hook, "trips", False)
    return Hook


@contextmanager
def fails(what: str) -> Iterator[None]:
    """The check inside notices the fault, and it is that one."""
    with pytest.raises(AssertionError, match=what):
        yield


# A constant CTag.


class ConstantCtag(Shelf):
    @property
    def etag(self) -> str:
        return '"1"'


def check_that_the_ctag_moves_with_objects(client: Client) -> None:
    seen = [client.ctag()]
    for change in (
        lambda: client.put(ONE, event("one@example.com")),
        lambda: client.put(TWO, event("two@example.com")),
        lambda: client.put(ONE, event("one@example.com", summary="Later")),
        lambda: client.ask("DELETE", ONE),
    ):
        assert change().status in (200, 201, 204)
        seen.append(client.ctag())
        assert seen.count(seen[-1]) == 1, "the CTag stands still"
    assert client.ctag() == seen[-1]


def test_every_write_moves_the_ctag(client: Client) -> None:
    check_that_the_ctag_moves_with_objects(client)


def test_a_constant_ctag_would_be_noticed(house: House) -> None:
    with fails("stands still"):
        check_that_the_ctag_moves_with_objects(stock(house, type("Broken", (Breakable,), {"kind": ConstantCtag})))


# No new CTag after PROPPATCH.


class CtagOfObjects(Shelf):
    """What many do: a digest of what lies in the calendar."""

    @property
    def etag(self) -> str:
        return f'"{hashlib.sha256(repr([(item.href, item.etag) for item in self.get_all()]).encode()).hexdigest()}"'


def check_that_the_ctag_moves_with_looks(client: Client) -> None:
    seen = [client.ctag()]
    for looks in ("<D:displayname>Mine</D:displayname>", "<I:calendar-color>#00ff00</I:calendar-color>"):
        body = f"<D:propertyupdate {SPACES}><D:set><D:prop>{looks}</D:prop></D:set></D:propertyupdate>"
        assert client.ask("PROPPATCH", HERE, body).status == 207
        seen.append(client.ctag())
        assert seen.count(seen[-1]) == 1, "the CTag does not know of the looks"


def test_every_change_of_looks_moves_the_ctag(client: Client) -> None:
    check_that_the_ctag_moves_with_looks(client)


def test_a_ctag_that_does_not_know_of_looks_would_be_noticed(house: House) -> None:
    broken = stock(house, type("Broken", (Breakable,), {"kind": CtagOfObjects}))
    check_that_the_ctag_moves_with_objects(broken)
    with fails("does not know of the looks"):
        check_that_the_ctag_moves_with_looks(broken)


# No exclusive lock.


class NoLock(Storage):
    """What was tried before: an empty lock, and a transaction of its own for each call. Four writers meet where it matters."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.met = threading.Barrier(WRITERS)

    @types.contextmanager
    def acquire_lock(self, mode: str, user: str = "", *args: Any, **kwargs: Any) -> Iterator[None]:
        self._work.handle = user
        yield

    @contextmanager
    def changing(self) -> Iterator[Transaction]:
        self.met.wait(20)
        known = self.store.find_handle(self._work.handle)
        assert known is not None
        with self.store.write(known[0], Actor(self._work.handle, "dav")) as tx:
            yield tx


def check_that_one_version_has_one_successor(house: House, client: Client) -> None:
    etag = house.client().put(ONE, event("one@example.com")).etag
    statuses: list[int] = []

    def write(number: int) -> None:
        statuses.append(client.put(ONE, event("one@example.com", summary=f"Writer {number}"), If_Match=etag).status)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(30)
    assert sorted(statuses) == [204, *[412] * (WRITERS - 1)], "several wrote over the same version"


def test_one_version_has_one_successor(house: House, client: Client) -> None:
    for _ in range(5):
        check_that_one_version_has_one_successor(house, client)


def test_a_lock_that_is_none_would_be_noticed(house: House) -> None:
    with fails("several wrote over the same version"):
        check_that_one_version_has_one_successor(house, stock(house, NoLock))


# No rollback.


class NoRollback(Storage):
    """Keeps what was written, whatever happens afterwards."""

    @contextmanager
    def _writing(self, user: str) -> Iterator[None]:
        known, failure = self.store.find_handle(user), None
        assert known is not None
        with self.store.write(known[0], Actor(user, "dav")) as tx:
            self._work.tx = tx
            try:
                yield
            except LookupError as error:
                failure = error
        if failure is not None:
            raise failure


def everything(client: Client) -> Mapping[str, Any]:
    """What a client can know of a calendar."""
    listed = client.sync(props="<D:getetag/>").responses
    return {"ctag": client.ctag(), "token": client.token(), "listed": listed, "texts": {path: client.get(path).text for path in listed}}


def check_that_what_fails_is_undone(client: Client, failing: Callable[[], AbstractContextManager[None]]) -> None:
    """By a new object, a change and a deletion, each of which fails when it is nearly done."""
    assert client.put(ONE, event("one@example.com")).status == 201
    before = everything(client)
    for request in (
        lambda: client.put(TWO, event("two@example.com")),
        lambda: client.put(ONE, event("one@example.com", summary="Later")),
        lambda: client.ask("DELETE", ONE),
    ):
        with failing():
            assert request().status >= 400
        assert everything(client) == before, "half of it was kept"


@contextmanager
def tripping() -> Iterator[None]:
    """What follows the write fails."""
    Hook.trips = True
    try:
        yield
    finally:
        Hook.trips = False


def test_what_fails_after_a_write_is_undone(house: House) -> None:
    """At a stock Radicale, where something follows a write within its lock; at our own door nothing does."""
    check_that_what_fails_is_undone(stock(house), tripping)


def test_a_storage_that_rolls_nothing_back_would_be_noticed(house: House) -> None:
    with fails("half of it was kept"):
        check_that_what_fails_is_undone(stock(house, NoRollback), tripping)


# No savepoint: Radicale catches ValueError within its lock and leaves it as if all were well.


class NoSavepoint(Storage):
    """Tells Radicale of the error, and does not remember it."""

    @contextmanager
    def changing(self) -> Iterator[Transaction]:
        assert self._work.tx is not None
        try:
            yield self._work.tx
        except GatewayError as error:
            raise ValueError(str(error)) from error


@pytest.fixture
def stumbling(house: House, tmp_path: Any) -> Callable[[], AbstractContextManager[None]]:
    """The database refuses the last line of a write: the entry is there by then, the log is not."""
    database = Database("sqlite", f"sqlite:///{tmp_path}/gateway.db")

    @contextmanager
    def stumble() -> Iterator[None]:
        database.ask("CREATE TRIGGER stumble BEFORE INSERT ON change BEGIN SELECT RAISE(ABORT, 'stumbled'); END", commit=True)
        try:
            yield
        finally:
            database.ask("DROP TRIGGER stumble", commit=True)

    return stumble


def test_what_fails_within_a_write_is_undone(client: Client, stumbling: Callable[[], AbstractContextManager[None]]) -> None:
    check_that_what_fails_is_undone(client, stumbling)


def test_a_storage_without_savepoints_would_be_noticed(house: House, stumbling: Callable[[], AbstractContextManager[None]]) -> None:
    with fails("half of it was kept"):
        check_that_what_fails_is_undone(stock(house, NoSavepoint), stumbling)


# The wrong old item.


class WrongOld(Shelf):
    """Looks for what was there before when it is there no longer."""

    def upload(self, href: str, item: Item) -> tuple[Item, Item | None]:
        new, _ = super().upload(href, item)
        return new, dict(self.get_multi([href]))[href]


def check_that_what_was_there_before_is_told(client: Client) -> None:
    for summary in ("First", "Second", "Third"):
        assert client.put(ONE, event("one@example.com", summary=summary)).status in (201, 204)
    told = [(_summary(item, "old_content"), _summary(item, "new_content")) for item in Hook.heard]
    assert told == [(None, "First"), ("First", "Second"), ("Second", "Third")], "the old one is another"


def _summary(item: Any, which: str) -> str | None:
    text: str | None = getattr(item, which)
    return None if text is None else text.partition("SUMMARY:")[2].partition("\r\n")[0]


def test_what_was_there_before_is_told(house: House) -> None:
    """To Radicale's hooks, by its own door; at ours the log tells it (`test_the_log_tells_what_was_there_before`)."""
    check_that_what_was_there_before_is_told(stock(house))


def test_a_wrong_old_item_would_be_noticed(house: House) -> None:
    with fails("the old one is another"):
        check_that_what_was_there_before_is_told(stock(house, type("Broken", (Breakable,), {"kind": WrongOld})))


def test_the_log_tells_what_was_there_before(house: House, client: Client) -> None:
    for summary in ("First", "Second"):
        assert client.put(ONE, event("one@example.com", summary=summary)).status in (201, 204)
    told = [(change.before, change.after) for change in house.changes() if isinstance(change.after, Personal)]
    assert [("First" in getattr(old, "text", ""), "Second" in getattr(new, "text", "")) for old, new in told] == [
        (False, False),
        (True, True),
    ]
