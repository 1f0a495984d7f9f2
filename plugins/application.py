"""Radicale's application with the methods that a plugin cannot reach, answered from the store.

Radicale keeps what it does well: dispatch, log-in, the place of rights and storage. Every method that reads or writes is ours,
because its own answers cannot be made right from a plugin (PUT re-serialises, REPORT parses everything, errors have no DAV body).
"""

# ruff: noqa: N815  Radicale finds a method by the name of the HTTP method

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import radicale.log
from radicale import config, httputils
from radicale.app import Application as StockApplication
from radicale.types import WSGIEnviron, WSGIResponse

from gateway import observe
from gateway.errors import Missing
from gateway.store import Login, Store
from plugins import erase, get, making, propfind, proppatch, put, relocate, report
from plugins.auth import Auth, Visit
from plugins.failures import Denied, answer_to, expected, read_only
from plugins.guesses import Guesses
from plugins.multistatus import href
from plugins.place import place_of
from plugins.request import Answer, Limits, Request
from plugins.rights import Rights
from plugins.storage import Storage

DAV = "1, 3, calendar-access, extended-mkcol"
"""No class 2: there are no locks. Stock Radicale announces it all the same."""

REALM = "Calendar gateway"
SMALL = 8192  # octets below which an answer is not worth compressing

_ALLOWED = (  # by how deep a path is: root and home, calendar, object; what it says holds whether or not there is something
    "OPTIONS, PROPFIND, REPORT",
    "OPTIONS, PROPFIND, PROPPATCH, REPORT",
    "OPTIONS, PROPFIND, PROPPATCH, REPORT, MKCALENDAR, MKCOL, DELETE",
    "OPTIONS, GET, HEAD, PUT, DELETE, MOVE, COPY, PROPFIND, PROPPATCH, REPORT",
)

_WRITING = frozenset({"PUT", "DELETE", "MOVE", "COPY", "PROPPATCH", "MKCALENDAR", "MKCOL"})

Work = Callable[[Store, Request], Answer]


def _nothing_to_post(store: Store, request: Request) -> Answer:
    """Radicale has pages and sharing there; neither is for our users."""
    raise Denied(405, "There is nothing here to post to.", headers={"Allow": _ALLOWED[3]})


def _by(work: Work) -> Any:  # a method; mypy takes an attribute that is a function for something else than the one it overrides
    """A method of Radicale's dispatch that is answered by a function of ours."""

    def do(
        self: Application,
        environ: WSGIEnviron,
        base_prefix: str,
        path: str,
        user: str,
        user_groups: set[str],
        request_info: dict[str, Any],
    ) -> WSGIResponse:
        return self._serve(work, environ, path, user_groups)

    return do


def _options(
    self: Application, environ: WSGIEnviron, base_prefix: str, path: str, user: str, user_groups: set[str], request_info: dict[str, Any]
) -> WSGIResponse:
    """The truth, also without credentials: Thunderbird asks the parent of a calendar that way and gives up on anything but 2xx."""
    allow = _ALLOWED[min(3, len([part for part in path.split("/") if part]))]
    return 200, {"Allow": allow, "DAV": DAV, "Content-Length": "0"}, None, None


