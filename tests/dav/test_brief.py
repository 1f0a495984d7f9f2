"""What is answered in between, while other requests wait: as right as what is answered on a thread, and never what takes long."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.web.dav import brief, lengthy
from plugins.syncing import FEW
from tests.dav.asking import names_in
from tests.dav.house import HERE, Client, event

KNOWN = {"HTTP_AUTHORIZATION": "Basic am9objpzZWNyZXQ="}
SYNC = b'<D:sync-collection xmlns:D="DAV:"/>'


def looks(method: str, path: str = HERE, body: bytes = b"", **more: str) -> bool:
    return brief({"REQUEST_METHOD": method, **KNOWN, **more}, path, body)


def test_what_is_asked_all_day_is_brief() -> None:
    assert looks("PROPFIND", HTTP_DEPTH="0")
    assert looks("REPORT", body=SYNC)
    assert looks("GET", HERE + "one.ics")
    assert looks("GET", HERE, HTTP_IF_NONE_MATCH='"1"')


def test_what_may_take_long_or_wait_is_not() -> None:
    assert not looks("PROPFIND", HTTP_DEPTH="1")
    assert not looks("PROPFIND")
    assert not looks("PROPFIND", body=b" " * 5000, HTTP_DEPTH="0")
    assert not looks("REPORT", body=SYNC + b" " * 5000)
    assert not looks("REPORT", body=b"<calendar-query/>")
    assert not looks("GET", HERE)
    for method in ("PUT", "DELETE", "MOVE", "PROPPATCH", "POST"):
        assert not looks(method, HERE + "one.ics", HTTP_DEPTH="0")


def takes(method: str, path: str = HERE, body: bytes = b"", **more: str) -> bool:
    return lengthy({"REQUEST_METHOD": method, **KNOWN, **more}, path, body)


def test_what_may_be_a_whole_calendar_waits_among_its_like() -> None:
    assert takes("GET")
    assert takes("HEAD")
    assert takes("PROPFIND", HTTP_DEPTH="1")
    assert takes("PROPFIND")
    assert takes("REPORT", body=SYNC)
    assert takes("REPORT", body=b"<calendar-query/>")


def test_what_is_written_or_bounded_does_not_wait_behind_it() -> None:
    assert not takes("REPORT", body=b"<calendar-multiget/>")
    assert not takes("GET", HERE + "one.ics")
    assert not takes("PROPFIND", "/dav/john-smith/", HTTP_DEPTH="1")
    assert not takes("PROPFIND", HTTP_DEPTH="0")
    for method in ("PUT", "DELETE", "MOVE", "PROPPATCH", "POST"):
        assert not takes(method, HERE + "one.ics")


def test_an_access_token_may_have_to_be_asked_about() -> None:
    assert not brief({"REQUEST_METHOD": "PROPFIND", "HTTP_DEPTH": "0", "HTTP_AUTHORIZATION": "Bearer x.y.z"}, HERE, b"")
    assert not brief({"REQUEST_METHOD": "PROPFIND", "HTTP_DEPTH": "0"}, HERE, b"")


@pytest.mark.parametrize("changes", [1, FEW, FEW + 1])
def test_however_much_has_changed_all_of_it_is_told(john: Client, changes: int) -> None:
    assert john.put(HERE + "before.ics", event("before")).status == 201
    token = john.token()
    for number in range(changes):
        assert john.put(HERE + f"{number}.ics", event(f"{number}")).status == 201
    assert len(names_in(john.sync(token))) == changes


def test_a_report_that_only_looks_brief_is_answered_nevertheless(john: Client) -> None:
    assert john.put(HERE + "one.ics", event("one")).status == 201
    assert john.sync().status == 207
    assert names_in(john.query("", more="<!-- sync-collection -->")) == ["one.ics"]


def test_a_whole_calendar_is_sent_to_who_has_another_state_of_it(john: Client) -> None:
    assert john.put(HERE + "one.ics", event("one")).status == 201
    whole = john.ask("GET", HERE)
    assert john.ask("GET", HERE, **{"If-None-Match": whole.headers["etag"]}).status == 304
    assert john.put(HERE + "two.ics", event("two")).status == 201
    newer = john.ask("GET", HERE, **{"If-None-Match": whole.headers["etag"]})
    assert (newer.status, newer.body.count(b"BEGIN:VEVENT")) == (200, 2)
    assert john.ask("HEAD", HERE, **{"If-None-Match": whole.headers["etag"]}).status == 200


def test_a_wrong_password_is_never_known(john: Client) -> None:
    stranger = replace(john, password="wrong")
    assert [stranger.ask("GET", HERE + "one.ics").status for _ in range(3)] == [401] * 3
    assert [john.ask("GET", HERE + "one.ics").status for _ in range(3)] == [404] * 3
