"""`gateway worker` is killed in the middle of a call to the provider: another one takes over, and over there is one event, not two."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway import desk
from gateway.booking import Book
from gateway.bridge.google import GoogleHouse
from gateway.bridge.sending import sender
from gateway.bridge.vault import Vaults
from gateway.fakes import Fakes, running
from gateway.fakes.faults import Fault
from gateway.links import Account, AccountId, Condition, Link, LinkId, Provider
from gateway.model import Span
from gateway.store import Store
from tests.bridge.runner.conftest import queueing
from tests.bridge.runner.house import clock
from tests.bridge.world import ADVICE, ANN, DEMO, JOHN, PLATFORM, SCOPES, SEAL, furnish
from tests.databases import Postgres, migrate
from tests.journey.demo import eventually

KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
LINK = LinkId("link")
LONG = 60.0  # seconds after which a test gives up


@contextmanager
def worker(environment: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway", "worker"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=clean | dict(environment),
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def settings_of(url: str, carrier: str, fakes: Fakes) -> dict[str, str]:
    return {
        **fakes.settings(),
        "GATEWAY_DATABASE__URL": url,
        "GATEWAY_SECRETS__KEY": KEY,
        "GATEWAY_MAIL__SMTP_URL": "",
        "GATEWAY_SYNC__CARRIER": carrier,
        "GATEWAY_SYNC__LEASE_SECONDS": "3",
        "GATEWAY_SYNC__POLL_SECONDS": "5",
        "GATEWAY_SYNC__PUSH": "false",
    }


def connect(store: Store, fakes: Fakes) -> None:
    """John, with a calendar of our own at the fake Google."""
    given = fakes.google
    account = Account(id=AccountId("account"), staff=JOHN.id, provider=Provider.GOOGLE, login=JOHN.email, subject="1", created=clock())
    refresh = json.dumps({"refresh_token": given.provider.connect(JOHN.email, SCOPES)}).encode()
    with store.write(DEMO, PLATFORM) as tx:
        tx.add_account(account, SEAL.seal(refresh))
    with closing(sender(str(fakes.ca_file))) as send:
        house = GoogleHouse(
            send,
            client_id=given.client_id,
            client_secret=given.client_secret,
            auth_uri=given.auth_uri,
            token_uri=given.token_uri,
            revoke_uri=given.revoke_uri,
            api_endpoint=given.api_endpoint,
            clock=clock,
        )
        made = house.make_calendar(Vaults(store, SEAL)(DEMO, account.id), "Appointments", JOHN.zone, clock())
    with store.write(DEMO, PLATFORM) as tx:
        tx.add_link(
            Link(
                id=LINK,
                account=account.id,
                staff=JOHN.id,
                calendar=made.id,
                title=made.title,
                own=True,
                due=clock(),
                created=clock(),
            )
        )


def book(store: Store) -> datetime:
    """Tomorrow at noon."""
    start = (clock() + timedelta(days=1)).replace(hour=12, minute=0, second=0, microsecond=0)
    wish = Book(uid="one@demo", span=Span(start, start + ADVICE.duration), zone=JOHN.zone, customer=ANN.id, service=ADVICE.id)
    with store.write(DEMO, PLATFORM) as tx:
        desk.apply(tx, PLATFORM, tx.appointments_of(JOHN.id).id, "one.ics", [wish], clock())
    return start


def struck(fakes: Fakes) -> bool | None:
    """Whether the call that never ends has begun."""
    return any(entry.fault for entry in list(fakes.google.provider.log)) or None


def settled(store: Store) -> bool | None:
    with store.read(DEMO) as snapshot:
        return [item.condition for item in snapshot.items(LINK) if item.todo is None and item.remote] == [Condition.SYNCED] or None


def live(fakes: Fakes) -> list[dict[str, Any]]:
    return [each for each in fakes.google.provider.events(JOHN.email) if not each["cancelled"]]


@pytest.mark.parametrize(
    ("carrier", "kind", "fault"),
    [
        ("threads", "sqlite", "blackhole"),
        ("threads", "postgresql", "slow:90"),
        ("procrastinate", "postgresql", "slow:90"),
        ("procrastinate", "postgresql", "blackhole"),
    ],
    ids=["threads on sqlite, not done", "threads on postgresql, done", "procrastinate, done", "procrastinate, not done"],
)
def test_after_a_kill_in_the_middle_of_a_call_another_worker_takes_over_and_there_is_one_event(
    carrier: str, kind: str, fault: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    with ExitStack() as stack:
        if kind == "sqlite":
            url = f"sqlite:///{tmp_path}/gateway.db"
            migrate(url)
        else:
            postgres: Postgres = request.getfixturevalue("postgres")
            url = stack.enter_context(queueing(postgres, carrier == "procrastinate")).url
        store = stack.enter_context(closing(Store(url)))
        furnish(store)
        fakes = stack.enter_context(running(google=[JOHN.email], zone=JOHN.zone))
        connect(store, fakes)
        book(store)
        before = len(fakes.google.provider.log)
        fakes.google.provider.faults.rules.append(Fault.of({"match": "POST /events(\\?|$)", "kind": fault}))
        environment = settings_of(url, carrier, fakes)

        with worker(environment, tmp_path / "first.log") as first:
            eventually("the call that never ends", lambda: struck(fakes), LONG)
            first.send_signal(signal.SIGKILL)
            first.wait()
        with store.read(DEMO) as snapshot:
            assert snapshot.intents(LINK), "what was about to be done stands written"

        with worker(environment, tmp_path / "second.log") as second:
            eventually("the event is there and known", lambda: settled(store), LONG)
            began = time.monotonic()
            second.send_signal(signal.SIGTERM)
            assert second.wait(20) == 0
            assert time.monotonic() - began < 5

        assert len(live(fakes)) == 1
        posts = [entry for entry in list(fakes.google.provider.log)[before:] if entry.method == "POST" and "/events" in entry.path]
        assert len(posts) <= 2
        assert fakes.google.provider.mails == []
