"""The credential of an account: sealed in the store, and the newest one that a provider gave out is the one that stays."""

from __future__ import annotations

import base64
import os

import pytest

from gateway.bridge.vault import Vaults
from gateway.errors import Misconfigured, Missing
from gateway.links import Account, AccountId, Provider
from gateway.seal import Seal
from gateway.store import Store
from tests.databases import Database
from tests.store.house import DEMO, JOHN, NOW, SETUP, furnish

SEAL = Seal(base64.b64encode(os.urandom(32)).decode())
ACCOUNT = Account(id=AccountId("account"), staff=JOHN.id, provider=Provider.OFFICE365, login=JOHN.email, subject="1", created=NOW)


@pytest.fixture
def vaults(store: Store) -> Vaults:
    furnish(store)
    with store.write(DEMO, SETUP) as tx:
        tx.add_account(ACCOUNT, SEAL.seal(b"first"))
    return Vaults(store, SEAL)


def test_what_was_rotated_is_what_the_next_one_reads(vaults: Vaults) -> None:
    vault = vaults(DEMO, ACCOUNT.id)
    assert vault.read() == b"first"
    vault.keep(b"second")
    vault.keep(b"third")
    assert vaults(DEMO, ACCOUNT.id).read() == b"third"


def test_the_newer_of_two_stays_whoever_comes_last(vaults: Vaults) -> None:
    slow, quick = vaults(DEMO, ACCOUNT.id), vaults(DEMO, ACCOUNT.id)
    slow.read()
    quick.read()
    quick.keep(b"newer")
    slow.keep(b"older")
    assert vaults(DEMO, ACCOUNT.id).read() == b"newer"
    slow.read()
    slow.keep(b"newest")
    assert vaults(DEMO, ACCOUNT.id).read() == b"newest"


def test_no_credential_can_be_read_in_the_database(vaults: Vaults, database: Database) -> None:
    vaults(DEMO, ACCOUNT.id).keep(b"refresh-token-canary")
    assert b"refresh-token-canary" not in database.dump()


def test_without_the_key_nothing_is_read_and_nobody_pretends(vaults: Vaults, store: Store) -> None:
    with pytest.raises(Misconfigured, match="retired_keys"):
        Vaults(store, Seal(base64.b64encode(os.urandom(32)).decode()))(DEMO, ACCOUNT.id).read()
    with pytest.raises(Missing):
        vaults(DEMO, AccountId("nobody")).read()
