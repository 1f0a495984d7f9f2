"""The laws of the engine, on two calendars on paper: operations, faults before and after calls, kills at commits (bridge.md §5.9)."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from gateway import desk as front
from gateway.booking import Amend, instances
from gateway.bridge.owned import times
from gateway.bridge.remote import CursorExpired, RemoteError
from gateway.errors import GatewayError
from gateway.links import Key, Owned, Standing
from gateway.model import Actor, Appointment, EntryId, OnDelete, Recurrence, Span, Status
from tests.bridge.engine.paper import PATIENCE, UNREACHABLE, Desk, Event, paper_desk
from tests.bridge.wire import NOW
from tests.bridge.world import DAY, DEMO, HOUR, JOHN, PLATFORM, Crash

EXAMPLES, STEPS = int(os.environ.get("MIRROR_EXAMPLES", "60")), 25
OTHER = "elsewhere"
EVER = Span(NOW, NOW + 400 * DAY)
HALF = timedelta(minutes=30)
KINDS = ("", "list", "page", "create", "update", "delete", "get", "find", "occurrence")
QUIRKS = ("shouting", "hints", "narrow", "forgetful")
hours, picks = st.integers(1, 60), st.integers(0, 30)
places = st.sampled_from(["appointments", OTHER])


def shouted(owned: Owned) -> Owned:
    """As a provider that gives back nothing as it was given."""
    return replace(owned, text=owned.text.upper(), rule=f"{owned.rule};WKST=MO" if owned.rule else "")


class Laws(RuleBasedStateMachine):
    """John's appointments, and two links of his account."""

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        self._folder = Path(tempfile.mkdtemp(prefix="laws-"))
        self.booked: list[EntryId] = []
        self.foreign: dict[tuple[str, str], Any] = {}

    @initialize(policy=st.sampled_from(list(OnDelete)), quirks=st.sets(st.sampled_from(QUIRKS)), here=st.integers(1, 9))
    def begin(self, policy: OnDelete, quirks: set[str], here: int) -> None:
        """With a provider that has some quirks."""
        self.desk: Desk = self._stack.enter_context(paper_desk(self._folder, on_delete=policy))
        self.desk.second(OTHER, OTHER)
        paper = self.desk.paper
        paper.hints, paper.forgetful = "hints" in quirks, "forgetful" in quirks
        paper.spelling = shouted if "shouting" in quirks else paper.spelling
        paper.expressible = _narrow if "narrow" in quirks else paper.expressible
        self.one(here, weekly=False)

    @rule(hour=hours, weekly=st.booleans())
    def one(self, hour: int, weekly: bool) -> None:
        with suppress(GatewayError):
            start = NOW + DAY + hour * HOUR
            self.booked.append(self.desk.book(start, recurrence=Recurrence(rule="FREQ=WEEKLY;COUNT=3") if weekly else None).id)

    @precondition(lambda self: self.booked)
    @rule(which=picks, hour=hours)
    def moved_here(self, which: int, hour: int) -> None:
        with suppress(GatewayError):
            self.desk.move(self._pick(which), NOW + DAY + hour * HOUR)

    @precondition(lambda self: self.booked)
    @rule(which=picks, date=st.integers(0, 2), hour=st.integers(-3, 3))
    def date_here(self, which: int, date: int, hour: int) -> None:
        entry = self.desk.held(self._pick(which))
        at = entry.span.start + date * 7 * DAY
        with suppress(GatewayError):
            if entry.recurrence is not None and hour:
                self.desk.move(entry.id, at + hour * HOUR, at=at)
            elif entry.recurrence is not None:
                self.desk.cancel(entry.id, at=at)

    @precondition(lambda self: self.booked)
    @rule(which=picks, count=st.integers(2, 4))
    def rule_here(self, which: int, count: int) -> None:
        entry = self.desk.held(self._pick(which))
        if entry.recurrence is not None:
            longer = replace(entry.recurrence, rule=f"FREQ=WEEKLY;COUNT={count}")
            with suppress(GatewayError), self.desk.store.write(DEMO, PLATFORM) as tx:
                front.apply_to(tx, PLATFORM, entry.id, [Amend(recurrence=longer)], self.desk.clock.now)

    @precondition(lambda self: self.booked)
    @rule(which=picks)
    def cancelled_here(self, which: int) -> None:
        with suppress(GatewayError):
            self.desk.cancel(self._pick(which))

    @rule(where=places, which=picks, hour=hours)
    def dragged_there(self, where: str, which: int, hour: int) -> None:
        if event := self._ours(where, which):
            self.desk.paper.move(where, event.id, NOW + DAY + hour * HOUR)

    @rule(where=places, which=picks, date=st.integers(0, 2), hour=st.integers(-3, 3))
    def date_there(self, where: str, which: int, date: int, hour: int) -> None:
        event = self._ours(where, which)
        if event is not None and event.owned is not None and event.owned.rule:
            at = event.owned.span.start + date * 7 * DAY
            self.desk.paper.date(where, event.id, at, Span(at + hour * HOUR, at + hour * HOUR + HALF) if hour else None)

    @rule(where=places, which=picks)
    def edited_there(self, where: str, which: int) -> None:
        if event := self._ours(where, which):
            self.desk.paper.change(where, event.id, title="Mine now")

    @rule(where=places, which=picks)
    def deleted_there(self, where: str, which: int) -> None:
        if event := self._ours(where, which):
            self.desk.paper.delete(where, event.id)

    @rule(where=places, which=picks)
    def copied_there(self, where: str, which: int) -> None:
        if event := self._ours(where, which):
            self._foreign(where, self.desk.paper.copy(where, event.id))

    @rule(where=places, day=st.integers(100, 120))
    def made_there(self, where: str, day: int) -> None:
        name = f"foreign-{len(self.foreign)}"
        dentist = Owned(span=Span(NOW + day * DAY, NOW + day * DAY + HOUR), zone="Europe/Paris", title="Dentist")
        self.desk.paper.put(where, Event(id=name, owned=dentist))
        self._foreign(where, name)

    @rule(
        kind=st.sampled_from(KINDS),
        error=st.sampled_from([UNREACHABLE, UNREACHABLE, PATIENCE]),
        when=st.sampled_from(["before", "after"]),
        skip=st.integers(0, 3),
        times=st.integers(1, 4),
    )
    def goes_wrong(self, kind: str, error: RemoteError, when: str, skip: int, times: int) -> None:
        self.desk.failing(kind, error, when="before" if error is PATIENCE else when, skip=skip, times=times)

    @rule()
    def forgets(self) -> None:
        self.desk.paper.forgotten = len(self.desk.paper.changes) + 1
        self.desk.failing("list", CursorExpired("Too old."), times=1)

    @rule(bomb=st.integers(0, 9), after=st.booleans())
    def killed(self, bomb: int, after: bool) -> None:
        self.desk.store.bomb, self.desk.store.after = bomb, after
        with suppress(Crash):
            self.turns(1, 120)
        self.desk.store.bomb = None
        self.desk.clock.forward(timedelta(minutes=1))

    @rule(number=st.integers(1, 2), seconds=st.sampled_from([1, 120]))
    def turns(self, number: int, seconds: int) -> None:
        """A poll apart, or one right after the other: then what failed rests still."""
        for _ in range(number):
            self.desk.clock.forward(timedelta(seconds=seconds))
            self.desk.turn()

    def teardown(self) -> None:
        try:
            if hasattr(self, "desk"):
                self._laws_hold()
        finally:
            self._stack.close()
            shutil.rmtree(self._folder, ignore_errors=True)

    def _laws_hold(self) -> None:
        desk = self.desk
        desk.sound()
        desk.paper.forgotten = 0
        for _ in range(5):
            desk.clock.forward(2 * HOUR)
            self._person_allows()
            desk.turn()
        here = self._here()
        for where in ("appointments", OTHER):
            assert self._there(where) == here, "both sides are equal (I1), each event once (I4)"
        before = desk.mark
        desk.turn()
        assert desk.asked(before) == ["list", "list"], "a converged world is only looked at (I2)"
        for (where, name), event in self.foreign.items():
            assert desk.paper.events[where].get(name) == event, "nobody else's event was touched (I3)"
        self._accepted()

    def _accepted(self) -> None:
        """What the history says was taken over is what the log has of it, and nothing else."""
        with self.desk.store.read(DEMO) as snapshot:
            changes = [each for entry in self.booked for each in snapshot.changes_of(entry)]
            done = [each for each in changes if each.reason is None and each.actor.door.startswith("mirror")]
            said = [each.kind for link in (self.desk.link, OTHER) for each in snapshot.history(link, 500)]  # type: ignore[arg-type]
        assert len(done) <= said.count("moved") + said.count("cancelled"), "each is recorded"
        assert all(each.after is not None and each.before is not None for each in done)

    def _person_allows(self) -> None:
        with self.desk.store.write(DEMO, Actor("john-smith", "page")) as tx:
            for link in tx.links():
                if link.standing is Standing.GUARD:
                    now = self.desk.clock.now
                    tx.save_link(replace(link, standing=Standing.ACTIVE, allowed=now + HOUR, cursor=None, due=now))

    def _here(self) -> list[datetime]:
        with self.desk.store.read(DEMO) as snapshot:
            entries = [held.entry for held in snapshot.appointments(staff=[JOHN.id], window=None)]
        return sorted(
            each.span.start
            for entry in entries
            if isinstance(entry, Appointment) and entry.status is not Status.CANCELLED
            for each in instances(entry, within=EVER)
        )

    def _there(self, where: str) -> list[datetime]:
        """Where our events take place on paper, occurrence by occurrence."""
        events = self.desk.paper.events.get(where, {})
        found: list[datetime] = []
        for event in events.values():
            if event.owned is None or event.master or event.ours is None or (where, event.id) in self.foreign:
                continue
            differing = {each.at: each.owned for each in events.values() if each.master == event.id}
            spans = [span for span in times(event.owned, EVER) if span.start not in differing]
            moved = [each.span for at, each in differing.items() if each is not None and at in {s.start for s in times(event.owned, EVER)}]
            found += [span.start for span in (*spans, *moved)]
        return sorted(found)

    def _ours(self, where: str, which: int) -> Event | None:
        found = [event for event in self.desk.events(where) if event.ours is not None and not event.master]
        found = [event for event in found if (where, event.id) not in self.foreign]
        return found[which % len(found)] if found else None

    def _foreign(self, where: str, name: str) -> None:
        self.foreign[where, name] = self.desk.paper.events[where][name]

    def _pick(self, which: int) -> EntryId:
        return self.booked[which % len(self.booked)]


def _narrow(key: Key, owned: Owned) -> bool:
    """A provider that cannot move a date by two hours and more."""
    return key.at is None or key.generation >= 1_000_000 or abs(owned.span.start - key.at) < 2 * HOUR


HOW = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    derandomize="MIRROR_EXAMPLES" not in os.environ,
    database=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)


def test_the_laws_hold_for_two_links_whatever_happens() -> None:
    run_state_machine_as_test(Laws, settings=HOW)  # type: ignore[no-untyped-call]  # the library has no types here
