"""Carries letters from the outbox to the mail server; the only user of SMTP (RFC 5321)."""

from __future__ import annotations

import hashlib
import re
import smtplib
import ssl
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.parser import BytesHeaderParser
from email.policy import SMTPUTF8
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

from gateway import observe
from gateway.errors import GatewayError, Misconfigured, Unavailable
from gateway.seal import Seal
from gateway.store import Store, Waiting

LEASE = timedelta(seconds=25)
"""How long a claimed letter is ours. After a crash, another sender or our own next life takes it up when this is over."""

BEGUN = timedelta(seconds=10)
"""So long after the claim a next letter of the batch is still begun."""

BATCH = 20

TIMEOUT, PATIENCE = 30.0, 120.0
"""Seconds: for each step of the conversation, and for the answer to a whole message, which some servers examine first."""

PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 15, 60))
"""Before the next attempt to send a letter; the last one repeats. A server that is away is asked every five minutes at least."""

GIVEN_UP = timedelta(days=5)  # RFC 5321 §4.5.4.1

_SHOWN = 300  # characters of a server's answer
_CLOSING = 421  # RFC 5321 §3.8
# Our own affairs with the server, not the recipient's: no login, no right to relay (RFC 3463 §3.8).
_POLICY = re.compile(r"53[058]\b|5\d\d 5\.7\.\d")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Relay:
    """The mail server, from its address."""

    host: str
    port: int
    tls: bool  # from the first octet
    user: str
    password: str
    ca_bundle: str

    @classmethod
    def parse(cls, url: str, ca_bundle: str) -> _Relay:
        try:
            found = urlsplit(url)
            host, port = found.hostname, found.port
        except ValueError:
            raise Misconfigured("mail.smtp_url is not an address.") from None
        if found.scheme not in ("smtp", "smtps") or not host:
            raise Misconfigured("mail.smtp_url is smtp://[user:password@]host[:port] or smtps://…")
        tls = found.scheme == "smtps"
        user, password = unquote(found.username or ""), unquote(found.password or "")
        return cls(host=host, port=port or (465 if tls else 25), tls=tls, user=user, password=password, ca_bundle=ca_bundle)

    @property
    def near(self) -> bool:
        """On this machine, so that nobody can stand in between."""
        try:
            return self.host == "localhost" or ip_address(self.host).is_loopback
        except ValueError:
            return False

    def context(self) -> ssl.SSLContext:
        """The certificate has to be right, except on this machine, where a mail server comes with one of its own making."""
        context = ssl.create_default_context(cafile=self.ca_bundle or None)
        if self.near:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def probe(smtp_url: str, ca_bundle: str = "") -> str:
    """A sentence about the mail server after greeting it and logging in. Raises Misconfigured, Unavailable."""
    relay = _Relay.parse(smtp_url, ca_bundle)
    line = _Line(relay)
    try:
        kept = "encrypted" if line.greet() else "not encrypted"
    except _Away as problem:
        raise Unavailable(f"The mail server {relay.host}:{relay.port} cannot be used: {problem}") from None
    finally:
        line.close()
    return f"The mail server {relay.host}:{relay.port} answers; the connection is {kept}."


class _Away(Exception):
    """The mail server cannot be used now, for any letter."""


class _Later(Exception):
    """This letter was not taken, or nobody knows; it is to be tried again."""


class _Broken(_Later):
    """The same, because the connection broke."""


class _Never(Exception):
    """This letter will not be taken."""


