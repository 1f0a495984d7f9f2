"""The figures as a table: what each request costs, how that compares with stock Radicale, and with what we aim at."""

from __future__ import annotations

from collections.abc import Mapping

from rich.table import Table

from bench.operations import DAY, DAY_GOALS, OPERATIONS
from bench.outcome import Figure, Outcome, ratio
from bench.sides import APPOINTMENTS, GATEWAY, RADICALE


def table(size: int, outcomes: Mapping[str, Outcome]) -> Table:
    """One size. CPU and latency in milliseconds; the day in seconds. ! marks wrong answers, + answers that named too much."""
    made = Table(title=f"{size:,} events", title_justify="left", caption_justify="left", caption=_caption(outcomes))
    made.add_column("request", no_wrap=True)
    names = [name for name in (GATEWAY, APPOINTMENTS, RADICALE) if name in outcomes]
    for name in names:
        made.add_column(f"{name}\nCPU ms", justify="right")
        if name != APPOINTMENTS:
            made.add_column("p50 ms", justify="right")
    if RADICALE in outcomes:
        made.add_column("times\ncheaper", justify="right")
    made.add_column("goal", justify="right")
    made.add_column("")
    for key, operation in OPERATIONS.items():
        if any(key in outcome.figures for outcome in outcomes.values()):
            made.add_row(operation.title, *_cells(outcomes, names, key, operation.goal(size)))
    made.add_section()
    goal = next((goal for most, goal in sorted(DAY_GOALS.items()) if size <= most), None)
    made.add_row("a staff member's day, CPU s", *_cells(outcomes, names, DAY, goal))
    return made


def met(cost: float | None, goal: float | None) -> str:
    """Whether the goal is reached, in a sign."""
    return "" if cost is None or goal is None else "✓" if cost <= goal else "✗"


def number(value: float | None) -> str:
    """Three digits that matter; "–" when there is none."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def flaws(size: int, outcomes: Mapping[str, Outcome]) -> list[str]:
    """A line for every operation that was answered wrongly."""
    return [
        f"{OPERATIONS[key].title} at {size:,} ({name}): {figure.wrong} wrong and {figure.over} too many of {figure.requests}; {figure.flaw}"
        for name, outcome in outcomes.items()
        for key, figure in outcome.figures.items()
        if figure.wrong or figure.over
    ]


def _cells(outcomes: Mapping[str, Outcome], names: list[str], key: str, goal: float | None) -> list[str]:
    cells = []
    for name in names:
        figure = outcomes[name].figures.get(key)
        cells.append(number(outcomes[name].cost(key)) + _mark(figure))
        if name != APPOINTMENTS:
            cells.append(number(figure.p50_ms) if figure is not None else "")
    ours = outcomes[GATEWAY].cost(key) if GATEWAY in outcomes else None
    if RADICALE in outcomes:
        times = ratio(ours, outcomes[RADICALE].cost(key))
        cells.append(f"{number(times)}" if times is not None else "–")
    return [*cells, number(goal) if goal is not None else "–", met(ours, goal)]


def _mark(figure: Figure | None) -> str:
    return "" if figure is None else "!" * bool(figure.wrong) + "+" * bool(figure.over)


def _caption(outcomes: Mapping[str, Outcome]) -> str:
    parts = []
    for name, outcome in outcomes.items():
        if name != APPOINTMENTS or GATEWAY not in outcomes:
            parts.append(f"{name}: {outcome.memory:.0f} MiB resident, first answer after {number(outcome.cold)} s")
    return "; ".join(parts)
