"""Google Calendar: the only room that knows Google's libraries (bridge.md §2).

house    connects accounts: consent, codes, calendars, busy times
access   the access of one account, which renews itself
calendar one calendar: listing with a sync token, writing under ids of our own
events   appointments as Google's events and back, pure
wire     how requests travel: guards, time limits, and what each error means
"""

from gateway.bridge.google.house import GoogleHouse

__all__ = ["GoogleHouse"]
