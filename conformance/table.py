"""The table of standards: what is kept, how far, why not further, and the tests that prove it. Written by hand, in table.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("table.toml")


class State(StrEnum):
    YES = "yes"
    PART = "part"
    NO = "no"


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One promise. `tests` are node ids from the top of the repository, without parameters."""

    section: str
    standard: str
    what: str
    state: State
    why: str
    tests: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """`reasons` says by program and case why a case does not pass; a name that ends in * stands for all that begin so."""

    opening: str
    closing: str
    sections: Mapping[str, str]  # heading: what stands under it
    rows: Sequence[Row]
    reasons: Mapping[str, Mapping[str, str]]

    def reason(self, tool: str, case: str) -> str:
        """Why that case does not pass; "" when nobody has said."""
        said = self.reasons.get(tool, {})
        if case in said:
            return said[case]
        return next((text for name, text in said.items() if name.endswith("*") and case.startswith(name[:-1])), "")


def load(file: Path = FILE) -> Table:
    told: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    rows = [
        Row(
            section=section["title"],
            standard=row.get("standard", ""),
            what=row["what"],
            state=State(row["state"]),
            why=row.get("why", ""),
            tests=tuple(row.get("tests", ())),
        )
        for section in told["section"]
        for row in section["row"]
    ]
    return Table(
        opening=told["opening"].strip(),
        closing=told["closing"].strip(),
        sections={section["title"]: section.get("text", "").strip() for section in told["section"]},
        rows=rows,
        reasons=told.get("reasons", {}),
    )
