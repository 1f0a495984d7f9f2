"""The rule that says when something became slower, and what it compares with."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from bench import ledger
from bench.outcome import Run
from bench.sides import GATEWAY
from tests.bench.figures import BOTH, everything, ours, run


def test_a_quarter_more_is_let_pass_and_anything_above_is_said() -> None:
    then = ours({"week": 4.0, "ctag": 4.0})
    assert ledger.slower(ours({"week": 5.0, "ctag": 4.9}), then) == []
    assert ledger.slower(ours({"week": 5.1, "ctag": 3.0}), then) == [(1000, GATEWAY, "week")]


def test_hundredths_of_a_millisecond_are_noise_however_large_their_share() -> None:
    assert ledger.slower(ours({"challenge": 0.14}), ours({"challenge": 0.10})) == []
    assert ledger.slower(ours({"challenge": 0.16}), ours({"challenge": 0.10})) == [(1000, GATEWAY, "challenge")]


def test_what_was_not_measured_before_cannot_be_slower() -> None:
    assert ledger.slower(ours({"week": 9.0, "feed-changed": 9.0}), ours({"feed-changed": 9.0})) == []
    assert ledger.slower(ours({"week": 9.0}), run({100: {GATEWAY: everything(1)}})) == []


def test_the_warning_names_request_size_figures_and_commit() -> None:
    now, then = ours({"week": 6.0}), ours({"week": 4.0}, commit="abcdef012345")
    line = ledger.warning(now, then, 1000, GATEWAY, "week")
    assert line == "warning: one week with its events at 1,000 (gateway) takes 6.00 ms CPU, 4.00 at abcdef012345: +50 %"


def test_what_is_kept_is_found_again_as_it_was(tmp_path: Path) -> None:
    path = ledger.save(BOTH, tmp_path)
    assert path == tmp_path / BOTH.machine / f"{BOTH.commit}.json"
    assert Run.from_json(json.loads(path.read_text())) == BOTH
    assert ledger.last(BOTH, tmp_path) == BOTH


def test_the_comparison_is_with_the_newest_figures_of_the_same_machine_database_and_size(tmp_path: Path) -> None:
    now = ours({"week": 1.0})
    older = ours({"week": 2.0}, measured="2026-10-01T00:00:00Z", commit="1")
    newer = ours({"week": 3.0}, measured="2026-11-01T00:00:00Z", commit="2")
    others = [
        replace(newer, machine="another", measured="2026-11-02T00:00:00Z", commit="3"),
        replace(newer, database="postgresql", measured="2026-11-02T00:00:00Z", commit="4"),
        replace(newer, sizes={100: newer.sizes[1000]}, measured="2026-11-02T00:00:00Z", commit="5"),
    ]
    assert ledger.last(now, tmp_path) is None
    for each in (newer, older, *others):
        ledger.save(each, tmp_path)
    assert ledger.last(now, tmp_path) == newer


def test_measuring_another_size_of_the_same_commit_keeps_the_first(tmp_path: Path) -> None:
    ledger.save(ours({"week": 2.0}), tmp_path)
    path = ledger.save(run({100: {GATEWAY: everything(1)}}), tmp_path)
    assert set(Run.from_json(json.loads(path.read_text())).sizes) == {100, 1000}


def test_a_machine_is_told_apart_by_its_processor_and_not_by_its_name() -> None:
    assert ledger.machine("fast", 2) == ledger.machine("fast", 2)
    assert len({ledger.machine("fast", 2), ledger.machine("fast", 4), ledger.machine("slow", 2)}) == 3
