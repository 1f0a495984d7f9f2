"""The only room with SQL. A Store opens Snapshots (one consistent state of one company) and Transactions (one writer per company)."""

from gateway.store.credentials import fresh_id
from gateway.store.snapshot import Snapshot
from gateway.store.store import Store
from gateway.store.transaction import Transaction
from gateway.store.values import ApiKey, AppPassword, Collection, Held, Letter, Login, Posted, Question, Row, Waiting

__all__ = [
    "ApiKey",
    "AppPassword",
    "Collection",
    "Held",
    "Letter",
    "Login",
    "Posted",
    "Question",
    "Row",
    "Snapshot",
    "Store",
    "Transaction",
    "Waiting",
    "fresh_id",
]
