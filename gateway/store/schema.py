"""The tables as they are after the newest step, with what each is for. Steps (steps/versions) lead there; queries are beside their askers.

Everything belongs to a company, whose id is the first column of every key, so that the tables can be split by company some day.
Instants are whole microseconds after 1970 in UTC, so that they are exact and the same on every database; flags are 0 or 1.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.schema import SchemaItem

METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


TEXT = Text().with_variant(Text(collation="C"), "postgresql")
"""Text in the order of its code points, on every database."""


def _text(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, TEXT, nullable=nullable)


def _instant(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


def _revision(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def _flag(name: str) -> Column[int]:
    return Column(name, SmallInteger, nullable=False)


def _octets(name: str) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=False)


def _table(name: str, *items: SchemaItem) -> None:
    """A table whose rows belong to a company."""
    Table(name, METADATA, Column("company", TEXT, ForeignKey("company.id"), nullable=False), *items)


def _where(condition: str) -> dict[str, Any]:  # by keyword to Index, which takes others too
    """An index of the rows that fulfil it."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


# One row: the random id of this database's timeline. A restore replaces it, and with it every token and ETag that was given out.
Table(
    "installation",
    METADATA,
    Column("one", SmallInteger, primary_key=True, autoincrement=False),
    _text("epoch"),
    CheckConstraint("one = 1", name="one"),
)

# The lock, the clock and the head of the log of a company: every writer takes this row first. `view_since` is the revision at which
# the staff shown in the company's view last changed.
Table(
    "company",
    METADATA,
    Column("id", TEXT, primary_key=True),
    _text("slug"),
    _text("name"),
    _text("zone"),
    _text("locale"),
    _text("policy"),  # JSON
    _revision("revision"),
    _revision("view_since"),
    UniqueConstraint("slug"),
)

# People with calendars. `handle` is unique in the installation in any case of letters. `since`: when `active` last changed.
_table(
    "staff",
    _text("id"),
    _text("handle"),
    _text("handle_key"),  # the handle with its case folded
    _text("name"),
    _text("email"),
    _text("zone"),
    _text("locale"),
    _flag("active"),
    _revision("since"),
    PrimaryKeyConstraint("company", "id"),
    UniqueConstraint("handle_key"),
)

# When a staff member works. No row: always.
_table(
    "working_hours",
    _text("staff"),
    _text("hours"),  # JSON
    PrimaryKeyConstraint("company", "staff"),
    ForeignKeyConstraint(["company", "staff"], ["staff.company", "staff.id"]),
)

# Groups of staff. `since` is the revision of the last change of who is shown in the group's view.
_table(
    "team",
    _text("id"),
    _text("slug"),
    _text("name"),
    _revision("since"),
    PrimaryKeyConstraint("company", "id"),
    UniqueConstraint("company", "slug"),
)

# Who is in which group, in the order in which the members were given.
_table(
    "member",
    _text("team"),
    _text("staff"),
    Column("position", SmallInteger, nullable=False),
    PrimaryKeyConstraint("company", "team", "staff"),
    ForeignKeyConstraint(["company", "team"], ["team.company", "team.id"]),
    ForeignKeyConstraint(["company", "staff"], ["staff.company", "staff.id"]),
    Index(None, "company", "staff"),
)

# What can be booked. Lengths are microseconds.
_table(
    "service",
    _text("id"),
    _text("name"),
    Column("duration", BigInteger, nullable=False),
    Column("buffer_before", BigInteger, nullable=False),
    Column("buffer_after", BigInteger, nullable=False),
    PrimaryKeyConstraint("company", "id"),
)

# Those who book.
_table(
    "customer",
    _text("id"),
    _text("name"),
    _text("email"),
    _text("locale"),
    _text("zone"),
    _text("phone"),
    PrimaryKeyConstraint("company", "id"),
)

