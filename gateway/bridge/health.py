"""How a company's calendars stand, in the few numbers that tell whether anybody has to do something."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway.bridge.orders import condition
from gateway.links import Direction, Standing
from gateway.model import StaffId
from gateway.store import Snapshot


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """`connected` people use a link or a device; of the links, so many are in sync, broken or paused; so many people are still one-way
    while the company takes over moves. `looked` is the oldest complete look of a link that works, `unsent` when the oldest change was
    made that is not over there yet."""

    staff: int = 0
    connected: int = 0
    sound: int = 0
    broken: int = 0
    paused: int = 0
    one_way: int = 0
    decisions: int = 0
    waiting: int = 0
    dead: int = 0
    failing: int = 0
    looked: datetime | None = None
    unsent: datetime | None = None

    @property
    def never(self) -> int:
        return self.staff - self.connected


def facts(snapshot: Snapshot, now: datetime) -> Facts:
    """Of the people who work here."""
    policy = snapshot.company.policy
    people = {person.id for person in snapshot.all_staff() if person.active}
    links = [link for link in snapshot.links() if link.staff in people and link.standing is not Standing.ENDED]
    accounts = {account.id: account for account in snapshot.accounts()}
    colours = {link.id: condition(policy, accounts[link.account], link, now)[0] for link in links}
    tallies = {link: tally for link, tally in snapshot.tallies().items() if link in colours}
    blocking = [each for each in snapshot.blocking() if accounts[each.account].staff in people]
    sources = [source for staff in snapshot.sources() if staff in people and (source := snapshot.source(staff)) is not None]
    linked: set[StaffId] = {link.staff for link in links}
    passwords = snapshot.good_app_passwords()
    devices = {person for person in people - linked if any(each.last_used for each in passwords.get(person, ()))}
    working = [link for link in links if colours[link.id] in ("green", "yellow")]
    return Facts(
        staff=len(people),
        connected=len(linked | devices),
        sound=len(working),
        broken=sum(colour == "red" for colour in colours.values()),
        paused=sum(colour == "grey" for colour in colours.values()),
        one_way=len({link.staff for link in links if link.direction is Direction.OUT}) if policy.two_way else 0,
        decisions=sum(link.standing is Standing.GUARD for link in links) + sum(tally.undecided for tally in tallies.values()),
        waiting=sum(tally.waiting for tally in tallies.values()),
        dead=sum(tally.dead for tally in tallies.values()),
        failing=sum(each.failing is not None for each in sources) + sum(each.failing is not None for each in blocking),
        looked=min((link.pulled or link.created for link in working), default=None),
        unsent=min((tally.unsent for tally in tallies.values() if tally.unsent is not None), default=None),
    )
