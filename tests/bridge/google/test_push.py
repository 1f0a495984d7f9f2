"""Watch channels at Google (bridge.md §2.6): a hint to look, and never more."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.bridge.remote import Throttled
from tests.bridge.contract import KEY, NOW, Setting, owned

ADDRESS, SECRET = "https://127.0.0.1:8443/hooks/google", "s" * 43


def test_a_channel_brings_our_secret_with_every_notification(setting: Setting) -> None:
    watching = setting.open().watch(ADDRESS, SECRET, NOW)
    assert watching is not None
    assert watching.expires == NOW + timedelta(days=7)
    setting.open().create(KEY, owned())
    told = [each for each in setting.fake.take_outbox() if each.headers["X-Goog-Resource-State"] == "exists"]
    assert {each.url for each in told} == {ADDRESS}
    assert {each.headers["X-Goog-Channel-Token"] for each in told} == {SECRET}
    assert {each.headers["X-Goog-Channel-ID"] for each in told} == {watching.id}
    assert {each.headers["X-Goog-Resource-ID"] for each in told} == {watching.resource}


def test_every_channel_has_an_id_of_its_own(setting: Setting) -> None:
    """Nothing can be renewed: a successor lives beside its predecessor for a while."""
    remote = setting.open()
    one, two = remote.watch(ADDRESS, SECRET, NOW), remote.watch(ADDRESS, SECRET, NOW)
    assert one is not None
    assert two is not None
    assert one.id != two.id
    assert set(setting.fake.world.channels) == {one.id, two.id}


def test_a_channel_may_be_closed_twice(setting: Setting) -> None:
    setting.control("knobs", linger=False)
    remote = setting.open()
    watching = remote.watch(ADDRESS, SECRET, NOW)
    assert watching is not None
    for _ in range(2):
        remote.unwatch(watching.id, watching.resource)
    assert setting.fake.world.channels == {}


@pytest.mark.parametrize("address", ["http://calendar.example.com/hooks/google", "https://calendar.example.com/hooks/google"])
def test_where_google_does_not_send_polling_goes_on_alone(setting: Setting, address: str) -> None:
    """Behind a home router (400), or on a domain that is not verified (401): no error, and no sign-in again."""
    before = len(setting.kept.history)
    assert setting.open().watch(address, SECRET, NOW) is None
    assert len(setting.kept.history) == before


def test_a_quota_is_no_reason_to_give_push_up(setting: Setting) -> None:
    setting.fault("POST /events/watch", "status:403:rateLimitExceeded")
    with pytest.raises(Throttled):
        setting.open().watch(ADDRESS, SECRET, NOW)