# Collections of entries. `last` is the newest revision that touched one of them, or the calendar itself.
_table(
    "calendar",
    _text("id"),
    _text("staff"),
    _text("slug"),
    _text("kind"),
    _text("components"),  # separated by commas
    _revision("last"),
    _revision("created"),
    PrimaryKeyConstraint("company", "id"),
    UniqueConstraint("company", "staff", "slug"),
    ForeignKeyConstraint(["company", "staff"], ["staff.company", "staff.id"]),
)

# How one viewer has dressed a calendar or view: name, colour, order and whatever else the client keeps there.
_table(
    "looks",
    _text("viewer"),
    _text("slug"),
    _text("properties"),  # JSON, Clark names
    _revision("last"),
    PrimaryKeyConstraint("company", "viewer", "slug"),
    ForeignKeyConstraint(["company", "viewer"], ["staff.company", "staff.id"]),
)

# Appointments and personal objects as they stand, as far as listings need to know: narrow rows, of which many fit on a page. `shown` is
# 1 unless it is a cancelled appointment, which keeps its name and UID; `team` is 1 when views show it. `undated`: every window matches.
# `busy`: blocks availability, or may do so beyond what is indexed.
_table(
    "entry",
    _text("id"),
    _text("calendar"),
    _text("name"),
    _text("uid"),
    _text("component"),
    _flag("appointment"),
    _flag("shown"),
    _flag("team"),
    _flag("busy"),
    _flag("undated"),
    _revision("revision"),
    _instant("indexed_until", nullable=True),
    _instant("floor", nullable=True),
    _instant("ceil", nullable=True),
    PrimaryKeyConstraint("company", "id"),
    UniqueConstraint("company", "calendar", "name"),
    UniqueConstraint("company", "calendar", "uid"),
    ForeignKeyConstraint(["company", "calendar"], ["calendar.company", "calendar.id"]),
    Index("ix_entry_revision", "company", "calendar", "revision"),
    Index("ix_entry_beyond", "company", "calendar", "indexed_until", **_where("indexed_until IS NOT NULL")),
    Index("ix_entry_undated", "company", "calendar", **_where("undated = 1")),
)

# The rest of each entry: `body` is the entry as JSON, `text` what its owner's clients get, `team_text` what the views show.
_table(
    "content",
    _text("entry"),
    _text("body"),
    _text("text"),
    _text("team_text"),
    PrimaryKeyConstraint("company", "entry"),
    ForeignKeyConstraint(["company", "entry"], ["entry.company", "entry.id"], ondelete="CASCADE"),
)

# Every instance of an entry up to its `indexed_until`. `lengthy` (of the span, of the occupied span) sets apart the few that last
# longer than two days: all others that reach into a window start at most two days before it, however large the calendar is.
_table(
    "instance",
    _text("entry"),
    Column("number", BigInteger, nullable=False),
    _text("calendar"),
    _instant("at"),
    _flag("lengthy"),
    _instant("starts"),
    _instant("ends"),
    _flag("busy"),
    _flag("occupied_lengthy"),
    _instant("occupied_from"),
    _instant("occupied_to"),
    PrimaryKeyConstraint("company", "entry", "number"),
    ForeignKeyConstraint(["company", "entry"], ["entry.company", "entry.id"], ondelete="CASCADE"),
    Index("ix_instance_span", "company", "calendar", "lengthy", "starts", "ends", "entry"),
    Index("ix_instance_occupied", "company", "calendar", "occupied_lengthy", "occupied_from", "occupied_to", **_where("busy = 1")),
)

# The log: one line for every revision, in order and without a gap; lines are added and never changed. `calendar` is '' when a view
# changed, `entry` NULL when no entry did. `gone`: the entry is no more, under that name. `version`: of the appointment after it.
_table(
    "change",
    _revision("revision"),
    _text("calendar"),
    _text("entry", nullable=True),
    _text("name", nullable=True),
    _flag("gone"),
    _flag("appointment"),
    Column("version", BigInteger),
    _text("before", nullable=True),  # JSON
    _text("after", nullable=True),  # JSON
    _text("who"),
    _text("door"),
    _instant("at"),
    _text("reason", nullable=True),
    _text("detail"),
    _text("proposal"),
    PrimaryKeyConstraint("company", "revision"),
    Index("ix_change_entry", "company", "entry", "revision"),
    Index("ix_change_gone", "company", "calendar", "revision", **_where("gone = 1")),
)

