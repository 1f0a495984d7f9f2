"""The fakes on the network, and the real client libraries that drive them."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler
from queue import Queue
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httplib2
import msal
import pytest
import requests
from google.oauth2.credentials import Credentials
from google_auth_httplib2 import AuthorizedHttp
from googleapiclient.discovery import build

from gateway.fakes import Fakes
from tests.fakes.house import CALENDAR, EMMA, JOHN

Heard = Queue[tuple[dict[str, str], bytes]]


class Hook(BaseHTTPRequestHandler):
    """Takes notifications, and answers Microsoft's handshake."""

    heard: Queue[tuple[dict[str, str], bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        token = parse_qs(urlsplit(self.path).query).get("validationToken", [""])[0]
        if not token:
            self.heard.put((dict(self.headers.items()), body))
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(token)))
        self.end_headers()
        self.wfile.write(token.encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


def control(address: str, place: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{address}/{place}", data), timeout=10) as answer:
        return json.load(answer)


def calendar(fakes: Fakes, *scopes: str, refresh: str = "", timeout: float = 10) -> Any:
    """Google's own client library, with credentials that refresh themselves."""
    google = fakes.google
    credentials = Credentials(  # type: ignore[no-untyped-call]
        None,
        refresh_token=refresh or google.provider.connect(JOHN, list(scopes or (CALENDAR,))),
        token_uri=google.token_uri,
        client_id=google.client_id,
        client_secret=google.client_secret,
    )
    http = AuthorizedHttp(credentials, http=httplib2.Http(timeout=timeout))
    return build("calendar", "v3", http=http, static_discovery=True, client_options={"api_endpoint": google.api_endpoint})


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: object) -> None:
        return None


def location(url: str, context: ssl.SSLContext | None = None) -> str:
    """Where the consent page sends the browser."""
    handlers = [NoRedirect(), *([urllib.request.HTTPSHandler(context=context)] if context else [])]
    with pytest.raises(urllib.error.HTTPError) as sent:
        urllib.request.build_opener(*handlers).open(url, timeout=10)
    with sent.value as answer:
        assert answer.code == 302, answer.read()
        return str(answer.headers["Location"])


def tls(fakes: Fakes) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(fakes.ca_file))


def session(fakes: Fakes) -> requests.Session:
    """The environment's REQUESTS_CA_BUNDLE would win over `verify`, were it trusted."""
    made = requests.Session()
    made.trust_env, made.verify = False, str(fakes.ca_file)
    return made


def application(fakes: Fakes, http: requests.Session, authority: str = "common", cache: Any = None) -> Any:
    microsoft = fakes.microsoft
    return msal.ConfidentialClientApplication(
        microsoft.client_id,
        client_credential=microsoft.client_secret,
        authority=f"{microsoft.api}/{authority}",
        instance_discovery=False,
        http_client=http,
        token_cache=cache,
    )


def graph(fakes: Fakes, token: str, method: str, path: str, body: object = None, **headers: str) -> Any:
    request = urllib.request.Request(
        path if path.startswith("https:") else fakes.microsoft.graph_url + path,
        None if body is None else json.dumps(body).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json", **headers},
        method=method,
    )
    with urllib.request.urlopen(request, timeout=10, context=tls(fakes)) as answer:
        text = answer.read()
        return json.loads(text) if text else None


def token(fakes: Fakes) -> str:
    refresh = fakes.microsoft.provider.connect(EMMA, ["offline_access", "Calendars.ReadWrite"])
    fields = {
        "grant_type": "refresh_token",
        "refresh_token": refresh,
        "client_id": fakes.microsoft.client_id,
        "client_secret": fakes.microsoft.client_secret,
    }
    request = urllib.request.Request(f"{fakes.microsoft.authority}/oauth2/v2.0/token", urlencode(fields).encode())
    with urllib.request.urlopen(request, timeout=10, context=tls(fakes)) as answer:
        return str(json.load(answer)["access_token"])
