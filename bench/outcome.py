"""What a measurement found, as values: a figure for each request, side and size, and how they are kept as JSON."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from bench.operations import DAY, day


@dataclass(frozen=True, kw_only=True, slots=True)
class Slice:
    """One run of equal requests: how many, the CPU they took in seconds, each one's latency, and what was wrong."""

    cpu: float
    latencies: Sequence[float]
    wrong: int = 0
    over: int = 0
    flaw: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """What one request costs: CPU and median latency in milliseconds. `over`: answers that named too much, `wrong`: all other flaws."""

    cpu_ms: float
    p50_ms: float
    requests: int
    wrong: int = 0
    over: int = 0
    flaw: str = ""

    @classmethod
    def of(cls, slices: Sequence[Slice]) -> Figure:
        """CPU of the cheapest run: what else the machine does takes caches away and can only add to it."""
        return cls(
            cpu_ms=min(each.cpu / len(each.latencies) for each in slices) * 1000,
            p50_ms=statistics.median(latency for each in slices for latency in each.latencies) * 1000,
            requests=sum(len(each.latencies) for each in slices),
            wrong=sum(each.wrong for each in slices),
            over=sum(each.over for each in slices),
            flaw=next((each.flaw for each in slices if each.flaw), ""),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """One side at one size. `memory` in MiB after everything; `cold`: seconds until the first answer about the calendar."""

    figures: Mapping[str, Figure]
    memory: float
    cold: float

    def cost(self, key: str) -> float | None:
        """CPU milliseconds of an operation, or seconds of a staff member's day."""
        if key == DAY:
            return day({each: figure.cpu_ms for each, figure in self.figures.items()})
        figure = self.figures.get(key)
        return figure.cpu_ms if figure is not None else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """A whole measurement: by size, then by side. `measured` is an ISO instant in UTC; `machine` says which one without a name."""

    commit: str
    changed: bool  # files differed from the commit
    measured: str
    machine: str
    processor: str
    cores: int
    python: str
    database: str
    sizes: Mapping[int, Mapping[str, Outcome]] = field(default_factory=dict)

    def json(self) -> dict[str, Any]:  # Any: what JSON holds
        made = asdict(self)
        made["sizes"] = {str(size): {name: _rounded(outcome) for name, outcome in sides.items()} for size, sides in self.sizes.items()}
        return made

    @classmethod
    def from_json(cls, held: Mapping[str, Any]) -> Run:
        sizes = {int(size): {name: _outcome(each) for name, each in sides.items()} for size, sides in held["sizes"].items()}
        return cls(**{**held, "sizes": sizes})


def ratio(ours: float | None, theirs: float | None) -> float | None:
    """How many times cheaper ours is."""
    return theirs / ours if ours and theirs else None


def _rounded(outcome: Outcome) -> dict[str, Any]:
    figures = {
        key: {name: round(value, 4) if isinstance(value, float) else value for name, value in asdict(figure).items() if value != ""}
        for key, figure in outcome.figures.items()
    }
    return {"memory": round(outcome.memory, 1), "cold": round(outcome.cold, 3), "figures": figures}


def _outcome(held: Mapping[str, Any]) -> Outcome:
    figures = {key: Figure(**figure) for key, figure in held["figures"].items()}
    return Outcome(figures=figures, memory=held["memory"], cold=held["cold"])
