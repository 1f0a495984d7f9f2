"""The credential of an account, sealed in the store: read for a turn, and kept again as soon as the provider has rotated it."""

from __future__ import annotations

from collections.abc import Callable

from gateway.bridge.remote import Vault
from gateway.errors import Conflict
from gateway.links import AccountId
from gateway.model import Actor, CompanyId
from gateway.seal import Seal
from gateway.store import Store

KEEPER = Actor("mirror", "mirror")

OpenVault = Callable[[CompanyId, AccountId], Vault]
"""Opens the vault of one account."""


class Vaults:
    """Opens the vault of any account."""

    def __init__(self, store: Store, seal: Seal) -> None:
        self._store = store
        self._seal = seal

    def __call__(self, company: CompanyId, account: AccountId) -> Vault:
        return _Drawer(self._store, self._seal, company, account)


class _Drawer:
    """One account's. Not thread-safe; what it keeps is committed when `keep` returns, whoever holds the account by then.

    A refresh token that was rotated is the only one that still works: it is kept even by a worker that has lost its claim. When
    somebody else has kept a newer one meanwhile, that one stays.
    """

    def __init__(self, store: Store, seal: Seal, company: CompanyId, account: AccountId) -> None:
        self._store = store
        self._seal = seal
        self._company = company
        self._account = account
        self._version: int | None = None

    def read(self) -> bytes:
        """Raises Missing when the account is gone, Misconfigured when the key it was sealed with is."""
        with self._store.read(self._company) as snapshot:
            sealed, self._version = snapshot.credential(self._account)
        return self._seal.unseal(sealed)

    def keep(self, credential: bytes) -> None:
        """In a transaction of its own: never inside another one. Raises Missing, Unavailable."""
        if self._version is None:
            self.read()
        assert self._version is not None  # noqa: S101  it has just been read
        sealed = self._seal.seal(credential)
        try:
            with self._store.write(self._company, KEEPER) as tx:
                self._version = tx.keep_credential(self._account, sealed, self._version)
        except Conflict:
            self._version = None