class Sender:
    """The chore that empties the outbox (worker.Chore).

    Any number of senders may work at once: each letter is claimed. A letter whose hand-over ended without an answer is sent again,
    with the same Message-ID. One thread uses an instance; `stop` may be called from any.
    """

    name = "sender"

    def __init__(self, store: Store, seal: Seal, *, smtp_url: str, clock: Callable[[], datetime], ca_bundle: str = "") -> None:
        """An empty `smtp_url` keeps letters waiting. Raises Misconfigured when it is no address of a mail server."""
        self._store = store
        self._seal = seal
        self._relay = _Relay.parse(smtp_url, ca_bundle) if smtp_url else None
        self._clock = clock
        self._stopped = threading.Event()
        self._setbacks = 0  # of the server, in a row
        self._rests_until: datetime | None = None

    def stop(self) -> None:
        """Have `run` return after the letter in hand, and do nothing from then on."""
        self._stopped.set()

    def run(self, now: datetime) -> datetime | None:
        """Send a batch of what is due; when to run again (by now: there is more), None: when the outbox grows."""
        if self._relay is not None and not self._resting(now):
            letters = self._store.claim_letters(now, lease=LEASE, limit=BATCH) if not self._stopped.is_set() else ()
            if letters:
                self._send(self._relay, letters, until=now + BEGUN)
        self._measure()
        again = self._store.next_letter() if self._relay is not None and not self._stopped.is_set() else None
        return max(again, self._rests_until) if again and self._rests_until else again

    def _resting(self, now: datetime) -> bool:
        return self._rests_until is not None and now < self._rests_until

    def _send(self, relay: _Relay, letters: Sequence[Waiting], *, until: datetime) -> None:
        """Hand the letters over, on one connection. Those that cannot be begun in time are given back."""
        left, breaks, line = list(letters), 0, _Line(relay)
        try:
            while left and not self._stopped.is_set() and self._clock() < until:
                breaks = breaks + 1 if self._broke(line, left[0]) else 0
                left.pop(0)
                if left and breaks >= 2:
                    raise _Away("The mail server breaks every connection.")
            now = self._clock()
            for letter in left:
                self._store.letter_failed(letter, now, again=now, failure="")
        except _Away as problem:
            self._put_off(left, str(problem))
        finally:
            line.close()

    def _broke(self, line: _Line, letter: Waiting) -> bool:
        """Hand one letter over and note what became of it; whether the connection broke meanwhile. Raises _Away: nothing is noted."""
        try:
            line.hand_over(self._seal.unseal(letter.message), letter.recipient)
        except _Never as problem:
            self._failed(letter, None, str(problem))
        except (_Later, GatewayError) as problem:
            self._failed(letter, self._clock() + _pause(letter), str(problem))
            return isinstance(problem, _Broken)
        else:
            if self._store.letter_sent(letter, self._clock()):
                observe.count("letters_sent", kind=letter.kind)
                observe.log("letter_sent", company=letter.company, letter=letter.id, kind=letter.kind, attempts=letter.attempts + 1)
            else:
                observe.log("letter_claim_lost", level="warning", company=letter.company, letter=letter.id, kind=letter.kind)
            self._setbacks, self._rests_until = 0, None
        return False

    def _failed(self, letter: Waiting, again: datetime | None, failure: str) -> None:
        now = self._clock()
        if again is not None and again > letter.queued + GIVEN_UP:
            again = None
        self._store.letter_failed(letter, now, again=again, failure=failure)
        observe.count("letters_failed", kind=letter.kind, final=str(again is None).lower())
        # Of the server's words only the code: they name the recipient. `gateway explain` shows them.
        code = failure[:3] if failure[:3].isdigit() else ""
        observe.log("letter_failed", level="warning", company=letter.company, letter=letter.id, kind=letter.kind, code=code, again=again)

    def _put_off(self, letters: Sequence[Waiting], failure: str) -> None:
        """The server is away: one setback, however many letters are in hand."""
        now = self._clock()
        pause = PAUSES[min(self._setbacks, 2)]
        self._setbacks, self._rests_until = self._setbacks + 1, now + pause
        observe.log("mail_server_away", level="warning", failure=failure, again=self._rests_until, letters=len(letters))
        for number, letter in enumerate(letters):
            again = self._rests_until if self._rests_until <= letter.queued + GIVEN_UP else None
            self._store.letter_failed(letter, now, again=again, failure=failure)
            if number == 0 or again is None:
                observe.count("letters_failed", kind=letter.kind, final=str(again is None).lower())

    def _measure(self) -> None:
        waiting, since = self._store.outbox()
        observe.gauge("outbox_waiting", waiting)
        observe.gauge("outbox_oldest_seconds", max(0.0, (self._clock() - since).total_seconds()) if since else 0)


def _pause(letter: Waiting) -> timedelta:
    """How long the letter rests after an attempt that failed; up to a fifth longer, so that letters that failed together part."""
    pause = PAUSES[min(letter.attempts, len(PAUSES) - 1)]
    return pause + pause * (hashlib.sha256(letter.id.encode()).digest()[0] / 255 / 5)


