"""Logging in with an app password."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from radicale.auth import AuthContext, BaseAuth
from radicale.config import Configuration

from gateway.store import Login, Store
from plugins.guesses import Guesses
from plugins.opening import SCHEMA, store_from
from plugins.rights import READ_ONLY


def _clock() -> datetime:
    return datetime.now(UTC)


class Visit(set[str]):
    """The groups Radicale carries from log-in to answer, and with them who it is: no second look at the database is needed."""

    login: Login

    def __init__(self, login: Login) -> None:
        super().__init__({READ_ONLY} if login.read_only else set())
        self.login = login


class Auth(BaseAuth):
    """Staff handle or e-mail address, and an app password. The name Radicale goes on with is the handle.

    Nothing is cached: a digest of a long random password is cheap to check, and a revoked one ends with the next request.
    Only the database is asked; X-Remote-User and its kin mean nothing here.
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
        self.guesses = guesses or Guesses(clock)

    def _login_ext_with_groups(self, login: str, password: str, context: AuthContext) -> tuple[str, set[str]]:
        known = self._store.login_by_app_password(login, password, self._clock())
        if known is None or known.staff is None:
            self.guesses.wrong(login, context.remote_addr or "")
            return "", set()
        return known.handle, Visit(known)

    def _sleep_for_constant_exec_time(self, time_ns_begin: int) -> None:
        """No sleeping: the store does the same work for known and unknown names, and a sleeping thread serves nobody."""
