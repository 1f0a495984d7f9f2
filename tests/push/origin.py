"""A server on loopback that answers with exactly the octets a test gives it, drop by drop if need be, in the clear or by TLS."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Answers = Callable[[socket.socket, threading.Event], None]
"""What is done with a connection once its request was read. The event: the test is over."""


@dataclass
class Origin:
    port: int
    asked: list[bytes] = field(default_factory=list)  # the head of each request, and its body
    over: threading.Event = field(default_factory=threading.Event)


def says(octets: bytes) -> Answers:
    def answer(line: socket.socket, over: threading.Event) -> None:
        line.sendall(octets)

    return answer


def drips(octets: bytes, pause: float) -> Answers:
    """One octet after the other, and then nothing, for ever."""

    def answer(line: socket.socket, over: threading.Event) -> None:
        for octet in octets:
            line.sendall(bytes([octet]))
            if over.wait(pause):
                return
        over.wait()

    return answer


def pours(head: bytes, piece: bytes) -> Answers:
    """The same piece again and again, as long as somebody takes it."""

    def answer(line: socket.socket, over: threading.Event) -> None:
        line.sendall(head)
        while not over.is_set():
            line.sendall(piece)

    return answer


@contextmanager
def answering(answer: Answers, *, tls: ssl.SSLContext | None = None) -> Iterator[Origin]:
    listener = socket.create_server(("127.0.0.1", 0))
    origin = Origin(listener.getsockname()[1])
    threads: list[threading.Thread] = []

    def serve(line: socket.socket) -> None:
        with suppress(OSError), line:  # whoever has heard enough hangs up
            line.settimeout(20)
            wire = tls.wrap_socket(line, server_side=True) if tls is not None else line
            with wire:
                origin.asked.append(_request(wire))
                answer(wire, origin.over)

    def accept() -> None:
        while True:
            try:
                line, _ = listener.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=serve, args=(line,)))
            threads[-1].start()

    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield origin
    finally:
        origin.over.set()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join(10)
        for thread in threads:
            thread.join(10)
        assert not accepting.is_alive()


def _request(line: socket.socket) -> bytes:
    octets = b""
    while b"\r\n\r\n" not in octets:
        if not (piece := line.recv(65536)):
            return octets
        octets += piece
    head, _, body = octets.partition(b"\r\n\r\n")
    lengths = [int(row.partition(b":")[2]) for row in head.split(b"\r\n") if row.lower().startswith(b"content-length:")]
    while lengths and len(body) < lengths[0]:
        body += line.recv(65536)
    return head + b"\r\n\r\n" + body


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, str]:
    """A server's TLS under that name, and the file (PEM) of an authority that vouches for it: itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = datetime(2020, 1, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    both, public = folder / "both.pem", folder / "authority.pem"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    both.write_bytes(secret + public.read_bytes())
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(both)
    return context, str(public)
