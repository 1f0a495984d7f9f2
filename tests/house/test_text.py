"""What is written in the repository is true on every machine: no path, host or habit of the one it was written on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.house.source import FILES, ROOT

# Written with brackets so that the patterns do not find themselves.
MACHINE_PATH = re.compile(r"(?<![\w./$}~-])/(w[o]rk|r[o]ot|t[m]p|h[o]me|o[p]t/(?:wheels|pypi))(/|\b)(?=[\w./-]*)")
REGISTRY = re.compile(r"p[y]pi\.org|p[y]thonhosted|n[p]mjs\.|d[e]b\.debian|c[r]ates\.io|extra-i[n]dex|f[i]le:///o")

READABLE = [
    path
    for path in FILES
    if path.name != "LICENSE" and path.suffix not in {".png", ".mo", ".ico"} and ("vendor" not in path.parts or path.name == "README.md")
]


def _lines_with(pattern: re.Pattern[str], path: Path) -> list[str]:
    return [line.strip()[:120] for line in path.read_text(encoding="utf-8").splitlines() if pattern.search(line)]


@pytest.mark.parametrize("path", READABLE, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_names_a_path_of_one_machine(path: Path) -> None:
    assert not _lines_with(MACHINE_PATH, path)


@pytest.mark.parametrize("path", READABLE, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_names_the_host_of_a_package_registry(path: Path) -> None:
    assert not _lines_with(REGISTRY, path)


@pytest.mark.parametrize("path", [path for path in READABLE if path.suffix in {".py", ".md", ".toml", ".conf"}], ids=lambda path: path.name)
def test_text_is_clean_at_the_edges(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not text or (text.endswith("\n") and not text.endswith("\n\n")), "one newline at the end of the file"
    assert "\t" not in text, "tabs"
    assert not re.search(r"[ \t]+$", text, re.MULTILINE), "blanks at the end of a line"


def test_the_patterns_find_what_they_are_for() -> None:
    assert MACHINE_PATH.search("open('/" + "tmp/x')")
    assert MACHINE_PATH.search("cd /" + "root")
    assert not MACHINE_PATH.search("https://example.com/work/tmp/home")
    assert REGISTRY.search("https://" + "pypi" + ".org/simple")
