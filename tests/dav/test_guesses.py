"""Guessing: who guesses too often is told to wait, learns nothing by it, costs nothing, and locks nobody out."""

from __future__ import annotations

import base64
import io
import statistics
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.guesses import PER_ACCOUNT, PER_ADDRESS, Guesses, network_of
from gateway.observe import REGISTRY
from gateway.store import Store
from gateway.store.connection import LISTENERS
from plugins.application import build
from tests.dav.house import DEMO, JOHN, NOW, PASSWORD, READ_ONLY, SETUP, Clock, furnish

RIGHT = PASSWORD.format("john")
SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Door:
    """The CalDAV side without a socket, so that requests can come from any address."""

    app: Any
    store: Store
    clock: Clock

    def knock(self, account: str, password: str, address: str = "192.0.2.1", agent: str = "") -> Reply:
        return self.show("Basic " + base64.b64encode(f"{account}:{password}".encode()).decode(), "/", address, agent)

    def show(self, authorization: str, path: str = "/", address: str = "192.0.2.1", agent: str = "") -> Reply:
        head: list[Any] = []
        environ = {
            "REQUEST_METHOD": "PROPFIND",
            "SCRIPT_NAME": "/dav",
            "PATH_INFO": path,
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": address,
            "HTTP_AUTHORIZATION": authorization,
            "HTTP_USER_AGENT": agent,
            "HTTP_DEPTH": "0",
            "CONTENT_LENGTH": "0",
            "wsgi.errors": io.StringIO(),
            "wsgi.input": io.BytesIO(),
            "wsgi.url_scheme": "http",
        }
        body = b"".join(self.app(environ, lambda status, headers: head.extend((status, headers))))
        return Reply(int(head[0][:3]), dict(head[1]), body)


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    store, clock = Store(f"sqlite:///{tmp_path}/gateway.db"), Clock()
    store.migrate()
    furnish(store)
    try:
        yield Door(build(store, clock=clock), store, clock)
    finally:
        store.close()


@contextmanager
def statements() -> Iterator[list[str]]:
    """Everything that a database is asked meanwhile."""
    asked: list[str] = []
    LISTENERS.append(asked.append)
    try:
        yield asked
    finally:
        LISTENERS.remove(asked.append)


def counted(name: str, door: str) -> float:
    return REGISTRY.get_sample_value(f"gateway_{name}_total", {"door": door}) or 0.0


