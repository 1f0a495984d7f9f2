"""The mirrors of an installation, built from its settings: who keeps calendars elsewhere, who connects accounts, who carries the turns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from gateway.bridge import channels
from gateway.bridge.accounts import Accounts
from gateway.bridge.errand import Habits
from gateway.bridge.feed import Fetcher, Terms
from gateway.bridge.gauges import Gauges
from gateway.bridge.imports import Imports
from gateway.bridge.remote import House, Houses
from gateway.bridge.rounds import Rounds
from gateway.bridge.threads import Threads
from gateway.bridge.turn import Mirror
from gateway.bridge.vault import Vaults
from gateway.egress import Egress
from gateway.errors import Misconfigured
from gateway.ical.busytimes import Habits as BusyHabits
from gateway.links import Claim, Provider
from gateway.seal import Seal
from gateway.settings import Settings
from gateway.store import Store

if TYPE_CHECKING:
    from gateway.bridge.sending import Send


class Carrier(Protocol):
    """Who carries the turns: threads of this process, or a queue that many processes share."""

    def start(self) -> None: ...
    def wake(self) -> None: ...
    def stop(self, timeout: float) -> bool: ...
    def troubles(self) -> list[str]: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Crossing:
    """Everything about calendars elsewhere that one process has."""

    settings: Settings
    store: Store
    seal: Seal
    clock: Callable[[], datetime]

    def houses(self, send: Send | None = None) -> Houses:
        """Those whose client id is set; the vendors' libraries, and what sends, are read in only then."""
        found: dict[Provider, House] = {}
        if not (self.settings.google.client_id or self.settings.microsoft.client_id):
            return found
        from gateway.bridge.sending import sender

        send = send or sender(self.settings.http.ca_bundle)
        if self.settings.google.client_id:
            found[Provider.GOOGLE] = self._google(send)
        if self.settings.microsoft.client_id:
            found |= {provider: self._microsoft(provider, send) for provider in (Provider.OUTLOOK, Provider.OFFICE365)}
        return found

    @contextmanager
    def connecting(self) -> Iterator[Accounts]:
        """`accounts` for as long as a command takes: its connections end with it."""
        from gateway.bridge.sending import sender

        with closing(sender(self.settings.http.ca_bundle)) as send:
            yield self.accounts(send)

    def accounts(self, send: Send | None = None) -> Accounts:
        return Accounts(
            store=self.store,
            seal=self.seal,
            houses=self.houses(send),
            vaults=Vaults(self.store, self.seal),
            redirect=self.redirect,
            clock=self.clock,
        )

    def redirect(self, provider: Provider) -> str:
        """Where the provider sends people back to; this very address has to be registered there."""
        return f"{self.settings.public_url}/connect/{'google' if provider is Provider.GOOGLE else 'microsoft'}/callback"

    def fetcher(self) -> Fetcher:
        """Who reads external iCalendar addresses."""
        given = self.settings.external_ics
        terms = Terms(
            every=timedelta(seconds=given.poll_seconds),
            back=timedelta(days=given.past_days),
            ahead=timedelta(days=given.future_days),
            habits=BusyHabits(tentative=given.tentative_is_busy, elsewhere=given.working_elsewhere_is_busy),
        )
        return Fetcher(Egress(allow_private=given.allow_private_addresses, ca_bundle=self.settings.http.ca_bundle), terms)

    def imports(self) -> Imports:
        return Imports(self.store, self.seal, self.fetcher(), clock=self.clock)

    def carrier(self) -> Carrier:
        """Not started yet. Raises Misconfigured and Unavailable when the settings want a queue that is not there."""
        sync = self.settings.sync
        lease = timedelta(seconds=sync.lease_seconds)
        rounds = Rounds(self.store, self._turn(), clock=self.clock, lease=lease, longest=timedelta(seconds=sync.turn_seconds))
        if sync.carrier == "procrastinate":
            from gateway import queue

            ready(self.settings)
            return queue.Queue(self.settings.database.url, rounds, count=sync.threads, pace=queue.Pace.of(lease))
        return Threads(rounds, count=sync.threads)

    def gauges(self) -> Gauges:
        return Gauges(self.store)

    def _turn(self) -> Callable[[Claim, Callable[[], bool]], None]:
        """The mirror's turn, and then its watch channels."""
        sync, houses, vaults = self.settings.sync, self.houses(), Vaults(self.store, self.seal)
        habits = Habits(
            poll=timedelta(seconds=sync.poll_seconds),
            told_poll=timedelta(seconds=sync.told_poll_seconds),
            busy_poll=timedelta(seconds=sync.busy_poll_seconds),
            mass_delete_limit=sync.mass_delete_limit,
            calls=sync.calls_per_turn,
            calls_per_minute=sync.calls_per_minute,
        )
        mirror = Mirror(store=self.store, houses=houses, vault=vaults, habits=habits, clock=self.clock)
        told = sync.push and channels.reachable(self.settings.public_url)
        watches = channels.Watches(self.store, houses, vaults, channels.address(self.settings.public_url))

        def turn(claim: Claim, ending: Callable[[], bool]) -> None:
            mirror.turn(claim, ending)
            if told and not ending():
                watches.keep(claim, self.clock())

        return turn

    def _google(self, send: Send) -> House:
        from gateway.bridge.google import GoogleHouse

        given = self.settings.google
        return GoogleHouse(
            send,
            client_id=given.client_id,
            client_secret=given.client_secret,
            auth_uri=given.auth_uri,
            token_uri=given.token_uri,
            revoke_uri=given.revoke_uri,
            api_endpoint=given.api_endpoint,
            clock=self.clock,
        )

    def _microsoft(self, provider: Provider, send: Send) -> House:
        from gateway.bridge.graph import GraphHouse

        given = self.settings.microsoft
        return GraphHouse(
            provider,
            send,
            client_id=given.client_id,
            client_secret=given.client_secret,
            authority=given.authority,
            instance_discovery=given.instance_discovery,
            graph_url=given.graph_url,
            clock=self.clock,
        )


def prepare(settings: Settings) -> None:
    """Make the tables of the queue, or bring them up to date, where the settings want one. May be repeated. Raises Misconfigured."""
    if settings.sync.carrier == "procrastinate":
        from gateway import queue

        queue.migrate(_queued(settings))


def ready(settings: Settings) -> None:
    """Raises Misconfigured and Unavailable when the settings want a queue that is not there."""
    if settings.sync.carrier == "procrastinate":
        from gateway import queue

        queue.must_be_ready(_queued(settings))


def _queued(settings: Settings) -> str:
    if settings.folder is not None:
        raise Misconfigured('A queue needs PostgreSQL: set database.url, or sync.carrier to "threads".')
    return settings.database.url
