"""Whose event it is, and that there is one: transactions, markers, ids, etags (bridge.md §3.2)."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.bridge.graph.names import MARKER, Names
from gateway.bridge.remote import Clash, Exists, Gone, Guarded, Inexpressible, Unreachable
from gateway.links import Key
from gateway.model import EntryId
from tests.bridge.contract import DAY, GUEST, HOUR, KEY, NOW, OTHER, Setting, known, owned, pulled
from tests.bridge.graph.wires import knobs, mailbox, problem, telling

NAMES = Names(mark="demo", link="link", zone="Europe/Paris")
SERIES = "FREQ=WEEKLY;COUNT=6"

ids = st.one_of(st.text("0123456789abcdef", min_size=32, max_size=32), st.text(max_size=40))
starts = st.one_of(st.none(), st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)))
keys = st.builds(Key, entry=ids.map(EntryId), at=starts, generation=st.integers(0, 2_000_000))


@given(key=keys)
@example(key=Key(entry=EntryId("z" * 24), at=datetime(2089, 12, 31, tzinfo=UTC), generation=2_000_000))  # as long as it gets
def test_a_transaction_names_its_key_and_nothing_else(key: Key) -> None:
    name = NAMES.transaction(key)
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,47}", name)
    assert NAMES.key(name) in (key, None)
    assert NAMES.ours(name, key)
    assert replace(NAMES, link="elsewhere").key(name) is None
    assert replace(NAMES, mark="elsewhere").key(name) is None


@given(
    entry=st.text("0123456789abcdef", min_size=32, max_size=32), minutes=st.integers(0, 60_000_000), generation=st.integers(0, 2_000_000)
)
def test_the_key_of_an_appointment_of_the_store_can_always_be_read_back(entry: str, minutes: int, generation: int) -> None:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    for key in (Key(entry=EntryId(entry), generation=generation), Key(entry=EntryId(entry), at=at, generation=generation)):
        assert NAMES.key(NAMES.transaction(key)) == key


@given(one=keys, other=keys)
def test_two_keys_have_two_transactions(one: Key, other: Key) -> None:
    assert (NAMES.transaction(one) == NAMES.transaction(other)) == (one == other)


@given(text=st.text(max_size=60))
def test_what_others_wrote_into_a_transaction_is_no_key_of_ours(text: str) -> None:
    assert NAMES.key(text) is None
    assert NAMES.key(f"{NAMES.transaction(KEY).partition('.')[0]}.{text}") in (None, KEY)


def test_an_event_of_ours_is_known_in_every_listing_also_where_no_marker_is_told(setting: Setting) -> None:
    """A call that was made and never answered is recognised at the next look."""
    remote = setting.open()
    made = remote.create(KEY, owned(rule=SERIES))
    assert made.ours == KEY
    seen, _ = pulled(remote)
    assert seen[made.id].ours == KEY
    assert setting.open(link="elsewhere").get(made.id) is not None
    other = pulled(setting.open(link="elsewhere"))[0][made.id]
    assert other.ours is None
    date = remote.occurrence(made.id, NOW + 8 * DAY)
    assert date is not None
    assert date.ours is None


def test_a_new_event_carries_its_marker_inline_and_no_open_extension(setting: Setting) -> None:
    """With open extensions Graph makes the event and says 503 (trap)."""
    setting.open().create(KEY, owned())
    sent = json.loads(telling(setting).bodies[-1])
    assert sent["singleValueExtendedProperties"] == [{"id": MARKER, "value": NAMES.transaction(KEY)}]
    assert "extensions" not in sent
    assert sent["transactionId"] == NAMES.transaction(KEY)
    assert (sent["isReminderOn"], sent["responseRequested"]) == (False, False)
    assert "isOnlineMeeting" not in sent


def test_a_transaction_that_was_used_for_another_body_says_that_the_event_exists(setting: Setting) -> None:
    remote = setting.open()
    made = remote.create(KEY, owned())
    with pytest.raises(Exists):
        remote.create(KEY, owned(title="Other"))
    found = remote.find(KEY)
    assert found is not None
    assert found.id == made.id


def test_a_transaction_whose_event_was_deleted_says_that_it_exists_and_shows_nothing(setting: Setting) -> None:
    remote = setting.open()
    made = remote.create(KEY, owned())
    setting.act("delete", id=made.id)
    with pytest.raises(Exists):
        remote.create(KEY, owned())
    assert remote.find(KEY) is None


def test_a_save_that_was_disturbed_may_have_been_done(setting: Setting) -> None:
    """503 ErrorConcurrentItemSave comes after the event was made."""
    telling(setting).instead = lambda method, path: problem(503, "ErrorConcurrentItemSave", Retry_After="5") if method == "POST" else None
    with pytest.raises(Unreachable):
        setting.open().create(KEY, owned())


def test_a_server_that_has_forgotten_transactions_is_asked_by_marker(setting: Setting) -> None:
    """How long it remembers is nowhere said."""
    knobs(setting).transaction_seconds = 1
    remote = setting.open()
    made = remote.create(KEY, owned())
    setting.clock.forward(HOUR / 2)
    found = remote.find(KEY)
    assert found is not None
    assert found.id == made.id


def test_the_event_among_copies_is_the_one_with_our_transaction(setting: Setting) -> None:
    remote = setting.open()
    made = remote.create(KEY, owned())
    copies = [setting.act("copy", id=made.id)["id"] for _ in range(12)]
    knobs(setting).turn({"page_size": 3, "empty_pages": True})
    found = remote.find(KEY)
    assert found is not None
    assert found.id == made.id
    assert all(seen.ours is None for seen in map(remote.get, copies) if seen is not None)


def test_a_change_nobody_sees_moves_the_etag_and_clashes_without_a_write(setting: Setting) -> None:
    """A category or a reminder: whoever looks again sees that nothing has changed."""
    remote = setting.open()
    made = remote.create(KEY, owned())
    setting.act("touch", id=made.id)
    with pytest.raises(Clash):
        setting.open().update(known(made), owned(title="x"))
    assert [method for method, _ in setting.writes()] == ["POST"]
    there = remote.get(made.id)
    assert there is not None
    assert (there.owned, there.etag == made.etag) == (owned(), False)
    assert remote.update(known(there), owned(title="x")).owned == owned(title="x")


def test_every_write_says_in_which_state_the_event_was_seen(setting: Setting) -> None:
    remote = setting.open()
    made = remote.create(KEY, owned())
    changed = remote.update(replace(known(made), etag=""), owned(title="x"))
    remote.delete(known(changed))
    wire = telling(setting)
    said = [headers.get("if-match") for (method, _), headers in zip(wire.sent, wire.headers, strict=True) if method in ("PATCH", "DELETE")]
    assert said == [made.etag, changed.etag]


def test_a_write_that_comes_too_late_is_refused_by_microsoft_as_well(setting: Setting) -> None:
    remote = setting.open()
    made = remote.create(KEY, owned())
    pulled(remote)
    setting.act("edit", id=made.id, title="Mine now")
    with pytest.raises(Clash):
        remote.update(known(made), owned(title="x"))
    assert setting.live()[0]["title"] == "Mine now"


@pytest.mark.parametrize("status", [409, 412])
def test_a_conflict_of_an_event_that_exists_is_a_clash(setting: Setting, status: int) -> None:
    remote = setting.open()
    made = remote.create(KEY, owned())
    answer = problem(status, "ErrorIrresolvableConflict")
    telling(setting).instead = lambda method, path: answer if method in ("PATCH", "DELETE") else None
    with pytest.raises(Clash):
        remote.update(known(made), owned(title="x"))
    with pytest.raises(Clash):
        remote.delete(known(made))


def test_an_event_that_was_seen_in_this_turn_is_not_looked_at_again(setting: Setting) -> None:
    remote = setting.open()
    made = remote.create(KEY, owned())
    remote = setting.open()
    pulled(remote)
    before = len(setting.asked())
    remote.update(known(made), owned(title="x"))
    assert [method for method, _ in setting.asked()[before:]] == ["PATCH"]
    there = remote.get(made.id)
    assert there is not None
    before = len(setting.asked())
    setting.open().update(known(there), owned(title="y"))
    assert [method for method, _ in setting.asked()[before:]] == ["GET", "PATCH"]


def test_only_what_differs_is_written_and_nothing_when_nothing_does(setting: Setting) -> None:
    """Exchange forgets the moved dates of a series whose times are written, and a meeting's own text when its body is."""
    remote = setting.open()
    made = remote.create(KEY, owned(rule=SERIES))
    changed = remote.update(known(made), owned(rule=SERIES, title="Other", tentative=True))
    assert set(json.loads(telling(setting).bodies[-1])) == {"subject", "showAs"}
    before = len(setting.writes())
    assert remote.update(known(changed), owned(rule=SERIES, title="Other", tentative=True)) == changed
    assert len(setting.writes()) == before
    remote.update(known(changed), owned(rule="FREQ=WEEKLY;COUNT=7", title="Other", tentative=True))
    assert set(json.loads(telling(setting).bodies[-1])) == {"start", "end", "isAllDay", "recurrence"}


def test_a_new_title_of_a_series_leaves_its_moved_and_cancelled_dates(setting: Setting) -> None:
    remote = setting.open()
    made = remote.create(KEY, owned(rule=SERIES))
    setting.act("delete", id=made.id, occurrence=(NOW + 8 * DAY).isoformat())
    at = NOW + 15 * DAY
    setting.act("move", id=made.id, occurrence=at.isoformat(), start=(at + HOUR).isoformat(), end=(at + 2 * HOUR).isoformat())
    there = remote.get(made.id)
    assert there is not None
    remote.update(known(there), owned(rule=SERIES, title="Other"))
    assert {each.at for each in pulled(remote)[0].values() if each.master} == {NOW + 8 * DAY, at}


def test_a_date_belongs_to_us_when_its_series_does_and_it_is_that_date(setting: Setting) -> None:
    remote = setting.open()
    made = remote.create(KEY, owned(rule=SERIES))
    theirs = setting.act(
        "create", calendar=setting.calendar, title="Theirs", start="2026-03-06T10:00:00+01:00", recurrence=["RRULE:FREQ=DAILY;COUNT=3"]
    )
    mine, foreign = remote.occurrence(made.id, NOW + 8 * DAY), remote.occurrence(theirs["id"], datetime(2026, 3, 7, 9, tzinfo=UTC))
    assert mine is not None
    assert foreign is not None
    for seen, key in (
        (foreign, replace(KEY, at=foreign.at)),
        (mine, replace(OTHER, at=mine.at)),
        (mine, replace(KEY, at=NOW + 15 * DAY)),
        (mine, KEY),
        (mine, replace(KEY, at=mine.at, generation=1)),
    ):
        with pytest.raises(Guarded):
            remote.update(known(seen, key), owned(title="Never"))
        with pytest.raises(Guarded):
            remote.delete(known(seen, key))
    remote.update(known(mine, replace(KEY, at=mine.at)), owned(start=NOW + 8 * DAY, title="Once"))


