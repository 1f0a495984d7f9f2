"""Bringing a server up with its calendar, and handing out the sides of it that are measured."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import dav, seeding, serving
from bench.data import Dataset
from bench.meter import Meter
from bench.moving import Mover
from bench.seeding import CALENDAR, EMMA, FEED, JOHN, PASSWORD
from bench.side import Side
from bench.wire import Wire
from gateway.model import Staff
from gateway.store import Store

GATEWAY, APPOINTMENTS, RADICALE = "gateway", "appointments", "radicale"
NAMES = (GATEWAY, APPOINTMENTS, RADICALE)
"""The gateway with events that the client wrote (what a peer can be compared with), the gateway with real appointments, and stock
Radicale."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Sides that are ready; `cold` is how many seconds the first answer about the calendar took."""

    sides: Sequence[Side]
    cold: float


@contextmanager
def standing(wanted: Sequence[str], kind: str, data: Dataset) -> Iterator[list[Standing]]:
    """Servers for the wanted sides, with the data set in them; all of it is gone afterwards."""
    with _gateway(wanted, kind, data) as ours, _radicale(wanted, data) as theirs:
        yield [*ours, *theirs]


@contextmanager
def _gateway(wanted: Sequence[str], kind: str, data: Dataset) -> Iterator[list[Standing]]:
    if not {GATEWAY, APPOINTMENTS} & set(wanted):
        yield []
        return
    with TemporaryDirectory(prefix="bench-") as name, serving.database(kind, Path(name)) as database:
        store = Store(database.url)
        try:
            seeding.fill(store, data, datetime.now(UTC))
        finally:
            store.close()
        database.settle()
        with serving.gateway(database.url, Path(name)) as served:
            meter = Meter((served.pid, *database.pids))
            both = gateway_sides(data, served.port, meter)
            sides = [side for side in both if side.name in wanted]
            yield [Standing(sides, _first_answer(sides[0]))]
            _close(both)


def gateway_sides(data: Dataset, port: int, meter: Meter) -> list[Side]:
    """Both sides of a gateway that was filled by `seeding.fill` and answers on that port."""
    spares = seeding.spares(data)
    emma = f"/dav/{EMMA.handle}/appointments/"
    # Each mover has spares of its own, because it remembers their ETags, and all start at hours far from one another's.
    half = len(spares) // 2
    for_the_feed = Mover(_wire(port, EMMA), emma, spares[:half], weeks=1)
    measured = Mover(_wire(port, EMMA), emma, spares[half:], weeks=500)

    def side(name: str, person: Staff, calendar: str) -> Side:
        return Side(
            name=name,
            data=data,
            meter=meter,
            wire=_wire(port, person),
            stranger=Wire(port),
            home=f"/dav/{person.handle}/",
            calendar=f"/dav/{person.handle}/{calendar}/",
            feed=f"/feeds/{FEED}.ics",
            feed_wire=Wire(port),
            touch=for_the_feed.move_one,
            propose=measured.proposals if person is EMMA else None,
            adds=person is JOHN,
            feeds=person is JOHN,
            homely=person is JOHN,
        )

    return [side(GATEWAY, JOHN, CALENDAR), side(APPOINTMENTS, EMMA, "appointments")]


@contextmanager
def _radicale(wanted: Sequence[str], data: Dataset) -> Iterator[list[Standing]]:
    if RADICALE not in wanted:
        yield []
        return
    with TemporaryDirectory(prefix="bench-") as name:
        seeding.fill_radicale(Path(name), data, JOHN.handle)
        with serving.radicale(Path(name), JOHN.handle, PASSWORD) as served:
            calendar = f"/{JOHN.handle}/{CALENDAR}/"
            side = Side(
                name=RADICALE,
                data=data,
                meter=Meter((served.pid,)),
                wire=_wire(served.port, JOHN),
                stranger=Wire(served.port),
                home=f"/{JOHN.handle}/",
                calendar=calendar,
                feed=calendar,
                feed_wire=_wire(served.port, JOHN),
                touch=lambda: side.change_one(),
            )
            yield [Standing([side], _first_answer(side))]
            _close([side])


def _wire(port: int, person: Staff) -> Wire:
    return Wire(port, person.handle, PASSWORD)


def _first_answer(side: Side) -> float:
    started = time.perf_counter()
    side.must(side.wire.ask("PROPFIND", side.calendar, dav.CTAG, f"Depth: 0\r\n{dav.XML}"), {207})
    return time.perf_counter() - started


def _close(sides: Sequence[Side]) -> None:
    for side in sides:
        side.close()
