"""The tables of those who sign in, of invitations, of what customers hold and of what people changed; how tables are written: schema."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Index, PrimaryKeyConstraint, UniqueConstraint

from gateway.store.columns import flag, instant, octets, table, text

# Who signs in: `secret` is the hash of the password (argon2), '' until there is one. `email_key` is the address as it is compared.
table(
    "person",
    text("id"),
    text("role"),
    text("name"),
    text("email"),
    text("email_key"),
    text("locale"),
    text("staff", nullable=True),
    flag("active"),
    text("secret"),
    instant("secret_since", nullable=True),
    PrimaryKeyConstraint("company", "id"),
    UniqueConstraint("company", "email_key"),
    UniqueConstraint("company", "staff"),
    ForeignKeyConstraint(["company", "staff"], ["staff.company", "staff.id"]),
    Index(None, "email_key"),
)

# Browsers that have signed in, by the digest of their cookie.
table(
    "session",
    octets("digest"),
    text("person"),
    instant("begun"),
    instant("seen"),
    instant("until"),
    text("agent"),
    text("network"),
    PrimaryKeyConstraint("company", "digest"),
    UniqueConstraint("digest"),
    ForeignKeyConstraint(["company", "person"], ["person.company", "person.id"], ondelete="CASCADE"),
    Index(None, "company", "person"),
    Index("ix_session_until", "until"),
)

# Links by which somebody sets a password anew, by digest; each works once.
table(
    "reset",
    octets("digest"),
    text("person"),
    instant("until"),
    PrimaryKeyConstraint("company", "digest"),
    UniqueConstraint("digest"),
    ForeignKeyConstraint(["company", "person"], ["person.company", "person.id"], ondelete="CASCADE"),
)

# Staff members who were asked by letter to connect a calendar, found by the digest of the link's token.
table(
    "invitation",
    text("id"),
    text("staff"),
    octets("digest"),
    text("recipient"),
    text("subject"),
    text("letter"),
    instant("sent"),
    instant("until"),
    instant("opened", nullable=True),
    instant("connected", nullable=True),
    instant("revoked", nullable=True),
    PrimaryKeyConstraint("company", "id"),
    UniqueConstraint("digest"),
    ForeignKeyConstraint(["company", "staff"], ["staff.company", "staff.id"]),
    Index(None, "company", "staff", "sent"),
)

# The key each customer holds of an appointment, found by its digest, and the last answer given with it.
table(
    "attendance",
    text("entry"),
    octets("digest"),
    octets("sealed"),
    text("partstat"),
    Column("version", BigInteger, nullable=False),
    instant("answered", nullable=True),
    PrimaryKeyConstraint("company", "entry"),
    UniqueConstraint("digest"),
    ForeignKeyConstraint(["company", "entry"], ["entry.company", "entry.id"], ondelete="CASCADE"),
)

# What people changed that is no calendar entry. `before` and `after` are JSON.
table(
    "audit",
    Column("number", BigInteger, nullable=False),
    instant("at"),
    text("who"),
    text("door"),
    text("what"),
    text("subject"),
    text("before"),
    text("after"),
    PrimaryKeyConstraint("company", "number"),
    Index("ix_audit_at", "company", "at"),
)
