"""Requests to providers: one pool of connections, limits of time and length, nothing repeated, and no proxy that the environment names."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import urllib3

SECONDS = 25.0
"""How long an answer may be on its way altogether: connecting, waiting and reading, also when it drips."""

OCTETS = 20 * 1024 * 1024
"""The longest answer that is read."""

CONNECTIONS = 8

_PIECE = 65_536

Answer = tuple[int, Mapping[str, str], bytes]
Send = Callable[[str, str, Mapping[str, str], bytes | None], Answer]
"""(method, address, headers, body) -> (status, headers in lower case, body). Raises OSError when there is no answer, or half of one."""


class Sender:
    """`Send` over a pool of connections. Thread-safe."""

    def __init__(self, ca_bundle: str = "", seconds: float = SECONDS) -> None:
        """`ca_bundle` is a file of authorities instead of the system's."""
        self._seconds = seconds
        self._pool = urllib3.PoolManager(
            num_pools=8,
            maxsize=CONNECTIONS,
            timeout=urllib3.Timeout(total=seconds),
            retries=False,
            ca_certs=ca_bundle or None,
            cert_reqs="CERT_REQUIRED",
        )

    def __call__(self, method: str, address: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        ends = time.monotonic() + self._seconds
        try:
            answer = self._pool.request(method, address, body=body, headers=dict(headers), redirect=False, preload_content=False)
            try:
                content = self._read(answer, ends)
            except BaseException:
                answer.close()  # what is left on the connection is nobody's answer
                raise
            answer.release_conn()
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            raise OSError(type(error).__name__) from error
        return answer.status, {name.lower(): value for name, value in answer.headers.items()}, content

    def _read(self, answer: urllib3.BaseHTTPResponse, ends: float) -> bytes:
        """All of it, a piece at a time. Raises OSError when it is too long or takes too long."""
        content = bytearray()
        while piece := answer.read1(_PIECE):
            content += piece
            if len(content) > OCTETS:
                raise OSError("the answer is too long")
            if time.monotonic() > ends:
                raise OSError("the answer takes too long")
        return bytes(content)

    def close(self) -> None:
        """Give the connections back. Nothing is sent afterwards."""
        self._pool.clear()


def sender(ca_bundle: str = "", seconds: float = SECONDS) -> Sender:
    """For one process. `ca_bundle` is a file of authorities instead of the system's."""
    return Sender(ca_bundle, seconds)
