"""The contract of every adapter: events one by one, and those that are not ours."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest

from gateway.bridge.remote import Clash, Exists, Gone, Guarded, Known
from gateway.links import Key
from gateway.model import EntryId
from tests.bridge.contract.setting import DAY, GUEST, KEY, NOW, OTHER, Setting, gone, known, owned


class EventContract:
    """What a Remote does to one event."""

    def test_what_was_created_is_found_by_its_id_and_by_its_key(self, setting: Setting) -> None:
        remote = setting.open()
        made = remote.create(KEY, owned(text="Line\nline"))
        assert made.owned == owned(text="Line\nline")
        assert made.master == ""
        assert made.busy
        assert remote.get(made.id) == remote.find(KEY)
        assert remote.find(KEY) is not None
        assert [each["title"] for each in setting.live()] == ["Advice"]

    def test_another_key_link_or_generation_is_another_event(self, setting: Setting) -> None:
        setting.open().create(KEY, owned())
        assert setting.open().find(OTHER) is None
        assert setting.open().find(replace(KEY, generation=1)) is None
        assert setting.open(link="elsewhere").find(KEY) is None

    def test_a_second_create_of_the_same_key_makes_no_second_event(self, setting: Setting) -> None:
        remote = setting.open()
        made = remote.create(KEY, owned())
        with suppress(Exists):
            assert remote.create(KEY, owned()).id == made.id
        assert len(setting.live()) == 1

    def test_a_key_whose_event_a_person_has_deleted_is_not_brought_back(self, setting: Setting) -> None:
        """Re-insert after delete (bridge.md §4, 21): the next generation is created at once."""
        remote = setting.open()
        made = remote.create(KEY, owned())
        setting.act("delete", id=made.id)
        assert gone(remote, made.id)
        remote.create(replace(KEY, generation=1), owned())
        assert len(setting.live()) == 1

    def test_an_update_writes_every_owned_field_in_one_request(self, setting: Setting) -> None:
        remote = setting.open()
        made = remote.create(KEY, owned())
        wish = owned(start=NOW + 3 * DAY, hours=2, title="Other", text="New\ntext", place="Room 2", tentative=True)
        before = len(setting.asked())
        changed = remote.update(known(made), wish)
        assert changed.owned == wish
        assert changed.id == made.id
        assert changed.etag != made.etag
        assert [method for method, _ in setting.asked()[before:] if method != "GET"] == ["PATCH"]
        there = remote.get(made.id)
        assert there is not None
        assert there.owned == wish

    def test_what_a_person_added_stays_when_we_write(self, setting: Setting) -> None:
        """Only owned fields are sent."""
        remote = setting.open()
        made = remote.create(KEY, owned())
        setting.act("edit", id=made.id, visibility="private", sensitivity="private")
        there = remote.get(made.id)
        assert there is not None
        remote.update(known(there), owned(title="Renamed"))
        sent = [body for body in setting.wire.bodies if b"Renamed" in body]
        assert len(sent) == 1
        for word in (b"visibility", b"sensitivity", b"reminders", b"attendees", b"categories", b"colorId", b"conference", b"onlineMeeting"):
            assert word not in sent[0]

    def test_an_update_with_an_old_etag_clashes_and_changes_nothing(self, setting: Setting) -> None:
        remote = setting.open()
        made = remote.create(KEY, owned())
        setting.act("move", id=made.id, start="2026-03-05T15:00:00+01:00", end="2026-03-05T16:00:00+01:00")
        with pytest.raises(Clash):
            remote.update(known(made), owned(title="Never"))
        assert setting.live()[0]["title"] == "Advice"
        assert setting.live()[0]["start"].startswith("2026-03-05T15:00")

    def test_a_delete_with_an_old_etag_clashes_and_deletes_nothing(self, setting: Setting) -> None:
        remote = setting.open()
        made = remote.create(KEY, owned())
        setting.act("edit", id=made.id, title="Mine now")
        with pytest.raises(Clash):
            remote.delete(known(made))
        assert len(setting.live()) == 1

    def test_what_was_deleted_is_gone_to_every_call(self, setting: Setting) -> None:
        remote = setting.open()
        made = remote.create(KEY, owned())
        remote.delete(known(made))
        assert setting.live() == []
        assert gone(remote, made.id)
        with pytest.raises(Gone):
            remote.delete(known(made))
        with pytest.raises((Gone, Clash)):
            remote.update(known(made), owned())
        with pytest.raises(Gone):
            remote.update(replace(known(made), etag=""), owned())
        found = remote.find(KEY)
        assert found is None or found.owned is None

    def test_somebody_elses_event_is_never_written_to(self, setting: Setting) -> None:
        remote = setting.open()
        remote.create(KEY, owned())
        theirs = setting.act("create", calendar=setting.calendar, title="Theirs", start="2026-03-06T10:00:00+01:00")
        seen = remote.get(theirs["id"])
        assert seen is not None
        assert seen.ours is None
        before = [each for each in setting.fake.events(setting.login) if each["id"] == theirs["id"]]
        for etag in (seen.etag, ""):
            for key in (KEY, OTHER, Key(entry=EntryId("a1"), at=NOW)):
                with pytest.raises(Guarded):
                    remote.update(Known(id=theirs["id"], etag=etag, key=key), owned())
                with pytest.raises(Guarded):
                    remote.delete(Known(id=theirs["id"], etag=etag, key=key))
        assert [each for each in setting.fake.events(setting.login) if each["id"] == theirs["id"]] == before
        assert not [method for method, path in setting.asked() if method in ("PATCH", "PUT", "DELETE") and "/events/" in path]

    def test_a_persons_copy_of_our_event_is_theirs_whatever_its_marker_says(self, setting: Setting) -> None:
        remote = setting.open()
        made = remote.create(KEY, owned())
        copy = setting.act("copy", id=made.id)
        assert copy["id"] != made.id
        found, seen = remote.find(KEY), remote.get(copy["id"])
        assert found is not None
        assert seen is not None
        assert found.id == made.id
        with pytest.raises(Guarded):
            remote.update(known(seen), owned(title="Never"))
        with pytest.raises(Guarded):
            remote.delete(known(seen))
        assert [each["title"] for each in setting.live()] == ["Advice", "Advice"]

    def test_another_links_event_is_not_this_links(self, setting: Setting) -> None:
        made = setting.open(link="one").create(KEY, owned())
        with pytest.raises(Guarded):
            setting.open(link="two").delete(known(made))
        assert len(setting.live()) == 1

    def test_an_event_with_guests_is_neither_changed_nor_deleted(self, setting: Setting) -> None:
        """The provider would mail them, whatever it is asked (bridge.md §2.5, §3.4)."""
        remote = setting.open()
        made = remote.create(KEY, owned())
        setting.act("edit", id=made.id, attendees=[{"email": GUEST}])
        there = remote.get(made.id)
        assert there is not None
        assert there.attendees
        assert there.owned == owned()
        for etag in (there.etag, ""):
            with pytest.raises(Guarded):
                remote.update(replace(known(there), etag=etag), owned(title="Never"))
            with pytest.raises(Guarded):
                remote.delete(replace(known(there), etag=etag))
        assert setting.live()[0]["attendees"] == [GUEST]
