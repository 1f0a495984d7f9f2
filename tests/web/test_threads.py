"""The front door's threads: what is given to them is done, by so many at once, and whoever waits hears how it ended."""

from __future__ import annotations

import asyncio
import threading

import pytest

from gateway.web.threads import Threads


def test_results_and_errors_come_back() -> None:
    async def look() -> None:
        threads = Threads(2)
        assert await threads.run(lambda: 7) == 7
        with pytest.raises(ZeroDivisionError):
            await threads.run(lambda: 1 // 0)
        assert await threads.run(threading.current_thread) is not threading.current_thread()
        threads.close()

    asyncio.run(look())


def test_no_more_work_at_once_than_there_are_threads_and_all_of_it_is_done() -> None:
    lock, working, most = threading.Lock(), 0, 0
    together = threading.Barrier(3, timeout=20)

    def work(number: int) -> int:
        nonlocal working, most
        with lock:
            working += 1
            most = max(most, working)
        together.wait()
        with lock:
            working -= 1
        return number

    async def look() -> list[int]:
        threads = Threads(3)
        found = await asyncio.gather(*(threads.run(lambda number=number: work(number)) for number in range(30)))
        threads.close()
        return found

    assert asyncio.run(look()) == list(range(30))
    assert most == 3


def test_a_thread_that_is_free_is_used_again() -> None:
    async def look() -> set[str]:
        threads = Threads(8)
        found = {(await threads.run(threading.current_thread)).name for _ in range(20)}
        threads.close()
        return found

    assert len(asyncio.run(look())) == 1


def test_work_nobody_waits_for_any_more_is_carried_to_its_end() -> None:
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        go_on.wait(20)
        ended.set()

    async def look() -> None:
        threads = Threads(1)
        waiting = threads.run(work)
        assert await asyncio.to_thread(begun.wait, 20)
        waiting.cancel()
        go_on.set()
        assert await threads.run(lambda: 1) == 1
        threads.close()

    asyncio.run(look())
    assert ended.is_set()


def test_what_waits_for_a_thread_at_the_end_is_given_up() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        go_on.wait(20)

    async def look() -> None:
        threads = Threads(1)
        first, second = threads.run(work), threads.run(lambda: 2)
        assert await asyncio.to_thread(begun.wait, 20)
        threads.close()
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await second
        await first
        with pytest.raises(RuntimeError):
            await threads.run(lambda: 3)

    asyncio.run(look())


def test_a_thread_whose_work_outlives_the_loop_ends_all_the_same() -> None:
    """The loop stops between the end of the work and its hearing of it; then nobody may wait for that thread for ever."""
    begun, go_on = threading.Event(), threading.Event()

    def work() -> threading.Thread:
        begun.set()
        go_on.wait(20)
        return threading.current_thread()

    loop = asyncio.new_event_loop()

    async def begin() -> Threads:
        threads = Threads(1)
        threads.run(work)
        await asyncio.to_thread(begun.wait, 20)
        return threads

    threads = loop.run_until_complete(begin())
    working = next(each for each in threading.enumerate() if each.name == "door_1")
    threads.close()
    go_on.set()
    working.join(20)
    assert not working.is_alive()
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
