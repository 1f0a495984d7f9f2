"""Opaque tokens that carry their facts: sync tokens, page tokens, delta links. Nothing is kept for them, and forgery shows."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json

from gateway.fakes.wire import Json

_CHECK = 6  # octets


def seal(facts: Json) -> str:
    """The token of these facts; the same facts have the same token."""
    raw = json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_sum(raw) + raw).decode().rstrip("=")


def unseal(token: str) -> Json | None:
    """What `seal` was given. None: this is no token of ours."""
    try:
        octets = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        check, raw = octets[:_CHECK], octets[_CHECK:]
        return dict(json.loads(raw)) if check == _sum(raw) else None
    except (ValueError, binascii.Error):
        return None


def fingerprint(values: object) -> str:
    """Short, and different for different values."""
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _sum(raw: bytes) -> bytes:
    return hashlib.sha256(b"fake" + raw).digest()[:_CHECK]
