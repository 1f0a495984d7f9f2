"""The tables of calendars elsewhere: accounts, links, items, and busy times from there; how tables are written is told in schema."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Index, PrimaryKeyConstraint, UniqueConstraint

from gateway.store.columns import flag, instant, octets, revision, table, text, where

# Access of a staff member at a provider. `sealed` is the credential, `version` counts how often it was replaced. A claim moves
# `leased_until` and raises `fence`, so that a worker that was too slow finds out. `switched`: the company's switch of the provider.
# `rests`: until when the provider wants to be left alone.
table(
    "account",
    text("id"),
    text("staff"),
    text("provider"),
    text("login"),
    text("subject"),
    text("scopes"),  # separated by blanks
    text("access"),
    text("trouble"),
    instant("since", nullable=True),
    instant("probed", nullable=True),
    instant("created"),
    flag("switched"),
    octets("sealed"),
    Column("version", BigInteger, nullable=False),
    Column("fence", BigInteger, nullable=False),
    instant("leased_until"),
    instant("rests", nullable=True),
    PrimaryKeyConstraint("company", "id"),
    UniqueConstraint("company", "staff", "provider", "subject"),
    ForeignKeyConstraint(["company", "staff"], ["staff.company", "staff.id"]),
)

# One calendar there, mirrored. `seen`: up to which revision items were compared. `woken`: somebody said that there is news, which is
# taken back by the next claim and by nothing else.
table(
    "link",
    text("id"),
    text("account"),
    text("staff"),
    text("elsewhere"),
    text("title"),
    flag("own"),
    text("direction"),
    text("level"),
    text("on_delete"),
    text("standing"),
    text("trouble"),
    instant("since", nullable=True),
    revision("seen"),
    text("cursor", nullable=True),  # JSON
    instant("due"),
    instant("woken", nullable=True),
    instant("pulled", nullable=True),
    instant("listed", nullable=True),
    Column("failures", BigInteger, nullable=False),
    instant("allowed", nullable=True),
    instant("created"),
    PrimaryKeyConstraint("company", "id"),
    ForeignKeyConstraint(["company", "account"], ["account.company", "account.id"]),
    ForeignKeyConstraint(["company", "staff"], ["staff.company", "staff.id"]),
    Index(None, "company", "account"),
    Index(None, "company", "staff"),
    Index("ix_link_due", "due", **where("standing IN ('active', 'guard', 'ending')")),
    Index("ix_link_woken", "woken", **where("woken IS NOT NULL")),
)

# What is known of one event there. `at` is the original start of an occurrence, or a number before every instant for the whole.
table(
    "item",
    text("link"),
    text("entry"),
    instant("at"),
    Column("generation", BigInteger, nullable=False),
    text("remote"),
    text("etag"),
    text("base", nullable=True),  # JSON
    flag("apart"),
    text("todo"),
    text("draft", nullable=True),  # JSON
    Column("attempts", BigInteger, nullable=False),
    instant("due", nullable=True),
    text("condition"),
    text("trouble"),
    instant("written"),
    PrimaryKeyConstraint("company", "link", "entry", "at", "generation"),
    ForeignKeyConstraint(["company", "link"], ["link.company", "link.id"], ondelete="CASCADE"),
    Index("ix_item_remote", "company", "link", "remote", **where("remote <> ''")),
    Index("ix_item_todo", "company", "link", **where("todo <> ''")),
    Index("ix_item_condition", "condition", **where("condition NOT IN ('synced', 'gone')")),
)

# What happened to a link, for people to read.
table(
    "happening",
    text("link"),
    Column("number", BigInteger, nullable=False),
    instant("at"),
    text("kind"),
    text("sentence"),
    text("entry", nullable=True),
    PrimaryKeyConstraint("company", "link", "number"),
    ForeignKeyConstraint(["company", "link"], ["link.company", "link.id"], ondelete="CASCADE"),
)

# Subscriptions to a provider's notifications; `digest` is that of the secret every notification brings.
table(
    "channel",
    text("link"),
    text("id"),
    text("resource"),
    octets("digest"),
    instant("made"),
    instant("expires"),
    PrimaryKeyConstraint("company", "link", "id"),
    ForeignKeyConstraint(["company", "link"], ["link.company", "link.id"], ondelete="CASCADE"),
    Index(None, "id"),
)

# An external iCalendar address of a staff member (`sealed`), and how reading it went.
table(
    "source",
    text("staff"),
    octets("sealed"),
    text("etag"),
    text("modified"),
    text("digest"),
    instant("due"),
    instant("fetched", nullable=True),
    instant("failing", nullable=True),
    text("trouble"),
    text("warnings"),  # JSON
    text("zone"),
    Column("events", BigInteger, nullable=False),
    instant("shrunk", nullable=True),
    instant("taken", nullable=True),
    flag("tentative", nullable=True),
    flag("elsewhere", nullable=True),
    PrimaryKeyConstraint("company", "staff"),
    ForeignKeyConstraint(["company", "staff"], ["staff.company", "staff.id"]),
    Index(None, "due"),
)

# Busy times from elsewhere, by where they come from, and when each origin was last confirmed. `lengthy` as with instances.
table(
    "origin",
    text("staff"),
    text("origin"),
    instant("confirmed"),
    PrimaryKeyConstraint("company", "staff", "origin"),
    ForeignKeyConstraint(["company", "staff"], ["staff.company", "staff.id"]),
)
table(
    "foreign_busy",
    text("staff"),
    text("origin"),
    Column("number", BigInteger, nullable=False),
    flag("lengthy"),
    instant("starts"),
    instant("ends"),
    PrimaryKeyConstraint("company", "staff", "origin", "number"),
    ForeignKeyConstraint(["company", "staff", "origin"], ["origin.company", "origin.staff", "origin.origin"], ondelete="CASCADE"),
    Index("ix_foreign_busy_span", "company", "staff", "lengthy", "starts", "ends"),
)

# Calendars of an account whose busy times block its staff member, and how reading them went.
table(
    "blocking",
    text("account"),
    text("calendar"),
    text("title"),
    instant("due"),
    text("digest"),
    instant("whole", nullable=True),
    instant("failing", nullable=True),
    text("trouble"),
    PrimaryKeyConstraint("company", "account", "calendar"),
    ForeignKeyConstraint(["company", "account"], ["account.company", "account.id"], ondelete="CASCADE"),
    Index(None, "due"),
)

# Consents under way: who was sent to which provider, found by the digest of the state and worth nothing once it was shown.
table(
    "consent",
    octets("digest"),
    text("staff"),
    text("provider"),
    octets("sealed"),
    flag("main"),
    text("back"),
    instant("expires"),
    PrimaryKeyConstraint("company", "digest"),
    UniqueConstraint("digest"),
    ForeignKeyConstraint(["company", "staff"], ["staff.company", "staff.id"]),
)
