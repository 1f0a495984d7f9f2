"""OData on events: $select, $expand, $filter, $orderby, $top and $skip, as far as Graph takes them for calendars."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC
from urllib.parse import urlencode

from gateway.fakes import times as clock
from gateway.fakes.microsoft import occurrences, rendering
from gateway.fakes.microsoft.problems import bad_query, problem
from gateway.fakes.microsoft.rendering import Taste
from gateway.fakes.microsoft.state import Mailbox, Row
from gateway.fakes.wire import Json, Request
from gateway.model import Span

USUAL, LARGEST = 10, 1000  # items of a page

_ANY = re.compile(
    r"singleValueExtendedProperties/any\(\s*(\w+)\s*:\s*\1/id eq '((?:[^']|'')*)'\s+and\s+\1/value eq '((?:[^']|'')*)'\s*\)", re.IGNORECASE
)
_COMPARE = re.compile(
    r"(subject|iCalUId|type|start/dateTime|end/dateTime|lastModifiedDateTime)\s+(eq|ne|ge|gt|le|lt)\s+'?((?:[^']|'')*?)'?", re.IGNORECASE
)
_EXTENDED = re.compile(r"singleValueExtendedProperties\s*\(\s*\$filter=(.*)\)", re.IGNORECASE)
_ID = re.compile(r"id eq '((?:[^']|'')*)'", re.IGNORECASE)
_MASTERS = ("cancelledOccurrences", "exceptionOccurrences", "singleValueExtendedProperties")
_SPECIAL = (*_MASTERS, "originalStart")
_ORDERS = ("start/dateTime", "end/dateTime", "subject", "createdDateTime", "lastModifiedDateTime")

Test = Callable[[Row], bool]


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """What is wanted of each event."""

    select: tuple[str, ...]
    extended: tuple[str, ...]  # ids of extended properties
    exceptions: bool


def options(request: Request) -> Options:
    """Raises Rejected with 400."""
    select = tuple(name.strip() for name in request.first("$select").split(",") if name.strip())
    extended: tuple[str, ...] = ()
    exceptions = False
    for part in _parts(request.first("$expand")):
        if found := _EXTENDED.fullmatch(part):
            extended = tuple(_unquoted(each) for each in _ID.findall(found[1]))
        elif part.lower().startswith("exceptionoccurrences"):
            exceptions = True
        elif part.lower().startswith("singlevalueextendedproperties"):
            raise bad_query("The $expand of extended properties needs a $filter by id.")
        else:
            raise bad_query(f"Parsing OData Select and Expand failed: could not find a property named '{part}'.")
    return Options(select=select, extended=extended, exceptions=exceptions)


def shown(mailbox: Mailbox, row: Row, liking: Taste, wanted: Options, *, single: bool = False) -> Json:
    """The event with what is selected and expanded; `single` when it was asked for by its id. Raises Rejected with 400."""
    every = rendering.event(mailbox, row, liking)
    unknown = set(wanted.select) - set(every) - set(_SPECIAL)
    if unknown:
        raise problem(
            400, "RequestBroker--ParseUri", f"Could not find a property named '{min(unknown)}' on type 'Microsoft.OutlookServices.Event'."
        )
    chosen = {name: value for name, value in every.items() if not wanted.select or name in (*wanted.select, "id", "@odata.etag")}
    if single and row.series and "cancelledOccurrences" in wanted.select:
        chosen["cancelledOccurrences"] = rendering.cancelled(row, liking)
    if single and row.series and wanted.exceptions:
        plain = Options(select=tuple(name for name in wanted.select if name not in _MASTERS), extended=(), exceptions=False)
        chosen["exceptionOccurrences"] = [shown(mailbox, each, liking, plain) for each in mailbox.exceptions(row.id)]
    if values := [{"id": name, "value": row.extended[name]} for name in wanted.extended if name in row.extended]:
        chosen["singleValueExtendedProperties"] = values
    return chosen


def listing(request: Request, mailbox: Mailbox, rows: Iterable[Row], *, place: str, size: int = 0, empty: bool = False) -> Json:
    """One page of events, with the link to the next. `size` is the most a page holds, 0 as asked. Raises Rejected with 400."""
    liking, wanted = rendering.taste(request), options(request)
    test = _filter(request.first("$filter"))
    found = _ordered([row for row in rows if test(row)], request.first("$orderby"))
    top, skip = _number(request, "$top", USUAL), _number(request, "$skip", 0)
    if not 1 <= top <= LARGEST:
        raise bad_query("Invalid value for $top.")
    top = min(each for each in (top if request.first("$top") else liking.size or top, size or LARGEST) if each)
    hollow = empty and skip == 0 and len(found) > top and not request.first("$hollow")
    part = [] if hollow else found[skip : skip + top]
    answer: Json = {
        "@odata.context": f"{request.base}/v1.0/$metadata#{place}",
        "value": [shown(mailbox, row, liking, wanted) for row in part],
    }
    if request.first("$count") == "true":
        answer["@odata.count"] = len(found)
    if hollow or skip + top < len(found):
        kept = [(name, value) for name, value in request.query if name not in ("$skip", "$hollow")]
        onward = [*kept, ("$skip", str(skip if hollow else skip + top)), *([("$hollow", "1")] if hollow else [])]
        answer["@odata.nextLink"] = f"{request.base}{request.path}?{urlencode(onward)}"
    return answer


def window(request: Request) -> Span:
    """startDateTime and endDateTime; without an offset they are UTC. Raises Rejected with 400."""
    low, high = (_moment(request, name) for name in ("startDateTime", "endDateTime"))
    if high.start < low.start:
        raise problem(400, "ErrorInvalidParameter", "The end of the time window lies before its start.")
    return Span(low.start, high.start)


def _moment(request: Request, name: str) -> Span:
    text = next((value for key, value in request.query if key.lower() == name.lower()), "")
    if not text:
        raise problem(
            400,
            "ErrorInvalidParameter",
            "This request requires a time window specified by the query string parameters StartDateTime and EndDateTime.",
        )
    read = clock.moment(text.replace(" ", "+")) or (clock.midnight(found) if (found := clock.day(text)) else None)
    if read is None:
        raise problem(400, "ErrorInvalidParameter", f"The value '{text}' of parameter '{name}' is invalid.")
    instant = read if read.tzinfo else read.replace(tzinfo=UTC)
    return Span(instant, instant)


def _filter(text: str) -> Test:
    """One or more conditions joined by "and"."""
    rest, tests = text.strip(), list[Test]()
    while rest:
        if found := _ANY.match(rest):
            name, value = _unquoted(found[2]), _unquoted(found[3])
            tests.append(lambda row, name=name, value=value: row.extended.get(name) == value)  # type: ignore[misc]
        elif found := re.compile(_COMPARE.pattern + r"(?=\s+and\s|\s*$)", re.IGNORECASE).match(rest):
            tests.append(_comparison(found[1], found[2].lower(), _unquoted(found[3])))
        else:
            raise problem(400, "ErrorInvalidUrlQueryFilter", "The query filter contains one or more invalid nodes.")
        rest = rest[found.end() :].strip()
        if rest:
            if not rest.lower().startswith("and "):
                raise problem(400, "ErrorInvalidUrlQueryFilter", "The query filter contains one or more invalid nodes.")
            rest = rest[4:].strip()
    return lambda row: all(test(row) for test in tests)


def _comparison(name: str, relation: str, value: str) -> Test:
    def compared(row: Row) -> bool:
        mine = _value(row, name)
        return {"eq": mine == value, "ne": mine != value, "ge": mine >= value, "gt": mine > value, "le": mine <= value, "lt": mine < value}[
            relation
        ]

    return compared


def _value(row: Row, name: str) -> str:
    match name.lower():
        case "subject":
            return str(row.body.get("subject") or "")
        case "icaluid":
            return row.uid
        case "type":
            return row.type
        case "start/datetime":
            return row.times.start.strftime("%Y-%m-%dT%H:%M:%S")
        case "end/datetime":
            return row.times.end.strftime("%Y-%m-%dT%H:%M:%S")
        case "createddatetime":
            return clock.stamp(row.created)
        case _:
            return clock.stamp(row.modified)


def _ordered(rows: list[Row], text: str) -> list[Row]:
    rows.sort(key=lambda row: row.id)
    for part in reversed([each.strip() for each in text.split(",") if each.strip()]):
        name, _, direction = part.partition(" ")
        if name not in _ORDERS or direction.strip() not in ("", "asc", "desc"):
            raise bad_query(f"The query order '{part}' is not supported.")
        rows.sort(key=lambda row, name=name: _value(row, name), reverse=direction.strip() == "desc")  # type: ignore[misc]
    return rows


def _number(request: Request, name: str, usual: int) -> int:
    text = request.first(name, str(usual))
    if not text.isdigit():
        raise bad_query(f"Invalid value for {name}.")
    return int(text)


def _parts(text: str) -> list[str]:
    """The items of an $expand; commas inside parentheses do not part them."""
    parts, depth, current = list[str](), 0, ""
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and not depth:
            parts.append(current.strip())
            current = ""
        else:
            current += letter
    return [each for each in (*parts, current.strip()) if each]


def _unquoted(text: str) -> str:
    return text.replace("''", "'")


def view(mailbox: Mailbox, folder: str, within: Span) -> list[Row]:
    """The calendar view: singles, occurrences and exceptions in the window; no series masters."""
    rows: list[Row] = []
    for row in mailbox.rows.values():
        if row.calendar != folder or row.master:
            continue
        if row.series:
            rows += occurrences.expand(mailbox, row, within)
        elif occurrences.meets(row, within):
            rows.append(row)
    return rows
