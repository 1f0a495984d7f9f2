"""A company at work: bookings through the desk, letters written, and a postman who takes them out of the outbox."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any

from gateway import desk
from gateway.booking import Book, Cancel, Intent, Move
from gateway.errors import Refused
from gateway.model import Actor, Appointment, Change, CompanyId, EntryId, Recurrence, Span
from gateway.post.letters import Letters
from gateway.seal import Seal
from gateway.store import Question, Store, Transaction
from tests.post.house import ADVICE, ANN, COMPANY, DEMO, FIRST, JOHN, NOW, ORGANIZER, URL, opened

SETUP = Actor("setup", "import")
PLATFORM = Actor("platform", "rest")
CLIENT = Actor("john-smith", "dav")
HOLD = COMPANY.policy.hold
SEAL = Seal("A" * 43 + "=")


@dataclass
class Office:
    """Every call is a transaction of its own, at `now` unless told otherwise."""

    store: Store
    now: datetime = NOW
    company: CompanyId = DEMO

    @classmethod
    def furnished(cls, store: Store) -> Office:
        store.found(COMPANY)
        with store.write(DEMO, SETUP) as tx:
            tx.save_staff(JOHN)
            tx.save_service(ADVICE)
            tx.save_customer(ANN)
        return cls(store)

    @property
    def letters(self) -> Letters:
        """A new one each time: whatever it knows is in the database."""
        return Letters(self.store, SEAL, sender=f"Calendar <{ORGANIZER}>", public_url=URL)

    def write(self, work: Callable[[Transaction], Any], actor: Actor = PLATFORM) -> Any:
        with self.store.write(self.company, actor) as tx:
            return work(tx)

    def policy(self, **choices: Any) -> None:
        self.write(lambda tx: tx.save_company(replace(tx.company, policy=replace(tx.company.policy, **choices))))

    def book(self, start: datetime = FIRST, *, rule: str = "", actor: Actor = PLATFORM, name: str = "e1") -> Appointment:
        wish = Book(
            uid=f"{name}@example.com",
            span=Span(start, start + timedelta(minutes=30)),
            zone="Europe/Paris",
            customer=ANN.id,
            service=ADVICE.id,
            recurrence=Recurrence(rule=rule) if rule else None,
        )
        change = self.write(
            lambda tx: desk.apply(tx, actor, tx.appointments_of(tx.all_staff()[0].id).id, f"{name}.ics", [wish], self.now), actor
        )
        assert isinstance(change, Change)
        assert isinstance(change.after, Appointment)
        return change.after

    def do(self, id: EntryId, *wishes: Intent, actor: Actor = PLATFORM) -> None:
        self.write(lambda tx: desk.apply_to(tx, actor, id, wishes, self.now), actor)

    def move(self, id: EntryId, start: datetime, *, at: datetime | None = None, actor: Actor = PLATFORM) -> None:
        self.do(id, Move(span=Span(start, start + timedelta(minutes=30)), at=at), actor=actor)

    def cancel(self, id: EntryId, *, at: datetime | None = None, actor: Actor = PLATFORM) -> None:
        self.do(id, Cancel(at=at), actor=actor)

    def propose(self, entry: Appointment, *wishes: Intent, text: str = "text", actor: Actor = CLIENT) -> Refused:
        """A staff member's client asks for what is refused; the refusal is recorded, as the DAV side does it."""

        def ask(tx: Transaction) -> Refused:
            try:
                desk.apply(tx, actor, entry.calendar, entry.name, wishes, self.now)
            except Refused as refused:
                desk.turn_back(tx, actor, entry.calendar, entry.name, refused, text, self.now)
                return refused
            raise AssertionError("it was not refused")

        refused = self.write(ask, actor)
        assert isinstance(refused, Refused)
        return refused

    def look(self, after: timedelta = timedelta()) -> None:
        """The letters look at the log, that much later."""
        self.now += after
        for company in self.letters.due(self.now):
            self.letters.catch_up(company, self.now)

    def post(self) -> Sequence[EmailMessage]:
        """Every letter that waits, taken out of the outbox in the order in which senders get them."""
        found: list[EmailMessage] = []
        while letters := self.store.claim_letters(self.now, lease=timedelta(minutes=2)):
            for letter in letters:
                found.append(opened(SEAL.unseal(letter.message)))
                assert [each.addr_spec for each in found[-1]["To"].addresses] == [letter.recipient]
                assert self.store.letter_sent(letter, self.now)
        return found

    def mail(self, after: timedelta = HOLD) -> Sequence[EmailMessage]:
        """What people get when the hold is over."""
        self.look(after)
        return self.post()

    def question(self, mail: EmailMessage) -> Question:
        """The question behind the link of that letter."""
        text = str(mail.get_body(("plain",)).get_content())  # type: ignore[union-attr]  # every letter has one
        token = text.partition(f"{URL}/answer/")[2].split()[0]
        known = self.store.question(token)
        assert known is not None
        assert known[0] == self.company
        return known[1]


def booked(store: Store) -> tuple[Office, Appointment]:
    """An office with one appointment the customer knows of."""
    office = Office.furnished(store)
    entry = office.book()
    assert len(office.mail()) == 1
    return office, entry


def series(store: Store, rule: str = "FREQ=WEEKLY;COUNT=20") -> tuple[Office, Appointment]:
    office = Office.furnished(store)
    entry = office.book(rule=rule)
    assert len(office.mail()) == 1
    return office, entry
