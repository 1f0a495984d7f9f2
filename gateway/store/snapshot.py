"""Reading one consistent state of one company: what its parts can, in one class."""

from __future__ import annotations

from gateway.store.attendance import Attendances
from gateway.store.audit import Audits
from gateway.store.blocking import Blockings
from gateway.store.credentials import Access
from gateway.store.delegation import Sharing
from gateway.store.entries import Entries
from gateway.store.feeds import Feeds
from gateway.store.foreign import Foreign
from gateway.store.homes import Homes
from gateway.store.linked import Linked
from gateway.store.listing import Listing
from gateway.store.log import Log
from gateway.store.outbox import Letters
from gateway.store.questions import Questions
from gateway.store.tallies import Tallies
from gateway.store.users import Users


class Snapshot(
    Homes,
    Sharing,
    Listing,
    Entries,
    Log,
    Feeds,
    Access,
    Letters,
    Users,
    Audits,
    Blockings,
    Linked,
    Foreign,
    Attendances,
    Questions,
    Tallies,
):
    """`company`, `epoch` and `revision` (the head of the log) are read at once, everything else when it is asked for; all of it is
    one state, whatever is written meanwhile. Of one thread; good until its `with` ends."""
