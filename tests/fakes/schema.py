"""Checks JSON against a schema of Google's discovery documents: nothing unknown, and everything of its type."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import googleapiclient

_FORMATS = {
    "date-time": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"),
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
    "int64": re.compile(r"-?\d+"),
}
_TYPES: dict[str, type | tuple[type, ...]] = {"string": str, "boolean": bool, "integer": int, "number": (int, float)}
_NAMED = re.compile(r'^- "(\w+)" - ', re.MULTILINE)


@cache
def document() -> dict[str, Any]:
    """The discovery document of Calendar v3 that comes with the client library."""
    file = Path(googleapiclient.__file__).parent / "discovery_cache" / "documents" / "calendar.v3.json"
    read: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return read


def faults(value: object, name: str) -> list[str]:
    """What is wrong with a value of the schema of that name; nothing is good."""
    return list(_faults(value, {"$ref": name}, name))


def _faults(value: Any, schema: dict[str, Any], place: str) -> Iterator[str]:
    if "$ref" in schema:
        schema = document()["schemas"][schema["$ref"]]
    kind = schema.get("type", "any")
    if kind == "object":
        yield from _object(value, schema, place)
    elif kind == "array":
        if not isinstance(value, list):
            yield f"{place} is no array"
            return
        for number, item in enumerate(value):
            yield from _faults(item, schema["items"], f"{place}[{number}]")
    elif kind != "any":
        yield from _scalar(value, schema, kind, place)


def _object(value: Any, schema: dict[str, Any], place: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{place} is no object"
        return
    known = schema.get("properties", {})
    for name, inner in value.items():
        if name in known:
            yield from _faults(inner, known[name], f"{place}.{name}")
        elif "additionalProperties" in schema:
            yield from _faults(inner, schema["additionalProperties"], f"{place}.{name}")
        else:
            yield f"{place}.{name} is unknown"


def _scalar(value: Any, schema: dict[str, Any], kind: str, place: str) -> Iterator[str]:
    if not isinstance(value, _TYPES[kind]) or (kind == "integer" and isinstance(value, bool)):
        yield f"{place} is no {kind}: {value!r}"
        return
    pattern = _FORMATS.get(schema.get("format", "")) if kind == "string" else None
    if pattern and not pattern.fullmatch(value):
        yield f"{place} has another format: {value!r}"
    values = schema.get("enum") or (
        _NAMED.findall(schema.get("description", "")) if "Possible values are" in schema.get("description", "") else []
    )
    if kind == "string" and values and value not in values:
        yield f"{place} is none of {values}: {value!r}"
