"""The size of things: a file can be read in one sitting, a function on one screen."""

from __future__ import annotations

import ast
import re

import pytest

from tests.house.source import PYTHON, ROOT, Source

FILE_LINES = 400
FUNCTION_LINES = 60
POSTPONED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|SKEL" r"ETON)\b")


@pytest.mark.parametrize("source", PYTHON, ids=str)
def test_no_file_is_longer_than_four_hundred_lines(source: Source) -> None:
    assert len(source.text.splitlines()) <= FILE_LINES


@pytest.mark.parametrize("source", PYTHON, ids=str)
def test_no_function_is_longer_than_sixty_lines(source: Source) -> None:
    long = [
        f"{node.name} has {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno
        and node.end_lineno - node.lineno + 1 > FUNCTION_LINES
    ]
    assert not long


@pytest.mark.parametrize("source", [source for source in PYTHON if source.text], ids=str)
def test_every_module_says_its_one_reason_in_its_first_line(source: Source) -> None:
    docstring = ast.get_docstring(source.tree)
    assert docstring, "the module has no docstring"
    assert 10 <= len(docstring.splitlines()[0]) <= 140


@pytest.mark.parametrize("source", PYTHON, ids=str)
def test_nothing_is_left_to_do_later(source: Source) -> None:
    assert not [line for line in source.text.splitlines() if POSTPONED.search(line)]


def test_the_budget_looks_at_every_room() -> None:
    seen = {source.path.relative_to(ROOT).parts[0] for source in PYTHON}
    assert {"gateway", "plugins", "tests"} <= seen