class TestCounting:
    def waiting(self, guesses: Guesses, account: str | None, address: str, now: datetime = NOW) -> int | None:
        return guesses.refuse("dav", account, address, now, may_fit=lambda: False)

    def test_ten_wrong_guesses_a_minute_are_free(self) -> None:
        guesses = Guesses()
        for number in range(PER_ACCOUNT):
            assert self.waiting(guesses, "John", "192.0.2.1") is None
            guesses.wrong("dav", "John", "192.0.2.1", NOW + number * SECOND)
        late = NOW + 10 * SECOND
        assert self.waiting(guesses, "john", "192.0.2.1", late) == 50
        assert self.waiting(guesses, "john", "192.0.2.2", late) is None
        assert self.waiting(guesses, "emma", "192.0.2.1", late) is None
        assert self.waiting(guesses, "john", "192.0.2.1", NOW + 59 * SECOND) == 1
        assert self.waiting(guesses, "john", "192.0.2.1", NOW + 60 * SECOND) is None

    def test_after_the_wait_one_guess_is_free_and_not_ten(self) -> None:
        guesses = Guesses()
        for number in range(PER_ACCOUNT):
            guesses.wrong("dav", "john", "192.0.2.1", NOW + number * SECOND)
        then = NOW + 60 * SECOND
        assert self.waiting(guesses, "john", "192.0.2.1", then) is None
        guesses.wrong("dav", "john", "192.0.2.1", then)
        assert self.waiting(guesses, "john", "192.0.2.1", then) == 1

    def test_what_may_be_right_is_never_refused(self) -> None:
        guesses = Guesses()
        for _ in range(1000):
            guesses.wrong("dav", "john", "192.0.2.1", NOW)
        assert guesses.refuse("dav", "john", "192.0.2.1", NOW, may_fit=lambda: True) is None

    def test_an_address_that_tries_many_accounts_has_a_limit_too(self) -> None:
        guesses = Guesses()
        for number in range(PER_ADDRESS):
            assert self.waiting(guesses, f"name-{number}", "192.0.2.1") is None
            guesses.wrong("dav", f"name-{number}", "192.0.2.1", NOW)
        assert self.waiting(guesses, "somebody else", "192.0.2.1") == 60
        assert self.waiting(guesses, None, "192.0.2.1") == 60
        assert self.waiting(guesses, "somebody else", "192.0.2.2") is None

    def test_the_doors_count_accounts_for_themselves_and_addresses_together(self) -> None:
        guesses = Guesses()
        for _ in range(PER_ACCOUNT):
            guesses.wrong("rest", "", "192.0.2.1", NOW)
        assert self.waiting(guesses, "", "192.0.2.1") is None
        for _ in range(PER_ADDRESS - PER_ACCOUNT):
            guesses.wrong("feed", None, "192.0.2.1", NOW)
        assert self.waiting(guesses, "john", "192.0.2.1") == 60

    def test_a_household_with_many_addresses_counts_as_one(self) -> None:
        guesses = Guesses()
        for number in range(PER_ACCOUNT):
            guesses.wrong("dav", "john", f"2001:db8:1:2::{number:x}", NOW)
        assert self.waiting(guesses, "john", "2001:db8:1:2:ffff::1") == 60
        assert self.waiting(guesses, "john", "2001:db8:1:3::1") is None

    @pytest.mark.parametrize(
        ("address", "network"),
        [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:DB8::0:1", "2001:db8::/64"),
            ("fe80::1%eth0", "fe80::/64"),
            ("", ""),
            ("not an address", "not an address"),
            ("x" * 1000, "x" * 64),
        ],
    )
    def test_an_address_stands_for_its_network(self, address: str, network: str) -> None:
        assert network_of(address) == network

    def test_what_is_kept_of_an_address_is_wider(self) -> None:
        assert network_of("192.0.2.7", v4=24, v6=48) == "192.0.2.0/24"
        assert network_of("2001:db8:1:2::7", v4=24, v6=48) == "2001:db8:1::/48"

    def test_a_clock_that_is_set_back_locks_nobody_out(self) -> None:
        guesses = Guesses()
        for _ in range(PER_ACCOUNT):
            guesses.wrong("dav", "john", "192.0.2.1", NOW + timedelta(hours=1))
        assert self.waiting(guesses, "john", "192.0.2.1") is None

    def test_guesses_do_not_fill_the_memory(self) -> None:
        guesses = Guesses(remembered=100)
        for number in range(1000):
            guesses.wrong("dav", f"name-{number}", f"2001:db8:{number:x}::1", NOW)
        assert (len(guesses._accounts), len(guesses._addresses)) == (100, 100)

    @given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 2)), max_size=120))
    def test_in_no_minute_more_than_ten_are_looked_at(self, steps: list[tuple[int, int]]) -> None:
        guesses, now = Guesses(), datetime(2026, 11, 24, 8, tzinfo=UTC)
        looked_at: dict[int, list[datetime]] = {}
        for seconds, account in steps:
            now += timedelta(seconds=seconds)
            if self.waiting(guesses, str(account), "192.0.2.1", now) is None:
                guesses.wrong("dav", str(account), "192.0.2.1", now)
                looked_at.setdefault(account, []).append(now)
        for times in looked_at.values():
            for at in times:
                assert sum(at <= other < at + timedelta(minutes=1) for other in times) <= PER_ACCOUNT


