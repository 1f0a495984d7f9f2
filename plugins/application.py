"""Radicale's application with the methods that a plugin cannot reach, answered from the store.

Radicale keeps what it does well: dispatch, log-in, the place of rights and storage. Every method that reads or writes is ours,
because its own answers cannot be made right from a plugin (PUT re-serialises, REPORT parses everything, errors have no DAV body).
"""

# ruff: noqa: N815  Radicale finds a method by the name of the HTTP method

from __future__ import annotations

import binascii
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

import radicale.log
from radicale import config, httputils
from radicale.app import Application as StockApplication
from radicale.types import WSGIEnviron, WSGIResponse, WSGIStartResponse

from gateway import observe
from gateway.errors import Missing
from gateway.guesses import Guesses
from gateway.store import Login, Store
from gateway.tokens import Tokens
from plugins import (
    erase,
    get,
    making,
    privileges,
    propfind,
    proppatch,
    proxies,
    publishing,
    put,
    relocate,
    report,
    scheduling,
    subscribing,
)
from plugins.auth import KNOWN, SHOWN, Auth, Visit, bearer_token, login_by_token, refused
from plugins.failures import Denied, answer_to, expected
from plugins.features import CLASSES, Kind, allowed, kind_of
from plugins.multistatus import href
from plugins.place import Place, place_of
from plugins.prefer import preferences
from plugins.publishing import Press
from plugins.push import CLASS, Push
from plugins.request import BRIEF, Answer, Lengthy, Limits, Request
from plugins.rights import Rights, check_scope
from plugins.storage import Storage

REALM = "Calendar gateway"
SMALL = 8192  # octets below which an answer is not worth compressing

PATH = "gateway.path"
"""Where the WSGI environment keeps the path of a request. Radicale is told of the root instead: it would clean the path, and look at
every letter of it, each in a way of its own, and the front door's gate has done both (plugins.place reads what comes out)."""

_OF_PRINCIPALS = ("PROPFIND", "REPORT")
"""The methods that a colleague's principal answers."""

Work = Callable[[Store, Request], Answer]
Told = tuple[str, list[tuple[str, str]], list[bytes]]  # status, headers and body, as Radicale's dispatch hands them on


def _nothing_to_post(store: Store, request: Request) -> Answer:
    """Radicale has pages and sharing there; neither is for our users."""
    raise Denied(405, "There is nothing here to post to.", headers={"Allow": allowed(kind_of(request.place, request.login.handle))})


_POSTED = {
    Kind.APPOINTMENTS: publishing.beside(subscribing.register),
    Kind.PERSONAL: subscribing.register,
    Kind.VIEW: subscribing.register,
    Kind.OUTBOX: scheduling.answer,
}


def _by(work: Work, of: Mapping[Kind, Work] | None = None) -> Any:  # a method; mypy takes an attribute that is a function for another
    """A method of Radicale's dispatch that is answered by a function of ours: for some kinds of resources by one of their own."""

    def chosen(store: Store, request: Request) -> Answer:
        return ((of or {}).get(kind_of(request.place, request.handle)) or work)(store, request)

    def do(
        self: Application,
        environ: WSGIEnviron,
        base_prefix: str,
        path: str,
        user: str,
        user_groups: set[str],
        request_info: dict[str, Any],
    ) -> WSGIResponse:
        return self._serve(chosen, environ, user_groups)

    return do


