"""Follows the log and writes letters: to customers about what changed, to staff members about what was refused."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from gateway import observe
from gateway.errors import Reason
from gateway.model import Actor, Appointment, Change, CompanyId, EntryId, Span
from gateway.post import refusal
from gateway.post.compose import Circle, Composed, compose
from gateway.post.envelope import Mailbox, address, envelope, message_id
from gateway.post.news import Cancelled, matters, news
from gateway.seal import Seal
from gateway.store import Letter, Store, Transaction

BATCH = 500
"""Changes looked at in one transaction."""

POSTPONED = timedelta(hours=1)
"""When a letter that could not be written is tried again; nobody else waits for it."""

_DELETIONS = frozenset({Reason.CANCEL_ASKED, Reason.CANCEL_RESTORED})


class Letters:
    """The reader of the log that tells people (worker.Reader).

    Cursor, waiting notices, questions and letters change in one transaction: a crash after any line loses nothing and doubles
    nothing. What a customer knows is the state before the first change not yet told; what is told is the difference to how the
    appointment stands when the hold is over.
    """

    name = "letters"

    def __init__(self, store: Store, seal: Seal, *, sender: str, public_url: str) -> None:
        """`sender` is the mailbox in From; its name gives way to the company's. Raises Misconfigured when it is none."""
        self._store = store
        self._seal = seal
        self._sender = Mailbox.parse(sender)
        self._public_url = public_url.rstrip("/")
        self._actor = Actor(self.name, "worker")

    def due(self, now: datetime) -> Sequence[CompanyId]:
        """Companies whose log has grown, or in which a customer is to be told by now."""
        return list(dict.fromkeys((*self._store.behind(self.name), *self._store.notices_due(now))))

    def next(self, now: datetime) -> datetime | None:
        """When the next customer is to be told."""
        return self._store.next_notice()

    def catch_up(self, company: CompanyId, now: datetime) -> bool:
        """Read the log to its end, a batch in each transaction, and write the letters that are due with the last one; whether there are
        any. Idempotent."""
        queued = 0
        while True:
            ended, more = self._round(company, now)
            queued += more
            if ended:
                return queued > 0

    def _round(self, company: CompanyId, now: datetime) -> tuple[bool, int]:
        """One transaction; whether the log was read to its end, and how many letters were written. Letters wait for that: a later change
        may take one back."""
        with self._store.write(company, self._actor) as tx:
            desk = _Desk(tx, self._seal, self._sender, self._public_url, now)
            changes = tx.changes(tx.cursor(self.name), limit=BATCH)
            for change in changes:
                desk.take(change)
            if changes:
                tx.advance(self.name, changes[-1].revision)
            ended = len(changes) < BATCH
            if ended:
                desk.tell()
        for kind, entry in desk.queued:
            observe.count("letters_queued", kind=kind)
            observe.log("letter_queued", company=company, kind=kind, entry=entry)
        return ended, len(desk.queued)


