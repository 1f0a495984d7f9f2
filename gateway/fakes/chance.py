"""Ids, tokens and keys from a seed: two runs that do the same get the same."""

from __future__ import annotations

import random
import string

WORDS = string.ascii_letters + string.digits
BASE64 = WORDS + "+/"
BASE32HEX = string.digits + "abcdefghijklmnopqrstuv"


class Chance:
    """A source of text that looks random. Secrets of a fake protect nothing."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 repeatable on purpose

    def text(self, length: int, alphabet: str = WORDS) -> str:
        return "".join(self._random.choices(alphabet, k=length))

    def number(self, least: int, greatest: int) -> int:
        return self._random.randint(least, greatest)

    def guid(self) -> str:
        digits = self.text(32, "0123456789abcdef")
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
