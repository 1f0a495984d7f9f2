"""Microsoft Graph: Outlook.com and Microsoft 365; the only room that knows msal (bridge.md §3).

house     connects accounts: consent, codes, tokens that rotate, calendars
calendar  one calendar: listing by delta, writing under transactions of our own
events    appointments as Graph's events and back; pattern  recurrence rules both ways; both pure
wire      how requests travel: guards, and what each error means
"""

from gateway.bridge.graph.house import GraphHouse

__all__ = ["GraphHouse"]
