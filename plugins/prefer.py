"""What a client would rather have: small answers, what is stored in return, no root (RFC 7240, RFC 8144; Brief is Microsoft's old word)."""

from __future__ import annotations

from dataclasses import dataclass

MINIMAL, REPRESENTATION, NOROOT = "return=minimal", "return=representation", "depth-noroot"


@dataclass(frozen=True, slots=True)
class Preferences:
    minimal: bool = False  # no word about properties that do not exist, no body where all went well
    representation: bool = False  # what is stored now, in the answer to what changed it
    noroot: bool = False  # Depth 1 without what was asked itself


NONE = Preferences()


def preferences(prefer: str, brief: str) -> Preferences:
    """Read Prefer and Brief. Of contradictory wishes the first one counts (RFC 7240 §2), and what is not known means nothing."""
    if not prefer:
        return Preferences(minimal=True) if brief.strip().lower() == "t" else NONE
    wishes: dict[str, str] = {}
    for part in prefer.split(","):
        name, _, value = part.split(";")[0].partition("=")
        wishes.setdefault(name.strip().lower(), value.strip().strip('"').lower())
    returned = wishes.get("return", "minimal" if brief.strip().lower() == "t" else "")
    return Preferences(minimal=returned == "minimal", representation=returned == "representation", noroot="depth-noroot" in wishes)
