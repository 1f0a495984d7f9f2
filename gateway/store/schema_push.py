"""The tables of devices that are told of changes; the other tables, and how all of them are written, are in schema."""

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

from gateway.store.columns import METADATA, flag, instant, octets, revision, table, text, where

# One row: the private key by which push services know us (VAPID), sealed.
Table(
    "vapid",
    METADATA,
    Column("one", SmallInteger, primary_key=True, autoincrement=False),
    octets("sealed"),
    CheckConstraint("one = 1", name="one"),
)

# Devices that are told when a collection changes: whose, with which app password, and what they look at (`calendar` NULL: a view).
# `resource` is the digest of where messages go, `sealed` the whole of it with the device's keys. `told`: up to which revision it knows
# of changes; `contents_at`, `properties_at`: the newest one it has to be told of, no sooner than `rests_until`. A claim moves `due` and
# raises `fence`, as with letters.
table(
    "registration",
    text("id"),
    text("staff"),
    text("credential"),
    text("owner"),
    text("slug"),
    text("calendar", nullable=True),
    text("topic"),
    octets("resource"),
    octets("sealed"),
    flag("contents"),
    flag("properties"),
    instant("expires"),
    revision("told"),
    Column("contents_at", BigInteger),
    Column("properties_at", BigInteger),
    instant("due", nullable=True),
    instant("rests_until"),
    Column("fence", BigInteger, nullable=False),
    Column("attempts", BigInteger, nullable=False),
    instant("failing", nullable=True),
    Column("refused", BigInteger, nullable=False),
    PrimaryKeyConstraint("company", "id"),
    UniqueConstraint("company", "staff", "owner", "slug", "resource"),
    ForeignKeyConstraint(["company", "staff"], ["staff.company", "staff.id"]),
    ForeignKeyConstraint(["company", "owner"], ["staff.company", "staff.id"]),
    Index("ix_registration_due", "due", **where("due IS NOT NULL")),
    Index("ix_registration_expires", "expires"),
)

# Changes of which a device is not to be told, because it made them; "*": none is. Kept until they have been looked at.
table(
    "unheard",
    revision("revision"),
    text("registration"),
    PrimaryKeyConstraint("company", "revision", "registration"),
)
