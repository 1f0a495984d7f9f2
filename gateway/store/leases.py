"""Which accounts of calendars elsewhere are due, and whose turn it is: a claim holds for a while, and a fence tells who came too late."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import text

from gateway.links import Access, AccountId, Claim, Link, LinkId, Provider, Standing
from gateway.model import CompanyId, StaffId
from gateway.store.codec import instant, maybe_instant, micros
from gateway.store.credentials import digest
from gateway.store.engine import Database
from gateway.store.linked import LINK, link_from
from gateway.store.lock import UNLOCKED
from gateway.store.values import Consent, Overview

PROBED = timedelta(hours=1)
"""How often a failing account is tried again."""

_LIVE = "l.standing IN ('active', 'guard', 'ending')"

# Asked for each link by index, and not joined: without statistics PostgreSQL joins all links of a company with all of its accounts.
_OPEN = """
    (SELECT COUNT(*) FROM account a WHERE a.company = d.company AND a.id = d.account AND a.switched = 1 AND a.leased_until <= :now
        AND (a.access = 'ok' OR a.probed IS NULL OR a.probed <= :probed) AND (a.rests IS NULL OR a.rests <= :now)) = 1
"""
# `k` is the link's company: a calendar is asked for after it was found that something was written there since the link looked last.
_BEHIND = "JOIN company k ON k.id = l.company AND k.revision > l.seen"
_LAST = "(SELECT MAX(c.last) FROM calendar c WHERE c.company = k.id AND c.staff = l.staff AND c.kind = 'appointments')"
_WRITTEN = "(SELECT h.at FROM change h WHERE h.company = b.company AND h.revision = b.last)"

# Due by the clock, woken, or behind the appointments of the staff member: since the last of them was written; or because another calendar
# is to be asked when it is busy. A link in trouble is due by the clock however far it is behind, or else it would be tried again at once
# and for ever.
_DUE = text(f"""
    SELECT d.company, d.account, MIN(d.due) AS due
    FROM (
        SELECT l.company, l.account, l.due FROM link l WHERE {_LIVE} AND l.due <= :now
        UNION ALL
        SELECT l.company, l.account, l.woken FROM link l WHERE {_LIVE} AND l.woken IS NOT NULL
        UNION ALL
        SELECT b.company, b.account, COALESCE({_WRITTEN}, :now)
        FROM (
            SELECT l.company, l.account, l.seen, {_LAST} AS last
            FROM link l {_BEHIND}
            WHERE l.standing IN ('active', 'guard') AND l.failures = 0
        ) b
        WHERE b.last > b.seen
        UNION ALL
        SELECT o.company, o.account, o.due FROM blocking o WHERE o.due <= :now
    ) d
    WHERE {UNLOCKED} AND {_OPEN}
    GROUP BY d.company, d.account
    ORDER BY due, d.company, d.account
    LIMIT :limit
""")  # noqa: S608 conditions
_NEXT = text(f"""
    SELECT l.due FROM link l
    WHERE {_LIVE} AND {UNLOCKED} AND (
        SELECT COUNT(*) FROM account a WHERE a.company = l.company AND a.id = l.account AND a.switched = 1 AND a.access = 'ok'
    ) = 1
    ORDER BY l.due LIMIT 1
""")  # noqa: S608 conditions
_NEXT_BUSY = text(f"""
    SELECT o.due FROM blocking o
    WHERE {UNLOCKED} AND (
        SELECT COUNT(*) FROM account a WHERE a.company = o.company AND a.id = o.account AND a.switched = 1 AND a.access = 'ok'
    ) = 1
    ORDER BY o.due LIMIT 1
""")  # noqa: S608 condition
_COMPANY = text("SELECT id FROM company WHERE id = :company")
_COMPANY_ALONE = text("SELECT id FROM company WHERE id = :company FOR NO KEY UPDATE")
_CLAIM = text(f"""
    UPDATE account SET fence = fence + 1, leased_until = :until
    WHERE company = :company AND id = :account AND leased_until <= :now AND {UNLOCKED}
    RETURNING fence
""")  # noqa: S608 condition
_HEARD = text("UPDATE link SET woken = NULL WHERE company = :company AND account = :account AND woken IS NOT NULL")
_RENEW = text("UPDATE account SET leased_until = :until WHERE company = :company AND id = :account AND fence = :fence")
_WAKE = text("UPDATE link SET woken = :now WHERE company = :company AND id = :link AND woken IS NULL")
_BEGIN = text("SELECT 1")
_CHANNEL = text(f"""
    SELECT l.company, {LINK} FROM channel c JOIN link l ON l.company = c.company AND l.id = c.link
    WHERE c.id = :id AND c.digest = :digest
""")  # noqa: S608 columns
_CONSENT = text("DELETE FROM consent WHERE digest = :digest RETURNING company, staff, provider, sealed, main, back, expires")
_PULLED = text("""
    SELECT MIN(COALESCE(l.pulled, l.created)) AS pulled, MIN(l.due) AS due FROM link l
    JOIN account a ON a.company = l.company AND a.id = l.account
    WHERE l.standing IN ('active', 'guard') AND a.access = 'ok' AND a.switched = 1
