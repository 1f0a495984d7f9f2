"""What is known of accounts, links and items of calendars elsewhere, and how it is kept (steps/0007_bridge)."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import text

from gateway.links import (
    Access,
    Account,
    AccountId,
    Channel,
    Condition,
    Cursor,
    Direction,
    Happening,
    Item,
    Key,
    Link,
    LinkId,
    Owned,
    Provider,
    Standing,
    Todo,
)
from gateway.model import CalendarId, EntryId, Level, OnDelete, Revision, Span, StaffId
from gateway.store.codec import instant, maybe_instant, maybe_micros, micros, written
from gateway.store.engine import Line
from gateway.store.reading import Reading, batches, several

_WHOLE = -(2**62)
"""Stands for `at` None in the key of an item."""

_UNFIT = re.compile("[\x00\ud800-\udfff]")

ACCOUNT = "a.id, a.staff, a.provider, a.login, a.subject, a.scopes, a.access, a.trouble, a.since, a.probed, a.created"
LINK = (
    "l.id, l.account, l.staff, l.elsewhere, l.title, l.own, l.direction, l.level, l.on_delete, l.standing, l.trouble, l.since, l.seen, "
    "l.cursor, l.due, l.pulled, l.listed, l.failures, l.allowed, l.created"
)
_ITEM = "link, entry, at, generation, remote, etag, base, apart, todo, draft, attempts, due, condition, trouble"

_ACCOUNTS = text(f"""
    SELECT {ACCOUNT} FROM account a WHERE a.company = :company AND (:staff = '' OR a.staff = :staff) ORDER BY a.created, a.id
""")  # noqa: S608 columns
_ACCOUNT = text(f"SELECT {ACCOUNT} FROM account a WHERE a.company = :company AND a.id = :id")  # noqa: S608 columns
_ACCOUNT_OF = text(f"""
    SELECT {ACCOUNT} FROM account a
    WHERE a.company = :company AND a.staff = :staff AND a.provider = :provider AND a.subject = :subject
""")  # noqa: S608 columns
_CREDENTIAL = text("SELECT sealed, version FROM account WHERE company = :company AND id = :id")
_LINKS = text(f"""
    SELECT {LINK} FROM link l
    WHERE l.company = :company AND (:staff = '' OR l.staff = :staff) AND (:account = '' OR l.account = :account)
    ORDER BY l.created, l.id
""")  # noqa: S608 columns
_LINK = text(f"SELECT {LINK} FROM link l WHERE l.company = :company AND l.id = :id")  # noqa: S608 columns
_ITEMS = text(f"SELECT {_ITEM} FROM item WHERE company = :company AND link = :link ORDER BY entry, at, generation")  # noqa: S608 columns
_ITEMS_OF = text(f"""
    SELECT {_ITEM} FROM item WHERE company = :company AND link = :link AND entry IN :entries ORDER BY entry, at, generation
""").bindparams(several("entries"))  # noqa: S608 columns
_BY_REMOTE = text(f"""
    SELECT {_ITEM} FROM item WHERE company = :company AND link = :link AND remote IN :remotes ORDER BY generation
""").bindparams(several("remotes"))  # noqa: S608 columns
_INTENTS = text(f"""
    SELECT {_ITEM} FROM item WHERE company = :company AND link = :link AND todo <> '' ORDER BY entry, at, generation
""")  # noqa: S608 columns
_TOUCHED = text("""
    SELECT id FROM entry WHERE company = :company AND calendar = :calendar AND revision > :after
    UNION
    SELECT entry FROM change WHERE company = :company AND calendar = :calendar AND revision > :after AND gone = 1 AND entry IS NOT NULL
    ORDER BY 1
""")
_HISTORY = text("""
    SELECT at, kind, sentence, entry FROM happening WHERE company = :company AND link = :link ORDER BY number DESC LIMIT :limit
