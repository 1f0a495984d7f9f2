"""Addresses that open a calendar on the web with one appointment filled in (formats: product.md §5.4)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from urllib.parse import quote, urlencode

from gateway.model import Span


def add_links(title: str, span: Span, details: str) -> Iterator[tuple[str, str]]:
    """(name, address) per calendar. The names are brands, the same in every language; the texts end up as query values only."""
    google = {"action": "TEMPLATE", "text": title, "dates": f"{_basic(span.start)}/{_basic(span.end)}", "details": details}
    yield "Google Calendar", "https://calendar.google.com/calendar/render?" + urlencode(google, quote_via=quote)
    outlook = {
        "path": "/calendar/action/compose",
        "rru": "addevent",
        "startdt": _extended(span.start),
        "enddt": _extended(span.end),
        "subject": title,
        "body": details,
    }
    query = urlencode(outlook, quote_via=quote)
    yield "Outlook.com", f"https://outlook.live.com/calendar/0/deeplink/compose?{query}"
    yield "Microsoft 365", f"https://outlook.office.com/calendar/0/deeplink/compose?{query}"


def _basic(instant: datetime) -> str:
    return instant.strftime("%Y%m%dT%H%M%SZ")


def _extended(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")
