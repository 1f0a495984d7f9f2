"""A customer's appointment at the tests' door, and the letters about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

from gateway import desk
from gateway.booking import Move
from gateway.model import Actor, Appointment, CompanyId, EntryId, Span, WorkingHours
from gateway.post.letters import Letters
from tests.post.house import opened
from tests.web.house import JOHN, SEAL, SETUP, Door

DEMO = CompanyId("demo")
PLATFORM = Actor("platform", "rest")
TEN = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)  # in Paris
HALF = timedelta(minutes=30)
OFFICE_HOURS = WorkingHours(weekly=dict.fromkeys(range(5), ((9 * 60, 12 * 60),)))


class Booking:
    """Ann's appointment with John, and how the two of them hear of it."""

    def __init__(self, door: Door, start: datetime = TEN, **more: object) -> None:
        self.door = door
        with door.store.write(DEMO, SETUP) as tx:
            tx.save_hours(JOHN.id, OFFICE_HOURS)
        self.id = EntryId(door.book(start.isoformat(), **more)["id"])
        self.tell()

    def tell(self) -> list[EmailMessage]:
        """The letters that are due, as their receivers get them."""
        Letters(self.door.store, SEAL, sender="Calendar <calendar@example.com>", public_url="https://calendar.example.com").catch_up(
            DEMO, self.door.clock.now
        )
        found = []
        for letter in self.door.store.claim_letters(self.door.clock.now, lease=timedelta(minutes=1)):
            customers = letter.kind.startswith("customer_")  # sealed by the pages of this house, which seal nothing
            found.append(opened(letter.message if customers else SEAL.unseal(letter.message)))
            assert self.door.store.letter_sent(letter, self.door.clock.now)
        return found

    @property
    def page(self) -> str:
        with self.door.store.read(DEMO) as snapshot:
            held = snapshot.attendance(self.id)
        assert held is not None
        return f"/appointment/{SEAL.unseal(held.sealed).decode()}"

    @property
    def answer(self) -> str:
        with self.door.store.read(DEMO) as snapshot:
            held = snapshot.attendance(self.id)
        assert held is not None
        return held.partstat

    @property
    def entry(self) -> Appointment:
        with self.door.store.read(DEMO) as snapshot:
            held = snapshot.held_by_id(self.id)
        assert held is not None
        assert isinstance(held.entry, Appointment)
        return held.entry

    def move(self, start: datetime, at: datetime | None = None) -> None:
        """The company does."""
        with self.door.store.write(DEMO, PLATFORM) as tx:
            desk.apply_to(tx, PLATFORM, self.id, [Move(span=Span(start, start + HALF), at=at)], self.door.clock.now)

    def policy(self, **choices: object) -> None:
        with self.door.store.write(DEMO, SETUP) as tx:
            tx.save_company(replace(tx.company, policy=replace(tx.company.policy, **choices)))  # type: ignore[arg-type]  # a test's own
