"""The corpus: texts in the manner of real clients, and what each of them means."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from gateway.booking import Annotate, Cancel, Intent, Misuse, Move, Resize
from gateway.errors import Conflict, Invalid
from gateway.ical import read
from gateway.model import Appointment, CalendarId, EntryId, Personal, Shape
from tests.ical.people import HORIZON, NOW, START, WEEK, booked, moved, shaped

CORPUS = Path(__file__).parent / "corpus"
TEXTS = sorted(CORPUS.rglob("*.ics"))
ALARM = "BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT15M\nDESCRIPTION:Default Mozilla Description\nEND:VALARM"
HELD = {
    "single": booked(uid="single@example.com", version=3),
    "marked": booked(
        uid="marked@example.com", version=3, extras=("CATEGORIES:Travail", "X-APPLE-TRAVEL-ADVISORY-BEHAVIOR:AUTOMATIC", ALARM)
    ),
    "series": booked(
        uid="series@example.com",
        version=5,
        rule="FREQ=WEEKLY;COUNT=8",
        overrides=(moved(START + WEEK, START + WEEK + timedelta(hours=3)),),
        excluded=(START + 2 * WEEK,),
    ),
}


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_clients_text_means_what_is_written_beside_it(path: Path) -> None:
    text = path.read_bytes().decode()
    kind = path.stem.split("-")[0]
    found = list(personal(text) if kind == "personal" else proposal(HELD[kind], text))
    assert found == path.with_suffix(".expected").read_text(encoding="utf-8").splitlines()


def test_every_client_of_the_corpus_is_asked_about_appointments() -> None:
    assert {path.parent.name for path in TEXTS if not path.stem.startswith("personal")} == {
        path.name for path in CORPUS.iterdir() if path.is_dir()
    }


def proposal(held: Appointment, text: str) -> Iterator[str]:
    try:
        found = read.proposal(held, shaped(held).text, text)
    except (Invalid, Conflict) as error:
        yield f"refused {error.condition} {error}"
        return
    yield f"seen {found.seen or 'nothing'}"
    for intent in found.intents:
        yield from lines(intent)


def lines(intent: Intent) -> Iterator[str]:
    at = f" {form(intent.at)}" if isinstance(intent, Move | Resize | Cancel | Annotate) and intent.at else ""
    match intent:
        case Move(span=span, all_day=all_day):
            yield f"move{at}{' all day' if all_day else ''} to {form(span.start)}/{form(span.end)}"
        case Resize(span=span):
            yield f"resize{at} to {form(span.start)}/{form(span.end)}"
        case Cancel():
            yield f"cancel{at}"
        case Annotate(extras=extras):
            yield from (f"keep{at} {extra}".replace("\n", " ") for extra in extras or ("nothing",))
        case Misuse(reason=reason, what=what):
            yield f"misuse {reason} {what}"
        case _:
            yield repr(intent)


def personal(text: str) -> Iterator[str]:
    wish = read.personal(text, zone="Europe/Paris")
    assert wish.text == text
    yield f"personal {wish.component} {wish.uid}"
    shape = shape_of(text)
    yield from (f"{'busy' if each.busy else 'free'} {form(each.span.start)}/{form(each.span.end)}" for each in shape.occurrences)
    yield f"indexed until {form(shape.indexed_until)}" if shape.indexed_until else f"ends {form(shape.ceil)}"


def shape_of(text: str) -> Shape:
    entry = Personal(
        id=EntryId("p"), calendar=CalendarId("c"), name="p.ics", uid="p", component="VEVENT", text=text, created=NOW, changed=NOW
    )
    return read.personal_shape(entry, zone="Europe/Paris", horizon=HORIZON)


def form(instant: datetime | None) -> str:
    return "never" if instant is None else f"{instant.year:04}{instant:%m%dT%H%M%SZ}"
