"""Procrastinate's workers in one process: who is due is put into the queue, whoever is free does it, what stalls is taken over."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Job, Status
from psycopg_pool import AsyncConnectionPool

from gateway import observe
from gateway.links import AccountId
from gateway.model import CompanyId
from gateway.queue.schema import connection

TURNS, STEERING = "turns", "steering"
"""Turns may take all there is; who is due and what has stalled is looked after beside them."""

BACKLOG = 1000
"""Turns that wait at most: beyond that the store keeps who is due, and in better order."""

CONNECTIONS = 6
PAUSE = 5.0  # seconds after trouble with the database
GATHER = 0.1  # seconds between a bell and the look it asks for
GRACE = 1.0  # seconds that turns get at the end: a little more than the rounds give them

T = TypeVar("T")
Due = tuple[CompanyId, AccountId]


class Rounds(Protocol):
    """The work: as in gateway.bridge.rounds."""

    def due(self, limit: int) -> Sequence[Due]: ...
    def go(self, company: CompanyId, account: AccountId) -> object: ...
    def stop(self) -> None: ...
    def troubles(self) -> list[str]: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """How often the queue is looked after. `dispatch` and `rescue` are whole seconds, at most 59."""

    dispatch: int = 2
    rescue: int = 5
    heartbeat: timedelta = timedelta(seconds=4)  # how often a worker says that it lives
    stalled: timedelta = timedelta(seconds=15)  # since its last sign of life: then others take over what it had in hand
    poll: timedelta = timedelta(seconds=5)  # for what no notification announced

    @staticmethod
    def of(lease: timedelta) -> Pace:
        """Such that a dead worker's job is free about when its claim is."""
        return Pace(
            rescue=max(1, min(5, int(lease.total_seconds() / 3))), heartbeat=min(lease / 6, timedelta(seconds=5)), stalled=lease / 2
        )


