"""A certificate authority for a day, the certificate of a server on loopback, and signatures of identity tokens."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from ipaddress import IPv4Address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.fakes.wire import Json

LIFE = timedelta(days=397)  # what clients accept of a server's certificate


@dataclass(frozen=True, kw_only=True, slots=True)
class Certificates:
    """PEM: the authority, and the server's certificate with its key."""

    authority: bytes
    server: bytes


def certificates(now: datetime) -> Certificates:
    """A new authority, and a certificate of it for 127.0.0.1 and localhost. Its key is thrown away."""
    root, leaf = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Fake providers: test authority")])
    authority = (
        _certificate(name, name, root, now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(sign=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(root.public_key()), critical=False)
        .sign(root, hashes.SHA256())
    )
    server = (
        _certificate(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]), name, leaf, now)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(sign=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root.public_key()), critical=False)
        .sign(root, hashes.SHA256())
    )
    key = leaf.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    pem = serialization.Encoding.PEM
    return Certificates(authority=authority.public_bytes(pem), server=server.public_bytes(pem) + key)


def _certificate(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + LIFE)
    )


def _usage(*, sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign,
        key_cert_sign=sign,
        crl_sign=sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


@cache
def _signing() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def signed(claims: Json) -> str:
    """A JSON Web Token with RS256 (RFC 7519)."""
    head = {"alg": "RS256", "typ": "JWT", "kid": "fake"}
    text = ".".join(_coded(json.dumps(part).encode()) for part in (head, claims))
    return f"{text}.{_coded(_signing().sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def published() -> Json:
    """The key that proves the signatures (RFC 7517)."""
    numbers = _signing().public_key().public_numbers()
    parts = {name: _coded(value.to_bytes((value.bit_length() + 7) // 8, "big")) for name, value in (("n", numbers.n), ("e", numbers.e))}
    return {"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "fake"} | parts]}


def _coded(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")
