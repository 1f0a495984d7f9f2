"""docs/compliance.md says what the table and the measurements say, and the table says what tests prove."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import pytest

from conformance import page, results, table
from conformance.results import Case, Measured, Outcome
from conformance.table import Row, State
from tests.house.source import ROOT

TABLE, MEASURED = table.load(), results.load()


def test_the_page_is_drawn_from_the_table_and_the_measurements() -> None:
    assert page.FILE.read_text(encoding="utf-8") == page.draw(TABLE, MEASURED), "run: .venv/bin/python -m conformance --draw"


@pytest.mark.parametrize("row", [row for row in TABLE.rows if row.state is not State.NO], ids=lambda row: f"{row.standard}: {row.what}")
def test_what_is_kept_is_proved_by_a_test(row: Row) -> None:
    assert row.tests
    assert [test for test in row.tests if not _is_test(test)] == []


@pytest.mark.parametrize("row", [row for row in TABLE.rows if row.state is not State.YES], ids=lambda row: f"{row.standard}: {row.what}")
def test_what_is_missing_is_said(row: Row) -> None:
    assert row.why


def test_every_case_that_does_not_pass_is_explained() -> None:
    unpassed = ((each.tool, case.name) for each in MEASURED for case in each.cases if case.outcome is not Outcome.PASSED)
    assert [(tool, case) for tool, case in unpassed if not TABLE.reason(tool, case)] == []


def test_nothing_is_explained_that_passes() -> None:
    unpassed = {(each.tool, case.name) for each in MEASURED for case in each.cases if case.outcome is not Outcome.PASSED}
    told = {(tool, name) for tool, reasons in TABLE.reasons.items() for name in reasons}
    idle = {(tool, name) for tool, name in told if not any(one == tool and _stands_for(name, case) for one, case in unpassed)}
    assert idle == set()


def _stands_for(name: str, case: str) -> bool:
    return case.startswith(name[:-1]) if name.endswith("*") else case == name


def _is_test(test: str) -> bool:
    path, *names = test.split("::")
    return (ROOT / path).is_file() and "::".join(names) in _tests(path)


@cache
def _tests(path: str) -> frozenset[str]:
    def named(body: list[ast.stmt], prefix: str = "") -> Iterator[str]:
        for node in body:
            if isinstance(node, ast.ClassDef):
                yield from named(node.body, f"{prefix}{node.name}::")
            elif isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield prefix + node.name

    return frozenset(named(ast.parse((ROOT / path).read_text(encoding="utf-8")).body))


def test_a_case_is_told_on_one_line_however_it_was_said() -> None:
    said = Case(name="basic: a", outcome=Outcome.FAILED, said="one\ntwo | three " + "x" * 500)
    drawn = page.draw(replace(TABLE, rows=()), [Measured(tool="litmus", version="1", on="2026-11-24", cases=[said])])
    [line] = [line for line in drawn.splitlines() if line.startswith("| basic: a")]
    assert r"one two \| three" in line
    assert len(line) < 300
