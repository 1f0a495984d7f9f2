"""What the gateway says about itself: log lines with company, revision and reader, and counters for Prometheus.

    observe.log("outbox_sent", company=…, kind="moved")          info; an event is a name, facts are fields
    observe.log("sending_failed", error=error)                    error, when `error` is an exception
    with observe.about(company=…, reader="letters"): …            fields of every line inside, on this thread
    observe.count("refused", reason="taken")                      see METERS for the names
    observe.gauge("outbox_waiting", 3)

No secret and no customer's name belongs into a line; as a second net, the secrets given to `configure` are blotted out.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal, NamedTuple, TextIO, cast

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from gateway import thrift

with thrift.without("rich"):  # which it would load to draw tracebacks with, where it is installed; they are not drawn here
    import structlog

Level = Literal["debug", "info", "warning", "error"]
Line = MutableMapping[str, Any]  # structlog's event dictionary

COUNTING_TOGETHER = "PROMETHEUS_MULTIPROC_DIR"
"""The environment variable, set before a process starts, that names the folder in which several of them count together."""

LONGEST = 1000
"""Characters of one value in a log line; what is longer is cut."""

_NUMBERS: dict[str, int] = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]*@")  # a driver that quotes its address in an error
_FOLLOWED = 12  # frames of an exception


def configure(
    *,
    level: Level = "info",
    style: Literal["json", "console"] = "json",
    stream: TextIO | None = None,
    secrets: Iterable[str] = (),
    process: int | None = None,
) -> None:
    """Send lines from `level` upwards to `stream` (standard error), one JSON object a line or readable for a person.

    `process` is added to every line: which of several processes it comes from.
    What libraries log joins them from "warning" upwards: below that they tell about requests and statements, with their secrets.
    """
    _structure(level, style, stream, secrets, process)
    root = logging.getLogger()
    root.handlers = [_Libraries()]
    root.setLevel(max(logging.WARNING, _NUMBERS[level]))


class _ByHand(NamedTuple):
    """How a line is written that nobody needs to look at closely."""

    write: Callable[[str], None]
    odd: tuple[str, ...]  # what in a text needs it, beside what cannot be seen
    always: str  # what stands in every line

    def fit(self, text: str) -> bool:
        """Whether it can be written as it is."""
        return text.isprintable() and not any(map(text.__contains__, self.odd))


class _StandardError:
    """Standard error as it is when a line is written: whoever puts another stream in its place, and closes that again, is followed."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def _structure(
    level: Level, style: Literal["json", "console"], stream: TextIO | None, secrets: Iterable[str], process: int | None = None
) -> None:
    global _LINES, _REQUESTS_BY_HAND
    always = {} if process is None else {"process": process}
    hidden = [secret for secret in secrets if len(secret) >= 4]  # shorter ones would blot out half of every line
    odd = re.compile("|".join((_CONTROLS.pattern, "://", *map(re.escape, hidden))))
    out = structlog.WriteLoggerFactory(stream or cast(TextIO, _StandardError()))
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            lambda _, __, line: _clean({**always, **line}, hidden, odd.search),
            structlog.processors.JSONRenderer(_json) if style == "json" else structlog.dev.ConsoleRenderer(colors=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_NUMBERS[level]),
        logger_factory=out,
        cache_logger_on_first_use=False,
    )
    _LINES = structlog.get_logger().bind()
    _REQUESTS_BY_HAND = None
    if style == "json" and _NUMBERS[level] <= logging.INFO:
        said = "".join(f'"{name}": {value}, ' for name, value in always.items())
        _REQUESTS_BY_HAND = _ByHand(out().msg, ('"', "\\", "://", *hidden), said)


def _json(line: Line, **_: object) -> str:
    return _ENCODER.encode(line)


_ENCODER = json.JSONEncoder(ensure_ascii=False)  # of plain values: whatever else there was is text by now
_LINES: structlog.typing.FilteringBoundLogger  # what `configure` made; asked for line by line it would be made anew each time
_REQUESTS_BY_HAND: _ByHand | None
_structure("warning", "json", None, ())  # until a process says otherwise: structlog's own default writes everything to standard output


