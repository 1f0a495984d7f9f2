"""Dresses litmus' plain files and folders as calendar objects and calendars, so that it can speak with a calendar-only server.

litmus begins with MKCOL and PUTs lines of text. A calendar server has to refuse both (RFC 4791 §4.2, §5.3.2.1), and nothing would be
measured. This stands between the two on loopback, changes four things, and nothing else: MKCOL without a body asks for a calendar;
folders lie beside each other, because calendars do not nest; a file that is PUT travels inside an event, and comes out of it again
with GET; with `as_calendars` a file is a calendar instead, because those are what keeps properties here.
"""

from __future__ import annotations

import base64
import http.client
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

INSIDE = re.compile(r"(?P<home>/dav/[^/]+/)litmus/(?P<name>[^/]+)(?P<rest>/.*)?$")
HIDDEN = re.compile(rb"^X-LITMUS:([^\r]*)\r\n", re.MULTILINE)
CALENDAR = (
    b'<D:mkcol xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:set><D:prop>'
    b"<D:resourcetype><D:collection/><C:calendar/></D:resourcetype></D:prop></D:set></D:mkcol>"
)
NOT_PASSED_ON = {"connection", "keep-alive", "transfer-encoding", "content-length", "expect", "te", "host"}


@dataclass(frozen=True, slots=True)
class Sent:
    """A request; `path` and `headers` as the server shall see them."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Costume:
    """What is done to the requests of one run."""

    netloc: str
    as_calendars: bool

    def dressed(self, sent: Sent) -> Sent:
        """As a calendar server takes it."""
        plain = sent.method == "MKCOL" and not sent.body
        bare = sent.path.rstrip("/")
        over_a_file = plain and not self.as_calendars and self.ask(Sent("GET", bare, _login(sent)))[0] == 200
        there = replace(sent, path=sent.path if over_a_file else self.there(sent.path), headers=self._destined(sent.headers))
        if plain or (sent.method == "PUT" and self.as_calendars):
            return replace(there, method="MKCOL", headers={**there.headers, "Content-Type": "application/xml"}, body=CALENDAR)
        if sent.method == "PUT":
            body = _wrapped(sent.body, self._uid(there))
            return replace(there, headers={**there.headers, "Content-Type": "text/calendar"}, body=body)
        return there

    def undressed(self, method: str, status: int, content: bytes) -> bytes:
        """As litmus expects it."""
        hidden = HIDDEN.search(content) if method == "GET" and status == 200 else None
        return base64.b64decode(hidden[1]) if hidden else re.sub(rb"/litmus-([^/<]+)/?(?=<)", rb"/litmus/\1", content)

    def there(self, path: str) -> str:
        """Where it lies on the server."""
        found = INSIDE.search(path)
        if found is None or (found["rest"] is None and not self.as_calendars):
            return path
        return f"{found['home']}litmus-{found['name']}{found['rest'] or '/'}"

    def ask(self, sent: Sent) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(self.netloc, timeout=30)
        try:
            connection.request(sent.method, sent.path, sent.body or None, dict(sent.headers))
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    def _destined(self, headers: Mapping[str, str]) -> dict[str, str]:
        kept = {name: value for name, value in headers.items() if name.lower() not in NOT_PASSED_ON}
        if "Destination" in kept:
            kept["Destination"] = f"http://{self.netloc}{self.there(urlsplit(kept['Destination']).path)}"
        return kept

    def _uid(self, sent: Sent) -> str:
        """That of the object which is there already, for it may not change (RFC 4791 §5.3.2.1); otherwise one of the address."""
        status, _, text = self.ask(Sent("GET", sent.path, _login(sent)))
        known = re.search(rb"^UID:([^\r]*)", text, re.MULTILINE) if status == 200 else None
        return known[1].decode() if known else sha256(sent.path.encode()).hexdigest()[:24]


@contextmanager
def worn(url: str, *, as_calendars: bool) -> Iterator[str]:
    """The address that litmus is to be given in place of this one."""
    target = urlsplit(url)
    costume = Costume(target.netloc, as_calendars)

    class Passage(_Passage):
        wears = costume

    server = ThreadingHTTPServer(("127.0.0.1", 0), Passage)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}{target.path}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Passage(BaseHTTPRequestHandler):
    """One connection of litmus."""

    protocol_version = "HTTP/1.1"
    wears: Costume

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""

    def pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, headers, content = self.wears.ask(self.wears.dressed(Sent(self.command, self.path, dict(self.headers.items()), body)))
        content = self.wears.undressed(self.command, status, content)
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in NOT_PASSED_ON:
                self.send_header(name, value)
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(content)))
        with suppress(ConnectionError):  # litmus does not wait for every answer
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

    def __getattr__(self, name: str) -> object:
        """Every method there is."""
        if name.startswith("do_"):
            return self.pass_on
        raise AttributeError(name)


def _login(sent: Sent) -> Mapping[str, str]:
    return {name: value for name, value in sent.headers.items() if name == "Authorization"}


def _wrapped(body: bytes, uid: str) -> bytes:
    hidden = base64.b64encode(body).decode()
    lines = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//litmus//EN", "BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z")
    times = ("DTSTART:20260101T090000Z", "DTEND:20260101T100000Z", f"X-LITMUS:{hidden}", "END:VEVENT", "END:VCALENDAR", "")
    return "\r\n".join(lines + times).encode()
