"""What a device is told: which collection has changed, and the sync-token it has by now (draft-bitfire-webdav-push §4.1)."""

from __future__ import annotations

import hashlib
import hmac

from gateway.webpush import Recipient, encoded

CONTENT_TYPE = 'application/xml; charset="UTF-8"'

_MARKUP = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def message(topic: str, *, token: str | None, contents: bool, properties: bool) -> bytes:
    """The document. Without a token the collection is no more, or not for this device."""
    synced = f"<D:sync-token>{token.translate(_MARKUP)}</D:sync-token>" if token is not None else ""
    told = (f"<content-update>{synced}</content-update>" if contents else "") + ("<property-update/>" if properties else "")
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<push-message xmlns="https://bitfire.at/webdav-push" xmlns:D="DAV:"><topic>{topic}</topic>{told}</push-message>'
    ).encode()


def replaces(topic: str, recipient: Recipient, *, properties: bool) -> str:
    """The Topic header (RFC 8030 §5.4): a push service forgets a message with the same one that the device has not fetched yet.

    32 characters that tell the service nothing. News of properties are never replaced by news of contents alone.
    """
    named = f"{topic}|{'properties' if properties else 'contents'}".encode()
    return encoded(hmac.digest(recipient.secret, named, hashlib.sha256)[:24])
