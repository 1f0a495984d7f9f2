"""What every fake provider remembers: its clock, its chance, the mails it would have sent, what it has still to say."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta

from gateway.fakes.chance import Chance
from gateway.fakes.wire import Json, Outgoing


@dataclass(frozen=True, kw_only=True, slots=True)
class Mail:
    """A mail the real provider would have sent to a person."""

    to: str
    kind: str  # invitation, update, cancellation
    account: str
    event: str
    title: str
    despite: str = ""  # what had been asked for, where the provider mails all the same
    at: datetime


@dataclass(kw_only=True)
class Knobs:
    """How the provider behaves where the real one leaves it open, and what a test wants to see. Turned by the control."""

    auto_consent: bool = False  # the person says yes at once
    account: str = ""  # who sits at the consent page, unless the request hints at somebody
    page_size: int = 0  # no page holds more; 0: as asked
    empty_pages: bool = False  # every listing of several pages begins with an empty one
    quota: int = 0  # requests a minute and account; 0: no limit
    push: bool = True

    def turn(self, wishes: Json) -> None:
        """Set what is named. Raises ValueError for a knob that is not there or does not go that way."""
        known = {each.name: getattr(self, each.name) for each in fields(self)}
        for name, value in wishes.items():
            if name not in known:
                raise ValueError(f"there is no knob {name}; there are: {', '.join(known)}")
            if type(value) is not type(known[name]):
                raise ValueError(f"{name} takes a {type(known[name]).__name__}")
        for name, value in wishes.items():
            setattr(self, name, value)


@dataclass(kw_only=True)
class World:
    """The memory of a provider; plain values throughout, so that it can be kept in a file."""

    chance: Chance
    zone: str
    now: datetime
    tick: int = 0
    mails: list[Mail] = field(default_factory=list)
    outbox: list[Outgoing] = field(default_factory=list)
    spent: dict[str, deque[datetime]] = field(default_factory=dict)

    def step(self) -> int:
        """The next position in the order of changes."""
        self.tick += 1
        return self.tick

    def mail(self, recipients: Iterable[str], *, kind: str, account: str, event: str, title: str, despite: str = "") -> None:
        """Count a mail to each."""
        self.mails += [Mail(to=to, kind=kind, account=account, event=event, title=title, despite=despite, at=self.now) for to in recipients]

    def within(self, account: str, limit: int, window: timedelta) -> bool:
        """Whether one more request of the account stays within the limit of a sliding window. It counts only if it does."""
        past = self.spent.setdefault(account, deque())
        while past and past[0] <= self.now - window:
            past.popleft()
        if limit and len(past) >= limit:
            return False
        past.append(self.now)
        return True
