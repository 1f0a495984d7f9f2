"""What every part of a transaction stands on: the way something is written, and the next revision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import TextClause, text

from gateway.model import Actor, Revision
from gateway.store.reading import Reading

_NEXT = text("UPDATE company SET revision = revision + 1 WHERE id = :company RETURNING revision")


class Writing(Reading):
    """`wrote` tells whether there is anything to commit."""

    actor: Actor
    wrote: bool = False

    def _run(self, statement: TextClause, **given: Any) -> int:
        """How many rows it touched."""
        given["company"] = self.company.id
        count = self._connection.execute(statement, given).rowcount
        self.wrote = self.wrote or count > 0
        return count

    def _run_all(self, statement: TextClause, given: Sequence[Mapping[str, Any]]) -> None:
        """The same statement for each; nothing when there is none."""
        if given:
            self.wrote = True
            self._connection.execute(statement, [{**each, "company": self.company.id} for each in given])

    def _next(self) -> Revision:
        """The revision of the line that is about to be written. Every call must be followed by exactly one."""
        self.wrote = True
        self.revision = Revision(self._connection.execute(_NEXT, {"company": self.company.id}).scalar_one())
        return self.revision
