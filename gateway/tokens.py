"""Access tokens of an issuer that the operator trusts: signed JWTs (RFC 7519, 9068), checked with keys from a file.

The keys lie in a JSON Web Key Set on this machine (RFC 7517), which is read again when it changes. They are not fetched: whatever
keeps the file fresh decides whom to ask. RS256 and ES256 only, and never by what a token says about itself: a key knows its kind.
"""

from __future__ import annotations

import base64
import json
import os
import re
import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from gateway.errors import Misconfigured

LEEWAY = 60.0  # seconds that two clocks may differ
LONGEST = 6000  # characters of a token: with its header it has to fit one line of a request
SHAPE = re.compile(r"[A-Za-z0-9_-]{2,}\.[A-Za-z0-9_-]{2,}\.[A-Za-z0-9_-]{2,}")

_TYPES = ("", "jwt", "at+jwt", "application/at+jwt")
_COORDINATE = 32  # octets of one on P-256
_LEAST_BITS = 2048

Claims = Mapping[str, Any]  # whatever JSON holds
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


class Untrusted(Exception):
    """A token that proves nothing; why, for the log only."""


@dataclass(frozen=True, slots=True)
class _Key:
    id: str
    algorithm: str
    key: PublicKey


Keys = Sequence[_Key]


class Tokens:
    """Who a token was given to. Thread-safe."""

    def __init__(self, *, issuer: str, audience: str, keys: Path, claim: str) -> None:
        """`claim` is where the issuer writes the e-mail address. Raises Misconfigured when the keys cannot be used."""
        self._issuer = issuer
        self._audience = audience
        self._claim = claim
        self._file = keys
        self._lock = threading.Lock()
        self._read: tuple[tuple[int, int], Keys] | None = None
        self._known()

    def address_in(self, token: str, now: datetime) -> str:
        """The e-mail address of whom the token was given to. Raises Untrusted."""
        return address_of(claims_of(token, self._known(), issuer=self._issuer, audience=self._audience, types=_TYPES, now=now), self._claim)

    def _known(self) -> Keys:
        """The keys, read again when the file has changed; a file that cannot be read now leaves those of before in force."""
        try:
            state = os.stat(self._file)
            mark = (state.st_mtime_ns, state.st_size)
            with self._lock:
                if self._read is None or self._read[0] != mark:
                    self._read = mark, keys_in(self._file.read_bytes())
                return self._read[1]
        except (OSError, ValueError, Misconfigured) as error:
            if self._read is not None:
                return self._read[1]
            raise Misconfigured(f"oidc.jwks_file is a JSON Web Key Set with RSA or P-256 keys for signatures: {error}") from error


def claims_of(token: str, keys: Keys, *, issuer: str, audience: str, types: Collection[str], now: datetime) -> Claims:
    """What a token says that the issuer has signed for that audience and that holds at `now`; `types` are those of "typ", in lower case.

    Raises Untrusted."""
    if len(token) > LONGEST or not SHAPE.fullmatch(token):
        raise Untrusted("not a token")
    head, body, signature = token.split(".")
    _check_signature(_object(head), f"{head}.{body}".encode(), _octets(signature), keys, types)
    claims = _object(body)
    _check_claims(claims, issuer, audience, now.timestamp())
    return claims


def address_of(claims: Claims, name: str) -> str:
    """The e-mail address that is written in the claim of that name. Raises Untrusted for none, and for one nobody has verified."""
    address = claims.get(name)
    if not isinstance(address, str) or "@" not in address or claims.get("email_verified") is False:
        raise Untrusted("no address in it")
    return address


def _check_signature(head: Claims, signed: bytes, signature: bytes, keys: Keys, types: Collection[str]) -> None:
    if str(head.get("typ", "")).lower() not in types or "crit" in head:
        raise Untrusted("another kind of token")
    named, algorithm = head.get("kid"), head.get("alg")
    fitting = [each for each in keys if each.algorithm == algorithm and (named is None or each.id == named)]
    if not any(_signed_by(each.key, signed, signature) for each in fitting):
        raise Untrusted("not signed by the issuer")


def _check_claims(claims: Claims, issuer: str, expected: str, at: float) -> None:
    audience = claims.get("aud")
    if claims.get("iss") != issuer or expected not in (audience if isinstance(audience, list) else [audience]):
        raise Untrusted("of another issuer, or for somebody else")
    ends, begins, issued = (_instant(claims.get(name, usual)) for name, usual in (("exp", None), ("nbf", 0), ("iat", 0)))
    if ends + LEEWAY <= at or max(begins, issued) - LEEWAY > at:
        raise Untrusted("out of time")


def keys_in(text: bytes) -> Keys:
    """Those that sign, of the kinds we check; others may stand beside them. Raises ValueError when there is none."""
    document = json.loads(text)
    if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
        raise ValueError("there are no keys")
    found = [key for each in document["keys"] if isinstance(each, dict) and (key := _key(each)) is not None]
    if not found:
        raise ValueError("there is no such key in it")
    return found


def _key(jwk: Claims) -> _Key | None:
    """None for a key of another kind, for another use, or too short."""
    if jwk.get("use", "sig") != "sig":
        return None
    key: PublicKey
    match jwk:
        case {"kty": "RSA", "n": str(modulus), "e": str(exponent)} if jwk.get("alg", "RS256") == "RS256":
            key = rsa.RSAPublicNumbers(_number(exponent), _number(modulus)).public_key()
            return _Key(str(jwk.get("kid", "")), "RS256", key) if key.key_size >= _LEAST_BITS else None
        case {"kty": "EC", "crv": "P-256", "x": str(x), "y": str(y)} if jwk.get("alg", "ES256") == "ES256":
            key = ec.EllipticCurvePublicNumbers(_number(x), _number(y), ec.SECP256R1()).public_key()
            return _Key(str(jwk.get("kid", "")), "ES256", key)
        case _:
            return None


def _signed_by(key: PublicKey, signed: bytes, signature: bytes) -> bool:
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
        elif len(signature) == 2 * _COORDINATE:
            r, s = (int.from_bytes(signature[at : at + _COORDINATE], "big") for at in (0, _COORDINATE))
            key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _object(part: str) -> Claims:
    try:
        value = json.loads(_octets(part), object_pairs_hook=_once)
    except (ValueError, RecursionError):  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise Untrusted("not JSON") from None
    if not isinstance(value, dict):
        raise Untrusted("not an object")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:  # whatever JSON holds
    """Of two equal names nobody can tell which one counts."""
    read = dict(pairs)
    if len(read) != len(pairs):
        raise ValueError("a name stands twice")
    return read


def _octets(part: str) -> bytes:
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise Untrusted("not base64url") from None


def _number(part: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)), "big")


def _instant(value: object) -> float:
    """Seconds since 1970 (RFC 7519 §2, NumericDate)."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e12:  # which NaN is not either
        raise Untrusted("without an end that can be read")
    return value
