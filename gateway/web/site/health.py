"""How the company's calendars stand, in the few numbers of the strip above the settings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from gateway.links import Access, Direction, Link, Standing
from gateway.model import StaffId
from gateway.store import Snapshot
from gateway.web.site.frame import Ask

LATE = timedelta(hours=1)
"""A link that has not been read to its end for so long is not in sync, whatever it says (bridge.md I16)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """`connected` people use a link or a device; of the links, so many are in sync, broken or paused."""

    staff: int = 0
    connected: int = 0
    sound: int = 0
    broken: int = 0
    paused: int = 0
    one_way: int = 0

    @property
    def never(self) -> int:
        return self.staff - self.connected


def of(ask: Ask, snapshot: Snapshot) -> Facts:
    people = {person.id for person in snapshot.all_staff() if person.active}
    links = [link for link in snapshot.links() if link.staff in people and link.standing is not Standing.ENDED]
    access = {account.id: account.access for account in snapshot.accounts()}
    broken = [link for link in links if _broken(ask, link, access[link.account])]
    paused = [link for link in links if link.standing is Standing.PAUSED]
    linked: set[StaffId] = {link.staff for link in links}
    devices = {person for person in people - linked if any(each.last_used for each in snapshot.app_passwords(person))}
    return Facts(
        staff=len(people),
        connected=len(linked | devices),
        sound=len(links) - len(broken) - len(paused),
        broken=len(broken),
        paused=len(paused),
        one_way=len({link.staff for link in links if link.direction is Direction.OUT}) if snapshot.company.policy.two_way else 0,
    )


def _broken(ask: Ask, link: Link, access: Access) -> bool:
    if link.standing in {Standing.GUARD, Standing.SUSPENDED} or access is not Access.OK:
        return True
    return link.standing is Standing.ACTIVE and (link.pulled or link.created) < ask.now - LATE
