"""Reading the XML of a request: small, shallow, UTF-8, without any DTD (trust.md §4.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import copy
from functools import lru_cache
from xml.etree.ElementTree import Element, ParseError, fromstring

from gateway.errors import Invalid, TooLarge

OCTETS = 256 * 1024
DEPTH = 32
NAMES = 200
"""Distinct properties that one request may ask for or set."""

_EXTERNAL = re.compile(rb"<!(?:DOCTYPE|ENTITY)[^<>\[]{0,400}?\s(?:SYSTEM|PUBLIC)\s")
_TOKEN = re.compile(rb"<(?:[A-Za-z0-9]+:)?sync-token>([!-%'-;=?-~]*)</")
_MARK = "{DAV:}sync-token"
_SMALL = 4096  # octets of what is remembered
_ENCODING = re.compile(rb"<\?xml[^>]*?encoding\s*=\s*[\"']([^\"']*)", re.IGNORECASE)


def parsed(body: bytes) -> Element | None:
    """The root element; None for an empty body. Raises Invalid, TooLarge.

    A DTD is refused by its octets: "<!DOCTYPE" and "<!ENTITY" can stand in no other place but comments and CDATA sections, where
    no client has them. For that to be safe the octets must be what they seem, hence only UTF-8. So the C parser can be used.
    """
    if not body.strip():
        return None
    if len(body) > OCTETS:
        raise TooLarge(f"A request in XML may have {OCTETS} octets at most.", limit="limits.xml_bytes")
    declared = _ENCODING.match(body.lstrip(b"\xef\xbb\xbf \t\r\n"))
    if b"\0" in body or (declared and declared[1].lower() not in (b"utf-8", b"us-ascii")):
        raise Invalid("XML is understood here in UTF-8 only.")
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        external = "no-external-entities" if _EXTERNAL.search(body) else None
        raise Invalid("XML with a document type or entities is not accepted.", condition=external)
    try:
        root = fromstring(body)  # noqa: S314  a DTD, the danger, has been refused above
    except (ParseError, ValueError, LookupError):
        raise Invalid("The XML of the request is not well-formed.") from None
    _check_depth(root)
    return root


def report(body: bytes) -> Element | None:
    """The same of a REPORT. Every program asks "what is new?" in words of its own, all day long, and only the token changes: the rest is
    parsed once."""
    token = _TOKEN.search(body)
    if token is None or len(body) > _SMALL or b"<!" in body or body.find(b"<?", 1) > 0 or _TOKEN.search(body, token.end()):
        return parsed(body)
    known, at = _without_token(body[: token.start(1)] + body[token.end(1) :])
    if at is None:
        return parsed(body)
    root = copy(known)
    root[at] = copy(known[at])
    root[at].text = token[1].decode("ascii")
    return root


@lru_cache(maxsize=64)
def _without_token(body: bytes) -> tuple[Element, int | None]:
    """The root, which is never changed (who needs another one makes a copy), and where the token belongs; None: it is another's."""
    root = parsed(body)
    assert root is not None  # noqa: S101  there is a tag in it
    tokens = [each for each in root.iter() if each.tag.rpartition("}")[2] == "sync-token"]  # in whichever namespace
    own = [at for at, child in enumerate(root) if child.tag == _MARK and not child.text and not len(child)]
    return root, own[0] if len(tokens) == len(own) == 1 else None


def _check_depth(root: Element) -> None:
    level, depth = [root], 0
    while level:
        depth += 1
        if depth > DEPTH:
            raise Invalid(f"The XML of the request is nested deeper than {DEPTH} elements.")
        level = [child for element in level for child in element]


def names_in(prop: Element | None) -> list[str]:
    """The properties asked for, each once, in their order. Raises Invalid beyond NAMES."""
    names = list(dict.fromkeys(_name(child) for child in prop)) if prop is not None else []
    if len(names) > NAMES:
        raise Invalid(f"At most {NAMES} properties can be asked for at once.")
    return names


def _name(element: Element) -> str:
    if not isinstance(element.tag, str):  # a comment or an instruction, where a parser keeps them
        raise Invalid("The XML of the request is not understood.")
    return element.tag


def text_of(element: Element) -> str:
    return "".join(element.itertext())


def children(element: Element, name: str) -> Iterator[Element]:
    return (child for child in element if child.tag == name)