def log(event: str, /, *, level: Level | None = None, **fields: object) -> None:
    """One line. Fields are plain values; an exception in `error` is told as type, sentence and place, without values of variables."""
    urgency: Level = level or ("error" if isinstance(fields.get("error"), BaseException) else "info")
    _LINES.log(_NUMBERS[urgency], event, **fields)


def request(*, request: str, method: str, path: str, status: int, ms: float, peer: str, agent: str) -> None:
    """The line of a request, which a busy server writes more often than all others together: `log` takes four times as long."""
    hand = _REQUESTS_BY_HAND
    if hand is None or len(path) > LONGEST or len(agent) > LONGEST or not hand.fit(f"{request}{method}{path}{peer}{agent}"):
        log("request", request=request, method=method, path=path, status=status, ms=ms, peer=peer, agent=agent)
        return
    now = datetime.now(UTC).isoformat()[:-6]
    hand.write(
        f'{{"timestamp": "{now}Z", "level": "info", "event": "request", {hand.always}"request": "{request}", "method": "{method}", '
        f'"path": "{path}", "status": {status}, "ms": {ms}, "peer": "{peer}", "agent": "{agent}"}}'
    )


@contextmanager
def about(**fields: object) -> Iterator[None]:
    """Every line written inside, on this thread, carries the fields."""
    with structlog.contextvars.bound_contextvars(**fields):
        yield


class _Libraries(logging.Handler):
    """Takes what libraries say through `logging` into our lines."""

    def emit(self, record: logging.LogRecord) -> None:
        level: Level = "error" if record.levelno >= logging.ERROR else "warning"
        error = record.exc_info[1] if record.exc_info else None
        log("library", level=level, logger=record.name, message=record.getMessage(), **({"error": error} if error else {}))


def _clean(line: Line, hidden: Iterable[str], odd: Callable[[str], object]) -> Line:
    """The line, fit for any log: when, how urgent and what first, and every value on one line and of bounded length. `odd` tells
    whether a text needs a closer look."""
    clean: Line = {name: line.pop(name) for name in ("timestamp", "level", "event")}
    for name, value in line.items():
        if type(value) is str and len(value) <= LONGEST and not odd(value):  # nearly all
            clean[name] = value
            continue
        if isinstance(value, BaseException):
            value = f"{type(value).__name__}: {value} [{_place(value)}]"
        if isinstance(value, bool | int | float) or value is None:
            clean[name] = value
            continue
        text = _CREDENTIALS.sub("***@", str(value))
        for secret in hidden:
            text = text.replace(secret, "***")
        text = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
        clean[name] = _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    return clean


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-_FOLLOWED:]
    return " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in reversed(frames))


REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

_REQUESTS = Counter("gateway_requests", "Requests answered", ["route", "method", "status"], registry=REGISTRY)
_SECONDS = Histogram(
    "gateway_request_seconds",
    "Time from a request's head to its answer",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60),
    registry=REGISTRY,
)
_METHODS = frozenset(
    {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "PROPPATCH", "REPORT", "MKCALENDAR", "MKCOL", "MOVE", "COPY"}
)


def _gauge(name: str, text: str, *labels: str) -> Gauge:
    """A fact about the database, which is the same for all processes: who looked last is right."""
    return Gauge(name, text, labels, registry=REGISTRY, multiprocess_mode="mostrecent")


