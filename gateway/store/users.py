"""Who may sign in to the pages, which browsers have, and who was invited to connect a calendar (steps/0005_users)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import text

from gateway.errors import Conflict, Missing
from gateway.model import CompanyId, StaffId
from gateway.store.codec import instant, maybe_instant, micros
from gateway.store.credentials import digest
from gateway.store.engine import Database, Line
from gateway.store.reading import Reading
from gateway.store.writing import Writing
from gateway.users import Invitation, InvitationId, Role, Session, User, UserId

SEEN_EVERY = timedelta(minutes=5)
"""How exactly it is known when a session was seen last: looking at a page must not become writing."""

_USER = "u.id, u.role, u.name, u.email, u.locale, u.staff, u.active"
_ALIVE = "u.active = 1 AND (u.staff IS NULL OR s.active = 1)"
_STAFF = "LEFT JOIN staff s ON s.company = u.company AND s.id = u.staff"

_USERS = text(f"SELECT {_USER} FROM person u WHERE u.company = :company ORDER BY u.name, u.id")  # noqa: S608 columns
_ONE = text(f"SELECT {_USER} FROM person u WHERE u.company = :company AND u.id = :id")  # noqa: S608 columns
_OF_STAFF = text(f"SELECT {_USER} FROM person u WHERE u.company = :company AND u.staff = :staff")  # noqa: S608 columns
_BY_NAME = text(f"""
    SELECT {_USER}, u.company, u.secret FROM person u {_STAFF}
    WHERE {_ALIVE} AND u.email_key = :key
    UNION ALL
    SELECT {_USER}, u.company, u.secret FROM staff s JOIN person u ON u.company = s.company AND u.staff = s.id
    WHERE {_ALIVE} AND s.handle_key = :key AND u.email_key <> :key
    ORDER BY 8, 1
    LIMIT 5
""")  # noqa: S608 columns
_BY_SESSION = text(f"""
    SELECT {_USER}, u.company, c.begun, c.seen, c.until, c.agent, c.network
    FROM session c JOIN person u ON u.company = c.company AND u.id = c.person {_STAFF}
    WHERE c.digest = :digest AND c.until > :now AND {_ALIVE}
""")  # noqa: S608 columns
_BY_RESET = text(f"""
    SELECT {_USER}, u.company FROM reset r JOIN person u ON u.company = r.company AND u.id = r.person {_STAFF}
    WHERE r.digest = :digest AND r.until > :now AND {_ALIVE}
""")  # noqa: S608 columns
# What the mail servers said about the letter is what became of the invitation: nobody has to write it down twice.
_INVITATION = """id, staff, recipient, subject, sent, until, opened, connected, revoked, letter,
    (SELECT l.failed FROM letter l WHERE l.company = i.company AND l.key = i.letter) AS failed"""
_BY_INVITATION = text(f"SELECT {_INVITATION}, company FROM invitation i WHERE digest = :digest")  # noqa: S608 columns
_INVITATIONS = text(f"""
    SELECT {_INVITATION} FROM invitation i WHERE company = :company AND staff = :staff ORDER BY sent DESC, id
""")  # noqa: S608 columns
_LATEST = text(f"""
    SELECT {_INVITATION} FROM invitation i WHERE company = :company AND sent = (
        SELECT max(sent) FROM invitation WHERE company = i.company AND staff = i.staff
    ) ORDER BY id
""")  # noqa: S608 columns

_SAVE = text("""
    INSERT INTO person (company, id, role, name, email, email_key, locale, staff, active, secret)
    VALUES (:company, :id, :role, :name, :email, :key, :locale, :staff, :active, '')
    ON CONFLICT (company, id) DO UPDATE SET role = excluded.role, name = excluded.name, email = excluded.email,
        email_key = excluded.email_key, locale = excluded.locale, active = excluded.active
""")
_TAKEN = text("SELECT 1 FROM person WHERE company = :company AND email_key = :key AND id <> :id")
_SET_SECRET = text("UPDATE person SET secret = :secret, secret_since = :now WHERE company = :company AND id = :id")
_HAS_SECRET = text("SELECT secret FROM person WHERE company = :company AND id = :id AND secret <> ''")
_BEGIN = text("""
    INSERT INTO session (company, digest, person, begun, seen, until, agent, network)
    VALUES (:company, :digest, :user, :now, :now, :until, :agent, :network)
