"""How the company's calendars stand, in the few numbers of the strip above the settings."""

from __future__ import annotations

from gateway.bridge.health import Facts, facts
from gateway.store import Snapshot
from gateway.web.site.frame import Ask


def of(ask: Ask, snapshot: Snapshot) -> Facts:
    return facts(snapshot, ask.now)
