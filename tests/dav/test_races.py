"""Two processes on one database, four clients at once: one winner, never both, and a client that syncs misses nothing."""

from __future__ import annotations

import random
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from gateway.store import Store
from tests.databases import KINDS
from tests.dav.house import ADVICE, ANN, DEMO, JOHN, NOW, SETUP, SPACES, Answer, Client, Clock, D, House, event, furnish
from tests.journey.many import Many, serving_many
from tests.journey.wire import Answer as Told
from tests.journey.wire import Rest

WRITERS = 4
ROUNDS = 60  # with the same If-Match
TWINS = 25  # rounds of the same UID at two addresses
WRITES = 100  # while somebody syncs
HOURS = 10  # that are booked
T = TypeVar("T")
KEY = "races-key-000000000000000000000000000"


@dataclass(frozen=True)
class Served:
    house: House
    many: Many

    def calendar(self, slug: str) -> str:
        """The path of a calendar of one's own."""
        path = f"/dav/{JOHN.handle}/{slug}/"
        assert self.john.ask("MKCALENDAR", path).status == 201
        return path

    @property
    def john(self) -> Client:
        """Every request of his is a connection of its own, which the kernel gives to one of the processes."""
        return self.house.client()

    def all_was_well(self) -> None:
        """Both processes have answered, and nobody failed."""
        assert self.many.answering == {1, 2}
        assert [line for line in self.many.said("request") if line["status"] >= 500] == []


