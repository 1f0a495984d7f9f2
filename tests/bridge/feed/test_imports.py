"""External calendars over a real line: believed with caution, never in the staff member's favour, kept as times and nothing else."""

from __future__ import annotations

import socket
import threading
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from gateway import desk
from gateway.booking import Book, Cancel
from gateway.bridge.feed import Terms, put_address
from gateway.bridge.imports import LONGEST_REST
from gateway.egress import Egress
from gateway.ical import write
from gateway.ical.busytimes import Habits
from gateway.links import Account, AccountId, Item, Key, Link, LinkId, Provider
from gateway.model import EntryId, Span, StaffId
from gateway.seal import Seal
from gateway.store import fresh_id
from tests.bridge.feed.site import BUSY, Asked, Room, Site
from tests.bridge.wire import NOW
from tests.bridge.world import ADVICE, ANN, DAY, DEMO, HOUR, JOHN, PLATFORM
from tests.ical.test_busytimes import event
from tests.ical.test_busytimes import feed as calendar

MINUTE = timedelta(minutes=1)


def test_its_busy_times_block_and_nothing_else_is_kept(room: Room, site: Site, tmp_path: Path) -> None:
    room.put(site.url)
    room.run()
    assert [span.start for span in room.busy()] == [NOW + DAY + HOUR]
    room.store.close()
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"Dentist canary" not in kept
    assert b"secret-canary" not in kept