class Queue:
    """The workers of one process, on a thread with an event loop; the turns themselves run on `count` threads. Any number of processes."""

    def __init__(self, url: str, rounds: Rounds, *, count: int, pace: Pace = Pace()) -> None:
        """`url` as in database.url, of PostgreSQL."""
        self._url = url
        self._rounds = rounds
        self._count = count
        self._pace = pace
        self._thread = threading.Thread(target=self._run, name="queue", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._bell, self._end = asyncio.Event(), asyncio.Event()
        self._ending = False

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Have somebody look who is due. Returns at once."""
        self._call(self._bell.set)

    def stop(self, timeout: float) -> bool:
        """End the workers after the turns in hand; False when one is still in it after `timeout` seconds. It ends with the process."""
        self._rounds.stop()
        self._ending = True
        self._call(self._end.set)
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def troubles(self) -> list[str]:
        """A sentence for everything that should be and is not."""
        dead = not self._ending and not self._thread.is_alive()
        return [*(["The worker “queue” has ended; start the process anew."] if dead else []), *self._rounds.troubles()]

    def _call(self, what: Callable[[], None]) -> None:
        loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):  # it has just been closed
                loop.call_soon_threadsafe(what)

    def _run(self) -> None:
        asyncio.run(self._main())

    async def _main(self) -> None:
        """Workers until the end; new ones whenever something has brought them down."""
        self._loop = asyncio.get_running_loop()
        ended = asyncio.create_task(self._end.wait())
        while not self._ending:
            working = asyncio.create_task(_Workers(self._url, self._rounds, self._count, self._pace, self._bell).work())
            await asyncio.wait({working, ended}, return_when=asyncio.FIRST_COMPLETED)
            working.cancel()
            try:
                await working
            except asyncio.CancelledError:
                pass
            except Exception as error:  # the database went away, or a library had a bad day: it may be better in a moment
                observe.log("queue_failed", error=error)
            await asyncio.wait({ended}, timeout=PAUSE)
        ended.cancel()


def _pool(**given: Any) -> AsyncConnectionPool[Any]:
    """Without what the library asks the server before every question (whoever finds a connection dead begins a new life), and without
    BEGIN and COMMIT around it: each question is one statement."""

    async def at_once(connection: Any) -> None:
        await connection.set_autocommit(True)

    return AsyncConnectionPool(**{**given, "check": None, "configure": at_once})


class _Workers:
    """One life of the workers: a connection pool, the tasks, and what looks after them."""

    def __init__(self, url: str, rounds: Rounds, count: int, pace: Pace, bell: asyncio.Event) -> None:
        self._rounds = rounds
        self._count = count
        self._pace = pace
        self._bell = bell
        self._broken = asyncio.Event()
        self._apart_now: set[asyncio.Future[Any]] = set()
        self._pool = ThreadPoolExecutor(count + 2, thread_name_prefix="mirror")
        self._app = App(connector=PsycopgConnector(**connection(url), pool_factory=_pool, min_size=1, max_size=CONNECTIONS))
        self._turn = self._app.task(name="turn", queue=TURNS)(self._take_turn)
        self._dispatch = self._app.task(name="dispatch", queue=STEERING, queueing_lock="dispatch")(self._hand_out)
        self._rescue = self._app.task(name="rescue", queue=STEERING, queueing_lock="rescue")(self._take_over)
        self._app.periodic(cron=f"* * * * * */{pace.dispatch}")(self._dispatch)
        self._app.periodic(cron=f"* * * * * */{pace.rescue}")(self._rescue)

    async def work(self) -> None:
        """Until it is cancelled, or until something is broken: then it raises, or returns."""
        asyncio.get_running_loop().set_exception_handler(self._unforeseen)
        try:
            async with self._app.open_async():
                workers = [self._worker(TURNS, self._count), self._worker(STEERING, 2)]
                tasks = {asyncio.create_task(each) for each in (*workers, self._listen(), self._broken.wait())}
                try:
                    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                    for task in done:
                        task.result()
                finally:
                    for task in tasks:
                        task.cancel()
                    await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            self._pool.shutdown(wait=False, cancel_futures=True)
            if self._apart_now:  # cancelled here, yet on their threads they go on: nobody closes the database under their feet
                await asyncio.wait(self._apart_now, timeout=GRACE)

    async def _worker(self, queue: str, concurrency: int) -> None:
        await self._app.run_worker_async(
            queues=[queue],
            name=queue,
            concurrency=concurrency,
            fetch_job_polling_interval=self._pace.poll.total_seconds(),
            shutdown_graceful_timeout=GRACE,
            install_signal_handlers=False,
            delete_jobs="always",
            update_heartbeat_interval=self._pace.heartbeat.total_seconds(),
            stalled_worker_timeout=60 + self._pace.stalled.total_seconds(),
        )

    def _unforeseen(self, _: asyncio.AbstractEventLoop, what: dict[str, object]) -> None:
        """A job whose end could not be written down stays "doing" as long as its worker lives: so the workers start a new life."""
        error = what.get("exception")
        observe.log("queue_failed", level="error", error=error if isinstance(error, BaseException) else str(what.get("message")))
        self._broken.set()

    async def _listen(self) -> None:
        """For this process's own bell; other processes find what was written within the pace."""
        while True:
            await self._bell.wait()
            await asyncio.sleep(GATHER)
            self._bell.clear()
            with suppress(AlreadyEnqueued):
                await self._dispatch.defer_async(timestamp=0)

    async def _take_turn(self, company: str, account: str) -> None:
        """One turn. It ends when the rounds say so: also when it hangs."""
        await self._apart(lambda: self._rounds.go(CompanyId(company), AccountId(account)))

    async def _hand_out(self, timestamp: int) -> None:
        """Put everybody who is due into the queue, and nobody twice."""
        waiting = {job.queueing_lock for job in await self._app.job_manager.list_jobs_async(queue=TURNS, status="todo")}
        if len(waiting) >= BACKLOG:
            return
        room = BACKLOG - len(waiting)
        jobs = [job for each in await self._apart(lambda: self._rounds.due(room)) if (job := self._job(each)).queueing_lock not in waiting]
        if not jobs:
            return
        try:
            await self._app.job_manager.batch_defer_jobs_async(jobs)
        except AlreadyEnqueued:  # by somebody else, meanwhile: all were turned down
            for job in jobs:
                with suppress(AlreadyEnqueued):
                    await self._app.job_manager.defer_job_async(job)

    def _job(self, due: Due) -> Job:
        """The account's turn: waits once at most, is done by one at most."""
        company, account = due
        name = f"{company}/{account}"
        job: Job = self._turn.configure(lock=name, queueing_lock=name, task_kwargs={"company": company, "account": account}).job
        return job

    async def _take_over(self, timestamp: int) -> None:
        """What a worker had in hand when it died is done by others."""
        manager = self._app.job_manager
        for job in await manager.get_stalled_jobs(seconds_since_heartbeat=self._pace.stalled.total_seconds()):
            observe.log("turn_stalled", level="warning", job=job.id, task=job.task_name)
            with suppress(ConnectorException):  # somebody else has taken it over; or its account waits in the queue already:
                if job.queue == TURNS:
                    with suppress(ConnectorException):
                        await manager.retry_job(job)
                        continue
                await manager.finish_job(job, Status.FAILED, delete_job=True)

    async def _apart(self, work: Callable[[], T]) -> T:
        """On a thread: the work waits for networks and databases."""
        doing = asyncio.wrap_future(self._pool.submit(work))
        self._apart_now.add(doing)
        doing.add_done_callback(self._apart_now.discard)
        return await asyncio.shield(doing)
