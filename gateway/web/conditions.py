"""Conditional requests (RFC 9110 §13): does the client already have it, or has it seen the newest state."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')


def tags(header: str) -> list[str]:
    """The opaque tags of a list, weakness marks dropped; what is no entity tag (Outlook sends some unquoted) is taken as one."""
    found = _TAG.findall(header)
    return found or [f'"{each.strip()}"' for each in header.split(",") if each.strip()]


def known(if_none_match: str | None, etag: str) -> bool:
    """Whether If-None-Match names the tag, by weak comparison (§13.1.2)."""
    return if_none_match is not None and (if_none_match.strip() == "*" or etag in tags(if_none_match))


def seen(if_match: str, etag: str) -> bool:
    """Whether If-Match names the tag, by strong comparison (§13.1.1): a weak tag never matches."""
    return if_match.strip() == "*" or (etag in tags(if_match) and f"W/{etag}" not in if_match)


def unmodified(if_modified_since: str | None, last_modified: datetime) -> bool:
    """Whether nothing changed since; a date that cannot be read is no condition (§13.1.3)."""
    if if_modified_since is None:
        return False
    try:
        since = parsedate_to_datetime(if_modified_since)
    except (ValueError, OverflowError):
        return False
    return since.tzinfo is not None and last_modified.replace(microsecond=0) <= since


def http_date(instant: datetime) -> str:
    return format_datetime(instant.astimezone(UTC).replace(microsecond=0), usegmt=True)
