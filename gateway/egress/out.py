"""The way out: an address is looked up once, everything found is checked, and one of that is connected to (trust.md A140–A145)."""

from __future__ import annotations

import socket
import ssl
import threading
import zlib
from collections.abc import Callable, Mapping, Sequence
from http.client import HTTPException
from ipaddress import ip_address

from gateway.egress.address import Address, Target, literal, own, public, target_of
from gateway.egress.wire import HEAD, Deadline, Limits, Line, Response, converse, request_of
from gateway.errors import Invalid, Unavailable

TRY = 3.0
"""Seconds for one of several addresses: behind a broken IPv6 the next one has its turn in time."""

Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a name, in the order to try them. Raises OSError."""

Connect = Callable[[str, int, float], socket.socket]
"""A connection to an address, which is no name, within so many seconds. Raises OSError."""


def _resolve(host: str, port: int) -> Sequence[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(place[0]) for *_, place in found))


def _connect(address: str, port: int, seconds: float) -> socket.socket:
    return socket.create_connection((address, port), timeout=seconds)


class Egress:
    """Thread-safe; no connection outlives its request.

    `allow_private` opens the operator's own networks, and http there. Certificates are always checked: against `ca_bundle` (PEM),
    or what the system trusts.
    """

    def __init__(
        self, *, allow_private: bool = False, ca_bundle: str = "", resolve: Resolve = _resolve, connect: Connect = _connect
    ) -> None:
        self._allow_private = allow_private
        self._ca_bundle = ca_bundle
        self._resolve = resolve
        self._connect = connect
        self._making = threading.Lock()
        self._context: ssl.SSLContext | None = None

    def check(self, url: str, *, plain: bool = False) -> Target:
        """What can be known of an address without asking anybody: for the moment it is given to us. Raises Invalid."""
        target = target_of(url, plain=plain or self._allow_private)
        address = literal(target.host)
        if address is not None:
            self._must_be_allowed(target, [address], plain)
        elif "." not in target.host and not self._allow_private:
            raise Invalid("The address names a host of a local network.")
        return target

    def fetch(self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"", *, limits: Limits) -> Response:
        """One request and its answer, whatever the status: 304 and redirects are answers too.

        A body that the headers let be compressed (Accept-Encoding: gzip) is handed out decoded. Raises Invalid for an address that
        may not be called, TooLarge, and Unavailable for everything that may be otherwise next time.
        """
        target, deadline = self.check(url, plain=limits.plain), Deadline(limits.seconds)
        request = request_of(target, method, headers, body)
        try:
            with self._line(target, deadline, limits) as line:
                return converse(line, request, method, limits)
        except TimeoutError as error:
            raise Unavailable(f"{target.host} takes too long to answer.") from error
        except ssl.SSLError as error:
            raise Unavailable(f"{target.host} offers no secure connection: {error.reason or 'it is not TLS'}.") from error
        except OSError as error:
            raise Unavailable(f"{target.host} cannot be reached: {error.strerror or type(error).__name__}.") from error
        except (HTTPException, zlib.error) as error:
            raise Unavailable(f"{target.host} answers in a way that is not understood.") from error

    def _line(self, target: Target, deadline: Deadline, limits: Limits) -> Line:
        address = literal(target.host)
        found = [address] if address is not None else self._looked_up(target, deadline)
        self._must_be_allowed(target, found, limits.plain)
        sock = self._first_connected(target, found, deadline)
        try:
            if target.scheme == "https":
                sock.settimeout(deadline.left())
                sock = self._tls().wrap_socket(sock, server_hostname=target.host)
            return Line(sock, deadline, HEAD + limits.octets)
        except BaseException:
            sock.close()
            raise

    def _looked_up(self, target: Target, deadline: Deadline) -> Sequence[Address]:
        """By a thread of its own, because the system's resolver cannot be told how long it may take."""
        found: list[str] = []
        problems: list[Exception] = []
        done = threading.Event()

        def look_up() -> None:
            try:
                found.extend(self._resolve(target.host, target.port))
            except (OSError, ValueError) as error:  # a ValueError: a name that the resolver cannot spell
                problems.append(error)
            finally:
                done.set()

        threading.Thread(target=look_up, name="look-up", daemon=True).start()
        if not done.wait(deadline.left()):
            raise TimeoutError
        if not found:
            raise Unavailable(f"The name {target.host} is not known.") from next(iter(problems), None)
        return [ip_address(each.partition("%")[0]) for each in found]

    def _must_be_allowed(self, target: Target, addresses: Sequence[Address], plain: bool) -> None:
        """One that is not spoils all: who answers for the name meant it, or cannot be trusted with the others either."""
        for address in addresses:
            near = self._allow_private and own(address)
            if not near and not public(address):
                raise Invalid("The address does not lead to the public internet.")
            if target.scheme == "http" and not plain and not near:
                raise Invalid("The address begins with https://.")

    def _first_connected(self, target: Target, addresses: Sequence[Address], deadline: Deadline) -> socket.socket:
        for address in addresses[:-1]:
            try:
                return self._connect(str(address), target.port, min(TRY, deadline.left()))
            except OSError:
                continue
        return self._connect(str(addresses[-1]), target.port, deadline.left())

    def _tls(self) -> ssl.SSLContext:
        with self._making:
            if self._context is None:
                self._context = ssl.create_default_context(cafile=self._ca_bundle or None)
                self._context.set_alpn_protocols(["http/1.1"])
            return self._context
