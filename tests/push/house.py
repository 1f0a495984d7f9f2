"""A push service on loopback that decrypts, as a device does, what it is given, and a house whose devices may register there."""

from __future__ import annotations

import base64
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from xml.etree import ElementTree

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.egress import Egress
from gateway.push.carrier import REST, Carrier
from gateway.push.news import News
from gateway.seal import Seal
from gateway.store import Store
from gateway.webpush import Vapid
from plugins.push import Push
from plugins.tokens import token
from tests.dav.house import HERE, Answer, Client, House, furnish, opened

P = "{https://bitfire.at/webdav-push}"
D = "{DAV:}"
PUBLIC_URL = "https://calendar.example.com"


def never(*given: Any) -> Any:  # whatever is asked
    """Stands for a network that must not be used."""
    raise AssertionError(f"the network was asked: {given}")


def unpadded(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def padded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass(frozen=True)
class Device:
    """The keys of one subscription, as the program on the device keeps them. Reads messages by itself, not with our code."""

    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    secret: bytes = field(default_factory=lambda: os.urandom(16))

    @property
    def public(self) -> bytes:
        return self.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def read(self, body: bytes) -> bytes:
        """RFC 8188 §2, RFC 8291 §3: one record, its head, and what is in it."""
        salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
        assert len(body) <= size <= 4096
        sender = body[21 : 21 + length]
        shared = self.private.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender))
        common = _hkdf(self.secret, b"WebPush: info\0" + self.public + sender, 32, shared)
        key, nonce = (
            _hkdf(salt, b"Content-Encoding: " + name + b"\0", size, common) for name, size in ((b"aes128gcm", 16), (b"nonce", 12))
        )
        opened = AESGCM(key).decrypt(nonce, body[21 + length :], None)
        text, _, padding = opened.rpartition(b"\x02")
        assert padding.strip(b"\0") == b""
        return text


def _hkdf(salt: bytes, info: bytes, length: int, secret: bytes) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)


@dataclass(frozen=True)
class Message:
    """What a device reads in a message."""

    topic: str
    contents: bool
    properties: bool
    token: str | None


