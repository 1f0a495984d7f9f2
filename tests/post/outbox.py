"""An outbox that can be filled at will, with a clock that stands still."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

from gateway.model import EntryId
from gateway.post.sender import Sender
from gateway.seal import Seal
from gateway.store import Letter, Posted, Store
from tests.post.house import ANN, DEMO, NOW, letter, octets, opened
from tests.post.office import SEAL, SETUP


@dataclass
class Outbox:
    """An outbox, a clock that stands still, and senders."""

    store: Store
    now: datetime = NOW
    numbers: Iterator[int] = field(default_factory=count)

    def put(self, letters: int = 1, *, recipient: str = ANN.email, entry: str = "") -> list[str]:
        """So many letters, each about an appointment of its own unless told; their Message-IDs."""
        ids = []
        with self.store.write(DEMO, SETUP) as tx:
            for _ in range(letters):
                key = f"letter {next(self.numbers)}"
                message = octets(letter("booked"), recipient=recipient, key=key)
                row = Letter(key=key, recipient=recipient, message=SEAL.seal(message), entry=EntryId(entry or key), kind="booked")
                assert tx.queue(row, self.now)
                ids.append(str(opened(message)["Message-ID"]))
        return ids

    def posted(self, entry: str) -> list[Posted]:
        with self.store.read(DEMO) as snapshot:
            return list(snapshot.letters_of(EntryId(entry)))

    def clock(self) -> datetime:
        return self.now

    def sender(self, url: str, seal: Seal = SEAL) -> Sender:
        return Sender(self.store, seal, smtp_url=url, clock=self.clock)
