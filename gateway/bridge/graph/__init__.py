"""Microsoft Graph: Outlook.com and Microsoft 365; the only room that knows msal (bridge.md §3).

house     connects accounts: consent, codes, calendars, busy times; a person's own, or all of a company's
access    tokens that renew themselves, rotate, and are kept at once
calendar  one calendar: reading and writing events, each write once and only after a look
listing   rounds of changes: by delta where the mailbox offers it
events    appointments as Graph's events and back; pattern  recurrence rules; zones  Windows' names; names  whose event it is; all pure
wire      how requests travel, with guards; problems  what each error means
"""

from gateway.bridge.graph.house import GraphHouse

__all__ = ["GraphHouse"]
