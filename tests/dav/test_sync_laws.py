"""A law of synchronisation: whatever happens between its pages, however small they are, a client ends up with what is there."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.dav.house import Client, D, event

HOME = "/dav/john-smith/"
_NUMBERS = count()

LAW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
NAMES = st.sampled_from("abcd")
PAGE = st.tuples(st.just("page"), st.integers(1, 3))
STEPS = st.lists(st.one_of(st.tuples(st.sampled_from(["put", "delete"]), NAMES), PAGE), max_size=14)


class Copy:
    """What a client has of a collection, page by page: ETags by path."""

    def __init__(self, john: Client, path: str) -> None:
        self.john = john
        self.path = path
        self.token = ""
        self.held: dict[str, str] = {}
        self.more = True

    def page(self, limit: int) -> None:
        first = self.token == ""
        answer = self.john.sync(self.token, self.path, more=f"<D:limit><D:nresults>{limit}</D:nresults></D:limit>")
        assert answer.status == 207, answer.text
        found = answer.responses
        self.more = found.pop(self.path, None) is not None
        assert len(found) <= limit
        for path, properties in found.items():
            if "status" in properties:
                assert not first, "a first answer has no tombstones"
                self.held.pop(path, None)
            else:
                self.held[path] = properties[f"{D}getetag"]
        self.token = answer.tree.findtext(f"{D}sync-token") or ""

    def finish(self, limit: int) -> None:
        self.more = True
        for _ in range(60):
            self.page(limit)
            if not self.more:
                return
        raise AssertionError("the pages do not end")


def run(john: Client, copy: Copy, steps: list[tuple[str, str | int]], act: Callable[[str, str], object], limit: int) -> None:
    for step, what in steps:
        if isinstance(what, int):
            copy.page(what)
        else:
            act(step, what)
    copy.finish(limit)
    answer = john.propfind(copy.path, "<D:getetag/>", "1")
    there = {path: found[f"{D}getetag"] for path, found in answer.responses.items() if path != copy.path}
    assert copy.held == there
    assert copy.token == john.token(copy.path)


@LAW
@given(steps=STEPS, limit=st.integers(1, 4))
def test_a_copy_of_a_calendar_becomes_the_calendar(john: Client, steps: list[tuple[str, str | int]], limit: int) -> None:
    path = f"{HOME}law-{next(_NUMBERS)}/"
    assert john.ask("MKCALENDAR", path).status == 201
    number = count()

    def act(step: str, name: str) -> None:
        if step == "put":
            assert john.put(f"{path}{name}.ics", event(f"{name}@example.com", summary=str(next(number)))).status in (201, 204)
        else:
            john.ask("DELETE", f"{path}{name}.ics")

    run(john, Copy(john, path), steps, act, limit)
    assert john.ask("DELETE", path).status == 204


@LAW
@given(steps=STEPS, limit=st.integers(1, 4))
def test_a_copy_of_a_home_becomes_the_home(john: Client, steps: list[tuple[str, str | int]], limit: int) -> None:
    number = count()

    def act(step: str, name: str) -> None:
        if step == "delete":
            john.ask("DELETE", f"{HOME}{name}/")
        elif john.ask("MKCALENDAR", f"{HOME}{name}/").status != 201:
            john.put(f"{HOME}{name}/x.ics", event("x@example.com", summary=str(next(number))))

    run(john, Copy(john, HOME), steps, act, limit)
