"""Requests to providers: one pool of connections, limits of time and length, nothing repeated, and no proxy that the environment names."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import urllib3

SECONDS = 25.0
"""How long a connection, and any silence on it, may take."""

OCTETS = 20 * 1024 * 1024
"""The longest answer that is read."""

CONNECTIONS = 8

Answer = tuple[int, Mapping[str, str], bytes]
Send = Callable[[str, str, Mapping[str, str], bytes | None], Answer]
"""(method, address, headers, body) -> (status, headers in lower case, body). Raises OSError when there is no answer, or half of one."""


def sender(ca_bundle: str = "", seconds: float = SECONDS) -> Send:
    """Thread-safe. `ca_bundle` is a file of authorities instead of the system's."""
    pool = urllib3.PoolManager(
        num_pools=8,
        maxsize=CONNECTIONS,
        timeout=urllib3.Timeout(connect=seconds, read=seconds),
        retries=False,
        ca_certs=ca_bundle or None,
        cert_reqs="CERT_REQUIRED",
    )

    def send(method: str, address: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        try:
            answer = pool.request(method, address, body=body, headers=dict(headers), redirect=False, preload_content=False)
            try:
                content = answer.read(OCTETS + 1)
            finally:
                answer.release_conn()
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            raise OSError(type(error).__name__) from error
        if len(content) > OCTETS:
            raise OSError("the answer is too long")
        return answer.status, {name.lower(): value for name, value in answer.headers.items()}, content

    return send
