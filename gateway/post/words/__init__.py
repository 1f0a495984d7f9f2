"""What letters say, in the language of whoever reads them."""

from __future__ import annotations

import re

from gateway.post.words.de import GERMAN
from gateway.post.words.en import BRITISH, DAY_FIRST, ENGLISH
from gateway.post.words.es import SPANISH
from gateway.post.words.form import Calendar, Labels, Occasion, Words
from gateway.post.words.fr import FRENCH

__all__ = ["LANGUAGES", "Calendar", "Labels", "Occasion", "Words", "words"]

LANGUAGES = {"en": ENGLISH, "fr": FRENCH, "de": GERMAN, "es": SPANISH}

_PLACES = {"en-gb": BRITISH, "en-ie": BRITISH, "en-au": DAY_FIRST, "en-nz": DAY_FIRST, "en-in": DAY_FIRST, "en-za": DAY_FIRST}


def words(*locales: str) -> Words:
    """The words of the first of the locales that is spoken here ("de", "de-AT", "fr_CA.UTF-8"); English otherwise."""
    for locale in locales:
        language, _, place = re.split(r"[.@]", locale.strip().lower().replace("_", "-"))[0].partition("-")
        found = _PLACES.get(f"{language}-{place}") or LANGUAGES.get(language)
        if found is not None:
            return found
    return ENGLISH
