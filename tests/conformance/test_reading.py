"""What the programs print is read as they mean it."""

from __future__ import annotations

import json
from pathlib import Path

from conformance import reading, results
from conformance.results import Case, Measured, Outcome

LITMUS = (
    "-> running `basic':\n"
    " 0. init.................. \r 0. init.................. pass\n"
    " 1. options............... WARNING: server does not claim Class 2 compliance\n"
    "    ...................... pass (with 1 warning)\n"
    " 2. mkcol................. \r 2. mkcol................. FAIL (MKCOL http://127.0.0.1:8080/dav/x/:\n"
    "403 Forbidden)\n"
    " 3. again................. \r 3. again................. SKIPPED\n"
    "-> 1 test was skipped.\n"
    "<- summary for `basic': of 3 tests run: 2 passed, 1 failed. 66.7%\n"
    "-> running `props':\n"
    " 0. propget............... \r 0. propget............... pass\n"
    " 1. propget............... \r 1. propget............... FAIL (no value)\n"
)


def told(cases: list[Case]) -> list[tuple[str, str, str]]:
    return [(case.name, case.outcome.value, case.said) for case in cases]


def test_every_test_of_litmus_has_an_outcome() -> None:
    assert told(reading.litmus(LITMUS)) == [
        ("basic: init", "passed", ""),
        ("basic: options", "passed", "WARNING: server does not claim Class 2 compliance"),
        ("basic: mkcol", "failed", "MKCOL /dav/x/: 403 Forbidden"),
        ("basic: again", "skipped", ""),
        ("props: propget", "passed", ""),
        ("props: propget (2)", "failed", "no value"),
    ]


def test_a_feature_is_supported_fully_or_not_at_all() -> None:
    text = """a line that some library prints first
{
    'get-current-user-principal.has-calendar': {'value': True},
    'save-load.event': {'support': 'full', 'behaviour': 'as it should'},
    'search.text': {'support': 'fragile', 'behaviour': 'sometimes'},
    'scheduling': {'support': 'unsupported'},
    'well-known': {'support': 'unknown', 'behaviour': 'loopback'},
}
"""
    assert told(reading.server_tester(text)) == [
        ("save-load.event", "passed", ""),
        ("scheduling", "failed", "unsupported"),
        ("search.text", "failed", "fragile: sometimes"),
        ("well-known", "skipped", "unknown: loopback"),
    ]


def test_the_names_of_checks_are_the_same_in_every_run() -> None:
    rows = [
        ["PASS", "detection finds calendars from http://127.0.0.1:18555/dav/", "[...]"],
        ["FAIL", "first sync", "no answer"],
        ["NOTE", "the library shows something", ""],
        ["PASS", "first sync", ""],
        ["SKIP", "move", ""],
    ]
    assert told(reading.client_check(json.dumps({"name": "x", "rows": rows}))) == [
        ("detection finds calendars from /dav/", "passed", ""),
        ("first sync", "failed", "no answer"),
        ("first sync (2)", "passed", ""),
        ("move", "skipped", ""),
    ]


def test_what_is_kept_comes_back_and_what_was_not_measured_again_stays(tmp_path: Path) -> None:
    old = [Measured(tool=tool, version="1", on="2026-11-23", cases=[Case(name="a", outcome=Outcome.PASSED)]) for tool in ("b", "a")]
    new = [Measured(tool="b", version="2", on="2026-11-24", cases=[Case(name="a", outcome=Outcome.FAILED, said="no")])]
    file = tmp_path / "results.json"
    results.save(results.merged(old, new), file)
    first = file.read_text()
    assert results.load(file) == [old[1], new[0]]
    results.save(results.load(file), file)
    assert file.read_text() == first
    assert results.load(tmp_path / "nothing.json") == []


def test_what_radicales_tests_say_comes_back_as_it_was_printed() -> None:
    rows = [
        {"name": "test_a", "outcome": "passed", "said": ""},
        {"name": "test_b", "outcome": "failed", "said": "405 != 302"},
        {"name": "test_auth", "outcome": "skipped", "said": "53 tests"},
    ]
    assert told(reading.cases(json.dumps(rows))) == [(row["name"], row["outcome"], row["said"]) for row in rows]