class Application(StockApplication):
    """The WSGI application. Thread-safe, as its parts are."""

    def __init__(
        self,
        configuration: config.Configuration,
        *,
        store: Store,
        clock: Callable[[], datetime],
        limits: Limits,
        prefix: str,
        guesses: Guesses,
    ) -> None:
        super().__init__(configuration)
        self._store = store
        self._clock = clock
        self._limits = limits
        self._prefix = prefix
        self._guesses = guesses

    def _handle_request(self, environ: WSGIEnviron) -> Any:  # radicale keeps its type private
        """Radicale's own, given a well-formed log-in; whoever has guessed too often is told to wait."""
        own = {"SCRIPT_NAME": self._prefix, **environ}
        login = _only_sound_credentials(own)
        handled = super()._handle_request(own)
        if handled[0].startswith("401") and login:
            wait = self._guesses.wait(login, environ.get("REMOTE_ADDR", ""))
            if wait is not None:
                return "429 Too Many Requests", [("Retry-After", str(wait)), ("Content-Length", "0")], []
        return handled

    do_OPTIONS = _options
    do_PROPFIND = _by(propfind.answer)
    do_PROPPATCH = _by(proppatch.answer)
    do_REPORT = _by(report.answer)
    do_GET = _by(get.answer)
    do_HEAD = _by(get.answer)
    do_PUT = _by(put.answer)
    do_DELETE = _by(erase.answer)
    do_MOVE = _by(relocate.answer)
    do_COPY = _by(relocate.answer)
    do_MKCALENDAR = _by(making.answer)
    do_MKCOL = _by(making.answer)
    do_POST = _by(_nothing_to_post)

    def _serve(self, work: Work, environ: WSGIEnviron, path: str, user_groups: set[str]) -> WSGIResponse:
        """The one way from Radicale's dispatch into our rooms, and back: errors become answers here."""
        if not isinstance(user_groups, Visit):
            return httputils.NOT_ALLOWED  # which Radicale turns into 401 for somebody unknown
        assert isinstance(environ, dict)  # noqa: S101  the one that `_handle_request` made
        at = href(environ.get("gateway.href") or self._prefix + path)
        try:
            answer = work(self._store, self._request(environ, path, at, user_groups.login))
        except Exception as problem:  # the door: answered by the table of failures, and noted when nobody foresaw it
            if not expected(problem):
                observe.log("dav_failed", error=problem, company=user_groups.login.company, method=environ["REQUEST_METHOD"], path=path)
            answer = answer_to(problem, at.rpartition("/")[0])
        if len(answer.body or b"") < SMALL or "ETag" in answer.headers:
            environ.pop("HTTP_ACCEPT_ENCODING", None)  # a strong ETag names these octets and no compressed ones
        return answer.status, dict(answer.headers), answer.body, None

    def _request(self, environ: WSGIEnviron, path: str, at: str, login: Login) -> Request:
        """Raises Missing for other people's homes just as for homes that do not exist, Denied when the password may only read."""
        place, method = place_of(path), environ["REQUEST_METHOD"]
        if place.handle not in (None, login.handle):
            raise Missing("There is nothing at this address.")
        if login.read_only and method in _WRITING:
            raise read_only("This app password can only read.")
        length = int(environ.get("CONTENT_LENGTH") or 0)
        return Request(
            method=method,
            place=place,
            at=at,
            prefix=self._prefix,
            head=environ,
            body=environ["wsgi.input"].read(length) if length else b"",
            login=login,
            now=self._clock(),
            limits=self._limits,
        )


def _only_sound_credentials(environ: dict[str, Any]) -> str:
    """Put the log-in into the one form that Radicale reads without failing; answer the account it names, or "".

    Radicale answers 500 to a missing colon or bad base64, and minds the case of "Basic" (radicale.md §1).
    """
    scheme, _, rest = environ.pop("HTTP_AUTHORIZATION", "").strip().partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        account, colon, password = base64.b64decode(rest.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return ""
    if not (account and colon and account.isprintable() and password.isprintable()):
        return ""
    environ["HTTP_AUTHORIZATION"] = "Basic " + base64.b64encode(f"{account}:{password}".encode()).decode()
    environ["CONTENT_TYPE"] = environ.get("CONTENT_TYPE", "").split(";")[0]  # Radicale would read the password in the body's charset
    return account


def build(
    store: Store,
    *,
    base_prefix: str = "/dav",
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    limits: Limits | None = None,
) -> Application:
    """The whole CalDAV side as one WSGI application on an open store, for gateway.app. Opens and closes nothing."""
    guesses = Guesses(clock)
    configuration = config.load()
    configuration.update(
        {
            "auth": {"type": partial(Auth, store=store, clock=clock, guesses=guesses), "realm": REALM, "delay": 0},
            "rights": {"type": Rights, "permit_delete_collection": False, "permit_overwrite_collection": False},
            "storage": {"type": partial(Storage, store=store, clock=clock)},
            "web": {"type": "none"},
            "server": {"delay_on_error": 0, "validate_path_value": "none", "validate_user_value": "none"},
        },
        "the gateway",
        privileged=True,
    )
    # The front door writes one line per request, without names and secrets. Not by radicale.log.set_level: it logs that, as critical.
    radicale.log.logger.setLevel("CRITICAL")
    return Application(configuration, store=store, clock=clock, limits=limits or Limits(), prefix=base_prefix, guesses=guesses)
