"""The sentences themselves: every language says everything, and names what it is given."""

from __future__ import annotations

import string
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.errors import Reason
from gateway.model import Span
from gateway.post import dates
from gateway.post.words import LANGUAGES, Words, words

ENGLISH = LANGUAGES["en"]
GIVEN = {
    "subject": {"moment", "date", "service"},
    "pair": {"label", "value"},
    "there": {"company"},
    "greeting": {"name"},
    "more": {"count"},
    "date": {"weekday", "day", "month", "year"},
    "short": {"weekday", "day", "month"},
    "within": {"start", "end"},
    "across": {"start", "end", "start_date", "end_date"},
    "moment": {"date", "time"},
}
PARIS = ZoneInfo("Europe/Paris")


def sentences(found: object, name: str = "") -> Iterator[tuple[str, str]]:
    """(field, text) of everything a language says."""
    if isinstance(found, str):
        yield name, found
    elif isinstance(found, dict):
        for each in found.values():
            yield from sentences(each, "reason")
    elif isinstance(found, tuple):
        for each in found:
            yield from sentences(each, name)
    elif is_dataclass(found):
        for each in fields(found):
            yield from sentences(getattr(found, each.name), each.name)


def used(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_there_and_asks_only_for_what_it_is_given(language: str) -> None:
    assert set(LANGUAGES[language].reasons) == set(Reason)
    for name, text in sentences(LANGUAGES[language]):
        assert text.strip() == text, f"{name}: {text!r}"
        assert text
        assert used(text) <= GIVEN.get(name, set()), f"{name}: {text!r}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_fills_in_the_same_facts(language: str) -> None:
    english = list(sentences(ENGLISH))
    said = list(sentences(LANGUAGES[language]))
    assert [name for name, _ in said] == [name for name, _ in english]
    for (name, ours), (_, theirs) in zip(said, english, strict=True):
        if name in {"pair", "there", "greeting", "more", "within", "across", "moment", "short", "date"}:
            assert used(ours) == used(theirs), name


@pytest.mark.parametrize(
    ("locales", "language"),
    [
        (("de-AT",), "de"),
        (("fr_CA.UTF-8", "de"), "fr"),
        (("pt", "es"), "es"),
        (("pt", ""), "en"),
        (("en-GB",), "en-GB"),
        (("EN",), "en"),
    ],
)
def test_the_first_language_that_is_spoken_is_taken(locales: tuple[str, ...], language: str) -> None:
    assert words(*locales).language == language


@pytest.mark.parametrize(
    ("locale", "written"),
    [
        ("en", ("Tuesday, December 1, 2026", "2:05 PM – 3:05 PM")),
        ("en-GB", ("Tuesday 1 December 2026", "14:05 – 15:05")),
        ("en-AU", ("Tuesday 1 December 2026", "2:05 PM – 3:05 PM")),
        ("fr", ("mardi 1er décembre 2026", "de 14:05 à 15:05")),
        ("de", ("Dienstag, 1. Dezember 2026", "14:05–15:05 Uhr")),
        ("es", ("martes, 1 de diciembre de 2026", "de 14:05 a 15:05 h")),
    ],
)
def test_days_and_hours_are_written_as_people_write_them(locale: str, written: tuple[str, str]) -> None:
    start = datetime(2026, 12, 1, 13, 5, tzinfo=UTC)
    said: Words = words(locale)
    assert dates.stretch(said.calendar, Span(start, start + timedelta(hours=1)), PARIS) == written


def test_the_clock_follows_the_zone_through_a_change_of_clocks() -> None:
    night = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 2:30 in summer, 2:30 again an hour later
    assert [dates.clock(ENGLISH.calendar, night + timedelta(hours=hours), PARIS) for hours in range(3)] == ["2:30 AM", "2:30 AM", "3:30 AM"]


@pytest.mark.parametrize("name", ["", "../etc", "Mars/Olympus", "Europe", "Europe/Paris\n", "\x00"])
def test_an_unknown_zone_is_passed_over(name: str) -> None:
    assert dates.zone(name, "Europe/Paris") == PARIS
    assert dates.zone(name).key == "UTC"
