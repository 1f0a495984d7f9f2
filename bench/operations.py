"""What calendar programs ask all day, request by request, each with the check that its answer is right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bench import dav
from bench.side import Side, Unable
from bench.wire import Answer, Wire

MANY = 100
"""Objects of one multiget: Thunderbird and DAVx⁵ ask for that many at most."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with an answer. `over`: it names everything it should, and more."""

    text: str
    over: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """One request, ready to be sent; `check` looks at the answer and remembers what the client would."""

    method: str
    path: str
    body: str = ""
    headers: str = ""
    wire: Wire
    check: Callable[[Answer], Flaw | None]


def _nothing(side: Side) -> None:
    pass


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """`goals`: CPU milliseconds for calendars up to that size. `daily`: how often a staff member's programs ask it in a day.

    `prepare` runs before a run of equal requests, `before` before each of them; neither is measured. `ask` answers None when
    nothing is left to be asked.
    """

    title: str
    ask: Callable[[Side], Ask | None]
    goals: Mapping[int, float]
    daily: float = 0.0
    prepare: Callable[[Side], None] = _nothing
    before: Callable[[Side], None] | None = None
    applies: Callable[[Side], bool] = field(default=lambda side: True)

    def goal(self, size: int) -> float | None:
        return next((goal for most, goal in sorted(self.goals.items()) if size <= most), None)


def _same(got: list[str], want: set[str]) -> Flaw | None:
    """Whether exactly those events are named, each once. What was written beside the data set does not count."""
    named = [name for name in got if name.startswith("s")]
    found = set(named)
    if found == want and len(named) == len(found):
        return None
    return Flaw(f"{len(named)} objects instead of {len(want)}, {len(want - found)} missing", over=found > want)


def _status(answer: Answer, *right: int) -> Flaw | None:
    return None if answer.status in right else Flaw(f"status {answer.status}")


def _report(side: Side, body: str, check: Callable[[Answer], Flaw | None], status: int = 207) -> Ask:
    return Ask(
        method="REPORT",
        path=side.calendar,
        body=body,
        headers=f"Depth: 1\r\n{dav.XML}",
        wire=side.wire,
        check=lambda answer: _status(answer, status) or check(answer),
    )


def _propfind(side: Side, path: str, depth: int, body: str, check: Callable[[Answer], Flaw | None], wire: Wire) -> Ask:
    return Ask(method="PROPFIND", path=path, body=body, headers=f"Depth: {depth}\r\n{dav.XML}", wire=wire, check=check)


def _ctag(side: Side) -> Ask:
    def check(answer: Answer) -> Flaw | None:
        return _status(answer, 207) or (None if dav.token(answer.body) and b"getctag" in answer.body else Flaw("no ctag or token"))

    return _propfind(side, side.calendar, 0, dav.CTAG, check, side.wire)


def _home(side: Side) -> Ask:
    def check(answer: Answer) -> Flaw | None:
        listed = answer.body.count(b"getctag>") // 2  # an opening and a closing tag in each calendar that has one
        return _status(answer, 207) or (None if listed >= 5 and side.calendar.encode() in answer.body else Flaw(f"{listed} calendars"))

    return _propfind(side, side.home, 1, dav.HOME, check, side.wire)


def _challenge(side: Side) -> Ask:
    def check(answer: Answer) -> Flaw | None:
        return _status(answer, 401) or (None if answer.header("WWW-Authenticate") else Flaw("no challenge"))

    return _propfind(side, side.home, 1, dav.HOME, check, side.stranger)


def _get(side: Side) -> Ask:
    event = side.chance.choice(side.data.events)

    def check(answer: Answer) -> Flaw | None:
        return _status(answer, 200) or (None if event.uid.encode() in answer.body else Flaw("another event"))

    return Ask(method="GET", path=side.path(event.name), wire=side.wire, check=check)


