"""Microsoft Graph, by the contract that every provider's adapter keeps."""

from __future__ import annotations

from tests.bridge.contract import AdapterContract


class TestGraph(AdapterContract):
    """All of it."""
