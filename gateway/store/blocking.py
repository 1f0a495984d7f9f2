"""Which calendars of accounts elsewhere block their staff members, and how reading them went (steps/0013_blocking)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import text

from gateway.errors import Missing
from gateway.links import AccountId, Blocking
from gateway.store.codec import instant, maybe_instant, maybe_micros, micros
from gateway.store.linked import said
from gateway.store.reading import Reading
from gateway.store.writing import Writing

_COLUMNS = "account, calendar, title, due, digest, whole, failing, trouble"
_ALL = text(f"SELECT {_COLUMNS} FROM blocking WHERE company = :company ORDER BY account, title, calendar")  # noqa: S608 columns
_OF = text(f"SELECT {_COLUMNS} FROM blocking WHERE company = :company AND account = :account ORDER BY title, calendar")  # noqa: S608 columns
_ADD = text("""
    INSERT INTO blocking (company, account, calendar, title, due, digest, whole, failing, trouble)
    VALUES (:company, :account, :calendar, :title, :due, :digest, :whole, :failing, :trouble)
    ON CONFLICT (company, account, calendar) DO UPDATE SET title = excluded.title
""")
_SAVE = text("""
    UPDATE blocking SET title = :title, due = :due, digest = :digest, whole = :whole, failing = :failing, trouble = :trouble
    WHERE company = :company AND account = :account AND calendar = :calendar
""")
_AGAIN = text("""
    UPDATE blocking SET due = 0, digest = '', whole = NULL, failing = NULL, trouble = ''
    WHERE company = :company AND account = :account AND calendar = :calendar
""")
_DROP = text("DELETE FROM blocking WHERE company = :company AND account = :account AND calendar = :calendar")
_OWNER = text("SELECT staff FROM account WHERE company = :company AND id = :account")
_FORGET = text("DELETE FROM origin WHERE company = :company AND staff = :staff AND origin = :origin")


class Blockings(Reading):
    """Calendars that block."""

    def blocking(self, account: AccountId | None = None) -> Sequence[Blocking]:
        """Of the account, or of all; by title."""
        return [
            Blocking(
                account=AccountId(row.account),
                calendar=row.calendar,
                title=row.title,
                due=instant(row.due),
                digest=row.digest,
                whole=maybe_instant(row.whole),
                failing=maybe_instant(row.failing),
                trouble=row.trouble,
            )
            for row in (self._all(_ALL) if account is None else self._all(_OF, account=account))
        ]


class Choosing(Writing, Blockings):
    """No line of the log: what the booking calendar holds stays as it is."""

    def add_blocking(self, blocking: Blocking) -> None:
        """It blocks from now on; what is known of one that does so already stays. Raises Missing without the account."""
        self._owner(blocking.account)
        self._run(_ADD, **_values(blocking))

    def save_blocking(self, blocking: Blocking) -> None:
        """How reading it went. Raises Missing when it was deselected meanwhile."""
        if not self._run(_SAVE, **_values(blocking)):
            raise Missing("This calendar does not block any more.")

    def drop_blocking(self, blocking: Blocking) -> None:
        """It blocks nobody any more, and its times are forgotten."""
        self._forget(blocking)
        self._run(_DROP, account=blocking.account, calendar=blocking.calendar)

    def clear_blocking(self, blocking: Blocking) -> None:
        """Its times are forgotten, until it is read again, which is due at once. Raises Missing without the account."""
        self._forget(blocking)
        self._run(_AGAIN, account=blocking.account, calendar=blocking.calendar)

    def _forget(self, blocking: Blocking) -> None:
        self._run(_FORGET, staff=self._owner(blocking.account), origin=blocking.origin)

    def _owner(self, account: AccountId) -> str:
        return str(self._sure("There is no such account.", _OWNER, account=account).staff)


def _values(blocking: Blocking) -> dict[str, object]:
    return {
        "account": blocking.account,
        "calendar": blocking.calendar,
        "title": said(blocking.title),
        "due": micros(blocking.due),
        "digest": blocking.digest,
        "whole": maybe_micros(blocking.whole),
        "failing": maybe_micros(blocking.failing),
        "trouble": said(blocking.trouble),
    }
