"""Ids of our own and markers at Google (bridge.md §2.2, §2.4)."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.bridge.google.events import Names
from gateway.bridge.remote import Exists, Gone, Known
from gateway.links import Key
from gateway.model import EntryId
from tests.bridge.contract import DAY, KEY, NOW, Setting, gone, known, owned, pulled

NAMES = Names(mark="demo", link="link", zone="Europe/Paris")
KEYS = st.builds(
    Key,
    entry=st.text(min_size=1, max_size=30).map(EntryId),
    at=st.none() | st.datetimes(min_value=datetime(2000, 1, 1), timezones=st.just(UTC)),
    generation=st.integers(0, 2_000_000),
)


def test_an_id_is_the_same_in_every_release() -> None:
    """Other ids would be other events: everything would be there twice."""
    assert NAMES.id(KEY) == "7oq3gm93ucj4q4vp9pn0837f0kdml1bc03oqlb65c9c6qc5ni5ig"
    assert NAMES.id(replace(KEY, at=NOW, generation=2)) == "1bhssb5nn3g1lcrpnlshjrvj83tviomaeh7o3rs6l4ou4csr4no0"


@given(key=KEYS)
def test_an_id_is_one_that_google_takes_and_the_marker_names_its_key_again(key: Key) -> None:
    assert re.fullmatch(r"[a-v0-9]{5,1024}", NAMES.id(key))
    marker = NAMES.marker(key)
    assert all(isinstance(value, str) and len(name) <= 44 and len(value) <= 1024 for name, value in marker.items())
    assert NAMES.key({"extendedProperties": {"private": marker}}) == key
    for other in (replace(NAMES, link="another"), replace(NAMES, mark="another")):
        assert other.id(key) != NAMES.id(key)
        assert other.key({"extendedProperties": {"private": marker}}) is None


@given(one=KEYS, other=KEYS)
def test_two_keys_have_two_ids(one: Key, other: Key) -> None:
    assert (NAMES.id(one) == NAMES.id(other)) == (one == other)


def test_a_marker_that_somebody_has_written_into_is_nobodys() -> None:
    for marks in ({"gen": "x"}, {"at": "yesterday"}, {"at": "2026-03-02T08:00:00"}, {"gen": None}, {"lnk": "another"}):
        private = {"gw": "demo", "lnk": "link", "apt": "a1", "at": "", "gen": "0"} | marks
        assert NAMES.key({"extendedProperties": {"private": private}}) is None
    assert NAMES.key({"extendedProperties": {"private": {"gw": "demo", "lnk": "link"}}}) is None
    assert NAMES.key({}) is None


def test_markers_hold_nothing_about_a_person(setting: Setting) -> None:
    setting.open().create(KEY, owned(title="Canary title", text="Canary text", place="Canary place"))
    body = json.loads(next(body for body in setting.wire.bodies if b"extendedProperties" in body))
    assert "Canary" not in json.dumps(body["extendedProperties"])
    assert set(body["extendedProperties"]) == {"private"}


def test_an_id_that_was_deleted_exists_for_ever(setting: Setting) -> None:
    """409 on insert, and a get shows the tombstone (bridge.md §2.2)."""
    remote = setting.open()
    made = remote.create(KEY, owned())
    remote.delete(known(made))
    with pytest.raises(Exists):
        remote.create(KEY, owned())
    found = remote.find(KEY)
    assert found is not None
    assert found.owned is None
    assert setting.live() == []


def test_an_update_of_a_deleted_event_is_gone_and_no_refusal(setting: Setting) -> None:
    """Google says 403 to it (bridge.md §2.2), which would be a dead letter; also when it is deleted in the very moment."""
    remote = setting.open()
    made = remote.create(KEY, owned())
    setting.act("delete", id=made.id)
    for etag in (made.etag, ""):
        with pytest.raises(Gone):
            remote.update(Known(id=made.id, etag=etag, key=KEY), owned())
    assert gone(remote, made.id)


def test_a_copy_of_a_series_is_told_with_a_marker_and_another_id(setting: Setting) -> None:
    """A marker alone proves nothing."""
    remote = setting.open()
    made = remote.create(KEY, owned(rule="FREQ=DAILY;COUNT=3"))
    copy = setting.act("copy", id=made.id)
    seen, _ = pulled(remote)
    assert seen[copy["id"]].ours == seen[made.id].ours == KEY
    assert copy["id"] != made.id


def test_many_turns_at_once_share_one_client_and_nothing_else(setting: Setting) -> None:
    """Google's transport is not thread-safe (bridge.md §2.10); the client that words requests carries none."""

    def turn(number: int) -> str:
        remote = setting.open(link=f"l{number}")
        made = remote.create(KEY, owned(title=f"t{number}"))
        return str(remote.update(known(made), owned(title=f"u{number}")).owned)

    with ThreadPoolExecutor(8) as pool:
        changed = list(pool.map(turn, range(24)))
    assert changed == [str(owned(title=f"u{number}")) for number in range(24)]
    assert sorted(each["title"] for each in setting.live()) == sorted(f"u{number}" for number in range(24))


def test_occurrences_are_asked_for_by_their_start_and_no_id_is_put_together(setting: Setting) -> None:
    remote = setting.open()
    made = remote.create(KEY, owned(rule="FREQ=DAILY;COUNT=5"))
    remote.occurrence(made.id, NOW + 2 * DAY)
    method, address = setting.wire.sent[-1]
    assert method == "GET"
    assert f"/events/{made.id}/instances?" in address
    assert "originalStart=2026-03-04T08%3A00%3A00Z" in address
