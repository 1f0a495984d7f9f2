"""A parent and tiny children: who is started when, who is started anew, and when it is enough."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from gateway import processes
from gateway.errors import Misconfigured

SOON = (0.0, 0.01)
CHILD = """
import os, signal, socket, sys
folder, number, leash = sys.argv[1], int(sys.argv[2]), socket.socket(fileno=int(sys.argv[3]))
lives = len([name for name in os.listdir(folder) if name.startswith(f"{number}-")])
with open(f"{folder}.{number}-{lives}", "w") as file:
    file.write(str(os.getpid()))
os.rename(file.name, f"{folder}/{number}-{lives}")
def work():
    leash.sendall(b"+")
def stay():
    leash.recv(1)
"""


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """Whoever was told to end stays deaf, which is right for a process and not for the one that runs the tests."""
    before = {number: signal.getsignal(number) for number in processes.ENDS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def births(tmp_path: Path) -> Path:
    """A file for each life of each child, with its process id in it."""
    folder = tmp_path / "births"
    folder.mkdir()
    return folder


def child(births: Path, life: str) -> processes.Command:
    """A child that lives like that."""
    return lambda number, leash: [sys.executable, "-I", "-S", "-c", CHILD + life, str(births), str(number), str(leash)]


def tell_to_end() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def born(births: Path) -> list[str]:
    return sorted(file.name for file in births.iterdir())


def nobody_is_left(births: Path) -> bool:
    return not any(psutil.pid_exists(int(file.read_text())) for file in births.iterdir())


def test_all_work_until_the_parent_is_told_to_end(births: Path) -> None:
    processes.keep(child(births, "work(); stay()"), 3, ready=tell_to_end)
    assert born(births) == ["1-0", "2-0", "3-0"]
    assert nobody_is_left(births)


def test_one_that_does_not_get_to_work_is_not_followed_by_others(births: Path) -> None:
    with pytest.raises(Misconfigured, match=r"did not get to work \(exit code 7\)"):
        processes.keep(child(births, "sys.exit(7)"), 3)
    assert born(births) == ["1-0"]


def test_one_that_dies_is_started_anew(births: Path) -> None:
    life = "work()\nif (number, lives) == (2, 0): sys.exit(1)\nif (number, lives) == (2, 1): os.kill(os.getpid(), signal.SIGTERM)\nstay()"
    processes.keep(child(births, life), 2, ready=_once(births, "2-2"), pauses=SOON)
    assert born(births) == ["1-0", "2-0", "2-1", "2-2"]
    assert nobody_is_left(births)


def _once(births: Path, name: str) -> Callable[[], None]:
    """Waits on a thread for that life to begin, then tells the parent to end."""

    def wait() -> None:
        end = time.monotonic() + 20
        while not (births / name).exists() and time.monotonic() < end:
            time.sleep(0.01)
        tell_to_end()

    return threading.Thread(target=wait).start


def test_one_that_dies_again_and_again_ends_them_all(births: Path) -> None:
    with pytest.raises(Misconfigured, match="Process 2 ended 3 times in a row"):
        processes.keep(child(births, "work()\nif number == 2: sys.exit(1)\nstay()"), 2, pauses=SOON)
    assert born(births) == ["1-0", "2-0", "2-1", "2-2"]
    assert nobody_is_left(births)


def test_after_a_long_life_a_death_counts_as_the_first(births: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "YOUNG", 0.0)
    life = "work()\nif number == 1 and lives < 5: sys.exit(1)\nstay()"
    processes.keep(child(births, life), 1, ready=_once(births, "1-5"), pauses=SOON)
    assert len(born(births)) == 6


def test_one_that_does_not_want_to_end_is_ended(births: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "GRACE", 0.2)
    deaf = "signal.signal(signal.SIGTERM, signal.SIG_IGN); work()\nwhile True: signal.pause()"
    processes.keep(child(births, deaf), 2, ready=tell_to_end)
    assert nobody_is_left(births)


def test_a_program_that_cannot_be_started_is_tried_again_and_then_given_up(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="Process 1 ended 3 times"):
        processes.keep(lambda number, leash: [str(tmp_path / "nothing")], 2, pauses=SOON)


def test_signals_are_as_before_when_nobody_was_told_to_end(births: Path) -> None:
    before = [signal.getsignal(number) for number in processes.ENDS]
    with pytest.raises(Misconfigured):
        processes.keep(child(births, "sys.exit(7)"), 1)
    assert [signal.getsignal(number) for number in processes.ENDS] == before
