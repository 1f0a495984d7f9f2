"""After a restore the pages say that nothing goes out yet, until somebody has unlocked the installation."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.web.site.test_pages import SYNC, Visitor


def test_administrators_see_that_nothing_goes_out_until_it_is_unlocked(boss: Visitor, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "gateway.db")) as database:
        database.execute("UPDATE installation SET locked = 1")
        database.commit()
    assert "A backup was restored: nothing goes out yet" in boss.get(SYNC).text
    assert "gateway unlock" in boss.get("/health").text
    assert boss.door.store.unlock()
    assert "A backup was restored" not in boss.get(SYNC).text + boss.get("/health").text
