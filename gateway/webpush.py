"""Web Push: messages that only the device can read (RFC 8291, RFC 8188), and the proof of who sends them (RFC 8292, VAPID)."""

from __future__ import annotations

import base64
import binascii
import json
import os
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.errors import Invalid

RECORD = 4096
"""Octets of the one record a message is; push services take no more (RFC 8030 §7.2)."""

LONGEST = RECORD - 103
"""Octets of a message's text: a record has a head of 86, a delimiter and a tag of 16 beside it (RFC 8291 §4)."""

VALID = timedelta(hours=12)
"""How long a proof holds; 24 hours at most (RFC 8292 §2)."""

_CURVE = ec.SECP256R1()
_HALF = 32  # octets of a coordinate, and of a private key


def encoded(octets: bytes) -> str:
    """In base64 for addresses, without padding (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def decoded(text: str) -> bytes:
    """Octets from base64 of either alphabet, with or without padding. Raises Invalid."""
    plain = text.strip().rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise Invalid("This is not base64.") from None


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipient:
    """A device, as its push service knows it: where messages for it are given up, its public key (uncompressed) and the secret it
    shares with those who may write to it."""

    url: str
    key: bytes
    secret: bytes

    def __post_init__(self) -> None:
        """Raises Invalid for keys that are none: not an uncompressed point of P-256, not 16 octets."""
        if len(self.secret) != 16:
            raise Invalid("The shared secret has 16 octets.")
        if len(self.key) != 1 + 2 * _HALF:
            raise Invalid("The public key is an uncompressed point of the curve P-256.")
        _point(self.key)

    def written(self) -> bytes:
        """All of it, to be kept sealed: whoever has it can send messages to the device."""
        return json.dumps({"url": self.url, "key": encoded(self.key), "secret": encoded(self.secret)}).encode()

    @classmethod
    def read(cls, octets: bytes) -> Recipient:
        """What `written` wrote."""
        kept = json.loads(octets)
        return cls(url=kept["url"], key=decoded(kept["key"]), secret=decoded(kept["secret"]))


def sealed_for(recipient: Recipient, text: bytes, *, salt: bytes | None = None, ephemeral: bytes | None = None) -> bytes:
    """The body of the request to the push service, content coding aes128gcm, which only the device can read.

    Salt and ephemeral private key are fresh for every message, unless a test wants those of RFC 8291 §5. Raises ValueError for a
    text longer than LONGEST.
    """
    if len(text) > LONGEST:
        raise ValueError(f"a message has {LONGEST} octets at most")
    salt = os.urandom(16) if salt is None else salt
    private = ec.generate_private_key(_CURVE) if ephemeral is None else _private(ephemeral)
    public = _octets(private.public_key())
    shared = private.exchange(ec.ECDH(), _point(recipient.key))
    # RFC 8291 §3.4: the secret of the device is mixed into what the two keys have in common …
    common = HKDF(hashes.SHA256(), 32, recipient.secret, b"WebPush: info\0" + recipient.key + public).derive(shared)
    # … and RFC 8188 §2.2, §2.3 make key and nonce of that and the salt.
    start = hmac.HMAC(salt, hashes.SHA256())
    start.update(common)
    root = start.finalize()
    key = HKDFExpand(hashes.SHA256(), 16, b"Content-Encoding: aes128gcm\0").derive(root)
    nonce = HKDFExpand(hashes.SHA256(), 12, b"Content-Encoding: nonce\0").derive(root)
    head = salt + RECORD.to_bytes(4, "big") + bytes([len(public)]) + public
    return head + AESGCM(key).encrypt(nonce, text + b"\x02", None)  # 2: the last record, without padding


class Vapid:
    """The key pair by which push services know this installation: devices let them take messages from nobody else."""

    def __init__(self, private: bytes) -> None:
        """`private` as `fresh` makes it. Raises ValueError when it is none."""
        self._key = _private(private)
        self.public = encoded(_octets(self._key.public_key()))

    @staticmethod
    def fresh() -> bytes:
        """A new private key: 32 octets, to be kept sealed."""
        return ec.generate_private_key(_CURVE).private_numbers().private_value.to_bytes(_HALF, "big")

    def authorization(self, origin: str, contact: str, now: datetime) -> str:
        """The Authorization header for a request to a push service of that origin. `contact` is a mailto: or https: address."""
        claims = {"aud": origin, "exp": int((now + VALID).timestamp()), "sub": contact}
        parts = [encoded(json.dumps(each, separators=(",", ":")).encode()) for each in ({"typ": "JWT", "alg": "ES256"}, claims)]
        said = ".".join(parts)
        r, s = decode_dss_signature(self._key.sign(said.encode(), ec.ECDSA(hashes.SHA256())))
        return f"vapid t={said}.{encoded(r.to_bytes(_HALF, 'big') + s.to_bytes(_HALF, 'big'))}, k={self.public}"


def _private(octets: bytes) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(octets, "big"), _CURVE)


def _octets(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _point(octets: bytes) -> ec.EllipticCurvePublicKey:
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, octets)
    except ValueError:
        raise Invalid("The public key is not a point of the curve P-256.") from None
