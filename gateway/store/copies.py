"""Backups: a copy of the whole database while it is in use, and putting one back so that nobody believes in what came after."""

from __future__ import annotations

import os
import secrets
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from sqlalchemy import text

from gateway.errors import Conflict, GatewayError, Invalid, Unavailable
from gateway.store import dumps, migration
from gateway.store.codec import micros
from gateway.store.engine import Database
from gateway.store.faults import translated

Upto = Callable[[int], None]
"""Told how far it is, in hundredths."""

SERVED = "Something has this database open, perhaps a gateway that serves. Stop it first; nothing was changed."
FOREIGN = "This is no backup of the gateway: {path}"
NOT_SENT = "It was waiting when the backup was made that has been restored since; it may have been sent in between."

_PAGES = 2_000  # copied in one go: 8 MB
_PATIENCE = 2.0  # seconds for whoever is just leaving
_MAGIC = b"SQLite format 3\0"
_OURS = frozenset(("installation", "company", "staff", "entry", "content", "change", "letter", migration.TABLE))
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

# What a timeline that begins anew must not go on with. Whoever had been signed in signs in once more: who signed out since is not known.
_ANEW = tuple(
    map(
        text,
        (
            "UPDATE installation SET epoch = :epoch, locked = :now",
            "UPDATE letter SET failed = :now, failure = :why WHERE sent IS NULL AND failed IS NULL",
            "DELETE FROM notice",
            """
            INSERT INTO reader (company, name, revision) SELECT id, 'letters', revision FROM company WHERE revision > 0
            ON CONFLICT (company, name) DO UPDATE SET revision = excluded.revision
            """,
            "UPDATE account SET leased_until = :now",
            "UPDATE link SET cursor = NULL, listed = NULL, woken = NULL, due = :now",
            "DELETE FROM consent",
            "DELETE FROM session",
            "DELETE FROM reset",
        ),
    )
)
_BEGIN = text("SELECT 1")


def back_up(url: str, target: Path, *, force: bool, upto: Upto) -> int:
    """One state of the database as a file of its own, for nobody else's eyes; how many octets it has. Whoever writes meanwhile waits for
    nothing. The file is there whole or not at all. Raises Conflict when there is one already, Unavailable, Misconfigured."""
    if target.exists() and not force:
        raise Conflict(f"There is a file {target} already; --force replaces it.")
    database = Database(url)
    try:
        migration.must_be_ready(database)
        with _told(), _beside(target) as part:
            if database.file is None:
                dumps.dump(database, part)
                upto(100)
            else:
                _copied(database.file, part, upto)
                must_be_sound(part)
            _durable(part)
            os.replace(part, target)
            _durable(target.parent)
    finally:
        database.close()
    return target.stat().st_size


def restore(url: str, source: Path, now: datetime, *, upto: Upto) -> None:
    """Put a backup in the place of the database, brought to the newest schema, with a new epoch, and locked: see `begin_anew`.

    All of it or nothing. Raises Invalid for what is no backup, Conflict while anybody has the database open, Misconfigured for a backup
    of a newer version, Unavailable.
    """
    database = Database(url)
    try:
        with _told():
            if database.file is None:
                dumps.load(database, source)
                _brought_up(url, now)
                upto(100)
            else:
                _put_back(database.file, source, now, upto)
    finally:
        database.close()


def begin_anew(database: Database, now: datetime) -> None:
    """After a restore: a new timeline. No token, ETag or CTag of the lost future is honoured; letters that waited are given up, since they
    were sent; calendars elsewhere are read in full before anything is written there; and nothing goes out before it is unlocked."""
    given = {"epoch": migration.fresh_epoch(), "now": micros(now), "why": NOT_SENT}
    with database.writing(_BEGIN, {}) as (connection, _):
        for statement in _ANEW:
            connection.execute(statement, given)
        connection.commit()


def _brought_up(url: str, now: datetime) -> None:
    database = Database(url)
    try:
        migration.migrate(database)
        begin_anew(database, now)
    finally:
        database.close()