class _Desk:
    """One round at one company: what it finds, and what it has queued."""

    def __init__(self, tx: Transaction, seal: Seal, sender: Mailbox, public_url: str, now: datetime) -> None:
        self.queued: list[tuple[str, EntryId]] = []
        self._tx = tx
        self._seal = seal
        self._sender = sender
        self._public_url = public_url
        self._now = now

    def take(self, change: Change) -> None:
        """One line of the log: a notice that waits, a letter to the staff member, or nothing."""
        if change.reason is not None:
            if change.actor.proposing and isinstance(change.before, Appointment):
                self._turned_back(change, change.reason, change.before)
        elif matters(change) and change.entry is not None:
            self._tx.await_notice(change.entry, change.before, change.at + self._tx.company.policy.hold)

    def tell(self) -> None:
        """Write to every customer whose hold is over."""
        for entry, told, _ in self._tx.notices_due(self._now):
            held = self._tx.held_by_id(entry)
            standing = held.entry if held is not None else None
            if isinstance(standing, Appointment) and not self._told(told if isinstance(told, Appointment) else None, standing):
                self._tx.await_notice(entry, told, self._now + POSTPONED)
            else:
                self._tx.notice_done(entry)

    def _told(self, told: Appointment | None, standing: Appointment) -> bool:
        """Whether the customer has been told whatever there is to tell; False: the letter could not be written."""
        circle = self._circle(standing)
        recipient = self._recipient(circle.customer.email, standing)
        if recipient is None:
            return True
        try:
            what = news(told, standing, self._now)
        except Exception as error:  # whatever is wrong with this appointment, other customers do not wait for it
            return self._not_written(standing, error)
        if what is None:
            return True
        page = "" if isinstance(what, Cancelled) else self._page(standing)
        try:
            letter = compose(what, standing, circle, self._now, organizer=self._sender.address, page=page)
            row = self._row(letter, f"{letter.kind}:{standing.id}:{standing.sequence}", recipient, standing)
        except Exception as error:
            return self._not_written(standing, error)
        self._queue(row, standing)
        return True

    def _not_written(self, about: Appointment, error: Exception) -> bool:
        observe.log("letter_not_written", company=self._tx.company.id, entry=about.id, error=error)
        return False

    def _page(self, about: Appointment) -> str:
        """Where the customer can answer and change the appointment: its key is made with the first letter. "" where nobody may."""
        if not self._tx.company.policy.self_service:
            return ""
        held = self._tx.attendance(about.id)
        if held is not None:
            return f"{self._public_url}/appointment/{self._seal.unseal(held.sealed).decode('ascii')}"
        token = secrets.token_urlsafe(24)
        self._tx.hand_out(about.id, token, self._seal.seal(token.encode("ascii")))
        return f"{self._public_url}/appointment/{token}"

    def _turned_back(self, change: Change, reason: Reason, held: Appointment) -> None:
        """Tell the staff member, once for each proposal: programs such as SyncEvolution repeat a refused one for ever.

        A deletion carries nothing that tells a repeated one from a new one, so it is answered once a day.
        """
        circle = self._circle(held)
        recipient = self._recipient(circle.staff.email, held)
        if recipient is None:
            return
        at, wish, token = *_wished(change), secrets.token_urlsafe(24)
        day = f":{change.at:%Y-%m-%d}" if reason in _DELETIONS else ""
        try:
            address = f"{self._public_url}/answer/{token}"
            if reason is Reason.CANCEL_ASKED:
                letter = refusal.asked(held, at, circle, self._now, address=address)
            elif wish is not None:
                letter = refusal.asked_to_move(reason, held, at, wish, circle, self._now, address=address)
            else:
                letter = refusal.refused(reason, held, at, circle, self._now)
            row = self._row(letter, f"refused:{held.id}:{held.version}:{change.proposal}{day}", recipient, held)
        except Exception as error:  # as above; the calendar shows the staff member anyhow that nothing has changed
            observe.log("letter_not_written", company=self._tx.company.id, entry=held.id, error=error)
            return
        if self._queue(row, held) and (reason is Reason.CANCEL_ASKED or wish is not None):
            self._tx.ask(held.id, at, circle.staff.id, token, self._now, wish=wish)

    def _row(self, letter: Composed, key: str, recipient: str, about: Appointment) -> Letter:
        # A restored database may come to the same key again with other contents, hence the epoch.
        name = message_id(f"{self._tx.epoch}/{self._tx.company.id}/{key}", self._public_url)
        octets = envelope(letter, id=name, sender=self._sender, recipient=recipient, written=self._now)
        return Letter(key=key, recipient=recipient, message=self._seal.seal(octets), entry=about.id, kind=letter.kind)

    def _queue(self, row: Letter, about: Appointment) -> bool:
        fresh = self._tx.queue(row, self._now)
        if fresh:
            self.queued.append((row.kind, about.id))
        return fresh

    def _recipient(self, email: str, about: Appointment) -> str | None:
        recipient = address(email)
        if recipient is None:
            observe.log("letter_without_address", company=self._tx.company.id, entry=about.id)
        return recipient

    def _circle(self, appointment: Appointment) -> Circle:
        tx = self._tx
        return Circle(
            company=tx.company,
            staff=tx.staff(tx.calendar(appointment.calendar).staff),
            service=tx.service(appointment.service),
            customer=tx.customer(appointment.customer),
        )


def _wished(change: Change) -> tuple[datetime | None, Span | None]:
    """What a refused proposal was about, behind its digest (desk.turn_back): the occurrence, by its original start, and where it was
    wished to when the staff member may insist."""
    rest, _, wish = change.proposal.partition("=")
    _, _, at = rest.partition("@")
    start, _, end = wish.partition("/")
    return _instant(at) if at else None, Span(_instant(start), _instant(end)) if wish else None


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
