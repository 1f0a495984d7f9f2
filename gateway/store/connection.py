"""A connection at work: what it is asked goes to the driver as it is, and what goes wrong comes back as an error of ours."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Engine, PoolProxiedConnection, TextClause, exc
from sqlalchemy.engine.interfaces import DBAPIModule

from gateway.errors import Unavailable
from gateway.store.faults import BUSY, translated
from gateway.store.statements import Form, Given, Line

LISTENERS: list[Callable[[str], None]] = []
"""Who hears every statement before it is asked: tests that count them, and whoever looks for one too many."""

AT_HAND = 8
"""Connections kept at hand."""


Idle = deque[tuple[PoolProxiedConnection, Any]]  # each with its driver's own connection, which takes a while to be asked for


class Pool:
    """An engine's connections. The last few that came back are kept at hand: the engine's own pool takes longer than most questions."""

    def __init__(self, engine: Engine, forms: Forms) -> None:
        self.engine, self.forms = engine, forms
        self.idle = Idle()
        self.wrong = (engine.dialect.loaded_dbapi.Error, UnicodeEncodeError)  # what the driver raises

    def take(self) -> Connection:
        """Raises Unavailable, Misconfigured."""
        idle = self.idle
        try:
            if idle:
                return Connection(self, idle, *idle.pop())
            pooled = self.engine.raw_connection()
            return Connection(self, idle, pooled, pooled.driver_connection)
        except IndexError:  # another thread was quicker
            return self.take()
        except exc.TimeoutError as error:  # every connection of the pool is busy
            raise Unavailable(BUSY) from error
        except self.wrong as error:
            raise translated(error) or error from error

    def rest(self) -> None:
        """SQLite: connections at hand give back the memory in which they keep pages; the system has the pages as well."""
        for _ in range(len(self.idle)):
            try:
                pooled, driver = self.idle.popleft()
            except IndexError:  # they are at work again
                return
            try:
                driver.execute("PRAGMA shrink_memory")
            except self.wrong:
                pooled.invalidate()
            else:
                self.idle.append((pooled, driver))

    def close(self) -> None:
        """Whoever asks afterwards opens new ones; those that are at work now are not kept."""
        former, self.idle = self.idle, Idle()
        while former:
            former.pop()[0].close()
        self.engine.dispose()


class Connection:
    """Borrowed, and given back by `close`, which undoes what was not committed. Of one thread."""

    __slots__ = ("_driver", "_forms", "_idle", "_pool", "_pooled", "_streams", "wrong")

    def __init__(self, pool: Pool, idle: Idle, pooled: PoolProxiedConnection, driver: Any) -> None:  # drivers have no type in common
        self._pool, self._idle, self._forms, self.wrong = pool, idle, pool.forms, pool.wrong
        self._pooled: PoolProxiedConnection | None = pooled
        self._driver = driver
        self._streams: list[Answer] | None = None  # that may not be read to their end

    def execute(self, statement: TextClause, given: Given | Sequence[Given]) -> Answer:
        """A list of values: the statement for each of them."""
        form, cursor = self._forms[statement], self._driver.cursor()
        if isinstance(given, Mapping):
            self._send(cursor.execute, *form.said(given))
        else:
            self._send(cursor.executemany, form.said({})[0], given)
        return Answer(self, form, cursor)

    def rows(self, statement: TextClause, given: Given) -> list[Line]:
        """What a question finds: `execute` without a detour, since nearly everything is a question."""
        form = self._forms[statement]
        text, values = form.said(given)
        for listener in LISTENERS:
            listener(text)
        try:
            cursor = self._driver.execute(text, values)
            return form.lines(cursor)
        except self.wrong as error:
            raise self.failure(error) from error

    def stream(self, statement: TextClause, given: Given) -> Iterator[Line]:
        """The same, read as it is asked for; up to `close` at the latest, lest what was left off holds its state of the database."""
        found = self.execute(statement, given)
        self._streams = [*(self._streams or ()), found]
        yield from found.each()

    @property
    def embedded(self) -> bool:
        """Whether the database is in this process."""
        return not self._forms.postgresql

    def tell(self, text: str) -> None:
        """Something for the driver alone, such as BEGIN."""
        self._send(self._driver.execute, text)

    def wait(self, seconds: float) -> None:
        """So long, to the tenth, for whoever writes to the same file; SQLite only. Mostly it is as long as last time."""
        info, tenths = self._pooled.info if self._pooled is not None else {}, math.ceil(seconds * 10)
        if info.get("tenths") != tenths:
            self.tell(f"PRAGMA busy_timeout = {tenths * 100}")
            info["tenths"] = tenths

    def commit(self) -> None:
        self._send(self._driver.commit)

    def alone(self, alone: bool) -> None:
        """Whether every statement is a transaction by itself, or they are one together; before the first one. PostgreSQL only: there
        it saves two ways to the server and back."""
        if self._driver.autocommit is not alone:
            self._driver.autocommit = alone

    def close(self) -> None:
        """Twice is as good as once."""
        pooled, self._pooled = self._pooled, None
        if pooled is None:
            return
        try:
            for found in self._streams or ():
                found.close()
            self._driver.rollback()  # neither driver asks the database when there is nothing to undo
        except self.wrong:
            pooled.invalidate()
            return
        if self._idle is self._pool.idle and len(self._idle) < AT_HAND:
            self._idle.append((pooled, self._driver))
        else:
            pooled.close()

    def failure(self, error: Exception) -> Exception:
        """The error to raise instead. A broken connection is thrown away, and those that lie idle with it."""
        gone = self._pool.engine.dialect.is_disconnect(cast(DBAPIModule.Error, error), self._pooled, None)
        if gone and self._pooled is not None:
            self._pooled.invalidate()
            self._pooled = None
            self._pool.close()
        return translated(error, gone=gone) or error

    def _send(self, way: Callable[..., object], *told: object) -> None:
        for listener in LISTENERS:
            listener(str(told[0]) if told else "COMMIT")
        try:
            way(*told)
        except self.wrong as error:
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

    def each(self) -> Iterator[Line]:
        """One by one, up to `close`."""
        try:
            yield from self._form.each(self._cursor)
        except self._connection.wrong as error:
            raise self._connection.failure(error) from error

    def close(self) -> None:
        self._cursor.close()

    def all(self) -> list[Line]:
        try:
            return self._form.lines(self._cursor)
        except self._connection.wrong as error:
            raise self._connection.failure(error) from error

    def first(self) -> Line | None:
        found = self.all()
        return found[0] if found else None


class Forms(dict[TextClause, Form]):
    """Every statement that was asked so far, in the words of one kind of database. Statements are constants: there is an end to them."""

    def __init__(self, *, postgresql: bool) -> None:
        super().__init__()
        self.postgresql = postgresql

    def __missing__(self, statement: TextClause) -> Form:
        made = self[statement] = Form(statement, postgresql=self.postgresql)
        return made
