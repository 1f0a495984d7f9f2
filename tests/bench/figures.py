"""Measurements made up for tests."""

from __future__ import annotations

from collections.abc import Mapping

from bench.operations import OPERATIONS
from bench.outcome import Figure, Outcome, Run
from bench.sides import GATEWAY, RADICALE


def outcome(costs: Mapping[str, float]) -> Outcome:
    figures = {key: Figure(cpu_ms=cost, p50_ms=cost * 2, requests=10) for key, cost in costs.items()}
    return Outcome(figures=figures, memory=80.0, cold=0.01)


def everything(cost: float) -> Outcome:
    """Every operation costs the same."""
    return outcome(dict.fromkeys(OPERATIONS, cost))


def run(sizes: Mapping[int, Mapping[str, Outcome]], *, measured: str = "2026-11-24T08:00:00Z", commit: str = "0123456789ab") -> Run:
    return Run(
        commit=commit,
        changed=False,
        measured=measured,
        machine="feedbeef0000",
        processor="Processor <fast> & new",
        cores=2,
        python="3.11.2",
        database="sqlite",
        sizes=sizes,
    )


def ours(costs: Mapping[str, float], **more: str) -> Run:
    """The gateway alone, at 1,000."""
    return run({1000: {GATEWAY: outcome(costs)}}, **more)


BOTH = run({size: {GATEWAY: everything(size / 1000), RADICALE: everything(size / 10)} for size in (100, 1000, 10_000)})
