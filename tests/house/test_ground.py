"""pyproject.toml, the lock files, the licence and the container say the same thing."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.house.source import PYTHON, ROOT

PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
PINNED = re.compile(r"^(?P<name>[A-Za-z0-9_.-]+)(?:\[[^]]*\])?==(?P<version>[^ ;\\]+)")


def _lock(name: str) -> dict[str, Version]:
    """What the lock file pins; a line that pins nothing is an error."""
    pins: dict[str, Version] = {}
    for entry in (ROOT / name).read_text().replace("\\\n", " ").splitlines():
        match = PINNED.match(entry)
        assert match, f"{name}: {entry[:60]!r} is not pinned"
        assert "--hash=sha256:" in entry, f"{name}: {match['name']} has no hash"
        pins[canonicalize_name(match["name"])] = Version(match["version"])
    return pins


def _unmet(requirements: list[str], pins: dict[str, Version]) -> list[str]:
    return [
        text
        for text in requirements
        if (wish := Requirement(text)) and (wish.marker is None or wish.marker.evaluate())
        if (pin := pins.get(canonicalize_name(wish.name))) is None or pin not in wish.specifier
    ]


def test_the_lock_file_satisfies_every_dependency() -> None:
    assert not _unmet(PROJECT["dependencies"] + PYPROJECT["build-system"]["requires"], _lock("requirements.lock"))


def test_the_lock_file_of_the_tests_satisfies_every_dependency() -> None:
    wishes = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"] + PYPROJECT["build-system"]["requires"]
    assert not _unmet(wishes, _lock("requirements-dev.lock"))


def test_what_runs_in_production_is_what_was_tested() -> None:
    tested = _lock("requirements-dev.lock")
    assert {name: version for name, version in _lock("requirements.lock").items() if tested.get(name) != version} == {}


def test_the_licence_is_the_one_that_is_declared() -> None:
    assert PROJECT["license"] == "GPL-3.0-or-later"
    text = (ROOT / "LICENSE").read_text()
    assert "GNU GENERAL PUBLIC LICENSE" in text
    assert "Version 3, 29 June 2007" in text


def test_the_changelog_knows_the_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()
    assert f"## [{PROJECT['version']}]" in changelog or "## [Unreleased]" in changelog


def test_the_container_installs_the_lock_file_with_hashes_and_runs_as_nobody_special() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert "--require-hashes" in dockerfile
    assert "requirements.lock" in dockerfile
    assert re.search(r"^USER (?!root|0)\S+", dockerfile, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK .*\\\n.*healthz", dockerfile, re.MULTILINE)
    bases = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    assert len(bases) == 2, "one stage builds, the other runs"
    assert all(re.search(r":\d", base) for base in bases), "every base image has a version"


def test_every_library_has_a_room() -> None:
    """A library that no import contract names could be imported anywhere: give it a room in pyproject.toml first."""
    contracts = PYPROJECT["tool"]["importlinter"]["contracts"]
    housed = {module for contract in contracts if contract["id"].startswith("room-") for module in contract["forbidden_modules"]}
    homeless = {
        f"{source}: {name}"
        for source in PYTHON
        if source.path.relative_to(ROOT).parts[0] in {"gateway", "plugins"}
        for name in _imported(source.tree)
        if name not in sys.stdlib_module_names and name not in {"gateway", "plugins"} and name not in housed
    }
    assert not homeless


def _imported(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                names |= {alias.name.split(".")[0] for alias in node.names}
            case ast.ImportFrom(module=str(module), level=0):
                names.add(module.split(".")[0])
    return names


@pytest.mark.parametrize("name", ["make demo", "make test"])
def test_the_readme_begins_with_the_two_commands(name: str) -> None:
    assert name in "\n".join((ROOT / "README.md").read_text().splitlines()[:60])
