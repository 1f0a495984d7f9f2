"""The languages of the pages: sentences from catalogs, dates and numbers as each language writes them."""

from __future__ import annotations

import functools
import gettext
import io
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from importlib.resources import files
from zoneinfo import ZoneInfo

import jinja2
from babel import Locale, dates, numbers
from babel.messages import mofile, pofile

from gateway.web.paper import environment

LANGUAGES = ("en", "fr", "de", "es")
"""Complete ones, English first: it is the language of the sources (a test finds what is missing in the others)."""

_SENTENCES = re.compile(r"(?<=[.?!]) (?=[A-Z“0-9])")


@dataclass(frozen=True, slots=True)
class Language:
    """One language: its sentences, and times as its readers write them. Times are aware; zones are IANA names."""

    tag: str
    translations: gettext.NullTranslations
    environment: jinja2.Environment
    patterns: tuple[tuple[re.Pattern[str], str], ...] = ()

    def say(self, sentence: str, **values: object) -> str:
        """The sentence in this language; `%(name)s` in it stands for a value."""
        said = self.translations.gettext(sentence)
        return said % values if values else said

    def heard(self, sentence: str) -> str:
        """What another room has said in English, such as "Google answers 418.": its words in this language, its values as they were."""
        for pattern, known in self.patterns:
            found = pattern.fullmatch(sentence)
            if found is not None:
                return self.translations.gettext(known) % {name: self.heard(value) for name, value in found.groupdict().items()}
        said = self.translations.gettext(sentence) if sentence else ""
        several = _SENTENCES.split(sentence) if said == sentence else []
        return " ".join(map(self.heard, several)) if len(several) > 1 else said

    def page(self, template: str, **values: object) -> str:
        """The page in this language."""
        return self.environment.get_template(template).render(language=self.tag, lang=self, **values)

    def count(self, one: str, many: str, n: int, **values: object) -> str:
        """The sentence for so many; `%(n)s` stands for the number."""
        return self.translations.ngettext(one, many, n) % {"n": self.number(n), **values}

    def number(self, n: float) -> str:
        return numbers.format_decimal(n, locale=self.tag)

    def moment(self, at: datetime, zone: str) -> str:
        """Date and time without seconds, such as "Nov 25, 2026, 2:02 PM"."""
        day = dates.format_date(at.astimezone(ZoneInfo(zone)), "medium", locale=self.tag)
        return str(dates.get_datetime_format("medium", locale=self.tag)).format(self.clock(at, zone), day)

    def stretch(self, start: datetime, end: datetime, zone: str) -> str:
        """From when to when, the day named once when it is one day."""
        there = ZoneInfo(zone)
        begins, ends = start.astimezone(there), end.astimezone(there)
        day = dates.format_date(begins, "full", locale=self.tag)
        until = self.clock(end, zone) if begins.date() == ends.date() else self.moment(end, zone)
        return f"{day}, {self.clock(start, zone)} – {until}"

    def day(self, day: date, *, short: bool = False) -> str:
        """A date with its weekday, or as short as it can be understood."""
        return dates.format_date(day, "medium" if short else "full", locale=self.tag)

    def clock(self, at: datetime, zone: str) -> str:
        return dates.format_time(at, "short", tzinfo=ZoneInfo(zone), locale=self.tag)

    def ago(self, at: datetime, now: datetime) -> str:
        """How long ago, such as "12 minutes ago"; what lies ahead of `now` by a little counts as now."""
        return dates.format_timedelta(min(at - now, timedelta(seconds=-1)), add_direction=True, locale=self.tag)

    @property
    def weekdays(self) -> tuple[str, ...]:
        """From Monday on."""
        names = dates.get_day_names("wide", "stand-alone", locale=self.tag)
        return tuple(names[day] for day in range(7))

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
    translations, patterns = _catalog(tag)
    return Language(tag, translations, environment(translations), patterns)


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


def _catalog(tag: str) -> tuple[gettext.NullTranslations, tuple[tuple[re.Pattern[str], str], ...]]:
    """From the text file that translators edit; there is no step in which it is compiled. The patterns are those of `heard`: sentences
    with values that are made outside this room."""
    file = files("gateway.web").joinpath("catalogs", f"{tag}.po")
    if tag == "en" or not file.is_file():
        return gettext.NullTranslations(), ()
    catalog, compiled = pofile.read_po(io.BytesIO(file.read_bytes()), locale=tag), io.BytesIO()
    mofile.write_mo(compiled, catalog)
    compiled.seek(0)
    made_outside = [
        each.id
        for each in catalog
        if isinstance(each.id, str) and "%(" in each.id and not all(place.startswith("gateway/web/") for place, _ in each.locations)
    ]
    return gettext.GNUTranslations(compiled), tuple((_pattern(each), each) for each in made_outside)


def _pattern(sentence: str) -> re.Pattern[str]:
    """Of what is said when the values stand in the sentence."""
    parts = re.split(r"%\((\w+)\)s", sentence)
    return re.compile("".join(f"(?P<{part}>.*?)" if at % 2 else re.escape(part % ()) for at, part in enumerate(parts)), re.DOTALL)
