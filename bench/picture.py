"""The figures as a picture: CPU against calendar size, both axes logarithmic, drawn by hand as SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from bench.operations import DAY, OPERATIONS
from bench.outcome import Run, ratio
from bench.sides import GATEWAY, RADICALE

PANELS = ("sync-none", "home", "week", "put-update", "sync-initial", "feed-changed", "free-busy", DAY)
TITLES = {DAY: "a staff member’s day"}
LINES = {GATEWAY: "this gateway", RADICALE: "stock Radicale 3.9"}

_COLUMNS = 4
_WIDE, _HIGH = 250, 232  # of one panel, in user units
_LEFT, _TOP, _RIGHT, _BOTTOM = 46, 40, 34, 34  # around its plot
_HEAD = 74  # above the panels
_APART = 34  # so far apart must two points be for a word to stand between them

_STYLE = """
    text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #24292f; }
    .title { font-size: 17px; font-weight: 600; }
    .panel { font-size: 13px; font-weight: 600; }
    .small { font-size: 11px; fill: #57606a; }
    .times { font-size: 12px; font-weight: 600; fill: #0969da; }
    .paper { fill: #ffffff; }
    .grid { stroke: #d8dee4; stroke-width: 1; }
    .gateway { stroke: #0969da; fill: #0969da; }
    .radicale { stroke: #bc4c00; fill: #bc4c00; }
    polyline { fill: none !important; stroke-width: 2.25; stroke-linejoin: round; }
    .radicale polyline { stroke-dasharray: 6 4; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3; }
      .small { fill: #9198a1; }
      .times { fill: #58a6ff; }
      .paper { fill: #0d1117; }
      .grid { stroke: #30363d; }
      .gateway { stroke: #58a6ff; fill: #58a6ff; }
      .radicale { stroke: #f0883e; fill: #f0883e; }
    }"""


@dataclass(frozen=True, slots=True)
class Axis:
    """A logarithmic axis from `low` to `high`, both positive, along `length` user units."""

    low: float
    high: float
    length: float

    def at(self, value: float) -> float:
        return math.log(value / self.low) / math.log(self.high / self.low) * self.length

    def decades(self) -> list[float]:
        """The powers of ten on it."""
        first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
        return [10.0**power for power in range(first, last + 1)]


def draw(run: Run) -> str:
    """The whole picture. Panels without two sizes are left out."""
    drawn = [(key, _lines(run, key)) for key in PANELS]
    shown = [(key, lines) for key, lines in drawn if any(len(points) > 1 for points in lines.values())]
    rows = math.ceil(len(shown) / _COLUMNS)
    width, height = _COLUMNS * _WIDE + 16, _HEAD + rows * _HIGH + 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        'aria-label="Server CPU per request against the number of events in the calendar">',
        f"<style>{_STYLE}\n</style>",
        f'<rect class="paper" width="{width}" height="{height}" rx="8"/>',
        _text(16, 28, "What a request costs as the calendar grows", "title"),
        _text(16, height - 12, _source(run), "small"),
        _legend(run),
    ]
    sizes = Axis(min(run.sizes) * 0.8, max(run.sizes) * 1.25, _WIDE - _LEFT - _RIGHT)
    for place, (key, lines) in enumerate(shown):
        row, column = divmod(place, _COLUMNS)
        parts.append(f'<g transform="translate({column * _WIDE + 8} {_HEAD + row * _HIGH})">{_panel(key, lines, sizes)}</g>')
    return "\n".join([*parts, "</svg>", ""])


def _lines(run: Run, key: str) -> dict[str, list[tuple[int, float]]]:
    """By side: (size, cost), from small to large."""
    lines: dict[str, list[tuple[int, float]]] = {}
    for size, outcomes in sorted(run.sizes.items()):
        for name in LINES:
            if name in outcomes and (cost := outcomes[name].cost(key)):
                lines.setdefault(name, []).append((size, cost))
    return lines


def _panel(key: str, lines: Mapping[str, Sequence[tuple[int, float]]], sizes: Axis) -> str:
    values = [cost for points in lines.values() for _, cost in points]
    costs = Axis(
        10.0 ** math.floor(math.log10(min(values) * 0.9)), 10.0 ** math.ceil(math.log10(max(values) * 1.1)), _HIGH - _TOP - _BOTTOM
    )
    floor = _HIGH - _BOTTOM
    parts = [_text(_LEFT, 24, f"{TITLES.get(key) or OPERATIONS[key].title}", "panel")]
    for value in costs.decades():
        y = floor - costs.at(value)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_LEFT + sizes.length:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(_text(_LEFT - 6, y + 4, _unit(value, key), "small", "end"))
    parts += [_text(_LEFT + sizes.at(value), floor + 16, f"{value:,.0f}", "small", "middle") for value in sizes.decades()]
    for name, points in lines.items():
        spots = [(_LEFT + sizes.at(size), floor - costs.at(cost)) for size, cost in points]
        dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in spots)
        parts.append(f'<g class="{name}"><polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in spots)}"/>{dots}</g>')
    return "".join([*parts, *_times(lines, sizes, costs, floor)])


def _times(lines: Mapping[str, Sequence[tuple[int, float]]], sizes: Axis, costs: Axis, floor: float) -> list[str]:
    """Between the last points, or below them when they lie close: how many times one costs what the other does."""
    if GATEWAY not in lines or RADICALE not in lines:
        return []
    (size, ours), (other, theirs) = lines[GATEWAY][-1], lines[RADICALE][-1]
    times = ratio(ours, theirs)
    if size != other or times is None:
        return []
    x, low, high = _LEFT + sizes.at(size), floor - costs.at(ours), floor - costs.at(theirs)
    y = (low + high) / 2 + 4 if abs(low - high) > _APART else max(low, high) + 20
    return [_text(x, y, f"{times:,.0f} ×" if times >= 10 else f"{times:.1f} ×", "times", "middle")]


def _legend(run: Run) -> str:
    parts, x = [], 16
    for name, title in LINES.items():
        if any(name in outcomes for outcomes in run.sizes.values()):
            parts.append(f'<g class="{name}"><polyline points="{x},50 {x + 28},50"/><circle cx="{x + 14}" cy="50" r="3"/></g>')
            parts.append(_text(x + 36, 54, title, ""))
            x += 60 + 8 * len(title)
    parts.append(
        _text(x, 54, "server CPU per request (upwards) against events in the calendar (to the right); both axes logarithmic", "small")
    )
    return "".join(parts)


def _source(run: Run) -> str:
    database = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[run.database]
    return f"{run.processor}, {run.cores} cores, Python {run.python}, {database}; commit {run.commit}, {run.measured[:10]}"


def _unit(value: float, key: str) -> str:
    if key == DAY:
        return f"{value:g} s"
    return f"{value:g} ms" if value < 1000 else f"{value / 1000:g} s"


def _text(x: float, y: float, text: str, kind: str, anchor: str = "start") -> str:
    style = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{style} text-anchor="{anchor}">{escape(text)}</text>'
