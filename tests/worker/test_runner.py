"""The runner: everybody who follows the log gets on, whatever happens to one of them or to one company."""

from __future__ import annotations

import io
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway import observe
from gateway.errors import Unavailable
from gateway.model import CompanyId
from gateway.worker import Chore, Reader, Runner

SOON = 10.0  # seconds after which a test gives up
OFTEN = timedelta(milliseconds=10)
NEVER = timedelta(hours=1)
ALPHA, BETA, GAMMA = CompanyId("alpha"), CompanyId("beta"), CompanyId("gamma")


@dataclass
class Clock:
    now: datetime = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Following:
    """A reader with work in memory: companies are due until they have been caught up with."""

    name: str = "following"
    waiting: set[CompanyId] = field(default_factory=set)
    broken: dict[CompanyId, Exception] = field(default_factory=dict)
    away: Exception | None = None
    seen: list[CompanyId] = field(default_factory=list)
    failed: list[CompanyId] = field(default_factory=list)
    looks: int = 0
    leaves: bool = True  # something for a chore
    noticed: threading.Condition = field(default_factory=threading.Condition)

    def due(self, now: datetime) -> Sequence[CompanyId]:
        with self.noticed:
            self.looks += 1
            self.noticed.notify_all()
            if self.away:
                raise self.away
            return sorted(self.waiting)

    def catch_up(self, company: CompanyId, now: datetime) -> bool:
        with self.noticed:
            self.noticed.notify_all()
            if company in self.broken:
                self.failed.append(company)
                raise self.broken[company]
            self.waiting.discard(company)
            self.seen.append(company)
            return self.leaves

    def next(self, now: datetime) -> datetime | None:
        return None

    def until(self, what: Callable[[], bool]) -> None:
        with self.noticed:
            assert self.noticed.wait_for(what, SOON), "it did not happen"

    def looked_again(self, times: int = 2) -> None:
        """Waits for whole rounds, so that what did not happen in them will not happen by itself."""
        with self.noticed:
            before = self.looks
        self.until(lambda: self.looks >= before + times)


@dataclass
class Doing:
    """A chore that notes when it runs, and answers what it is told to."""

    name: str = "doing"
    again: timedelta | None = None
    broken: Exception | None = None
    runs: int = 0
    ran: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def run(self, now: datetime) -> datetime | None:
        self.runs += 1
        self.ran.release()
        if self.broken:
            raise self.broken
        return None if self.again is None else now + self.again


@contextmanager
def running(
    *readers: Reader,
    chores: Sequence[Chore] = (),
    rounds: Sequence[Chore] = (),
    clock: Clock | None = None,
    poll: timedelta = OFTEN,
    lag: int = 0,
) -> Iterator[Runner]:
    runner = Runner(clock=clock or Clock(), lag=lambda reader: lag, readers=readers, chores=chores, rounds=rounds, poll=poll)
    runner.start()
    try:
        yield runner
    finally:
        assert runner.stop(SOON)


def metric(name: str, reader: str) -> float:
    samples = (sample for family in text_string_to_metric_families(observe.metrics_text()) for sample in family.samples)
    return next((each.value for each in samples if each.name == name and each.labels.get("reader") == reader), 0.0)


def test_a_company_in_trouble_does_not_hold_up_the_others() -> None:
    reader = Following(name="troubled", waiting={ALPHA, BETA, GAMMA}, broken={ALPHA: RuntimeError("no"), BETA: ValueError("never")})
    before = metric("gateway_reader_failed_total", "troubled")
    with running(reader, poll=OFTEN):
        reader.until(lambda: GAMMA in reader.seen)
        reader.looked_again()
    assert reader.seen == [GAMMA]
    assert metric("gateway_reader_failed_total", "troubled") == before + 2


def test_a_reader_in_trouble_does_not_hold_up_the_others() -> None:
    broken, sound = Following(away=OSError("gone"), waiting={ALPHA}), Following(waiting={ALPHA})
    with running(broken, sound):
        sound.until(lambda: sound.seen == [ALPHA])
        broken.until(lambda: broken.looks > 0)


