"""Threads for work that waits for a database, with a short way there and back: half of what concurrent.futures takes for it."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")

Work = Callable[[], Any]


class Threads:
    """Up to `most` threads, started when they are needed; whoever was free last works next, since his caches are warm.

    Of one event loop, on which everything here happens but the work itself: so there is nothing to lock.
    """

    def __init__(self, most: int, name: str = "door") -> None:
        self._loop = asyncio.get_running_loop()
        self._most, self._name = most, name
        self._all: list[_Thread] = []
        self._free: list[_Thread] = []
        self._waiting: deque[tuple[asyncio.Future[Any], Work]] = deque()
        self._closed = False

    def run(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """The result to come. The work is carried to its end even if nobody waits for it any more. Raises RuntimeError when closed."""
        if self._closed:
            raise RuntimeError("no work is begun any more")
        future: asyncio.Future[T] = self._loop.create_future()
        if self._free:
            self._free.pop().begin(future, work)
        elif len(self._all) < self._most:
            thread = _Thread(f"{self._name}_{len(self._all) + 1}", self._ended)
            self._all.append(thread)
            thread.begin(future, work)
        else:
            self._waiting.append((future, work))
        return future

    def close(self) -> None:
        """What waits for a thread is given up; what is under way ends by itself, and its thread with it, even if the loop hears no more
        of it: the interpreter waits for all of them."""
        self._closed = True
        while self._waiting:
            self._waiting.popleft()[0].cancel()
        for thread in self._all:
            thread.end()

    def _ended(self, thread: _Thread, future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
        if not future.done():  # the client may have gone
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)
        while self._waiting:
            waiting, work = self._waiting.popleft()
            if not waiting.done():
                thread.begin(waiting, work)
                return
        self._free.append(thread)


Ended = Callable[["_Thread", "asyncio.Future[Any]", Any, "BaseException | None"], None]


class _Thread:
    """`begin` is called on the loop, once the thread is free; `end` at any time."""

    def __init__(self, name: str, ended: Ended) -> None:
        self._ended = ended
        self._task: tuple[asyncio.Future[Any], Work] | None = None
        self._over = False
        self._bell = threading.Lock()
        self._bell.acquire()
        threading.Thread(target=self._run, name=name).start()

    def begin(self, future: asyncio.Future[Any], work: Work) -> None:
        self._task = future, work
        self._bell.release()

    def end(self) -> None:
        """After what it is doing, or has just been told to do."""
        self._over = True
        with suppress(RuntimeError):  # the bell rings already: it will see afterwards that it is over
            self._bell.release()

    def _run(self) -> None:
        while True:
            self._bell.acquire()
            if self._task is None:
                return
            (future, work), self._task = self._task, None
            result, error = None, None
            try:
                result = work()
            except BaseException as caught:  # it is whoever waits that has to know
                error = caught
            try:
                future.get_loop().call_soon_threadsafe(self._ended, self, future, result, error)
            except RuntimeError:  # the loop has ended meanwhile
                return
            if self._over:
                return
            del future, work, result, error  # nothing is kept while there is nothing to do
