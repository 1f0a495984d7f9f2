"""What the demo company owns in the tests of tenants: something of every kind, by names that somebody else might guess."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from gateway.links import (
    Account,
    AccountId,
    Blocking,
    Channel,
    Claim,
    Happening,
    Item,
    Key,
    Link,
    LinkId,
    Owned,
    Provider,
    Source,
    Todo,
)
from gateway.model import (
    Calendar,
    CalendarId,
    CalendarKind,
    EntryId,
    Feed,
    FeedId,
    Level,
    Recurrence,
    Revision,
    Scope,
    Span,
    WorkingHours,
)
from gateway.store import Collection, Letter, Registration
from gateway.users import Invitation, InvitationId, Role, User, UserId
from tests.store.house import ANN, DAY, DEMO, EMMA, HOUR, JOHN, NOW, SETUP, Place, booking, personal, seen, shape_of, span

CANARY = "canary-of-demo"
DEVICE = Registration(
    staff=JOHN.id,
    credential="phone",
    owner=JOHN.id,
    slug="appointments",
    topic="topic",
    resource=b"digest",
    sealed=b"sealed",
    contents=True,
    properties=True,
    expires=NOW + 10 * DAY,
)
BOSS = User(id=UserId("boss"), role=Role.ADMIN, name=CANARY, email="admin@example.com")
HIS_OWN = User(id=UserId("user-john"), role=Role.STAFF, name="John Smith", email="john.smith@example.com", staff=JOHN.id)
INVITED = Invitation(id=InvitationId("invitation"), staff=JOHN.id, recipient=CANARY, subject=CANARY, sent=NOW, until=NOW + DAY)
HIS_ACCOUNT = Account(id=AccountId("account"), staff=JOHN.id, provider=Provider.GOOGLE, login=CANARY, subject="his own number", created=NOW)
HIS_LINK = Link(id=LinkId("link"), account=HIS_ACCOUNT.id, staff=JOHN.id, calendar=CANARY, title=CANARY, own=True, due=NOW, created=NOW)
HIS_CHANNEL = Channel(link=HIS_LINK.id, id="channel", resource=CANARY, secret="secret of the channel", made=NOW, expires=NOW + DAY)
HIS_OTHER = Blocking(account=HIS_ACCOUNT.id, calendar=CANARY, title=CANARY, due=NOW)
HIS_CLAIM = Claim(company=DEMO, account=HIS_ACCOUNT.id, fence=0, until=NOW)
EVER = Span(NOW - 1000 * DAY, NOW + 1000 * DAY)


@dataclass(frozen=True)
class Estate:
    """What the demo company owns, by the names somebody else might guess."""

    entry: EntryId
    name: str
    uid: str
    calendar: CalendarId
    private: CalendarId
    collections: tuple[Collection, ...]
    feed: Feed
    password: str
    key: str
    question: str
    device: str


def item_of(entry: EntryId) -> Item:
    owned = Owned(span=span(NOW), zone="Europe/Paris", title=CANARY)
    return Item(link=HIS_LINK.id, key=Key(entry=entry), remote="far", todo=Todo.CREATE, draft=owned)


@pytest.fixture
def estate(place: Place) -> Estate:
    """The demo company with something of every kind."""
    with place.store.write(DEMO, SETUP) as tx:
        calendar = tx.appointments_of(JOHN.id).id
        private = Calendar(id=CalendarId("private"), staff=JOHN.id, slug="private", kind=CalendarKind.PERSONAL)
        tx.put_calendar(private, NOW)
        entry = booking(calendar, NOW + HOUR, notes=CANARY, recurrence=Recurrence(rule="FREQ=DAILY"))
        tx.record(None, entry, shape_of(entry, entry.span, indexed_until=NOW + DAY, ceil=None), NOW)
        note = personal(private.id)
        tx.record(None, note, shape_of(note, span(NOW), team_text=CANARY), NOW)
        tx.set_properties(JOHN.id, seen(tx), {"{DAV:}displayname": CANARY}, NOW)
        tx.save_hours(JOHN.id, WorkingHours(weekly={0: ((480, 720),)}))
        feed = Feed(id=FeedId("feed"), scope=Scope.STAFF, of=JOHN.id, label=CANARY, level=Level.FULL)
        tx.add_feed(feed, "token", b"sealed", NOW)
        tx.publish(calendar, feed.id)
        tx.delegate(JOHN.id, EMMA.id, NOW, write=True)
        tx.await_notice(entry.id, entry, NOW)
        tx.queue(Letter(key="key", recipient=ANN.email, message=CANARY.encode(), entry=entry.id, kind="booked"), NOW)
        tx.advance("letters", Revision(tx.revision - 1))
        tx.hand_out(entry.id, "customer key", CANARY.encode())
        tx.remember("key", "digest", 201, CANARY, NOW)
        tx.save_user(BOSS)
        tx.save_user(HIS_OWN)
        tx.set_password(BOSS.id, "hash", NOW)
        tx.begin_session(BOSS.id, "cookie", NOW, NOW + DAY, agent="", network="")
        tx.begin_reset(BOSS.id, "reset link", NOW, NOW + DAY)
        tx.invite(INVITED, "invitation link")
        tx.audit("settings", CANARY, {"name": "x"}, {"name": CANARY}, NOW)
        tx.add_account(HIS_ACCOUNT, CANARY.encode())
        tx.add_link(HIS_LINK)
        tx.save_item(item_of(entry.id), NOW)
        tx.note(HIS_LINK.id, Happening(at=NOW, kind="pushed", sentence=CANARY))
        tx.add_channel(HIS_CHANNEL)
        tx.put_busy(JOHN.id, "ics", [span(NOW)], NOW)
        tx.add_blocking(HIS_OTHER)
        tx.put_busy(JOHN.id, HIS_OTHER.origin, [span(NOW)], NOW)
        tx.save_source(Source(staff=JOHN.id, due=NOW, zone=CANARY), CANARY.encode())
        return Estate(
            entry=entry.id,
            name=entry.name,
            uid=entry.uid,
            calendar=calendar,
            private=private.id,
            collections=tuple(tx.collections(JOHN.id)),
            feed=feed,
            password=tx.add_app_password(JOHN.id, CANARY, "secret", NOW),
            key=tx.add_api_key(CANARY, "api secret", NOW),
            question=tx.ask(entry.id, None, JOHN.id, "question", NOW),
            device=tx.register(DEVICE, seen(tx), NOW, at_most=5),
        )
