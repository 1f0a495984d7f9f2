"""The languages of the pages: sentences from catalogs, dates and numbers as each language writes them."""

from __future__ import annotations

import functools
import gettext
import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from zoneinfo import ZoneInfo

import jinja2
from babel import Locale, dates, numbers
from babel.messages import mofile, pofile

from gateway.web.paper import TEMPLATES

LANGUAGES = ("en", "fr", "de", "es")
"""Complete ones, English first: it is the language of the sources (a test finds what is missing in the others)."""

Translate = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Language:
    """One language: its sentences, and times as its readers write them. Times are aware; zones are IANA names."""

    tag: str
    translations: gettext.NullTranslations
    environment: jinja2.Environment

    def say(self, sentence: str, **values: object) -> str:
        """The sentence in this language; `%(name)s` in it stands for a value."""
        said = self.translations.gettext(sentence)
        return said % values if values else said

    def count(self, one: str, many: str, n: int, **values: object) -> str:
        """The sentence for so many; `%(n)s` stands for the number."""
        return self.translations.ngettext(one, many, n) % {"n": self.number(n), **values}

    def number(self, n: float) -> str:
        return numbers.format_decimal(n, locale=self.tag)

    def moment(self, at: datetime, zone: str) -> str:
        """Date and time, such as "Nov 25, 2026, 2:02 PM"."""
        return dates.format_datetime(at, "medium", tzinfo=ZoneInfo(zone), locale=self.tag).replace(":00 ", " ")

    def stretch(self, start: datetime, end: datetime, zone: str) -> str:
        """From when to when, the day named once when it is one day."""
        there = ZoneInfo(zone)
        begins, ends = start.astimezone(there), end.astimezone(there)
        day = dates.format_date(begins, "full", locale=self.tag)
        until = self.clock(end, zone) if begins.date() == ends.date() else self.moment(end, zone)
        return f"{day}, {self.clock(start, zone)} – {until}"

    def clock(self, at: datetime, zone: str) -> str:
        return dates.format_time(at, "short", tzinfo=ZoneInfo(zone), locale=self.tag)

    def ago(self, at: datetime, now: datetime) -> str:
        """How long ago, such as "12 minutes ago"; what lies ahead of `now` by a little counts as now."""
        return dates.format_timedelta(min(at - now, timedelta(seconds=-1)), add_direction=True, locale=self.tag)

    @property
    def name(self) -> str:
        """As its speakers call it."""
        return (Locale.parse(self.tag).display_name or self.tag).capitalize()


def marked(sentence: str) -> str:
    """The sentence itself: marks for the catalogs what is translated only when it is shown."""
    return sentence


@functools.cache
def language(tag: str) -> Language:
    """The language, or English. Catalogs are read once."""
    if tag not in LANGUAGES:
        return language("en")
    translations = _catalog(tag)
    environment = TEMPLATES.overlay(extensions=["jinja2.ext.i18n"])
    environment.globals = dict(TEMPLATES.globals)
    environment.install_gettext_translations(translations, newstyle=True)  # type: ignore[attr-defined]  # the extension adds it
    return Language(tag, translations, environment)


def chosen(wanted: str, accept: str) -> Language:
    """The language of a person: the one set for the account, else the first that the browser asks for (RFC 9110 §12.5.4) and we have."""
    if wanted[:2] in LANGUAGES:
        return language(wanted[:2])
    ranked = sorted(enumerate(accept[:200].split(",")), key=lambda each: (-_weight(each[1]), each[0]))
    return language(next((tag for _, part in ranked if (tag := part.strip()[:2].lower()) in LANGUAGES), "en"))


def _weight(part: str) -> float:
    try:
        return float(part.partition(";q=")[2] or 1)
    except ValueError:
        return 0.0


def _catalog(tag: str) -> gettext.NullTranslations:
    """From the text file that translators edit; there is no step in which it is compiled."""
    file = files("gateway.web").joinpath("catalogs", f"{tag}.po")
    if tag == "en" or not file.is_file():
        return gettext.NullTranslations()
    compiled = io.BytesIO()
    mofile.write_mo(compiled, pofile.read_po(io.BytesIO(file.read_bytes()), locale=tag))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
