"""What the granted scopes of an account let us do beside a calendar of our own. At Microsoft one consent reaches everything."""

from __future__ import annotations

from gateway.links import Account, Provider

_BUSY = {"calendar", "calendar.readonly", "calendar.freebusy", "calendar.events.freebusy"}
_LIST = {"calendar", "calendar.readonly", "calendar.calendarlist", "calendar.calendarlist.readonly"}
_WRITE = {"calendar", "calendar.events", "calendar.events.owned"}

UNSEEN = "You have not allowed us to see when you are busy. Connect the account again and leave that box ticked."


def sees_busy(account: Account) -> bool:
    """Whether it may be asked when calendars are busy."""
    return _granted(account, _BUSY)


def sees_calendars(account: Account) -> bool:
    """Whether it may be asked which calendars there are."""
    return _granted(account, _LIST)


def writes_everywhere(account: Account) -> bool:
    """Whether the person's own calendars may be written, and not only one of ours."""
    return _granted(account, _WRITE)


def _granted(account: Account, enough: set[str]) -> bool:
    if account.provider is not Provider.GOOGLE:
        return True
    return not enough.isdisjoint(scope.rpartition("/")[2] for scope in account.scopes)
