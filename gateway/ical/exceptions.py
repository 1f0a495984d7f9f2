"""What a client's text asks of single occurrences of an appointment: exceptions that are new, changed or gone, and dates left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from gateway.booking import Annotate, Cancel, Misuse, Move, Resize, instances
from gateway.booking.series import shifted_rule
from gateway.errors import Reason
from gateway.ical.comparison import Comparison
from gateway.ical.marks import same
from gateway.ical.moments import moment, moments
from gateway.ical.parse import Component, unfit
from gateway.ical.series import dates
from gateway.model import Appointment, Override, Recurrence, Span

Wish = Misuse | Move | Resize | Cancel | Annotate
_NONE = Misuse(reason=Reason.RECURRENCE, what="The series has no such occurrence.")
_GONE = Misuse(reason=Reason.RECURRENCE, what="A cancelled occurrence does not come back by itself.")
_ONWARD = Misuse(reason=Reason.RECURRENCE, what="Occurrences are moved one by one, not all that follow.")


def asked(compared: Comparison, whole: Sequence[Move | Resize]) -> Iterator[Wish]:
    """The wishes, by original start. `whole` is what the text asks for the series itself; where that moves, `at` is what it will be.

    An exception that is gone goes back to its planned place, unless the whole series moves: some clients drop exceptions then.
    """
    own = [each for each in compared.events if each is not compared.master]
    series = compared.held.recurrence
    if series is None:
        if own:
            yield Misuse(reason=Reason.RECURRENCE, what="The appointment does not repeat.")
        return
    if compared.start.day:
        return
    named = {_original(compared, each): each for each in own}
    length = whole[-1].span.length if whole else compared.held.span.length
    if any(isinstance(wish, Move) for wish in whole):
        yield from _of_moved(compared, series, named, length)
    else:
        yield from _of_unmoved(compared, series, named, length)


def _of_unmoved(compared: Comparison, series: Recurrence, named: dict[datetime, Component], length: timedelta) -> Iterator[Wish]:
    held, gone = compared.held, set(series.excluded)
    overrides = {override.at: override for override in series.overrides}
    for at, event in sorted(named.items(), key=_by_start):
        if at in gone:
            if event.word("STATUS") != "CANCELLED":
                yield _GONE
        elif at in overrides or _exists(held, at):
            yield from _of_one(compared, event, at, overrides.get(at), Span(at, at + length))
        else:
            yield _NONE
    if compared.master is None:
        return
    excluded = _excluded(compared, compared.master)
    if not excluded | set(named) >= gone:
        yield _GONE
    for at in sorted((excluded | set(overrides)) - gone - set(named)):
        if at not in excluded:
            yield from _of_gone(overrides[at], Span(at, at + length))
        elif at in overrides or _exists(held, at):
            yield Cancel(at=at)


def _of_moved(compared: Comparison, series: Recurrence, named: dict[datetime, Component], length: timedelta) -> Iterator[Wish]:
    """The n-th occurrence stays the n-th. Clients shift the original starts of exceptions along with the series, or leave them."""
    held, start = compared.held, compared.start.instant
    rule = shifted_rule(series.rule, held.span.start, start, held.zone)
    if rule is None:
        return
    before = [each.at for each in instances(replace(held, recurrence=Recurrence(rule=series.rule)))]
    later = replace(held, span=Span(start, start + held.span.length), recurrence=Recurrence(rule=rule))
    becomes = dict(zip(before, (each.at for each in instances(later)), strict=False))
    overrides = {becomes[override.at]: override for override in series.overrides if override.at in becomes}
    gone = {becomes[at] for at in series.excluded if at in becomes}
    excluded = set() if compared.master is None else _excluded(compared, compared.master)
    mentioned, shifted = excluded | set(named), dict.fromkeys(becomes.values())
    left = len(mentioned & {*series.excluded, *(override.at for override in series.overrides)}) > len(mentioned & {*gone, *overrides})

    def place(at: datetime) -> datetime | None:
        here, there = becomes.get(at), at if at in shifted else None
        return (here or there) if left else (there or here)

    for named_at, event in sorted(named.items(), key=_by_start):
        at = place(named_at)
        if at is None:
            yield _NONE
        elif at not in gone:
            yield from _of_one(compared, event, at, overrides.get(at), Span(at, at + length))
    for at in sorted({at for each in excluded - set(named) if (at := place(each)) is not None} - gone):
        yield Cancel(at=at)


def _of_one(compared: Comparison, event: Component, at: datetime, override: Override | None, place: Span) -> Iterator[Wish]:
    """One occurrence that the text has an event of its own for."""
    if event.word("STATUS") == "CANCELLED":
        yield Cancel(at=at)
        return
    wishes = list(compared.times(event, override.span if override else place, at))
    line = event.one("RECURRENCE-ID")
    if wishes and line is not None and (line.parameter("RANGE") or "").upper() == "THISANDFUTURE":
        yield _ONWARD
        return
    yield from wishes
    found = compared.marks(event, override.extras if override else ())
    if override is not None:
        if not same(found, override.extras):
            yield Annotate(extras=found, at=at)
    elif found and (wishes or not same(found, _of_the_whole(compared))):  # clients copy the marks of the whole into every exception
        yield Annotate(extras=found, at=at)


def _of_gone(override: Override, place: Span) -> Iterator[Wish]:
    """An exception that the text has no more: as planned again."""
    if override.span.start != place.start:
        yield Move(span=place, at=override.at)
    elif override.span != place:
        yield Resize(span=place, at=override.at)
    if override.extras:
        yield Annotate(extras=(), at=override.at)


def _of_the_whole(compared: Comparison) -> tuple[str, ...]:
    return compared.held.extras if compared.master is None else compared.marks(compared.master, compared.held.extras)


def _original(compared: Comparison, event: Component) -> datetime:
    line = event.one("RECURRENCE-ID")
    if line is None:
        raise unfit("The object has two events without RECURRENCE-ID.")
    return moment(line, compared.zones).at(compared.start)


def _excluded(compared: Comparison, master: Component) -> set[datetime]:
    return {each.at(compared.start) for line in dates(master, "EXDATE") for each in moments(line, compared.zones)}


def _exists(held: Appointment, at: datetime) -> bool:
    """Whether the rule has an occurrence that starts there."""
    return any(each.at == at for each in instances(held, within=Span(at, at)))


def _by_start(item: tuple[datetime, Component]) -> datetime:
    return item[0]
