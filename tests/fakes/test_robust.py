"""Whatever is sent to the fakes, they answer as a provider does, and what they refuse has changed nothing (property tests)."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.fakes.google.writing import KEPT
from gateway.fakes.microsoft.writing import TYPES
from tests.fakes.house import GoogleHouse, GraphHouse, graph_timed, path, timed, weekly

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**12), 10**12),
    st.text(max_size=8),
    st.sampled_from(
        ["2026-03-02", "2026-03-02T09:00:00", "9999-12-31T23:59:59Z", "Europe/Paris", "0001-01-01", "RRULE:FREQ=DAILY", "daily"]
    ),
)
NAMES = st.one_of(
    st.sampled_from(
        ["date", "dateTime", "timeZone", "private", "pattern", "range", "type", "interval", "startDate", "id", "value", "emailAddress"]
    ),
    st.text(max_size=4),
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)), max_leaves=6
)
GOOGLE = st.dictionaries(
    st.sampled_from([*KEPT, "start", "end", "recurrence", "id", "iCalUID", "sequence", "organizer"]), VALUES, max_size=4
)
GRAPH = st.dictionaries(st.sampled_from([*TYPES]), VALUES, max_size=4)
QUERY = st.dictionaries(
    st.sampled_from(
        ["timeMin", "timeMax", "syncToken", "pageToken", "maxResults", "orderBy", "singleEvents", "showDeleted", "originalStart"]
    ),
    st.one_of(st.text(max_size=6), st.sampled_from(["2026-03-02T09:00:00Z", "true", "startTime", "2026-03-02"])),
    max_size=3,
)


@settings(max_examples=150, deadline=None)
@given(body=GOOGLE, query=QUERY)
def test_google_answers_anything_and_keeps_nothing_it_refuses(body: dict[str, Any], query: dict[str, str]) -> None:
    house = GoogleHouse()
    made = house.insert(recurrence=["RRULE:FREQ=WEEKLY;COUNT=3"])
    _, token = house.sync()
    place = f"/calendars/primary/events/{made['id']}"
    for method, where, sent in (
        ("POST", "/calendars/primary/events", timed(**body)),
        ("POST", "/calendars/primary/events/import", timed(**body)),
        ("PATCH", place, body),
        ("PUT", f"{place}_20260309T080000Z", timed(**body)),
    ):
        before = house.google.world.tick
        answered = house.call(method, where, sent)
        assert answered.status in (200, 400, 403, 404, 409), answered.json
        assert answered.status == 200 or house.google.world.tick == before
    assert house.call("GET", "/calendars/primary/events", None, {}, **query).status in (200, 400)
    assert house.call("GET", f"{place}/instances", None, {}, **query).status in (200, 400)
    assert isinstance(house.sync(token)[0], list)
    assert isinstance(house.sync(singleEvents="true")[0], list)


@settings(max_examples=150, deadline=None)
@given(body=GRAPH)
def test_graph_answers_anything_and_keeps_nothing_it_refuses(body: dict[str, Any]) -> None:
    house = GraphHouse()
    made = house.create(recurrence=weekly())
    _, link = house.round()
    window = {"startDateTime": "2026-03-08", "endDateTime": "2026-03-11"}
    [second] = house.call("GET", path("me", "events", made["id"], "instances"), None, {}, **window).json["value"]
    for method, where, sent in (
        ("POST", "/me/events", graph_timed(**body)),
        ("PATCH", path("me", "events", second["id"]), body),
        ("PATCH", path("me", "events", made["id"]), body),
    ):
        before = house.microsoft.world.tick
        answered = house.call(method, where, sent)
        assert answered.status in (200, 201, 400, 409, 503), answered.json
        assert answered.status in (200, 201, 503) or house.microsoft.world.tick == before
    assert isinstance(house.round(link)[0], list)
    assert isinstance(house.round()[0], list)