def test_a_series_with_a_guest_on_one_of_its_dates_is_neither_changed_nor_deleted(setting: Setting) -> None:
    """Microsoft mails once for every exception (trap)."""
    remote = setting.open()
    made = remote.create(KEY, owned(rule=SERIES))
    setting.act("edit", id=made.id, occurrence=(NOW + 8 * DAY).isoformat(), attendees=[GUEST])
    there = setting.open().get(made.id)
    assert there is not None
    for each in (setting.open(), remote):
        with pytest.raises(Guarded):
            each.update(known(there), owned(rule=SERIES, title="Never"))
        with pytest.raises(Guarded):
            each.delete(known(there))


def test_a_date_cannot_go_past_its_neighbours_and_is_an_event_of_its_own_then(setting: Setting) -> None:
    remote = setting.open()
    made = remote.create(KEY, owned(rule=SERIES))
    there = remote.occurrence(made.id, NOW + 8 * DAY)
    assert there is not None
    with pytest.raises(Inexpressible):
        remote.update(known(there, replace(KEY, at=NOW + 8 * DAY)), owned(start=NOW + 20 * DAY))
    remote.delete(known(there, replace(KEY, at=NOW + 8 * DAY)))
    apart = Key(entry=KEY.entry, at=NOW + 8 * DAY, generation=1_000_000)
    single = remote.create(apart, owned(start=NOW + 20 * DAY))
    assert single.ours == apart
    remote.update(known(single, apart), owned(start=NOW + 21 * DAY))
    assert len(setting.live()) == 2


