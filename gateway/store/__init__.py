"""The only room with SQL. A Store opens Snapshots (one consistent state of one company) and Transactions (one writer per company).

store        opening; what is asked before a company is known
snapshot     reading: people · homes · delegation · listing · entries · log · feeds, and what credentials and outbox tell
transaction  writing: recording (entries, calendars, the log) · saving (people and things) · delegation · feeds · credentials · outbox ·
             registrations (devices that are told of changes; pushes claims them) · attendance (what customers hold) · questions
elsewhere    other calendars: linked (reading) · linking (writing) · leases (whose turn it is) · foreign (busy times from there) ·
             tallies (how much waits)
schema       the tables; migration takes the steps that lead there
engine       connections and how each begins; faults translates what goes wrong
values       what is handed out; codec how it is kept
"""

from gateway.store.credentials import fresh_id
from gateway.store.snapshot import Snapshot
from gateway.store.store import Store
from gateway.store.transaction import Transaction
from gateway.store.values import (
    ApiKey,
    AppPassword,
    Attendance,
    BusyTimes,
    Collection,
    Consent,
    Delegation,
    Held,
    Letter,
    Login,
    Overview,
    Posted,
    Push,
    Question,
    Registration,
    Row,
    Settled,
    Tally,
    Touch,
    Waiting,
)

__all__ = [
    "ApiKey",
    "AppPassword",
    "Attendance",
    "BusyTimes",
    "Collection",
    "Consent",
    "Delegation",
    "Held",
    "Letter",
    "Login",
    "Overview",
    "Posted",
    "Push",
    "Question",
    "Registration",
    "Row",
    "Settled",
    "Snapshot",
    "Store",
    "Tally",
    "Touch",
    "Transaction",
    "Waiting",
    "fresh_id",
]
