"""The demo's mail server: a real one on loopback that keeps what it takes instead of passing it on."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

KEPT = 1000
"""Mails; older ones are forgotten."""

_TO, _AT = "X-Envelope-To", "X-Received-At"
_SUFFIX = ".eml"

Mail = Mapping[str, Any]  # JSON-ready, see gateway.web.parts.Mailbox


class Mailbox:
    """Takes mail from `start` to `stop`, on a thread of its own, and keeps it in `folder`, one file each. Thread-safe."""

    def __init__(self, folder: Path, clock: Callable[[], datetime]) -> None:
        self._folder = folder
        self._clock = clock
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)
        files = sorted(folder.glob(f"*{_SUFFIX}"))
        self._number = int(files[-1].stem) if files else 0
        self._mails: deque[Mail] = deque((_read(file.read_bytes()) for file in files[-KEPT:]), maxlen=KEPT)
        self._listener: _Listener | None = None

    def start(self) -> str:
        """Answers where it listens, as mail.smtp_url wants it."""
        self._listener = _Listener(self, hostname="127.0.0.1", port=0, server_hostname="localhost")
        self._listener.start()
        return f"smtp://127.0.0.1:{self._listener.port}"

    def stop(self) -> None:
        if self._listener is not None:
            self._listener.stop()
            self._listener = None

    def mails(self) -> Sequence[Mail]:
        """Every mail that was taken, oldest first; `to` holds the envelope's recipients."""
        with self._lock:
            return list(self._mails)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 the library's name
        """The mail is kept before it is acknowledged."""
        recipients = ", ".join(str(recipient) for recipient in envelope.rcpt_tos)
        content = envelope.original_content or b""
        self._keep(f"{_TO}: {recipients}\r\n{_AT}: {self._clock().isoformat()}\r\n".encode() + content)
        return "250 Kept in the mailbox of the demo"

    def _keep(self, octets: bytes) -> None:
        with self._lock:
            self._number += 1
            file = self._folder / f"{self._number:08d}{_SUFFIX}"
            draft = file.with_suffix(".part")
            draft.write_bytes(octets)
            draft.replace(file)
            self._mails.append(_read(octets))
            (self._folder / f"{self._number - KEPT:08d}{_SUFFIX}").unlink(missing_ok=True)


class _Listener(Controller):
    """Asks the system for a free port, which the library's own start cannot."""

    def _trigger_server(self) -> None:
        server: Any = self.server  # asyncio.Server, of which the library's own annotation tells less
        self.port = server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]  # the library does not annotate it


def _read(octets: bytes) -> Mail:
    mail = message_from_bytes(octets, _class=EmailMessage, policy=policy.default)
    return {
        "to": [address.strip() for address in str(mail[_TO]).split(",") if address.strip()],
        "subject": str(mail["Subject"] or ""),
        "text": _body(mail, "plain"),
        "html": _body(mail, "html"),
        "attachments": list(_attachments(mail)),
        "sent_at": str(mail[_AT]),
    }


def _body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    return _text(part) if isinstance(part, EmailMessage) else ""


def _attachments(mail: EmailMessage) -> Iterator[Mapping[str, str]]:
    """Everything but the letter itself, the invitation beside its text included (RFC 6047 puts it among the alternatives)."""
    letter = [mail.get_body((kind,)) for kind in ("plain", "html")]
    for part in mail.walk():
        if not part.is_multipart() and part not in letter:
            yield {"filename": part.get_filename() or "", "content_type": part.get_content_type(), "text": _text(part)}


def _text(part: EmailMessage) -> str:
    """What a person reads; an attachment that is no text has none."""
    try:
        content = part.get_content()
    except (KeyError, LookupError, ValueError):  # an unknown charset or a broken encoding
        content = part.get_payload(decode=True)
    if isinstance(content, bytes):
        return content.decode("utf-8", "replace")
    return str(content)
