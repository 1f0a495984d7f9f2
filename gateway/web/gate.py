"""The gate: turns away what no CalDAV request may be, before Radicale or a body is looked at (trust.md §5.1).

Everything here looks at the head of a request only and needs no database, so that refusing costs next to nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Protocol
from unicodedata import category
from urllib.parse import unquote_to_bytes

from gateway.web.problems import Problem

REALM = "Calendar gateway"
"""Constant for ever: Thunderbird keeps one login per origin and realm (clients.md §3)."""

METHODS = (
    "OPTIONS",
    "GET",
    "HEAD",
    "PUT",
    "DELETE",
    "MOVE",
    "COPY",
    "PROPFIND",
    "PROPPATCH",
    "REPORT",
    "MKCALENDAR",
    "MKCOL",
    "ACL",
    "POST",
)
WRITING = frozenset({"PUT", "DELETE", "MOVE", "COPY", "PROPPATCH", "MKCALENDAR", "MKCOL", "POST"})
SPEAKING_XML = frozenset({"PROPFIND", "PROPPATCH", "REPORT", "MKCALENDAR", "MKCOL", "ACL"})

XML_OCTETS = 256 * 1024
SEGMENT_OCTETS = 255

_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f/\\\\\ud800-\udfff]")
_BASIC = re.compile(r"[Bb][Aa][Ss][Ii][Cc] +[A-Za-z0-9+/_-]{2,1400}={0,2} *")
_BEARER = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +[A-Za-z0-9_.-]{2,6000} *")
_HOST = re.compile(r"[A-Za-z0-9._~-]{1,255}(:\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?")
_CHARSET = re.compile(r";\s*charset\s*=\s*\"?([^\s\";]*)", re.IGNORECASE)

_ONCE = ("Authorization", "Content-Length", "Content-Type", "Depth", "Destination", "Host", "Overwrite", "Transfer-Encoding")
"""If-Match and If-None-Match are lists, which may come in several lines (RFC 9110 §5.3)."""


class Head(Protocol):
    """The headers of a request: any case, several of one name (aiohttp's CIMultiDict is one)."""

    def getall(self, key: str, default: list[str]) -> list[str]: ...
    def get(self, key: str, default: str) -> str: ...
    def __iter__(self) -> Iterator[str]: ...
    def __len__(self) -> int: ...


def admit(method: str, target: str, head: Head, *, bearer: bool = False) -> str:
    """The decoded path of the request, without its query. Raises Problem for what may not pass.

    `target` is the request target as it was sent; `bearer`: access tokens are taken too. Without credentials only OPTIONS passes:
    401 comes before 404, 405 and 415, so that a stranger learns nothing, and every client finds out that it has to log in
    (clients.md §10.1).
    """
    if method not in METHODS:
        raise Problem(405, "That cannot be done with a calendar.", headers={"Allow": ", ".join(METHODS)})
    path = path_of(target, writes=method in WRITING)
    if len(head) != len(set(map(str.lower, head))):
        _check_once(head)
    if not _HOST.fullmatch(head.get("Host", "localhost")):
        raise Problem(400, "The Host header is not understood.")
    _check_credentials(method, head, bearer=bearer)
    _check_meaning(method, head)
    return path


def _check_once(head: Head) -> None:
    for name in _ONCE:
        if len(head.getall(name, [])) > 1:
            raise Problem(400, f"{name} may be given only once.")


def path_of(target: str, *, writes: bool) -> str:
    """The decoded path: no dot segments in any spelling, no separators or control characters hidden in escapes, valid UTF-8."""
    if not (target.startswith("/") and target.isascii() and target.isprintable() and " " not in target):
        raise Problem(400, "The address is not understood.")
    raw, question, _ = target.partition("?")
    if "#" in raw or (question and writes):
        raise Problem(400, "The address of a calendar object has no query and no fragment.")
    if "%" not in raw and "." not in raw and "//" not in raw and "\\" not in raw and len(raw) <= SEGMENT_OCTETS:
        return raw  # the usual way in
    if _ESCAPE.search(raw):
        raise Problem(400, "The address is not understood.")
    segments = [_segment(part) for part in raw[1:].split("/")]
    if "" in segments[:-1]:
        raise Problem(400, "The address has an empty part.")
    return "/" + "/".join(segments)


def _segment(part: str) -> str:
    octets = unquote_to_bytes(part)
    if len(octets) > SEGMENT_OCTETS:
        raise Problem(414, f"A name in an address may have {SEGMENT_OCTETS} octets at most.")
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        raise Problem(400, "The address is not UTF-8.") from None
    if text in (".", "..") or _UNFIT.search(text) or (not text.isprintable() and any(map(_unseen, text))):
        raise Problem(400, "The address contains what no name may contain.")
    return text


def _unseen(letter: str) -> bool:
    """Controls, marks of direction, joiners, and what no version of Unicode has given a meaning."""
    return category(letter).startswith("C")


def _check_credentials(method: str, head: Head, *, bearer: bool) -> None:
    given = head.get("Authorization", "")
    if not given:
        if method != "OPTIONS":
            raise unknown(bearer=bearer)
    elif not _BASIC.fullmatch(given) and not (bearer and _BEARER.fullmatch(given)):
        raise unknown(bearer=bearer)


def unknown(*, bearer: bool = False) -> Problem:
    """The answer to a stranger."""
    return Problem(401, "Please log in with your address or handle and an app password.", headers=challenge(bearer=bearer))


def challenge(*, bearer: bool = False) -> Mapping[str, str]:
    """Basic stands first: there are programs that look at nothing behind it."""
    basic = f'Basic realm="{REALM}", charset="UTF-8"'
    return {"WWW-Authenticate": f'{basic}, Bearer realm="{REALM}"' if bearer else basic}


def _check_meaning(method: str, head: Head) -> None:
    """Headers that would change what the request means, where they are not understood."""
    if head.get("Depth", "0").lower() not in ("0", "1", "infinity"):
        raise Problem(400, "Depth is 0, 1 or infinity.")
    if head.get("Overwrite", "T").upper() not in ("T", "F"):
        raise Problem(400, "Overwrite is T or F.")
    if not _is_readable(head.get("Content-Type", "")[:200]):
        raise Problem(415, "Calendars and XML are sent in UTF-8 here.")
    if method == "PUT" and head.getall("Content-Range", []):
        raise Problem(400, "A part of a calendar object cannot be sent.")  # RFC 9110 §14.4


@lru_cache(maxsize=256)
def _is_readable(kind: str) -> bool:
    """Whether a media type is of text in UTF-8, as far as it says; there are few of them."""
    charset = _CHARSET.search(kind)
    return charset is None or charset[1].lower() in ("utf-8", "utf8", "us-ascii")
