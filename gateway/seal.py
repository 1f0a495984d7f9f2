"""Seals secrets that must be shown again (a feed's address, tokens of other calendars) before they reach the database."""

from __future__ import annotations

import base64
import binascii
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from gateway.errors import Misconfigured

KEY_FILE = "secret.key"
NEXT_STEP = "make one with: openssl rand -base64 32"
_OCTETS = 32


class Seal:
    """Encrypts with the first key, opens with any (Fernet: AES-128-CBC and HMAC-SHA256). Thread-safe."""

    def __init__(self, key: str, retired: Sequence[str] = ()) -> None:
        """Keys are 32 octets in base64, either alphabet. Raises Misconfigured when one is not."""
        self._first, *others = (Fernet(_key(text)) for text in (key, *retired))
        self._fernet = MultiFernet([self._first, *others])

    def seal(self, secret: bytes) -> bytes:
        """The secret, readable only with the key; the same secret is never sealed to the same octets twice."""
        return self._fernet.encrypt(secret)

    def unseal(self, sealed: bytes) -> bytes:
        """What was sealed. Raises Misconfigured when none of the keys fits, or when the octets were tampered with."""
        try:
            return self._fernet.decrypt(sealed)
        except InvalidToken as error:
            raise Misconfigured("A sealed value fits none of the configured keys; add the former key to secrets.retired_keys.") from error

    def renewed(self, sealed: bytes) -> bytes | None:
        """The same, sealed with the first key; None when it is already. Raises Misconfigured as `unseal` does."""
        try:
            self._first.decrypt(sealed)
        except InvalidToken:
            return self.seal(self.unseal(sealed))
        return None


def key_from(file: Path) -> str:
    """The key kept in the file, made on first use with mode 0600. Raises Misconfigured when others may read it or it cannot be kept.

    Two processes that start at once agree on one key: the file appears complete under its name, and only once.
    """
    try:
        if not file.exists():
            _make(file)
        if file.stat().st_mode & 0o077:
            raise Misconfigured(f"Others can read the key file {file}; forbid it with: chmod 600 {file}")
        return file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"The key file {file} cannot be used: {error}") from error


def _make(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(prefix=f"{file.name}.", dir=file.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as kept:
            kept.write(Fernet.generate_key() + b"\n")
            kept.flush()
            os.fsync(kept.fileno())
        with suppress(FileExistsError):  # unlike rename, link does not replace a key that somebody else has just made
            os.link(draft, file)
    finally:
        os.unlink(draft)


def _key(text: str) -> bytes:
    try:
        octets = base64.b64decode(text.strip().translate(str.maketrans("-_", "+/")), validate=True)
    except binascii.Error as error:
        raise Misconfigured(f"A key in secrets.* is not base64; {NEXT_STEP}") from error
    if len(octets) != _OCTETS:
        raise Misconfigured(f"A key in secrets.* has {len(octets)} octets instead of {_OCTETS}; {NEXT_STEP}")
    return base64.urlsafe_b64encode(octets)
