"""A mail server on loopback that does what a test has it do, and remembers who came and what was said."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.post.house import opened

FAR = "0.0.0.0"  # noqa: S104  # nothing listens there; connected to, it is this machine, though no loopback address
"""A host that does not look like this machine, and yet is reached without leaving it."""

DROP = "drop"
"""Instead of an answer: the connection ends."""


@dataclass
class Taken:
    """One mail the server got to its end, whatever it answered then."""

    sender: str
    recipients: list[str]
    octets: bytes

    @property
    def mail(self) -> EmailMessage:
        return opened(self.octets)


@dataclass
class Server:
    """Takes everything, unless there is an answer in `says[verb]`: those come first, one for each time; `meanwhile` runs at DATA."""

    says: dict[str, list[str]] = field(default_factory=dict)
    taken: list[Taken] = field(default_factory=list)
    visits: int = 0  # connections that said EHLO for the first time
    encrypted: int = 0  # mails that came over TLS
    asked: list[str] = field(default_factory=list)  # recipients that were named
    meanwhile: Callable[[], None] = lambda: None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def _answer(self, verb: str, server: SMTP, usual: str) -> str:
        with self.lock:
            said = self.says.get(verb, [])
            answer = said.pop(0) if said else usual
        if answer == DROP:
            transport: Any = server.transport
            transport.abort()
        return answer

    async def handle_EHLO(  # noqa: N802 the library's name
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        if session.host_name is None:
            self.visits += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(  # noqa: N802 the library's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return self._answer("MAIL", server, "250 OK")

    async def handle_RCPT(  # noqa: N802 the library's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.asked.append(address)
        answer = self._answer("RCPT", server, "250 OK")
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 the library's name
        self.meanwhile()
        with self.lock:
            self.taken.append(Taken(envelope.mail_from or "", list(envelope.rcpt_tos), envelope.original_content or b""))
            self.encrypted += session.ssl is not None
        return self._answer("DATA", server, "250 OK")

    @property
    def ids(self) -> list[str]:
        """The Message-IDs of what came, in order."""
        return [str(taken.mail["Message-ID"]) for taken in self.taken]


class _Listener(Controller):
    """Port 0 becomes a free one, which the library's own start cannot do."""

    def _trigger_server(self) -> None:
        server: Any = self.server
        self.port = server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]  # the library does not annotate it


@contextmanager
def listening(server: Server, port: int = 0, **more: Any) -> Iterator[int]:
    """The server, open; its port."""
    listener = _Listener(server, hostname="127.0.0.1", port=port, server_hostname="localhost", **more)
    listener.start()
    try:
        yield listener.port
    finally:
        listener.stop()


def knows(user: str, password: str) -> Callable[..., AuthResult]:
    """An authenticator for one pair of credentials."""

    def check(server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: object) -> AuthResult:
        right = isinstance(given, LoginPassword) and (given.login, given.password) == (user.encode(), password.encode())
        return AuthResult(success=right, handled=False)

    return check


def own_certificate(folder: Path) -> ssl.SSLContext:
    """A server's TLS with a certificate of its own making in server.pem, as Debian's mail servers come with."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "snakeoil.example")])
    start = datetime(2020, 1, 1, tzinfo=UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(FAR))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=36500))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)
    return context
