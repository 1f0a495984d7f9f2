"""What every part of a snapshot stands on: one connection, one company, and the way a question is put."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import BindParameter, Text, TextClause, bindparam, text

from gateway.errors import Missing
from gateway.model import Company, CompanyId, Revision, StaffId
from gateway.store.codec import policy_from
from gateway.store.connection import Connection
from gateway.store.statements import Found, Line

T = TypeVar("T")

HEAD = text("""
    SELECT c.id, c.slug, c.name, c.zone, c.locale, c.policy, c.revision, i.epoch
    FROM company c CROSS JOIN installation i
    WHERE c.id = :company
""")
HEAD_TO_WRITE = text("""
    SELECT c.id, c.slug, c.name, c.zone, c.locale, c.policy, c.revision, i.epoch
    FROM company c CROSS JOIN installation i
    WHERE c.id = :company
    FOR NO KEY UPDATE OF c
""")

AT_ONCE = 500
"""How many values one statement names."""


class Trace(NamedTuple):
    """When a credential was used (microseconds since 1970), by which program and from which network ("" when nobody said)."""

    at: int
    client: str = ""
    network: str = ""


class Reading:
    """One consistent state of one company. Every statement names the company, and it is always this one."""

    company: Company
    only: tuple[StaffId, str] | None = None  # the one calendar that is shown: whose home it is in, and its slug there
    viewer: StaffId | None = None  # who looks at somebody else's calendars; None: everybody at his own
    epoch: str
    revision: Revision  # the head of the company's log

    def __init__(self, connection: Connection, head: Found, uses: Mapping[tuple[str, str, str], Trace]) -> None:
        """`head` is what HEAD found; `uses` when credentials were used lately, where it is not written down yet. Raises Missing."""
        if not head:
            raise Missing("There is no such company.")
        *company, revision, epoch = head[0]
        self.company = company_from(*company)
        self.revision = Revision(revision)
        self.epoch = epoch
        self._connection = connection
        self._uses = uses

    def _all(self, statement: TextClause, **given: Any) -> Found:
        given["company"] = self.company.id
        return self._connection.rows(statement, given)

    def _one(self, statement: TextClause, **given: Any) -> Line | None:
        given["company"] = self.company.id
        found = self._connection.rows(statement, given)
        return found[0] if found else None

    def _sure(self, sentence: str, statement: TextClause, **given: Any) -> Line:
        """The one row there is. Raises Missing with the sentence."""
        row = self._one(statement, **given)
        if row is None:
            raise Missing(sentence)
        return row


@lru_cache(maxsize=1024)
def company_from(id: str, slug: str, name: str, zone: str, locale: str, policy: str) -> Company:
    return Company(id=CompanyId(id), slug=slug, name=name, zone=zone, locale=locale, policy=policy_from(policy))


def several(name: str) -> BindParameter[Any]:
    """A parameter that stands for a list: `x IN :name`."""
    return bindparam(name, type_=Text(), expanding=True)


def batches(values: Iterable[T]) -> Iterator[list[T]]:
    """The values, so many at once as one statement takes."""
    rest = iter(values)
    while batch := list(islice(rest, AT_ONCE)):
        yield batch