def test_the_address_is_in_no_line_of_the_log(room: Room, site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.status = 500
    room.put(site.url)
    room.run()
    said = capsys.readouterr()
    assert "import_failed" in said.err
    assert "secret-canary" not in said.err + said.out + room.source().trouble


class TestWhatHasNotChanged:
    def test_is_not_sent_again(self, room: Room, site: Site) -> None:
        site.headers = {"ETag": '"one"', "Last-Modified": "Tue, 24 Nov 2026 08:00:00 GMT"}
        room.put(site.url)
        room.run()
        room.later()
        assert site.asked[-1].headers["if-none-match"] == '"one"'
        assert site.asked[-1].headers["if-modified-since"] == "Tue, 24 Nov 2026 08:00:00 GMT"
        assert len(room.busy()) == 1
        assert room.source().fetched == room.clock.now

    def test_is_read_anew_once_a_day_because_the_window_moves_on(self, room: Room, site: Site) -> None:
        at = NOW + room.terms.ahead + 2 * HOUR
        site.headers = {"ETag": '"one"'}
        site.body = calendar(BUSY, event(f"DTSTART:{at:%Y%m%dT%H%M%SZ}", "DURATION:PT1H", uid="far"))
        room.put(site.url)
        room.run()
        assert len(room.busy(500)) == 1
        room.later(DAY)
        assert "if-none-match" not in site.asked[-1].headers
        assert [span.start for span in room.busy(500)] == [NOW + DAY + HOUR, at]

    def test_17_is_what_takes_place_at_the_same_times_however_it_is_named(self, room: Room, site: Site) -> None:
        room.put(site.url)
        room.run()
        digest = room.source().digest
        for number in range(3):
            site.body = calendar(BUSY.replace("UID:one", f"UID:{number}").replace("DTSTAMP:2026", "DTSTAMP:2025"))
            room.later()
            assert (len(room.busy()), room.source().digest) == (1, digest)


class TestASourceThatFails:
    @pytest.mark.parametrize(
        ("status", "body", "word"),
        [
            (500, b"x", "500"),
            (503, b"", "tried again"),
            (404, b"", "anew"),
            (410, b"", "anew"),
            (401, b"", "not public"),
            (403, b"", "not public"),
            (429, b"", "too often"),
            (304, b"", "304"),
            (206, calendar(), "206"),
            (204, b"", "204"),
            (300, b"", "300"),
            (200, b"", "no calendar"),
            (200, b"<html>sign in</html>", "sign in"),
            (200, b"BEGIN:VCALENDAR\r\n", "breaks off"),
            (200, calendar(BUSY)[:-40], "breaks off"),
        ],
    )
    def test_2_a146_frees_nobody_and_says_why(self, room: Room, site: Site, status: int, body: bytes, word: str) -> None:
        room.put(site.url)
        room.run()
        site.status, site.body = status, body
        room.later()
        assert len(room.busy()) == 1
        assert word in room.source().trouble
        assert room.source().failing == room.clock.now
        site.status, site.body = 200, calendar(BUSY)
        room.later(3 * HOUR)
        assert (room.source().trouble, room.source().failing) == ("", None)

    def test_49_goes_on_blocking_for_days_and_shows_its_age(self, room: Room, site: Site) -> None:
        site.body = calendar(event("DTSTART:20261125T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY"))
        room.put(site.url)
        room.run()
        site.status = 500
        for _ in range(10):
            room.later(12 * HOUR)
        with room.store.read(DEMO) as snapshot:
            assert snapshot.foreign_origins(JOHN.id) == {"ics": NOW}
            assert len(desk.free_busy(snapshot, JOHN.id, Span(NOW + 10 * DAY, NOW + 20 * DAY))) == 10
        assert room.source().failing == NOW + 12 * HOUR

    def test_is_asked_less_and_less_often(self, room: Room, site: Site) -> None:
        site.status = 500
        room.put(site.url)
        asked = 0
        for _ in range(24 * 4):
            room.later()
            assert room.source().due <= room.clock.now + LONGEST_REST
            asked += 1
        assert asked > 4 * len(site.asked) > 0
        assert len(site.asked) >= 12

    def test_says_itself_when_to_ask_again(self, room: Room, site: Site) -> None:
        site.status, site.headers = 503, {"Retry-After": "3600"}
        room.put(site.url)
        room.run()
        assert room.source().due == NOW + HOUR

    def test_keeps_no_other_source_waiting(self, room: Room, site: Site) -> None:
        room.put("http://127.0.0.1:9/nobody-listens.ics", room.colleague(1))
        room.put(site.url)
        room.run()
        assert len(room.busy()) == 1

    def test_may_be_one_whose_address_cannot_be_unsealed_any_more(self, room: Room, site: Site) -> None:
        room.put(site.url)
        other = Seal("YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXphYmNkZWY=")
        room.run(seal=other)
        assert "once more" in room.source().trouble
        assert site.asked == []
        with room.store.write(DEMO, PLATFORM) as tx:
            put_address(tx, other, JOHN.id, site.url, NOW)
        room.run(seal=other)
        assert len(room.busy()) == 1


class TestASourceThatIsEmptyAllAtOnce:
    def test_1_is_believed_only_when_it_stays_empty(self, room: Room, site: Site) -> None:
        room.put(site.url)
        room.run()
        site.body = calendar()
        room.later()
        assert len(room.busy()) == 1
        assert "empty all at once" in room.source().trouble
        room.later(2 * HOUR)
        assert len(room.busy()) == 1
        room.later(2 * HOUR)
        assert room.busy() == []
        assert room.source().trouble == ""

    def test_1_is_no_fresher_for_that(self, room: Room, site: Site) -> None:
        room.put(site.url)
        room.run()
        site.body, site.headers = calendar(), {"ETag": '"empty"'}
        room.later()
        assert room.source().fetched == NOW
        with room.store.read(DEMO) as snapshot:
            assert snapshot.foreign_origins(JOHN.id) == {"ics": NOW}
        room.later()
        assert "if-none-match" not in site.asked[-1].headers

    def test_1_and_has_its_events_back_was_never_empty(self, room: Room, site: Site) -> None:
        room.put(site.url)
        room.run()
        for _ in range(3):
            site.body = calendar()
            room.later()
            site.body = calendar(BUSY)
            room.later(4 * HOUR)
            assert (len(room.busy()), room.source().shrunk) == (1, None)

    def test_was_always_so_is_nothing_odd(self, room: Room, site: Site) -> None:
        site.body = calendar()
        room.put(site.url)
        room.run()
        assert (room.source().trouble, room.busy()) == ("", [])


class TestAnotherAddress:
    def test_none_frees_at_once(self, room: Room, site: Site) -> None:
        room.put(site.url)
        room.run()
        room.put("https://")
        assert room.busy() == []
        with room.store.read(DEMO) as snapshot:
            assert snapshot.source(JOHN.id) is None
            assert snapshot.foreign_origins(JOHN.id) == {}

    def test_another_one_counts_when_it_has_been_read_and_the_former_one_until_then(self, room: Room, site: Site) -> None:
        room.put(site.url)
        room.run()
        room.put(f"{site.url}?other")
        site.status = 500
        room.later(MINUTE)
        assert len(room.busy()) == 1
        site.status, site.body = 200, calendar()
        room.later(HOUR)
        assert room.busy() == []

    def test_the_same_one_is_read_at_once(self, room: Room, site: Site) -> None:
        room.put(site.url)
        room.run()
        room.later(MINUTE)
        room.put(site.url)
        room.run()
        assert len(site.asked) == 2
        assert room.source().events == 1

    def test_given_while_the_former_one_is_read_nothing_of_that_is_kept(self, room: Room, site: Site) -> None:
        def instead(asked: Asked) -> None:
            if not asked.path.endswith("?other"):
                room.put(f"{site.url}?other")

        site.before = instead
        room.put(site.url)
        room.run()
        assert (room.busy(), room.source().fetched) == ([], None)
        site.body = calendar(event("DTSTART:20261126T090000Z", "DURATION:PT1H"))
        room.run()
        assert [span.start for span in room.busy()] == [NOW + 2 * DAY + HOUR]


class TestOurOwnAppointments:
    START = NOW + DAY + 5 * HOUR

    def book(self, room: Room, staff: StaffId, start: datetime = START) -> str:
        uid = f"{fresh_id()}@demo"
        with room.store.write(DEMO, PLATFORM) as tx:
            wish = Book(uid=uid, span=Span(start, start + ADVICE.duration), zone=JOHN.zone, customer=ANN.id, service=ADVICE.id)
            desk.apply(tx, PLATFORM, tx.appointments_of(staff).id, uid, [wish], NOW)
        return uid

    def read(self, room: Room, site: Site, *uids: str) -> list[datetime]:
        """When something from elsewhere blocks, with these events in the feed, an hour apart, each of half an hour."""
        times = [self.START + number * HOUR for number in range(len(uids))]
        site.body = calendar(
            *(event(f"DTSTART:{at:%Y%m%dT%H%M%SZ}", "DURATION:PT30M", uid=uid) for at, uid in zip(times, uids, strict=True))
        )
        room.put(site.url)
        for _ in range(3):
            room.later()
        with room.store.read(DEMO) as snapshot:
            return [span.start for span in snapshot.foreign_busy(JOHN.id, Span(NOW, NOW + 9 * DAY))]

    def test_a148_do_not_come_back_and_block_whoever_has_them(self, room: Room, site: Site) -> None:
        uid = self.book(room, JOHN.id)
        assert self.read(room, site, uid, write.opaque(uid), "theirs") == [self.START + 2 * HOUR]

    def test_a148_nor_when_they_were_cancelled_and_a_feed_has_not_heard_of_it(self, room: Room, site: Site) -> None:
        uid = self.book(room, JOHN.id)
        with room.store.write(DEMO, PLATFORM) as tx:
            desk.apply(tx, PLATFORM, tx.appointments_of(JOHN.id).id, uid, [Cancel()], NOW)
        assert self.read(room, site, uid) == []

    def test_a148_nor_as_google_shows_what_we_have_written_there(self, room: Room, site: Site) -> None:
        with room.store.write(DEMO, PLATFORM) as tx:
            account = Account(id=AccountId("a"), staff=JOHN.id, provider=Provider.GOOGLE, login=JOHN.email, subject="1", created=NOW)
            tx.add_account(account, b"sealed")
            link = Link(id=LinkId("l"), account=account.id, staff=JOHN.id, calendar="c", title="Work", own=True, due=NOW, created=NOW)
            tx.add_link(link)
            tx.save_item(Item(link=link.id, key=Key(entry=EntryId("e")), remote="g123"), NOW)
        assert self.read(room, site, "g123@google.com", "g124@google.com") == [self.START + HOUR]

    def test_those_of_a_colleague_block_whoever_reads_the_colleagues_feed(self, room: Room, site: Site) -> None:
        uid = self.book(room, room.colleague(1))
        assert self.read(room, site, uid) == [self.START]


class TestManySources:
    def test_a149_one_slow_host_delays_nobody_and_is_asked_by_two_at_once(self, room: Room, site: Site) -> None:
        """The slow ones come first and are let go only when the quick one has been asked."""
        quick, lock, inside, late = threading.Event(), threading.Lock(), [0], list[Asked]()

        def before(asked: Asked) -> None:
            if asked.path == "/quick.ics":
                quick.set()
                return
            with lock:
                inside.append(inside[-1] + 1)
            if not quick.wait(8):
                late.append(asked)
            with lock:
                inside.append(inside[-1] - 1)

        site.before = before
        for number in range(12):
            room.put(f"http://127.0.0.1:{site.port}/{number}.ics", room.colleague(number))
        room.clock.forward(MINUTE)
        room.put(f"http://localhost:{site.port}/quick.ics")
        room.run()
        assert late == []
        assert max(inside) <= 2
        assert len(site.asked) == 13

    def test_each_has_its_own_moment_within_some_minutes(self, room: Room, site: Site) -> None:
        people = [room.colleague(number) for number in range(40)]
        for staff in people:
            room.put(site.url, staff)
        room.run()
        waits = {room.source(staff).due - NOW for staff in people}
        assert len(waits) > 10
        assert all(5 * MINUTE <= wait <= 15 * MINUTE for wait in waits)
        assert room.store.next_source() == NOW + min(waits)

    def test_a_reader_that_dies_leaves_its_source_to_others(self, room: Room, site: Site) -> None:
        def dies(address: str, port: int, seconds: float) -> socket.socket:
            raise KeyboardInterrupt

        room.put(site.url)
        with pytest.raises(KeyboardInterrupt):
            room.run(Egress(allow_private=True, connect=dies))
        room.run()
        assert site.asked == []
        room.later(3 * MINUTE)
        assert len(room.busy()) == 1

    def test_two_processes_read_a_source_once(self, room: Room, site: Site) -> None:
        def twin(asked: Asked) -> None:
            room.run()

        site.before = twin
        room.put(site.url)
        room.run()
        assert len(site.asked) == 1


class TestTerms:
    def test_only_a_stretch_of_time_around_now_is_kept(self, room: Room, site: Site) -> None:
        room.terms = Terms(back=DAY, ahead=3 * DAY)
        site.body = calendar(event("DTSTART:20261001T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY"))
        room.put(site.url)
        room.run()
        assert [span.start for span in room.busy()] == [NOW + HOUR + DAY * day for day in (-1, 0, 1, 2)]

    def test_w11_what_is_tentative_or_elsewhere_is_as_the_installation_says(self, room: Room, site: Site) -> None:
        site.body = calendar(
            event("DTSTART:20261125T090000Z", "DURATION:PT1H", "STATUS:TENTATIVE", uid="a"),
            event("DTSTART:20261126T090000Z", "DURATION:PT1H", "X-MICROSOFT-CDO-BUSYSTATUS:WORKINGELSEWHERE", uid="b"),
        )
        room.put(site.url)
        room.run()
        assert [span.start for span in room.busy()] == [NOW + DAY + HOUR]
        room.terms = Terms(habits=Habits(tentative=False, elsewhere=True))
        room.later()
        assert [span.start for span in room.busy()] == [NOW + 2 * DAY + HOUR]
