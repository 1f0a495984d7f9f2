"""Writing down accounts, links, items and histories of calendars elsewhere, under the claim of whoever works on them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text

from gateway.errors import Conflict, Lost, Missing
from gateway.links import Account, AccountId, Channel, Claim, Happening, Item, Key, Link, LinkId, Provider
from gateway.model import Policy, StaffId
from gateway.store.blocking import Choosing
from gateway.store.codec import micros
from gateway.store.credentials import digest
from gateway.store.linked import Linked, account_values, item_values, key_at, link_values, said

KEPT = 500
"""Lines of a link's history."""

_ADD_ACCOUNT = text("""
    INSERT INTO account (company, id, staff, provider, login, subject, scopes, access, trouble, since, probed, created, switched, sealed,
        version, fence, leased_until)
    VALUES (:company, :id, :staff, :provider, :login, :subject, :scopes, :access, :trouble, :since, :probed, :created, :switched, :sealed,
        1, 0, 0)
""")
_SAVE_ACCOUNT = text("""
    UPDATE account SET login = :login, scopes = :scopes, access = :access, trouble = :trouble, since = :since, probed = :probed
    WHERE company = :company AND id = :id
""")
_REST = text("UPDATE account SET rests = :until WHERE company = :company AND id = :id")
_KEEP = text("""
    UPDATE account SET sealed = :sealed, version = version + 1 WHERE company = :company AND id = :id AND version = :version
""")
_REMOVE_BUSY = text("DELETE FROM origin WHERE company = :company AND staff = :staff AND origin = :origin")
_REMOVE_LINK = text("DELETE FROM link WHERE company = :company AND id = :id")
_REMOVE_ACCOUNT = text("DELETE FROM account WHERE company = :company AND id = :id")
_SWITCH = text("UPDATE account SET switched = :on WHERE company = :company AND provider = :provider AND switched <> :on")
_ADD_LINK = text("""
    INSERT INTO link (company, id, account, staff, elsewhere, title, own, direction, level, on_delete, standing, trouble, since, seen,
        cursor, due, pulled, listed, failures, allowed, created)
    VALUES (:company, :id, :account, :staff, :elsewhere, :title, :own, :direction, :level, :on_delete, :standing, :trouble, :since, :seen,
        :cursor, :due, :pulled, :listed, :failures, :allowed, :created)
""")
_SAVE_LINK = text("""
    UPDATE link SET elsewhere = :elsewhere, title = :title, own = :own, direction = :direction, level = :level, on_delete = :on_delete,
        standing = :standing, trouble = :trouble, since = :since, seen = :seen, cursor = :cursor, due = :due, pulled = :pulled,
        listed = :listed, failures = :failures, allowed = :allowed
    WHERE company = :company AND id = :id
""")
_SAVE_ITEM = text("""
    INSERT INTO item (company, link, entry, at, generation, remote, etag, base, apart, todo, draft, attempts, due, condition, trouble,
        written)
    VALUES (:company, :link, :entry, :at, :generation, :remote, :etag, :base, :apart, :todo, :draft, :attempts, :due, :condition, :trouble,
        :written)
    ON CONFLICT (company, link, entry, at, generation) DO UPDATE SET remote = excluded.remote, etag = excluded.etag, base = excluded.base,
        apart = excluded.apart, todo = excluded.todo, draft = excluded.draft, attempts = excluded.attempts, due = excluded.due,
        condition = excluded.condition, trouble = excluded.trouble,
        written = CASE WHEN item.todo = '' THEN excluded.written ELSE item.written END
""")
_DROP_ITEM = text("""
    DELETE FROM item WHERE company = :company AND link = :link AND entry = :entry AND at = :at AND generation = :generation
""")
_NOTE = text("""
    INSERT INTO happening (company, link, number, at, kind, sentence, entry)
    SELECT :company, :link, COALESCE(MAX(number), 0) + 1, :at, :kind, :sentence, :entry
    FROM happening WHERE company = :company AND link = :link
""")
_FORGET = text("""
    DELETE FROM happening WHERE company = :company AND link = :link AND number <= (
        SELECT MAX(number) FROM happening WHERE company = :company AND link = :link
    ) - :kept
""")
_ADD_CHANNEL = text("""
    INSERT INTO channel (company, link, id, resource, digest, made, expires)
    VALUES (:company, :link, :id, :resource, :digest, :made, :expires)
    ON CONFLICT (company, link, id) DO UPDATE SET resource = excluded.resource, digest = excluded.digest, made = excluded.made,
        expires = excluded.expires
""")
_PROLONG_CHANNEL = text("UPDATE channel SET made = :made, expires = :expires WHERE company = :company AND link = :link AND id = :id")
_WEAR_CHANNEL = text("UPDATE channel SET made = 0 WHERE company = :company AND link = :link AND id = :id")
_DROP_CHANNEL = text("DELETE FROM channel WHERE company = :company AND link = :link AND id = :id")
_HOLDS = text("SELECT 1 FROM account WHERE company = :company AND id = :id AND fence = :fence")
_CONSENT = text("""
    INSERT INTO consent (company, digest, staff, provider, sealed, main, back, expires)
    VALUES (:company, :digest, :staff, :provider, :sealed, :main, :back, :expires)
""")
_OLD_CONSENTS = text("DELETE FROM consent WHERE company = :company AND expires <= :now")


_CHANGING = {"id", "login", "scopes", "access", "trouble", "since", "probed"}


