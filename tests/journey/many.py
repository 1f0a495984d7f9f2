"""`gateway serve --workers N` on a database that a test has furnished: started until all are at work, looked at, and always ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.journey.demo import eventually, free_port


@dataclass(frozen=True)
class Many:
    """A parent and its children."""

    parent: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What they have written, as far as it is complete."""
        return [json.loads(line) for line in self.log.read_text().splitlines(keepends=True) if line.endswith("}\n")]

    def said(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["event"] == event]

    @property
    def answering(self) -> set[int]:
        """The numbers of the processes that have answered a request."""
        return {line["process"] for line in self.said("request")}

    @property
    def children(self) -> dict[int, int]:
        """Process ids by number."""
        found = {}
        for child in psutil.Process(self.parent.pid).children():
            words = child.cmdline()
            if "--number" in words:
                found[int(words[words.index("--number") + 1])] = child.pid
        return found

    def end(self) -> int:
        """The parent's exit code after SIGTERM, and another one while it ends; within five seconds."""
        began = time.monotonic()
        self.parent.send_signal(signal.SIGTERM)
        self.parent.send_signal(signal.SIGTERM)
        code = self.parent.wait(20)
        assert time.monotonic() - began < 5
        return code


@contextmanager
def serving_many(url: str, folder: Path, *words: str, workers: int = 2, name: str = "serve") -> Iterator[Many]:
    """They are all at work when this is entered, and gone when it is left, however they ended."""
    log, port = folder / f"{name}.log", free_port()
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    settings = {
        "GATEWAY_DATABASE__URL": url,
        "GATEWAY_SECRETS__KEY_FILE": str(folder / "secret.key"),
        "GATEWAY_MAIL__SMTP_URL": "",
        "GATEWAY_SERVER__PORT": str(port),
        "TMPDIR": str(folder),  # a parent that is killed cannot tidy up
    }
    with log.open("ab") as output:
        parent = subprocess.Popen(
            [sys.executable, "-m", "gateway", "serve", "--workers", str(workers), *words],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=clean | settings,
            cwd=folder,
        )
    many = Many(parent, port, log)
    seen: set[int] = set()
    try:
        eventually("all are at work", lambda: _at_work(many))
        seen.update(many.children.values())
        yield many
    finally:
        if parent.poll() is None:
            seen.update(many.children.values())
            parent.terminate()
            try:
                parent.wait(20)
            finally:
                parent.kill()
        parent.wait()
        all_gone(seen)


def _at_work(many: Many) -> bool | None:
    assert many.parent.poll() is None, f"it ended at the start:\n{many.log.read_text()[-3000:]}"
    return bool(many.said("all_at_work")) or None


def all_gone(children: Iterable[int], within: float = 10.0) -> None:
    """Children end by themselves when their parent is gone; one that does not is ended here all the same."""
    left = []
    for pid in children:
        try:
            child = psutil.Process(pid)
            child.wait(within)
        except psutil.NoSuchProcess:
            continue
        except psutil.TimeoutExpired:
            left.append(pid)
            child.kill()
    assert left == [], "they outlive their parent"
