"""The front door with both stand-ins for providers on loopback behind it, and people who say yes or no on their consent pages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin

from gateway.bridge.accounts import Accounts
from gateway.bridge.google import GoogleHouse
from gateway.bridge.graph import GraphHouse
from gateway.bridge.remote import House
from gateway.bridge.sending import Send, sender
from gateway.bridge.vault import Vaults
from gateway.fakes import Fakes, running
from gateway.fakes.browser import consented
from gateway.links import Account, Link, Provider
from gateway.model import CompanyId
from gateway.store import Store
from tests.journey.wire import Answer, ask
from tests.web.house import EMMA, JOHN, SEAL, SETUP, Clock, Door, built, opened

CALLBACK = {
    Provider.GOOGLE: "/connect/google/callback",
    Provider.OUTLOOK: "/connect/microsoft/callback",
    Provider.OFFICE365: "/connect/microsoft/callback",
}
LOGIN = {Provider.GOOGLE: JOHN.email, Provider.OUTLOOK: "john@outlook.example", Provider.OFFICE365: JOHN.email}
DEMO = CompanyId("demo")


@dataclass(frozen=True)
class Elsewhere:
    """The door, and the providers."""

    door: Door
    fakes: Fakes

    def begin(self, provider: Provider, **more: object) -> str:
        """By REST; the address for the browser."""
        answer = self.door.api("POST", "/links", {"staff": JOHN.handle, "provider": provider.value, **more})
        assert answer.status == 201, answer.text
        return str(answer.json["authorize_url"])

    def agree(self, address: str, login: str = JOHN.email) -> dict[str, str]:
        """What the browser comes back with, by the provider's own page."""
        return consented(address, login, self.fakes.ca_file)

    def back(self, provider: Provider, query: Mapping[str, str], **headers: str) -> Answer:
        return self.door.ask("GET", f"{CALLBACK[provider]}?{urlencode(query)}", Accept="text/html", **headers)

    def decline(self, address: str) -> dict[str, str]:
        """The person presses “Deny” on Google's page: what the browser comes back with."""
        page = ask("GET", address).text
        action, asked = re.search(r'action="([^"]+)"', page), re.search(r'name="asked" value="([^"]*)"', page)
        assert action is not None and asked is not None, page  # noqa: PT018  one page that is not understood
        form = {"asked": unescape(asked[1]), "decision": "deny", "account": JOHN.email}
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = ask("POST", urljoin(address, unescape(action[1])), urlencode(form), kind)
        assert answer.status == 302, answer.text
        return dict(parse_qsl(answer.headers["location"].partition("?")[2]))

    def links(self) -> list[Link]:
        with self.door.store.read(DEMO) as snapshot:
            found: list[Link] = list(snapshot.links())
        return found

    def accounts(self) -> list[Account]:
        with self.door.store.read(DEMO) as snapshot:
            found: list[Account] = list(snapshot.accounts())
        return found


def switched_on(store: Store, **more: Any) -> None:
    with store.write(DEMO, SETUP) as tx:
        policy = replace(tx.company.policy, **({"google": True, "outlook": True, "office365": True} | more))
        tx.save_company(replace(tx.company, policy=policy))


@contextmanager
def reachable(folder: Path) -> Iterator[Elsewhere]:
    """Everything open on loopback."""
    logins = [JOHN.email, EMMA.email]
    with running(google=logins, work=logins, personal=[LOGIN[Provider.OUTLOOK]], zone=JOHN.zone) as fakes, built(folder) as store:
        switched_on(store)
        with closing(sender(str(fakes.ca_file))) as send, opened(store, accounts=_accounts(store, fakes, send)) as door:
            yield Elsewhere(door, fakes)


def _accounts(store: Store, fakes: Fakes, send: Send) -> Accounts:
    clock = Clock()
    google, microsoft = fakes.google, fakes.microsoft
    houses: dict[Provider, House] = {
        Provider.GOOGLE: GoogleHouse(
            send,
            client_id=google.client_id,
            client_secret=google.client_secret,
            auth_uri=google.auth_uri,
            token_uri=google.token_uri,
            revoke_uri=google.revoke_uri,
            api_endpoint=google.api_endpoint,
            clock=clock,
        )
    }
    for provider in (Provider.OUTLOOK, Provider.OFFICE365):
        houses[provider] = GraphHouse(
            provider,
            send,
            client_id=microsoft.client_id,
            client_secret=microsoft.client_secret,
            authority=microsoft.authority,
            instance_discovery=False,
            graph_url=microsoft.graph_url,
            clock=clock,
        )
    return Accounts(
        store=store,
        seal=SEAL,
        houses=houses,
        vaults=Vaults(store, SEAL),
        redirect=lambda provider: f"https://calendar.example.com{CALLBACK[provider]}",
        clock=clock,
    )
