"""The languages under their former name, until every page imports `gateway.web.languages`."""

from __future__ import annotations

from gateway.web.languages import LANGUAGES, Language, chosen, language, marked

__all__ = ["LANGUAGES", "Language", "chosen", "language", "marked"]
