"""Push services that are slow, away, full or wrong, and carriers that die: nobody is told twice for nothing, nobody waits for others."""

from __future__ import annotations

import io
import logging
import socket
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from gateway import observe
from gateway.egress import Egress
from gateway.model import Revision
from gateway.push.carrier import LEASE, REST, Carrier
from gateway.push.news import News
from gateway.seal import Seal
from gateway.store import Settled
from gateway.webpush import Vapid
from tests.databases import Database
from tests.dav.house import DEMO, EMMA, HERE, NOW, SETUP, Client, event
from tests.push.house import Device, Office, post, registered, serving, wish

TOMORROW = NOW + timedelta(days=1)


def another(office: Office, *, seal: Seal | None = None, egress: Egress | None = None) -> Carrier:
    """A carrier of another process."""
    return Carrier(
        office.house.store,
        seal or office.seal,
        egress or Egress(allow_private=True),
        office.vapid,
        contact="mailto:admin@example.com",
        state=lambda snapshot, collection: f"data:,{collection.last}",
        clock=office.house.clock,
    )


def news(office: Office, name: str = "a") -> None:
    """Something that devices at John's calendar are to be told, by now."""
    office.house.client().put(f"{HERE}{name}.ics", event(name))
    office.read()
    office.later(REST)


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


class TestAnswers:
    @pytest.mark.parametrize("status", [404, 410])
    def test_a_device_that_its_service_does_not_know_any_more_is_forgotten(self, office: Office, john: Client, status: int) -> None:
        path = registered(john, office.service.url()).path
        office.service.says = [(status, {})]
        news(office)
        assert len(office.carry()) == 1
        assert john.ask("DELETE", path).status == 404
        news(office, "b")
        assert office.carry() == []

    @pytest.mark.parametrize("status", [200, 201, 202, 204])
    def test_taken_is_taken(self, office: Office, john: Client, status: int) -> None:
        registered(john, office.service.url())
        office.service.says = [(status, {})]
        news(office)
        assert len(office.carry()) == 1
        office.later(timedelta(days=2))
        assert office.carry() == []

    def test_a_service_in_trouble_is_asked_again_after_one_five_fifteen_and_sixty_minutes(self, office: Office, john: Client) -> None:
        phone = registered(john, office.service.url())
        office.service.says = [(500, {}), (503, {}), (502, {}), (500, {}), (500, {})]
        news(office)
        assert len(office.carry()) == 1
        for minutes in (1, 5, 15, 60, 60):
            office.later(timedelta(minutes=minutes) - timedelta(seconds=1))
            assert office.carry() == []
            office.later(timedelta(seconds=1))
            [given] = office.carry()
        assert given.message(phone.device).token == john.token()
        office.later(timedelta(days=1))
        assert office.carry() == []

    def test_what_comes_while_a_service_is_in_trouble_is_told_with_the_next_attempt(self, office: Office, john: Client) -> None:
        phone = registered(john, office.service.url())
        office.service.says = [(500, {})]
        news(office)
        office.carry()
        news(office, "b")
        assert office.carry() == []
        office.later(timedelta(minutes=1))
        [given] = office.carry()
        assert given.message(phone.device).token == john.token()
        office.later(timedelta(days=1))
        assert office.carry() == []

    @pytest.mark.parametrize(("wait", "minutes"), [("600", 10), ("Tue, 24 Nov 2026 08:20:15 GMT", 20), ("5", 1), ("soon", 1), ("-1", 1)])
    def test_a_service_says_when_to_come_again(self, office: Office, john: Client, wait: str, minutes: int) -> None:
        registered(john, office.service.url())
        office.service.says = [(429, {"Retry-After": wait})]
        news(office)
        office.carry()
        office.later(timedelta(minutes=minutes) - timedelta(seconds=1))
        assert office.carry() == []
        office.later(timedelta(seconds=1))
        assert len(office.carry()) == 1

    def test_a_message_is_given_up_after_a_day_and_the_next_one_tried_anew(self, office: Office, john: Client) -> None:
        registered(john, office.service.url())
        office.service.says = [(500, {})] * 100
        news(office)
        attempts = 0
        for _ in range(40):
            attempts += len(office.carry())
            office.later(timedelta(hours=1))
        assert 24 <= attempts <= 28
        assert office.house.store.next_push(office.now) is None
        office.service.says = []
        news(office, "b")
        assert len(office.carry()) == 1

    @pytest.mark.parametrize("status", [302, 307, 400, 401, 403, 413])
    def test_a_device_whose_messages_are_refused_three_times_in_a_row_is_forgotten(self, office: Office, john: Client, status: int) -> None:
        path = registered(john, office.service.url()).path
        office.service.says = [(status, {"Location": "http://127.0.0.1:1/"})] * 3
        for number in range(2):
            news(office, str(number))
            assert len(office.carry()) == 1
            office.later(timedelta(days=1))
            assert office.carry() == []
        news(office, "2")
        assert len(office.carry()) == 1
        assert john.ask("DELETE", path).status == 404

    def test_a_message_that_is_taken_lets_refusals_be_forgotten(self, office: Office, john: Client) -> None:
        path = registered(john, office.service.url()).path
        office.service.says = [(400, {}), (400, {}), (201, {}), (400, {}), (400, {})]
        for number in range(5):
            news(office, str(number))
            assert len(office.carry()) == 1
        assert john.ask("DELETE", path).status == 204