def test_a_cancelled_date_cannot_be_called_back_and_cannot_be_cancelled_again(setting: Setting) -> None:
    remote = setting.open()
    made = remote.create(KEY, owned(rule=SERIES))
    setting.act("delete", id=made.id, occurrence=(NOW + 8 * DAY).isoformat())
    lost = remote.occurrence(made.id, NOW + 8 * DAY)
    assert lost is not None
    with pytest.raises(Inexpressible):
        remote.update(known(lost, replace(KEY, at=lost.at)), owned(start=NOW + 8 * DAY))
    with pytest.raises(Gone):
        remote.delete(known(lost, replace(KEY, at=lost.at)))


def test_an_id_survives_that_its_event_is_moved_to_another_calendar(setting: Setting) -> None:
    remote = setting.open()
    made = remote.create(KEY, owned())
    setting.act("transfer", id=made.id, calendar=mailbox(setting).primary.id)
    there = remote.get(made.id)
    assert there is not None
    remote.delete(known(there))
    assert remote.get(made.id) is None


@pytest.mark.parametrize("rule", ["", SERIES])
def test_a_deleted_event_that_an_immutable_id_still_shows_is_gone(setting: Setting, rule: str) -> None:
    """Ids outlive deletion as long as an item can be recovered: it lies in no calendar then, and cannot be deleted once more."""
    knobs(setting).recoverable = True
    remote = setting.open()
    made, other = remote.create(KEY, owned(rule=rule)), remote.create(OTHER, owned(rule=rule))
    _, cursor = pulled(remote)
    setting.act("delete", id=made.id)
    remote.delete(known(other, OTHER))
    seen, _ = pulled(remote, cursor)
    for one in (made, other):
        assert not seen[one.id].certain
        assert remote.get(one.id) is None
    for key, one in ((KEY, made), (OTHER, other)):
        assert remote.find(key) is None
        with pytest.raises((Gone, Clash)):
            setting.open().update(known(one, key), owned(title="Never"))
        with pytest.raises(Gone):
            setting.open().update(replace(known(one, key), etag=""), owned(title="Never"))
        with pytest.raises((Gone, Clash)):
            setting.open().delete(known(one, key))
        with pytest.raises(Gone):
            setting.open().delete(replace(known(one, key), etag=""))
    assert remote.create(replace(KEY, generation=1), owned()).owned == owned()


def test_a_second_deletion_of_what_can_be_recovered_says_that_it_is_gone(setting: Setting) -> None:
    remote = setting.open()
    made = remote.create(KEY, owned())
    telling(setting).instead = lambda method, path: problem(403, "ErrorCannotDeleteObject") if method == "DELETE" else None
    with pytest.raises(Gone):
        remote.delete(known(made))


@pytest.mark.parametrize("recoverable", [True, False])
def test_an_event_in_another_calendar_is_there_although_ours_does_not_list_it(setting: Setting, recoverable: bool) -> None:
    knobs(setting).recoverable = recoverable
    remote = setting.open()
    made = remote.create(KEY, owned())
    setting.act("transfer", id=made.id, calendar=mailbox(setting).primary.id)
    there = remote.get(made.id)
    assert there is not None
    assert there.owned == owned()
    setting.act("delete", id=made.id)
    assert remote.get(made.id) is None


def test_a_foreign_event_that_was_deleted_is_gone_too(setting: Setting) -> None:
    knobs(setting).recoverable = True
    theirs = setting.act("create", calendar=setting.calendar, title="Theirs", start="2026-03-06T10:00:00+01:00")
    remote = setting.open()
    assert remote.get(theirs["id"]) is not None
    setting.act("delete", id=theirs["id"])
    assert remote.get(theirs["id"]) is None


def test_a_proxy_that_finds_nothing_has_not_deleted_anything(setting: Setting) -> None:
    remote = setting.open()
    made = remote.create(KEY, owned())
    strange: list[Any] = [(404, {}, b"<html>Not found</html>"), problem(404, "UnknownError"), (404, {}, b""), (410, {}, b"{")]
    for answer in strange:
        telling(setting).instead = lambda method, path, answer=answer: answer if "/events/" in path else None  # type: ignore[misc]
        with pytest.raises(Unreachable):
            remote.get(made.id)
