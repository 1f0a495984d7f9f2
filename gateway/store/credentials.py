"""App passwords and API keys: who somebody is, what the command line lists, making and revoking them, and when they were last used."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text

from gateway.errors import GatewayError
from gateway.model import CompanyId, StaffId
from gateway.store.codec import instant, maybe_instant, micros
from gateway.store.engine import Database, Line
from gateway.store.reading import Reading
from gateway.store.values import ApiKey, AppPassword, Login
from gateway.store.writing import Writing

MINUTE = 60_000_000  # microseconds

Use = tuple[str, str, str]
"""Which table, company and id."""

# Asked by the digest of the password, not by the name: the same work whether there is somebody of that name or not.
_BY_PASSWORD = text("""
    SELECT p.company, p.id, p.digest, p.read_only, p.last_used, s.id AS staff, s.handle, s.email
    FROM app_password p JOIN staff s ON s.company = p.company AND s.id = p.staff
    WHERE p.digest = :digest AND p.revoked IS NULL AND s.active = 1
    ORDER BY p.company, p.id
""")
_BY_KEY = text("SELECT company, id, read_only, last_used FROM api_key WHERE digest = :digest AND revoked IS NULL")
_APP_PASSWORDS = text("""
    SELECT id, label, created, last_used, revoked, read_only FROM app_password
    WHERE company = :company AND staff = :staff ORDER BY created, id
""")
_API_KEYS = text("SELECT id, label, created, last_used, revoked, read_only FROM api_key WHERE company = :company ORDER BY created, id")
_ADD_APP_PASSWORD = text("""
    INSERT INTO app_password (company, id, staff, label, digest, read_only, created)
    VALUES (:company, :id, :staff, :label, :digest, :read_only, :now)
""")
_ADD_API_KEY = text("""
    INSERT INTO api_key (company, id, label, digest, read_only, created) VALUES (:company, :id, :label, :digest, 0, :now)
""")
_REVOKE_APP_PASSWORD = text("UPDATE app_password SET revoked = :now WHERE company = :company AND id = :id AND revoked IS NULL")
_REVOKE_API_KEY = text("UPDATE api_key SET revoked = :now WHERE company = :company AND id = :id AND revoked IS NULL")
_USED = {
    "app_password": text("""
        UPDATE app_password SET last_used = :at WHERE company = :company AND id = :id AND (last_used IS NULL OR last_used < :at)
    """),
    "api_key": text("UPDATE api_key SET last_used = :at WHERE company = :company AND id = :id AND (last_used IS NULL OR last_used < :at)"),
}
_BEGIN = text("SELECT 1")


def fresh_id() -> str:
    """A new id: 128 random bits, URL-safe, in lower case, ordered by nothing."""
    return secrets.token_hex(16)


def digest(secret: str) -> bytes:
    """What is kept of a secret. Secrets are long and random, so that a quick digest is as good as a slow one."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


class Uses:
    """When credentials were last used, to the minute. Logging in must not become writing: uses are remembered here and written down
    together, in a small transaction of their own that nobody waits for, at most once a minute (and at once for a first use)."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._written_down: int | None = None
        self.kept: dict[Use, int] = {}

    def note(self, use: Use, now: datetime, last: int | None) -> None:
        """`last` is what is written down."""
        at = micros(now)
        known = max(last or 0, self.kept.get(use, 0))
        if at - known < MINUTE:
            return
        with self._lock:
            self.kept[use] = at
        if last is None or self._written_down is None or at - self._written_down >= MINUTE:
            self._written_down = at
            self.write_down()

    def write_down(self) -> None:
        """All that is remembered; whatever cannot be written now is tried again later."""
        with self._lock:
            kept = dict(self.kept)
        if not kept or self._database.in_writing:
            return
        try:
            with self._database.writing(_BEGIN, {}, patience=0) as (connection, _):
                for (table, company, credential), at in sorted(kept.items()):
                    connection.execute(_USED[table], {"company": company, "id": credential, "at": at})
                connection.commit()
        except GatewayError:  # somebody is writing, or the database is away: a use more or less
            return
        with self._lock:
            for use, at in kept.items():
                if self.kept.get(use) == at:
                    del self.kept[use]


def by_app_password(database: Database, uses: Uses, login: str, password: str, now: datetime) -> Login | None:
    """`login` is a staff handle or e-mail address, in any case."""
    proof, name = digest(password), login.casefold()
    for row in database.ask(_BY_PASSWORD, digest=proof):
        if hmac.compare_digest(row.digest, proof) and name in (row.handle.casefold(), row.email.casefold()):
            uses.note(("app_password", row.company, row.id), now, row.last_used)
            return Login(
                company=CompanyId(row.company),
                staff=StaffId(row.staff),
                handle=row.handle,
                credential=row.id,
                read_only=bool(row.read_only),
            )
    return None


def by_api_key(database: Database, uses: Uses, key: str, now: datetime) -> Login | None:
    for row in database.ask(_BY_KEY, digest=digest(key)):
        uses.note(("api_key", row.company, row.id), now, row.last_used)
        return Login(company=CompanyId(row.company), staff=None, handle="", credential=row.id, read_only=bool(row.read_only))
    return None


class Access(Reading):
    """Credentials as the command line lists them: revoked ones too, oldest first."""

    def app_passwords(self, staff: StaffId) -> Sequence[AppPassword]:
        return [AppPassword(**self._facts("app_password", row)) for row in self._all(_APP_PASSWORDS, staff=staff)]

    def api_keys(self) -> Sequence[ApiKey]:
        return [ApiKey(**self._facts("api_key", row)) for row in self._all(_API_KEYS)]

    def _facts(self, table: str, row: Line) -> Mapping[str, Any]:
        """What both have in common."""
        lately = self._uses.get((table, self.company.id, row.id))
        return {
            "id": row.id,
            "label": row.label,
            "created": instant(row.created),
            "last_used": maybe_instant(row.last_used if lately is None else max(lately, row.last_used or 0)),
            "revoked": maybe_instant(row.revoked),
            "read_only": bool(row.read_only),
        }


class Granting(Writing):
    """Making and revoking; only digests are stored. Revoked is revoked: from the next request on, for good, and the first time counts."""

    def add_app_password(self, staff: StaffId, label: str, password: str, now: datetime, *, read_only: bool = False) -> str:
        """Its id. Raises Conflict for nobody."""
        new = fresh_id()
        self._run(_ADD_APP_PASSWORD, id=new, staff=staff, label=label, digest=digest(password), read_only=int(read_only), now=micros(now))
        return new

    def revoke_app_password(self, id: str, now: datetime) -> None:
        self._run(_REVOKE_APP_PASSWORD, id=id, now=micros(now))

    def add_api_key(self, label: str, key: str, now: datetime) -> str:
        """Its id. Raises Conflict when the key is known already."""
        new = fresh_id()
        self._run(_ADD_API_KEY, id=new, label=label, digest=digest(key), now=micros(now))
        return new

    def revoke_api_key(self, id: str, now: datetime) -> None:
        self._run(_REVOKE_API_KEY, id=id, now=micros(now))
