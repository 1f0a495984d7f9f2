"""Text from outside, made fit for one line of a letter: no control characters, nothing that ends a header or turns writing around."""

from __future__ import annotations

import re
import unicodedata

_BREAKS = re.compile(r"[\s\x1c-\x1f\x85\u2028\u2029]+")
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")  # bidirectional overrides, byte order mark
_UNSEEN = frozenset({"Cc", "Cs", "Cn", "Co"})

# What mail programs turn into links unasked: an address, or a word with a dot inside such as "evil.example".
_LINKED = re.compile(r"[/@:\\]|[^\s.][.．。][^\s.]{2,}")
_LONGEST_NAME = 60


def line(text: str, most: int = 200) -> str:
    """The text in one line of at most so many characters, cut with "…"; breaks of any kind become a blank."""
    flat = _BREAKS.sub(" ", text)
    seen = "".join(letter for letter in flat if letter not in _TURNS and unicodedata.category(letter) not in _UNSEEN).strip()
    return seen if len(seen) <= most else seen[: most - 1].rstrip() + "…"


def greeted(name: str) -> str:
    """The name a letter may begin with; "" when it is none: whoever books for a stranger could write an advertisement there."""
    name = line(name, _LONGEST_NAME + 1)
    return "" if len(name) > _LONGEST_NAME or _LINKED.search(name) else name