@dataclass(frozen=True)
class Given:
    """One request that the push service got; header names are in lower case."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    def message(self, device: Device) -> Message:
        root = ElementTree.fromstring(device.read(self.body))
        assert root.tag == f"{P}push-message"
        contents = root.find(f"{P}content-update")
        return Message(
            topic=root.findtext(f"{P}topic") or "",
            contents=contents is not None,
            properties=root.find(f"{P}property-update") is not None,
            token=contents.findtext(f"{D}sync-token") if contents is not None else None,
        )

    def claims(self, key: str) -> Any:  # JSON
        """What the proof says, after its signature was found to be right (RFC 8292 §2, RFC 7515 §3, RFC 7518 §3.4)."""
        scheme, _, rest = self.headers["authorization"].partition(" ")
        given = dict(part.strip().split("=", 1) for part in rest.split(","))
        assert (scheme, given["k"]) == ("vapid", key)
        said, _, signature = given["t"].rpartition(".")
        head, claims = (json.loads(padded(part)) for part in said.split("."))
        assert head == {"typ": "JWT", "alg": "ES256"}
        octets = padded(signature)
        assert len(octets) == 64
        known = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), padded(key))
        pair = int.from_bytes(octets[:32], "big"), int.from_bytes(octets[32:], "big")
        known.verify(encode_dss_signature(*pair), said.encode(), ec.ECDSA(hashes.SHA256()))
        return claims


@dataclass
class Service:
    """Takes everything with 201, unless there is an answer in `says`, which come first; `meanwhile` runs before it answers."""

    port: int = 0
    says: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    given: list[Given] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def url(self, name: str = "device") -> str:
        return f"{self.origin}/{name}"


@contextmanager
def serving() -> Iterator[Service]:
    service = Service()

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            service.given.append(Given(self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            service.meanwhile()
            status, headers = service.says.pop(0) if service.says else (201, {"Location": "/message/1"})
            self.send_response(status)
            for name, value in {**headers, "Content-Length": "2"}.items():
                self.send_header(name, value)
            with suppress(OSError):  # whoever has waited too long hangs up
                self.end_headers()
                self.wfile.write(b"ok")

        def log_message(self, *given: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    service.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Office:
    """A house whose devices may register, and those who tell them, one step at a time."""

    house: House
    service: Service
    seal: Seal
    vapid: Vapid
    news: News
    carrier: Carrier

    @property
    def now(self) -> datetime:
        return self.house.clock.now

    def later(self, pause: timedelta) -> None:
        self.house.clock.now += pause

    def read(self) -> bool:
        """Have the log read to its end; whether there was anything to do."""
        due = list(self.news.due(self.now))
        for company in due:
            self.news.catch_up(company, self.now)
        return bool(due)

    def carry(self) -> list[Given]:
        """Have sent what is due; what the push service got of it."""
        before = len(self.service.given)
        self.carrier.run(self.now)
        assert self.carrier.ended_within(20)
        return self.service.given[before:]

    def told(self) -> list[Given]:
        """Everything: the log is read, and what follows from it is sent when its time has come."""
        self.read()
        self.later(REST)
        return self.carry()


@dataclass
class Registered:
    """A device, and what became of its wish to be told."""

    device: Device
    answer: Answer

    @property
    def path(self) -> str:
        """Of its registration, without scheme and host."""
        return self.answer.headers["location"].removeprefix(PUBLIC_URL)


def wish(url: str, device: Device, *, trigger: str = "", expires: str = "", more: str = "") -> str:
    """A push-register as DAVx⁵ 4.5.19 writes it; newer ones add what `trigger` and `more` hold."""
    return (
        "<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>"
        '<n0:push-register xmlns:n0="https://bitfire.at/webdav-push" xmlns:D="DAV:"><n0:subscription><n0:web-push-subscription>'
        f"<n0:push-resource>{url}</n0:push-resource>{more}"
        f'<n0:subscription-public-key type="p256dh">{unpadded(device.public)}</n0:subscription-public-key>'
        f"<n0:auth-secret>{unpadded(device.secret)}</n0:auth-secret></n0:web-push-subscription></n0:subscription>"
        f"{trigger}{f'<n0:expires>{expires}</n0:expires>' if expires else ''}</n0:push-register>"
    )


CONTENTS = "<n0:trigger><n0:content-update><D:depth>1</D:depth></n0:content-update></n0:trigger>"
PROPERTIES = "<n0:trigger><n0:property-update><D:depth>0</D:depth></n0:property-update></n0:trigger>"


def post(client: Client, body: str, path: str = HERE) -> Answer:
    return client.ask("POST", path, body, Content_Type="application/xml; charset=utf-8")


def registered(client: Client, url: str, path: str = HERE, *, trigger: str = CONTENTS, device: Device | None = None) -> Registered:
    device = device or Device()
    answer = post(client, wish(url, device, trigger=trigger), path)
    assert answer.status == 204, answer.text
    return Registered(device, answer)


@contextmanager
def furnished(store: Store, service: Service) -> Iterator[Office]:
    """Two companies, as in the tests of CalDAV."""
    furnish(store)
    seal, vapid = Seal(base64.b64encode(bytes(32)).decode()), Vapid(Vapid.fresh())
    egress = Egress(allow_private=True)
    push = Push(public_url=PUBLIC_URL, key=vapid.public, seal=seal, check=egress.check)
    with opened(store, push=push) as house:
        carrier = Carrier(
            store,
            seal,
            egress,
            vapid,
            contact="mailto:admin@example.com",
            state=lambda snapshot, collection: token(snapshot.epoch, collection, collection.last),
            clock=house.clock,
        )
        yield Office(house, service, seal, vapid, News(store), carrier)
        carrier.stop()
        assert carrier.ended_within(20)