METERS: dict[str, Counter | Gauge] = {
    "refused": Counter("gateway_refused", "Proposals refused by the rules of the trade", ["reason", "door"], registry=REGISTRY),
    "letters_queued": Counter("gateway_letters_queued", "Letters written into the outbox", ["kind"], registry=REGISTRY),
    "letters_sent": Counter("gateway_letters_sent", "Letters a mail server has taken", ["kind"], registry=REGISTRY),
    "letters_failed": Counter("gateway_letters_failed", "Attempts to send that failed", ["kind", "final"], registry=REGISTRY),
    "logins_failed": Counter("gateway_logins_failed", "Credentials that fitted nobody", ["door"], registry=REGISTRY),
    "guesses_refused": Counter(
        "gateway_guesses_refused", "Credentials not looked at after too many wrong ones", ["door"], registry=REGISTRY
    ),
    "pushes_sent": Counter("gateway_pushes_sent", "Devices told of changes", registry=REGISTRY),
    "pushes_failed": Counter("gateway_pushes_failed", "Attempts to tell a device that failed", ["final"], registry=REGISTRY),
    "reader_failed": Counter("gateway_reader_failed", "Rounds of a reader that ended in an error", ["reader"], registry=REGISTRY),
    "imports": Counter("gateway_imports", "Looks at external calendars", ["outcome"], registry=REGISTRY),
    "busy_imports": Counter(
        "gateway_busy_imports", "Looks at when other calendars of an account are busy", ["provider", "outcome"], registry=REGISTRY
    ),
    "mirror_turns": Counter("gateway_mirror_turns", "Turns of accounts elsewhere", ["outcome"], registry=REGISTRY),
    "mirror_calls": Counter("gateway_mirror_calls", "Requests to providers of calendars", ["provider", "kind"], registry=REGISTRY),
    "mirror_guards": Counter("gateway_mirror_guards", "Brakes that were pulled", ["guard"], registry=REGISTRY),
    "mirror_pull_age_seconds": _gauge("gateway_mirror_pull_age_seconds", "Age of the oldest complete listing of a link that works"),
    "mirror_unsent_seconds": _gauge("gateway_mirror_unsent_seconds", "Age of the oldest change a calendar elsewhere does not show yet"),
    "mirror_overdue_seconds": _gauge("gateway_mirror_overdue_seconds", "How far behind its period the latest link is"),
    "mirror_dead_letters": _gauge("gateway_mirror_dead_letters", "Events that a provider refuses for good"),
    "mirror_links": _gauge("gateway_mirror_links", "Links between calendars", "standing"),
    "mirror_accounts": _gauge("gateway_mirror_accounts", "Accounts elsewhere", "access"),
    "outbox_waiting": _gauge("gateway_outbox_waiting", "Letters in the outbox not yet sent"),
    "outbox_oldest_seconds": _gauge("gateway_outbox_oldest_seconds", "Age of the oldest letter not yet sent"),
    "reader_lag": _gauge("gateway_reader_lag", "Changes a reader has not looked at yet, all companies", "reader"),
}
"""Everything that is counted besides requests, by the name used inside. Labels never hold names of people or secrets."""


def count(name: str, amount: int = 1, /, **labels: str) -> None:
    """Add to a counter of METERS. KeyError, ValueError: no such counter, or other labels."""
    meter = METERS[name]
    (meter.labels(**labels) if labels else meter).inc(amount)


def gauge(name: str, value: float, /, **labels: str) -> None:
    """Set a gauge of METERS."""
    meter = METERS[name]
    if not isinstance(meter, Gauge):
        raise ValueError(f"{name} counts; it cannot be set")
    (meter.labels(**labels) if labels else meter).set(value)


def request_done(route: str, method: str, status: int, seconds: float) -> None:
    """One request was answered. `route` is the pattern of the address, never the address: it may carry a secret."""
    requests, durations = _meters_of(route, method if method in _METHODS else "other", status)
    requests.inc()
    durations.observe(seconds)


@lru_cache(maxsize=4096)
def _meters_of(route: str, method: str, status: int) -> tuple[Counter, Histogram]:
    return _REQUESTS.labels(route, method, str(status)), _SECONDS.labels(route)


def metrics_text() -> str:
    """Everything counted since the start, in Prometheus' text format 0.0.4; of all processes that count together, whichever is
    asked, and then without CPU and memory, which are facts about a single one."""
    if COUNTING_TOGETHER not in os.environ:
        return generate_latest(REGISTRY).decode()
    together = CollectorRegistry()
    MultiProcessCollector(together)  # type: ignore[no-untyped-call]  # the library's own
    return generate_latest(together).decode()
