"""python -m bench: measure, show, keep, compare, profile."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from rich.console import Console

from bench import ledger, picture, report
from bench.data import Dataset
from bench.measuring import QUICK, THOROUGH, Pace, measure
from bench.operations import OPERATIONS
from bench.outcome import Outcome, Run
from bench.profiling import profile
from bench.side import Unable
from bench.sides import GATEWAY, NAMES, standing

BEFORE_TODAY = timedelta(weeks=30)
"""How far the two years of the data set reach back: the calendar looks the same whenever it is measured."""

CHECKED = 1000
"""The size at which `--check` measures."""

out = Console(width=None if sys.stdout.isatty() else 140)
err = Console(stderr=True)


def main() -> int:
    wish = _wishes()
    try:
        if wish.profile:
            profile(wish.profile, wish.against[0], dataset(wish.sizes[0]), wish.lines)
        elif wish.check:
            check()
        else:
            bench(wish)
    except (Unable, OSError) as problem:
        err.print(f"{problem}", style="red", markup=False)
        return 1
    return 0


def bench(wish: argparse.Namespace) -> None:
    """Measure as wished, print a table for each size, and keep the figures where they are asked for."""
    pace = Pace(rounds=wish.rounds)
    sizes: dict[int, dict[str, Outcome]] = {}
    for size in wish.sizes:
        sizes[size] = outcomes = _measured(size, wish.against, wish.only, wish.database, pace)
        out.print(report.table(size, outcomes))
        for line in report.flaws(size, outcomes):
            out.print(line, style="red", markup=False, highlight=False, soft_wrap=True)
        _keep(ledger.new_run(wish.database, sizes), wish)  # after each size: the next one may take long


def _keep(run: Run, wish: argparse.Namespace) -> None:
    if wish.json:
        wish.json.write_text(json.dumps(run.json(), indent=1, ensure_ascii=False) + "\n")
    if wish.picture:
        wish.picture.write_text(picture.draw(run))
    if wish.store:
        ledger.save(run)


def check() -> None:
    """Measure the gateway quickly and say what became slower since the last kept figures of this kind of machine. Never fails."""
    run = ledger.new_run("sqlite", {CHECKED: _measured(CHECKED, [GATEWAY], list(OPERATIONS), "sqlite", QUICK)})
    then = ledger.last(run)
    for line in report.flaws(CHECKED, run.sizes[CHECKED]):
        out.print(f"warning: {line}", markup=False, highlight=False, soft_wrap=True)
    if then is None:
        out.print(f"No figures are kept of a machine like this one ({run.machine}): `make bench` keeps them.")
        return
    worse = ledger.slower(run, then)
    if worse:  # once more, for what else the machine does comes and goes
        again = _measured(CHECKED, [GATEWAY], list(dict.fromkeys(key for _, _, key in worse)), "sqlite", QUICK)
        run = _cheaper(run, again)
        worse = ledger.slower(run, then)
    for size, side, key in worse:
        out.print(ledger.warning(run, then, size, side, key), markup=False, highlight=False, soft_wrap=True)
    if not worse:
        out.print(f"No request takes over {ledger.TOLERANCE:.0%} more CPU than at {then.commit}.", highlight=False)


def dataset(size: int) -> Dataset:
    today = datetime.now(UTC).date()
    return Dataset(size, _monday(today - BEFORE_TODAY))


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _measured(size: int, against: Iterable[str], keys: list[str], database: str, pace: Pace) -> dict[str, Outcome]:
    with err.status(f"{size:,} events: filling calendars") as status, standing(list(against), database, dataset(size)) as ready:
        return measure(ready, keys, pace, lambda line: status.update(f"{size:,} events, {line}"))


def _cheaper(run: Run, again: dict[str, Outcome]) -> Run:
    """The run with the smaller of both figures where something was measured twice."""
    first = run.sizes[CHECKED][GATEWAY]
    second = again[GATEWAY].figures
    figures = {key: min(figure, second.get(key, figure), key=lambda each: each.cpu_ms) for key, figure in first.figures.items()}
    return ledger.new_run(run.database, {CHECKED: {GATEWAY: Outcome(figures=figures, memory=first.memory, cold=first.cold)}})


def _wishes() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="What each request of a calendar program costs.")
    parser.add_argument("--sizes", type=_numbers, default=[100, 1000, 10_000], help="events in the calendar, with commas")
    parser.add_argument(
        "--only", type=_among(OPERATIONS), default=list(OPERATIONS), help="operations, with commas: " + ", ".join(OPERATIONS)
    )
    parser.add_argument("--against", type=_among(NAMES), default=list(NAMES), help="sides, with commas: " + ", ".join(NAMES))
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite", help="the gateway's")
    parser.add_argument("--rounds", type=int, default=THOROUGH.rounds, help="how often all of it is measured")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw the figures there, as SVG")
    parser.add_argument("--store", action="store_true", help="keep the figures with this commit, in bench/figures")
    parser.add_argument("--check", action="store_true", help="compare quickly with the last figures kept of such a machine, and warn")
    parser.add_argument(
        "--profile", choices=list(OPERATIONS), metavar="OPERATION", help="show where its time goes, on the first size and side"
    )
    parser.add_argument("--lines", type=int, default=25, help="functions that --profile shows")
    return parser.parse_args()


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


def _among(known: Iterable[str]) -> _Choice:
    return _Choice(list(known))


class _Choice:
    """Reads a list of names that are known."""

    def __init__(self, known: list[str]) -> None:
        self._known = known

    def __call__(self, text: str) -> list[str]:
        names = text.split(",")
        if unknown := [name for name in names if name not in self._known]:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: not among {', '.join(self._known)}")
        return names


if __name__ == "__main__":
    sys.exit(main())
