"""The gate by itself: what passes, and what is turned away before anything is looked at."""

from __future__ import annotations

import pytest
from multidict import CIMultiDict

from gateway.web.gate import METHODS, admit
from gateway.web.problems import Problem

LOGIN = ("Authorization", "Basic am9objpzZWNyZXQ=")
HERE = "/dav/john-smith/appointments/"


def turned(method: str, target: str, *headers: tuple[str, str]) -> int:
    with pytest.raises(Problem) as problem:
        admit(method, target, CIMultiDict([("Host", "calendar.example.com"), *headers]))
    return problem.value.status


def passes(method: str, target: str, *headers: tuple[str, str]) -> str:
    return admit(method, target, CIMultiDict([("Host", "calendar.example.com"), *headers]))


@pytest.mark.parametrize("name", ["a.ics", "%C3%A9t%C3%A9.ics", "a%40b.ics", "20261124T080000Z-1~x.ics", "%F0%9F%98%80.ics", "a%3Fb%23c"])
def test_a_name_that_a_client_may_choose_passes_decoded(name: str) -> None:
    path = passes("PUT", HERE + name, LOGIN)
    assert path.startswith(HERE)
    assert "%" not in path


@pytest.mark.parametrize(
    "name",
    ["%2e", "%2E%2e", "..", ".", "a/../b", "%2e%2e/x", "a%2Fb", "a%5cb", "a\\b", "a%00b", "%0d%0ax", "%c3%28", "%c0%ae", "%ED%A0%80"],
)
def test_a_name_that_hides_something_is_turned_away(name: str) -> None:
    assert turned("PUT", HERE + name, LOGIN) == 400


@pytest.mark.parametrize("name", ["a//b", "%", "%4", "%zz", "a%7f", "a%C2%85b"])
def test_a_name_that_is_badly_written_is_turned_away(name: str) -> None:
    assert turned("PUT", HERE + name, LOGIN) == 400


def test_a_name_longer_than_255_octets_is_turned_away() -> None:
    assert passes("PUT", HERE + "a" * 251 + ".ics", LOGIN)
    assert turned("PUT", HERE + "a" * 252 + ".ics", LOGIN) == 414


@pytest.mark.parametrize("target", ["*", "http://evil.invalid/dav/", "dav/", "/dav/\x7f", "/dav/é", "/dav/#x"])
def test_a_target_that_is_no_path_is_turned_away(target: str) -> None:
    assert turned("PROPFIND", target, LOGIN) == 400


def test_a_query_may_come_with_reading_and_not_with_writing() -> None:
    assert passes("GET", HERE + "a.ics?x=1", LOGIN) == HERE + "a.ics"
    assert turned("PUT", HERE + "a.ics?x=1", LOGIN) == 400


@pytest.mark.parametrize("method", ["LOCK", "UNLOCK", "PATCH", "TRACE", "CONNECT", "propfind", "__class__", ""])
def test_a_method_that_is_not_offered_is_turned_away(method: str) -> None:
    assert turned(method, HERE, LOGIN) == 405


@pytest.mark.parametrize("method", sorted(set(METHODS) - {"OPTIONS"}))
def test_a_stranger_is_asked_to_log_in_whatever_he_wants(method: str) -> None:
    with pytest.raises(Problem) as problem:
        admit(method, HERE, CIMultiDict(Host="h", Depth="7", Overwrite="x"))
    assert problem.value.status == 401
    assert problem.value.headers["WWW-Authenticate"] == 'Basic realm="Calendar gateway", charset="UTF-8"'


def test_options_passes_without_a_login() -> None:
    assert passes("OPTIONS", HERE) == HERE


@pytest.mark.parametrize(
    "value",
    ["Basic", "Basic ", "Basic é", "Basic a b", "Basic a===", "Bearer x.y.z", "Negotiate", "Basic " + "A" * 2000, "Basic\tYTpi", "YTpi"],
)
def test_a_login_that_is_none_counts_as_no_login(value: str) -> None:
    assert turned("PROPFIND", HERE, ("Authorization", value)) == 401


def test_the_scheme_is_read_in_any_case() -> None:
    assert passes("PROPFIND", HERE, ("Authorization", "bAsIc am9objpzZWNyZXQ="))


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([("Depth", "2")], 400),
        ([("Depth", "-1")], 400),
        ([("Depth", "abc")], 400),
        ([("Depth", "0"), ("Depth", "1")], 400),
        ([("Overwrite", "X")], 400),
        ([("Host", "other.example.com")], 400),
        ([("Destination", "/a"), ("Destination", "/b")], 400),
        ([("Content-Type", "text/calendar; charset=rot13")], 415),
        ([("Content-Type", 'text/xml; charset="utf-7"')], 415),
        ([("Content-Type", "text/xml; charset=../../x")], 415),
        ([("Content-Range", "bytes 0-9/100")], 400),
    ],
)
def test_a_header_that_would_change_the_meaning_is_turned_away(headers: list[tuple[str, str]], status: int) -> None:
    assert turned("PUT", HERE + "a.ics", LOGIN, *headers) == status


@pytest.mark.parametrize("host", ["evil.invalid/x", "a b", "a,b", "a:99999999", "[::1", "user@host", ""])
def test_a_host_that_is_none_is_turned_away(host: str) -> None:
    with pytest.raises(Problem) as problem:
        admit("OPTIONS", HERE, CIMultiDict(Host=host))
    assert problem.value.status == 400


def test_lists_of_etags_may_come_in_several_lines() -> None:
    assert passes("PUT", HERE + "a.ics", LOGIN, ("If-Match", '"a"'), ("If-Match", '"b"'))