""")
_SEEN = text("UPDATE session SET seen = :now WHERE company = :company AND digest = :digest AND seen < :now")
_END = text("DELETE FROM session WHERE company = :company AND digest = :digest")
_END_OTHERS = text("DELETE FROM session WHERE company = :company AND person = :user AND digest <> :digest")
_SESSIONS = text(f"""
    SELECT {_USER}, c.begun, c.seen, c.until, c.agent, c.network, c.digest
    FROM session c JOIN person u ON u.company = c.company AND u.id = c.person
    WHERE c.company = :company AND c.person = :id AND c.until > :now ORDER BY c.begun DESC, c.digest
""")  # noqa: S608 columns
_END_OLD = text("DELETE FROM session WHERE company = :company AND until <= :now")
_RESET = text("INSERT INTO reset (company, digest, person, until) VALUES (:company, :digest, :user, :until)")
_USE_RESET = text("DELETE FROM reset WHERE company = :company AND digest = :digest AND until > :now")
_NO_RESETS = text("DELETE FROM reset WHERE company = :company AND (person = :user OR until <= :now)")
_INVITE = text("""
    INSERT INTO invitation (company, id, staff, digest, recipient, subject, letter, sent, until)
    VALUES (:company, :id, :staff, :digest, :recipient, :subject, :letter, :sent, :until)
""")
_REVOKE = text("""
    UPDATE invitation SET revoked = :now WHERE company = :company AND staff = :staff AND revoked IS NULL AND connected IS NULL
""")
_MARKS = {
    name: text(f"UPDATE invitation SET {name} = :now WHERE company = :company AND id = :id AND {name} IS NULL")  # noqa: S608 columns
    for name in ("opened", "connected")
}


class Users(Reading):
    """The company's users and invitations."""

    def users(self) -> Sequence[User]:
        """By name."""
        return [user_from(row) for row in self._all(_USERS)]

    def user(self, id: UserId) -> User:
        """Raises Missing."""
        return user_from(self._sure("There is no such user.", _ONE, id=id))

    def user_of(self, staff: StaffId) -> User | None:
        """The one by whom a staff member signs in."""
        row = self._one(_OF_STAFF, staff=staff)
        return user_from(row) if row is not None else None

    def has_password(self, id: UserId) -> bool:
        return self._one(_HAS_SECRET, id=id) is not None

    def sessions(self, id: UserId, token: str, now: datetime) -> Sequence[tuple[Session, bool]]:
        """The user's browsers, the latest first, and which of them has this token."""
        mine = digest(token)
        return [(_session_from(row), bytes(row.digest) == mine) for row in self._all(_SESSIONS, id=id, now=micros(now))]

    def invitations(self, staff: StaffId) -> Sequence[Invitation]:
        """The newest first."""
        return [_invitation_from(row) for row in self._all(_INVITATIONS, staff=staff)]

    def latest_invitations(self) -> dict[StaffId, Invitation]:
        """The newest of each staff member who has had one."""
        return {each.staff: each for each in map(_invitation_from, self._all(_LATEST))}