def _put_back(file: Path, source: Path, now: datetime, upto: Upto) -> None:
    """The copy is made ready beside the database, and goes into it in one transaction of SQLite's own: whoever looks finds the former
    state or the restored one, and whoever has kept the file open would not go on with a file that is no longer there."""
    must_be_ours(source)
    if file.exists() and file.samefile(source):
        raise Invalid("That is the database itself.")
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _beside(file) as part:
        shutil.copyfile(source, part)
        must_be_sound(part)
        _brought_up(f"sqlite:///{part}", now)
        with _alone(file) as target, closing(sqlite3.connect(part)) as ready:
            ready.backup(target, pages=_PAGES, progress=_progress(upto))
    upto(100)
    _durable(file.parent)


@contextmanager
def _alone(file: Path) -> Iterator[sqlite3.Connection]:
    """The database for oneself, as long as the block lasts. A file that is none any more is put aside. Raises Conflict."""
    if not file.exists():
        _fresh(file)
    try:
        connection = _locked(file)
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_BUSY:
            raise Conflict(SERVED) from error
        if code not in _DAMAGED:
            raise
        for each in _files(file):
            if each.exists():
                each.replace(each.with_name(f"{each.name}.damaged"))
        _fresh(file)
        connection = _locked(file)
    with closing(connection):
        yield connection


def _locked(file: Path) -> sqlite3.Connection:
    """Leaving WAL mode is granted only to the one connection there is, which then keeps its lock."""
    connection = sqlite3.connect(file, timeout=_PATIENCE, isolation_level=None)
    try:
        for step in ("PRAGMA locking_mode = EXCLUSIVE", "PRAGMA journal_mode = DELETE", "PRAGMA synchronous = FULL"):
            connection.execute(step).fetchall()
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("COMMIT")
    except BaseException:
        connection.close()
        raise
    return connection


def must_be_ours(path: Path) -> None:
    """Raises Invalid unless it is a backup of ours, and Misconfigured when a newer version has made it."""
    try:
        with path.open("rb") as file:
            ours = file.read(len(_MAGIC)) == _MAGIC
        left = path.with_name(f"{path.name}-wal")
        whole = not left.exists() or left.stat().st_size == 0
    except OSError as error:
        raise Invalid(f"The backup cannot be read: {error.strerror}.") from error
    if not ours:
        raise Invalid(FOREIGN.format(path=path))
    if not whole:
        raise Invalid(f"{path} is a database in use, and not all of it: {left.name} lies beside it. Make a backup with gateway backup.")
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
        known = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not known >= _OURS:
            raise Invalid(FOREIGN.format(path=path))
        steps = [str(step) for (step,) in connection.execute("SELECT version_num FROM schema_step")]
    migration.must_be_known(steps)


def must_be_sound(file: Path) -> None:
    """Every page and every reference. Raises Invalid."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE").fetchall()  # one file, whole by itself
        [(verdict,), *_] = connection.execute("PRAGMA integrity_check(1)").fetchall()
        dangling = connection.execute("PRAGMA foreign_key_check").fetchone()
    if verdict != "ok" or dangling is not None:
        raise Invalid("The copy is damaged; it was not used.")


def _copied(file: Path, part: Path, upto: Upto) -> None:
    """By the online backup API, within one snapshot: it need not begin anew when somebody writes."""
    with closing(sqlite3.connect(file, isolation_level=None)) as source, closing(sqlite3.connect(part)) as target:
        source.execute("PRAGMA query_only = ON")
        source.execute("BEGIN")
        source.execute("SELECT epoch FROM installation").fetchall()
        source.backup(target, pages=_PAGES, progress=_progress(upto))


def _progress(upto: Upto) -> Callable[[int, int, int], None]:
    return lambda _, left, total: upto(100 - 100 * left // max(total, 1))


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A name for a file in the same folder, which is gone at the end unless it has another one by then."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")
    _fresh(part)
    try:
        yield part
    finally:
        for each in _files(part):
            with suppress(OSError):
                each.unlink()


def _fresh(path: Path) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _files(file: Path) -> list[Path]:
    """A database and what SQLite puts beside it."""
    return [file.with_name(f"{file.name}{ending}") for ending in ("", "-wal", "-shm", "-journal")]


def _durable(path: Path) -> None:
    """On the disk, the contents of a file or the names in a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _told() -> Iterator[None]:
    """What goes wrong with a file, in a sentence."""
    try:
        yield
    except GatewayError:
        raise
    except sqlite3.Error as error:
        raise translated(error) or error from error
    except OSError as error:
        raise Unavailable(f"It could not be done: {error.strerror or error}. Nothing was changed.") from error
