"""The round that keeps the numbers about calendars elsewhere fresh, for whoever watches the installation."""

from __future__ import annotations

from datetime import datetime, timedelta

from gateway import observe
from gateway.links import Access, Standing
from gateway.store import Store


class Gauges:
    """Facts about the database, the same for all processes: whoever looks last is right."""

    name = "mirror-gauges"

    EVERY = timedelta(seconds=30)

    def __init__(self, store: Store) -> None:
        self._store = store

    def run(self, now: datetime) -> datetime:
        """Ask once, and again after a while."""
        seen = self._store.links_overview()
        for name, since in (("pull_age", seen.pulled), ("unsent", seen.unsent), ("overdue", seen.due)):
            age = max(timedelta(), now - since) if since is not None else timedelta()
            observe.gauge(f"mirror_{name}_seconds", age.total_seconds())
        observe.gauge("mirror_dead_letters", seen.dead)
        for standing in Standing:
            observe.gauge("mirror_links", seen.links.get(standing, 0), standing=standing.value)
        for access in Access:
            observe.gauge("mirror_accounts", seen.accounts.get(access, 0), access=access.value)
        return now + self.EVERY
