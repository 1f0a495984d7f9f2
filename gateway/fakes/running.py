"""The fakes, running: threads, ports, certificates, and the addresses to put into the gateway's settings."""

from __future__ import annotations

import asyncio
import pickle
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from gateway.fakes import keys
from gateway.fakes.google.provider import API, Google, google
from gateway.fakes.google.state import GoogleWorld
from gateway.fakes.microsoft.provider import Microsoft, microsoft
from gateway.fakes.microsoft.state import MicrosoftWorld
from gateway.fakes.server import Door, Mouth, Site

CA_FILE = "fake-providers-ca.pem"
KEEP_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class GoogleSite:
    """The fake Google and its addresses."""

    provider: Google
    api: str
    control: str
    client_id: str
    client_secret: str

    @property
    def api_endpoint(self) -> str:
        return self.api + API

    @property
    def auth_uri(self) -> str:
        return self.api + "/o/oauth2/v2/auth"

    @property
    def token_uri(self) -> str:
        return self.api + "/token"

    @property
    def revoke_uri(self) -> str:
        return self.api + "/revoke"


@dataclass(frozen=True, kw_only=True, slots=True)
class MicrosoftSite:
    """The fake Microsoft and its addresses: TLS throughout, but for the control."""

    provider: Microsoft
    api: str
    control: str
    client_id: str
    client_secret: str

    @property
    def authority(self) -> str:
        return self.api + "/common"

    @property
    def graph_url(self) -> str:
        return self.api + "/v1.0"

    @property
    def tenant(self) -> str:
        """The tenant of the work accounts."""
        return self.provider.world.tenant


@dataclass(frozen=True, kw_only=True, slots=True)
class Fakes:
    """Both, with the file of the authority that signed the certificate (for `http.ca_bundle`)."""

    google: GoogleSite
    microsoft: MicrosoftSite
    ca_file: Path

    def settings(self) -> dict[str, str]:
        """The gateway's settings as variables of its environment (`instance_discovery` off: the authority is not Microsoft's)."""
        return {
            "GATEWAY_GOOGLE__CLIENT_ID": self.google.client_id,
            "GATEWAY_GOOGLE__CLIENT_SECRET": self.google.client_secret,
            "GATEWAY_GOOGLE__AUTH_URI": self.google.auth_uri,
            "GATEWAY_GOOGLE__TOKEN_URI": self.google.token_uri,
            "GATEWAY_GOOGLE__API_ENDPOINT": self.google.api_endpoint,
            "GATEWAY_MICROSOFT__CLIENT_ID": self.microsoft.client_id,
            "GATEWAY_MICROSOFT__CLIENT_SECRET": self.microsoft.client_secret,
            "GATEWAY_MICROSOFT__AUTHORITY": self.microsoft.authority,
            "GATEWAY_MICROSOFT__INSTANCE_DISCOVERY": "false",
            "GATEWAY_MICROSOFT__GRAPH_URL": self.microsoft.graph_url,
            "GATEWAY_HTTP__CA_BUNDLE": str(self.ca_file),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Ports:
    """Where to listen; 0 asks for a free port."""

    google: int = 0
    microsoft: int = 0
    microsoft_control: int = 0


def now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def running(
    *,
    google: Sequence[str] = (),
    work: Sequence[str] = (),
    personal: Sequence[str] = (),
    clock: Callable[[], datetime] = now,
    seed: int = 1,
    zone: str = "UTC",
    folder: Path | None = None,
    ports: Ports = Ports(),
) -> Iterator[Fakes]:
    """Both providers on loopback until the context is left.

    `google`, `work` and `personal` are logins with a Google, a Microsoft 365 and an Outlook.com account; `zone` (IANA) is where their
    calendars are at home. In `folder` the providers' memory outlives them: a second start with the same folder goes on where the
    first was left, and new logins join. Without one the certificate lies in a temporary folder, and nothing outlives the context.
    """
    providers = people(google=google, work=work, personal=personal, clock=clock, seed=seed, zone=zone, folder=folder)
    keep = partial(_remember_all, folder, providers) if folder is not None else None
    with _folder(folder) as place, _serving(providers, place, ports, keep) as (google_port, microsoft_port, control_port):
        fake_google, fake_microsoft = providers
        api = f"http://127.0.0.1:{google_port}"
        yield Fakes(
            google=GoogleSite(
                provider=fake_google,
                api=api,
                control=f"{api}/control",
                client_id=fake_google.world.client_id,
                client_secret=fake_google.world.client_secret,
            ),
            microsoft=MicrosoftSite(
                provider=fake_microsoft,
                api=f"https://127.0.0.1:{microsoft_port}",
                control=f"http://127.0.0.1:{control_port}/control",
                client_id=fake_microsoft.world.client_id,
                client_secret=fake_microsoft.world.client_secret,
            ),
            ca_file=place / CA_FILE,
        )
    if keep is not None:
        keep()


def people(
    *,
    google: Sequence[str] = (),
    work: Sequence[str] = (),
    personal: Sequence[str] = (),
    clock: Callable[[], datetime] = now,
    seed: int = 1,
    zone: str = "UTC",
    folder: Path | None = None,
) -> tuple[Google, Microsoft]:
    """Both providers without a server, with these people in them; with what is remembered in the folder, if there is one."""
    fake_google = _google(clock, seed, zone, folder)
    fake_microsoft = _microsoft(clock, seed, zone, folder)
    for login in google:
        if login not in fake_google.world.accounts:
            fake_google.add(login)
    for login in (*work, *personal):
        if login not in fake_microsoft.world.mailboxes:
            fake_microsoft.add(login, personal=login in personal)
    return fake_google, fake_microsoft


def _google(clock: Callable[[], datetime], seed: int, zone: str, folder: Path | None) -> Google:
    kept = _recall(folder, "google")
    if isinstance(kept, GoogleWorld):
        return Google(kept, clock)
    return google(clock=clock, seed=seed, zone=zone, client_id="fake-client.apps.googleusercontent.com", client_secret=f"GOCSPX-{seed}")


def _microsoft(clock: Callable[[], datetime], seed: int, zone: str, folder: Path | None) -> Microsoft:
    kept = _recall(folder, "microsoft")
    if isinstance(kept, MicrosoftWorld):
        return Microsoft(kept, clock)
    identifier = "00000000-0000-4000-a000-00000000fa4e"
    return microsoft(clock=clock, seed=seed + 1, zone=zone, client_id=identifier, client_secret=f"fake~secret~{seed}")


def _recall(folder: Path | None, name: str) -> object:
    """What an earlier run left. It is our own file in our own folder; whoever can write there can do worse."""
    file = folder / f"fake-{name}.pickle" if folder else None
    return pickle.loads(file.read_bytes()) if file and file.exists() else None  # noqa: S301


def _remember_all(folder: Path, providers: tuple[Google, Microsoft]) -> None:
    for provider in providers:
        _remember(folder, provider)


def _remember(folder: Path, provider: Google | Microsoft) -> None:
    file = folder / f"fake-{provider.name}.pickle"
    with provider.lock:
        draft = file.with_suffix(".new")
        draft.write_bytes(pickle.dumps(provider.world))
        draft.replace(file)


@contextmanager
def _folder(folder: Path | None) -> Iterator[Path]:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="fakes-") as place:
        yield Path(place)


