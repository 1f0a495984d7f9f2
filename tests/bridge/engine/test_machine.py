"""The laws of the mirror, whatever happens in whatever order: operations, faults at any request, kills at any commit (bridge.md §5.9)."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from gateway.booking import instances
from gateway.errors import GatewayError
from gateway.fakes.google import instances as instances_of
from gateway.fakes.microsoft import occurrences
from gateway.fakes.microsoft.provider import Microsoft
from gateway.links import Standing
from gateway.model import Actor, Appointment, EntryId, Recurrence, Span, Status
from tests.bridge.world import DAY, DEMO, HOUR, JOHN, NOW, Crash, World, google, microsoft

PARIS = ZoneInfo("Europe/Paris")
KINDS = ("before", "after_commit", "reset", "truncate", "status:503", "status:429", "status:403:rateLimitExceeded", "duplicate")
METHODS = ("GET .*", "POST .*/events", "PATCH .*", "DELETE .*", ".* .*")

EVER = Span(NOW, NOW + 400 * DAY)
EXAMPLES, STEPS = int(os.environ.get("MIRROR_EXAMPLES", "120")), 22
_PERSON = Actor("john-smith", "page")

CASES = {"explored": 0}
"""How many operations were tried, each in a world of its own history of faults and kills."""


class MirrorMachine(RuleBasedStateMachine):
    """John's calendar here and there, with everything that can come between."""

    world_of: Any = staticmethod(google)

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        self._folder = Path(tempfile.mkdtemp(prefix="mirror-"))
        self.world: World = self._stack.enter_context(self.world_of(self._folder))
        self.booked: list[EntryId] = []
        self.foreign: dict[str, Any] = {}

    @initialize()
    def begin(self) -> None:
        self.one(2)

    @rule(hour=st.integers(1, 60), weekly=st.booleans())
    def one(self, hour: int, weekly: bool = False) -> None:
        """A booking here."""
        CASES["explored"] += 1
        with suppress(GatewayError):
            start = NOW + DAY + hour * HOUR
            self.booked.append(self.world.book(start, recurrence=Recurrence(rule="FREQ=WEEKLY;COUNT=3") if weekly else None).id)

    @precondition(lambda self: self.booked)
    @rule(which=st.integers(0, 30), hour=st.integers(1, 60))
    def moved_here(self, which: int, hour: int) -> None:
        CASES["explored"] += 1
        with suppress(GatewayError):
            self.world.move(self._pick(which), NOW + DAY + hour * HOUR)

    @precondition(lambda self: self.booked)
    @rule(which=st.integers(0, 30), date=st.integers(0, 2), hour=st.integers(-3, 3))
    def date_here(self, which: int, date: int, hour: int) -> None:
        """An occurrence is moved, or (0) cancelled here."""
        CASES["explored"] += 1
        entry = self.world.held(self._pick(which))
        if entry.recurrence is None:
            return
        at = entry.span.start + date * 7 * DAY
        with suppress(GatewayError):
            if hour:
                self.world.move(entry.id, at + hour * HOUR, at=at)
            else:
                self.world.cancel(entry.id, at=at)

    @precondition(lambda self: self.booked)
    @rule(which=st.integers(0, 30))
    def cancelled_here(self, which: int) -> None:
        CASES["explored"] += 1
        with suppress(GatewayError):
            self.world.cancel(self._pick(which))

    @rule(which=st.integers(0, 30), hour=st.integers(1, 60))
    def dragged_there(self, which: int, hour: int) -> None:
        CASES["explored"] += 1
        found = self.world.there()
        if found:
            start = (NOW + DAY + hour * HOUR).astimezone(PARIS)
            with suppress(LookupError, ValueError):
                self.world.act(
                    "move", id=found[which % len(found)]["id"], start=start.isoformat(), end=(start + timedelta(minutes=30)).isoformat()
                )

    @rule(which=st.integers(0, 30), title=st.sampled_from(["Mine now", "<b>bold</b>"]))
    def edited_there(self, which: int, title: str) -> None:
        CASES["explored"] += 1
        found = self.world.there()
        if found:
            self.world.act("edit", id=found[which % len(found)]["id"], title=title)

    @rule(which=st.integers(0, 30))
    def deleted_there(self, which: int) -> None:
        CASES["explored"] += 1
        found = [each for each in self.world.there() if each["id"] not in self.foreign]
        if found:
            self.world.act("delete", id=found[which % len(found)]["id"])

    @rule(which=st.integers(0, 30))
    def copied_there(self, which: int) -> None:
        """Marker and all: the copy is the person's own."""
        CASES["explored"] += 1
        found = self.world.there()
        if found:
            for made in self.world.act("copy", id=found[which % len(found)]["id"])["events"]:
                self.foreign[made["id"]] = self._row(made["id"])

    @rule(day=st.integers(100, 120))
    def made_there(self, day: int) -> None:
        CASES["explored"] += 1
        calendar = self.world.known().calendar
        made = self.world.act("create", calendar=calendar, title="Dentist", start=(NOW + day * DAY).isoformat())
        for each in made["events"]:
            self.foreign[each["id"]] = self._row(each["id"])

    @rule(match=st.sampled_from(METHODS), kind=st.sampled_from(KINDS), skip=st.integers(0, 3), times=st.integers(1, 3))
    def goes_wrong(self, match: str, kind: str, skip: int, times: int) -> None:
        CASES["explored"] += 1
        if kind.startswith("status:403") and isinstance(self.world.fake, Microsoft):
            kind = "status:429"  # patience is asked for in another way there
        self.world.fault(match, kind, times, skip)

    @rule()
    def cursors_expire(self) -> None:
        CASES["explored"] += 1
        self.world.fake.expire_cursors({})

    @rule(bomb=st.integers(0, 6), after=st.booleans())
    def killed(self, bomb: int, after: bool) -> None:
        """A worker is killed at a commit; another one takes over once the lease has run out."""
        CASES["explored"] += 1
        self.world.store.bomb, self.world.store.after = bomb, after
        with suppress(Crash):
            self.turns(1)
        self.world.store.bomb = None
        self.world.clock.forward(timedelta(minutes=1))

    @rule(number=st.integers(1, 2))
    def turns(self, number: int) -> None:
        CASES["explored"] += 1
        for _ in range(number):
            self.world.clock.forward(timedelta(minutes=2))
            self.world.turn()

    def teardown(self) -> None:
        try:
            self._laws_hold()
        finally:
            self._stack.close()
            shutil.rmtree(self._folder, ignore_errors=True)

    def _laws_hold(self) -> None:
        world = self.world
        world.fake.faults.rules.clear()
        world.clock.forward(2 * HOUR)  # whatever waited after an error is due
        for _ in range(4):
            if world.known().standing == "guard":
                self._person_allows()
            world.settle(1)
            world.clock.forward(HOUR)
        here, there = self._here(), self._there()
        assert here == there, "both sides are equal (I1), each event once (I4)"
        before = len(world.wire.sent)
        world.turn()
        assert world.wire.writes(before) == [], "a converged world is written to no more (I2)"
        asked = [each for each in world.wire.sent[before:] if not each[1].endswith(("/token", "/openid-configuration"))]
        assert len(asked) <= 1, "and costs one listing"
        for name, row in self.foreign.items():
            assert self._row(name) == row, "nobody else's event was touched (I3)"
        assert world.fake.mails == [], "the provider never mailed anybody (I8)"
        assert b"attendees" not in b"".join(world.wire.bodies)

    def _person_allows(self) -> None:
        with self.world.store.write(DEMO, _PERSON) as tx:
            link = tx.link(self.world.link)
            now = self.world.clock.now
            tx.save_link(replace(link, standing=Standing.ACTIVE, allowed=now + 6 * HOUR, cursor=None, due=now))

    def _here(self) -> list[datetime]:
        found = []
        with self.world.store.read(DEMO) as snapshot:
            for held in snapshot.appointments(staff=[JOHN.id], window=None):
                entry = held.entry
                assert isinstance(entry, Appointment)
                if entry.status is not Status.CANCELLED:
                    found += [each.span.start for each in instances(entry, within=EVER)]
        return sorted(found)

    def _rows(self) -> dict[str, Any]:
        if isinstance(self.world.fake, Microsoft):
            return dict(self.world.fake.world.mailboxes[JOHN.email].rows)
        return {name: row for calendar in self.world.fake.world.calendars.values() for name, row in calendar.rows.items()}

    def _there(self) -> list[datetime]:
        """Where our events take place over there, occurrence by occurrence, as the provider itself expands them."""
        ours = {item.remote for item in self.world.items() if item.condition != "foreign"}
        found: list[datetime] = []
        for row in self._rows().values():
            if self._cancelled(row) or row.master or row.id in self.foreign or not (row.by or row.id in ours):
                continue
            found += self._instances(row) if row.series else [row.times.start]
        return sorted(found)

    def _instances(self, row: Any) -> list[datetime]:
        if isinstance(self.world.fake, Microsoft):
            mailbox = self.world.fake.world.mailboxes[JOHN.email]
            return [each.times.start for each in occurrences.expand(mailbox, row, EVER)]
        calendar = self.world.fake.world.calendars[self.world.known().calendar]
        return [each.times.start for each in instances_of.expand(calendar, row, EVER, deleted=False)]

    def _cancelled(self, row: Any) -> bool:
        return row.cancelled is True  # at Microsoft: the dates of a series that are

    def _row(self, id: str) -> Any:
        row = self._rows().get(id)
        return None if row is None else (getattr(row, "version", None) or row.change_key, row.times, row.body)

    def _pick(self, which: int) -> EntryId:
        return self.booked[which % len(self.booked)]


class GraphMachine(MirrorMachine):
    """The same at Microsoft, whose delta has traps of its own."""

    world_of = staticmethod(microsoft)


HOW = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    derandomize="MIRROR_EXAMPLES" not in os.environ,  # `make soak` looks for new trouble, `make test` for none
    database=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)


@pytest.mark.parametrize("machine", [MirrorMachine, GraphMachine], ids=["google", "graph"])
def test_the_laws_hold_whatever_happens(machine: type[MirrorMachine], capsys: pytest.CaptureFixture[str]) -> None:
    before = CASES["explored"]
    run_state_machine_as_test(machine, settings=HOW)  # type: ignore[no-untyped-call]  # the library has no types here
    explored = CASES["explored"] - before
    with capsys.disabled():
        sys.stdout.write(f"\n{explored} cases of the mirror explored: {machine.__name__}\n")
    assert explored >= 1000