class TestServices:
    def test_a_service_that_is_away_rests_as_a_whole_and_others_go_on(self, office: Office, john: Client) -> None:
        away = f"http://127.0.0.1:{closed_port()}"
        for number in range(3):
            registered(john, f"{away}/{number}")
        registered(john, office.service.url())
        news(office)
        assert len(office.carry()) == 1
        news(office, "b")
        assert len(office.carry()) == 1
        assert office.house.store.next_push(office.now) is not None

    def test_one_that_hangs_keeps_nobody_else_waiting(self, office: Office, john: Client) -> None:
        with serving() as slow:
            release, entered = threading.Event(), threading.Event()

            def hang() -> None:
                entered.set()
                release.wait(20)

            slow.meanwhile = hang
            registered(john, slow.url())
            registered(john, office.service.url())
            news(office)
            try:
                before = len(office.service.given)
                office.carrier.run(office.now)
                assert entered.wait(20)
                news(office, "b")

                def told_again() -> bool:
                    office.later(timedelta(seconds=1))
                    office.carrier.run(office.now)
                    return len(office.service.given) - before >= 2

                until(told_again)
            finally:
                release.set()
            assert office.carrier.ended_within(20)

    def test_an_address_that_leads_home_by_now_is_refused(self, office: Office, john: Client) -> None:
        registered(john, office.service.url())
        strict = another(office, egress=Egress())
        news(office)
        strict.run(office.now)
        assert strict.ended_within(20)
        assert office.service.given == []
        assert office.carry() == []


def until(true: Callable[[], bool]) -> None:
    end = threading.Event()
    for _ in range(400):
        if true():
            return
        end.wait(0.05)
    raise AssertionError("it does not come")


