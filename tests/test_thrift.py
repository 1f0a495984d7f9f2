"""A process that stays keeps no memory that nothing lies on, and loads no library that it does not use."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("rich", "pygments", "urllib3", "icalendar", "nh3", "html2text", "segno", "psycopg", "msal", "googleapiclient", "alembic")
"""Each takes one to several MiB, and is for something that a plain server on SQLite may never do."""

HEAP = """
import gc
from gateway import thrift

def resident() -> int:
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("RssAnon"))

thrift.begin()
kept = [bytes(1000) for _ in range(60_000)]
del kept[:-100]  # the last ones stay, and hold the end of the heap
gc.collect()
before = resident()
thrift.give_back()
print(before - resident())
"""

SERVED = """
import os, signal, sys, tempfile
from pathlib import Path
from gateway import app
from gateway.settings import Settings
from gateway.store import Store

with tempfile.TemporaryDirectory() as folder:
    settings = Settings.model_validate(
        {"database": {"url": f"sqlite:///{folder}/gateway.sqlite"}, "server": {"port": 0}, "mail": {"smtp_url": ""}}
    )
    empty = Store(settings.database.url)
    empty.migrate()
    empty.close()
    for name in [name for name in sys.modules if name.partition(".")[0] in ("alembic", "mako", "pygments")]:
        del sys.modules[name]  # who migrates here is not who serves
    loaded = []
    def started(address: str) -> None:
        loaded.extend(sys.modules)
        os.kill(os.getpid(), signal.SIGTERM)
    with app.opened(settings) as opened:
        app.serve(opened, started=started)
    print(" ".join(sorted({name.partition(".")[0] for name in loaded})))
"""


def said(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120).stdout.strip()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems' allocators are not told anything")
def test_what_lies_free_in_the_middle_of_the_heap_is_given_back() -> None:
    assert int(said(HEAP)) > 30_000  # KiB of 60,000


def test_a_plain_server_loads_nothing_that_it_does_not_use() -> None:
    assert set(said(SERVED).split()) & set(HEAVY) == set()
