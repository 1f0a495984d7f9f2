"""Callers of the fakes for tests: without a server, at a time that stands until it is moved."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from gateway.fakes.control import steer
from gateway.fakes.google import Google
from gateway.fakes.microsoft import Microsoft
from gateway.fakes.provider import Provider
from gateway.fakes.running import people
from gateway.fakes.wire import Ask, Heard, Reply, Request

JOHN, EMMA, TAYLOR = "john.smith@example.com", "emma.morris@example.com", "taylor.carpenter@outlook.example"
CALENDAR = "https://www.googleapis.com/auth/calendar"
APP_CREATED = "https://www.googleapis.com/auth/calendar.app.created"
GRAPH_SCOPES = ["openid", "profile", "offline_access", "Calendars.ReadWrite", "User.Read"]
IMMUTABLE = 'IdType="ImmutableId"'
GUEST = "guest@elsewhere.example"
START = datetime(2026, 3, 2, 8, tzinfo=UTC)  # a Monday; 09:00 in Paris


@dataclass
class Clock:
    """A clock that stands."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class Answered:
    """What a caller gets."""

    reply: Reply

    @property
    def status(self) -> int:
        return self.reply.status

    @property
    def json(self) -> Any:
        return json.loads(self.reply.body)

    @property
    def headers(self) -> Mapping[str, str]:
        return self.reply.headers

    @property
    def reason(self) -> str:
        """Google's reason, Graph's code, or OAuth's error."""
        error = self.json["error"]
        if isinstance(error, str):
            return error
        return str(error["errors"][0]["reason"] if "errors" in error else error["code"])


@dataclass
class Line:
    """One caller of one provider. Every answer is remembered."""

    provider: Provider
    root: str
    token: str = ""
    base: str = "https://provider.example"
    heard: Heard | None = None  # what addresses answer when the provider asks them
    asked: list[str] = field(default_factory=list)
    seen: list[tuple[str, str, Answered]] = field(default_factory=list)

    def __call__(self, method: str, path: str, body: object = None, headers: Mapping[str, str] = {}, **query: object) -> Answered:
        """`path` below the root, or a link as it came; query names are written with `_` for `$`."""
        target = path.removeprefix(self.base) if path.startswith(self.base) else self.root + path
        if query:
            pairs = [(name.replace("_", "$", 1) if name.startswith("_") else name, value) for name, value in query.items()]
            target += ("&" if "?" in target else "?") + urlencode(pairs, doseq=True)
        sent = {"authorization": f"Bearer {self.token}"} if self.token else {}
        sent |= {name.lower(): value for name, value in headers.items()}
        octets = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        outcome = self.provider.answer(Request(method=method, target=target, headers=sent, body=octets, base=self.base))
        if isinstance(outcome.result, Ask):
            self.asked = [each.url for each in outcome.result.outgoing]
            outcome = self.provider.resume(outcome, [self._answer(each.url) for each in outcome.result.outgoing])
        assert isinstance(outcome.result, Reply)
        answered = Answered(outcome.result)
        self.seen.append((method, target, answered))
        return answered

    def _answer(self, url: str) -> Heard | None:
        """What a well-behaved address echoes, unless the test says otherwise."""
        if self.heard is not None:
            return self.heard
        return Heard(status=200, kind="text/plain", text=parse_qs(urlsplit(url).query)["validationToken"][0])

    def form(self, path: str, **fields: str) -> Answered:
        return self("POST", path, urlencode(fields).encode(), {"Content-Type": "application/x-www-form-urlencoded"})

    def control(self, method: str, place: str, body: object = None) -> Answered:
        octets = b"" if body is None else json.dumps(body).encode()
        return Answered(steer(self.provider, Request(method=method, target=f"/control/{place}", body=octets)))

    def act(self, account: str, op: str, **wish: object) -> list[dict[str, Any]]:
        """What the person does; the events it touched."""
        answered = self.control("POST", "act", {"account": account, "op": op, **wish})
        assert answered.status == 200, answered.json
        events: list[dict[str, Any]] = answered.json.get("events", [])
        return events