def _put_new(side: Side) -> Ask:
    event = side.new_event()

    def check(answer: Answer) -> Flaw | None:
        side.own.append(event)
        return _status(answer, 201, 204)

    headers = f"{dav.ICS}If-None-Match: *\r\n"
    return Ask(method="PUT", path=side.path(event.name), body=event.text(), headers=headers, wire=side.wire, check=check)


def _put_update(side: Side) -> Ask | None:
    proposal = side.proposal()
    if proposal is None:
        return None

    def check(answer: Answer) -> Flaw | None:
        side.remember(proposal.name, answer)
        return _status(answer, 200, 201, 204)

    headers = f"{dav.ICS}If-Match: {proposal.etag}\r\n"
    return Ask(method="PUT", path=side.path(proposal.name), body=proposal.text, headers=headers, wire=side.wire, check=check)


def _know(side: Side) -> None:
    side.know()


def _put_one_more(side: Side) -> None:
    side.put_new()


def _delete(side: Side) -> Ask:
    event = side.own.pop()
    return Ask(method="DELETE", path=side.path(event.name), wire=side.wire, check=lambda answer: _status(answer, 200, 204))


def _week(side: Side) -> Ask:
    window = side.data.week(side.chance.randrange(2, 100))

    def check(answer: Answer) -> Flaw | None:
        found, texts = dav.names(answer.body), answer.body.count(b"BEGIN:VCALENDAR")
        if texts != len(found):
            return Flaw(f"{texts} texts for {len(found)} objects")
        return _same(found, side.data.within(window.start, window.end))

    return _report(side, dav.query(window.start, window.end, text=True), check)


def _month(side: Side) -> Ask:
    window = side.data.month(side.chance.randrange(1, 22))
    want = side.data.within(window.start, window.end)
    return _report(side, dav.query(window.start, window.end, text=False), lambda answer: _same(dav.names(answer.body), want))


def _open(side: Side) -> Ask:
    start = side.data.open_from
    want = side.data.within(start, None)
    return _report(side, dav.query(start, None, text=False), lambda answer: _same(dav.names(answer.body), want))


def _multiget(side: Side) -> Ask:
    names = {event.name for event in side.chance.sample(side.data.events, min(MANY, side.data.size))}

    def check(answer: Answer) -> Flaw | None:
        texts = answer.body.count(b"BEGIN:VCALENDAR")
        return _same(dav.names(answer.body), names) or (None if texts == len(names) else Flaw(f"{texts} texts for {len(names)} objects"))

    return _report(side, dav.multiget(side.path(name) for name in sorted(names)), check)


def _sync_initial(side: Side) -> Ask:
    return _report(side, dav.sync(""), lambda answer: _same(dav.names(answer.body), set(side.data.by_name)))


def _change_after_token(side: Side) -> None:
    side.token = side.newest_token()
    if not side.token:
        raise Unable(f"{side.name}: no sync-token")
    side.change_one()


def _sync_one(side: Side) -> Ask:
    def check(answer: Answer) -> Flaw | None:
        found = dav.names(answer.body)
        return None if found == [side.changed] else Flaw(f"{len(found)} changes instead of 1")

    return _report(side, dav.sync(side.token), check)


def _take_token(side: Side) -> None:
    side.token = side.newest_token()


def _sync_none(side: Side) -> Ask:
    def check(answer: Answer) -> Flaw | None:
        found = dav.names(answer.body)
        return Flaw(f"{len(found)} changes instead of none") if found else None

    return _report(side, dav.sync(side.token), check)


def _free_busy(side: Side) -> Ask:
    window = side.data.week(side.chance.randrange(2, 100))

    def check(answer: Answer) -> Flaw | None:
        return None if dav.busy(answer.body) == side.data.busy(window) else Flaw("other busy times")

    return _report(side, dav.free_busy(window), check, 200)


def _feed(side: Side) -> Ask:
    def check(answer: Answer) -> Flaw | None:
        side.feed_etag = answer.header("ETag")
        found = answer.body.count(b"\nUID:s")
        return _status(answer, 200) or (
            None if found == side.data.components else Flaw(f"{found} events instead of {side.data.components}")
        )

    return Ask(method="GET", path=side.feed, wire=side.feed_wire, check=check)


