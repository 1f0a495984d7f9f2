"""Where the parts meet: the only module that knows them all. It opens them, seats them under one roof and closes them in order."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parseaddr
from pathlib import Path
from typing import TYPE_CHECKING

from gateway import observe, thrift
from gateway.errors import Misconfigured
from gateway.guesses import Guesses
from gateway.processes import Half
from gateway.processes import cannot_listen as cannot_listen  # for the demo, whose port is its own
from gateway.seal import KEY_FILE, NEXT_STEP, Seal, key_from
from gateway.settings import Settings
from gateway.store import Store
from gateway.trusted import access_tokens, identity_provider, profile_signer

# The rooms above are imported where they are seated: a command that adds a staff member starts no web server and waits for none.
if TYPE_CHECKING:
    from gateway.crossing import Crossing
    from gateway.egress import Egress
    from gateway.push.carrier import Carrier
    from gateway.web.parts import Limits, Mailbox, Parts, ProviderFacts
    from gateway.webpush import Vapid
    from gateway.worker import Chore, Reader, Runner
    from plugins.push import Push

GRACE = 1.0
"""Seconds that the workers get at the end, after the front door had its own: together under five."""

SENDERS = 1
"""Letters that one process may have on their way to the mail server at once."""

_TYPEABLE = "abcdefghijkmnpqrstuvwxyz23456789"


def wall_clock() -> datetime:
    """Now, aware UTC: the one clock of a running process. Everything below is told the time."""
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class App:
    """What is open: the settings, the database, the seal."""

    settings: Settings
    store: Store
    seal: Seal
    clock: Callable[[], datetime]

    @property
    def public_url(self) -> str:
        return self.settings.public_url


@contextmanager
def opened(settings: Settings, *, clock: Callable[[], datetime] = wall_clock) -> Iterator[App]:
    """The parts every command needs, open until the block is left. Raises Misconfigured, Unavailable."""
    seal = Seal(secret_key(settings), settings.secrets.retired_keys)
    store = Store(settings.database.url)
    try:
        store.ping()
        yield App(settings=settings, store=store, seal=seal, clock=clock)
    finally:
        store.close()


def migrate(settings: Settings, *, renew_epoch: bool = False) -> str:
    """Bring the database to the newest schema; the sentence that describes it. May be repeated, also from several machines at once."""
    from gateway.crossing import prepare

    _claim_file(settings)
    store = Store(settings.database.url)
    try:
        store.migrate()
        prepare(settings)
        if renew_epoch:
            store.renew_epoch()
        return store.ping()
    finally:
        store.close()


def _claim_file(settings: Settings) -> None:
    """The embedded database, and the folder it is alone in, are made for nobody else's eyes: the names of customers are in it.

    SQLite gives the files it puts beside it the same mode. What is there already stays as it is.
    """
    if settings.folder is None:
        return
    settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(OSError):  # there is one, or none can be made: then the store says so
        os.close(os.open(settings.database.url.partition(":///")[2].partition("?")[0], os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def secret_key(settings: Settings) -> str:
    """The key from the settings, else from its file, which is made on first use. Raises Misconfigured."""
    return settings.secrets.key or key_from(key_file(settings))


def key_file(settings: Settings) -> Path:
    """Where the key lies unless it stands in the settings: the file they name, else beside the embedded database. Raises Misconfigured."""
    if settings.secrets.key_file:
        return Path(settings.secrets.key_file)
    if settings.folder is None:
        raise Misconfigured(f"On PostgreSQL every machine needs the same key: set secrets.key or secrets.key_file; {NEXT_STEP}")
    return settings.folder / KEY_FILE


def serve(
    app: App,
    *,
    only: Half | None = None,
    shared: bool = False,
    mailbox: Mailbox | None = None,
    started: Callable[[str], None] = lambda address: None,
) -> None:
    """Serve until SIGINT or SIGTERM; then close the door, let the workers finish the step in hand, and return within five seconds.

    `shared`: other processes serve at the same address. `started(address)` is called once the process does its work. Raises
    Misconfigured when the port is taken. In the main thread only; once it has been told to end, further signals are ignored.
    """
    thrift.begin()
    app = _with_a_port(app)
    runner, stop = (None, _nothing) if only == "web" else _workers(app)
    try:
        if only == "worker":
            _work(runner, started)
        else:
            _open_door(_parts(app, runner, mailbox), app.settings, runner, started, shared)
    finally:
        stop()


def _work(runner: Runner | None, started: Callable[[str], None]) -> None:
    """Workers alone, until a signal comes. It is waited for and not handled: a handler could not safely wake this thread."""
    ends = {signal.SIGINT, signal.SIGTERM}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ends)  # inherited by the threads, which must not be hit either
    try:
        if runner is not None:
            runner.start()
        observe.log("working")
        started("")
        signal.sigwait(ends)
        for each in ends:
            signal.signal(each, lambda *_: None)  # told once is enough: a second one must not cut short the end
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _open_door(parts: Parts, settings: Settings, runner: Runner | None, started: Callable[[str], None], shared: bool) -> None:
    from gateway.web import server

    host, port, is_open = settings.server.host, settings.server.port, threading.Event()

    def opened(port: int, stop: Callable[[], None]) -> None:
        is_open.set()
        thrift.settle()
        if runner is not None:
            runner.start()
        observe.log("serving", address=f"http://{host}:{port}", public=parts.public_url)
        started(f"http://{host}:{port}")

    try:
        server.serve(parts, host=host, port=port, started=opened, shared=shared)
    except OSError as error:
        if is_open.is_set():
            raise
        raise cannot_listen(host, port, error) from error
    observe.log("door_closed")


def _with_a_port(app: App) -> App:
    """Port 0 becomes a free one now: letters and pages have to name it before the door is open."""
    server = app.settings.server
    if server.port or server.public_url:
        return app
    try:
        with socket.create_server((server.host, 0), family=socket.AF_INET6 if ":" in server.host else socket.AF_INET) as probe:
            free = probe.getsockname()[1]
    except OSError as error:
        raise cannot_listen(server.host, 0, error) from error
    return replace(app, settings=app.settings.model_copy(update={"server": server.model_copy(update={"port": free})}))


def _workers(app: App) -> tuple[Runner, Callable[[], None]]:
    """The runner with everybody in it, not yet started, and what ends it."""
    from gateway.post.alerts import Alerts
    from gateway.post.letters import Letters
    from gateway.post.note import Desk
    from gateway.post.sender import Sender
    from gateway.push.news import News
    from gateway.worker import Rolling, Runner

    mail = app.settings.mail
    letters = Letters(app.store, app.seal, sender=mail.sender, public_url=app.public_url)
    post = [
        Sender(app.store, app.seal, smtp_url=mail.smtp_url, clock=app.clock, ca_bundle=app.settings.http.ca_bundle)
        for _ in range(SENDERS if mail.smtp_url else 0)  # without a server letters wait in the outbox
    ]
    carriers = [_carrier(app, vapid)] if (vapid := _vapid(app)) is not None else []
    readers: list[Reader] = [letters, *(News(app.store) for _ in carriers)]
    beyond = crossing(app)
    alerts = Alerts(app.store, Desk(sender=mail.sender, public_url=app.public_url, seal=app.seal.seal))
    chores: list[Chore] = [*post, *carriers, beyond.imports()]
    rounds: list[Chore] = [Rolling(app.store), alerts, beyond.gauges()]
    runner, mirrors = Runner(clock=app.clock, lag=app.store.lag, readers=readers, chores=chores, rounds=rounds), beyond.carrier()
    runner.accompany(mirrors.start, mirrors.wake, mirrors.troubles)

    def stop() -> None:
        ending = threading.Thread(target=mirrors.stop, args=(GRACE + 0.3,))  # beside the others: together they have a little over a second
        ending.start()
        for sender in post:
            sender.stop()
        for carrier in carriers:
            carrier.stop()
        runner.stop(GRACE)
        ending.join()

    return runner, stop


def crossing(app: App) -> Crossing:
    """Calendars elsewhere."""
    from gateway.crossing import Crossing

    return Crossing(settings=app.settings, store=app.store, seal=app.seal, clock=app.clock)


def _vapid(app: App) -> Vapid | None:
    """The key by which push services know us, made on first use; None where devices are not told of changes."""
    from gateway.webpush import Vapid

    if not app.settings.push.enabled:
        return None
    try:
        return Vapid(app.seal.unseal(app.store.push_key(lambda: app.seal.seal(Vapid.fresh()))))
    except Misconfigured as error:  # the key it was sealed with is missing; everything else goes on without
        observe.log("push_key_lost", error=error)
        return None


def _egress(settings: Settings) -> Egress:
    from gateway.egress import Egress

    return Egress(allow_private=settings.push.allow_private_addresses, ca_bundle=settings.http.ca_bundle)


def _carrier(app: App, vapid: Vapid) -> Carrier:
    from gateway.push.carrier import Carrier
    from plugins.tokens import token

    return Carrier(
        app.store,
        app.seal,
        _egress(app.settings),
        vapid,
        contact=app.settings.push.contact or f"mailto:{parseaddr(app.settings.mail.sender)[1]}",
        state=lambda snapshot, collection: token(snapshot.epoch, collection, collection.last),
        clock=app.clock,
    )


def _push(app: App) -> Push | None:
    """What lets devices register."""
    from plugins.push import Push

    vapid = _vapid(app)
    if vapid is None:
        return None
    return Push(public_url=app.public_url, key=vapid.public, seal=app.seal, check=_egress(app.settings).check)


def _parts(app: App, runner: Runner | None, mailbox: Mailbox | None) -> Parts:
    from gateway.post.note import Desk
    from gateway.web.parts import Parts
    from plugins.application import build
    from plugins.publishing import Press
    from plugins.request import Limits as DavLimits

    limits, guesses = app.settings.limits, Guesses()
    signer, tokens = profile_signer(app.settings), access_tokens(app.settings)
    return Parts(
        store=app.store,
        public_url=app.public_url,
        clock=app.clock,
        wake=runner.wake if runner is not None else _nothing,
        stir=runner.stir if runner is not None else _nothing,
        dav=build(
            app.store,
            clock=app.clock,
            limits=DavLimits(object_octets=limits.request_octets),
            guesses=guesses,
            push=_push(app),
            press=Press(public_url=app.public_url, seal=app.seal),
            tokens=tokens,
        ),
        bearer=tokens is not None,
        mailbox=mailbox,
        sealer=app.seal,
        providers=_providers(app.settings, app.public_url),
        identity=identity_provider(app.settings, app.public_url),
        accounts=crossing(app).accounts(),
        fetcher=crossing(app).fetcher(),
        letters=Desk(sender=app.settings.mail.sender, public_url=app.public_url, seal=app.seal.seal),
        unready=runner.troubles if runner is not None else _no_reasons,
        trusted_proxies=frozenset(app.settings.server.trusted_proxies),
        limits=_limits(app.settings),
        guesses=guesses,
        sign=signer.sign if signer is not None else None,
    )


def _providers(settings: Settings, public_url: str) -> Mapping[str, ProviderFacts]:
    """What the pages say about each, and where their forms may lead."""
    from gateway.web.parts import ProviderFacts

    clients = {
        "google": (settings.google.client_id, settings.google.auth_uri),
        "microsoft": (settings.microsoft.client_id, settings.microsoft.authority),
    }
    return {
        name: ProviderFacts(
            configured=bool(client), redirect=f"{public_url}/connect/{name}/callback", consent="/".join(address.split("/")[:3])
        )
        for name, (client, address) in clients.items()
    }


def _limits(settings: Settings) -> Limits:
    from gateway.web.parts import Limits

    return Limits(
        body=settings.limits.request_octets,
        json=settings.limits.json_octets,
        body_seconds=settings.limits.request_seconds,
        headers=settings.limits.header_count,
        header=settings.limits.header_octets,
        threads=settings.server.threads,
        wait_seconds=settings.limits.wait_seconds,
        feed_fetches=settings.feeds.fetches_per_hour,
        feed_bytes=settings.feeds.google_octets,
        feed_events=settings.feeds.google_events,
    )


def _nothing() -> None:
    """Nobody to wake and nobody to end: the workers live in other processes and look by themselves."""


def _no_reasons() -> Sequence[str]:
    return ()


def ended_threads(patience: float = 0.3) -> bool:
    """Whether every thread has ended that would keep the interpreter from ending: a request that hangs must not hold up a restart."""
    left = [each for each in threading.enumerate() if not each.daemon and each is not threading.main_thread()]
    for thread in left:
        thread.join(patience / len(left))
    return not any(thread.is_alive() for thread in left)


def fresh_password() -> str:
    """A password that a program keeps and a person types once, on a phone perhaps: 160 random bits (32 of 32 signs), no look-alikes.

    Only its SHA-256 digest is stored, which is enough for a secret that nobody can guess and wrong for one a person thinks up.
    """
    groups = ("".join(secrets.choice(_TYPEABLE) for _ in range(4)) for _ in range(8))
    return "-".join(groups)


def fresh_token() -> str:
    """A secret that only programs see, such as an API key or the name of a feed: 192 bits, URL-safe."""
    return secrets.token_urlsafe(24)