class Linking(Choosing, Linked):
    """No line of the log: what the booking calendar holds stays as it is."""

    def add_account(self, account: Account, sealed: bytes) -> None:
        """Raises Conflict when the staff member has it already."""
        self._run(_ADD_ACCOUNT, switched=int(_on(self.company.policy, account.provider)), sealed=sealed, **account_values(account))

    def save_account(self, account: Account) -> None:
        """Everything but whose it is. Raises Missing."""
        if not self._run(_SAVE_ACCOUNT, **{name: value for name, value in account_values(account).items() if name in _CHANGING}):
            raise Missing("There is no such account.")

    def rest_account(self, id: AccountId, until: datetime) -> None:
        """Nothing of the account is due before; what is written or told meanwhile is due then. Raises Missing."""
        if not self._run(_REST, id=id, until=micros(until)):
            raise Missing("There is no such account.")

    def keep_credential(self, id: AccountId, sealed: bytes, version: int) -> int:
        """Replace the credential that had this version; the new version. Raises Conflict when somebody has replaced it meanwhile."""
        if not self._run(_KEEP, id=id, sealed=sealed, version=version):
            raise Conflict("The access was renewed by somebody else meanwhile.")
        return version + 1

    def remove_account(self, id: AccountId) -> None:
        """With its links and all that is known of them. Nothing is done over there."""
        account = self.account(id)
        for link in self.links(account=id):
            self.remove_link(link.id)
        for blocking in self.blocking(id):
            self.drop_blocking(blocking)
        self._run(_REMOVE_BUSY, staff=account.staff, origin=f"account:{id}")
        self._run(_REMOVE_ACCOUNT, id=id)

    def add_link(self, link: Link) -> None:
        """Raises Missing without the account, Conflict when it is somebody else's or the link is known."""
        if self.account(link.account).staff != link.staff:
            raise Conflict("The account belongs to somebody else.")
        self._run(_ADD_LINK, **link_values(link))

    def save_link(self, link: Link) -> None:
        """The whole of it. Raises Missing."""
        given = {name: value for name, value in link_values(link).items() if name not in {"account", "staff", "created"}}
        if not self._run(_SAVE_LINK, **given):
            raise Missing("There is no such link.")

    def remove_link(self, id: LinkId) -> None:
        """With its items, history and busy times. Nothing is done over there."""
        link = self.link(id)
        self._run(_REMOVE_BUSY, staff=link.staff, origin=f"link:{id}")
        self._run(_REMOVE_LINK, id=id)

    def save_item(self, item: Item, now: datetime) -> None:
        """New, or in the place of what was known. `now` tells since when an intent waits."""
        self._run(_SAVE_ITEM, written=micros(now), **item_values(item))

    def drop_item(self, link: LinkId, key: Key) -> None:
        self._run(_DROP_ITEM, link=link, entry=key.entry, at=key_at(key), generation=key.generation)

    def note(self, link: LinkId, happening: Happening) -> None:
        """A line of the link's history, of which the newest are kept."""
        sentence = said(happening.sentence)[:1000]
        self._run(_NOTE, link=link, at=micros(happening.at), kind=happening.kind, sentence=sentence, entry=happening.entry)
        self._run(_FORGET, link=link, kept=KEPT)

    def add_channel(self, channel: Channel) -> None:
        """Its secret is stored as a digest."""
        self._run(
            _ADD_CHANNEL,
            link=channel.link,
            id=channel.id,
            resource=channel.resource,
            digest=digest(channel.secret),
            made=micros(channel.made),
            expires=micros(channel.expires),
        )

    def prolong_channel(self, link: LinkId, id: str, made: datetime, expires: datetime) -> None:
        """It was renewed then; its secret stays. Nothing happens when it is not known."""
        self._run(_PROLONG_CHANNEL, link=link, id=id, made=micros(made), expires=micros(expires))

    def wear_channel(self, link: LinkId, id: str) -> None:
        """It has to be renewed at once, however young it is."""
        self._run(_WEAR_CHANNEL, link=link, id=id)

    def drop_channel(self, link: LinkId, id: str) -> None:
        self._run(_DROP_CHANNEL, link=link, id=id)

    def must_hold(self, claim: Claim) -> None:
        """Raises Lost unless the claim's fence is still the account's. What follows in this transaction happens under the claim: whoever
        takes the account over has to wait for it (SQLite's write lock, and on PostgreSQL the company's row, which a claim takes too)."""
        if claim.company != self.company.id or self._one(_HOLDS, id=claim.account, fence=claim.fence) is None:
            raise Lost("The account was taken over by another worker.")

    def begin_consent(
        self, state: str, staff: StaffId, provider: Provider, sealed: bytes, *, primary: bool, back: str, expires: datetime, now: datetime
    ) -> None:
        """Somebody was sent to the provider; the state is stored as a digest, `sealed` is the verifier of the code."""
        self._run(_OLD_CONSENTS, now=micros(now))
        self._run(
            _CONSENT,
            digest=digest(state),
            staff=staff,
            provider=provider.value,
            sealed=sealed,
            main=int(primary),
            back=back,
            expires=micros(expires),
        )

    def switch_providers(self, policy: Policy) -> None:
        """Accounts of providers that are switched off are due for nothing, and their other calendars block nobody until they are on again;
        `save_company` calls it."""
        for provider in Provider:
            on = _on(policy, provider)
            if self._run(_SWITCH, provider=provider.value, on=int(on)) and not on:
                for account in self.accounts():
                    if account.provider is provider:
                        for blocking in self.blocking(account.id):
                            self.clear_blocking(blocking)


def _on(policy: Policy, provider: Provider) -> bool:
    return {Provider.GOOGLE: policy.google, Provider.OUTLOOK: policy.outlook, Provider.OFFICE365: policy.office365}[provider]
