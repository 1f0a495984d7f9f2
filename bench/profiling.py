"""Where the time goes: the whole gateway in this process under the profiler, and one operation asked of it over and over."""

from __future__ import annotations

import cProfile
import io
import os
import pstats
import re
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

from bench import seeding, serving
from bench.data import Dataset
from bench.measuring import Pace, run_of
from bench.meter import Meter
from bench.operations import OPERATIONS
from bench.sides import gateway_sides
from gateway import app
from gateway.settings import Settings
from gateway.store import Store

PACE = Pace(rounds=1, most=400, least=5, seconds=8.0)

_ASKING = "asking"
_LOOP, _DOOR, _WORKERS = "On the event loop", "On the threads of the front door", "On the threads of the workers"
_PLACES = re.compile(rf"{re.escape(str(Path(__file__).resolve().parents[1]))}/|\S*?/site-packages/|\S*?/lib/python3\.\d+/")
"""What is left out of the paths of modules: where they lie on this machine."""


class Watch:
    """Profilers that count CPU, one for each thread, because each has to be switched on from within (threading.setprofile)."""

    def __init__(self) -> None:
        self.loop = cProfile.Profile(time.thread_time)
        self.others: dict[str, list[cProfile.Profile]] = {_DOOR: [], _WORKERS: []}

    def __call__(self, frame: FrameType, event: str, argument: object) -> None:
        """The first event of a new thread: from here on its profiler listens. The thread that asks is the client's and left alone."""
        sys.setprofile(None)
        name = threading.current_thread().name
        if name != _ASKING:
            profiler = cProfile.Profile(time.thread_time)
            self.others[_DOOR if name.startswith("door") else _WORKERS].append(profiler)
            profiler.enable()


def profile(key: str, side_name: str, data: Dataset, lines: int) -> None:
    """Print the functions in which the operation spends its CPU, as the whole gateway serves it. In the main thread only."""
    with TemporaryDirectory(prefix="bench-") as folder:
        settings = Settings.model_validate(
            {
                "database": {"url": f"sqlite:///{folder}/gateway.sqlite"},
                "server": {"port": serving.free_port(), "threads": 1},
                "mail": {"smtp_url": ""},
                "feeds": {"fetches_per_hour": 1_000_000},
            }
        )
        store = Store(settings.database.url)
        try:
            seeding.fill(store, data, datetime.now(UTC))
        finally:
            store.close()
        watch = Watch()
        with app.opened(settings) as opened:
            requests = _asked(opened, watch, lambda: _ask(key, side_name, data, settings.server.port))
        _print(watch, requests, lines)


def _asked(opened: app.App, watch: Watch, ask: Callable[[], int]) -> int:
    """Serve under the watch until `ask`, which runs beside it, is done; its answer."""
    answers: list[int] = []

    def work() -> None:
        try:
            answers.append(ask())
        finally:
            os.kill(os.getpid(), signal.SIGTERM)  # how a server is asked to end

    asking = threading.Thread(target=work, name=_ASKING)
    threading.setprofile(watch)
    try:
        watch.loop.runcall(app.serve, opened, started=lambda address: asking.start())
    finally:
        threading.setprofile(None)
    asking.join()
    return sum(answers)


def _ask(key: str, side_name: str, data: Dataset, port: int) -> int:
    """Run the operation; how many requests it were. The way there, such as reading all ETags once, is under the watch as well."""
    sides = {side.name: side for side in gateway_sides(data, port, Meter((os.getpid(),)))}
    run = run_of(sides[side_name], OPERATIONS[key], PACE)
    return len(run.latencies) if run is not None else 0


def _print(watch: Watch, requests: int, lines: int) -> None:
    for title, profilers in {_LOOP: [watch.loop], **watch.others}.items():
        written = io.StringIO()
        stats = pstats.Stats(*profilers, stream=written)
        total = getattr(stats, "total_tt", 0.0)
        sys.stdout.write(f"\n{title}: {total / max(1, requests) * 1000:.2f} ms CPU for each of {requests} requests, profiler included\n")
        for order in ("tottime", "cumulative"):
            stats.sort_stats(order).print_stats(lines)
        sys.stdout.write(_PLACES.sub("", written.getvalue()))
