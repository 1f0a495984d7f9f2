"""What was measured before on the same kind of machine, commit by commit, and the rule that says when something became slower."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import subprocess
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from bench.operations import OPERATIONS
from bench.outcome import Outcome, Run

ROOT = Path(__file__).resolve().parents[1]
FIGURES = ROOT / "bench" / "figures"

TOLERANCE = 0.25
"""The share by which CPU per request may grow before it is said: below, it may be the machine (measured: ±15 %)."""

GRAIN = 0.05
"""Milliseconds that do not count however large their share is."""


def new_run(database: str, sizes: Mapping[int, Mapping[str, Outcome]]) -> Run:
    commit = _git("rev-parse", "--short=12", "HEAD") or "unknown"
    processor, cores = _processor(), os.cpu_count() or 1
    return Run(
        commit=commit,
        changed=bool(_git("status", "--porcelain", "--", "gateway", "plugins")),
        measured=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        machine=machine(processor, cores),
        processor=processor,
        cores=cores,
        python=platform.python_version(),
        database=database,
        sizes=sizes,
    )


def machine(processor: str, cores: int) -> str:
    """Equal for equal processors: figures of one may be compared with those of the other."""
    return hashlib.sha256(f"{processor}/{cores}".encode()).hexdigest()[:12]


def save(run: Run, folder: Path = FIGURES) -> Path:
    """One file for each machine and commit; a later run of the same commit replaces the sizes it measured and keeps the others."""
    path = folder / run.machine / f"{run.commit}{'' if run.database == 'sqlite' else f'-{run.database}'}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    made = run.json()
    if path.exists():
        made["sizes"] = json.loads(path.read_text())["sizes"] | made["sizes"]
    path.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n")
    return path


def last(run: Run, folder: Path = FIGURES) -> Run | None:
    """The newest stored figures of the same machine and database that share a size with the run."""
    found = [held for held in _stored(folder / run.machine) if held.database == run.database and held.sizes.keys() & run.sizes.keys()]
    return max(found, key=lambda held: held.measured, default=None)


def slower(now: Run, then: Run) -> list[tuple[int, str, str]]:
    """What costs more than it did, beyond tolerance: (size, side, operation)."""
    return [
        (size, side, key)
        for size, sides in now.sizes.items()
        for side, outcome in sides.items()
        for key, figure in outcome.figures.items()
        if (before := _cost(then, size, side, key)) is not None
        and figure.cpu_ms > before * (1 + TOLERANCE)
        and figure.cpu_ms > before + GRAIN
    ]


def warning(now: Run, then: Run, size: int, side: str, key: str) -> str:
    """One line about one of those."""
    before, after = _cost(then, size, side, key) or 0.0, _cost(now, size, side, key) or 0.0
    return (
        f"warning: {OPERATIONS[key].title} at {size:,} ({side}) takes {after:.2f} ms CPU, {before:.2f} at {then.commit}: "
        f"+{(after / before - 1) * 100:.0f} %"
    )


def _cost(run: Run, size: int, side: str, key: str) -> float | None:
    outcome = run.sizes.get(size, {}).get(side)
    return outcome.cost(key) if outcome is not None else None


def _stored(folder: Path) -> Iterator[Run]:
    for path in sorted(folder.glob("*.json")):
        yield Run.from_json(json.loads(path.read_text()))


def _git(*words: str) -> str:
    """What git says; "" without git."""
    try:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def _processor() -> str:
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1].strip() if found else platform.machine()