@dataclass
class GoogleHouse:
    """The fake Google with John in it, and a client that may touch all his calendars."""

    clock: Clock = field(default_factory=Clock)
    zone: str = "Europe/Paris"

    def __post_init__(self) -> None:
        self.google: Google = people(google=[JOHN, "juan.sanchez@example.com"], clock=self.clock, zone=self.zone)[0]
        self.call = self.connected(CALENDAR)

    def connected(self, *scopes: str, login: str = JOHN) -> Line:
        line = Line(self.google, "/calendar/v3")
        return self.fresh(line, self.google.connect(login, list(scopes)))

    def fresh(self, line: Line, refresh: str) -> Line:
        """The line with a new access token."""
        world = self.google.world
        answered = Line(self.google, "").form(
            "/token", grant_type="refresh_token", refresh_token=refresh, client_id=world.client_id, client_secret=world.client_secret
        )
        line.token = answered.json["access_token"]
        return line

    def insert(self, calendar: str = "primary", **body: Any) -> dict[str, Any]:
        answered = self.call("POST", f"/calendars/{quote(calendar)}/events", timed(**body), sendUpdates="none")
        assert answered.status == 200, answered.json
        event: dict[str, Any] = answered.json
        return event

    def sync(self, token: str = "", **query: Any) -> tuple[list[dict[str, Any]], str]:
        """Every item of a listing, and its sync token."""
        items: list[dict[str, Any]] = []
        asked = {**query, **({"syncToken": token} if token else {})}
        while True:
            answered = self.call("GET", "/calendars/primary/events", None, {}, **asked)
            assert answered.status == 200, answered.json
            items += answered.json["items"]
            if "nextPageToken" not in answered.json:
                return items, answered.json.get("nextSyncToken", "")
            assert "nextSyncToken" not in answered.json
            asked["pageToken"] = answered.json["nextPageToken"]


@dataclass
class GraphHouse:
    """The fake Microsoft with Emma (work) and Taylor (personal) in it, and a client that may touch Emma's calendars."""

    clock: Clock = field(default_factory=Clock)
    zone: str = "Europe/Paris"

    def __post_init__(self) -> None:
        self.microsoft: Microsoft = people(work=[EMMA, "juan.sanchez@example.com"], personal=[TAYLOR], clock=self.clock, zone=self.zone)[1]
        self.call = self.connected()

    def connected(self, login: str = EMMA, scopes: list[str] = GRAPH_SCOPES) -> Line:
        line = Line(self.microsoft, "/v1.0")
        refresh = self.microsoft.connect(login, scopes)
        line.token = self.token(grant_type="refresh_token", refresh_token=refresh).json["access_token"]
        return line

    def token(self, authority: str = "common", **fields: str) -> Answered:
        world = self.microsoft.world
        client = {"client_id": world.client_id, "client_secret": world.client_secret}
        return Line(self.microsoft, "").form(f"/{authority}/oauth2/v2.0/token", **{**client, **fields})

    def create(self, place: str = "/me", prefer: str = IMMUTABLE, **body: Any) -> dict[str, Any]:
        answered = self.call("POST", f"{place}/events", graph_timed(**body), {"Prefer": prefer})
        assert answered.status == 201, answered.json
        event: dict[str, Any] = answered.json
        return event

    def round(self, link: str = "", place: str = "/me/calendarView/delta", **window: str) -> tuple[list[dict[str, Any]], str]:
        """Every item of one delta round, and its delta link."""
        items: list[dict[str, Any]] = []
        asked = window or {"startDateTime": "2026-03-01T00:00:00Z", "endDateTime": "2026-04-01T00:00:00Z"}
        answered = (
            self.call("GET", link, None, {"Prefer": IMMUTABLE}) if link else self.call("GET", place, None, {"Prefer": IMMUTABLE}, **asked)
        )
        while True:
            assert answered.status == 200, answered.json
            items += answered.json["value"]
            if "@odata.deltaLink" in answered.json:
                return items, answered.json["@odata.deltaLink"]
            answered = self.call("GET", answered.json["@odata.nextLink"], None, {"Prefer": IMMUTABLE})


def timed(day: int = 2, hour: int = 9, hours: float = 1, **body: Any) -> dict[str, Any]:
    """A body for Google: a day of March 2026 in Paris, unless start and end are given."""
    begin = datetime(2026, 3, day, hour)
    times = {
        name: {"dateTime": moment.isoformat(), "timeZone": "Europe/Paris"}
        for name, moment in (("start", begin), ("end", begin + timedelta(hours=hours)))
    }
    return {"summary": "Cut", **times, **body}


def graph_timed(day: int = 2, hour: int = 9, hours: float = 1, **body: Any) -> dict[str, Any]:
    """The same for Graph."""
    begin = datetime(2026, 3, day, hour)
    times = {
        name: {"dateTime": moment.isoformat(), "timeZone": "Romance Standard Time"}
        for name, moment in (("start", begin), ("end", begin + timedelta(hours=hours)))
    }
    return {"subject": "Cut", **times, **body}


def weekly(count: int = 5, day: str = "monday", start: str = "2026-03-02", **pattern: Any) -> dict[str, Any]:
    """A patternedRecurrence."""
    return {
        "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": [day], "firstDayOfWeek": "monday", **pattern},
        "range": {"type": "numbered", "startDate": start, "numberOfOccurrences": count},
    }


def path(*parts: str) -> str:
    """A path of parts that may hold anything."""
    return "/" + "/".join(quote(part, safe="") for part in parts)
