"""Content lines: escaping, quoting and folding, so that no text can become a line of its own (RFC 5545 §3.1, §3.3.11)."""

from __future__ import annotations

import re
from collections.abc import Iterable

CRLF = "\r\n"
OCTETS = 75
"""The longest a physical line may be, without its CRLF."""

# NEL, LS and PS end a line for many parsers. Other control characters are allowed neither here nor, like the two noncharacters,
# in the XML that carries the text over CalDAV; a lone surrogate has no UTF-8. None of them is printable, so that nearly every
# text passes without the expression.
_BREAK = "\r\n?|[\x85\u2028\u2029]"
_RARE = re.compile(f"({_BREAK})|([\ud800-\udfff])|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
_BARE = re.compile(r"[A-Za-z0-9._-]+")


def escape(text: str) -> str:
    """A TEXT value: line breaks become `\\n`, control characters go, a lone surrogate becomes U+FFFD."""
    return _clean(text).replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def parameter(text: str) -> str:
    """A parameter value, in quotes where it needs them; quotes and carets are spelt as in RFC 6868, white space becomes blanks."""
    plain = _clean(text).replace("\n", " ").replace("\t", " ").replace("^", "^^").replace('"', "^'")
    return plain if _BARE.fullmatch(plain) else f'"{plain}"'


def _clean(text: str) -> str:
    """The text with line breaks of one kind only, and without what no content line may hold."""
    return text if text.replace("\n", "").isprintable() else _RARE.sub(_common, text)


def _common(found: re.Match[str]) -> str:
    if found[1]:
        return "\n"
    return "\ufffd" if found[2] else ""


def fold(line: str) -> str:
    """One content line as physical lines of at most 75 octets, cut between characters; no CRLF at the end."""
    if len(line) <= OCTETS and line.isascii():
        return line
    octets = line.encode()
    if len(octets) <= OCTETS:
        return line
    parts, start, room = [], 0, OCTETS
    while start < len(octets):
        end = start + room
        while end < len(octets) and octets[end] & 0xC0 == 0x80:
            end -= 1
        parts.append(octets[start:end].decode())
        start, room = end, OCTETS - 1
    return "\r\n ".join(parts)


def joined(lines: Iterable[str]) -> str:
    """Content lines as text: each folded, each with its CRLF."""
    return "".join([fold(line) + CRLF for line in lines])
