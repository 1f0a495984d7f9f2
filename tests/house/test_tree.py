"""The picture of the house in README.md is the house."""

from __future__ import annotations

import re
from pathlib import Path

from tests.house.source import FILES, ROOT


def _drawn() -> set[Path]:
    """The paths in README's tree: two blanks a level, names, then two blanks and the description."""
    block = re.search(r"^```text\n(gateway/\n.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    assert block, "README.md has no tree that begins with gateway/"
    drawn: set[Path] = set()
    above: list[Path] = []
    for line in block[1].splitlines():
        indent = len(line) - len(line.lstrip())
        level = indent // 2
        names = re.split(r"\s{2,}", line.strip())[0].split()
        paths = [(above[level - 1] if level else Path()) / name for name in names]
        del above[level:]
        above.append(paths[0])
        drawn.update(paths)
    return drawn


def _built() -> set[Path]:
    """What the picture has to show: everything at the top that is not hidden, the rooms of gateway/, and every folder of its packages."""
    built: set[Path] = set()
    for path in (file.relative_to(ROOT) for file in FILES):
        if path.parts[0].startswith("."):
            continue
        built.add(Path(path.parts[0]))
        if path.parts[0] == "gateway" and path.suffix == ".py":
            built.update(parent for parent in path.parents if parent != Path())
            if len(path.parts) == 2 and path.name != "__init__.py":
                built.add(path)
    return built


def test_everything_in_the_picture_exists() -> None:
    assert sorted(str(path) for path in _drawn() if not (ROOT / path).exists()) == []


def test_every_room_is_in_the_picture() -> None:
    assert sorted(str(path) for path in _built() - _drawn()) == []
