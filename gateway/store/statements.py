"""Statements as the drivers take them, and the rows they find: what SQLAlchemy would do anew for each takes longer than the database."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import TextClause

_NAME = re.compile(r"(?<![:\w\\]):(\w+)(?!:)")  # as SQLAlchemy finds them: `::` is a cast, `\:` a colon
_OCTETS = re.compile(r"octets\(([\w.]+)\)")
_NOBODY = "(SELECT NULL WHERE 1 = 0)"


class Line(tuple[Any, ...]):
    """A row: text, whole numbers, octets and NULL, as the statement lists them; by its name, too, each is to be had."""

    __slots__ = ()

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


Found: TypeAlias = Sequence[Line]

Given: TypeAlias = Mapping[str, Any]


class Form:
    """A statement in the words of one kind of database. Lists are spelt out, value by value: one text for each length of them.
    `octets(column)` is a text as the database keeps it, in UTF-8."""

    __slots__ = ("_clause", "_line", "_lists", "_postgresql", "_sized", "_text")

    def __init__(self, clause: TextClause, *, postgresql: bool) -> None:
        self._clause = clause
        self._postgresql = postgresql
        self._lists = tuple(name for name, parameter in clause._bindparams.items() if parameter.expanding)
        self._text = "" if self._lists else self._spelt({})
        self._sized: dict[tuple[int, ...], str] = {}
        self._line: type[Line] | None = None

    def said(self, given: Given) -> tuple[str, Given]:
        """What the driver is told, and with which values."""
        if not self._lists:
            return self._text, given
        sizes = tuple([len(given[name]) for name in self._lists])
        text = self._sized.get(sizes)
        if text is None:
            text = self._sized[sizes] = self._spelt(dict(zip(self._lists, sizes, strict=True)))
        values = dict(given)
        for name in self._lists:
            values.update(_numbered(name, values.pop(name)))
        return text, values

    def lines(self, cursor: Any) -> list[Line]:
        """The rows of a driver's cursor under the names of their columns, which its `description` tells (PEP 249); they are always the
        same ones. PostgreSQL's hands out many at once more quickly, SQLite's one by one, so that none is there twice."""
        return list(self.each(cursor))

    def each(self, cursor: Any) -> Iterator[Line]:
        """The same one by one, as far as the driver can: the cursor is at work until the last one."""
        if self._line is None:
            self._line = _kind([column[0] for column in cursor.description])
        return map(self._line, cursor.fetchall() if self._postgresql else cursor)

    def _spelt(self, sizes: Mapping[str, int]) -> str:
        def one(found: re.Match[str]) -> str:
            size = sizes.get(found[1])
            if size is None:
                return self._spot(found[1])
            return f"({', '.join(self._spot(f'{found[1]}_{number}') for number in range(size))})" if size else _NOBODY

        text = _OCTETS.sub(r"convert_to(\1, 'UTF8')" if self._postgresql else r"CAST(\1 AS BLOB)", self._clause.text)
        return _NAME.sub(one, text.replace("%", "%%") if self._postgresql else text).replace("\\:", ":")

    def _spot(self, name: str) -> str:
        return f"%({name})s" if self._postgresql else f":{name}"


def _numbered(name: str, values: Iterable[Any]) -> dict[str, Any]:
    return {f"{name}_{number}": value for number, value in enumerate(values)}


def _kind(names: Sequence[str]) -> type[Line]:
    columns = {name: property(itemgetter(at)) for at, name in enumerate(names)}
    return type("Line", (Line,), {"__slots__": (), **columns})