def _options(
    self: Application, environ: WSGIEnviron, base_prefix: str, path: str, user: str, user_groups: set[str], request_info: dict[str, Any]
) -> WSGIResponse:
    """The truth, also without credentials: Thunderbird asks the parent of a calendar that way and gives up on anything but 2xx."""
    parts = [part for part in environ[PATH].split("/") if part]
    root = environ.get("gateway.href") == "/"  # of the whole site: the pages begin there, and clients that look around
    allow = "OPTIONS, GET, HEAD, PROPFIND" if root else allowed(kind_of(Place(*parts[:3])))
    return 200, {"Allow": allow, "DAV": ", ".join(self.classes), "Content-Length": "0"}, None, None


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
        push: Push | None,
        press: Press | None,
        tokens: Tokens | None,
    ) -> None:
        super().__init__(configuration)
        self._store = store
        self._clock = clock
        self._limits = limits
        self._prefix = prefix
        self._guesses = guesses
        self._push = push
        self._press = press
        self._tokens = tokens

    @property
    def classes(self) -> tuple[str, ...]:
        """What the DAV header says."""
        return CLASSES if self._push is None else (*CLASSES, CLASS)

    def __call__(self, environ: WSGIEnviron, start_response: WSGIStartResponse) -> Iterable[bytes]:
        """As PEP 3333 has it. What goes wrong around our answers, in Radicale's own dispatch, is noted where everything is."""
        try:
            status, headers, answers = self._handle_request(environ)
        except Exception as problem:  # the outermost door
            observe.log("dav_failed", error=problem, method=environ["REQUEST_METHOD"])
            status, headers, answers = _failed()
        start_response(status, headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else answers

    def _handle_request(self, environ: WSGIEnviron) -> Any:  # radicale keeps its type private
        """Radicale's own, given a well-formed log-in; whoever has guessed too often is told to wait, and nothing is looked up."""
        assert isinstance(environ, dict)  # noqa: S101  as PEP 3333 has it, ours to change
        environ.setdefault("SCRIPT_NAME", self._prefix)
        environ[PATH] = path = environ.get("PATH_INFO", "")
        if "/.well-known" not in path:  # which it answers by itself
            environ["PATH_INFO"] = "/"
        if self._tokens is not None and (token := bearer_token(environ)):
            return self._handle_token(environ, self._tokens, token)
        if (shown := _credentials(environ)) is not None:
            wait = refused(self._guesses, self._store, *shown, environ.get("REMOTE_ADDR", ""), self._clock())
            if wait is not None:
                return _told_to_wait(wait)
            environ[SHOWN] = shown
        return super()._handle_request(environ)

    def _handle_token(self, environ: dict[str, Any], tokens: Tokens, token: str) -> Any:  # as above
        shown = login_by_token(tokens, self._store, self._guesses, token, environ.get("REMOTE_ADDR", ""), self._clock())
        if isinstance(shown, int):
            return _told_to_wait(shown)
        if shown is None:
            challenge = f'Bearer realm="{REALM}", error="invalid_token"'  # RFC 6750 §3
            return "401 Unauthorized", [("WWW-Authenticate", challenge), ("Content-Length", "0")], []
        return super()._handle_request({**environ, KNOWN: shown})

    do_OPTIONS = _options
    do_PROPFIND = _by(propfind.answer)
    do_PROPPATCH = _by(proppatch.answer)
    do_REPORT = _by(report.answer)
    do_GET = _by(get.answer)
    do_HEAD = _by(get.answer)
    do_PUT = _by(put.answer)
    do_DELETE = _by(erase.answer, {Kind.REGISTRATION: subscribing.unregister})
    do_MOVE = _by(relocate.answer)
    do_COPY = _by(relocate.answer)
    do_MKCALENDAR = _by(making.answer)
    do_MKCOL = _by(making.answer)
    do_ACL = _by(privileges.answer)
    do_POST = _by(_nothing_to_post, _POSTED)

    def _serve(self, work: Work, environ: WSGIEnviron, user_groups: set[str]) -> WSGIResponse:
        """The one way from Radicale's dispatch into our rooms, and back: errors become answers here."""
        if not isinstance(user_groups, Visit):
            return httputils.NOT_ALLOWED  # which Radicale turns into 401 for somebody unknown
        assert isinstance(environ, dict)  # noqa: S101  the one that `_handle_request` made
        path = environ[PATH]
        at = href(environ.get("gateway.href") or self._prefix + path)
        try:
            request = self._request(environ, path, at, user_groups.login)
            answer = work(self._store.narrowed(user_groups.login, request.delegation), request)
        except Lengthy:
            environ[BRIEF] = False
            return httputils.REQUEST_TIMEOUT  # which nobody sees: the request comes again
        except Exception as problem:  # the door: answered by the table of failures, and noted when nobody foresaw it
            if not expected(problem):
                observe.log("dav_failed", error=problem, company=user_groups.login.company, method=environ["REQUEST_METHOD"], path=path)
            answer = answer_to(problem, at)
        if len(answer.body or b"") < SMALL or "ETag" in answer.headers:
            environ.pop("HTTP_ACCEPT_ENCODING", None)  # a strong ETag names these octets and no compressed ones
        return answer.status, dict(answer.headers), answer.body, None

    def _request(self, environ: WSGIEnviron, path: str, at: str, login: Login) -> Request:
        """Raises Missing for what is in other people's homes just as for homes that do not exist, Denied for what the password may
        not do. Of a principal that is not one's own it is found out later whether it is a colleague's."""
        place, method = place_of(path), environ["REQUEST_METHOD"]
        delegation = proxies.opened(self._store, login, place, method)
        if delegation is None and place.handle not in (None, login.handle) and (place.slug is not None or method not in _OF_PRINCIPALS):
            raise Missing("There is nothing at this address.")
        check_scope(login, place, method)
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
            prefer=preferences(environ.get("HTTP_PREFER", ""), environ.get("HTTP_BRIEF", "")),
            push=self._push,
            press=self._press,
            delegation=delegation,
            brief=environ.get(BRIEF, False),
        )


