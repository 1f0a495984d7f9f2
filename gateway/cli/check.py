"""The doctor: is this installation fit to run? Every finding is a sentence, and what is not well comes with a next step."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import TYPE_CHECKING
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen
from zoneinfo import ZoneInfo

import typer

from gateway.cli import beyond
from gateway.cli.finding import Finding, Health
from gateway.cli.frame import Json, Office, Shown, command, console, show
from gateway.errors import GatewayError
from gateway.model import Revision

if TYPE_CHECKING:
    from gateway.settings import Settings
    from gateway.store import Store

cli = typer.Typer()

PATIENCE = 5.0
"""Seconds that the public address has to answer."""

OFF = timedelta(minutes=2)
"""A clock further from another one than this is wrong: appointments would be past, or changes lie ahead."""

RENEW = timedelta(days=14)
"""How long before its end a certificate is called due."""

LOW, SCARCE = 1_000_000_000, 100_000_000
"""Octets left on the disk of the embedded database: time to act, and too few to go on."""


@command(cli, "check", without=("company",))
def check(office: Office) -> Shown:
    """Look whether everything is well, from the settings to calendars elsewhere. Exit code 1 if not."""
    findings = list(_findings(office))
    if office.as_json:
        show(Shown([_json(finding) for finding in findings]), True)
    else:
        _tell(findings)
    raise typer.Exit(int(any(finding.health is Health.BROKEN for finding in findings)))


def _json(finding: Finding) -> Json:
    return {
        "what": finding.what,
        "health": str(finding.health),
        "sentence": finding.sentence,
        "next_step": finding.next_step or None,
    }


def _tell(findings: list[Finding]) -> None:
    from rich.text import Text

    screen = console()
    marks = {Health.OK: ("✓", "green"), Health.WARNING: ("!", "yellow"), Health.BROKEN: ("✗", "red")}
    for finding in findings:
        mark, colour = marks[finding.health]
        screen.print(Text.assemble((mark, colour), f" {finding.what}: {finding.sentence}"), soft_wrap=True)
        if finding.next_step:
            screen.print(Text(f"    → {finding.next_step}"), soft_wrap=True)


def _findings(office: Office) -> Iterator[Finding]:
    try:
        settings = office.settings
    except GatewayError as error:
        yield Finding("settings", Health.BROKEN, str(error), "Correct them; config/gateway.toml explains each. Nothing else was looked at.")
        return
    yield Finding("settings", Health.OK, "They are understood.")
    yield _key(settings)
    yield from _trust(settings, office.now)
    yield from _database(settings, office.now)
    yield _mail(settings)
    yield from _public_address(settings)
    yield _zones()
    yield from _disk(settings)


def _trust(settings: Settings, now: datetime) -> Iterator[Finding]:
    """What signs profiles, whose access tokens are believed, and who vouches for people; nothing where none is configured."""
    from gateway.trusted import access_tokens, identity_provider, profile_signer

    try:
        if (signer := profile_signer(settings)) is not None:
            until = f"{signer.ends:%Y-%m-%d}"
            if signer.ends <= now + RENEW:
                yield Finding("certificate", Health.WARNING, f"Profiles are signed until {until}.", "Renew secrets.profile_certificate.")
            else:
                yield Finding("certificate", Health.OK, f"Profiles are signed, until {until}.")
    except GatewayError as error:
        yield Finding("certificate", Health.BROKEN, str(error), "Correct it, or leave both settings empty: profiles work unsigned.")
    try:
        if access_tokens(settings) is not None:
            yield Finding("tokens", Health.OK, f"Access tokens of {settings.oidc.issuer} are believed.")
    except GatewayError as error:
        yield Finding("tokens", Health.BROKEN, str(error), "Save the issuer's keys (its jwks_uri) in that file.")
    if (provider := identity_provider(settings, settings.server.public_url)) is not None:
        from gateway.oidc import Promise
        from gateway.tokens import Untrusted

        try:
            provider.consent(Promise.made())
            yield Finding("identity", Health.OK, f"People can sign in through {settings.oidc.issuer}.")
        except (GatewayError, Untrusted) as error:
            yield Finding("identity", Health.BROKEN, f"{settings.oidc.issuer}: {error}", "People sign in with their passwords meanwhile.")


def _key(settings: Settings) -> Finding:
    """Looks only: whoever runs this may be another user than the one that the file has to belong to."""
    from gateway.app import key_file, secret_key
    from gateway.seal import Seal

    try:
        if not settings.secrets.key and not key_file(settings).exists():
            return Finding("key", Health.OK, f"It will be made in {key_file(settings)} at the first start.")
        Seal(secret_key(settings), settings.secrets.retired_keys)
    except GatewayError as error:
        return Finding("key", Health.BROKEN, str(error), "See the section [secrets] of config/gateway.toml.")
    return Finding("key", Health.OK, "What must be shown again can be sealed.")


def _database(settings: Settings, now: datetime) -> Iterator[Finding]:
    from gateway.store import Store

    try:
        store = Store(settings.database.url)
        try:
            yield Finding("database", Health.OK, store.ping())
            yield from _lock(store)
            yield _clock(store)
            yield from beyond.findings(settings, store, now)
        finally:
            store.close()
    except GatewayError as error:
        step = "Run gateway migrate; on PostgreSQL, see that the server runs and that database.url is right."
        yield Finding("database", Health.BROKEN, str(error), step)


def _lock(store: Store) -> Iterator[Finding]:
    """Nothing where everything goes out."""
    if (since := store.locked) is not None:
        sentence = f"A backup was restored on {since:%Y-%m-%d %H:%M} UTC: no letter is sent, and no calendar elsewhere is read or written."
        yield Finding("lock", Health.WARNING, sentence, "Once this is the one gateway that works on this data: gateway unlock")


def _clock(store: Store) -> Finding:
    """Whether this machine's clock stands behind what was written down already."""
    now = datetime.now(UTC)
    newest = now
    for company in store.companies():
        with store.read(company.id) as snapshot:
            last = snapshot.changes(Revision(max(0, snapshot.revision - 1)))
            newest = max([newest, *(change.at for change in last)])
    if newest - now > OFF:
        sentence = f"This machine says {now:%Y-%m-%d %H:%M} UTC, yet a change was written at {newest:%Y-%m-%d %H:%M}."
        return Finding("clock", Health.BROKEN, sentence, "Set the clock, and let it follow a time server (timedatectl set-ntp true).")
    return Finding("clock", Health.OK, f"It is {now:%Y-%m-%d %H:%M} UTC, and nothing written so far contradicts.")


