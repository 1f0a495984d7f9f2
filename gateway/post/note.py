"""Letters whose words come from whoever sends them: sentences with a button, or a person's own; queued in the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from gateway.errors import Invalid
from gateway.post.compose import Composed
from gateway.post.envelope import Mailbox, Written, address, envelope, message_id, plain_envelope
from gateway.post.line import line
from gateway.post.paper import Fact, Link, Mood, Paper
from gateway.post.words import words
from gateway.store import Letter, Transaction


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """`kind` names the occasion in the outbox and the metrics; texts are translated already and one line each."""

    kind: str
    recipient: str
    name: str
    locale: str
    subject: str
    lead: str
    button: Link
    facts: tuple[Fact, ...] = ()
    after: tuple[str, ...] = ()
    mood: Mood = Mood.GOOD


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """What every letter of the installation has in common: the mailbox in From, the address of the pages, the seal of the outbox."""

    sender: str
    public_url: str
    seal: Callable[[bytes], bytes]


def queue(tx: Transaction, note: Note, desk: Desk, *, key: str, now: datetime) -> None:
    """Put it into the outbox, once for each key. Raises Invalid when nobody can be reached at the address."""
    recipient = address(note.recipient)
    if recipient is None:
        raise Invalid("This is not an e-mail address a letter can be sent to.", field="email")
    said, name = words(note.locale, tx.company.locale), line(note.name)
    paper = Paper(
        language=said.language,
        mood=note.mood,
        pair=said.labels.pair,
        company=line(tx.company.name),
        title=line(note.subject),
        greeting=said.greeting.format(name=name) if name else said.greeting_nobody,
        lead=note.lead,
        facts=note.facts,
        button=note.button,
        after=note.after,
        closing=said.closing,
    )
    letter = Composed(kind=note.kind, subject=note.subject, paper=paper)
    message = envelope(letter, id=message_id(key, desk.public_url), sender=Mailbox.parse(desk.sender), recipient=recipient, written=now)
    tx.queue(Letter(key=key, recipient=recipient, message=desk.seal(message), entry=None, kind=note.kind), now)


def queue_written(tx: Transaction, letter: Written, desk: Desk, *, recipient: str, key: str, now: datetime) -> None:
    """The same for a letter in somebody's own words. Raises Invalid when nobody can be reached at the address."""
    spec = address(recipient)
    if spec is None:
        raise Invalid("This is not an e-mail address a letter can be sent to.", field="to")
    message = plain_envelope(letter, id=message_id(key, desk.public_url), sender=Mailbox.parse(desk.sender), recipient=spec, written=now)
    tx.queue(Letter(key=key, recipient=spec, message=desk.seal(message), entry=None, kind=letter.kind), now)
