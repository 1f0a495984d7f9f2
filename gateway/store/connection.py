"""A connection at work: what it is asked goes to the driver as it is, and what goes wrong comes back as an error of ours."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import psycopg
from sqlalchemy import Engine, TextClause, exc
from sqlalchemy.engine.interfaces import DBAPIModule

from gateway.errors import Unavailable
from gateway.store.faults import BUSY, translated
from gateway.store.statements import Form, Given, Line

LISTENERS: list[Callable[[str], None]] = []
"""Who hears every statement before it is asked: tests that count them, and whoever looks for one too many."""

_WRONG = (sqlite3.Error, psycopg.Error, UnicodeEncodeError)


class Connection:
    """Borrowed from an engine's pool, and given back by `close`, which undoes what was not committed. Of one thread."""

    __slots__ = ("_driver", "_engine", "_forms", "_pooled")

    def __init__(self, engine: Engine, forms: Forms) -> None:
        """Raises Unavailable, Misconfigured."""
        try:
            self._pooled = engine.raw_connection()
        except exc.TimeoutError as error:  # every connection of the pool is busy
            raise Unavailable(BUSY) from error
        except _WRONG as error:
            raise translated(error) or error from error
        self._engine, self._forms = engine, forms
        self._driver: Any = self._pooled.driver_connection  # a driver's; they have no type in common

    def execute(self, statement: TextClause, given: Given | Sequence[Given]) -> Answer:
        """A sequence of values: the statement for each of them."""
        form = self._forms[statement]
        cursor = self._driver.cursor()
        if isinstance(given, Mapping):
            self._send(cursor.execute, *form.said(given))
        else:
            self._send(cursor.executemany, form.said({})[0], given)
        return Answer(self, form, cursor)

    def tell(self, text: str) -> None:
        """Something for the driver alone, such as BEGIN."""
        self._send(self._driver.execute, text)

    def commit(self) -> None:
        self._send(self._driver.commit)

    def alone(self, alone: bool) -> None:
        """Whether every statement is a transaction by itself, or they are one together; before the first one. PostgreSQL only: there
        it saves two ways to the server and back."""
        if self._driver.autocommit is not alone:
            self._driver.autocommit = alone

    def close(self) -> None:
        """Twice is as good as once."""
        self._pooled.close()

    def failure(self, error: Exception) -> Exception:
        """The error to raise instead; a broken connection is thrown away, and those that lie beside it with it."""
        gone = self._engine.dialect.is_disconnect(cast(DBAPIModule.Error, error), self._pooled, None)
        if gone:
            self._pooled.invalidate()
            self._engine.dispose()
        return translated(error, gone=gone) or error

    def _send(self, way: Callable[..., object], *told: object) -> None:
        for listener in LISTENERS:
            listener(str(told[0]) if told else "COMMIT")
        try:
            way(*told)
        except _WRONG as error:
            raise self.failure(error) from error


class Answer:
    """What a statement has found or done."""

    __slots__ = ("_connection", "_cursor", "_form")

    def __init__(self, connection: Connection, form: Form, cursor: Any) -> None:
        self._connection, self._form, self._cursor = connection, form, cursor

    @property
    def rowcount(self) -> int:
        """How many rows it has touched."""
        return int(self._cursor.rowcount)

    def all(self) -> list[Line]:
        try:
            rows = self._cursor.fetchall()
        except _WRONG as error:
            raise self._connection.failure(error) from error
        return self._form.lines(self._cursor.description, rows)

    def first(self) -> Line | None:
        found = self.all()
        return found[0] if found else None


class Forms(dict[TextClause, Form]):
    """Every statement that was asked so far, in the words of one kind of database. Statements are constants: there is an end to them."""

    def __init__(self, *, postgresql: bool) -> None:
        super().__init__()
        self._postgresql = postgresql

    def __missing__(self, statement: TextClause) -> Form:
        made = self[statement] = Form(statement, postgresql=self._postgresql)
        return made
