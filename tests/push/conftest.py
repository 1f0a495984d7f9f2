"""A push service, and an office whose devices may register there; on SQLite, or on both databases where claims are what is tested."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.store import Store
from tests.databases import Database
from tests.dav.house import Client
from tests.push.house import Office, Service, furnished, serving


@pytest.fixture
def service() -> Iterator[Service]:
    with serving() as service:
        yield service


@pytest.fixture
def office(migrated_file: Path, tmp_path: Path, service: Service) -> Iterator[Office]:
    store = Store(f"sqlite:///{shutil.copy(migrated_file, tmp_path / 'gateway.db')}")
    try:
        with furnished(store, service) as office:
            yield office
    finally:
        store.close()


@pytest.fixture
def each_office(database: Database, service: Service) -> Iterator[Office]:
    """One on each kind of database."""
    store = Store(database.url)
    try:
        with furnished(store, service) as office:
            yield office
    finally:
        store.close()


@pytest.fixture
def john(office: Office) -> Client:
    return office.house.client()
