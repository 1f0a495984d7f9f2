"""What links leave behind: entries that were touched meanwhile, a history that stays short, channels, and nothing once they are removed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.errors import Conflict, Missing
from gateway.links import Channel, Link, LinkId
from gateway.model import Calendar, CalendarId, CalendarKind, EntryId, Revision, Span
from gateway.store import Store
from tests.databases import Database
from tests.store.elsewhere import OWNED, SEALED, account_of, connect, happening, item_of, writing
from tests.store.house import DAY, DEMO, EMMA, HOUR, JOHN, NOW, Place, booking, broken_off, personal, put


def span_of(day: int) -> Span:
    return Span(NOW + day * DAY, NOW + day * DAY + HOUR)


class TestTouched:
    def touched(self, place: Place, after: int) -> list[EntryId]:
        with place.store.read(DEMO) as snapshot:
            return list(snapshot.touched(snapshot.appointments_of(JOHN.id).id, Revision(after)))

    def head(self, place: Place) -> int:
        return place.store.revisions()[DEMO]

    def test_what_is_new_changed_cancelled_or_erased_is_touched_once(self, place: Place) -> None:
        old = place.book(NOW)
        before = self.head(place)
        changed, cancelled = place.book(NOW + DAY), place.book(NOW + 2 * DAY)
        erased = place.note(span_of(3))
        assert self.touched(place, before) == sorted([changed.id, cancelled.id, erased.id])
        middle = self.head(place)
        place.change(changed, replace(changed, version=2))
        place.change(replace(changed, version=2), replace(changed, version=3))
        place.cancel(cancelled)
        place.remove(erased)
        assert self.touched(place, middle) == sorted([changed.id, cancelled.id, erased.id])
        assert self.touched(place, 0) == sorted([old.id, changed.id, cancelled.id, erased.id])
        assert self.touched(place, self.head(place)) == []

    def test_what_happens_in_other_calendars_touches_nothing(self, place: Place) -> None:
        before = self.head(place)
        place.book(staff=EMMA.id)
        with writing(place) as tx:
            tx.put_calendar(Calendar(id=CalendarId("private"), staff=JOHN.id, slug="private", kind=CalendarKind.PERSONAL), NOW)
            put(tx, None, personal(CalendarId("private")), span_of(1))
        assert self.touched(place, before) == []


class TestHistory:
    def test_the_newest_line_comes_first(self, place: Place) -> None:
        link, other = connect(place), connect(place, EMMA.id, "two")
        lines = [replace(happening(f"line {number}", NOW - number * HOUR), entry=EntryId("e") if number else None) for number in range(5)]
        with writing(place) as tx:
            for line in lines:
                tx.note(link.id, line)
            tx.note(other.id, happening("hers"))
        with place.store.read(DEMO) as snapshot:
            assert list(snapshot.history(link.id)) == lines[::-1]
            assert list(snapshot.history(link.id, limit=2)) == [lines[4], lines[3]]
            assert [line.sentence for line in snapshot.history(other.id)] == ["hers"]

    def test_a_history_does_not_grow_for_ever(self, place: Place, database: Database) -> None:
        link, other = connect(place), connect(place, EMMA.id, "two")
        with writing(place) as tx:
            tx.note(other.id, happening("hers"))
            for number in range(520):
                tx.note(link.id, happening(f"{number}"))
        with place.store.read(DEMO) as snapshot:
            assert [line.sentence for line in snapshot.history(link.id, limit=1000)] == [f"{number}" for number in range(519, 19, -1)]
        assert database.ask("SELECT COUNT(*) FROM happening")[0][0] == 501

    def test_a_link_that_is_not_there_has_none(self, place: Place) -> None:
        with pytest.raises(Conflict), writing(place) as tx:
            tx.note(LinkId("none"), happening("lost"))


class TestChannels:
    def test_a_channel_is_read_without_its_secret(self, place: Place, database: Database) -> None:
        link = connect(place)
        first = Channel(link=link.id, id="one", resource="there", secret="canary secret", made=NOW, expires=NOW + DAY)
        second = replace(first, id="two", made=NOW + HOUR)
        with writing(place) as tx:
            for channel in (second, first):
                tx.add_channel(channel)
            assert list(tx.channels(link.id)) == [replace(first, secret=""), replace(second, secret="")]
            renewed = replace(first, resource="elsewhere", made=NOW + 2 * HOUR, expires=NOW + 2 * DAY)
            tx.add_channel(renewed)
            tx.drop_channel(link.id, "two")
            tx.drop_channel(link.id, "two")
            assert list(tx.channels(link.id)) == [replace(renewed, secret="")]
        assert b"canary secret" not in database.dump()

    def test_a_channel_that_is_renewed_keeps_its_secret(self, place: Place) -> None:
        link = connect(place)
        channel = Channel(link=link.id, id="one", resource="there", secret="secret", made=NOW, expires=NOW + DAY)
        with writing(place) as tx:
            tx.add_channel(channel)
            tx.prolong_channel(link.id, "one", NOW + HOUR, NOW + 2 * DAY)
            tx.prolong_channel(link.id, "unknown", NOW, NOW)
            assert list(tx.channels(link.id)) == [replace(channel, secret="", made=NOW + HOUR, expires=NOW + 2 * DAY)]
            tx.wear_channel(link.id, "one")
            assert tx.channels(link.id)[0].made < NOW - 1000 * DAY
        assert place.store.channel("one", "secret") == (DEMO, link)


class TestRemoval:
    def furnish(self, place: Place, link: Link) -> None:
        with writing(place) as tx:
            tx.save_item(item_of(link, remote="far", base=OWNED), NOW)
            tx.note(link.id, happening("something"))
            tx.add_channel(Channel(link=link.id, id=f"channel of {link.id}", resource="", secret="x", made=NOW, expires=NOW + DAY))
            for origin in (f"link:{link.id}", f"account:{link.account}"):
                tx.put_busy(link.staff, origin, [span_of(1)], NOW)

    def known(self, place: Place, link: Link) -> list[object]:
        with place.store.read(DEMO) as snapshot:
            origins = [each for each in snapshot.foreign_origins(link.staff) if each.endswith((link.id, link.account))]
            return [*snapshot.links(account=link.account), *snapshot.items(link.id), *snapshot.channels(link.id), *origins]

    def test_a_link_goes_with_all_that_is_known_of_it(self, place: Place) -> None:
        link, other = connect(place), connect(place, EMMA.id, "two")
        for each in (link, other):
            self.furnish(place, each)
        before = self.known(place, other)
        with writing(place) as tx:
            tx.remove_link(link.id)
            assert tx.account(link.account).id == link.account
            assert list(tx.history(link.id)) == []
            with pytest.raises(Missing):
                tx.remove_link(link.id)
        assert self.known(place, link) == [f"account:{link.account}"]  # what the account itself is asked for stays
        assert self.known(place, other) == before
        assert place.store.channel(f"channel of {link.id}", "x") is None

    def test_an_account_goes_with_its_links(self, place: Place, database: Database) -> None:
        link, other = connect(place), connect(place, EMMA.id, "two")
        for each in (link, other):
            self.furnish(place, each)
        before = self.known(place, other)
        with writing(place) as tx:
            tx.remove_account(link.account)
            with pytest.raises(Missing):
                tx.remove_account(link.account)
        assert self.known(place, link) == []
        assert self.known(place, other) == before
        counted = ("account", "link", "item", "happening", "channel")
        assert [database.ask(f"SELECT COUNT(*) FROM {table}")[0][0] for table in counted] == [1] * 5

    def test_leaving_and_dropping_calendars_is_in_nobodys_way(self, place: Place) -> None:
        link = connect(place)
        self.furnish(place, link)
        with writing(place) as tx:
            tx.put_calendar(Calendar(id=CalendarId("private"), staff=JOHN.id, slug="private", kind=CalendarKind.PERSONAL), NOW)
            put(tx, None, personal(CalendarId("private")), span_of(1))
            entry = booking(tx.appointments_of(JOHN.id).id)
            put(tx, None, entry)
            tx.save_item(item_of(link, entry.id), NOW)
        with writing(place) as tx:
            tx.drop_calendar(CalendarId("private"), NOW)
            put_away = tx.held_by_id(entry.id)
            assert put_away is not None
            tx.record(put_away.entry, None, None, NOW)
            tx.save_staff(replace(tx.staff(JOHN.id), active=False), NOW)
        assert len(self.known(place, link)) == 6

    def test_nothing_of_it_is_a_line_of_the_log(self, place: Place) -> None:
        before = place.store.revisions()
        link = connect(place)
        self.furnish(place, link)
        with writing(place) as tx:
            tx.remove_account(link.account)
        assert place.store.revisions() == before

    def test_what_is_broken_off_was_never_there(self, place: Place, store: Store) -> None:
        with broken_off(place) as tx:
            tx.add_account(account_of(), SEALED)
            tx.add_account(account_of(EMMA.id, "two"), SEALED)
        with store.read(DEMO) as snapshot:
            assert list(snapshot.accounts()) == []
