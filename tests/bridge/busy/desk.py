"""What a test of busy times from other calendars does: connect, choose, work, book; and what John does over there."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from gateway import desk
from gateway.booking import Book
from gateway.bridge import choices
from gateway.bridge.errand import Habits
from gateway.errors import Reason, Refused
from gateway.fakes.faults import Fault
from gateway.links import Account, AccountId, Blocking, LinkId, Provider
from gateway.model import Span
from gateway.store import fresh_id
from tests.bridge.accounts.office import OFFICE, Office
from tests.bridge.wire import NOW
from tests.bridge.world import ADVICE, ANN, DAY, DEMO, HOUR, JOHN, PLATFORM

POLL = Habits().busy_poll
AT = NOW + DAY + 2 * HOUR  # 11:00 in Paris
TAKEN = Span(AT, AT + HOUR)


@dataclass
class Desk:
    """`link` shows the appointments, in a calendar of our own; `private` is another calendar of the account."""

    office: Office
    provider: Provider
    link: LinkId = field(init=False)
    private: str = field(init=False)

    def __post_init__(self) -> None:
        more: dict[str, Any] = {"others": True} if self.provider is Provider.GOOGLE else {}
        self.link = self.office.connect(self.provider, **more).link
        self.private = self.act("calendar", title="Private life")["calendar"]

    @property
    def fake(self) -> Any:
        return self.office.fake(self.provider)

    @property
    def account(self) -> AccountId:
        found: Account = self.office.account(self.link)
        return found.id

    @property
    def primary(self) -> str:
        return next(each.id for each in self.offers().calendars if each.primary)

    def act(self, op: str, **more: Any) -> dict[str, Any]:
        """As John does over there."""
        done: dict[str, Any] = self.fake.act({"account": JOHN.email, "op": op, **more})
        return done["events"][0] if done.get("events") else done

    def event(self, span: Span = TAKEN, calendar: str = "", **more: Any) -> str:
        """A stranger's event in another calendar."""
        times = {"start": span.start.isoformat(), "end": span.end.isoformat()} | more
        return str(self.act("create", calendar=calendar or self.private, title="Dentist", **times)["id"])

    def fault(self, kind: str, times: int = 1, match: str = r"* (freeBusy|calendarView)(\?|$)") -> None:
        self.fake.faults.rules.append(Fault.of({"match": match, "kind": kind, "times": times, "skip": 0}))

    def offers(self) -> choices.Offers:
        return choices.offers(self.office.accounts, DEMO, self.account)

    def choose(self, *calendars: str) -> None:
        """These block from now on."""
        choices.block(self.office.accounts, DEMO, self.account, calendars or (self.private,), OFFICE)

    def choose_none(self) -> None:
        choices.block(self.office.accounts, DEMO, self.account, (), OFFICE)

    def work(self, after: timedelta = POLL * 1.2) -> None:
        """Workers take the turns that are due by then."""
        self.office.clock.forward(after)
        self.office.work(1)

    def kept(self) -> Blocking:
        with self.office.store.read(DEMO) as snapshot:
            [found] = snapshot.blocking(self.account)
        return found

    def age(self) -> timedelta:
        """Of what is known of the chosen calendar."""
        with self.office.store.read(DEMO) as snapshot:
            return self.office.clock.now - snapshot.foreign_origins(JOHN.id)[self.kept().origin]

    def busy(self) -> list[Span]:
        """As everybody sees it who wants to book."""
        with self.office.store.read(DEMO) as snapshot:
            return desk.free_busy(snapshot, JOHN.id, Span(NOW, NOW + 300 * DAY))

    def refused(self, start: datetime = AT) -> tuple[Reason, str] | None:
        """Why John cannot be booked then by the booking platform; None: he can, and nothing of it stays."""
        try:
            with self.office.store.write(DEMO, PLATFORM) as tx:
                name = fresh_id()
                span = Span(start, start + ADVICE.duration)
                wish = Book(uid=f"{name}@demo", span=span, zone=JOHN.zone, customer=ANN.id, service=ADVICE.id)
                desk.apply(tx, PLATFORM, tx.appointments_of(JOHN.id).id, f"{name}.ics", [wish], self.office.clock.now)
                raise _Booked
        except Refused as refused:
            return refused.reason, refused.detail
        except _Booked:
            return None


class _Booked(Exception):
    """It would have been possible."""
