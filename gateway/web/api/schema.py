"""What a program may send, as values that both check it and describe it (JSON Schema 2020-12, the dialect of OpenAPI 3.1).

A field's `read` answers the Python value or raises Wrong with a sentence; `from_query` does so for text out of an address.
Unknown names are refused: nobody can set what is not offered here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol
from zoneinfo import available_timezones

Document = dict[str, Any]  # a JSON Schema: as deep and mixed as JSON is

_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:\d\d)")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_EMAIL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?")
_LOCALE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,2}")


class Wrong(Exception):
    """What was sent does not fit; (place, sentence) for everything that is wrong. The place "" is the value itself."""

    def __init__(self, *complaints: tuple[str, str]) -> None:
        super().__init__(complaints)
        self.complaints = complaints


class Field(Protocol):
    def read(self, value: object) -> Any: ...  # what the field is made for
    def document(self) -> Document: ...


def from_query(kind: Field, text: str) -> Any:  # as the field's own read
    """The value that text out of a query string stands for."""
    match kind:
        case Whole() if re.fullmatch(r"-?\d{1,18}", text):
            return kind.read(int(text))
        case Flag() if text in {"true", "false"}:
            return text == "true"
        case Instant():
            # "+01:00" that nobody percent-encoded has become " 01:00" on the way.
            return kind.read(re.sub(r" (\d\d:\d\d)$", r"+\1", text))
        case _:
            return kind.read(text)


@dataclass(frozen=True, kw_only=True)
class Text:
    """One line of text, or several; without control characters. Lengths in characters."""

    least: int = 0
    most: int = 200
    lines: bool = False
    about: str = ""

    def read(self, value: object) -> str:
        if not isinstance(value, str):
            raise Wrong(("", "must be text"))
        value = value.replace("\r\n", "\n")
        if not self.least <= len(value.strip()) or len(value) > self.most:
            raise Wrong(
                ("", f"must have {self.least} to {self.most} characters" if self.least else f"may have {self.most} characters at most")
            )
        if _CONTROL.search(value) or (not self.lines and re.search(r"[\n\t]", value)):
            raise Wrong(("", "contains characters that cannot be shown"))
        return value if self.lines else value.strip()

    def document(self) -> Document:
        return _about({"type": "string", "minLength": self.least, "maxLength": self.most}, self.about)


@dataclass(frozen=True, kw_only=True)
class Email:
    about: str = ""

    def read(self, value: object) -> str:
        if not isinstance(value, str) or not _EMAIL.fullmatch(value) or ".." in value or len(value) > 254:
            raise Wrong(("", "must be one e-mail address, such as ann@example.com"))
        return value

    def document(self) -> Document:
        return _about({"type": "string", "format": "email", "maxLength": 254}, self.about)


@dataclass(frozen=True, kw_only=True)
class Zone:
    about: str = "IANA time zone, such as Europe/Paris"

    def read(self, value: object) -> str:
        if not isinstance(value, str) or value not in available_timezones():
            raise Wrong(("", "must be an IANA time zone, such as Europe/Paris"))
        return value

    def document(self) -> Document:
        return _about({"type": "string"}, self.about)


@dataclass(frozen=True, kw_only=True)
class Locale:
    about: str = "Language tag, such as en, fr or de-AT"

    def read(self, value: object) -> str:
        if not isinstance(value, str) or not _LOCALE.fullmatch(value):
            raise Wrong(("", "must be a language tag, such as en, fr or de-AT"))
        return value

    def document(self) -> Document:
        return _about({"type": "string"}, self.about)


@dataclass(frozen=True, kw_only=True)
class Instant:
    """RFC 3339 with an offset; becomes aware UTC, whole seconds."""

    about: str = ""

    def read(self, value: object) -> datetime:
        if isinstance(value, str) and _INSTANT.fullmatch(value):
            try:
                return datetime.fromisoformat(value.upper()).astimezone(UTC).replace(microsecond=0)
            except (ValueError, OverflowError):
                pass
        raise Wrong(("", "must be an RFC 3339 time with its offset, such as 2026-11-24T10:00:00+01:00"))

    def document(self) -> Document:
        return _about({"type": "string", "format": "date-time"}, self.about)


@dataclass(frozen=True, kw_only=True)
class Whole:
    least: int = 0
    most: int = 2**53 - 1
    about: str = ""

    def read(self, value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not self.least <= value <= self.most:
            raise Wrong(("", f"must be a whole number from {self.least} to {self.most}"))
        return value

    def document(self) -> Document:
        return _about({"type": "integer", "minimum": self.least, "maximum": self.most}, self.about)


@dataclass(frozen=True, kw_only=True)
class Flag:
    about: str = ""

    def read(self, value: object) -> bool:
        if not isinstance(value, bool):
            raise Wrong(("", "must be true or false"))
        return value

    def document(self) -> Document:
        return _about({"type": "boolean"}, self.about)


@dataclass(frozen=True, kw_only=True)
class Choice:
    values: Sequence[str]
    about: str = ""

    def read(self, value: object) -> str:
        if not isinstance(value, str) or value not in self.values:
            raise Wrong(("", f"must be one of {', '.join(self.values)}"))
        return value

    def document(self) -> Document:
        return _about({"type": "string", "enum": list(self.values)}, self.about)


@dataclass(frozen=True, kw_only=True)
class Maybe:
    """The inner field, or null."""

    of: Field

    def read(self, value: object) -> Any:  # as the inner field's own read
        return None if value is None else self.of.read(value)

    def document(self) -> Document:
        return {"anyOf": [self.of.document(), {"type": "null"}]}


@dataclass(frozen=True, kw_only=True)
class Listed:
    of: Field
    most: int = 1000
    about: str = ""

    def read(self, value: object) -> list[Any]:  # of what the inner field reads
        if not isinstance(value, list) or len(value) > self.most:
            raise Wrong(("", f"must be a list of {self.most} at most"))
        return [_within(str(place), self.of, each) for place, each in enumerate(value)]

    def document(self) -> Document:
        return _about({"type": "array", "items": self.of.document()}, self.about)


@dataclass(frozen=True, kw_only=True)
class Record:
    """An object with these names and no others. `name` makes it a component of its own in the OpenAPI document."""

    fields: Mapping[str, Field]
    required: Sequence[str] = ()
    name: str = ""
    about: str = ""
    exactly_one_of: Sequence[str] = ()

    def read(self, value: object) -> dict[str, Any]:  # of what the fields read; names that were not sent are absent
        if not isinstance(value, dict):
            raise Wrong(("", "must be an object"))
        complaints = [(str(name)[:60], "is not a name that is understood here") for name in value if name not in self.fields]
        complaints += [(name, "is missing") for name in self.required if name not in value]
        if self.exactly_one_of and sum(name in value for name in self.exactly_one_of) != 1:
            complaints.append((self.exactly_one_of[0], f"exactly one of {' and '.join(self.exactly_one_of)} must be given"))
        read: dict[str, Any] = {}
        for name, kind in self.fields.items():
            if name in value:
                try:
                    read[name] = _within(name, kind, value[name])
                except Wrong as wrong:
                    complaints += wrong.complaints
        if complaints:
            raise Wrong(*complaints)
        return read

    def document(self) -> Document:
        if self.name:
            return {"$ref": f"#/components/schemas/{self.name}"}
        return self.whole()

    def whole(self) -> Document:
        properties = {name: kind.document() for name, kind in self.fields.items()}
        document: Document = {"type": "object", "properties": properties, "additionalProperties": False}
        if self.required:
            document["required"] = list(self.required)
        if self.exactly_one_of:
            document["oneOf"] = [{"required": [name]} for name in self.exactly_one_of]
        return _about(document, self.about)


def answered(name: str, fields: Mapping[str, Field], about: str = "") -> Record:
    """A record the gateway sends: every name is always there."""
    return Record(fields=fields, required=tuple(fields), name=name, about=about)


def listing(of: Record) -> Record:
    """One page of a list; `next` is what to send as `after` for the rest, null at the end."""
    return answered(
        f"{of.name}List", {"items": Listed(of=of), "next": Maybe(of=Text(about="Send it as after to get the rest; null: that was all"))}
    )


@dataclass(frozen=True, kw_only=True)
class Anything:
    """What the gateway sends in a form described in words only."""

    schema: Document = field(default_factory=dict)

    def read(self, value: object) -> object:
        return value

    def document(self) -> Document:
        return self.schema


def _within(place: str, kind: Field, value: object) -> Any:  # as the field's own read
    try:
        return kind.read(value)
    except Wrong as wrong:
        raise Wrong(*((f"{place}.{inner}" if inner else place, sentence) for inner, sentence in wrong.complaints)) from None


def _about(document: Document, about: str) -> Document:
    return {**document, "description": about} if about else document
