"""Accounts and links of the demo company with calendars elsewhere, for the tests of what the store keeps of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from gateway.links import Account, AccountId, Claim, Happening, Item, Key, Link, LinkId, Owned, Provider
from gateway.model import EntryId, StaffId
from gateway.store import Store, Transaction
from tests.store.house import COMPANY, DAY, DEMO, JOHN, NOW, SETUP, Place, span

ON = replace(COMPANY.policy, google=True, outlook=True, office365=True)
SEALED = b"\x00\xff sealed credential"
OWNED = Owned(span=span(NOW + DAY), zone="Europe/Paris", title="Advice", text="Two lines\nof text", place="Room 1")


def account_of(staff: StaffId = JOHN.id, name: str = "one", **more: Any) -> Account:
    facts: dict[str, Any] = {"provider": Provider.GOOGLE, "login": f"{name}@example.com", "subject": f"subject of {name}", "created": NOW}
    return Account(id=AccountId(f"account-{name}"), staff=staff, **(facts | more))


def link_of(account: Account, name: str = "", **more: Any) -> Link:
    new = LinkId(f"link-{name or account.id.removeprefix('account-')}")
    facts: dict[str, Any] = {"calendar": f"calendar of {new}", "title": "Demo Company: John Smith", "own": True, "due": NOW, "created": NOW}
    return Link(id=new, account=account.id, staff=account.staff, **(facts | more))


def item_of(link: Link, entry: str = "entry", at: datetime | None = None, generation: int = 0, **more: Any) -> Item:
    return Item(link=link.id, key=Key(entry=EntryId(entry), at=at, generation=generation), **more)


def happening(sentence: str, at: datetime = NOW) -> Happening:
    return Happening(at=at, kind="pushed", sentence=sentence)


@contextmanager
def writing(place: Place) -> Iterator[Transaction]:
    with place.store.write(place.company, SETUP) as tx:
        yield tx


def switch_on(place: Place) -> None:
    """Every provider is used in the demo company; in its neighbour none is."""
    with writing(place) as tx:
        tx.save_company(replace(tx.company, policy=ON))


def connect(place: Place, staff: StaffId = JOHN.id, name: str = "one", **link: Any) -> Link:
    """A new account with one link, which has seen everything there is."""
    account = account_of(staff, name)
    with writing(place) as tx:
        tx.add_account(account, SEALED)
        new = link_of(account, **({"seen": tx.revision} | link))
        tx.add_link(new)
    return new


def account_id(link: Link) -> tuple[str, AccountId]:
    """As `accounts_due` names it."""
    return DEMO, link.account


def must_claim(store: Store, link: Link, now: datetime = NOW, until: datetime = NOW + DAY) -> Claim:
    claim = store.claim(DEMO, link.account, now, until)
    assert claim is not None
    return claim
