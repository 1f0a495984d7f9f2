"""A letter as the octets that travel: headers nobody can write into, and the parts in the order calendar programs look for them. Pure."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, parseaddr
from urllib.parse import urlsplit

from gateway.errors import Misconfigured
from gateway.post import paper
from gateway.post.compose import Composed
from gateway.post.line import line

FILE = "invite.ics"
_NAMED, _TITLED = 60, 250  # characters of a display name, of a subject
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u00a1-\U0010ffff-]+"
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


def address(text: str) -> str | None:
    """The addr-spec a letter can be sent to (RFC 5321 §4.1.2, dot-string only), its domain in A-labels; None when it is none.

    No quoted local part, no source route, no list: what is not plainly one mailbox is nobody's. A local part beyond ASCII
    stays as it is (RFC 6531); whether the mail server takes it turns out when it is sent.
    """
    local, _, domain = text.strip().rpartition("@")
    if not _LOCAL.fullmatch(local) or not local.isprintable() or len(local.encode(errors="replace")) > 64:
        return None
    try:
        ascii_domain = domain.encode("idna").decode()
    except UnicodeError:
        return None
    if not all(_LABEL.fullmatch(label) for label in ascii_domain.split(".")) or len(ascii_domain) > 253:
        return None
    return f"{local}@{ascii_domain}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """A letter in somebody's own words: `html` is a whole document and safe, `text` says the same. `answer_to` is an addr-spec, or ""."""

    kind: str
    language: str
    company: str
    subject: str
    html: str
    text: str
    answer_to: str = ""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Who a letter comes from."""

    name: str
    address: str

    @classmethod
    def parse(cls, text: str) -> Mailbox:
        """From a setting such as "Calendar <calendar@example.com>". Raises Misconfigured."""
        name, spec = parseaddr(text)
        found = address(spec)
        if found is None or not found.isascii():
            raise Misconfigured(f"mail.from is not a mailbox letters can come from: {line(text)}")
        return cls(name, found)


def message_id(key: str, public_url: str) -> str:
    """The Message-ID of the letter with that key: the same however often it is written or sent, and no other letter's."""
    host = urlsplit(public_url).hostname or "localhost"
    try:
        host = f"[{host}]" if ":" in host else host.encode("idna").decode()
    except UnicodeError:
        host = "localhost"
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@{host}>"


def envelope(letter: Composed, *, id: str, sender: Mailbox, recipient: str, written: datetime) -> bytes:
    """The whole message (RFC 5322), lines ending in CRLF; the same for the same letter. `recipient` comes from `address`.

    mixed[ alternative[ text, HTML, text/calendar ], file ]: programs that know invitations read the alternative (RFC 6047 §2.4),
    people who do not use such a program open the file. Octets beyond ASCII stand only in the headers of a recipient who has
    such an address (RFC 6532), so that no mail server has to know more than it did in 1982.
    """
    message = _begun(letter.subject, letter.paper.company or sender.name, id=id, sender=sender, recipient=recipient, written=written)
    message.set_content(paper.text(letter.paper), cte="quoted-printable")
    message.add_alternative(paper.html(letter.paper), subtype="html", cte="quoted-printable")
    if letter.invitation is not None:
        method, calendar = letter.invitation.method, letter.invitation.text
        message.add_alternative(calendar, subtype="calendar", params={"method": method, "name": FILE}, cte="base64")
        message.add_attachment(calendar.encode(), maintype="application", subtype="ics", filename=FILE, params={"name": FILE})
    return _finished(message, id, letter.paper.language)


def plain_envelope(letter: Written, *, id: str, sender: Mailbox, recipient: str, written: datetime) -> bytes:
    """The same for a letter that a person has written. Whoever gets it answers that person."""
    message = _begun(letter.subject, letter.company or sender.name, id=id, sender=sender, recipient=recipient, written=written)
    if letter.answer_to:
        message["Reply-To"] = Address(addr_spec=letter.answer_to)
    message.set_content(letter.text, cte="quoted-printable")
    message.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    return _finished(message, id, letter.language)


def _begun(subject: str, company: str, *, id: str, sender: Mailbox, recipient: str, written: datetime) -> EmailMessage:
    message = EmailMessage(policy=SMTP if recipient.isascii() else SMTPUTF8)
    message["Message-ID"] = id
    message["Date"] = format_datetime(written)
    message["From"] = Address(_words(company, _NAMED), addr_spec=sender.address)
    local, _, domain = recipient.rpartition("@")
    message["To"] = Address(username=local, domain=domain)
    message["Subject"] = _words(subject, _TITLED)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834 §5
    message["X-Auto-Response-Suppress"] = "OOF, AutoReply"  # the same for Exchange; it may still report what did not arrive
    return message


def _finished(message: EmailMessage, id: str, language: str) -> bytes:
    message["Content-Language"] = language  # now that it does not go into a part any more
    digest = hashlib.sha256(id.encode()).hexdigest()[:24]
    for number, part in enumerate(part for part in message.walk() if part.is_multipart()):
        part.set_boundary(f"=_{digest}_{number}")  # occurs neither in quoted-printable nor in base64
    # Headers of ASCII only are not folded: Python would leave the first line of a subject of 70 to 78 characters empty.
    plain = all(str(value).isascii() for value in message.values())
    return message.as_bytes(policy=message.policy.clone(max_line_length=None) if plain else message.policy)


def _words(text: str, most: int) -> str:
    """Text for a header. Python decodes encoded words in what it is given, line ends in them included: none may be left."""
    return line(text, most).replace("=?", "= ?")