def test_what_failed_is_tried_again_after_a_pause_that_grows() -> None:
    clock, reader = Clock(), Following(waiting={ALPHA}, broken={ALPHA: RuntimeError("no")})
    with running(reader, clock=clock):
        reader.until(lambda: len(reader.failed) == 1)
        reader.looked_again()
        assert len(reader.failed) == 1
        clock.now += timedelta(seconds=1)
        reader.until(lambda: len(reader.failed) == 2)
        clock.now += timedelta(seconds=1)
        reader.looked_again()
        assert len(reader.failed) == 2
        clock.now += timedelta(seconds=1)
        reader.until(lambda: len(reader.failed) == 3)
        reader.broken.clear()
        clock.now += timedelta(minutes=1)
        reader.until(lambda: reader.seen == [ALPHA])


def test_a_busy_database_is_asked_again_when_it_said() -> None:
    clock, reader = Clock(), Following(waiting={ALPHA}, broken={ALPHA: Unavailable("busy", retry_after=30)})
    with running(reader, clock=clock):
        reader.until(lambda: len(reader.failed) == 1)
        clock.now += timedelta(seconds=29)
        reader.looked_again()
        assert len(reader.failed) == 1
        clock.now += timedelta(seconds=1)
        reader.until(lambda: len(reader.failed) == 2)


def test_a_wake_has_everybody_look_at_once() -> None:
    reader, chore = Following(), Doing()
    with running(reader, chores=[chore], poll=NEVER) as runner:
        reader.until(lambda: reader.looks == 1)
        assert chore.ran.acquire(timeout=SOON)
        reader.waiting.add(ALPHA)
        runner.wake()
        reader.until(lambda: reader.seen == [ALPHA])
        assert chore.ran.acquire(timeout=SOON)


def test_many_wakes_during_one_step_cause_one_more_look() -> None:
    entered, released = threading.Event(), threading.Event()

    class Slow(Doing):
        def run(self, now: datetime) -> datetime | None:
            entered.set()
            assert released.wait(SOON)
            return super().run(now)

    chore, barrier = Slow(), Doing(name="barrier")
    with running(chores=[chore, barrier], poll=NEVER) as runner:
        assert entered.wait(SOON)
        for _ in range(100):
            runner.wake()
        released.set()
        for _ in range(2):
            assert chore.ran.acquire(timeout=SOON)
        runner.wake()
        assert chore.ran.acquire(timeout=SOON)
    assert chore.runs == 3


def test_what_another_process_wrote_is_found_without_a_wake() -> None:
    reader = Following()
    with running(reader):
        reader.until(lambda: reader.looks > 0)
        reader.waiting.add(BETA)
        reader.until(lambda: reader.seen == [BETA])


def test_a_reader_that_leaves_something_for_a_chore_wakes_the_chores() -> None:
    reader, chore = Following(), Doing()
    with running(reader, chores=[chore]):
        assert chore.ran.acquire(timeout=SOON)
        reader.waiting.add(ALPHA)
        assert chore.ran.acquire(timeout=SOON)
        assert reader.seen == [ALPHA]


def test_a_reader_that_leaves_nothing_wakes_nobody() -> None:
    reader, chore = Following(leaves=False), Doing()
    with running(reader, chores=[chore]):
        assert chore.ran.acquire(timeout=SOON)
        reader.waiting.add(ALPHA)
        reader.until(lambda: reader.seen == [ALPHA])
        reader.looked_again()
        reader.leaves = True
        reader.waiting.add(BETA)
        assert chore.ran.acquire(timeout=SOON)
    assert chore.runs == 2


def test_a_stir_has_the_readers_look_and_nobody_else() -> None:
    reader, chore = Following(leaves=False), Doing()
    with running(reader, chores=[chore], poll=NEVER) as runner:
        reader.until(lambda: reader.looks == 1)
        assert chore.ran.acquire(timeout=SOON)
        reader.waiting.add(ALPHA)
        runner.stir()
        reader.until(lambda: reader.seen == [ALPHA])
        runner.wake()
        assert chore.ran.acquire(timeout=SOON)
    assert chore.runs == 2