@contextmanager
def _serving(
    providers: tuple[Google, Microsoft], place: Path, ports: Ports, keep: Callable[[], None] | None
) -> Iterator[tuple[int, int, int]]:
    """A thread with an event loop and three doors; their numbers. Raises OSError when a port is taken."""
    made = keys.certificates(now())  # clients look at the real clock
    (place / CA_FILE).write_bytes(made.authority)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile(dir=place, suffix=".pem") as file:
        file.write(made.server)
        file.flush()
        tls.load_cert_chain(file.name)
    doors = (
        Door(provider=providers[0], port=ports.google),
        Door(provider=providers[1], port=ports.microsoft, tls=tls),
        Door(provider=providers[1], port=ports.microsoft_control, control_only=True),
    )
    ready: Future[tuple[list[int], Callable[[], None]]] = Future()
    thread = threading.Thread(target=lambda: asyncio.run(_serve(doors, ready, keep)), name="fakes")
    thread.start()
    try:
        numbers, stop = ready.result()
    except BaseException:
        thread.join()
        raise
    try:
        yield numbers[0], numbers[1], numbers[2]
    finally:
        stop()
        thread.join()


async def _serve(doors: Sequence[Door], ready: Future[tuple[list[int], Callable[[], None]]], keep: Callable[[], None] | None) -> None:
    try:
        async with AsyncExitStack() as stack:
            mouth = await stack.enter_async_context(Mouth([door.provider for door in doors[:2]]).open())
            sites = [await stack.enter_async_context(Site(door, mouth).open()) for door in doors]
            loop, end = asyncio.get_running_loop(), asyncio.Event()
            ready.set_result(([site.port for site in sites], lambda: _call(loop, end)))
            counted = -1
            while not end.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(end.wait(), KEEP_SECONDS if keep else None)
                if keep and counted != (counted := sum(door.provider.count for door in doors)):
                    keep()  # so that a demo that is killed does not come back to providers without a memory
    except BaseException as error:
        if ready.done():
            raise
        ready.set_exception(error)


def _call(loop: asyncio.AbstractEventLoop, end: asyncio.Event) -> None:
    loop.call_soon_threadsafe(end.set)
