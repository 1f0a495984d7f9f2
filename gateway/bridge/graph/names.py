"""What events of one link are called, so that they are known again: under a transaction of their own, and by a marker. Pure."""

from __future__ import annotations

import base64
import hashlib
import re
import string
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gateway.links import Key
from gateway.model import EntryId

MARKER = "String {8a7e3f52-6d1c-4b0e-9a54-3f6f0f2c77d1} Name appointment"
"""The extended property that a filter can ask for: after a call whose outcome nobody knows. It holds what the transaction says."""

_DIGITS = string.digits + string.ascii_lowercase
_EPOCH, _MINUTE = datetime(1970, 1, 1, tzinfo=UTC), timedelta(minutes=1)
_OWN_ID = re.compile(r"[0-9a-f]{32}")
_SHORT = re.compile(r"[A-Za-z0-9_-]{1,24}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Names:
    """How events of one link are told from all others: `mark` is the installation's and company's, `zone` the calendar's own.

    A transaction id can be set once, by a program, and is not copied when people copy an event: unlike the marker it proves whose event
    it is. Both name the key, in 47 characters at most, as many as Outlook's own have, and nothing about a person.
    """

    mark: str
    link: str
    zone: str

    def transaction(self, key: Key) -> str:
        """By which Graph knows a second call for the first one."""
        entry, at = _entry(key.entry), _moment(key.at)
        if entry is None or at is None:
            return f"{self._tag()}.x{_digest(repr((key.entry, key.at, key.generation)))[:32]}"
        return ".".join((self._tag(), entry, at, _spelt(key.generation)))

    def key(self, transaction: object) -> Key | None:
        """Which event of ours the transaction names; None when it is nobody's, another link's, or only a digest."""
        parts = str(transaction or "").split(".")
        if len(parts) != 4 or parts[0] != self._tag():
            return None
        try:
            entry = parts[1][1:] if parts[1][0] == "t" else base64.urlsafe_b64decode(parts[1][1:] + "==").hex()
            at = _EPOCH + int(parts[2], 36) * _MINUTE if parts[2] else None
            found = Key(entry=EntryId(entry), at=at, generation=int(parts[3], 36))
        except (LookupError, ValueError):
            return None
        return found if self.transaction(found) == transaction else None

    def ours(self, transaction: object, key: Key) -> bool:
        return transaction == self.transaction(key)

    def tagged(self, transaction: str) -> bool:
        """Whether it is of this link, whichever key it names."""
        return transaction.startswith(f"{self._tag()}.") and re.fullmatch(r"[A-Za-z0-9._-]+", transaction) is not None

    def _tag(self) -> str:
        return _digest(f"{self.mark}\n{self.link}")[:8]


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()).decode()


def _entry(id: EntryId) -> str | None:
    """An id as the store makes them in fewer characters; another short one as it is."""
    if _OWN_ID.fullmatch(id):
        return "h" + base64.urlsafe_b64encode(bytes.fromhex(id)).decode().rstrip("=")
    return f"t{id}" if _SHORT.fullmatch(id) else None


def _moment(at: datetime | None) -> str | None:
    """Minutes since 1970; None for what lies between two minutes, or before."""
    if at is None:
        return ""
    minutes, rest = divmod(at - _EPOCH, _MINUTE)
    return None if rest or minutes < 0 else _spelt(minutes)


def _spelt(number: int) -> str:
    """In base 36."""
    digits = ""
    while number or not digits:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits
