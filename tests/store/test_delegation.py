"""Who may open whose calendars, how they look to a delegate, and which calendars are published."""

from __future__ import annotations

from dataclasses import replace

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from gateway.errors import Invalid, Missing
from gateway.model import Calendar, CalendarId, CalendarKind, Feed, FeedId, Level, Scope, StaffId
from gateway.store import Collection, Delegation, Store
from gateway.store.migration import FOLDER, TABLE
from tests.databases import Database
from tests.store.house import DEMO, EMMA, JOHN, NOW, SETUP, TAYLOR, Place

COLOUR = "{http://apple.com/ns/ical/}calendar-color"


def delegate(place: Place, owner: StaffId = JOHN.id, to: StaffId = EMMA.id, *, write: bool = True) -> None:
    with place.store.write(DEMO, SETUP) as tx:
        tx.delegate(owner, to, NOW, write=write)


def may(place: Place, handle: str = JOHN.handle, who: StaffId = EMMA.id) -> Delegation | None:
    with place.store.read(place.company) as snapshot:
        return snapshot.delegation(handle, who)


def seen_by(place: Place, viewer: StaffId, slug: str = "appointments") -> Collection:
    with place.store.read(DEMO) as snapshot:
        found = snapshot.collection(JOHN.id, slug, viewer)
    assert found is not None
    return found


class TestDelegations:
    def test_nobody_may_open_anything_until_he_is_told_he_may(self, place: Place) -> None:
        assert may(place) is None
        delegate(place)
        assert may(place) == Delegation(owner=JOHN.id, handle=JOHN.handle, delegate=EMMA.id, write=True)
        assert may(place, EMMA.handle, JOHN.id) is None
        assert may(place, JOHN.handle.upper()) is None

    def test_the_last_word_on_the_rights_counts(self, place: Place) -> None:
        delegate(place)
        delegate(place, write=False)
        found = may(place)
        assert found is not None
        assert not found.write

    def test_both_sides_are_listed(self, place: Place) -> None:
        delegate(place, write=False)
        with place.store.read(DEMO) as snapshot:
            [one] = snapshot.delegates(JOHN.id)
            assert snapshot.delegated_to(EMMA.id) == [one]
            assert (snapshot.delegates(EMMA.id), snapshot.delegated_to(JOHN.id)) == ([], [])
        assert (one.delegate, one.handle, one.write) == (EMMA.id, JOHN.handle, False)

    def test_an_end_is_an_end(self, place: Place) -> None:
        delegate(place)
        with place.store.write(DEMO, SETUP) as tx:
            assert tx.undelegate(JOHN.id, EMMA.id)
            assert not tx.undelegate(JOHN.id, EMMA.id)
        assert may(place) is None

    def test_it_is_between_two_people_of_the_same_company(self, place: Place) -> None:
        for owner, to in ((JOHN.id, TAYLOR.id), (TAYLOR.id, JOHN.id)):
            with pytest.raises(Missing):
                delegate(place, owner, to)
        with pytest.raises(Invalid):
            delegate(place, JOHN.id, JOHN.id)

    def test_the_neighbour_cannot_ask_across(self, place: Place, neighbour: Place) -> None:
        delegate(place)
        assert may(neighbour) is None

    def test_whoever_has_left_opens_nothing_and_is_opened_by_nobody(self, place: Place) -> None:
        delegate(place)
        with place.store.write(DEMO, SETUP) as tx:
            tx.save_staff(replace(JOHN, active=False), NOW)
        assert may(place) is None
        with place.store.read(DEMO) as snapshot:
            assert snapshot.delegated_to(EMMA.id) == []

    def test_it_writes_no_line_of_the_log(self, place: Place) -> None:
        before = place.log()
        delegate(place)
        assert place.log() == before


class TestLooks:
    def test_a_delegate_dresses_a_calendar_for_himself(self, place: Place) -> None:
        delegate(place)
        mine = seen_by(place, JOHN.id)
        with place.store.write(DEMO, SETUP) as tx:
            tx.set_properties(EMMA.id, seen_by(place, EMMA.id), {COLOUR: "#112233"}, NOW)
        assert seen_by(place, EMMA.id).properties == {COLOUR: "#112233"}
        assert seen_by(place, EMMA.id).last > mine.last
        assert seen_by(place, JOHN.id) == mine
        with place.store.read(DEMO) as snapshot:
            own = snapshot.collection(EMMA.id, "appointments")
            assert own is not None
            assert own.properties == {}

    def test_a_delegate_sees_the_calendars_and_none_of_the_views(self, place: Place) -> None:
        with place.store.read(DEMO) as snapshot:
            assert [each.slug for each in snapshot.collections(JOHN.id, EMMA.id)] == ["appointments"]
            assert [each.slug for each in snapshot.collections(JOHN.id, JOHN.id)] == ["appointments", "group-front", "company"]
            assert snapshot.collection(JOHN.id, "company", EMMA.id) is None
            assert snapshot.collection(JOHN.id, "group-front", EMMA.id) is None

    def test_with_a_calendar_go_the_looks_of_everybody(self, place: Place) -> None:
        private = Calendar(id=CalendarId("private"), staff=JOHN.id, slug="private", kind=CalendarKind.PERSONAL)
        for colour in ("#112233", None):
            with place.store.write(DEMO, SETUP) as tx:
                tx.put_calendar(private, NOW)
                assert seen_by_in(tx.collection(JOHN.id, "private", EMMA.id)) == {}
                collection = tx.collection(JOHN.id, "private", EMMA.id)
                assert collection is not None
                tx.set_properties(EMMA.id, collection, {COLOUR: colour}, NOW)
                tx.drop_calendar(private.id, NOW)


