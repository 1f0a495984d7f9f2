"""Tenants are apart: nothing of one company is seen or changed through another, by any method there is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from gateway.errors import Conflict, Lost, Missing
from gateway.links import (
    AccountId,
    Happening,
    Key,
    LinkId,
    Provider,
    Source,
)
from gateway.model import (
    Calendar,
    CalendarId,
    CalendarKind,
    Customer,
    Policy,
    Revision,
    Service,
    Staff,
    WorkingHours,
)
from gateway.store import Letter, Snapshot, Transaction
from gateway.users import InvitationId
from tests.store.estate import (
    BOSS,
    CANARY,
    DEVICE,
    EVER,
    HIS_ACCOUNT,
    HIS_CHANNEL,
    HIS_CLAIM,
    HIS_LINK,
    HIS_OTHER,
    INVITED,
    Estate,
    item_of,
)
from tests.store.house import ANN, DAY, DEMO, EMMA, FRONT, HOUR, JOHN, NOW, OTHER, SETUP, Place, booking, seen, shape_of

MISSING = object()
Asked = Callable[[Any, Estate], object]
EMPTY: tuple[object, ...] = (MISSING, None, [], {}, set(), 0, WorkingHours())

# Every way to read, asked for what belongs to the demo company. A new method must be added here.
READING: dict[str, Asked] = {
    "staff": lambda tx, it: tx.staff(JOHN.id),
    "staff_by_handle": lambda tx, it: tx.staff_by_handle(JOHN.handle),
    "all_staff": lambda tx, it: [each for each in tx.all_staff() if each.id in (JOHN.id, EMMA.id)],
    "group": lambda tx, it: tx.group(FRONT.id),
    "groups": lambda tx, it: list(tx.groups()),
    "service": lambda tx, it: tx.service("advice"),
    "services": lambda tx, it: [each for each in tx.services() if each.id == "advice"],
    "customer": lambda tx, it: tx.customer(ANN.id),
    "customers": lambda tx, it: [each for each in tx.customers() if each.id == ANN.id],
    "hours": lambda tx, it: tx.hours(JOHN.id),
    "calendar": lambda tx, it: tx.calendar(it.calendar),
    "calendars": lambda tx, it: list(tx.calendars(JOHN.id)),
    "appointments_of": lambda tx, it: tx.appointments_of(JOHN.id),
    "collections": lambda tx, it: list(tx.collections(JOHN.id)),
    "collection": lambda tx, it: tx.collection(JOHN.id, "private"),
    "held": lambda tx, it: tx.held(it.calendar, it.name),
    "held_by_id": lambda tx, it: tx.held_by_id(it.entry),
    "held_by_uid": lambda tx, it: tx.held_by_uid(it.calendar, it.uid),
    "version": lambda tx, it: tx.version(it.entry, 1),
    "rows": lambda tx, it: [row for each in it.collections for row in tx.rows(each, text=True)],
    "each": lambda tx, it: [row for each in it.collections for row in tx.each(each, text=True)],
    "rows_named": lambda tx, it: {name: row for each in it.collections for name, row in tx.rows_named(each, [it.name]).items()},
    "rows_within": lambda tx, it: [
        row for each in it.collections for window in ((None, None), (NOW, NOW + DAY)) for row in tx.rows_within(each, window)
    ],
    "busy_beyond_index": lambda tx, it: set(tx.busy_beyond_index(JOHN.id, EVER.end)),
    "instances": lambda tx, it: list(tx.instances(it.entry, EVER)),
    "entries": lambda tx, it: tx.entries([it.entry]),
    "busy": lambda tx, it: list(tx.busy(JOHN.id, EVER)),
    "appointment_revisions": lambda tx, it: list(tx.appointment_revisions(staff=[JOHN.id], window=EVER, cancelled=True)),
    "busy_within": lambda tx, it: [span for each in it.collections for span in tx.busy_within(each, EVER, limit=1000).busy],
    "appointments": lambda tx, it: [*tx.appointments(staff=None, window=None), *tx.appointments(staff=[JOHN.id], window=EVER)],
    "changes": lambda tx, it: [line for line in tx.changes(Revision(0)) if line.calendar in (it.calendar, it.private)],
    "changes_backwards": lambda tx, it: [
        line for line in tx.changes_backwards(Revision(10**6), limit=1000) if line.calendar in (it.calendar, it.private)
    ],
    "changes_of": lambda tx, it: list(tx.changes_of(it.entry)),
    "names_since": lambda tx, it: {name: row for each in it.collections for name, row in tx.names_since(each, Revision(0))[0].items()},
    "issued": lambda tx, it: None,  # says nothing about what is there
    "cursor": lambda tx, it: tx.cursor("letters"),
    "feeds": lambda tx, it: list(tx.feeds()),
    "delegation": lambda tx, it: tx.delegation(JOHN.handle, EMMA.id),
    "delegates": lambda tx, it: list(tx.delegates(JOHN.id)),
    "delegated_to": lambda tx, it: list(tx.delegated_to(EMMA.id)),
    "publication": lambda tx, it: tx.publication(it.calendar),
    "feed_members": lambda tx, it: [each for each in tx.feed_members(it.feed) if each],
    "feed_revision": lambda tx, it: None,  # a number of this company's own log
    "app_passwords": lambda tx, it: list(tx.app_passwords(JOHN.id)),
    "good_app_passwords": lambda tx, it: dict(tx.good_app_passwords()),
    "api_keys": lambda tx, it: list(tx.api_keys()),
    "letters_of": lambda tx, it: list(tx.letters_of(it.entry)),
    "attendance": lambda tx, it: tx.attendance(it.entry),
    "open_questions": lambda tx, it: list(tx.open_questions(JOHN.id, NOW - DAY)),
    "users": lambda tx, it: list(tx.users()),
    "user": lambda tx, it: tx.user(BOSS.id),
    "user_of": lambda tx, it: tx.user_of(JOHN.id),
    "has_password": lambda tx, it: tx.has_password(BOSS.id) or None,
    "sessions": lambda tx, it: list(tx.sessions(BOSS.id, "cookie", NOW)),
    "invitations": lambda tx, it: list(tx.invitations(JOHN.id)),
    "deeds": lambda tx, it: list(tx.deeds(before=EVER.end, limit=10)),
    "accounts": lambda tx, it: [*tx.accounts(), *tx.accounts(JOHN.id)],
    "account": lambda tx, it: tx.account(HIS_ACCOUNT.id),
    "account_of": lambda tx, it: tx.account_of(JOHN.id, Provider.GOOGLE, HIS_ACCOUNT.subject),
    "credential": lambda tx, it: tx.credential(HIS_ACCOUNT.id),
    "links": lambda tx, it: [*tx.links(), *tx.links(staff=JOHN.id), *tx.links(account=HIS_ACCOUNT.id)],
    "link": lambda tx, it: tx.link(HIS_LINK.id),
    "items": lambda tx, it: list(tx.items(HIS_LINK.id)),
    "items_of": lambda tx, it: list(tx.items_of(HIS_LINK.id, [it.entry])),
    "items_by_remote": lambda tx, it: tx.items_by_remote(HIS_LINK.id, ["far"]),
    "intents": lambda tx, it: list(tx.intents(HIS_LINK.id)),
    "touched": lambda tx, it: list(tx.touched(it.calendar, Revision(0))),
    "history": lambda tx, it: list(tx.history(HIS_LINK.id)),
    "channels": lambda tx, it: list(tx.channels(HIS_LINK.id)),
    "blocking": lambda tx, it: list(tx.blocking(HIS_ACCOUNT.id)),
    "foreign_busy": lambda tx, it: list(tx.foreign_busy(JOHN.id, EVER)),
    "tallies": lambda tx, it: dict(tx.tallies(HIS_LINK.id)),
    "foreign_times": lambda tx, it: list(tx.foreign_times(JOHN.id, "ics", EVER.start)),
    "foreign_origins": lambda tx, it: tx.foreign_origins(JOHN.id),
    "source": lambda tx, it: tx.source(JOHN.id),
    "sources": lambda tx, it: list(tx.sources()),
    "source_address": lambda tx, it: tx.source_address(JOHN.id),
    "feed_tokens": lambda tx, it: tx.feed_tokens(),
    "latest_invitations": lambda tx, it: tx.latest_invitations(),
}
READING_TO_WRITE: dict[str, Asked] = {
    "notices_due": lambda tx, it: list(tx.notices_due(NOW + 1000 * DAY)),
    "next_notice": lambda tx, it: tx.next_notice(),
    "indexed_before": lambda tx, it: list(tx.indexed_before(EVER.end, limit=10)),
    "recall": lambda tx, it: tx.recall("key"),
    "has_registrations": lambda tx, it: tx.has_registrations(),
    "touches": lambda tx, it: [each for each in tx.touches(Revision(0), limit=1000) if each.calendar in (it.calendar, it.private)],
}


# Every way to write, aimed at what belongs to the demo company. A new method must be added here.
WRITING: dict[str, Callable[[Any, Estate, Any], object]] = {
    "record": lambda tx, it, entry: tx.record(entry, None, None, NOW),
    "advance": lambda tx, it, entry: tx.advance("letters", tx.revision),
    "put_calendar": lambda tx, it, entry: tx.put_calendar(
        Calendar(id=CalendarId("theirs"), staff=JOHN.id, slug="theirs", kind=CalendarKind.PERSONAL), NOW
    ),
    "drop_calendar": lambda tx, it, entry: tx.drop_calendar(it.private, NOW),
    "set_properties": lambda tx, it, entry: tx.set_properties(JOHN.id, it.collections[0], {"{DAV:}displayname": "x"}, NOW),
    "save_company": lambda tx, it, entry: tx.save_company(replace(tx.company, name="x")),
    "save_staff": lambda tx, it, entry: tx.save_staff(replace(JOHN, name="x")),
    "save_group": lambda tx, it, entry: tx.save_group(replace(FRONT, name="x", members=())),
    "save_service": lambda tx, it, entry: tx.save_service(Service(id=tx.services()[0].id, name="x", duration=HOUR)),
    "save_customer": lambda tx, it, entry: tx.save_customer(Customer(id=ANN.id, name="x", email="x@example.com")),
    "save_hours": lambda tx, it, entry: tx.save_hours(JOHN.id, WorkingHours()),
    "add_app_password": lambda tx, it, entry: tx.add_app_password(JOHN.id, "x", "intruder", NOW),
    "revoke_app_password": lambda tx, it, entry: tx.revoke_app_password(it.password, NOW),
    "add_api_key": lambda tx, it, entry: tx.add_api_key("x", "x", NOW),
    "revoke_api_key": lambda tx, it, entry: tx.revoke_api_key(it.key, NOW),
    "add_feed": lambda tx, it, entry: tx.add_feed(replace(it.feed, label="x"), "other token", b"", NOW),
    "revoke_feed": lambda tx, it, entry: tx.revoke_feed(it.feed.id, NOW),
    "delegate": lambda tx, it, entry: tx.delegate(JOHN.id, EMMA.id, NOW, write=False),
    "undelegate": lambda tx, it, entry: tx.undelegate(JOHN.id, EMMA.id),
    "publish": lambda tx, it, entry: tx.publish(it.calendar, it.feed.id),
    "feed_fetched": lambda tx, it, entry: tx.feed_fetched(it.feed.id, "x", NOW),
    "await_notice": lambda tx, it, entry: tx.await_notice(it.entry, None, NOW + DAY),
    "notice_done": lambda tx, it, entry: tx.notice_done(it.entry),
    "queue": lambda tx, it, entry: tx.queue(Letter(key="key", recipient="x", message=b"", entry=it.entry, kind="x"), NOW),
    "reindex": lambda tx, it, entry: tx.reindex(it.entry, shape_of(entry)),
    "ask": lambda tx, it, entry: tx.ask(it.entry, None, JOHN.id, "x", NOW),
    "answer": lambda tx, it, entry: tx.answer(it.question, "x", NOW),
    "register": lambda tx, it, entry: tx.register(replace(DEVICE, topic="other"), it.collections[0], NOW, at_most=5),
    "unregister": lambda tx, it, entry: tx.unregister(JOHN.id, it.device, NOW),
    "heard": lambda tx, it, entry: tx.heard(Revision(1000)),
    "news_of_calendars": lambda tx, it, entry: tx.news_of_calendars([it.calendar], Revision(9), NOW, properties=True, unheard=[]),
    "news_of_teams": lambda tx, it, entry: tx.news_of_teams([it.calendar], Revision(9), NOW, unheard=[]),
    "news_of_views": lambda tx, it, entry: tx.news_of_views(Revision(9), NOW, unheard=[]),
    "hand_out": lambda tx, it, entry: tx.hand_out(it.entry, "customer key of an intruder", b"x"),
    "attend": lambda tx, it, entry: tx.attend(it.entry, "DECLINED", 1, NOW),
    "remember": lambda tx, it, entry: tx.remember("key", "x", 200, "x", NOW),
    "audit": lambda tx, it, entry: tx.audit("settings", CANARY, {}, {"name": "x"}, NOW),
    "add_account": lambda tx, it, entry: tx.add_account(replace(HIS_ACCOUNT, id=AccountId("x")), b"x"),
    "save_account": lambda tx, it, entry: tx.save_account(replace(HIS_ACCOUNT, login="x")),
    "rest_account": lambda tx, it, entry: tx.rest_account(HIS_ACCOUNT.id, NOW + DAY),
    "keep_credential": lambda tx, it, entry: tx.keep_credential(HIS_ACCOUNT.id, b"x", 1),
    "remove_account": lambda tx, it, entry: tx.remove_account(HIS_ACCOUNT.id),
    "add_link": lambda tx, it, entry: tx.add_link(replace(HIS_LINK, id=LinkId("x"))),
    "save_link": lambda tx, it, entry: tx.save_link(replace(HIS_LINK, title="x")),
    "remove_link": lambda tx, it, entry: tx.remove_link(HIS_LINK.id),
    "save_item": lambda tx, it, entry: tx.save_item(replace(item_of(it.entry), remote="x"), NOW),
    "drop_item": lambda tx, it, entry: tx.drop_item(HIS_LINK.id, Key(entry=it.entry)),
    "note": lambda tx, it, entry: tx.note(HIS_LINK.id, Happening(at=NOW, kind="x", sentence="x")),
    "add_channel": lambda tx, it, entry: tx.add_channel(replace(HIS_CHANNEL, resource="x")),
    "prolong_channel": lambda tx, it, entry: tx.prolong_channel(HIS_LINK.id, "channel", NOW, NOW + 2 * DAY),
    "wear_channel": lambda tx, it, entry: tx.wear_channel(HIS_LINK.id, "channel"),
    "drop_channel": lambda tx, it, entry: tx.drop_channel(HIS_LINK.id, "channel"),
    "must_hold": lambda tx, it, entry: tx.must_hold(HIS_CLAIM),
    "begin_consent": lambda tx, it, entry: tx.begin_consent(
        "state", JOHN.id, Provider.GOOGLE, b"", primary=False, back="", expires=NOW, now=NOW
    ),
    "switch_providers": lambda tx, it, entry: tx.switch_providers(Policy(google=True)),
    "add_blocking": lambda tx, it, entry: tx.add_blocking(replace(HIS_OTHER, title="x")),
    "save_blocking": lambda tx, it, entry: tx.save_blocking(replace(HIS_OTHER, digest="x")),
    "drop_blocking": lambda tx, it, entry: tx.drop_blocking(HIS_OTHER),
    "clear_blocking": lambda tx, it, entry: tx.clear_blocking(HIS_OTHER),
    "put_busy": lambda tx, it, entry: tx.put_busy(JOHN.id, "ics", [], NOW),
    "confirm_busy": lambda tx, it, entry: tx.confirm_busy(JOHN.id, "ics", NOW + DAY),
    "forget_busy": lambda tx, it, entry: tx.forget_busy(JOHN.id, "ics"),
    "save_source": lambda tx, it, entry: tx.save_source(Source(staff=JOHN.id, due=NOW, zone="x"), b"x"),
    "remove_source": lambda tx, it, entry: tx.remove_source(JOHN.id),
    "change_feed": lambda tx, it, entry: tx.change_feed(replace(it.feed, label="x")),
    "save_user": lambda tx, it, entry: tx.save_user(replace(BOSS, name="x")),
    "set_password": lambda tx, it, entry: tx.set_password(BOSS.id, "x", NOW),
    "begin_session": lambda tx, it, entry: tx.begin_session(BOSS.id, "intruder", NOW, NOW + DAY, agent="", network=""),
    "session_seen": lambda tx, it, entry: tx.session_seen("cookie", NOW + HOUR),
    "end_session": lambda tx, it, entry: tx.end_session("cookie"),
    "end_other_sessions": lambda tx, it, entry: tx.end_other_sessions(BOSS.id, "x"),
    "begin_reset": lambda tx, it, entry: tx.begin_reset(BOSS.id, "intruder", NOW, NOW + DAY),
    "use_reset": lambda tx, it, entry: tx.use_reset("reset link", NOW),
    "invite": lambda tx, it, entry: tx.invite(replace(INVITED, id=InvitationId("x")), "intruder"),
    "revoke_invitations": lambda tx, it, entry: tx.revoke_invitations(JOHN.id, NOW),
    "invitation_opened": lambda tx, it, entry: tx.invitation_opened(INVITED.id, NOW),
    "invitation_connected": lambda tx, it, entry: tx.invitation_connected(INVITED.id, NOW),
}


def methods(of: type) -> set[str]:
    return {name for name in dir(of) if not name.startswith("_") and callable(getattr(of, name))}


def everything(place: Place, estate: Estate) -> dict[str, object]:
    """All that can be read of the demo company."""
    with place.store.write(DEMO, SETUP) as tx:
        asked = {name: ask(tx, estate) for name, ask in (READING | READING_TO_WRITE).items()}
        return asked | {"company": tx.company, "question": place.store.question("question"), "push": place.store.next_push(NOW)}


def test_every_method_is_asked() -> None:
    assert set(READING) == methods(Snapshot)
    assert set(READING_TO_WRITE) | set(WRITING) == methods(Transaction) - methods(Snapshot)


@pytest.mark.parametrize("method", sorted(READING))
def test_nothing_of_another_company_can_be_read(place: Place, estate: Estate, method: str) -> None:
    with place.store.read(OTHER) as snapshot:
        assert answer(READING[method], snapshot, estate) in EMPTY


def test_nothing_of_another_company_is_waiting_here(place: Place, estate: Estate) -> None:
    with place.store.write(OTHER, SETUP) as tx:
        for method, ask in READING_TO_WRITE.items():
            assert answer(ask, tx, estate) in EMPTY, method


def test_the_questions_would_find_it_at_home(place: Place, estate: Estate) -> None:
    """Or the tests above would prove nothing."""
    found = everything(place, estate)
    assert {name for name, answer in found.items() if answer in EMPTY} == {
        "issued",
        "feed_revision",
        "push",
    }  # nothing has happened that a device would hear of


@pytest.mark.parametrize("method", sorted(WRITING))
def test_nothing_of_another_company_can_be_changed(place: Place, estate: Estate, method: str) -> None:
    before = everything(place, estate)
    with place.store.read(DEMO) as snapshot:
        held = snapshot.held_by_id(estate.entry)
    assert held is not None
    try:
        with place.store.write(OTHER, SETUP) as tx:
            WRITING[method](tx, estate, held.entry)
    except (Missing, Conflict, Lost):
        pass
    assert everything(place, estate) == before
    assert place.store.login_by_app_password(JOHN.handle, "secret", NOW) is not None
    assert place.store.login_by_app_password(JOHN.handle, "intruder", NOW) is None
    assert place.store.login_by_api_key("api secret", NOW) is not None
    assert place.store.feed_by_token("token") == (DEMO, estate.feed)
    session = place.store.session("cookie", NOW)
    assert session is not None
    assert (session[0], session[1].user, session[1].seen) == (DEMO, BOSS, NOW)
    assert place.store.session("intruder", NOW) is None
    assert place.store.reset("reset link", NOW) == (DEMO, BOSS)
    assert place.store.reset("intruder", NOW) is None
    assert place.store.accounts_due(NOW + DAY) == []  # its provider is switched off here
    assert place.store.channel("channel", "secret of the channel") == (DEMO, HIS_LINK)
    assert place.store.take_consent("state", NOW - DAY) is None
    assert [found for company, _, found in place.store.signing_in(BOSS.email) if company == DEMO] == ["hash"]
    assert place.store.invitation("invitation link") == (DEMO, INVITED)
    assert place.store.attendance("customer key") == (DEMO, estate.entry)
    assert place.store.attendance("customer key of an intruder") is None


def test_the_same_ids_in_two_companies_are_different_things(place: Place, neighbour: Place) -> None:
    twin = Staff(id=JOHN.id, handle="twin", name="Juan Sanchez", email="twin@example.com", zone="UTC")
    with place.store.write(OTHER, SETUP) as tx:
        tx.save_staff(twin)
        tx.save_customer(replace(ANN, name="Somebody else"))
        tx.save_group(replace(FRONT, name="Their front", members=(twin.id,)))
    ours, theirs = (booking(each.calendar(JOHN.id), id="same", notes=each.company) for each in (place, neighbour))
    place.add(ours)
    neighbour.add(theirs)
    neighbour.change(theirs, replace(theirs, version=2))
    for each, entry, person in ((place, ours, JOHN), (neighbour, replace(theirs, version=2), twin)):
        with each.store.read(each.company) as snapshot:
            assert snapshot.staff(JOHN.id) == person
            held = snapshot.held_by_id(ours.id)
            assert held is not None
            assert held.entry == entry
            assert [row.calendar for row in snapshot.rows(seen(snapshot, JOHN.id, "group-front"))] == [entry.calendar]
            assert [line.calendar for line in snapshot.changes_of(ours.id)] == [entry.calendar] * entry.version


def answer(ask: Asked, tx: Snapshot, estate: Estate) -> object:
    try:
        return ask(tx, estate)
    except Missing:
        return MISSING
