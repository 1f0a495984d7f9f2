"""The only room with SQL. A Store opens Snapshots (one consistent state of one company) and Transactions (one writer per company)."""

from gateway.store.snapshot import Collection, Held, Row, Snapshot
from gateway.store.store import Login, Store
from gateway.store.transaction import Transaction

__all__ = ["Collection", "Held", "Login", "Row", "Snapshot", "Store", "Transaction"]