def seen_by_in(collection: Collection | None) -> dict[str, str]:
    assert collection is not None
    return dict(collection.properties)


class TestPublications:
    FEED = Feed(id=FeedId("public"), scope=Scope.STAFF, of=JOHN.id, label="", level=Level.SERVICE)

    def publish(self, place: Place, feed: Feed = FEED) -> None:
        with place.store.write(DEMO, SETUP) as tx:
            tx.add_feed(feed, f"token of {feed.id}", f"sealed {feed.id}".encode(), NOW)
            tx.publish(tx.appointments_of(JOHN.id).id, feed.id)

    def test_a_calendar_is_published_by_one_feed(self, place: Place) -> None:
        with place.store.read(DEMO) as snapshot:
            assert snapshot.publication(place.calendar()) is None
        self.publish(place)
        with place.store.read(DEMO) as snapshot:
            assert snapshot.publication(place.calendar()) == (self.FEED, b"sealed public")
        second = replace(self.FEED, id=FeedId("second"))
        self.publish(place, second)
        with place.store.read(DEMO) as snapshot:
            assert snapshot.publication(place.calendar()) == (second, b"sealed second")

    def test_a_revoked_feed_publishes_nothing(self, place: Place) -> None:
        self.publish(place)
        with place.store.write(DEMO, SETUP) as tx:
            tx.revoke_feed(self.FEED.id, NOW)
        with place.store.read(DEMO) as snapshot:
            assert snapshot.publication(place.calendar()) is None


class TestStep:
    """From a database as the first version left it."""

    def test_appointments_that_were_there_before_get_their_version(self, empty_database: Database) -> None:
        engine = create_engine(empty_database.url, poolclass=NullPool)
        with engine.begin() as connection:
            config = Config(attributes={"connection": connection, "table": TABLE})
            config.set_main_option("script_location", str(FOLDER))
            command.upgrade(config, "0001")
            for statement in OLD:
                connection.exec_driver_sql(statement)
        engine.dispose()
        store = Store(empty_database.url)
        try:
            store.migrate()
            assert sorted(map(tuple, empty_database.ask("SELECT id, version FROM entry"))) == [("a", 3), ("p", None)]
            with store.read(DEMO) as snapshot:
                assert snapshot.delegates(JOHN.id) == []
        finally:
            store.close()


_ENTRY = (
    "INSERT INTO entry (company, id, calendar, name, uid, component, appointment, shown, team, busy, undated, revision)"
    " VALUES ('demo', '{0}', 'c', '{0}.ics', '{0}', 'VEVENT', {1}, 1, {1}, 1, 0, 4)"
)
_CHANGE = (
    "INSERT INTO change (company, revision, calendar, entry, name, gone, appointment, version, who, door, at, detail, proposal)"
    " VALUES ('demo', {1}, 'c', '{0}', '{0}.ics', 0, {2}, {3}, 'x', 'cli', 0, '', '')"
)
OLD = (
    "INSERT INTO company (id, slug, name, zone, locale, policy, revision, view_since) VALUES ('demo', 'demo', 'Demo', 'UTC', 'en', '"
    '{"two_way":true,"on_delete":"ask","on_conflict":"refuse","resize":false,"hold":0,"refusal":"restore","google":false,"outlook":false,'
    '"office365":false}\', 4, 0)',
    "INSERT INTO staff (company, id, handle, handle_key, name, email, zone, locale, active, since)"
    " VALUES ('demo', 'john', 'john-smith', 'john-smith', 'John', 'j@example.com', 'UTC', 'en', 1, 1)",
    "INSERT INTO calendar (company, id, staff, slug, kind, components, last, created)"
    " VALUES ('demo', 'c', 'john', 'appointments', 'appointments', 'VEVENT', 4, 1)",
    _ENTRY.format("a", 1),
    _ENTRY.format("p", 0),
    _CHANGE.format("a", 2, 1, 2),
    _CHANGE.format("a", 3, 1, 3),
    _CHANGE.format("p", 4, 0, "NULL"),
)
