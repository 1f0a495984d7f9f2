"""The measurement of many links, made with a few: every part counts what it says it counts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_a_small_measurement_fills_looks_and_finds_quiet(tmp_path: Path) -> None:
    target = tmp_path / "figures.json"
    words = ["--links", "6", "--period", "3", "--rounds", "2", "--json", str(target)]
    done = subprocess.run(
        [sys.executable, "-m", "bench.mirrors", *words], cwd=ROOT, capture_output=True, text=True, timeout=500, check=False
    )
    assert done.returncode == 0, done.stderr
    filling, steady, at_once = json.loads(target.read_text())["parts"]
    assert filling["writes"] == 6
    assert (steady["writes"], at_once["writes"]) == (0, 0), "a calm world is only looked at"
    assert steady["looks"] >= 6
    assert at_once["looks"] >= 6