def _mail(settings: Settings) -> Finding:
    from gateway.post.sender import probe

    if not settings.mail.smtp_url:
        return Finding("mail", Health.WARNING, "There is no mail server; letters wait in the outbox.", "Set mail.smtp_url.")
    try:
        server = probe(settings.mail.smtp_url, settings.http.ca_bundle)
    except GatewayError as error:
        return Finding("mail", Health.BROKEN, str(error), "Check mail.smtp_url, and that the server takes mail from this machine.")
    if settings.mail.sender.endswith("@localhost>"):
        return Finding("mail", Health.WARNING, f"{server} But letters come from nobody: {settings.mail.sender}.", "Set mail.from.")
    return Finding("mail", Health.OK, server)


def _public_address(settings: Settings) -> Iterator[Finding]:
    name, address = "public address", settings.public_url
    host = urlsplit(address).hostname or ""
    if not settings.server.public_url:
        step = "Set server.public_url to what people type."
        yield Finding(name, Health.WARNING, f"It is not set; letters and feed links name {address}.", step)
    elif not address.startswith("https:") and host not in ("localhost", "127.0.0.1", "::1"):
        step = "Put a proxy with TLS in front: iPhones send no password without."
        yield Finding(name, Health.WARNING, f"{address} is not encrypted.", step)
    yield _answering(address)


def _answering(address: str) -> Finding:
    """Whether the gateway answers there, and whether both clocks agree."""
    name = "public address"
    away = "Fine before the first start; otherwise see that `gateway serve` and the proxy run, and that the name leads here."
    try:
        # Only http and https: the settings take no other scheme.
        with urlopen(Request(f"{address}/healthz"), timeout=PATIENCE) as answer:  # noqa: S310
            sound, date = answer.status == 200 and b'"status"' in answer.read(1000), answer.headers.get("Date")
    except HTTPError as error:
        error.close()
        return Finding(name, Health.BROKEN, f"{address} answers {error.code} instead of the gateway.", "Let the proxy pass every path on.")
    except (URLError, HTTPException, OSError, ValueError) as error:
        return Finding(name, Health.WARNING, f"Nothing answers at {address}: {_words(error)}.", away)
    if not sound:
        return Finding(name, Health.BROKEN, f"Something else than the gateway answers at {address}.", "Let the proxy pass every path on.")
    there = parsedate_to_datetime(date) if date else datetime.now(UTC)
    if abs(there - datetime.now(UTC)) > OFF:
        return Finding(name, Health.BROKEN, f"The clock behind {address} differs from ours.", "Let both follow a time server.")
    return Finding(name, Health.OK, f"The gateway answers at {address}.")


def _words(error: Exception) -> str:
    """What happened, without the numbers."""
    inner = error.reason if isinstance(error, URLError) else error
    return str(inner.strerror if isinstance(inner, OSError) and inner.strerror else inner)


def _zones() -> Finding:
    try:
        ZoneInfo("Europe/Paris")
    except (LookupError, OSError, ValueError) as error:
        return Finding("time zones", Health.BROKEN, f"There is no time zone database: {error}.", "Install the package tzdata.")
    return Finding("time zones", Health.OK, f"The database is there, and this is Python {sys.version.split()[0]}.")


def _disk(settings: Settings) -> Iterator[Finding]:
    """Of the embedded database; PostgreSQL watches its own."""
    folder = settings.folder
    if folder is None:
        return
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        yield Finding("disk", Health.BROKEN, f"The folder {folder} cannot be looked at: {error.strerror}.", "Run gateway migrate.")
        return
    sentence = f"{free / 1e9:.1f} GB are free in {folder}."
    health = Health.OK if free > LOW else Health.WARNING if free > SCARCE else Health.BROKEN
    yield Finding("disk", health, sentence, "" if health is Health.OK else "Make room, or move the database.")