def test_a_round_goes_by_the_clock_and_no_bell_hurries_it() -> None:
    slow, quick, chore = Doing(name="slow"), Doing(name="quick", again=timedelta(milliseconds=5)), Doing(name="chore")
    with running(chores=[chore], rounds=[slow, quick], poll=NEVER) as runner:
        assert slow.ran.acquire(timeout=SOON)
        assert chore.ran.acquire(timeout=SOON)
        runner.wake()
        assert chore.ran.acquire(timeout=SOON)
        for _ in range(3):
            assert quick.ran.acquire(timeout=SOON)
    assert slow.runs == 1


def test_a_chore_with_more_to_do_runs_on_unasked() -> None:
    chore = Doing(again=timedelta())
    with running(chores=[chore], poll=NEVER):
        for _ in range(3):
            assert chore.ran.acquire(timeout=SOON)


def test_a_chore_that_failed_rests_before_it_runs_again() -> None:
    clock, chore = Clock(), Doing(broken=RuntimeError("no"))
    other = Doing(name="other")
    with running(chores=[chore, other], clock=clock, poll=NEVER) as runner:
        assert chore.ran.acquire(timeout=SOON)
        runner.wake()
        assert other.ran.acquire(timeout=SOON)
        assert other.ran.acquire(timeout=SOON)
        chore.broken = None
        clock.now += timedelta(minutes=1)
        runner.wake()
        assert chore.ran.acquire(timeout=SOON)
    assert chore.runs == 2


def test_stopping_finishes_the_step_in_hand_and_begins_no_other() -> None:
    entered, released = threading.Event(), threading.Event()

    class Slow(Following):
        def catch_up(self, company: CompanyId, now: datetime) -> bool:
            entered.set()
            assert released.wait(SOON)
            return super().catch_up(company, now)

    reader = Slow(waiting={ALPHA, BETA})
    runner = Runner(clock=Clock(), lag=lambda reader: 0, readers=[reader])
    runner.start()
    assert entered.wait(SOON)
    assert not runner.stop(0.01), "the step is not over"
    released.set()
    assert runner.stop(SOON)
    assert reader.seen == [ALPHA]


def test_a_runner_that_never_started_can_be_stopped() -> None:
    assert Runner(clock=Clock(), lag=lambda reader: 0, readers=[Following()]).stop()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_dead_thread_is_told() -> None:
    class Fatal(Doing):
        def run(self, now: datetime) -> datetime | None:
            super().run(now)
            raise SystemExit

    fatal, reader = Fatal(name="fatal"), Following()
    with running(reader, chores=[fatal], poll=NEVER) as runner:
        assert fatal.ran.acquire(timeout=SOON)
        thread = next((each for each in threading.enumerate() if each.name == "fatal"), None)
        if thread is not None:
            thread.join(SOON)
        assert [trouble for trouble in runner.troubles() if "fatal" in trouble]
        assert len(runner.troubles()) == 1


def test_a_log_that_nobody_takes_any_more_ends_no_thread() -> None:
    gone = io.StringIO()
    gone.close()
    reader = Following(waiting={ALPHA}, broken={ALPHA: RuntimeError("no")})
    handlers, level = logging.getLogger().handlers, logging.getLogger().level
    observe.configure(stream=gone)
    try:
        with running(reader) as runner:
            reader.until(lambda: bool(reader.failed))
            reader.broken.clear()
            reader.until(lambda: reader.seen == [ALPHA])
            assert runner.troubles() == []
    finally:
        observe.configure(level="warning")
        logging.getLogger().handlers, logging.getLogger().level = handlers, level


def test_a_runner_at_work_has_no_troubles() -> None:
    with running(Following(), chores=[Doing()]) as runner:
        assert runner.troubles() == []


def test_how_far_a_reader_is_behind_is_measured() -> None:
    reader = Following(name="behind", waiting={ALPHA}, broken={ALPHA: RuntimeError("no")})
    with running(reader, lag=7):
        reader.until(lambda: bool(reader.failed))
        reader.looked_again()
        assert metric("gateway_reader_lag", "behind") == 7
        reader.waiting.clear()
        reader.looked_again()
        assert metric("gateway_reader_lag", "behind") == 0
