"""What a program found out about the gateway, case by case, and the file it is kept in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

FILE = Path(__file__).with_name("results.json")


class Outcome(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One thing a program looked at; `said` is its own word for what went wrong."""

    name: str
    outcome: Outcome
    said: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """One program's whole verdict; `on` is the day, as ISO 8601 writes it."""

    tool: str
    version: str
    on: str
    cases: Sequence[Case]

    def count(self, outcome: Outcome) -> int:
        return sum(case.outcome is outcome for case in self.cases)


def load(file: Path = FILE) -> list[Measured]:
    """What was measured last; nothing when nothing was."""
    if not file.exists():
        return []
    return [
        Measured(
            tool=each["tool"],
            version=each["version"],
            on=each["on"],
            cases=[Case(name=case["name"], outcome=Outcome(case["outcome"]), said=case.get("said", "")) for case in each["cases"]],
        )
        for each in json.loads(file.read_text(encoding="utf-8"))
    ]


def save(measured: Sequence[Measured], file: Path = FILE) -> None:
    """In the same order and shape every time, so that a change shows as the lines that changed."""
    told = [
        {**asdict(each), "cases": [{name: value for name, value in asdict(case).items() if value} for case in each.cases]}
        for each in sorted(measured, key=lambda each: each.tool)
    ]
    file.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def merged(before: Sequence[Measured], now: Sequence[Measured]) -> list[Measured]:
    """What was measured now, and of what was not the last known."""
    new = {each.tool for each in now}
    return [*now, *(each for each in before if each.tool not in new)]
