"""The table's sums: medians, ratios, goals, and a staff member's day."""

from __future__ import annotations

import pytest
from rich.console import Console

from bench import report
from bench.operations import DAY, OPERATIONS, day
from bench.outcome import Figure, Outcome, Slice, ratio
from bench.sides import APPOINTMENTS, GATEWAY, RADICALE
from tests.bench.figures import everything, outcome


def test_a_figure_is_that_of_the_run_that_was_disturbed_least() -> None:
    quiet = Slice(cpu=0.010, latencies=[0.002] * 10)
    disturbed = Slice(cpu=0.900, latencies=[0.090] * 10, over=2, flaw="too many")
    slower = Slice(cpu=0.012, latencies=[0.003] * 10, wrong=1, flaw="status 500")
    figure = Figure.of([quiet, disturbed, slower])
    assert (figure.cpu_ms, figure.p50_ms, figure.requests) == (pytest.approx(1.0), pytest.approx(3), 30)
    assert (figure.wrong, figure.over, figure.flaw) == (1, 2, "too many")


def test_a_day_is_the_sum_of_what_a_staff_members_programs_ask() -> None:
    asked = sum(operation.daily for operation in OPERATIONS.values())
    assert asked == 248.5
    assert day(dict.fromkeys(OPERATIONS, 2.0)) == pytest.approx(asked * 2 / 1000)
    assert everything(2.0).cost(DAY) == pytest.approx(asked * 2 / 1000)


def test_a_day_of_which_something_was_not_measured_has_no_sum() -> None:
    assert day({"home": 1.0}) is None


def test_a_ratio_needs_both_figures() -> None:
    assert ratio(2.0, 9.0) == 4.5
    assert ratio(None, 9.0) is None
    assert ratio(2.0, None) is None


def test_a_goal_holds_up_to_its_size() -> None:
    week = OPERATIONS["week"]
    assert [week.goal(size) for size in (100, 1000, 1001, 10_000, 10_001)] == [0.9, 0.9, 5, 5, None]


def test_the_table_shows_costs_ratio_goal_and_flaws() -> None:
    console = Console(width=140)
    theirs = Figure(cpu_ms=30.0, p50_ms=31.0, requests=3, over=3, flaw="too many")
    outcomes = {
        GATEWAY: outcome({"week": 0.6}),
        APPOINTMENTS: outcome({"week": 0.7}),
        RADICALE: Outcome(figures={"week": theirs}, memory=200, cold=1.5),
    }
    with console.capture() as capture:
        console.print(report.table(1000, outcomes))
    row = next(line for line in capture.get().splitlines() if OPERATIONS["week"].title in line)
    assert [cell.strip() for cell in row.strip("│┃").split("│")] == [
        OPERATIONS["week"].title,
        "0.60",
        "1.20",
        "0.70",
        "30.0+",
        "31.0",
        "50.0",
        "0.90",
        "✓",
    ]
    assert report.flaws(1000, outcomes) == ["one week with its events at 1,000 (radicale): 0 wrong and 3 too many of 3; too many"]


@pytest.mark.parametrize(("value", "shown"), [(None, "–"), (0.0567, "0.06"), (3.14159, "3.14"), (31.4159, "31.4"), (31415.9, "31,416")])
def test_numbers_show_three_digits_that_matter(value: float | None, shown: str) -> None:
    assert report.number(value) == shown
