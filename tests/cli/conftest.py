"""A shell beside an empty folder, and one in a furnished house."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.house import Shell


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture(scope="session")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The furnished house that the others are copies of."""
    folder = tmp_path_factory.mktemp("pattern")
    Shell(folder).furnish()
    return folder


@pytest.fixture
def gateway(pattern: Path, shell: Shell) -> Shell:
    shutil.copytree(pattern, shell.folder, dirs_exist_ok=True)
    return shell
