"""Sealing anew what is kept sealed, after a change of the key: a few rows at a time, so that nobody waits for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import LargeBinary, Table, text

from gateway.errors import Misconfigured
from gateway.store.engine import Database

BATCH = 200
OPEN = frozenset({"digest", "resource"})
"""Octets that are kept as they are: digests, which nobody can turn back."""


@dataclass(frozen=True, slots=True)
class Resealed:
    """How far it is: values looked at, of them sealed anew, and of them such as no key opens."""

    seen: int
    renewed: int
    lost: int


@dataclass(frozen=True, slots=True)
class _Place:
    table: str
    key: tuple[str, ...]
    column: str


def places() -> list[str]:
    """Where sealed octets are kept: "table.column"."""
    return [f"{place.table}.{place.column}" for place in _places()]


def count(database: Database) -> int:
    """How many values there are."""
    counts = (text(f"SELECT COUNT(*) FROM {each.table} WHERE {_kept(each)}") for each in _places())  # noqa: S608  names of our own
    return sum(int(number) for each in counts for (number,) in database.ask(each))


def reseal(database: Database, renewed: Callable[[bytes], bytes | None]) -> Iterator[Resealed]:
    """Pass every value through `renewed` (None: it stays) and keep the outcome, unless somebody else has changed it meanwhile.

    Answers after each step how far it is. May be interrupted and repeated: what is done is done.
    """
    seen = changed = lost = 0
    for place in _places():
        after: dict[str, Any] = {}
        while rows := database.ask(_page(place, bool(after)), **after):
            news = []
            for row in rows:
                try:
                    new = renewed(bytes(row[-1]))
                except Misconfigured:
                    lost, new = lost + 1, None
                if new is not None:
                    news.append({**_given(place, row), "old": bytes(row[-1]), "new": new})
            seen, changed = seen + len(rows), changed + _kept_anew(database, place, news)
            after = _given(place, rows[-1])
            yield Resealed(seen, changed, lost)


def _places() -> list[_Place]:
    from gateway.store.schema import METADATA  # here, because nobody else has to wait for it

    return [
        _Place(table.name, _key(table), column.name)
        for table in METADATA.sorted_tables
        for column in table.columns
        if isinstance(column.type, LargeBinary) and column.name not in OPEN
    ]


def _key(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.primary_key.columns)


def _kept(place: _Place) -> str:
    return f"LENGTH({place.column}) > 0"


def _page(place: _Place, onward: bool) -> Any:  # TextClause
    key = ", ".join(f'"{name}"' for name in place.key)
    beyond = f"AND ({key}) > ({', '.join(f':k{number}' for number in range(len(place.key)))})" if onward else ""
    rows = f"{place.table} WHERE {_kept(place)} {beyond} ORDER BY {key} LIMIT {BATCH}"
    return text(f"SELECT {key}, {place.column} FROM {rows}")  # noqa: S608  names of our own


def _given(place: _Place, row: Any) -> dict[str, Any]:
    return {f"k{number}": row[number] for number in range(len(place.key))}


def _kept_anew(database: Database, place: _Place, news: list[dict[str, Any]]) -> int:
    if not news:
        return 0
    mine = " AND ".join(f'"{name}" = :k{number}' for number, name in enumerate(place.key))
    update = text(f"UPDATE {place.table} SET {place.column} = :new WHERE {mine} AND {place.column} = :old")  # noqa: S608  the same
    with database.writing(text("SELECT 1"), {}) as (connection, _):
        done = sum(connection.execute(update, each).rowcount for each in news)
        connection.commit()
    return done
