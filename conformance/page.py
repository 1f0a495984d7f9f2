"""Draws docs/compliance.md from the table and from what was measured. Nobody edits that page by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from conformance.results import Case, Measured, Outcome
from conformance.table import Row, State, Table

FILE = Path(__file__).parents[1] / "docs" / "compliance.md"
NOTE = "<!-- Made by `python -m conformance --draw` from conformance/table.toml and conformance/results.json. -->"


def draw(table: Table, measured: Sequence[Measured]) -> str:
    """The whole page, the same for the same data."""
    parts = [NOTE, table.opening]
    for title, text in table.sections.items():
        rows = [row for row in table.rows if row.section == title]
        parts += [f"## {title}", *([text] if text else []), "\n".join(_rows(rows))]
    if measured:
        parts += ["## What other programs find", "\n".join(_verdicts(measured))]
        parts += ["\n".join(_unpassed(table, each)) for each in measured if each.count(Outcome.PASSED) < len(each.cases)]
    return "\n\n".join([*parts, table.closing]) + "\n"


def _rows(rows: Sequence[Row]) -> Iterator[str]:
    yield "| standard | what | state | proof |"
    yield "|---|---|---|---|"
    last = ""
    for row in rows:
        state = f"**{row.state}**" if row.state is not State.YES else "yes"
        told = f"{state}; {row.why}" if row.why and row.state is State.YES else f"{state}: {row.why}" if row.why else state
        yield f"| {row.standard if row.standard != last else ''} | {row.what} | {told} | {'; '.join(map(_proof, row.tests)) or '–'} |"
        last = row.standard


def _proof(test: str) -> str:
    """The sentence that a test is named after, as a link to its file."""
    path, *names = test.split("::")
    sentence = names[-1].removeprefix("test_").replace("_", " ")
    return f"[{sentence}](../{path})"


def _verdicts(measured: Sequence[Measured]) -> Iterator[str]:
    yield "Run by `make conformance` against a demo, Radicale's own tests against our application and plugins. A case that does not pass is"
    yield "explained below, or the run fails."
    yield ""
    yield "| program | version | passed | not passed | not looked at | on |"
    yield "|---|---|---|---|---|---|"
    for each in measured:
        counts = " | ".join(str(each.count(outcome)) for outcome in Outcome)
        yield f"| {each.tool} | {each.version} | {counts} | {each.on} |"


def _unpassed(table: Table, measured: Measured) -> Iterator[str]:
    yield f"### {measured.tool}"
    yield ""
    yield "| case | it says | why |"
    yield "|---|---|---|"
    told: dict[str, list[Case]] = {}
    for case in measured.cases:
        if case.outcome is not Outcome.PASSED:
            told.setdefault(table.reason(measured.tool, case.name) or f"– {case.name}", []).append(case)
    for reason, cases in told.items():  # one row for all that have the same reason
        said = _cell(cases[0].said) or ("not looked at" if cases[0].outcome is Outcome.SKIPPED else "failed")
        yield f"| {', '.join(case.name for case in cases)} | {said} | {reason if not reason.startswith('– ') else '–'} |"


def _cell(text: str) -> str:
    """Fit for a cell: on one line, and not for ever."""
    flat = re.sub(r"\s+", " ", text).replace("|", "\\|").strip()
    return flat if len(flat) <= 160 else flat[:159].rstrip() + "…"
