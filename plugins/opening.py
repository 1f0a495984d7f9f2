"""Opening the store from radicale.conf, for a stock `radicale`; the gateway itself hands its own store to the plugins."""

from __future__ import annotations

from radicale.config import Configuration
from radicale.types import CONFIG_SCHEMA

from gateway.store import Store


def _schema(section: str) -> CONFIG_SCHEMA:
    return {section: {"database_url": {"value": "", "help": "the database, as in config/gateway.toml", "type": str}}}


SCHEMA = {section: _schema(section) for section in ("storage", "auth")}
"""The option `database_url` of the sections that need it; Radicale has no place for options that several plugins share."""


def store_from(configuration: Configuration, section: str) -> Store:
    """The store that the section's `database_url` names. Raises RuntimeError, as Radicale expects of a plugin that cannot start."""
    url = configuration.get(section, "database_url")
    if not url:
        raise RuntimeError(f"radicale.conf needs database_url in its section [{section}].")
    return Store(url)