""")
_UNSENT = text(f"""
    SELECT MIN(at) AS at FROM (
        SELECT MIN(i.written) AS at FROM item i WHERE i.todo <> ''
        UNION ALL
        SELECT MIN({_WRITTEN}) FROM (
            SELECT l.company, l.seen, {_LAST} AS last
            FROM link l {_BEHIND} JOIN account a ON a.company = l.company AND a.id = l.account
            WHERE l.standing IN ('active', 'guard') AND a.access = 'ok' AND a.switched = 1
        ) b
        WHERE b.last > b.seen
    ) waiting
""")  # noqa: S608 conditions
_DEAD = text("SELECT COUNT(*) AS dead FROM item WHERE condition = 'dead'")
_LINKS = text("SELECT standing, COUNT(*) AS number FROM link GROUP BY standing")
_ACCOUNTS = text("SELECT access, COUNT(*) AS number FROM account GROUP BY access")


def accounts_due(database: Database, now: datetime, limit: int) -> Sequence[tuple[CompanyId, AccountId]]:
    """Accounts that nobody works on and in which there is something to do; the longest due first, so that nobody is kept waiting.

    Failing ones only once an hour; none that rests, and none whose provider the company has switched off.
    """
    found = database.ask(_DUE, now=micros(now), probed=micros(now - PROBED), limit=limit)
    return [(CompanyId(row.company), AccountId(row.account)) for row in found]


def next_account(database: Database) -> datetime | None:
    """When the next link or calendar is due by the clock; what is written meanwhile is due at once."""
    return min((instant(due) for each in (_NEXT, _NEXT_BUSY) for (due,) in database.ask(each)), default=None)


def claim(database: Database, company: CompanyId, account: AccountId, now: datetime, until: datetime) -> Claim | None:
    """The account for oneself until then; None: somebody else holds it. Whoever held it before cannot commit any more."""
    first = _COMPANY_ALONE if database.postgresql else _COMPANY  # whoever commits under a claim holds the company's row
    with database.writing(first, {"company": company}) as (connection, _):
        given = {"company": company, "account": account}
        row = connection.execute(_CLAIM, {**given, "now": micros(now), "until": micros(until)}).first()
        if row is None:
            return None
        connection.execute(_HEARD, given)
        connection.commit()
    return Claim(company=company, account=account, fence=row[0], until=until)


def renew(database: Database, held: Claim, until: datetime) -> bool:
    """Hold it longer; False: somebody else has taken it over."""
    with database.writing(_BEGIN, {}) as (connection, _):
        given = {"company": held.company, "account": held.account, "fence": held.fence, "until": micros(until)}
        renewed = connection.execute(_RENEW, given).rowcount == 1
        connection.commit()
        return renewed


def finish(database: Database, held: Claim, now: datetime) -> None:
    """Let it go: the next worker may have it at once. Nothing happens when it is lost."""
    renew(database, held, now)


def wake(database: Database, company: CompanyId, link: LinkId, now: datetime) -> None:
    """There is news: the link's account is due, after the turn in hand if there is one. Any number of times is as good as once."""
    with database.writing(_BEGIN, {}) as (connection, _):
        connection.execute(_WAKE, {"company": company, "link": link, "now": micros(now)})
        connection.commit()


def channel(database: Database, id: str, secret: str) -> tuple[CompanyId, Link] | None:
    """The link a notification is for, if it brings the secret. Found by digest: how much of it fits shows nowhere."""
    for row in database.ask(_CHANNEL, id=id, digest=digest(secret)):
        return CompanyId(row.company), link_from(row)
    return None


def take_consent(database: Database, state: str, now: datetime) -> Consent | None:
    """Who was sent to the provider with this state; it is worth nothing from now on. None: unknown, used or too old."""
    with database.writing(_BEGIN, {}) as (connection, _):
        row = connection.execute(_CONSENT, {"digest": digest(state)}).first()
        connection.commit()
    if row is None or instant(row.expires) <= now:
        return None
    return Consent(
        company=CompanyId(row.company),
        staff=StaffId(row.staff),
        provider=Provider(row.provider),
        sealed=bytes(row.sealed),
        primary=bool(row.main),
        back=row.back,
    )


def overview(database: Database) -> Overview:
    """How all links of the installation stand, for whoever watches it."""
    [(pulled, due)] = database.ask(_PULLED)
    [(unsent,)] = database.ask(_UNSENT)
    [(dead,)] = database.ask(_DEAD)
    links: Mapping[Standing, int] = {Standing(row.standing): row.number for row in database.ask(_LINKS)}
    accounts: Mapping[Access, int] = {Access(row.access): row.number for row in database.ask(_ACCOUNTS)}
    return Overview(
        pulled=maybe_instant(pulled), unsent=maybe_instant(unsent), due=maybe_instant(due), dead=dead, links=links, accounts=accounts
    )
