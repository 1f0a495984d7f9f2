"""Several processes of one kind: a parent that starts them, starts anew those that die, and ends them all together.

The parent does no work of its own and opens nothing, so it has nothing to lose and no reason to fail. It starts the same program
again (never a fork of itself: threads, connections and locks do not survive one) and ties each child to itself with a pair of
sockets, the leash. The child says over it that it does its work; either side learns from its end that the other one has gone,
however it went.
"""

from __future__ import annotations

import errno
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Literal

from gateway import observe
from gateway.errors import Misconfigured
from gateway.settings import PREFIX, Settings

Half = Literal["web", "worker"]
"""What one process may do alone; a pair of them does everything."""

PAUSES = (0.0, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds before a child is started anew, by how many times it has died young in a row. There is no further pause: then all end."""

YOUNG = 10.0
"""Seconds of life after which a death counts as the first one again."""

GRACE = 4.7
"""Seconds that the children get at the end: a little more than they need, and together with the rest less than five."""

ENDS = (signal.SIGINT, signal.SIGTERM)
_AT_WORK = b"+"

Command = Callable[[int, int], Sequence[str]]
"""What starts a child, given its number (1, 2, 3 …) and the file descriptor of its end of the leash."""


@dataclass(slots=True)
class _Child:
    number: int
    process: subprocess.Popen[bytes] | None = None
    leash: socket.socket | None = None
    born: float = 0.0
    at_work: bool = False
    deaths: int = 0  # in a row, all of them young
    due: float | None = None  # when it is to be started


def serve(settings: Settings, command: Command, count: int, *, only: Half | None = None) -> None:
    """Keep so many processes serving at one address, all alike, until SIGINT or SIGTERM; all are gone within five seconds.

    `command` starts one of them; it finds in its environment what they have in common. Raises Misconfigured when the port is
    taken, or when a process does not stay alive.
    """
    server, environment = settings.server, dict[str, str]()
    with ExitStack() as to_the_end:
        if only != "worker":
            try:
                environment[f"{PREFIX}SERVER__PORT"] = str(to_the_end.enter_context(held(server.host, server.port)))
            except OSError as error:
                raise cannot_listen(server.host, server.port, error) from error
        counters = tempfile.TemporaryDirectory(prefix="gateway-counters-", ignore_cleanup_errors=True)
        environment[observe.COUNTING_TOGETHER] = to_the_end.enter_context(counters)
        keep(command, count, environment=environment, ready=lambda: observe.log("all_at_work", processes=count))


def cannot_listen(host: str, port: int, error: OSError) -> Misconfigured:
    """The sentence for whoever wanted that port."""
    if error.errno == errno.EADDRINUSE:
        return Misconfigured(f"Port {port} on {host} is taken by another program; stop that one, or choose another port.")
    return Misconfigured(f"Nothing can listen on {host}, port {port}: {error.strerror or error}.")


def keep(
    command: Command,
    count: int,
    *,
    environment: Mapping[str, str] | None = None,
    ready: Callable[[], None] = lambda: None,
    pauses: Sequence[float] = PAUSES,
) -> None:
    """Keep so many children running until SIGINT or SIGTERM; they are gone when it returns. In the main thread only.

    `environment` is added to ours. `ready()` is called once all do their work. The first child goes ahead: what is wrong with the
    settings is said once and not by everybody. Raises Misconfigured when that one does not get to work, or when one dies again
    and again.
    """
    with _told_to_end() as told:
        crew = _Crew(command, count, environment or {}, pauses)
        try:
            crew.run(told, ready)
        finally:
            crew.end()


class _Crew:
    """The children, and what becomes of them."""

    def __init__(self, command: Command, count: int, environment: Mapping[str, str], pauses: Sequence[float]) -> None:
        self._command = command
        self._environment = {**os.environ, **_same_modules(), **environment}
        self._pauses = pauses
        self._children = [_Child(number) for number in range(1, count + 1)]
        self._selector = selectors.DefaultSelector()
        self._went_ahead = False  # the first one, which is at work or was

    def run(self, told: socket.socket, ready: Callable[[], None]) -> None:
        """Return when it is `told` to."""
        self._selector.register(told, selectors.EVENT_READ)
        self._children[0].due = time.monotonic()
        waiting = True
        while True:
            for child in self._children:
                if child.due is not None and child.due <= time.monotonic():
                    self._start(child)
            for key, _ in self._selector.select(self._pause()):
                if key.data is None:
                    return
                self._hear(key.data)
            if waiting and all(child.at_work for child in self._children):
                waiting = False
                ready()

    def end(self) -> None:
        """Ask every child to end, and end those that do not."""
        alive = [child.process for child in self._children if child.process is not None]
        for process in alive:
            process.terminate()
        deadline = time.monotonic() + GRACE
        for process in alive:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                observe.log("process_killed", level="warning", pid=process.pid)
                process.kill()
                process.wait()
        for child in self._children:
            if child.leash is not None:
                child.leash.close()
        self._selector.close()

    def _pause(self) -> float | None:
        """Seconds until a child is due; None: none is."""
        dues = [child.due for child in self._children if child.due is not None]
        return max(0.0, min(dues) - time.monotonic()) if dues else None

    def _start(self, child: _Child) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                process = subprocess.Popen(  # noqa: S603  this program itself
                    self._command(child.number, theirs.fileno()),
                    stdin=subprocess.DEVNULL,
                    env=self._environment,
                    pass_fds=[theirs.fileno()],
                    process_group=0,  # Ctrl-C in a terminal is for the parent, who passes it on
                )
            except OSError as error:  # no memory, too many processes: it may be better in a moment
                ours.close()
                observe.log("process_not_started", error=error, process=child.number)
                self._again(child)
                return
        child.process, child.leash, child.born, child.at_work, child.due = process, ours, time.monotonic(), False, None
        self._selector.register(ours, selectors.EVENT_READ, child)

    def _hear(self, child: _Child) -> None:
        """A child has begun its work, or it has gone."""
        assert child.leash is not None  # noqa: S101  it was heard on it
        with suppress(ConnectionError):
            if child.leash.recv(len(_AT_WORK)):
                child.at_work = self._went_ahead = True
                for other in self._children:
                    if other.process is None and other.due is None:
                        other.due = time.monotonic()
                return
        self._bury(child)

    def _bury(self, child: _Child) -> None:
        assert child.leash is not None  # noqa: S101  it was started
        assert child.process is not None  # noqa: S101
        self._selector.unregister(child.leash)
        child.leash.close()
        code, lived = child.process.wait(), time.monotonic() - child.born
        observe.log("process_ended", level="warning", process=child.number, pid=child.process.pid, code=code, seconds=round(lived, 1))
        child.process, child.leash, child.at_work = None, None, False
        if not self._went_ahead:
            raise Misconfigured(f"The first process did not get to work (exit code {code}); what it said stands above.")
        if lived >= YOUNG:
            child.deaths = 0
        self._again(child)

    def _again(self, child: _Child) -> None:
        if child.deaths == len(self._pauses):
            raise Misconfigured(f"Process {child.number} ended {child.deaths + 1} times in a row soon after its start; see above for why.")
        child.due = time.monotonic() + self._pauses[child.deaths]
        child.deaths += 1


def _same_modules() -> dict[str, str]:
    """A child finds its modules where this process found them, and not in the working folder."""
    return {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONSAFEPATH": "1"}


@contextmanager
def _told_to_end() -> Iterator[socket.socket]:
    """A socket that can be read once a signal has come. After that, further ones are ignored to the end of the process: it is about
    to end, and half of an end is none."""
    ours, signalled = socket.socketpair()
    with ours, signalled:
        signalled.setblocking(False)
        before = {number: signal.signal(number, lambda *_: None) for number in ENDS}
        wakened = signal.set_wakeup_fd(signalled.fileno(), warn_on_full_buffer=False)
        try:
            yield ours
        finally:
            signal.set_wakeup_fd(wakened)
            ours.setblocking(False)
            with suppress(BlockingIOError):
                if ours.recv(1):
                    before = {}
            for number, handler in before.items():
                signal.signal(number, handler)


def tied(leash: int) -> Callable[[], None]:
    """Tie this process to the parent whose leash it was given: it ends, as after SIGTERM, when the parent has gone.

    Answers the function that tells the parent that the work has begun. Called once, from any thread.
    """
    end = socket.socket(fileno=leash)
    end.set_inheritable(False)

    def watch() -> None:
        with suppress(ConnectionError):
            end.recv(1)  # the parent says nothing: whatever comes is its end
        os.kill(os.getpid(), signal.SIGTERM)

    def at_work() -> None:
        with suppress(ConnectionError):
            end.sendall(_AT_WORK)

    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)  # for the thread: signals are for whoever waits for them
    try:
        threading.Thread(target=watch, name="leash", daemon=True).start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return at_work


@contextmanager
def held(host: str, port: int) -> Iterator[int]:
    """The address, kept from other programs while our children listen on it together; the port, which is a free one for 0.

    Raises OSError when it is taken. Nothing listens here: a socket that only holds the address gets no connections.
    """
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    with ExitStack() as holding:
        for family, kind, protocol, _, address in dict.fromkeys(found):
            with _bindable(family, kind, protocol, socket.SO_REUSEADDR) as probe:  # fails beside whoever shares the port, too
                probe.bind((address[0], port, *address[2:]))
                port = probe.getsockname()[1]
            kept = holding.enter_context(_bindable(family, kind, protocol, socket.SO_REUSEPORT))
            kept.bind((address[0], port, *address[2:]))
        yield port


def _bindable(family: int, kind: int, protocol: int, option: int) -> socket.socket:
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, option, 1)
    if family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # as asyncio does: the other family has a socket of its own
    return made