# How far each reader of the log has come.
_table(
    "reader",
    _text("name"),
    _revision("revision"),
    PrimaryKeyConstraint("company", "name"),
)

# The passwords of devices, and the keys of programs. Only SHA-256 digests: the secrets are long and random.
_table(
    "app_password",
    _text("id"),
    _text("staff"),
    _text("label"),
    _octets("digest"),
    _flag("read_only"),
    _instant("created"),
    _instant("last_used", nullable=True),
    _instant("revoked", nullable=True),
    PrimaryKeyConstraint("company", "id"),
    ForeignKeyConstraint(["company", "staff"], ["staff.company", "staff.id"]),
    Index(None, "digest"),
)

_table(
    "api_key",
    _text("id"),
    _text("label"),
    _octets("digest"),
    _flag("read_only"),
    _instant("created"),
    _instant("last_used", nullable=True),
    _instant("revoked", nullable=True),
    PrimaryKeyConstraint("company", "id"),
    UniqueConstraint("digest"),
)

# Subscription addresses: found by the digest of their token; `sealed` is the token for those who may be shown it again.
_table(
    "feed",
    _text("id"),
    _text("scope"),
    _text("of", nullable=True),
    _text("label"),
    _text("level"),
    Column("past_days", BigInteger, nullable=False),
    Column("future_days", BigInteger, nullable=False),
    Column("alarm_minutes", BigInteger),
    _octets("digest"),
    _octets("sealed"),
    _instant("created"),
    _instant("revoked", nullable=True),
    _instant("last_fetched", nullable=True),
    _text("last_agent"),
    PrimaryKeyConstraint("company", "id"),
    UniqueConstraint("digest"),
)

# Customers to be told about an entry when it has rested for a while. `base` is the state they were told last.
_table(
    "notice",
    _text("entry"),
    _text("base", nullable=True),  # JSON
    _instant("due"),
    PrimaryKeyConstraint("company", "entry"),
    Index(None, "due"),
)

# The outbox. `due` is when a letter may be claimed (next); a claim moves it by the lease and raises `fence`, so that a sender that
# was too slow finds out. Letters that were sent or given up stay as a record, without their text when they were sent.
_table(
    "letter",
    Column("number", BigInteger, nullable=False),  # in the order of queueing
    _text("id"),
    _text("key"),
    _text("kind"),
    _text("recipient"),
    _octets("message"),
    _text("entry", nullable=True),
    _instant("queued"),
    _instant("due"),
    Column("fence", BigInteger, nullable=False),
    Column("attempts", BigInteger, nullable=False),
    _instant("sent", nullable=True),
    _instant("failed", nullable=True),
    _text("failure"),
    PrimaryKeyConstraint("company", "number"),
    UniqueConstraint("company", "id"),
    UniqueConstraint("company", "key"),
    Index("ix_letter_entry", "company", "entry", "number"),
    Index("ix_letter_waiting", "due", **_where("sent IS NULL AND failed IS NULL")),
)

# Questions to staff members, answered on a page that the token leads to.
_table(
    "question",
    _text("id"),
    _text("entry"),
    _instant("at", nullable=True),
    _text("staff"),
    _octets("digest"),
    _instant("asked"),
    _instant("answered", nullable=True),
    _text("answer"),
    PrimaryKeyConstraint("company", "id"),
    UniqueConstraint("digest"),
)

# Answers to POSTs that carried an Idempotency-Key.
_table(
    "reply",
    _text("key"),
    _text("digest"),
    Column("status", BigInteger, nullable=False),
    _text("body"),
    _instant("at"),
    PrimaryKeyConstraint("company", "key"),
    Index(None, "company", "at"),
)