@pytest.fixture(scope="module", params=KINDS)
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A furnished house behind two processes, on each kind of database; one for all tests of this file."""
    folder = tmp_path_factory.mktemp("races")
    if request.param == "sqlite":
        path = shutil.copy(request.getfixturevalue("migrated_file"), folder / "gateway.db")
        with _serving(f"sqlite:///{path}", folder) as served:
            yield served
    else:
        with request.getfixturevalue("postgres").database() as database, _serving(database.url, folder) as served:
            yield served


@contextmanager
def _serving(url: str, folder: Path) -> Iterator[Served]:
    store = Store(url)
    try:
        furnish(store)
        with store.write(DEMO, SETUP) as tx:
            tx.add_api_key("races", KEY, NOW)
        with serving_many(url, folder) as many:
            yield Served(House(store, many.port, Clock()), many)
    finally:
        store.close()


def at_once(works: Sequence[Callable[[], T]]) -> list[T]:
    """What they answer, all begun at the same moment."""
    start = threading.Barrier(len(works))

    def run(work: Callable[[], T]) -> T:
        start.wait(20)
        return work()

    with ThreadPoolExecutor(len(works)) as clients:
        return list(clients.map(run, works))


def test_one_etag_has_one_winner(served: Served) -> None:
    at, john = served.calendar("etags") + "one.ics", served.john
    etag = john.put(at, event("one@example.com")).etag
    for turn in range(ROUNDS):
        texts = [event("one@example.com", summary=f"{turn} {writer}") for writer in range(WRITERS)]
        answers = at_once([lambda text=text, known=etag: john.put(at, text, If_Match=known) for text in texts])
        assert sorted(answer.status for answer in answers) == [204, *[412] * (WRITERS - 1)]
        [(etag, kept)] = [(answer.etag, text) for answer, text in zip(answers, texts, strict=True) if answer.status == 204]
        held = john.get(at)
        assert (held.etag, held.text) == (etag, kept)
    served.all_was_well()


def test_one_uid_is_never_at_two_addresses(served: Served) -> None:
    at, john = served.calendar("twins"), served.john
    for turn in range(TWINS):
        names = [f"{at}{turn}-{place}.ics" for place in ("here", "there")] * (WRITERS // 2)
        answers = at_once([lambda name=name, uid=turn: john.put(name, event(f"{uid}@example.com")) for name in names])
        kept = {name for name, answer in zip(names, answers, strict=True) if answer.status in (201, 204)}
        assert len(kept) == 1
        assert {answer.status for name, answer in zip(names, answers, strict=True) if name not in kept} == {403}
        assert [answer.status for answer in answers].count(201) == 1
    assert len(john.sync(path=at).responses) == TWINS
    served.all_was_well()


def test_one_calendar_is_made_once(served: Served) -> None:
    john = served.john
    for turn in range(HOURS):
        path = f"/dav/{JOHN.handle}/born-{turn}/"
        statuses = sorted(answer.status for answer in at_once([lambda path=path: john.ask("MKCALENDAR", path)] * WRITERS))
        assert statuses[0] == 201
        assert set(statuses[1:]) <= {403, 405, 409}
    served.all_was_well()


def test_one_hour_is_booked_once(served: Served) -> None:
    """By the platform, which asks both processes for the same hour of the same person."""
    rest = Rest(f"http://127.0.0.1:{served.many.port}/api/v1/", KEY)
    before = len(served.house.changes())
    for hour in range(HOURS):
        start = datetime.fromisoformat("2036-11-25T08:00:00+01:00") + timedelta(hours=hour % 8, weeks=hour // 8)
        wish = {"staff": JOHN.id, "service": ADVICE.id, "customer_id": ANN.id, "start": start.isoformat()}
        answers: list[Told] = at_once([lambda wish=wish: rest.ask("POST", "appointments", wish)] * WRITERS)
        assert sorted(answer.status for answer in answers) == [201, *[409] * (WRITERS - 1)], answers
        assert {answer.json["reason"] for answer in answers if answer.status == 409} == {"taken"}
    assert len(served.house.changes()) == before + HOURS
    served.all_was_well()


@dataclass
class Mirror:
    """A calendar program that syncs by token, and remembers what it knew at each one."""

    client: Client
    at: str
    known: dict[str, str] = field(default_factory=dict)  # path → ETag
    token: str = ""
    past: dict[str, dict[str, str]] = field(default_factory=dict)  # token → what was known then

    def sync(self) -> None:
        self.known, self.token = self.since(self.token, self.known)
        self.past[self.token] = self.known

    def since(self, token: str, known: dict[str, str]) -> tuple[dict[str, str], str]:
        answer = self.client.sync(token, self.at)
        assert answer.status == 207, answer.text
        now = dict(known)
        for path, found in answer.responses.items():
            if "status" in found:
                now.pop(path, None)
            else:
                now[path] = found[f"{D}getetag"]
        return now, answer.tree.findtext(f"{D}sync-token") or ""


def test_a_client_that_syncs_among_four_writers_misses_nothing(served: Served) -> None:
    at, john = served.calendar("busy"), served.john
    mirror, done = Mirror(john, at), threading.Event()

    def look() -> None:
        while not done.is_set():
            mirror.sync()

    def write_all() -> None:
        try:
            at_once([lambda seed=seed: [_write(john, at, seed, turn) for turn in range(WRITES // WRITERS)] for seed in range(WRITERS)])
        finally:
            done.set()

    at_once([look, write_all])
    assert len(mirror.past) > 3, "it has synced in between"
    mirror.sync()
    everything = {path: found[f"{D}getetag"] for path, found in john.propfind(at, "<D:getetag/>", "1").responses.items() if path != at}
    assert mirror.known == everything
    for token, known in mirror.past.items():
        assert mirror.since(token, known) == (everything, mirror.token)
    served.all_was_well()


def _write(john: Client, at: str, seed: int, turn: int) -> None:
    """Something that changes the calendar, which its CTag shows at once, whichever process is asked."""
    before, chance = john.ctag(at), random.Random(seed * 1000 + turn)
    name = f"{chance.randrange(12)}"
    answer: Answer
    match chance.choice(("PUT", "PUT", "DELETE", "PROPPATCH")):
        case "PUT":
            answer = john.put(f"{at}{name}.ics", event(f"{name}@example.com", summary=f"{seed} {turn}"))
            assert answer.status in (201, 204), answer.text
        case "DELETE":
            answer = john.ask("DELETE", f"{at}{name}.ics")
            assert answer.status in (204, 404), answer.text
        case _:
            looks = f"<D:prop><D:displayname>{seed} {turn}</D:displayname></D:prop>"
            answer = john.ask("PROPPATCH", at, f"<D:propertyupdate {SPACES}><D:set>{looks}</D:set></D:propertyupdate>")
            assert answer.status == 207, answer.text
    if answer.status != 404:
        assert john.ctag(at) != before
