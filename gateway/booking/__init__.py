"""The rules of the trade. A PUT, a drag in Google Calendar and a REST call all become Intents, and are decided here. Pure."""

from gateway.booking.circumstances import Circumstances, Taken
from gateway.booking.decide import decide, settle
from gateway.booking.intents import Amend, Annotate, Book, Cancel, Erase, Intent, Misuse, Move, Proposal, Resize, Write
from gateway.booking.offers import offers
from gateway.booking.series import Instance, expanded, instances

__all__ = [
    "Amend",
    "Annotate",
    "Book",
    "Cancel",
    "Circumstances",
    "Erase",
    "Instance",
    "Intent",
    "Misuse",
    "Move",
    "Proposal",
    "Resize",
    "Taken",
    "Write",
    "decide",
    "expanded",
    "instances",
    "offers",
    "settle",
]
