"""A person at a browser who says yes: follows a consent address to what the provider sends back to the client. For the demo and tests."""

from __future__ import annotations

import ssl
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

SECONDS = 10.0


def consented(address: str, login: str, ca_file: Path) -> dict[str, str]:
    """What the client's own address is called with (`code` and `state`, or `error`) once this person has agreed to everything.

    Raises ValueError with the provider's page when it does not send the person back.
    """
    parts = urlsplit(address)
    asked = {**dict(parse_qsl(parts.query, keep_blank_values=True)), "login_hint": login, "approve": "auto"}
    connection = _connection(parts.scheme, parts.hostname or "", parts.port, ca_file)
    try:
        connection.request("GET", f"{parts.path}?{urlencode(asked)}")
        answer = connection.getresponse()
        page, back = answer.read().decode(errors="replace"), answer.headers.get("Location")
    finally:
        connection.close()
    if answer.status != 302 or back is None:
        raise ValueError(f"{answer.status}: {page}")
    return dict(parse_qsl(urlsplit(back).query, keep_blank_values=True))


def _connection(scheme: str, host: str, port: int | None, ca_file: Path) -> HTTPConnection:
    if scheme == "https":
        return HTTPSConnection(host, port, timeout=SECONDS, context=ssl.create_default_context(cafile=str(ca_file)))
    return HTTPConnection(host, port, timeout=SECONDS)
