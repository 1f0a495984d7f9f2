"""The tables as they are after the newest step, with what each is for. Steps (steps/versions) lead there; queries are beside their askers.

Everything belongs to a company, whose id is the first column of every key, so that the tables can be split by company some day.
Instants are whole microseconds after 1970 in UTC, so that they are exact and the same on every database; flags are 0 or 1.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    UniqueConstraint,
)

from gateway.store import schema_bridge, schema_push, schema_users
from gateway.store.columns import METADATA, TEXT, flag, instant, octets, revision, table, text, where

__all__ = ["METADATA", "schema_bridge", "schema_push", "schema_users"]

# One row: the random id of this database's timeline. A restore replaces it, and with it every token and ETag that was given out.
# `locked`: when that was, as long as nobody has said that letters are sent and calendars elsewhere written again.
Table(
    "installation",
    METADATA,
    Column("one", SmallInteger, primary_key=True, autoincrement=False),
    text("epoch"),
    instant("locked", nullable=True),
    CheckConstraint("one = 1", name="one"),
)

# The lock, the clock and the head of the log of a company: every writer takes this row first. `view_since` is the revision at which
# the staff shown in the company's view last changed.
Table(
    "company",
    METADATA,
    Column("id", TEXT, primary_key=True),
    text("slug"),
    text("name"),
    text("zone"),
    text("locale"),
    text("policy"),  # JSON
    revision("revision"),
    revision("view_since"),
    UniqueConstraint("slug"),
)

# People with calendars. `handle` is unique in the installation in any case of letters. `since`: when `active` last changed.
table(
    "staff",
    text("id"),
    text("handle"),
    text("handle_key"),  # the handle with its case folded
    text("name"),
    text("email"),
    text("zone"),
    text("locale"),
    flag("active"),
    revision("since"),
    PrimaryKeyConstraint("company", "id"),
    UniqueConstraint("handle_key"),
)

# When a staff member works. No row: always.
table(
    "working_hours",
    text("staff"),
    text("hours"),  # JSON
    PrimaryKeyConstraint("company", "staff"),
    ForeignKeyConstraint(["company", "staff"], ["staff.company", "staff.id"]),
)

# Groups of staff. `since` is the revision of the last change of who is shown in the group's view.
table(
    "team",
    text("id"),
    text("slug"),
    text("name"),
    revision("since"),
    PrimaryKeyConstraint("company", "id"),
    UniqueConstraint("company", "slug"),
)

# Who is in which group, in the order in which the members were given.
table(
    "member",
    text("team"),
    text("staff"),
    Column("position", SmallInteger, nullable=False),
    PrimaryKeyConstraint("company", "team", "staff"),
    ForeignKeyConstraint(["company", "team"], ["team.company", "team.id"]),
    ForeignKeyConstraint(["company", "staff"], ["staff.company", "staff.id"]),
    Index(None, "company", "staff"),
)

# What can be booked. Lengths are microseconds.
table(
    "service",
    text("id"),
    text("name"),
    Column("duration", BigInteger, nullable=False),
    Column("buffer_before", BigInteger, nullable=False),
    Column("buffer_after", BigInteger, nullable=False),
    PrimaryKeyConstraint("company", "id"),
)

# Those who book.
table(
    "customer",
    text("id"),
    text("name"),
    text("email"),
    text("locale"),
    text("zone"),
    text("phone"),
    PrimaryKeyConstraint("company", "id"),
)

# Collections of entries. `last` is the newest revision that touched one of them, or the calendar itself.
table(
    "calendar",
    text("id"),
    text("staff"),
    text("slug"),
    text("kind"),
    text("components"),  # separated by commas
    revision("last"),
    revision("created"),
    PrimaryKeyConstraint("company", "id"),
    UniqueConstraint("company", "staff", "slug"),
    ForeignKeyConstraint(["company", "staff"], ["staff.company", "staff.id"]),
)

# How one viewer has dressed a calendar or view: name, colour, order and whatever else the client keeps there.
table(
    "looks",
    text("viewer"),
    text("slug"),
    text("properties"),  # JSON, Clark names
    revision("last"),
    PrimaryKeyConstraint("company", "viewer", "slug"),
    ForeignKeyConstraint(["company", "viewer"], ["staff.company", "staff.id"]),
)

# Who may open whose calendars: `delegate` those of `owner`, to read them or to write as well.
table(
    "delegation",
    text("owner"),
    text("delegate"),
    flag("may_write"),
    instant("since"),
    PrimaryKeyConstraint("company", "owner", "delegate"),
    ForeignKeyConstraint(["company", "owner"], ["staff.company", "staff.id"]),
    ForeignKeyConstraint(["company", "delegate"], ["staff.company", "staff.id"]),
    Index(None, "company", "delegate"),
)

# Appointments and personal objects as they stand, as far as listings need to know: narrow rows, of which many fit on a page. `shown` is
# 1 unless it is a cancelled appointment, which keeps its name and UID; `team` is 1 when views show it. `undated`: every window matches.
# `busy`: blocks availability, or may do so beyond what is indexed.
table(
    "entry",
    text("id"),
    text("calendar"),
    text("name"),
    text("uid"),
    text("component"),
    flag("appointment"),
    Column("version", BigInteger),  # of an appointment
    flag("shown"),
    flag("team"),
    flag("busy"),
    flag("undated"),
    revision("revision"),
    instant("indexed_until", nullable=True),
    instant("floor", nullable=True),
    instant("ceil", nullable=True),
    PrimaryKeyConstraint("company", "id"),
    UniqueConstraint("company", "calendar", "name"),
    UniqueConstraint("company", "calendar", "uid"),
    ForeignKeyConstraint(["company", "calendar"], ["calendar.company", "calendar.id"]),
    Index("ix_entry_revision", "company", "calendar", "revision"),
    Index("ix_entry_beyond", "company", "calendar", "indexed_until", **where("indexed_until IS NOT NULL")),
    Index("ix_entry_undated", "company", "calendar", **where("undated = 1")),
)

# The rest of each entry: `body` is the entry as JSON, `text` what its owner's clients get, `team_text` what the views show.
table(
    "content",
    text("entry"),
    text("body"),
    text("text"),
    text("team_text"),
    PrimaryKeyConstraint("company", "entry"),
    ForeignKeyConstraint(["company", "entry"], ["entry.company", "entry.id"], ondelete="CASCADE"),
)

# Every instance of an entry up to its `indexed_until`. `lengthy` (of the span, of the occupied span) sets apart the few that last
# longer than two days: all others that reach into a window start at most two days before it, however large the calendar is.
# `tentative`: whether it is not settled yet; 2 when nobody has looked, which is so for some that were written before step 0012.
table(
    "instance",
    text("entry"),
    Column("number", BigInteger, nullable=False),
    text("calendar"),
    instant("at"),
    flag("lengthy"),
    instant("starts"),
    instant("ends"),
    flag("busy"),
    flag("tentative"),
    flag("occupied_lengthy"),
    instant("occupied_from"),
    instant("occupied_to"),
    PrimaryKeyConstraint("company", "entry", "number"),
    ForeignKeyConstraint(["company", "entry"], ["entry.company", "entry.id"], ondelete="CASCADE"),
    Index("ix_instance_span", "company", "calendar", "lengthy", "starts", "ends", "entry", "busy", "tentative"),
    Index("ix_instance_occupied", "company", "calendar", "occupied_lengthy", "occupied_from", "occupied_to", **where("busy = 1")),
    sqlite_with_rowid=False,  # its key is all it is looked for by, and one page less is written
)

# The log: one line for every revision, in order and without a gap; lines are added and never changed. `calendar` is '' when a view
# changed, `entry` NULL when no entry did. `gone`: the entry is no more, under that name. `version`: of the appointment after it.
table(
    "change",
    revision("revision"),
    text("calendar"),
    text("entry", nullable=True),
    text("name", nullable=True),
    flag("gone"),
    flag("appointment"),
    Column("version", BigInteger),
    text("before", nullable=True),  # JSON
    text("after", nullable=True),  # JSON
    text("who"),
    text("door"),
    instant("at"),
    text("reason", nullable=True),
    text("detail"),
    text("proposal"),
    PrimaryKeyConstraint("company", "revision"),
    Index("ix_change_entry", "company", "entry", "revision"),
    Index("ix_change_gone", "company", "calendar", "revision", **where("gone = 1")),
)

# How far each reader of the log has come.
table(
    "reader",
    text("name"),
    revision("revision"),
    PrimaryKeyConstraint("company", "name"),
)

# The passwords of devices, and the keys of programs. Only SHA-256 digests: the secrets are long and random.
table(
    "app_password",
    text("id"),
    text("staff"),
    text("label"),
    octets("digest"),
    flag("read_only"),
    instant("created"),
    instant("last_used", nullable=True),
    instant("revoked", nullable=True),
    text("calendar", nullable=True),  # the slug of the one calendar it opens; none: all of its owner's
    text("last_client", nullable=True),  # what the program called itself when it was used last
    text("last_network", nullable=True),
    PrimaryKeyConstraint("company", "id"),
    ForeignKeyConstraint(["company", "staff"], ["staff.company", "staff.id"]),
    Index(None, "digest"),
)

table(
    "api_key",
    text("id"),
    text("label"),
    octets("digest"),
    flag("read_only"),
    instant("created"),
    instant("last_used", nullable=True),
    instant("revoked", nullable=True),
    PrimaryKeyConstraint("company", "id"),
    UniqueConstraint("digest"),
)

# Subscription addresses: found by the digest of their token; `sealed` is the token for those who may be shown it again.
table(
    "feed",
    text("id"),
    text("scope"),
    text("of", nullable=True),
    text("label"),
    text("level"),
    Column("past_days", BigInteger, nullable=False),
    Column("future_days", BigInteger, nullable=False),
    Column("alarm_minutes", BigInteger),
    octets("digest"),
    octets("sealed"),
    instant("created"),
    instant("revoked", nullable=True),
    instant("last_fetched", nullable=True),
    text("last_agent"),
    PrimaryKeyConstraint("company", "id"),
    UniqueConstraint("digest"),
)

# Calendars whose owner has published them as a feed that anybody with the link can read.
table(
    "publication",
    text("calendar"),
    text("feed"),
    PrimaryKeyConstraint("company", "calendar"),
    ForeignKeyConstraint(["company", "calendar"], ["calendar.company", "calendar.id"]),
    ForeignKeyConstraint(["company", "feed"], ["feed.company", "feed.id"]),
)

# Customers to be told about an entry when it has rested for a while. `base` is the state they were told last.
table(
    "notice",
    text("entry"),
    text("base", nullable=True),  # JSON
    instant("due"),
    PrimaryKeyConstraint("company", "entry"),
    Index(None, "due"),
)

# The outbox. `due` is when a letter may be claimed (next); a claim moves it by the lease and raises `fence`, so that a sender that
# was too slow finds out. Letters that were sent or given up stay as a record, without their text when they were sent.
table(
    "letter",
    Column("number", BigInteger, nullable=False),  # in the order of queueing
    text("id"),
    text("key"),
    text("kind"),
    text("recipient"),
    octets("message"),
    text("entry", nullable=True),
    instant("queued"),
    instant("due"),
    Column("fence", BigInteger, nullable=False),
    Column("attempts", BigInteger, nullable=False),
    instant("sent", nullable=True),
    instant("failed", nullable=True),
    text("failure"),
    PrimaryKeyConstraint("company", "number"),
    UniqueConstraint("company", "id"),
    UniqueConstraint("company", "key"),
    Index("ix_letter_entry", "company", "entry", "number"),
    Index("ix_letter_waiting", "due", **where("sent IS NULL AND failed IS NULL")),
)

# Questions to staff members, answered on a page that the token leads to.
table(
    "question",
    text("id"),
    text("entry"),
    instant("at", nullable=True),
    instant("wish_start", nullable=True),
    instant("wish_end", nullable=True),
    text("staff"),
    octets("digest"),
    instant("asked"),
    instant("answered", nullable=True),
    text("answer"),
    PrimaryKeyConstraint("company", "id"),
    UniqueConstraint("digest"),
    Index("ix_question_open", "company", "staff", "asked", **where("answered IS NULL")),
)

# Answers to POSTs that carried an Idempotency-Key.
table(
    "reply",
    text("key"),
    text("digest"),
    Column("status", BigInteger, nullable=False),
    text("body"),
    instant("at"),
    PrimaryKeyConstraint("company", "key"),
    Index(None, "company", "at"),
)
