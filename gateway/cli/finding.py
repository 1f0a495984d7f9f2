"""What the doctor finds: a sentence about one thing, how bad it is, and the next step."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Health(StrEnum):
    OK = "ok"
    WARNING = "warning"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Finding:
    what: str
    health: Health
    sentence: str
    next_step: str = ""