""")
_CHANNELS = text("SELECT link, id, resource, made, expires FROM channel WHERE company = :company AND link = :link ORDER BY made, id")


class Linked(Reading):
    """What is known of calendars elsewhere. Credentials are handed out sealed."""

    def accounts(self, staff: StaffId | None = None) -> Sequence[Account]:
        """Of the staff member, or of all; oldest first."""
        return [account_from(row) for row in self._all(_ACCOUNTS, staff=staff or "")]

    def account(self, id: AccountId) -> Account:
        """Raises Missing."""
        return account_from(self._sure("There is no such account.", _ACCOUNT, id=id))

    def account_of(self, staff: StaffId, provider: Provider, subject: str) -> Account | None:
        row = self._one(_ACCOUNT_OF, staff=staff, provider=provider.value, subject=subject)
        return account_from(row) if row is not None else None

    def credential(self, id: AccountId) -> tuple[bytes, int]:
        """Sealed, and how often it was replaced (for `keep_credential`). Raises Missing."""
        row = self._sure("There is no such account.", _CREDENTIAL, id=id)
        return bytes(row.sealed), int(row.version)

    def links(self, *, staff: StaffId | None = None, account: AccountId | None = None) -> Sequence[Link]:
        """Ended ones too; oldest first."""
        return [link_from(row) for row in self._all(_LINKS, staff=staff or "", account=account or "")]

    def link(self, id: LinkId) -> Link:
        """Raises Missing."""
        return link_from(self._sure("There is no such link.", _LINK, id=id))

    def items(self, link: LinkId) -> Sequence[Item]:
        """By entry, occurrence and generation."""
        return [item_from(row) for row in self._all(_ITEMS, link=link)]

    def items_of(self, link: LinkId, entries: Collection[EntryId]) -> Sequence[Item]:
        return [item_from(row) for batch in batches(entries) for row in self._all(_ITEMS_OF, link=link, entries=batch)]

    def items_by_remote(self, link: LinkId, remotes: Collection[str]) -> Mapping[str, Item]:
        """By the provider's ids; those that nobody knows are left out."""
        return {row.remote: item_from(row) for batch in batches(remotes) for row in self._all(_BY_REMOTE, link=link, remotes=batch)}

    def intents(self, link: LinkId) -> Sequence[Item]:
        """Items about which the provider was to be called, and may have been."""
        return [item_from(row) for row in self._all(_INTENTS, link=link)]

    def touched(self, calendar: CalendarId, after: Revision) -> Sequence[EntryId]:
        """Entries of the calendar that are newer than the revision, cancelled ones too, and those erased since."""
        return [EntryId(row[0]) for row in self._all(_TOUCHED, calendar=calendar, after=after)]

    def history(self, link: LinkId, limit: int = 50) -> Sequence[Happening]:
        """The newest first."""
        return [
            Happening(at=instant(row.at), kind=row.kind, sentence=row.sentence, entry=None if row.entry is None else EntryId(row.entry))
            for row in self._all(_HISTORY, link=link, limit=limit)
        ]

    def channels(self, link: LinkId) -> Sequence[Channel]:
        """Without their secrets, of which only digests are kept; oldest first."""
        return [
            Channel(
                link=LinkId(row.link), id=row.id, resource=row.resource, secret="", made=instant(row.made), expires=instant(row.expires)
            )
            for row in self._all(_CHANNELS, link=link)
        ]


def said(sentence: str) -> str:
    """A sentence for people, which may quote a provider: without the signs that not every database keeps."""
    return _UNFIT.sub("\N{REPLACEMENT CHARACTER}", sentence)


def account_from(row: Line) -> Account:
    return Account(
        id=AccountId(row.id),
        staff=StaffId(row.staff),
        provider=Provider(row.provider),
        login=row.login,
        subject=row.subject,
        scopes=tuple(row.scopes.split()),
        access=Access(row.access),
        trouble=row.trouble,
        since=maybe_instant(row.since),
        probed=maybe_instant(row.probed),
        created=instant(row.created),
    )


def account_values(account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "staff": account.staff,
        "provider": account.provider.value,
        "login": account.login,
        "subject": account.subject,
        "scopes": " ".join(account.scopes),
        "access": account.access.value,
        "trouble": said(account.trouble),
        "since": maybe_micros(account.since),
        "probed": maybe_micros(account.probed),
        "created": micros(account.created),
    }