def _told_to_wait(seconds: int) -> Told:
    return _told(
        "429 Too Many Requests", f"Too many wrong passwords; please try again in {seconds} seconds.", ("Retry-After", str(seconds))
    )


def _failed() -> Told:
    return _told("500 Internal Server Error", "Something went wrong here. It has been noted; please try again later.")


def _told(status: str, sentence: str, *more: tuple[str, str]) -> Told:
    body = f"{sentence}\n".encode()
    return status, [*more, ("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))], [body]


def _unheard(*_: object, **__: object) -> None:
    pass


def _credentials(environ: dict[str, Any]) -> tuple[str, str] | None:
    """Account and password as a request shows them, taken out of it; None when it shows none, or what cannot be read.

    Radicale would answer 500 to a missing colon or bad base64, mind the case of "Basic", and read the password in the charset of the
    body (radicale.md §1): it sees nobody's.
    """
    scheme, _, rest = environ.pop("HTTP_AUTHORIZATION", "").strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        account, colon, password = binascii.a2b_base64(rest.strip(), strict_mode=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return (account, password) if account and colon and account.isprintable() and password.isprintable() else None


def build(
    store: Store,
    *,
    base_prefix: str = "/dav",
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    limits: Limits | None = None,
    guesses: Guesses | None = None,
    push: Push | None = None,
    press: Press | None = None,
    tokens: Tokens | None = None,
) -> Application:
    """The whole CalDAV side as one WSGI application on an open store, for gateway.app. Opens and closes nothing.

    Without `push` devices cannot register to be told of changes; without `press` calendars cannot be published; without `tokens`
    app passwords are all that opens calendars.
    """
    guesses = guesses or Guesses()
    configuration = config.load()
    configuration.update(
        {
            "auth": {"type": partial(Auth, store=store, clock=clock, guesses=guesses), "realm": REALM, "delay": 0},
            "rights": {"type": Rights, "permit_delete_collection": False, "permit_overwrite_collection": False},
            "storage": {"type": partial(Storage, store=store, clock=clock)},
            "web": {"type": "none"},
            "server": {"delay_on_error": 0, "validate_path_value": "none", "validate_user_value": "strict"},
        },
        "the gateway",
        privileged=True,
    )
    # The front door writes one line per request, without names and secrets. Radicale says a dozen things about each, and would ask as
    # often whether anybody listens. (Not by radicale.log.set_level: it logs that, as critical.)
    radicale.log.logger.setLevel("CRITICAL")
    for quiet in ("trace", "debug", "info", "notice", "warning", "error"):
        setattr(radicale.log.logger, quiet, _unheard)
    return Application(
        configuration,
        store=store,
        clock=clock,
        limits=limits or Limits(),
        prefix=base_prefix,
        guesses=guesses,
        push=push,
        press=press,
        tokens=tokens,
    )