class _Line:
    """A connection to the mail server: made when it is first needed, kept as long as it holds."""

    def __init__(self, relay: _Relay) -> None:
        self._relay = relay
        self._smtp: smtplib.SMTP | None = None

    def hand_over(self, message: bytes, recipient: str) -> None:
        """Give the message to the server. Raises _Away, _Never, _Later; after _Broken it may have arrived all the same."""
        sender = str(BytesHeaderParser(policy=SMTPUTF8).parsebytes(message)["From"].addresses[0].addr_spec)
        kept = self._smtp is not None
        try:
            self._announce(sender, recipient)
        except _Broken:  # some servers take so many letters on one connection: once more on a new one
            if not kept:
                raise
            self._announce(sender, recipient)
        self._give(message)

    def greet(self) -> bool:
        """Connect and log in; whether the connection is encrypted. Raises _Away."""
        smtp = self._smtp = self._smtp or self._connected()
        return isinstance(smtp.sock, ssl.SSLSocket)

    def close(self) -> None:
        if self._smtp is not None:
            smtp, self._smtp = self._smtp, None
            with suppress(OSError):  # SMTPException is one
                smtp.quit()

    def _announce(self, sender: str, recipient: str) -> None:
        """From whom and to whom."""
        smtp = self._smtp = self._smtp or self._connected()
        options = () if recipient.isascii() else ("SMTPUTF8", "BODY=8BITMIME")  # RFC 6531 §3.4
        try:
            code, said = smtp.mail(sender, options)
            if code == 250:
                code, said = smtp.rcpt(recipient)
            elif code != _CLOSING:
                raise _Away(_sentence(code, said))
        except smtplib.SMTPNotSupportedError:
            raise _Never("The mail server takes no addresses with letters beyond ASCII (SMTPUTF8).") from None
        except OSError as error:
            raise self._broken(error) from error
        self._judge(_sentence(code, said))

    def _give(self, message: bytes) -> None:
        """The message itself; what is answered to its last line decides."""
        smtp = self._smtp
        if smtp is None or smtp.sock is None:
            raise self._broken("it is closed")
        try:
            smtp.sock.settimeout(PATIENCE)
            answer = _sentence(*smtp.data(message))
            smtp.sock.settimeout(TIMEOUT)
        except smtplib.SMTPDataError as error:  # already to the word DATA
            answer = _sentence(error.smtp_code, error.smtp_error)
        except OSError as error:
            raise self._broken(error) from error
        self._judge(answer)

    def _judge(self, answer: str) -> None:
        """Raise what the answer to a recipient or a message means, unless it is yes."""
        code = int(answer.split()[0])  # -1: it was no answer
        if 200 <= code < 300:
            return
        if code == _CLOSING or not 400 <= code < 600:
            raise self._broken(answer)
        if self._smtp is not None:
            try:
                self._smtp.rset()
            except OSError:
                self.close()
        raise _Later(answer) if code < 500 or _POLICY.match(answer) else _Never(answer)

    def _broken(self, why: object) -> _Broken:
        """The connection is of no use any more."""
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            smtp.close()
        return _Broken(f"The connection to the mail server broke: {why}"[:_SHOWN])

    def _connected(self) -> smtplib.SMTP:
        relay = self._relay
        smtp: smtplib.SMTP | None = None
        try:
            if relay.tls:
                smtp = smtplib.SMTP_SSL(relay.host, relay.port, timeout=TIMEOUT, context=relay.context())
            else:
                smtp = smtplib.SMTP(relay.host, relay.port, timeout=TIMEOUT)
            self._greet(smtp)
        except (OSError, ValueError) as error:  # a ValueError: a host or a password that the protocol cannot spell
            if smtp is not None:
                smtp.close()
            words = _sentence(error.smtp_code, error.smtp_error) if isinstance(error, smtplib.SMTPResponseException) else str(error)
            raise _Away(words.replace(relay.password, "***") if relay.password else words) from None
        return smtp

    def _greet(self, smtp: smtplib.SMTP) -> None:
        """Greet, go over to TLS whenever it is offered, log in."""
        relay = self._relay
        smtp.ehlo_or_helo_if_needed()
        if not relay.tls and smtp.has_extn("starttls"):
            smtp.starttls(context=relay.context())
            smtp.ehlo()
        elif not relay.tls and relay.user and not relay.near:
            smtp.close()
            raise _Away("The mail server offers no encryption, so the password is not sent to it.")
        if relay.user:
            smtp.login(relay.user, relay.password)


def _sentence(code: int, said: bytes | str) -> str:
    """The server's answer in one line."""
    words = said.decode(errors="replace") if isinstance(said, bytes) else said
    return f"{code} {' '.join(words.split())}"[:_SHOWN]