def _change_the_feed(side: Side) -> None:
    side.touch()


def _read_the_feed(side: Side) -> None:
    side.feed_etag = side.must(side.feed_wire.ask("GET", side.feed), {200}).header("ETag")


def _feed_again(side: Side) -> Ask:
    def check(answer: Answer) -> Flaw | None:
        return Flaw("the whole feed once more", over=True) if answer.status == 200 else _status(answer, 304)

    headers = f"If-None-Match: {side.feed_etag}\r\n"
    return Ask(method="GET", path=side.feed, headers=headers, wire=side.feed_wire, check=check)


def _adds(side: Side) -> bool:
    return side.adds


def _feeds(side: Side) -> bool:
    return side.feeds


def _homely(side: Side) -> bool:
    return side.homely


ANY = 10**9

OPERATIONS: Mapping[str, Operation] = {
    "ctag": Operation(title="ctag poll", ask=_ctag, goals={ANY: 0.4}, daily=6),
    "home": Operation(title="home of five calendars", ask=_home, goals={ANY: 1.2}, daily=96, applies=_homely),
    "challenge": Operation(title="without credentials: 401", ask=_challenge, goals={ANY: 0.25}, daily=38, applies=_homely),
    "get": Operation(title="GET one event", ask=_get, goals={ANY: 0.4}, daily=20),
    "put-new": Operation(title="PUT a new event", ask=_put_new, goals={ANY: 1.5}, daily=1, applies=_adds),
    "put-update": Operation(title="PUT with If-Match", ask=_put_update, goals={ANY: 1.6}, daily=4, prepare=_know),
    "delete": Operation(title="DELETE", ask=_delete, goals={ANY: 1.0}, daily=0.5, before=_put_one_more, applies=_adds),
    "week": Operation(title="one week with its events", ask=_week, goals={1000: 0.9, 10_000: 5}, daily=5),
    "month": Operation(title="one month, ETags", ask=_month, goals={10_000: 4}),
    "open": Operation(title="from a day on, ETags", ask=_open, goals={10_000: 12}, daily=4),
    "multiget": Operation(title=f"multiget of {MANY}", ask=_multiget, goals={ANY: 3.5}, daily=2),
    "sync-initial": Operation(title="sync, everything", ask=_sync_initial, goals={1000: 6, 10_000: 45}),
    "sync-one": Operation(title="sync, one change", ask=_sync_one, goals={ANY: 0.6}, daily=20, prepare=_change_after_token),
    "sync-none": Operation(title="sync, nothing new", ask=_sync_none, goals={ANY: 0.5}, daily=38, prepare=_take_token),
    "free-busy": Operation(title="free-busy of a week", ask=_free_busy, goals={1000: 0.8, 10_000: 1.5}, daily=2),
    "feed-changed": Operation(
        title="feed after a change", ask=_feed, goals={1000: 20, 10_000: 150}, before=_change_the_feed, applies=_feeds
    ),
    "feed": Operation(title="feed as a whole", ask=_feed, goals={1000: 20, 10_000: 150}, daily=6, applies=_feeds),
    "feed-again": Operation(title="feed not modified", ask=_feed_again, goals={ANY: 0.35}, daily=6, prepare=_read_the_feed, applies=_feeds),
}
"""In the order in which they are measured: what writes comes before what looks at the whole calendar."""

DAY = "day"
DAY_GOALS = {1000: 0.35, 10_000: 0.75}
"""Seconds of CPU that a staff member's programs may cost in a day: one phone, Thunderbird, DAVx⁵, a few subscribers of a feed."""


def day(costs: Mapping[str, float]) -> float | None:
    """The CPU seconds of such a day, from milliseconds by operation; None when one of those that count was not measured."""
    counted = {key: operation.daily for key, operation in OPERATIONS.items() if operation.daily}
    if not counted.keys() <= costs.keys():
        return None
    return sum(daily * costs[key] for key, daily in counted.items()) / 1000
