"""How much waits in each link to a calendar elsewhere, counted without reading the items themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import text

from gateway.links import LinkId
from gateway.model import CompanyId
from gateway.store.codec import maybe_instant, micros
from gateway.store.engine import Database
from gateway.store.reading import Reading
from gateway.store.values import Tally

# By the partial indexes of item: what is in order is not looked at.
_UNDER_WAY = text("""
    SELECT link, COUNT(*) AS number, MIN(written) AS since FROM item
    WHERE company = :company AND (:link = '' OR link = :link) AND todo <> '' GROUP BY link
""")
_OPEN = text("""
    SELECT link, condition, COUNT(*) AS number FROM item
    WHERE company = :company AND (:link = '' OR link = :link) AND condition NOT IN ('synced', 'gone') AND condition <> 'foreign'
    GROUP BY link, condition
""")
_BEHIND = text("""
    SELECT l.id, COUNT(DISTINCT h.entry) AS number, MIN(h.at) AS since FROM link l
    JOIN calendar c ON c.company = l.company AND c.staff = l.staff AND c.kind = 'appointments' AND c.last > l.seen
    JOIN change h ON h.company = c.company AND h.calendar = c.id AND h.revision > l.seen
    WHERE l.company = :company AND (:link = '' OR l.id = :link) AND l.standing NOT IN ('ending', 'ended') GROUP BY l.id
""")

_TROUBLED = text("""
    SELECT company FROM account WHERE access <> 'ok'
    UNION SELECT company FROM link WHERE standing IN ('guard', 'suspended') OR (standing = 'active' AND failures > 0 AND pulled <= :late)
    UNION SELECT company FROM link WHERE standing = 'active' AND failures > 0 AND pulled IS NULL AND created <= :late
    UNION SELECT company FROM source WHERE failing <= :late
    UNION SELECT company FROM blocking WHERE failing <= :late
    ORDER BY 1
""")


class Tallies(Reading):
    """What waits, link by link."""

    def tallies(self, link: LinkId | None = None) -> Mapping[LinkId, Tally]:
        """Of one link, or of all of them; those in which nothing waits are left out."""
        under_way = {LinkId(row.link): row for row in self._all(_UNDER_WAY, link=link or "")}
        behind = {LinkId(row.id): row for row in self._all(_BEHIND, link=link or "")}
        conditions: dict[LinkId, dict[str, int]] = {}
        for row in self._all(_OPEN, link=link or ""):
            conditions.setdefault(LinkId(row.link), {})[row.condition] = row.number
        return {
            each: Tally(
                waiting=sum(row.number for row in (under_way.get(each), behind.get(each)) if row is not None),
                unsent=maybe_instant(min((row.since for row in (under_way.get(each), behind.get(each)) if row is not None), default=None)),
                dead=conditions.get(each, {}).get("dead", 0),
                undecided=sum(number for name, number in conditions.get(each, {}).items() if name in ("conflict", "parked")),
            )
            for each in {*under_way, *behind, *conditions}
        }


def troubled(database: Database, late: datetime) -> Sequence[CompanyId]:
    """Companies in which an access or a link has stopped, or something has not been read since `late`."""
    return [CompanyId(row.company) for row in database.ask(_TROUBLED, late=micros(late))]
