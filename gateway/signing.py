"""Signs what a device shall recognise as ours: CMS signatures around configuration profiles (RFC 5652), with the operator's certificate."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs7

from gateway.errors import Misconfigured


class Signer:
    """Signs with a certificate and its key. Thread-safe; the files are read once."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """PEM files; after the certificate may follow those that lead to an authority. Raises Misconfigured."""
        try:
            self._certificate, *self._chain = x509.load_pem_x509_certificates(certificate.read_bytes())
            loaded = serialization.load_pem_private_key(key.read_bytes(), password=None)
        except (OSError, ValueError, TypeError) as error:  # TypeError: the key is encrypted
            raise Misconfigured(
                f"secrets.profile_certificate and secrets.profile_key are PEM files, the key without a password: {error}"
            ) from error
        if not isinstance(loaded, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            raise Misconfigured("secrets.profile_key is neither an RSA nor an elliptic-curve key.")
        if loaded.public_key() != self._certificate.public_key():
            raise Misconfigured("secrets.profile_key does not belong to the certificate in secrets.profile_certificate.")
        self._key = loaded

    @property
    def ends(self) -> datetime:
        """When the certificate does, aware UTC: from then on a device calls what it signed unverified."""
        return self._certificate.not_valid_after_utc

    def sign(self, octets: bytes) -> bytes:
        """The octets, unchanged, in a signed envelope (DER), with all certificates."""
        builder = pkcs7.PKCS7SignatureBuilder().set_data(octets).add_signer(self._certificate, self._key, hashes.SHA256())
        for each in self._chain:
            builder = builder.add_certificate(each)
        return builder.sign(serialization.Encoding.DER, [pkcs7.PKCS7Options.Binary])
