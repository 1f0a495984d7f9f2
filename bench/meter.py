"""What a server uses: the CPU time of its processes to the nanosecond, and the memory they hold."""

from __future__ import annotations

import time
from collections.abc import Sequence

import psutil

STILL = 0.002  # seconds without any work after which a server counts as quiet
LATEST = 0.3  # seconds after which nobody waits for that any longer


class Meter:
    """Watches whole process trees by the ids of their roots; the first root is the server, others are its database."""

    def __init__(self, roots: Sequence[int]) -> None:
        self._roots = tuple(roots)
        self._all = self._roots

    def look_again(self) -> None:
        """Take in the processes that have come since, such as the database's for a new connection."""
        self._all = tuple(pid for root in self._roots for pid in _tree(root))

    def cpu(self) -> float:
        """Seconds that all of them have worked, user and system time."""
        return sum(_worked(pid) for pid in self._all)

    def settled_cpu(self) -> float:
        """The same once they have gone quiet: what a server does after its answer belongs to the request as well."""
        last, give_up = self.cpu(), time.perf_counter() + LATEST
        while time.perf_counter() < give_up:
            time.sleep(STILL)
            now = self.cpu()
            if now - last < STILL / 20:
                return now
            last = now
        return last

    def resident(self) -> float:
        """MiB of memory the server's own tree holds."""
        return float(sum(psutil.Process(pid).memory_info().rss for pid in _tree(self._roots[0]))) / 2**20


def _tree(root: int) -> list[int]:
    return [root, *(child.pid for child in psutil.Process(root).children(recursive=True))]


def _worked(pid: int) -> float:
    """Linux has a clock for each process; its id is made of the process id (clock_getcpuclockid(3))."""
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:  # it has ended
        return 0.0
