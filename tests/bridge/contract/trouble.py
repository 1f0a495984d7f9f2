"""The contract of every adapter: after any fault somebody can say what became of a request, and none is sent twice."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest

from gateway.bridge.remote import Clash, Exists, Gone, Rejected, Throttled, Unreachable
from gateway.links import Key
from gateway.model import EntryId
from tests.bridge.contract.setting import (
    CREATE,
    DELETE,
    DONE,
    HOUR,
    KEY,
    OTHER,
    UNDONE,
    UPDATE,
    Remembered,
    Setting,
    gone,
    known,
    outcome,
    owned,
    pulled,
)


class TroubleContract:
    """What goes wrong."""

    @pytest.mark.parametrize("kind", UNDONE + DONE)
    def test_after_a_create_of_unknown_outcome_find_says_the_truth(self, setting: Setting, kind: str) -> None:
        """bridge.md §4, 13 and 14: at most one, and never a second request for one call."""
        remote = setting.open()
        setting.fault(CREATE, kind)
        error = outcome(lambda: remote.create(KEY, owned()))
        assert len(setting.writes()) == 1
        assert error is None or isinstance(error, (Unreachable, Throttled, Exists))
        assert error is not None or kind in DONE
        assert len(setting.live()) == int(kind in DONE)
        found = setting.open().find(KEY)
        assert (found is not None) == (kind in DONE)
        assert found is None or found.owned == owned()
        if found is None:
            setting.open().create(KEY, owned())
        assert len(setting.live()) == 1

    @pytest.mark.parametrize("kind", UNDONE + DONE)
    def test_after_an_update_of_unknown_outcome_the_event_says_the_truth(self, setting: Setting, kind: str) -> None:
        remote = setting.open()
        made = remote.create(KEY, owned())
        before = len(setting.writes())
        setting.fault(UPDATE, kind)
        error = outcome(lambda: remote.update(known(made), owned(title="Other")))
        assert len(setting.writes()) == before + 1
        assert error is None or isinstance(error, (Unreachable, Throttled, Clash))
        there = setting.open().get(made.id)
        assert there is not None
        assert there.owned == owned(title="Other" if kind in DONE else "Advice")

    @pytest.mark.parametrize("kind", UNDONE + DONE)
    def test_after_a_delete_of_unknown_outcome_the_event_says_the_truth(self, setting: Setting, kind: str) -> None:
        remote = setting.open()
        made = remote.create(KEY, owned())
        before = len(setting.writes())
        setting.fault(DELETE, kind)
        error = outcome(lambda: remote.delete(known(made)))
        assert len(setting.writes()) == before + 1
        assert error is None or isinstance(error, (Unreachable, Throttled, Gone))
        assert gone(setting.open(), made.id) == (kind in DONE)
        with suppress(Gone):
            setting.open().delete(known(made))
        assert setting.live() == []

    def test_a_full_quota_says_how_long_to_wait(self, setting: Setting) -> None:
        remote = setting.open()
        setting.fault("GET /events", "status:429")
        with pytest.raises(Throttled) as caught:
            remote.find(KEY)
        assert timedelta() < caught.value.wait <= HOUR

    def test_what_the_provider_refuses_for_good_is_one_items_trouble(self, setting: Setting) -> None:
        """bridge.md §4, 33: dead-lettered after one try, with the provider's sentence."""
        remote = setting.open()
        setting.fault(CREATE, "status:400")
        with pytest.raises(Rejected) as caught:
            remote.create(KEY, owned())
        assert str(caught.value)
        remote.create(OTHER, owned())

    def test_every_request_is_counted_by_its_kind(self, setting: Setting) -> None:
        remote = setting.open()
        before = len(setting.asked())
        made = remote.create(KEY, owned())
        pulled(remote)
        remote.delete(known(made))
        methods = [method for method, _ in setting.asked()[before:]]
        assert setting.calls == ["list" if method == "GET" else "write" for method in methods]

    def test_a_black_hole_ends_in_time(self, live: Setting) -> None:
        """bridge.md §4, 46: over a real connection that never answers."""
        live.fault(CREATE, "blackhole")
        remote = live.open()
        assert isinstance(live.wire, Remembered)
        with live.wire.in_a_hurry(), pytest.raises(Unreachable):
            remote.create(KEY, owned())
        assert remote.find(KEY) is None

    @pytest.mark.parametrize("kind", ["reset", "truncate", "after_commit"])
    def test_over_a_real_connection_find_says_the_truth_too(self, live: Setting, kind: str) -> None:
        live.fault(CREATE, kind)
        key = Key(entry=EntryId(f"over {kind}"))
        with pytest.raises(Unreachable):
            live.open().create(key, owned())
        found = live.open().find(key)
        assert found is not None
        assert found.owned == owned()
        live.open().delete(known(found, key))