def link_from(row: Line) -> Link:
    return Link(
        id=LinkId(row.id),
        account=AccountId(row.account),
        staff=StaffId(row.staff),
        calendar=row.elsewhere,
        title=row.title,
        own=bool(row.own),
        direction=Direction(row.direction),
        level=Level(row.level),
        on_delete=OnDelete(row.on_delete) if row.on_delete else None,
        standing=Standing(row.standing),
        trouble=row.trouble,
        since=maybe_instant(row.since),
        seen=Revision(row.seen),
        cursor=None if row.cursor is None else _cursor_from(row.cursor),
        due=instant(row.due),
        pulled=maybe_instant(row.pulled),
        listed=maybe_instant(row.listed),
        failures=row.failures,
        allowed=maybe_instant(row.allowed),
        created=instant(row.created),
    )


def link_values(link: Link) -> dict[str, Any]:
    return {
        "id": link.id,
        "account": link.account,
        "staff": link.staff,
        "elsewhere": link.calendar,
        "title": said(link.title),
        "own": int(link.own),
        "direction": link.direction.value,
        "level": link.level.value,
        "on_delete": "" if link.on_delete is None else link.on_delete.value,
        "standing": link.standing.value,
        "trouble": said(link.trouble),
        "since": maybe_micros(link.since),
        "seen": link.seen,
        "cursor": None if link.cursor is None else _cursor_json(link.cursor),
        "due": micros(link.due),
        "pulled": maybe_micros(link.pulled),
        "listed": maybe_micros(link.listed),
        "failures": link.failures,
        "allowed": maybe_micros(link.allowed),
        "created": micros(link.created),
    }


def item_from(row: Line) -> Item:
    at = None if row.at == _WHOLE else instant(row.at)
    return Item(
        link=LinkId(row.link),
        key=Key(entry=EntryId(row.entry), at=at, generation=row.generation),
        remote=row.remote,
        etag=row.etag,
        base=_maybe_owned(row.base),
        apart=bool(row.apart),
        todo=Todo(row.todo) if row.todo else None,
        draft=_maybe_owned(row.draft),
        attempts=row.attempts,
        due=maybe_instant(row.due),
        condition=Condition(row.condition),
        trouble=row.trouble,
    )


def item_values(item: Item) -> dict[str, Any]:
    return {
        "link": item.link,
        "entry": item.key.entry,
        "at": key_at(item.key),
        "generation": item.key.generation,
        "remote": item.remote,
        "etag": item.etag,
        "base": _maybe_json(item.base),
        "apart": int(item.apart),
        "todo": "" if item.todo is None else item.todo.value,
        "draft": _maybe_json(item.draft),
        "attempts": item.attempts,
        "due": maybe_micros(item.due),
        "condition": item.condition.value,
        "trouble": said(item.trouble),
    }


def key_at(key: Key) -> int:
    """How the occurrence stands in the key."""
    return _WHOLE if key.at is None else micros(key.at)


def _maybe_owned(kept: str | None) -> Owned | None:
    if kept is None:
        return None
    facts = json.loads(kept)
    start, end = facts.pop("span")
    return Owned(span=Span(instant(start), instant(end)), **facts)


def _maybe_json(owned: Owned | None) -> str | None:
    if owned is None:
        return None
    return json.dumps(  # whatever somebody has written over there is kept exactly, half a character too
        {
            "span": [micros(owned.span.start), micros(owned.span.end)],
            "zone": owned.zone,
            "title": owned.title,
            "text": owned.text,
            "place": owned.place,
            "tentative": owned.tentative,
            "rule": owned.rule,
            "all_day": owned.all_day,
        },
        separators=(",", ":"),
    )


def _cursor_from(kept: str) -> Cursor:
    facts = json.loads(kept)
    start, end = facts["window"]
    return Cursor(
        value=facts["value"],
        fingerprint=facts["fingerprint"],
        window=Span(instant(start), instant(end)),
        obtained=instant(facts["obtained"]),
    )


def _cursor_json(cursor: Cursor) -> str:
    return written(
        {
            "value": cursor.value,
            "fingerprint": cursor.fingerprint,
            "window": [micros(cursor.window.start), micros(cursor.window.end)],
            "obtained": micros(cursor.obtained),
        }
    )