class TestAtTheDoor:
    def test_the_eleventh_wrong_guess_is_told_how_long_to_wait(self, door: Door) -> None:
        replies = [door.knock("john-smith", f"wrong-{number}") for number in range(12)]
        assert [reply.status for reply in replies] == [401] * 10 + [429] * 2
        assert replies[-1].headers["Retry-After"] == "60"
        assert b"60 seconds" in replies[-1].body
        door.clock.now += 60 * SECOND
        assert door.knock("john-smith", "wrong").status == 401

    def test_what_is_told_to_wait_costs_no_look_at_the_database(self, door: Door) -> None:
        for number in range(11):
            door.knock("john-smith", f"wrong-{number}")
        with statements() as asked:
            assert {door.knock("john-smith", f"more-{number}").status for number in range(100)} == {429}
        assert asked == []

    def test_a_thousand_guesses_from_fifty_addresses_lock_nobody_out(self, door: Door) -> None:
        addresses = [f"198.51.100.{number}" for number in range(50)]
        statuses = [door.knock("john-smith", f"wrong-{each}-{number}", each).status for number in range(20) for each in addresses]
        assert (statuses.count(401), statuses.count(429)) == (500, 500)
        for address in ("192.0.2.1", *addresses):  # from home, and from the very networks the guesses come from
            assert door.knock("john-smith", RIGHT, address).status == 207
            assert door.knock("John.Smith@example.com", READ_ONLY, address).status == 207
        assert door.knock("emma-morris", PASSWORD.format("emma"), addresses[0]).status == 207

    def test_an_address_that_tries_all_names_is_stopped_and_its_neighbours_are_not(self, door: Door) -> None:
        statuses = [door.knock(f"name-{number}", "wrong").status for number in range(70)]
        assert (statuses.count(401), statuses.count(429)) == (60, 10)
        assert door.knock("john-smith", RIGHT).status == 207

    def test_a_right_password_of_somebody_else_is_no_way_around(self, door: Door) -> None:
        statuses = [door.knock("john-smith", PASSWORD.format("emma")).status for _ in range(12)]
        assert statuses[:10] == [401] * 10
        assert 207 not in statuses

    def test_a_revoked_password_is_a_wrong_one(self, door: Door) -> None:
        for number in range(11):
            door.knock("john-smith", f"wrong-{number}")
        with door.store.write(DEMO, SETUP) as tx:
            for each in tx.app_passwords(JOHN.id):
                tx.revoke_app_password(each.id, NOW)
        assert door.knock("john-smith", RIGHT).status == 401  # the list of a moment ago still has it, the database has not
        door.clock.now += 20 * SECOND
        assert door.knock("john-smith", RIGHT).status == 429

    def test_a_password_made_during_an_attack_works_within_seconds(self, door: Door) -> None:
        for number in range(11):
            door.knock("john-smith", f"wrong-{number}")
        with door.store.write(DEMO, SETUP) as tx:
            tx.add_app_password(JOHN.id, "new phone", "made-in-the-midst-of-it", NOW)
        door.clock.now += 20 * SECOND
        assert door.knock("john-smith", "made-in-the-midst-of-it").status == 207
        assert door.knock("john-smith", "wrong").status == 429

    def test_wrong_guesses_are_counted(self, door: Door) -> None:
        wrong, refused = counted("logins_failed", "dav"), counted("guesses_refused", "dav")
        for number in range(15):
            door.knock("john-smith", f"wrong-{number}")
        door.knock("john-smith", RIGHT)
        assert counted("logins_failed", "dav") - wrong == 10
        assert counted("guesses_refused", "dav") - refused == 5


class TestNothingIsLearned:
    NAMES = ("john-smith", "john.smith@example.com", "emma-morris", "nobody", "nobody@example.com")

    def test_known_and_unknown_names_are_answered_alike(self, door: Door) -> None:
        for status in (401, 429):
            replies = []
            for name in self.NAMES:
                for number in range(10 if status == 429 else 0):
                    door.knock(name, f"wrong-{number}", f"192.0.2.{len(name)}")
                replies.append(door.knock(name, "wrong", f"192.0.2.{len(name)}"))
            assert [reply.status for reply in replies] == [status] * len(self.NAMES)
            assert len({(reply.body, *sorted(reply.headers.items())) for reply in replies}) == 1

    def test_known_and_unknown_names_take_the_same_work(self, door: Door) -> None:
        door.knock("nobody", "wrong")
        work = set()
        for name in self.NAMES:
            with statements() as asked:
                door.knock(name, "wrong")
            work.add(tuple(asked))
        assert len(work) == 1

    def test_known_and_unknown_names_take_the_same_time(self, door: Door) -> None:
        """Trust T7 asks for a millisecond or two MAD; a busy machine gets twice that, and samples that alternate."""
        taken: dict[str, list[float]] = {"john-smith": [], "nobody-here": []}
        for number in range(200):
            for name, samples in taken.items():
                address = f"10.{len(name)}.{number}.1"
                began = time.perf_counter()
                assert door.knock(name, "wrong", address).status == 401
                samples.append((time.perf_counter() - began) * 1000)
        known, unknown = taken.values()
        spread = statistics.median(abs(each - statistics.median(known)) for each in known)
        assert abs(statistics.median(known) - statistics.median(unknown)) <= max(2.0, 3 * spread)
