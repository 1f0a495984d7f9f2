"""Asking the same of all sides in turn, A B A B, and counting what each answer cost its server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bench.operations import OPERATIONS, Ask, Operation
from bench.outcome import Figure, Outcome, Slice
from bench.side import Side, Unable
from bench.sides import Standing

Told = Callable[[str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """How long a run of equal requests is: until `most` requests or `seconds` have passed, but at least `least` requests."""

    rounds: int = 3
    most: int = 300
    least: int = 3
    seconds: float = 1.5


THOROUGH = Pace()
QUICK = Pace(rounds=3, most=100, seconds=0.35)


def measure(standings: Sequence[Standing], keys: Sequence[str], pace: Pace, told: Told = lambda line: None) -> dict[str, Outcome]:
    """Every operation on every side, in turns. `told` hears what is being done."""
    sides = [side for standing in standings for side in standing.sides]
    runs: dict[tuple[str, str], list[Slice]] = {}
    for side in sides:
        for key in keys:
            _warm(side, OPERATIONS[key])
    for number in range(pace.rounds):
        for key in keys:
            for side in sides if number % 2 == 0 else reversed(sides):
                told(f"round {number + 1}: {OPERATIONS[key].title}, {side.name}")
                if (run := run_of(side, OPERATIONS[key], pace)) is not None:
                    runs.setdefault((side.name, key), []).append(run)
    outcomes = {}
    for standing in standings:
        for side in standing.sides:
            figures = {key: Figure.of(runs[side.name, key]) for key in keys if (side.name, key) in runs}
            outcomes[side.name] = Outcome(figures=figures, memory=side.meter.resident(), cold=standing.cold)
    return outcomes


def run_of(side: Side, operation: Operation, pace: Pace) -> Slice | None:
    """One run of equal requests; None when there is nothing to ask on this side. Raises Unable."""
    if not operation.applies(side):
        return None
    operation.prepare(side)
    for wire in (side.wire, side.stranger, side.feed_wire):
        wire.connect()
    side.meter.look_again()
    run = _one_by_one(side, operation, pace) if operation.before is not None else _in_a_row(side, operation, pace)
    side.tidy()
    return run if run.latencies else None


def _warm(side: Side, operation: Operation) -> None:
    """Once without counting: whatever a server does only the first time has been done then."""
    run_of(side, operation, Pace(rounds=1, most=1, least=1))


def _in_a_row(side: Side, operation: Operation, pace: Pace) -> Slice:
    """Everything between the first request and the quiet after the last answer counts, the server's own work in between too."""
    tally = _Tally()
    before = side.meter.settled_cpu()
    for ask in _asks(side, operation, pace):
        tally.take(ask)
    return tally.slice(side.meter.settled_cpu() - before)


def _one_by_one(side: Side, operation: Operation, pace: Pace) -> Slice:
    """Only from each request to the quiet after its answer: something else has to be done in between."""
    tally, cpu = _Tally(), 0.0
    for ask in _asks(side, operation, pace):
        before = side.meter.settled_cpu()
        tally.take(ask)
        cpu += side.meter.settled_cpu() - before
    return tally.slice(cpu)


def _asks(side: Side, operation: Operation, pace: Pace) -> Iterator[Ask]:
    end = time.perf_counter() + pace.seconds
    for number in range(pace.most):
        if number >= pace.least and time.perf_counter() > end:
            return
        if operation.before is not None:
            operation.before(side)
        ask = operation.ask(side)
        if ask is None:
            return
        yield ask


class _Tally:
    """What happened in one run."""

    def __init__(self) -> None:
        self._latencies: list[float] = []
        self._wrong = self._over = 0
        self._flaw = ""

    def take(self, ask: Ask) -> None:
        started = time.perf_counter()
        try:
            answer = ask.wire.ask(ask.method, ask.path, ask.body, ask.headers)
        except OSError as error:
            raise Unable(f"{ask.method} {ask.path}: {error}") from error
        self._latencies.append(time.perf_counter() - started)
        flaw = ask.check(answer)
        if flaw is not None:
            self._over += flaw.over
            self._wrong += not flaw.over
            self._flaw = self._flaw or flaw.text

    def slice(self, cpu: float) -> Slice:
        return Slice(cpu=cpu, latencies=self._latencies, wrong=self._wrong, over=self._over, flaw=self._flaw)
