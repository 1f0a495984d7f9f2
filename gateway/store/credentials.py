"""App passwords and API keys: who somebody is, what the command line lists, making and revoking them, and when they were last used."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from sqlalchemy import text

from gateway.errors import GatewayError
from gateway.model import CompanyId, StaffId
from gateway.store.codec import instant, maybe_instant, micros
from gateway.store.engine import Database, Line
from gateway.store.people import People
from gateway.store.reading import Reading, Trace
from gateway.store.values import ApiKey, AppPassword, Login
from gateway.store.writing import Writing

MINUTE = 60_000_000  # microseconds

Use = tuple[str, str, str]
"""Which table, company and id."""

BY_TOKEN = "token"  # noqa: S105  a name, no secret
"""Stands for the credential of whoever shows an issuer's token: none of ours."""

Secret = Literal["app_password", "api_key", "feed"]

FRESH = timedelta(seconds=2)
"""How old the list of what is in force may become: so long a new secret may be taken for a wrong guess, while its owner is throttled."""

# Asked by the digest of the password, not by the name: the same work whether there is somebody of that name or not.
_BY_PASSWORD = text("""
    SELECT p.company, p.id, p.digest, p.read_only, p.calendar, p.last_used, s.id AS staff, s.handle, s.email
    FROM app_password p JOIN staff s ON s.company = p.company AND s.id = p.staff
    WHERE p.digest = :digest AND p.revoked IS NULL AND s.active = 1
""")
_BY_ADDRESS = text("""
    SELECT company, id AS staff, handle, email FROM staff WHERE lower(email) = lower(:address) AND active = 1 ORDER BY company, id
""")
_BY_KEY = text("SELECT company, id, read_only, last_used FROM api_key WHERE digest = :digest AND revoked IS NULL")
_APP_PASSWORDS = text("""
    SELECT id, label, created, last_used, revoked, read_only, calendar, last_client, last_network FROM app_password
    WHERE company = :company AND staff = :staff ORDER BY created, id
""")
_GOOD_APP_PASSWORDS = text("""
    SELECT staff, id, label, created, last_used, revoked, read_only, calendar, last_client, last_network FROM app_password
    WHERE company = :company AND revoked IS NULL ORDER BY staff, created, id
""")
_API_KEYS = text("SELECT id, label, created, last_used, revoked, read_only FROM api_key WHERE company = :company ORDER BY created, id")
_ADD_APP_PASSWORD = text("""
    INSERT INTO app_password (company, id, staff, label, digest, read_only, calendar, created)
    VALUES (:company, :id, :staff, :label, :digest, :read_only, :calendar, :now)
""")
_ADD_API_KEY = text("""
    INSERT INTO api_key (company, id, label, digest, read_only, created) VALUES (:company, :id, :label, :digest, 0, :now)
""")
_REVOKE_APP_PASSWORD = text("UPDATE app_password SET revoked = :now WHERE company = :company AND id = :id AND revoked IS NULL")
_REVOKE_API_KEY = text("UPDATE api_key SET revoked = :now WHERE company = :company AND id = :id AND revoked IS NULL")
_USED = {
    "app_password": text("""
        UPDATE app_password SET last_used = :at, last_client = :client, last_network = :network
        WHERE company = :company AND id = :id AND (last_used IS NULL OR last_used < :at)
    """),
    "api_key": text("UPDATE api_key SET last_used = :at WHERE company = :company AND id = :id AND (last_used IS NULL OR last_used < :at)"),
}
_IN_FORCE = {
    "app_password": text("SELECT substr(digest, 1, 8) FROM app_password WHERE revoked IS NULL"),
    "api_key": text("SELECT substr(digest, 1, 8) FROM api_key WHERE revoked IS NULL"),
    "feed": text("SELECT substr(digest, 1, 8) FROM feed"),  # of revoked ones it is said that they are
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
        self.kept: dict[Use, Trace] = {}

    def note(self, use: Use, now: datetime, last: int | None, client: str = "", network: str = "") -> None:
        """`last` is what is written down."""
        at, kept = micros(now), self.kept.get(use)
        known = max(last or 0, kept.at if kept is not None else 0)
        if at - known < MINUTE:
            return
        with self._lock:
            self.kept[use] = Trace(at, client, network)
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
                for (table, company, credential), trace in sorted(kept.items()):
                    facts: dict[str, Any] = {"company": company, "id": credential, "at": trace.at}
                    if table == "app_password":
                        facts |= {"client": trace.client, "network": trace.network}
                    connection.execute(_USED[table], facts)
                connection.commit()
        except GatewayError:  # somebody is writing, or the database is away: a use more or less
            return
        with self._lock:
            for use, trace in kept.items():
                if self.kept.get(use) == trace:
                    del self.kept[use]


class _List(NamedTuple):
    read: datetime
    until: datetime  # when it is to be read again
    marks: frozenset[bytes]


class Marks:
    """What secrets in force look like, as far as their first eight octets: enough to tell a wrong guess by, and no more.

    For whoever has guessed too often: what cannot be right is not looked up any more, and what may be right still is. Whoever
    guesses whatever, the list is read at most every two seconds, and for a twentieth of the time; a hundred thousand take 10 MB.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._lists: dict[Secret, _List] = {}

    def fit(self, kind: Secret, secret: str, now: datetime) -> bool:
        """Whether it may be a secret that is in force. False is certain, but for one made since the list was read."""
        held = self._lists.get(kind)
        if held is None:
            with self._lock:
                held = self._lists.get(kind) or self._read(kind, now)
        elif not held.read <= now < held.until and self._lock.acquire(blocking=False):  # a clock may be set back
            try:  # meanwhile the others go by the old one
                held = self._read(kind, now)
            finally:
                self._lock.release()
        return digest(secret)[:8] in held.marks

    def _read(self, kind: Secret, now: datetime) -> _List:
        began = time.perf_counter()
        marks = frozenset(bytes(mark) for (mark,) in self._database.ask(_IN_FORCE[kind]))
        taken = timedelta(seconds=time.perf_counter() - began)
        made = self._lists[kind] = _List(now, now + max(FRESH, 20 * taken), marks)
        return made


def by_app_password(
    database: Database, uses: Uses, login: str, password: str, now: datetime, *, client: str = "", network: str = ""
) -> Login | None:
    """`login` is a staff handle or e-mail address, in any case."""
    proof, name = digest(password), login.casefold()
    found = sorted(database.ask(_BY_PASSWORD, digest=proof))  # one, as good as always: the database would make ready to sort
    for company, key, kept, read_only, calendar, last_used, staff, handle, email in found:
        if hmac.compare_digest(kept, proof) and name in (handle.casefold(), email.casefold()):
            uses.note(("app_password", company, key), now, last_used, client, network)
            return Login(
                company=CompanyId(company),
                staff=StaffId(staff),
                handle=handle,
                credential=key,
                read_only=bool(read_only),
                calendar=calendar,
            )
    return None


def by_address(database: Database, address: str) -> Login | None:
    """The one active staff member with that e-mail address, in any case; None also where several have it, here or elsewhere."""
    wanted = address.casefold()
    found = [row for row in database.ask(_BY_ADDRESS, address=address) if row.email.casefold() == wanted]
    if len(found) != 1:
        return None
    [row] = found
    return Login(company=CompanyId(row.company), staff=StaffId(row.staff), handle=row.handle, credential=BY_TOKEN)


def by_api_key(database: Database, uses: Uses, key: str, now: datetime) -> Login | None:
    for row in database.ask(_BY_KEY, digest=digest(key)):
        uses.note(("api_key", row.company, row.id), now, row.last_used)
        return Login(company=CompanyId(row.company), staff=None, handle="", credential=row.id, read_only=bool(row.read_only))
    return None


class Access(Reading):
    """Credentials as the command line lists them: revoked ones too, oldest first."""

    def app_passwords(self, staff: StaffId) -> Sequence[AppPassword]:
        return [self._app_password(row) for row in self._all(_APP_PASSWORDS, staff=staff)]

    def good_app_passwords(self) -> Mapping[StaffId, Sequence[AppPassword]]:
        """Everybody's that open something."""
        found: dict[StaffId, list[AppPassword]] = {}
        for row in self._all(_GOOD_APP_PASSWORDS):
            found.setdefault(StaffId(row.staff), []).append(self._app_password(row))
        return found

    def api_keys(self) -> Sequence[ApiKey]:
        return [ApiKey(**self._facts("api_key", row)) for row in self._all(_API_KEYS)]

    def _app_password(self, row: Line) -> AppPassword:
        lately = self._uses.get(("app_password", self.company.id, row.id))
        newer = lately if lately is not None and lately.at > (row.last_used or 0) else None
        return AppPassword(
            **self._facts("app_password", row),
            calendar=row.calendar,
            last_client=newer.client if newer is not None else row.last_client or "",
            last_network=newer.network if newer is not None else row.last_network or "",
        )

    def _facts(self, table: str, row: Line) -> Mapping[str, Any]:
        """What both have in common."""
        lately = self._uses.get((table, self.company.id, row.id))
        return {
            "id": row.id,
            "label": row.label,
            "created": instant(row.created),
            "last_used": maybe_instant(row.last_used if lately is None else max(lately.at, row.last_used or 0)),
            "revoked": maybe_instant(row.revoked),
            "read_only": bool(row.read_only),
        }


class Granting(Writing, People):
    """Making and revoking; only digests are stored. Revoked is revoked: from the next request on, for good, and the first time counts."""

    def add_app_password(
        self, staff: StaffId, label: str, password: str, now: datetime, *, read_only: bool = False, calendar: str | None = None
    ) -> str:
        """Its id. `calendar` is the slug of the one calendar it opens. Raises Missing for nobody."""
        self.staff(staff)
        new = fresh_id()
        self._run(
            _ADD_APP_PASSWORD,
            id=new,
            staff=staff,
            label=label,
            digest=digest(password),
            read_only=int(read_only),
            calendar=calendar,
            now=micros(now),
        )
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
