"""Backups of PostgreSQL, by its own tools. How to reach the server is told them in their environment, where no process list shows it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import text

from gateway.errors import Conflict, Invalid, Misconfigured, Unavailable
from gateway.store import migration
from gateway.store.engine import Database

_MAGIC = b"PGDMP"
_OTHERS = text("""
    SELECT COUNT(*) AS others FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'calendar-gateway' AND pid <> pg_backend_pid()
""")
_STEP = re.compile(r"^COPY [^\n]*schema_step[^\n]*\n(.*?)^\\\.", re.MULTILINE | re.DOTALL)
_OURS = ("installation", "company", "change", migration.TABLE)
_PLAIN = ("--no-owner", "--no-privileges")
_SHOWN = 400  # characters of what a tool says


def dump(database: Database, part: Path) -> None:
    """All of it, as pg_dump writes it in its custom format. Raises Misconfigured where there is none, Unavailable."""
    _run(database, "pg_dump", ("--format=custom", *_PLAIN, f"--file={part}"))


def load(database: Database, source: Path) -> None:
    """Put a dump in the place of what is there, in one transaction. Raises Invalid, Conflict, Misconfigured, Unavailable."""
    try:
        with source.open("rb") as file:
            ours = file.read(len(_MAGIC)) == _MAGIC
    except OSError as error:
        raise Invalid(f"The backup cannot be read: {error.strerror}.") from error
    listed = _run(database, "pg_restore", ("--list", str(source))) if ours else ""
    if not all(re.search(rf"TABLE DATA \S+ {name} ", listed) for name in _OURS):
        raise Invalid(f"This is no backup of the gateway: {source}")
    found = _STEP.search(_run(database, "pg_restore", ("--data-only", f"--table={migration.TABLE}", "--file=-", str(source))))
    migration.must_be_known(found[1].split() if found else [])
    if database.ask(_OTHERS)[0].others:
        raise Conflict("A gateway works on this database. Stop every one of them first; nothing was changed.")
    name = str(database.url.database or "")
    _run(database, "pg_restore", ("--clean", "--if-exists", *_PLAIN, "--single-transaction", f"--dbname={name}", str(source)))


def _run(database: Database, tool: str, words: Sequence[str]) -> str:
    """What the tool prints."""
    path = shutil.which(tool)
    if path is None:
        raise Misconfigured(f"PostgreSQL's own tool {tool} does this, and it is not on this machine; install the PostgreSQL client.")
    done = subprocess.run([path, *words], env=_environment(database), capture_output=True, text=True, check=False)  # noqa: S603 ours
    if done.returncode:
        raise Unavailable(f"{tool} has failed: {' '.join(done.stderr.split())[:_SHOWN]}")
    return done.stdout


def _environment(database: Database) -> dict[str, str]:
    """Ours, with everything the address of the database says."""
    from psycopg import pq

    address = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    told = {each.envvar.decode(): each.val.decode() for each in pq.Conninfo.parse(address.encode()) if each.envvar and each.val}
    return {**os.environ, **told}
