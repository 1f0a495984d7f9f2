"""Logging in with an app password."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from radicale.auth import AuthContext, BaseAuth
from radicale.config import Configuration
from radicale.types import WSGIEnviron

from gateway import observe
from gateway.guesses import Guesses, network_of
from gateway.store import Login, Store
from gateway.tokens import Tokens, Untrusted
from plugins.opening import SCHEMA, store_from
from plugins.rights import ONLY, READ_ONLY

KNOWN = "gateway.login"
"""Where the WSGI environment says who has shown an access token."""

SHOWN = "gateway.credentials"
"""Where it says which account and password somebody shows, once they are known to be well-formed."""

CLIENT_CHARACTERS = 120
"""How much is kept of what a program calls itself."""


def _clock() -> datetime:
    return datetime.now(UTC)


@lru_cache(maxsize=1024)
def _client(agent: str) -> str:
    """What a program calls itself, as it is kept."""
    return "".join(filter(str.isprintable, agent))[:CLIENT_CHARACTERS]


class Visit(set[str]):
    """The groups Radicale carries from log-in to answer, and with them who it is: no second look at the database is needed."""

    login: Login

    def __init__(self, login: Login) -> None:
        super().__init__({READ_ONLY} if login.read_only else set())
        if login.calendar is not None:
            self.add(ONLY + login.calendar)
        self.login = login


class _Asking(threading.local):
    """What a thread's request says about who asks, and Radicale does not hand on."""

    client: str = ""
    known: Login | None = None  # already


class Auth(BaseAuth):
    """Staff handle or e-mail address, and an app password. The name Radicale goes on with is the handle.

    Nothing is cached: a digest of a long random password is cheap to check, and a revoked one ends with the next request.
    Only the database is asked; X-Remote-User and its kin mean nothing here.

    Radicale asks twice: first for who is known without a password (`get_external_login`, with the whole request at hand), then about
    account and password. Our own application has read both by then, so that its requests are decided by the first question; a
    stock Radicale's are by the second.
    """

    def __init__(
        self,
        configuration: Configuration,
        store: Store | None = None,
        clock: Callable[[], datetime] = _clock,
        guesses: Guesses | None = None,
    ) -> None:
        super().__init__(configuration.copy(SCHEMA["auth"]) if store is None else configuration)
        self._store = store if store is not None else store_from(self.configuration, "auth")
        self._clock = clock
        self._guesses = guesses or Guesses()
        self._asking = _Asking()

    def get_external_login(self, environ: WSGIEnviron) -> tuple[()] | tuple[str, str]:
        """The handle of whoever our own application has found credentials of; () for anybody else. Nobody is known by a header: what
        counts here has names that no header has."""
        asking, shown = self._asking, environ.get(SHOWN)
        asking.client = _client(environ.get("HTTP_USER_AGENT", "")[: 2 * CLIENT_CHARACTERS])
        if shown is None:
            known: Login | None = environ.get(KNOWN)
        else:
            account, password = shown
            known = self._found(account, password, environ.get("REMOTE_ADDR", ""), self._clock())
        asking.known = known
        return () if known is None else (known.handle, "")

    def _login_ext_with_groups(self, login: str, password: str, context: AuthContext) -> tuple[str, set[str]]:
        known = self._asking.known
        if known is None:
            now, address = self._clock(), context.remote_addr or ""
            if refused(self._guesses, self._store, login, password, address, now) is None:
                known = self._found(login, password, address, now)
        return ("", set()) if known is None else (known.handle, Visit(known))

    def _found(self, account: str, password: str, address: str, now: datetime) -> Login | None:
        """The staff member whose credentials these are; a wrong guess is counted."""
        network = network_of(address, v4=24, v6=48)
        known = self._store.login_by_app_password(account, password, now, client=self._asking.client, network=network)
        if known is None or known.staff is None:
            self._guesses.wrong("dav", account, address, now)
            return None
        return known

    def _sleep_for_constant_exec_time(self, time_ns_begin: int) -> None:
        """No sleeping: the store does the same work for known and unknown names, and a sleeping thread serves nobody."""


def refused(guesses: Guesses, store: Store, login: str, password: str, address: str, now: datetime) -> int | None:
    """Seconds to wait, for whoever has guessed too often and now sends what cannot be right; the database is not asked for it."""
    return guesses.refuse("dav", login, address, now, may_fit=lambda: store.may_fit("app_password", password, now))


def bearer_token(environ: dict[str, Any]) -> str:
    """The access token of a request, taken out of it; "" when it shows none."""
    scheme, _, token = str(environ.get("HTTP_AUTHORIZATION", "")).strip().partition(" ")
    if scheme.lower() != "bearer":
        return ""
    del environ["HTTP_AUTHORIZATION"]
    return token.strip()


def login_by_token(tokens: Tokens, store: Store, guesses: Guesses, token: str, address: str, now: datetime) -> Login | int | None:
    """Who shows the token; seconds to wait for who has shown too many bad ones; None for anything else. Good ones always pass."""
    try:
        found = store.login_by_address(tokens.address_in(token, now))
    except Untrusted as reason:
        seconds = guesses.refuse("dav", None, address, now, may_fit=lambda: False)
        if seconds is None:
            guesses.wrong("dav", None, address, now)
            observe.log("token_refused", reason=str(reason))
        return seconds
    if found is None:
        observe.log("token_refused", reason="nobody has the address in it, or several have")
    return found