class Welcoming(Writing, Users):
    """No line of the log: what the calendars hold stays as it is."""

    def save_user(self, user: User) -> None:
        """A new user, without a password, or new facts about one. Raises Conflict when another one has the address."""
        key = _key(user.email)
        if self._one(_TAKEN, key=key, id=user.id) is not None:
            raise Conflict("Somebody else of this company signs in with this address.")
        self._run(
            _SAVE,
            id=user.id,
            role=user.role.value,
            name=user.name,
            email=user.email,
            key=key,
            locale=user.locale,
            staff=user.staff,
            active=int(user.active),
        )

    def set_password(self, user: UserId, hashed: str, now: datetime, *, stay: str = "") -> None:
        """From now on it is this one: links for a new one are void, and every session has ended but the one with the token `stay`."""
        if not self._run(_SET_SECRET, id=user, secret=hashed, now=micros(now)):
            raise Missing("There is no such user.")
        self._run(_NO_RESETS, user=user, now=micros(now))
        self._run(_END_OTHERS, user=user, digest=digest(stay))

    def begin_session(self, user: UserId, token: str, now: datetime, until: datetime, *, agent: str, network: str) -> None:
        """A browser has signed in; the token is what its cookie holds. Sessions that have run out are cleared away."""
        self._run(_END_OLD, now=micros(now))
        self._run(_BEGIN, digest=digest(token), user=user, now=micros(now), until=micros(until), agent=agent[:200], network=network[:64])

    def session_seen(self, token: str, now: datetime) -> None:
        self._run(_SEEN, digest=digest(token), now=micros(now))

    def end_session(self, token: str) -> bool:
        """Effective with the browser's next request; False when there was none."""
        return self._run(_END, digest=digest(token)) == 1

    def end_other_sessions(self, user: UserId, token: str) -> None:
        """All of the user's but this one."""
        self._run(_END_OTHERS, user=user, digest=digest(token))

    def begin_reset(self, user: UserId, token: str, now: datetime, until: datetime) -> None:
        """A link by which the password is set anew; former ones are void."""
        self._run(_NO_RESETS, user=user, now=micros(now))
        self._run(_RESET, digest=digest(token), user=user, until=micros(until))

    def use_reset(self, token: str, now: datetime) -> bool:
        """Whether the link was good; it is no longer."""
        return self._run(_USE_RESET, digest=digest(token), now=micros(now)) == 1

    def invite(self, invitation: Invitation, token: str) -> None:
        """Remember it; former invitations of the same staff member that led nowhere are revoked."""
        self.revoke_invitations(invitation.staff, invitation.sent)
        self._run(
            _INVITE,
            id=invitation.id,
            staff=invitation.staff,
            digest=digest(token),
            recipient=invitation.recipient,
            subject=invitation.subject,
            letter=invitation.letter,
            sent=micros(invitation.sent),
            until=micros(invitation.until),
        )

    def revoke_invitations(self, staff: StaffId, now: datetime) -> bool:
        """Links that have not led to a connection lead nowhere any more; False when there was none."""
        return self._run(_REVOKE, staff=staff, now=micros(now)) > 0

    def invitation_opened(self, id: InvitationId, now: datetime) -> None:
        """The first time counts."""
        self._run(_MARKS["opened"], id=id, now=micros(now))

    def invitation_connected(self, id: InvitationId, now: datetime) -> bool:
        """The link is used up; False when it was before."""
        return self._run(_MARKS["connected"], id=id, now=micros(now)) == 1


def signing_in(database: Database, name: str) -> Sequence[tuple[CompanyId, User, str]]:
    """Whoever has that e-mail address or handle (any case), at most five, with the hash of the password ('' = none)."""
    return [(CompanyId(row.company), user_from(row), row.secret) for row in database.ask(_BY_NAME, key=_key(name))]


def session(database: Database, token: str, now: datetime) -> tuple[CompanyId, Session] | None:
    """Who has signed in with this cookie, unless it is over, or the user is no longer active."""
    for row in database.ask(_BY_SESSION, digest=digest(token), now=micros(now)):
        return CompanyId(row.company), _session_from(row)
    return None


def reset(database: Database, token: str, now: datetime) -> tuple[CompanyId, User] | None:
    """Whose password the link sets anew; using it up is `Transaction.use_reset`."""
    for row in database.ask(_BY_RESET, digest=digest(token), now=micros(now)):
        return CompanyId(row.company), user_from(row)
    return None


def invitation(database: Database, token: str) -> tuple[CompanyId, Invitation] | None:
    """Whom the link invites; whether it is still good is for the caller to see."""
    for row in database.ask(_BY_INVITATION, digest=digest(token)):
        return CompanyId(row.company), _invitation_from(row)
    return None


def _session_from(row: Line) -> Session:
    return Session(
        user=user_from(row),
        begun=instant(row.begun),
        seen=instant(row.seen),
        until=instant(row.until),
        agent=row.agent,
        network=row.network,
    )


def user_from(row: Line) -> User:
    return User(
        id=UserId(row.id),
        role=Role(row.role),
        name=row.name,
        email=row.email,
        locale=row.locale,
        staff=None if row.staff is None else StaffId(row.staff),
        active=bool(row.active),
    )


def _invitation_from(row: Line) -> Invitation:
    return Invitation(
        id=InvitationId(row.id),
        staff=StaffId(row.staff),
        recipient=row.recipient,
        subject=row.subject,
        sent=instant(row.sent),
        until=instant(row.until),
        opened=maybe_instant(row.opened),
        connected=maybe_instant(row.connected),
        failed=maybe_instant(row.failed),
        revoked=maybe_instant(row.revoked),
        letter=row.letter,
    )


def _key(name: str) -> str:
    return name.strip().casefold()