class TestCrashes:
    def test_what_a_dead_process_had_claimed_is_sent_by_the_next(self, each_office: Office) -> None:
        office, john = each_office, each_office.house.client()
        phone = registered(john, office.service.url())
        news(office)
        [claimed] = office.house.store.claim_pushes(office.now, lease=LEASE, limit=10)
        assert office.carry() == []
        office.later(LEASE)
        [given] = office.carry()
        assert given.message(phone.device).token == john.token()
        office.house.store.settle_pushes([Settled(push=claimed)], office.now, rests=office.now)  # the dead one wakes up: too late
        assert john.ask("DELETE", phone.path).status == 204

    def test_one_that_dies_after_sending_tells_twice_and_no_more(self, each_office: Office) -> None:
        office = each_office
        registered(office.house.client(), office.service.url())
        news(office)

        def away() -> None:
            """The database, for as long as the one who has just sent wants to say so."""
            office.later(LEASE)
            assert len(office.house.store.claim_pushes(office.now, lease=LEASE, limit=1)) == 1  # somebody else has it by now

        office.service.meanwhile = away
        assert len(office.carry()) == 1
        office.service.meanwhile = lambda: None
        office.later(LEASE)
        assert len(office.carry()) == 1
        office.later(LEASE)
        assert office.carry() == []

    def test_two_carriers_share_the_work(self, each_office: Office) -> None:
        office, john = each_office, each_office.house.client()
        for number in range(12):
            registered(john, office.service.url(str(number)))
        news(office)
        carriers = [office.carrier, another(office)]
        threads = [threading.Thread(target=carrier.run, args=(office.now,)) for carrier in carriers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for _ in range(10):
            assert all(carrier.ended_within(20) for carrier in carriers)
            office.later(timedelta(seconds=2))
            for carrier in carriers:
                carrier.run(office.now)
        assert all(carrier.ended_within(20) for carrier in carriers)
        assert sorted(given.path for given in office.service.given) == sorted(f"/{number}" for number in range(12))

    def test_two_readers_note_everything_once(self, each_office: Office) -> None:
        office = each_office
        registered(office.house.client(), office.service.url())
        office.house.client().put(HERE + "a.ics", event("a"))
        readers = [office.news, News(office.house.store)]
        threads = [threading.Thread(target=reader.catch_up, args=(DEMO, office.now)) for reader in readers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        office.later(timedelta(seconds=2))
        assert len(office.carry()) == 1

    def test_a_carrier_that_is_stopped_begins_nothing(self, office: Office, john: Client) -> None:
        registered(john, office.service.url())
        news(office)
        office.carrier.stop()
        assert office.carrier.run(office.now) is None
        assert office.carry() == []


class TestSecrets:
    def test_nothing_of_a_device_lies_open_in_the_database(self, database: Database, each_office: Office) -> None:
        office, device = each_office, Device()
        registered(office.house.client(), office.service.url("canary-resource"), device=device)
        news(office)
        office.service.says = [(500, {})]
        office.carry()
        dump = database.dump()
        for secret in (b"canary-resource", device.secret, device.public, device.public[1:20]):
            assert secret not in dump

    def test_nor_in_the_log(self, office: Office, john: Client) -> None:
        written = io.StringIO()
        observe.configure(level="debug", style="json", stream=written)
        try:
            registered(john, office.service.url("canary-resource"))
            registered(office.house.client(EMMA), f"http://127.0.0.1:{closed_port()}/canary-resource", "/dav/emma-morris/company/")
            office.service.says = [(500, {"X": "canary-header"}), (410, {})]
            office.house.book(TOMORROW)
            news(office)
            office.carry()
            office.later(timedelta(minutes=5))
            office.carry()
        finally:
            observe.configure(level="warning", style="json", stream=None)
            logging.getLogger().handlers.clear()
        lines = written.getvalue()
        assert "push_not_taken" in lines
        assert "push_device_gone" in lines
        assert "canary" not in lines

    def test_a_device_sealed_with_a_key_that_is_lost_is_forgotten_and_others_are_told(self, office: Office, john: Client) -> None:
        lost = registered(john, office.service.url("lost"))
        other = another(office, seal=Seal("/" * 43 + "="))
        news(office)
        other.run(office.now)
        assert other.ended_within(20)
        assert john.ask("DELETE", lost.path).status == 404
        registered(john, office.service.url("kept"))
        news(office, "b")
        assert [given.path for given in office.carry()] == ["/kept"]

    def test_the_key_of_an_installation_is_made_once_whoever_comes_first(self, each_office: Office) -> None:
        store, seal = each_office.house.store, each_office.seal
        made: list[str] = []

        def open_it() -> None:
            made.append(Vapid(seal.unseal(store.push_key(lambda: seal.seal(Vapid.fresh())))).public)

        threads = [threading.Thread(target=open_it) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(made) == 4
        assert len(set(made)) == 1


def unheard(office: Office) -> int:
    """Changes that some device is not to be told of, as far as nobody has looked at them."""
    with office.house.store.write(DEMO, SETUP) as tx:
        return sum(bool(touch.unheard) for touch in tx.touches(Revision(0), limit=1000))


class TestHousekeeping:
    def test_registrations_that_are_over_are_cleared_away(self, each_office: Office) -> None:
        office, john = each_office, each_office.house.client()
        for number in range(3):
            registered(john, office.service.url(str(number)))
        office.later(timedelta(days=8))
        kept = registered(john, office.service.url("kept"))
        assert office.house.store.forget_devices(office.now) == 3
        assert office.house.store.forget_devices(office.now) == 0
        assert john.ask("DELETE", kept.path).status == 204

    def test_a_carrier_clears_away_once_an_hour(self, office: Office, john: Client) -> None:
        registered(john, office.service.url())
        office.carry()
        office.later(timedelta(days=8))
        office.carry()
        assert office.house.store.forget_devices(office.now) == 0

    def test_changes_that_nobody_is_to_be_told_of_leave_nothing_behind(self, each_office: Office) -> None:
        office, john = each_office, each_office.house.client()
        path = registered(john, office.service.url()).path
        for number in range(3):
            john.put(f"{HERE}{number}.ics", event(str(number)), Push_Dont_Notify="*")
        office.read()
        assert unheard(office) == 0
        john.put(HERE + "b.ics", event("b"), Push_Dont_Notify="*")
        assert unheard(office) == 1
        john.ask("DELETE", path)
        office.house.store.forget_devices(office.now)
        assert unheard(office) == 0

    def test_a_wish_for_quiet_where_nobody_listens_is_not_kept(self, office: Office, john: Client) -> None:
        john.put(HERE + "a.ics", event("a"), Push_Dont_Notify="*")
        assert post(john, wish(office.service.url(), Device())).status == 204
        office.house.book(TOMORROW)
        assert len(office.told()) == 1
