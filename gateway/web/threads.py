"""Threads for work that waits for a database, with a short way there and back: half of what concurrent.futures takes for it."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

Work = Callable[[], Any]


class Threads:
    """Up to `most` threads, started when they are needed; whoever was free last works next, since his caches are warm.

    Of one event loop, on which everything here happens but the work itself: so there is nothing to lock.
    """

    def __init__(self, most: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._most = most
        self._started = 0
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
        elif self._started < self._most:
            self._started += 1
            _Thread(f"door_{self._started}", self._ended).begin(future, work)
        else:
            self._waiting.append((future, work))
        return future

    def close(self) -> None:
        """What waits for a thread is given up; what is under way ends by itself, and the interpreter waits for it."""
        self._closed = True
        while self._waiting:
            self._waiting.popleft()[0].cancel()
        while self._free:
            self._free.pop().end()

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
        if self._closed:
            thread.end()
        else:
            self._free.append(thread)


Ended = Callable[["_Thread", "asyncio.Future[Any]", Any, "BaseException | None"], None]


class _Thread:
    """`begin` and `end` are called on the loop, once the thread is free."""

    def __init__(self, name: str, ended: Ended) -> None:
        self._ended = ended
        self._task: tuple[asyncio.Future[Any], Work] | None = None
        self._bell = threading.Lock()
        self._bell.acquire()
        threading.Thread(target=self._run, name=name).start()

    def begin(self, future: asyncio.Future[Any], work: Work) -> None:
        self._task = future, work
        self._bell.release()

    def end(self) -> None:
        self._task = None
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
            del future, work, result, error  # nothing is kept while there is nothing to do
