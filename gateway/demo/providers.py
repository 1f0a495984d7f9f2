"""Google and Microsoft as stand-ins beside the demo, and two of its people connected to them as a browser would do it."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gateway.fakes import Fakes, running
from gateway.fakes.running import Ports
from gateway.settings import Google, Http, Microsoft, Section, Sync

POLL_SECONDS = 5
"""How long until a move in a stand-in is found without a notification, whether one was to be expected or not: short, for somebody looks
on, and may have switched notifications off."""

CALLS_PER_MINUTE = 6000
"""Stand-ins have no quotas, and nobody wants to wait for the first filling."""


@contextmanager
def beside(folder: Path, *, logins: Sequence[str], zone: str) -> Iterator[Fakes]:
    """Both stand-ins on loopback, where everybody has a login, until the context is left; what is in them stays in the folder.

    They listen where they did the last time, unless somebody else does by now.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = folder / "ports.json"
    with running(google=logins, work=logins, zone=zone, folder=folder, ports=_ports(kept)) as fakes:
        kept.write_text(json.dumps(asdict(_in_use(fakes))), encoding="ascii")
        yield fakes


def _ports(kept: Path) -> Ports:
    """Those of the last time, unless one of them is taken."""
    try:
        ports = Ports(**json.loads(kept.read_text(encoding="ascii")))
        for port in asdict(ports).values():
            socket.create_server(("127.0.0.1", port)).close()
    except (OSError, ValueError, TypeError):
        return Ports()
    return ports


def _in_use(fakes: Fakes) -> Ports:
    google, microsoft, control = (
        int(address.rpartition(":")[2].partition("/")[0]) for address in (fakes.google.api, fakes.microsoft.api, fakes.microsoft.control)
    )
    return Ports(google=google, microsoft=microsoft, microsoft_control=control)


def sections(fakes: Fakes) -> Mapping[str, Section]:
    """The settings that point the gateway at them."""
    return {
        "google": Google(
            client_id=fakes.google.client_id,
            client_secret=fakes.google.client_secret,
            auth_uri=fakes.google.auth_uri,
            token_uri=fakes.google.token_uri,
            revoke_uri=fakes.google.revoke_uri,
            api_endpoint=fakes.google.api_endpoint,
        ),
        "microsoft": Microsoft(
            client_id=fakes.microsoft.client_id,
            client_secret=fakes.microsoft.client_secret,
            authority=fakes.microsoft.authority,
            instance_discovery=False,
            graph_url=fakes.microsoft.graph_url,
        ),
        "http": Http(ca_bundle=str(_bundle(fakes))),
        "sync": Sync(poll_seconds=POLL_SECONDS, told_poll_seconds=POLL_SECONDS, calls_per_minute=CALLS_PER_MINUTE),
    }


def _bundle(fakes: Fakes) -> Path:
    """The authorities the system trusts, and the stand-ins' own: devices of visitors may still be told through real push services."""
    system = ssl.get_default_verify_paths().cafile
    known = Path(system).read_bytes() if system and Path(system).exists() else b""
    made = fakes.ca_file.with_name("authorities.pem")
    made.write_bytes(known + b"\n" + fakes.ca_file.read_bytes())
    return made


def line(fakes: Fakes) -> Mapping[str, Any]:
    """Their part of the ready line (contract.md §3)."""
    return {
        "google": {"api": fakes.google.api, "control": fakes.google.control},
        "microsoft": {"api": fakes.microsoft.api, "control": fakes.microsoft.control},
    }
