"""A calendar file of another program taken apart into the objects that a calendar keeps: one for each UID, as the file has written it.

Nothing is written anew: every component goes on in its own lines, with the zones it names. Only what no reader would agree on is made
good: other character sets, lone CR, control characters, METHOD, and a UID where none was given, which is the same every time.
"""

from __future__ import annotations

import hashlib
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from gateway.errors import Invalid
from gateway.ical.lines import CRLF
from gateway.ical.parse import Component, calendar

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_MARK = re.compile(r"(BEGIN|END)\s*:\s*([A-Za-z0-9-]+)\s*", re.IGNORECASE)
_ZONE = re.compile(r';TZID=(?:"([^"\n]*)"|([^":;\n]*))', re.IGNORECASE)
_ZONED = re.compile(r"^TZID[^:\n]*:(.*)$", re.MULTILINE | re.IGNORECASE)
_FOLD = re.compile("\r\n[ \t]")
_KEPT = ("VEVENT", "VTODO", "VJOURNAL")


@dataclass(frozen=True, slots=True)
class Found:
    """One object. `title` is for people; `trouble` why it cannot be read ("": it may be)."""

    uid: str
    title: str
    text: str
    trouble: str = ""


@dataclass(slots=True)
class _Calendar:
    """One VCALENDAR of the file, its components in their own lines."""

    maker: list[str] = field(default_factory=list)
    blocks: list[tuple[str, list[str]]] = field(default_factory=list)


def objects(octets: bytes) -> list[Found]:
    """In the order of the file. Raises Invalid for what is no calendar at all."""
    calendars = list(_calendars(_lines(_decoded(octets))))
    if not calendars:
        raise Invalid("There is no calendar in the file.")
    return [found for each in calendars for found in _objects(each)]


def _decoded(octets: bytes) -> str:
    """UTF-8; what begins as UTF-16 does; else as Windows in Western Europe, which some old programs still write."""
    if octets.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return octets.decode("utf-16", "replace")
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError:
        return octets.decode("cp1252", "replace")


def _lines(text: str) -> list[str]:
    """Physical lines without their ends, empty ones left out."""
    return [line for line in _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).split("\n") if line.strip()]


def _calendars(lines: Sequence[str]) -> Iterator[_Calendar]:
    """What stands outside of every calendar is nobody's business. A component that does not end is kept as far as it goes."""
    found: _Calendar | None = None
    depth, making = 0, False
    for line in lines:
        mark = None if line[0] in " \t" else _MARK.fullmatch(line)
        word, name = (mark[1].upper(), mark[2].upper()) if mark else ("", "")
        if name == "VCALENDAR":
            if found is not None:
                yield found
            found, depth = (_Calendar() if word == "BEGIN" else None), 0
        elif found is None:
            continue
        elif word == "BEGIN" and depth == 0:
            found.blocks.append((name, [line]))
            depth = 1
        elif depth:
            found.blocks[-1][1].append(line)
            depth += {"BEGIN": 1, "END": -1}.get(word, 0)
        else:
            making = line.upper().startswith("PRODID") or (making and line[0] in " \t")
            if making:
                found.maker.append(line)
    if found is not None:
        yield found


def _objects(whole: _Calendar) -> list[Found]:
    zones = {name: lines for kind, lines in whole.blocks if kind == "VTIMEZONE" for name in _ZONED.findall(_unfolded(lines))}
    grouped: dict[str, list[list[str]]] = {}
    titles: dict[str, str] = {}
    broken: list[Found] = []
    for kind, lines in whole.blocks:
        if kind not in _KEPT:
            continue
        try:
            [component] = calendar(_joined([["BEGIN:VCALENDAR"], lines, ["END:VCALENDAR"]])).components
        except (Invalid, ValueError) as error:
            broken.append(Found(uid=_guessed(lines, "UID"), title=_guessed(lines, "SUMMARY"), text="", trouble=str(error)))
            continue
        uid, named = _identified(component, lines)
        grouped.setdefault(uid, []).append(named)
        titles.setdefault(uid, _text(component, "SUMMARY"))
    return [*(Found(uid, titles[uid], _object(whole.maker, zones, blocks)) for uid, blocks in grouped.items()), *broken]


def _identified(component: Component, lines: list[str]) -> tuple[str, list[str]]:
    """The UID and the lines; one without a UID gets one that comes from everything it says."""
    uid = _text(component, "UID").strip()
    if uid:
        return uid, lines
    made = f"file-{hashlib.sha256(_joined([lines]).encode('utf-8', 'replace')).hexdigest()[:32]}"
    return made, [lines[0], f"UID:{made}", *(line for line in lines[1:] if not line.upper().startswith("UID:"))]


def _text(component: Component, name: str) -> str:
    return next((each.text for each in component.properties if each.name == name), "")


def _guessed(lines: list[str], name: str) -> str:
    """Of a component that cannot be read."""
    return next((line.partition(":")[2].strip()[:200] for line in lines if re.match(rf"{name}[:;]", line, re.IGNORECASE)), "")


def _object(maker: list[str], zones: dict[str, list[str]], blocks: list[list[str]]) -> str:
    """A calendar object resource: the zones its components name, and the components (RFC 4791 §4.1)."""
    named = {one or other for lines in blocks for one, other in _ZONE.findall(_unfolded(lines))}
    used = [lines for name, lines in zones.items() if name.strip().strip('"') in {each.strip() for each in named}]
    head = ["BEGIN:VCALENDAR", "VERSION:2.0", *(maker or ["PRODID:-//calendar file//EN"])]
    return _joined([head, *used, *blocks, ["END:VCALENDAR"]])


def _unfolded(lines: list[str]) -> str:
    return _FOLD.sub("", CRLF.join(lines)).replace(CRLF, "\n")


def _joined(blocks: Sequence[Sequence[str]]) -> str:
    return "".join(f"{line}{CRLF}" for lines in blocks for line in lines)
